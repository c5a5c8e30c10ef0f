"""The walk of `keys reseal`: whose turn it is, rounds until nothing is left, then the end of old versions.

Every step is a transaction of its own and finds its place by what the rows say, so a walk that was killed
goes on when it is started again.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any, cast
from uuid import UUID

from cortex.audit.actors import Actor
from cortex.clock import clock
from cortex.crypto.errors import KeyDestroyed, KeyMissing
from cortex.keys import registry
from cortex.keys.queries import SETTLING
from cortex.keys.resealing import actions, queries
from cortex.keys.resealing.actions import Resealed
from cortex.keys.resealing.queries import Place

PEOPLE = 500
"""As many are looked up in one question: a table without an index by person is read once for so many."""
PAUSE, TRIES = 0.5, 60
"""Rows that somebody else holds are met again after a moment, and not for ever."""


@dataclass
class Walk:
    """What one walk did, and what it had to leave."""

    begun: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    unopened: dict[Any, str] = field(default_factory=dict)
    held: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    retired: int = 0
    resting: int = 0


def walk(
    *,
    actor: Actor,
    people: Collection[UUID],
    older_than: timedelta | None,
    destroy: bool,
    batch: int,
    say: Callable[[str], object],
    sleep: Callable[[float], None] = time.sleep,
) -> Walk:
    """Take `people`, or all; `older_than` first gives those with one version so old another one.

    Without it only what an earlier walk began goes on. `destroy` ends old versions that nothing is on for an
    hour. Raise ResealRefused, KeyProviderError or a database
    error; what was done until then stays done.
    """
    found = Walk()
    if older_than is not None:
        for subject in queries.with_one_version(subjects=people, older_than=older_than):
            try:
                found.begun += bool(actions.begin_version(actor=actor, subject_id=subject))
            except (KeyDestroyed, KeyMissing):
                continue  # erased meanwhile
        say(f"{found.begun} people and organizations have a new version of their key.")
    _let_settle(people, say, sleep)
    waiting = [one for one in queries.waiting(people) if one.since <= clock() - SETTLING]
    for version, subjects in _groups(waiting):
        for place in queries.places():
            if place.guard != "kept":
                _empty(found, place, subjects, version, actor=actor, batch=batch, sleep=sleep)
        for label, resealing in registry.resealings().items():
            _empty_elsewhere(
                found, label, resealing, subjects, version, actor=actor, batch=batch, sleep=sleep
            )
        if destroy:
            found.retired += cast(
                int, actions.retire_versions(actor=actor, subjects=subjects, version=version)
            )
        say(f"{sum(found.rows.values())} rows sealed anew, {found.retired} old versions destroyed so far.")
    found.kept = _kept(waiting)
    found.resting = sum(one.older for one in queries.waiting(people))
    return found


def _let_settle(
    people: Collection[UUID], say: Callable[[str], object], sleep: Callable[[float], None]
) -> None:
    """Wait until every process has met the new versions: a row under an unknown one can't be read."""
    newest = max((one.since for one in queries.waiting(people)), default=None)
    rest = (newest + SETTLING - clock()).total_seconds() if newest else 0
    if rest > 0:
        say(f"Waiting {rest:.0f} s until every process knows them; it can be stopped and run again.")
        sleep(rest)


def _kept(waiting: Iterable[queries.Waiting]) -> Counter[str]:
    """Count the rows that nobody may change: the trail's own details keep their version."""
    found: Counter[str] = Counter()
    for version, subjects in _groups(waiting):
        for place in queries.places():
            if place.guard == "kept" and (rows := queries.behind(place, subjects, version).count()):
                found[place.label] += rows
    return found


def _groups(waiting: Iterable[queries.Waiting]) -> Iterator[tuple[int, list[UUID]]]:
    by_version: dict[int, list[UUID]] = defaultdict(list)
    for one in waiting:
        by_version[one.version].append(one.subject)
    for version, subjects in sorted(by_version.items()):
        several = iter(subjects)
        while group := list(islice(several, PEOPLE)):
            yield version, group


def _empty(
    found: Walk, place: Place, subjects: list[UUID], version: int,
    *, actor: Actor, batch: int, sleep: Callable[[float], None],
) -> None:  # fmt: skip
    """Seal a table's rows anew until none is behind but what doesn't open or what others hold for long."""
    skip: dict[Any, str] = {}
    waited = 0
    while waited <= TRIES:
        made = cast(
            Resealed,
            actions.reseal_rows(
                actor=actor,
                model=place.model,
                subjects=subjects,
                version=version,
                limit=batch,
                skip=tuple(skip),
            ),
        )
        if made.done:
            found.rows[place.label] += made.done
        skip |= made.unopened
        if made.done or made.unopened:
            waited = 0
            continue
        rest = queries.behind(place, subjects, version).exclude(pk__in=tuple(skip)).count()
        if not rest:
            break
        waited += 1
        if waited > TRIES:
            found.held[place.label] += rest
            break
        sleep(PAUSE)
    found.unopened |= skip


def _empty_elsewhere(
    found: Walk, label: str, resealing: registry.Resealing, subjects: list[UUID], version: int,
    *, actor: Actor, batch: int, sleep: Callable[[float], None],
) -> None:  # fmt: skip
    """The same for what is sealed outside of models' fields."""
    skip: dict[Any, str] = {}
    waited = 0
    while queries.behind_elsewhere(subjects, version):
        done, unopened = resealing(
            actor=actor, subjects=subjects, version=version, limit=batch, skip=tuple(skip)
        )
        skip |= unopened
        if done:
            found.rows[label] += done
        waited = 0 if done or unopened else waited + 1
        if waited and skip:
            break
        if waited > TRIES:
            found.held[label] += 1
            break
        if waited:
            sleep(PAUSE)
    found.unopened |= skip
