"""Two minutes under the nemesis: nothing is lost, and the account that says so can also say otherwise.

The long form is `make faults`. CORTEX_FAULT_SEED moves every moment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.nemesis import account
from tests.stores import DATA_DIR, ROOT

pytestmark = pytest.mark.faults
SEED = os.environ.get("CORTEX_FAULT_SEED", "7")
# Two other processes of tests share the two cores meanwhile: what is late here is not late on a free machine.
ALERTS = 200
PARTS = {"web-1", "web-2", "sweeper-1", "sweeper-2", "beat-1", "beat-2", "worker", "redis", "postgres",
         "keys"}  # fmt: skip
# A hundred seconds of sending; the chains of the last alerts take twenty more.
SHORT = ["--alerts", str(ALERTS), "--each", "3", "--seconds", "100", "--latest", "60", "--seed", SEED]
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Rows]:
    """One run of the nemesis, and every line that it left."""
    out = DATA_DIR / "nemesis"
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.nemesis", *SHORT, "--out", str(out)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=400,
    )  # fmt: skip
    print(done.stdout, done.stderr)
    return done, [json.loads(line) for line in (out / "faults.jsonl").read_text().splitlines()]


def environment() -> dict[str, str]:
    """A house of its own: nothing of this run's stores."""
    forget = ("DATABASE", "KEYS_DATABASE", "REDIS_URL", "CORTEX_")
    return {name: value for name, value in os.environ.items() if not name.startswith(forget)}


def test_nothing_is_lost_while_everything_is_killed(run: tuple[Any, Rows]) -> None:
    done, rows = run
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    figures = account.compute(grouped(rows))
    assert (figures["lost"], figures["never read"], figures["duplicated"], figures["gaps"]) == (0, 0, 0, 0)
    assert figures["raised"] == figures["acknowledged"] == figures["shown"] == ALERTS
    assert figures["claims acknowledged"] > ALERTS / 2
    assert figures["left to their chains"] > ALERTS / 10
    assert (figures["claims lost"], figures["two winners"], figures["steps after a claim"]) == (0, 0, 0)
    assert (figures["steps missing"], figures["steps fired twice"]) == (0, 0)
    # The last step of an alert that came last may be due only when the run is over.
    left = figures["left to their chains"]
    assert ALERTS + left <= figures["steps owed"] <= ALERTS + 2 * left
    assert set(figures["kills by process"]) == PARTS
    assert figures["long stalls"] > 0
    assert figures["dropped for stalling"] == figures["back by replay"]


def grouped(rows: Rows) -> account.Rows:
    empty = ("reload", "down", "answer", "screen", "shown", "step", "alert", "chosen", "claim", "history",
             "resolve", "dropped")  # fmt: skip
    kinds: account.Rows = {kind: [] for kind in empty}
    for row in rows:
        kinds.setdefault(row["row"], []).append(row)
    return kinds


def without(kind: str, place: int) -> Callable[[Rows], Rows]:
    def forge(rows: Rows) -> Rows:
        of_kind = [row for row in rows if row["row"] == kind]
        return [row for row in rows if row is not of_kind[place]]

    return forge


def changed(kind: str, place: int, **values: Any) -> Callable[[Rows], Rows]:
    def forge(rows: Rows) -> Rows:
        of_kind = [row for row in rows if row["row"] == kind]
        return [row | values if row is of_kind[place] else row for row in rows]

    return forge


def never_ran(rows: Rows) -> Rows:
    """Of the step that was due first: one that was due just before the end is not late by then."""
    first = min((row for row in rows if row["row"] == "step"), key=lambda row: float(row["due"]))
    return [row | {"done": None} if row is first else row for row in rows]


def left_alone(rows: Rows) -> Any:
    """An alert that nobody claimed: all of its chain is owed."""
    claimed = {row["alert"] for row in rows if row["row"] == "history"}
    return next(row["alert"] for row in rows if row["row"] == "alert" and row["alert"] not in claimed)


