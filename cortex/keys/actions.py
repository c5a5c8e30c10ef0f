"""Audited acts on keys: destroy, rotate, sweep; `ensure_keys` is the store's own and needs no record."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from uuid import UUID

from cortex.audit.actors import Actor
from cortex.audit.machine import action, record
from cortex.audit.rules import RuleBroken, Unchanged
from cortex.clock import clock
from cortex.keys import queries, registry, store
from cortex.keys.store import YOUNGEST_ORPHAN, Rewrapped, ensure_keys

__all__ = ["destroy_key", "ensure_keys", "rotate_key", "rewrap_keys", "sweep_orphans"]


OLDER_THAN = timedelta(hours=24)


class SweepRefused(RuleBroken):
    """The sweep can't tell orphans from rows that it may not see, so it deletes nothing."""


@action
def destroy_key(*, actor: Actor, subject_id: UUID, reason: str) -> int | Unchanged[int]:
    """Destroy every version of a subject's key; what it sealed is unreadable within a minute everywhere.

    `reason` is a code. Return how many versions were live. Running it again is harmless.
    """
    # The row is written with this transaction, after the destruction: a crash between leaves the key
    # destroyed without its row, and the caller's retry records it.
    count = store.erase_material(subject_id)
    record(actor, "key.destroyed", subject=subject_id, codes={"reason": reason, "versions": count})
    return count


@action
def rotate_key(*, actor: Actor, subject_id: UUID) -> int:
    """Add a new version of a subject's key; older ones go on opening. Return the new version."""
    version = store.add_version(subject_id)
    record(actor, "key.rotated", subject=subject_id, codes={"version": version})
    return version


@action
def rewrap_keys(
    *, actor: Actor, limit: int = 1000, skip: Collection[UUID] = ()
) -> Rewrapped | Unchanged[Rewrapped]:
    """Wrap keys of older master keys by the current one, but for the rows of `skip`; until none is left."""
    made = store.rewrap(limit, skip)
    if not made.done:
        return Unchanged(made)
    codes = {"count": made.done, "left": made.left, "unopened": len(skip) + len(made.unopened)}
    record(actor, "key.rewrapped", codes=codes)
    return made


@action
def sweep_orphans(
    *,
    actor: Actor,
    older_than: timedelta = OLDER_THAN,
    existing: Callable[[Collection[UUID]], Collection[UUID]] | None = None,
    limit: int = 1000,
    at: datetime | None = None,
) -> int | Unchanged[int]:
    """Delete keys whose subject was never committed, confirm the others; return how many were deleted.

    `existing` tells which ids exist (default: the registered owners). Raise SweepRefused when an owner is
    missing or row security could hide rows: an unseen patient must not lose the key.
    """
    if older_than < YOUNGEST_ORPHAN:
        raise SweepRefused("Keys younger than an hour are never swept.", "too_young")
    if existing is None and registry.unregistered():
        raise SweepRefused("Nobody says which subjects exist.", "no_owner", purposes=registry.unregistered())
    if not queries.sees_every_row():
        raise SweepRefused("Only the system role can tell an orphan.", "wrong_role")
    before = clock(at) - older_than
    subjects = set(queries.orphan_candidates(before, limit))
    alive = set((existing or registry.existing_subjects)(subjects)) & subjects if subjects else set()
    store.confirm(alive)
    count = store.drop_orphans(subjects - alive, before)
    if not count:
        return Unchanged(0)
    record(actor, "key.orphans_swept", codes={"count": count, "confirmed": len(alive)})
    return count
