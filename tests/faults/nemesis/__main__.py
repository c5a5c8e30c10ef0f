"""`python -m tests.faults.nemesis`: raise alerts while everything is killed, and print the account.

Leaves faults.jsonl and the logs of every process in --out; exit status 1 when a promise was broken. What a
whole run told lasts, with the digest of that file, in `bench/results/faults.json`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.kept import keep
from tests.faults.nemesis import account
from tests.faults.nemesis.house import House, until
from tests.faults.nemesis.ledger import Ledger
from tests.stores import ROOT

WHOLE = 10_000  # alerts of the run that the promises are told by
PRODUCERS, PAGES_PER_PERSON = 6, 2
HANDS = 3  # requests that one person has under way at once
# The chain in seconds, so that every alert's is at its end before the run is, unless somebody claims it.
CHAIN = [{"after": 0, "who": "on_duty"}, {"after": 8, "who": "supervisor"}, {"after": 20, "who": "lead"}]


def main() -> int:
    """Run once."""
    options = arguments()
    folder = options.out.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    house = House(folder, Ledger(folder / "faults.jsonl"))
    os.environ |= {"CORTEX_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "cortex.settings.dev",
                   "CORTEX_DB_ROLE": "owner", "CORTEX_MFA_REQUIRED_ROLES": "none"}  # fmt: skip
    try:
        house.start_stores()
        stage = furnish(options.alerts)
        house.start()
        own = perform(house, stage, options)
    except BaseException:
        print("\n".join(house.last_words()), file=sys.stderr)
        raise
    finally:
        house.stop()
        house.ledger.close()
    script = Path(account.__file__)
    told = subprocess.run(
        [sys.executable, script, house.ledger.path], capture_output=True, text=True, check=False
    )
    print(told.stdout, told.stderr, sep="")
    recomputed = account.compute(account.read(house.ledger.path))
    differ = {name: (value, recomputed[name]) for name, value in own.items() if value != recomputed[name]}
    if options.alerts >= WHOLE:
        digest = hashlib.sha256(house.ledger.path.read_bytes()).hexdigest()
        right = not differ and told.returncode == 0
        lines = [line.strip() for line in told.stdout.splitlines()]
        keep("faults", {"seed": options.seed, "right": right, "sha256": digest, "account": lines})
    if differ:
        print(f"BROKEN: the file tells another story than the run itself: {differ}")
    return 1 if differ else told.returncode


def arguments() -> argparse.Namespace:
    """Return what this run is to do, and where it writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=WHOLE)
    parser.add_argument("--each", type=int, default=20, help="how many faults of each kind")
    parser.add_argument("--seconds", type=float, default=3_600)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--latest", type=float, default=10, help="seconds after which a screen or a step is late"
    )
    parser.add_argument("--out", type=Path, default=ROOT / ".cortex" / "faults")
    return parser.parse_args()


class Stage:
    """Who sends, who watches, and by which keys."""

    def __init__(self, people: list[str], key: str, staff: list[str], cookies: list[str], topic: str) -> None:
        self.people, self.key, self.topic = people, key, topic
        self.staff, self.cookies = staff, cookies