def skipped(rows: Rows) -> Rows:
    alert = left_alone(rows)
    return [row for row in rows if (row["row"], row.get("alert"), row.get("position")) != ("step", alert, 2)]


def never_escalated(rows: Rows) -> Rows:
    alert = left_alone(rows)
    return [row for row in rows if (row["row"], row.get("alert")) != ("step", alert)]


def never_called(rows: Rows) -> Rows:
    """An alert that was claimed, without its first step: that one is owed by every alert."""
    alert = won(rows)["alert"]
    return [row for row in rows if (row["row"], row.get("alert")) != ("step", alert)]


def fired_twice(rows: Rows) -> Rows:
    return [*rows, next(row for row in rows if row["row"] == "step" and row["outcome"] == "fired")]


def showings(rows: Rows) -> Rows:
    """Each time that one screen showed one of the senders' alerts."""
    alert = left_alone(rows)
    shown = [row for row in rows if row["row"] == "shown" and row["alert"] == alert]
    return [row for row in shown if row["screen"] == shown[0]["screen"]]


def shown_late(rows: Rows) -> Rows:
    late = {id(row) for row in showings(rows)}
    return [row | {"at": row["at"] + 10_000} if id(row) in late else row for row in rows]


def never_shown(rows: Rows) -> Rows:
    left_out = {id(row) for row in showings(rows)}
    return [row for row in rows if id(row) not in left_out]


def out_of_order(rows: Rows) -> Rows:
    """Two numbers of one screen change places."""
    screen = next(row["screen"] for row in rows if row["row"] == "shown")
    one, other = [row for row in rows if row["row"] == "shown" and row["screen"] == screen][3:5]
    other_way = {id(one): other, id(other): one}
    return [other_way.get(id(row), row) for row in rows]


def stored_twice(rows: Rows) -> Rows:
    """A second alert for what one sender sent, under an id of its own."""
    alert = next(row for row in rows if row["row"] == "alert")
    return [alert | {"alert": "another"}, *rows]


def with_a_hole(rows: Rows) -> Rows:
    return [row | {"events": row["events"] - 1} if row["row"] == "run" else row for row in rows]


def never_told(rows: Rows) -> Rows:
    """A sender who was never told that it is in."""
    name = next(row["id"] for row in rows if row["row"] == "raised")
    return [
        row | {"outcome": "unknown"} if (row["row"], row.get("id")) == ("answer", name) else row
        for row in rows
    ]


def chosen_in_vain(rows: Rows) -> Rows:
    alert = won(rows)["alert"]
    return [row for row in rows if row["row"] not in ("claim", "history") or row["alert"] != alert]


def again(rows: Rows) -> Rows:
    return [*rows, next(row for row in rows if row["row"] == "shown")]


def survived(rows: Rows) -> Rows:
    kill = next(row for row in rows if row["row"] == "fault" and row["kind"] == "kill-worker")
    return [row | {"status": 0} if row is kill else row for row in rows]


def spared(rows: Rows) -> Rows:
    return [row | {"target": "beat-1"} if row.get("target") == "beat-2" else row for row in rows]


def patient(rows: Rows) -> Rows:
    """A run whose server would have waited longer than any page stalled."""
    return [row | {"patience": 10_000} if row["row"] == "run" else row for row in rows]


def never_back(rows: Rows) -> Rows:
    """A page that was dropped comes back without the five numbers before."""
    one = next(row for row in rows if row["row"] == "shown" and row["n"] > 10)
    drop = {
        "row": "dropped", "screen": one["screen"], "web": "web-9", "since": one["at"] - 1, "at": one["at"],
        "code": next(iter(account.GIVEN_UP)), "last": one["n"] - 5,
    }  # fmt: skip
    return [*rows, drop]


def fewer(rows: Rows) -> Rows:
    return [row for row in rows if row.get("kind") != "flush"]


