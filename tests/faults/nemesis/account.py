"""Recomputes the account from faults.jsonl alone; knows nothing of Cortex and imports nothing of ours.

    python tests/faults/nemesis/account.py faults.jsonl

The words are Jepsen's: an element is *lost* when its sender was told that it is in and it is in no database;
*never read* when it is in and a screen never showed it; *stale* when a screen showed it later than the limit;
*duplicated* when a screen showed one number twice. A screen that reads nothing for longer than the server
waits is *dropped*: that time is no delay, but what it missed must come by replay. A claim is *lost* when its
person was told that it is theirs and the alert's history does not know it; an alert has *two winners* when
two people were told so, or its history holds two claims, with no release in between. A step is *missing* when
it was owed by the chain that the run states and no row says that it ran. Exit status 1 when a promise was
broken, or when the run did less than it states at its head (alerts, faults of each kind, each process
killed): then it proves nothing.
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Rows = dict[str, list[dict[str, Any]]]
KILLED = -9
# How a line ends that the server gave up: nothing taken, no ping answered, or cut where no code got through.
GIVEN_UP = (4408, 1011, None)
CLAIMED = ("claimed", "taken_over")
FIRED = ("fired", "nobody_to_ask")


def read(path: Path) -> Rows:
    """Return the lines by their kind."""
    rows: Rows = defaultdict(list)
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            rows[row["row"]].append(row)
    return rows


class Outages:
    """The times at which a database took no writes, joined where they touch."""

    def __init__(self, spans: Iterable[tuple[float, float]]) -> None:
        self.spans: list[tuple[float, float]] = []
        for begin, end in sorted(spans):
            if self.spans and begin <= self.spans[-1][1]:
                self.spans[-1] = (self.spans[-1][0], max(end, self.spans[-1][1]))
            else:
                self.spans.append((begin, end))

    def within(self, begin: float, end: float) -> float:
        """Return how many seconds between two moments fell into an outage."""
        return sum(max(0.0, min(end, b) - max(begin, a)) for a, b in self.spans)

    def outside(self, begin: float, end: float) -> float:
        """Return the seconds between two moments that no outage excuses."""
        return end - begin - self.within(begin, end)


def compute(rows: Rows) -> dict[str, Any]:
    """Return the account's figures."""
    (run,) = rows["run"]
    limit = run["latest"]
    downs = Outages((one["since"], one["until"]) for one in rows["down"] if one["part"] == "postgres")
    raised = {one["id"]: one for one in rows["raised"]}
    answers = [one for one in rows["answer"] if one["id"] in raised]
    told: dict[str, float] = {}
    for one in answers:
        if one["outcome"] == "acknowledged":
            told.setdefault(one["id"], one["at"])
    alert_of = {one["person"]: one["alert"] for one in rows["alert"]}
    alerts = {name: alert_of[one["person"]] for name, one in raised.items() if one["person"] in alert_of}
    screens = sorted({one["screen"] for one in rows["screen"]})
    first: dict[tuple[str, str], float] = {}
    numbers: dict[str, list[int]] = {screen: [] for screen in screens}
    for one in rows["shown"]:
        numbers[one["screen"]].append(one["n"])
        first.setdefault((one["screen"], one["alert"]), one["at"])
    wanted = set(range(1, run["head"] + 1))
    away = {
        screen: Outages([*downs.spans, *((one["since"], one["until"]) for one in long_stalls(rows, screen))])
        for screen in screens
    }
    delays = sorted(
        away[screen].outside(raised[name]["at"], first[screen, alert])
        for name, alert in alerts.items()
        for screen in screens
        if (screen, alert) in first
    )
    late_steps = [
        downs.outside(one["due"], one["done"] if one["done"] is not None else run["ended"])
        for one in rows["step"]
    ]
    faults = Counter(one["kind"] for one in rows["fault"])
    kills = [one for one in rows["fault"] if one["kind"].startswith("kill-")]
    return claims(rows) | {
        "seed": run["seed"],
        "seconds": round(run["ended"] - run["began"], 1),
        "raised": len(raised),
        "acknowledged": len(told),
        "refused": sum(one["outcome"] == "refused" for one in answers),
        "unknown": sum(one["outcome"] == "unknown" for one in answers),
        "alerts": len(alert_of),
        "shown": len({alert for _, alert in first} & set(alerts.values())),
        "numbers shown": sum(len(set(one)) for one in numbers.values()),
        "lost": len(set(told) - set(alerts)),
        "never read": sum((screen, alert) not in first for alert in alerts.values() for screen in screens),
        "stale": len(delays) - bisect_left(delays, limit),
        "duplicated": sum(len(one) - len(set(one)) for one in numbers.values()),
        "out of order": sum(one != sorted(one) for one in numbers.values()),
        "gaps": sum(len(wanted - set(one)) for one in numbers.values()) + len(rows["reload"]),
        "holes in the feed": run["head"] - run["events"],
        "alerts twice": sum(count > 1 for count in Counter(one["person"] for one in rows["alert"]).values()),
        "median delay": round(delays[len(delays) // 2], 2) if delays else None,
        "p99 delay": round(delays[int(len(delays) * 0.99)], 2) if delays else None,
        "maximum delay": round(delays[-1], 2) if delays else None,
        "steps due": len(late_steps),
        "steps late": sum(late > limit for late in late_steps),
        "slowest step": round(max(late_steps), 2) if late_steps else None,
        **chains(rows),
        "trail": run["trail"],
        "database away": round(sum(b - a for a, b in downs.spans), 1),
        "kills": len(kills),
        "kills unconfirmed": sum(one["status"] != KILLED for one in kills),
        "kills by process": dict(sorted(Counter(one["target"] for one in kills).items())),
        "faults": sum(faults.values()),
        "faults by kind": dict(sorted(faults.items())),
        **stalls(rows),
    }


def long_stalls(rows: Rows, screen: str) -> list[dict[str, Any]]:
    """Return when a screen read nothing for longer than the server waits."""
    (run,) = rows["run"]
    return [
        one for one in rows["fault"]
        if (one["kind"], one.get("target")) == ("stall", screen)
        and one["until"] - one["since"] > run["patience"]
    ]  # fmt: skip


def drops(rows: Rows) -> list[dict[str, Any]]:
    """Return the lines that ended while their screen read nothing, though their web process lived."""
    killed = [(one["target"], one["at"]) for one in rows["fault"] if one["kind"] == "kill-web"]
    return [
        one for one in rows["dropped"]
        if one["code"] in GIVEN_UP
        and not any(web == one["web"] and one["since"] <= at <= one["at"] + 2 for web, at in killed)
    ]  # fmt: skip


def stalls(rows: Rows) -> dict[str, Any]:
    """Return the figures of the screens that read nothing for longer than the server waits."""
    back, dropped = 0, drops(rows)
    for drop in dropped:
        mine = (one for one in rows["shown"] if one["screen"] == drop["screen"])
        back += next((one["n"] for one in mine if one["at"] > drop["at"]), None) == drop["last"] + 1
    screens = {one["screen"] for one in rows["screen"]}
    return {
        "long stalls": sum(len(long_stalls(rows, screen)) for screen in screens),
        "dropped for stalling": len(dropped),
        "back by replay": back,
    }


def claims(rows: Rows) -> dict[str, Any]:
    """Return the figures of who was told that an alert is theirs, and of what the history knows."""
    chosen = {one["alert"] for one in rows["chosen"]}
    told: dict[tuple[str, str], float] = {}
    for one in rows["claim"]:
        if one["outcome"] == "acknowledged":
            told.setdefault((one["alert"], one["who"]), one["at"])
    kept = [(one["alert"], one["who"]) for one in rows["history"] if one["kind"] in CLAIMED]
    ended = Counter(one["alert"] for one in rows["history"] if one["kind"] == "released")
    excused = {one["alert"] for one in rows["history"] if one["kind"] in ("released", "chain_beside")}
    owners, entries = Counter(alert for alert, _ in told), Counter(alert for alert, _ in kept)
    since: dict[str, float] = {}
    for (alert, _), at in told.items():
        since[alert] = min(at, since.get(alert, at))
    fired = [one for one in rows["step"] if one["outcome"] in FIRED]
    return {
        "chosen": len(chosen),
        "claims acknowledged": len(since),
        "claims refused": sum(one["outcome"] == "conflict" for one in rows["claim"]),
        "claims unknown": sum(one["outcome"] == "unknown" for one in rows["claim"]),
        # Whoever claims one alert of a person gets the others that wait: the second of them is a conflict.
        "never claimed": len(chosen - set(since) - set(entries)),
        "left to their chains": len({one["alert"] for one in rows["alert"]} - set(entries)),
        "claims lost": len(set(told) - set(kept)),
        "two winners": sum(
            max(owners[alert], entries[alert]) > 1 + ended[alert] for alert in owners | entries
        ),
        "steps after a claim": sum(
            one["alert"] in since and one["alert"] not in excused and one["done"] > since[one["alert"]]
            for one in fired
            if one["done"] is not None
        ),
        "resolved": len({one["alert"] for one in rows["resolve"] if one["outcome"] == "acknowledged"}),
    }


def chains(rows: Rows) -> dict[str, int]:
    """Return the figures of the steps that were owed: an absent row is no smaller fault than a late one.

    Every alert owes its first step with itself; whatever nobody claimed owes each step of the stated chain
    that was due before the end.
    """
    (run,) = rows["run"]
    claimed = {one["alert"] for one in rows["history"] if one["kind"] in CLAIMED}
    ran = Counter(
        (one["alert"], one["position"])
        for one in rows["step"]
        if one["outcome"] in FIRED and one["done"] is not None
    )
    owed = {
        (one["alert"], position)
        for one in rows["alert"]
        for position, after in enumerate(run["chain"])
        if position == 0 or (one["alert"] not in claimed and one["since"] + after < run["ended"])
    }
    # Past its end the chain repeats its last step, under a new position each time.
    twice = [one for one, count in ran.items() if count > 1 and one[1] < len(run["chain"])]
    return {"steps owed": len(owed), "steps missing": len(owed - set(ran)), "steps fired twice": len(twice)}


def objections(account: dict[str, Any], run: dict[str, Any]) -> list[str]:
    """Return each broken promise, and each way in which the run did less than it states."""
    zero = ("lost", "never read", "stale", "duplicated", "out of order", "gaps", "holes in the feed",
            "alerts twice", "steps missing", "steps late", "steps fired twice", "kills unconfirmed",
            "never claimed", "claims lost", "two winners", "steps after a claim")  # fmt: skip
    found = [f"{name}: {account[name]}" for name in zero if account[name]]
    if account["trail"] != "holds":
        found.append(f"the trail: {account['trail']}")
    if account["acknowledged"] < account["raised"]:
        found.append(f"never acknowledged: {account['raised'] - account['acknowledged']}")
    if account["raised"] < run["alerts"]:
        found.append(f"{account['raised']} alerts instead of the stated {run['alerts']}")
    # Drawn alert by alert: over two hundred of them, fewer than this means that claims were left out.
    if account["claims acknowledged"] < run["share"] * 0.8 * run["alerts"]:
        found.append(f"{account['claims acknowledged']} claims instead of the stated share of {run['share']}")
    if account["left to their chains"] < (1 - run["share"]) * 0.4 * run["alerts"]:
        found.append("too few alerts were left to their chains")
    hit = account["kills by process"]
    found += [f"{name} was never killed" for name in run["processes"] if name not in hit]
    # Whether a line is given up in time, its buffers decide too; `test_stalled` proves that it is.
    if not account["long stalls"]:
        found.append("no screen stalled for longer than the server waits")
    if account["back by replay"] < account["dropped for stalling"]:
        found.append(f"back by replay: {account['back by replay']} of {account['dropped for stalling']}")
    kinds = account["faults by kind"]
    found += [f"{kinds.get(kind, 0)} faults of the kind {kind} instead of {run['each']}"
              for kind in run["kinds"] if kinds.get(kind, 0) < run["each"]]  # fmt: skip
    return found


def main(path: str) -> int:
    """Print the account and the objections; return the exit status."""
    rows = read(Path(path))
    account = compute(rows)
    for name, value in account.items():
        print(f"{name:>18}: {value}")
    against = objections(account, rows["run"][0])
    print("\n".join(f"BROKEN: {one}" for one in against) or "Every promise held.")
    return 1 if against else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