def furnish(count: int) -> Stage:
    """Migrate, and put one service on record with its people, a counselor and a supervisor on shift."""
    import django

    django.setup()
    from cortex.accounts.apikeys.actions import create_client, create_key
    from cortex.accounts.choices import Scope
    from cortex.audit import SYSTEM, system
    from cortex.ops import children, startup
    from cortex.ops.actions import set_setting
    from crisis.escalation.models import SlaPolicy
    from crisis.escalation.policy import DEFAULTS, SHARED
    from tests import cast as players
    from tests import makers

    startup.migrate()
    children.put_on_role("system", 0)
    startup.months_ahead()
    # The pages only read here, as long as the run takes; their people don't idle away meanwhile.
    set_setting(actor=SYSTEM, key="session.idle_minutes", value=60)
    cast = players.make_cast()
    cast.on_duty()
    cast.on_duty(cast.sam)
    values = DEFAULTS["critical"] | SHARED | {"confirm_seconds": 5, "chain": CHAIN}
    SlaPolicy.objects.create(organization=cast.home, level="critical", **values)
    maker = create_client(actor=system("test"), organization_id=cast.home.pk, name="The app")
    raw = create_key(actor=system("test"), client_id=maker.pk, scopes=list(Scope.values)).raw
    people = [makers.make_patient(cast.home, consents=("treatment",)).anonymous_id for _ in range(count)]
    staff = [cast.cleo, cast.sam]
    cookies = [makers.cookie_of(user) for user in staff]
    return Stage(people, raw, [str(user.pk) for user in staff], cookies, f"board:{cast.home.pk}")