def won(rows: Rows) -> dict[str, Any]:
    """The first claim that was acknowledged."""
    return next(row for row in rows if row["row"] == "claim" and row["outcome"] == "acknowledged")


def forgotten(rows: Rows) -> Rows:
    claim = won(rows)
    return [row for row in rows if (row["row"], row.get("alert")) != ("history", claim["alert"])]


def won_twice(rows: Rows) -> Rows:
    claim, other = (
        won(rows),
        next(row for row in rows if row["row"] == "claim" and row["who"] != won(rows)["who"]),
    )
    second = claim | {"who": other["who"]}
    return [
        *rows,
        second,
        {"row": "history", "kind": "taken_over"} | {key: second[key] for key in ("alert", "who")},
    ]


def claimed_twice(rows: Rows) -> Rows:
    first = next(row for row in rows if row["row"] == "history" and row["kind"] == "claimed")
    return [*rows, first]


def fired_after(rows: Rows) -> Rows:
    claim = won(rows)
    step = {"row": "step", "position": 1, "outcome": "fired", "alert": claim["alert"]}
    return [*rows, step | {"due": claim["at"] + 1, "done": claim["at"] + 1.5}]


def unclaimed(rows: Rows) -> Rows:
    return [row for row in rows if row["row"] not in ("claim", "chosen")]


FORGED: dict[str, tuple[Callable[[Rows], Rows], str]] = {
    "an alert that is in no database": (without("alert", 5), "lost: 1"),
    "a screen that was never shown one": (without("shown", 7), "gaps: 1"),
    "a number that was shown twice": (again, "duplicated: 1"),
    "a number that came after a later one": (out_of_order, "out of order: 1"),
    "an alert that was shown too late": (shown_late, "stale: 1"),
    "an alert that one screen never showed": (never_shown, "never read: 1"),
    "an alert that stands there twice": (stored_twice, "alerts twice: 1"),
    "a number of the feed that nobody has": (with_a_hole, "holes in the feed: 1"),
    "a sender who was never told": (never_told, "never acknowledged: 1"),
    "a step that never ran": (never_ran, "steps late: 1"),
    "a step that is not there": (skipped, "steps missing: 1"),
    "an alert that nobody escalated": (never_escalated, "steps missing: 3"),
    "a claimed alert that called nobody": (never_called, "steps missing: 1"),
    "a step that fired twice": (fired_twice, "steps fired twice: 1"),
    "a process that did not die": (survived, "kills unconfirmed: 1"),
    "a process that was never killed": (spared, "beat-2 was never killed"),
    "readers of whom none stalled long": (patient, "no screen stalled for longer"),
    "a stalled reader that never came back": (never_back, "back by replay: "),
    "a kind of fault that was left out": (fewer, "0 faults of the kind flush"),
    "an alert that nobody was told of": (changed("run", 0, alerts=10_000), f"{ALERTS} alerts instead of"),
    "a claim that the history does not know": (forgotten, "claims lost: 1"),
    "an alert that two people were told is theirs": (won_twice, "two winners: 1"),
    "an alert that was claimed twice": (claimed_twice, "two winners: 1"),
    "a step that fired after the claim": (fired_after, "steps after a claim: 1"),
    "a chosen alert that nobody claimed": (chosen_in_vain, "never claimed: 1"),
    "claims that were left out": (unclaimed, "0 claims instead of"),
    "a trail that does not hold": (changed("run", 0, trail="row 7 was changed"), "the trail: row 7"),
}


@pytest.mark.parametrize("name", FORGED)
def test_the_account_names_what_was_broken(run: tuple[Any, Rows], tmp_path: Path, name: str) -> None:
    forge, said = FORGED[name]
    forged = tmp_path / "faults.jsonl"
    forged.write_text("\n".join(json.dumps(row) for row in forge(run[1])))
    told = subprocess.run(
        [sys.executable, account.__file__, forged], capture_output=True, text=True, check=False, timeout=60
    )
    assert told.returncode == 1
    assert f"BROKEN: {said}" in told.stdout
