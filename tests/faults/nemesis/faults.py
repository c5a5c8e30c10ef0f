"""What is done to the house, kind by kind, at seeded moments; a fault is confirmed before it is noted."""

from __future__ import annotations

import itertools
import json
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import psutil
from redis import RedisError

from cortex.live.hints import CHANNEL
from tests.faults.nemesis.house import House, until

# A part of the house -> whom a fault may hit. A pause draws one of them; kills go round all of them.
PARTS = {
    "web": ("web-1", "web-2"), "worker": ("worker",), "beat": ("beat-1", "beat-2"),
    "sweeper": ("sweeper-1", "sweeper-2"), "postgres": ("postgres",), "keys": ("keys",), "redis": ("redis",),
}  # fmt: skip
PROCESSES = sorted(itertools.chain.from_iterable(PARTS.values()))
REDIS_ONLY = ("flush", "disconnect", "flood")
CLUSTERS = {"postgres": "main", "keys": "keys"}
KINDS = [*(f"{verb}-{one}" for verb in ("kill", "pause") for one in PARTS), *REDIS_ONLY]
# A flood: more bytes than Redis keeps for a subscriber that doesn't keep up.
JUNK, JUNK_BYTES = 4_000, 4_096


class Nemesis:
    """Works down a seeded plan from the main thread, where alone the stores may be started again."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.ledger, self.rng = house, house.ledger, random.Random(seed)
        # In a drawn order, again and again: as many kills as there are names of a kind hit each of them.
        self.turns = {
            part: itertools.cycle(self.rng.sample(names, len(names))) for part, names in PARTS.items()
        }

    def run(self, seconds: float, each: int, goes_on: Callable[[], bool]) -> None:
        """Do every kind `each` times within the seconds; a plan that falls behind goes on all the same."""
        plan = [kind for kind in KINDS for _ in range(each)]
        self.rng.shuffle(plan)
        began, pace = time.monotonic(), seconds / len(plan)
        for place, kind in enumerate(plan):
            time.sleep(max(0.0, began + pace * (place + self.rng.uniform(0, 0.6)) - time.monotonic()))
            if not goes_on():
                return
            self.do(kind)

    def do(self, kind: str) -> None:
        """One fault of a kind."""
        verb, _, part = kind.partition("-")
        if verb == "kill":
            self._kill(kind, next(self.turns[part]))
        elif verb == "pause":
            self._pause(kind, self.rng.choice(PARTS[part]))
        else:
            self._trouble_redis(kind)

    def _kill(self, kind: str, name: str) -> None:
        began = time.time()
        pid, status = self.house.parts[name].kill()
        self.ledger.fault(kind, target=name, pid=pid, status=status)
        part = self.house.parts[name]
        if name not in CLUSTERS:
            time.sleep(self.rng.uniform(0.1, 1.0))
        part.start()
        self._note_outage(name, began)

    def _pause(self, kind: str, name: str) -> None:
        began = time.time()
        family = self.house.pause(name)
        until(lambda: all(_stands(member) for member in family), 5, f"{name} was not stopped")
        # A postmaster's children come and go; whoever it forked last may have been missed and goes on.
        time.sleep(self.rng.uniform(0.5, 2.5))
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGCONT)
        self.ledger.fault(kind, target=name, pid=family[0].pid, members=len(family))
        self._note_outage(name, began)

    def _note_outage(self, name: str, began: float) -> None:
        """Wait until a database takes writes again, and note how long it did not."""
        if name in CLUSTERS:
            until(lambda: self.house.writes(CLUSTERS[name]), 60, f"{name} takes no writes")
            self.ledger.note("down", part=name, since=began, until=time.time())

    def _trouble_redis(self, kind: str) -> None:
        try:
            with self.house.redis() as client:
                if kind == "flush":
                    client.flushall()
                    self.ledger.fault(kind)
                elif kind == "disconnect":
                    count = sum(
                        int(client.client_kill_filter(_type=one, skipme=True)) for one in ("normal", "pubsub")
                    )
                    self.ledger.fault(kind, connections=count)
                else:
                    self._flood(client)
        except RedisError as error:
            self.ledger.note("missed", kind=kind, error=type(error).__name__)

    def _flood(self, client: object) -> None:
        """Fill the channel with hints of feeds that nobody has, and with what is no JSON at all."""
        pipe = client.pipeline(transaction=False)  # type: ignore[attr-defined]
        for place in range(JUNK):
            lies = {"topic": f"board:{place}", "n": place, "pad": "x" * JUNK_BYTES}
            pipe.publish(CHANNEL, json.dumps(lies) if place % 3 else "x" * JUNK_BYTES)
        pipe.execute()
        self.ledger.fault("flood", messages=JUNK)


def _stands(member: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return member.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    return True