def perform(house: House, stage: Stage, options: argparse.Namespace) -> dict[str, Any]:
    """Send, watch and hurt; wait until all is quiet; write what the books hold; return our own figures."""
    from cortex.live.link import STALL
    from tests.faults.nemesis.claimers import SHARE, Claimer, Desk
    from tests.faults.nemesis.faults import KINDS, PROCESSES, Nemesis
    from tests.faults.nemesis.producers import Producer
    from tests.faults.nemesis.screens import Screen

    began = time.time()
    producers = [
        Producer(house.ledger, house.origins, stage.key, stage.people[n::PRODUCERS], options.seed + n)
        for n in range(PRODUCERS)
    ]
    claimers = [
        Claimer(house.ledger, person, house.origins, cookie)
        for person, cookie in zip(stage.staff, stage.cookies, strict=True)
    ]
    desk = Desk(house.ledger, claimers, options.seed)
    webs = list(zip(("web-1", "web-2"), house.origins, strict=True))
    screens = [
        Screen(house.ledger, f"{who}-{page}", dict(webs[page % 2 :] + webs[: page % 2]), cookie,
               stage.topic, options.seed + 10 * who + page,
               lambda alert, number, who=who: desk.shown(alert, number, who),
               lambda: max(one.last for one in screens), lambda web: house.parts[web].pid)
        for who, cookie in enumerate(stage.cookies) for page in range(PAGES_PER_PERSON)
    ]  # fmt: skip
    for screen in screens:
        house.ledger.note("screen", screen=screen.name)
    times = -(-options.each // PRODUCERS)
    habits = dict.fromkeys(("duplicate", "late", "disorder"), times)
    each = -(-options.each // len(screens))
    watching = started([
        lambda one=screen, place=place: one.run(options.seconds, each, place)
        for place, screen in enumerate(screens)
    ])  # fmt: skip
    home = threading.Event()
    claiming = started([lambda one=one: one.work(home) for one in claimers for _ in range(HANDS)])
    start = time.monotonic()
    pace = options.seconds / len(stage.people)
    sending = started([
        lambda one=producer, late=n * pace: one.run(start + late, options.seconds, habits)
        for n, producer in enumerate(producers)
    ])  # fmt: skip
    Nemesis(house, options.seed).run(options.seconds, options.each, lambda: True)
    for thread in sending:
        thread.join(options.seconds + 120)
        assert not thread.is_alive(), "a producer was never answered"
    books = Books(house)
    until(books.is_done, 60 + options.alerts / 20, "escalations are still due")
    until(desk.is_idle, 60 + options.alerts / 50, "somebody still waits for an answer to a claim")
    until(books.is_done, 60, "escalations are still due")
    home.set()
    for thread in claiming:
        thread.join(10)
    head = books.head()  # what comes after it may come after the screens have gone
    until(lambda: all(screen.last >= head for screen in screens), 30, "a screen never caught up")
    for screen in screens:
        screen.stopping.set()
    for thread in watching:
        thread.join(10)
    books.copy(house.ledger)
    house.ledger.note(
        "run", seed=options.seed, alerts=options.alerts, each=options.each, latest=options.latest,
        began=began, share=SHARE, patience=STALL, processes=PROCESSES if options.each > 1 else [],
        kinds=[*KINDS, "cut", "stall", *habits], ended=time.time(), head=head, events=books.events(head),
        chain=[step["after"] for step in CHAIN], trail=trail_verdict(),
    )  # fmt: skip
    return {
        "raised": len(stage.people),
        "acknowledged": sum(len(producer.told) for producer in producers),
        "chosen": len(desk.chosen),
        "claims acknowledged": len(set().union(*(one.won for one in claimers))),
        "numbers shown": sum(len(screen.numbers) for screen in screens),
    }


def started(works: Sequence[Callable[[], object]]) -> list[threading.Thread]:
    """Start each in a thread of its own."""
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    return threads


class Books:
    """What the database holds at the end, read past every layer of ours."""

    RAISED = """
        SELECT p.anonymous_id, a.id::text, extract(epoch FROM a.level_since) FROM crisis_riskalert a
        JOIN patients_patient p ON p.id = a.patient_id
        WHERE a.kind = 'self_harm'
    """
    # A step that another one overtook has an outcome too; one without has not run.
    STEPS = """
        SELECT alert_id::text, position, extract(epoch FROM due_at), extract(epoch FROM done_at), outcome
        FROM crisis_alertstep WHERE kind = 'chain'
        AND (done_at IS NOT NULL OR due_at < clock_timestamp() - interval '1 second')
    """

    # What an alert went through that decides about claims; the first two end a claim's word on the chain.
    HISTORY = """
        SELECT alert_id::text, kind, actor_id::text, extract(epoch FROM occurred_at) FROM crisis_alertevent
        WHERE kind IN ('released', 'chain_beside', 'claimed', 'taken_over') ORDER BY feed_number
    """

    def __init__(self, house: House) -> None:
        self.connection = house.books()

    def _count(self, query: str, *values: object) -> int:
        row = self.connection.execute(query, values).fetchone()  # type: ignore[arg-type]
        return int(row[0] or 0) if row else 0

    def head(self) -> int:
        """The last number of the only feed that moved."""
        return self._count("SELECT max(number) FROM live_feed")

    def events(self, head: int) -> int:
        """How many different numbers there are up to one."""
        return self._count(
            "SELECT count(DISTINCT feed_number) FROM crisis_alertevent WHERE feed_number <= %s", head
        )

    def is_done(self) -> bool:
        """Whether the chain of every alert that nobody has is through its steps of this run."""
        waiting = """SELECT count(*) FROM crisis_riskalert WHERE kind = 'self_harm' AND chain_position < {}
                     AND status IN ('new', 'notified')"""
        return self._count(waiting.format(len(CHAIN))) == 0

    def copy(self, ledger: Ledger) -> None:
        """Write alerts and steps where the account reads them."""
        for person, alert, since in self.connection.execute(self.RAISED):  # type: ignore[arg-type]
            ledger.note("alert", person=person, alert=alert, since=float(since))
        for alert, kind, who, at in self.connection.execute(self.HISTORY):  # type: ignore[arg-type]
            ledger.note("history", alert=alert, kind=kind, who=who, moment=float(at))
        for alert, position, due, done, outcome in self.connection.execute(self.STEPS):  # type: ignore[arg-type]
            ledger.note("step", alert=alert, position=position, due=float(due),
                        done=None if done is None else float(done), outcome=outcome)  # fmt: skip


def trail_verdict() -> str:
    """Whether the chain of the trail holds, as its own program says."""
    done = subprocess.run([sys.executable, "manage.py", "verify_audit"], capture_output=True, text=True,
                          cwd=ROOT, check=False, env=os.environ | {"CORTEX_DB_ROLE": "system"})  # fmt: skip
    return "holds" if done.returncode == 0 else (done.stderr or done.stdout).strip()[-300:]


if __name__ == "__main__":
    sys.exit(main())
