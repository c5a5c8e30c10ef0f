"""Loads a plan with a process for each core, says how far it is, and lets the database count it."""

from __future__ import annotations

import multiprocessing
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clinical.backoffice.synth import queries
from clinical.backoffice.synth.actions import found_house, load_chunk, raise_open_alerts, staff_desk
from clinical.backoffice.synth.plan import Chunk, Plan
from clinical.backoffice.synth.rows import Home, months
from clinical.backoffice.synth.starting import begin
from cortex.audit import Actor
from cortex.keys.store import confirm
from cortex.ops.actions import make_months

Say = Callable[[str], None]
EVERY = 2.0


def machine(organizations: Iterable[UUID], own: UUID | None = None) -> Actor:
    """Return the load itself as the actor, within its own organizations."""
    return Actor("system", None, "system:synth", "system", organization_id=own, org_ids=tuple(organizations))


@dataclass
class Progress:
    """How many people are in, how fast they come, and when the rest will be."""

    people: int
    say: Say
    done: int = 0
    begun: float = 0.0
    told: float = 0.0

    def add(self, count: int) -> None:
        """Count some more, and say so every two seconds."""
        self.done += count
        now = time.monotonic()
        if now - self.told < EVERY and self.done < self.people:
            return
        self.told, rate = now, self.done / max(1e-9, now - self.begun)
        rest = (self.people - self.done) / max(1.0, rate)
        self.say(f"{self.done:,} of {self.people:,} people, {rate:,.0f} a second, {rest:,.0f} s to go")


def build(plan: Plan, *, processes: int, say: Say, now: Callable[[], datetime]) -> str:
    """Build the house and return the password of its first counselors, supervisors and administrators.

    Raise InputRefused when anybody lives in the database. A load that fails half way leaves a database that
    is to be thrown away: the next one refuses it.
    """
    password = "-".join(secrets.token_hex(3) for _ in range(3))
    found_house(actor=machine(()), plan=plan, password=password)
    make_months(actor=machine(()), since=months(plan)[0], until=months(plan)[1])
    ids = queries.organization_ids()
    say(f"{len(ids)} organizations with their staff")
    _load(plan, ids, processes, say)
    for one in ids:
        staff_desk(actor=machine(ids, one), organization_id=one, at=now())
    first = queries.home(ids[0]).organization
    count = raise_open_alerts(actor=machine(ids, ids[0]), plan=plan, organization=first, at=now())
    say(f"{count} alerts wait at {first.name}")
    if not queries.refresh_statistics():
        say("no owner of the database is known here: let its owner run VACUUM (ANALYZE) before you measure")
    return password


def _load(plan: Plan, ids: list[UUID], processes: int, say: Say) -> None:
    progress = Progress(plan.people, say, begun=time.monotonic())
    if processes == 1:
        worker = Worker(plan, ids)
        for chunk in plan.chunks():
            progress.add(worker.load(chunk))
        return
    with _pool(plan, ids, processes) as pool:
        running = {pool.submit(_load_here, chunk) for chunk in plan.chunks()}
        try:
            for one in as_completed(running):
                progress.add(one.result())
        finally:
            for one in running:
                one.cancel()


@contextmanager
def _pool(plan: Plan, ids: list[UUID], processes: int) -> Iterator[ProcessPoolExecutor]:
    # Spawned, not forked: a forked child would share this one's connections.
    how = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, how, begin, (plan, ids)) as pool:
        yield pool


class Worker:
    """What one process keeps between chunks: the organizations that it has read."""

    def __init__(self, plan: Plan, ids: list[UUID]) -> None:
        self.plan, self.ids = plan, ids
        self.homes: dict[int, Home] = {}

    def load(self, chunk: Chunk) -> int:
        """Write one chunk, then note that its keys have their people; return how many people."""
        own = self.ids[chunk.organization]
        home = self.homes.get(chunk.organization) or queries.home(own)
        self.homes[chunk.organization] = home
        there = load_chunk(actor=machine(self.ids, own), plan=self.plan, chunk=chunk, home=home)
        confirm(there)
        return chunk.people


_worker: Worker | None = None


def take_up(plan: Plan, ids: list[UUID]) -> None:
    """Make this process one of the load's."""
    global _worker
    _worker = Worker(plan, ids)


def _load_here(chunk: Chunk) -> int:
    assert _worker is not None  # noqa: S101 (the pool has begun it)
    return _worker.load(chunk)
