"""The context without which no sealed field opens: who reads, why, by which relationship, and its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from cortex.audit.actors import Actor
from cortex.audit.machine import actor_columns, current_frame, frames
from cortex.audit.models import PhiAccessLog
from cortex.crypto.errors import KeyNotOpened, NoAccessContext
from cortex.crypto.keys import DataKey
from cortex.keys import actions as key_actions
from cortex.keys import queries as key_queries

__all__ = ["AccessContext", "NoAccessContext", "current", "opening", "reading"]

# The one context variable of the code base: a sealed field must be able to ask who is looking.
_CURRENT: ContextVar[AccessContext | None] = ContextVar("access_context", default=None)


class AccessContext:
    """One look at patient data by one actor for one purpose; made by `reading` or `opening` only."""

    def __init__(self, actor: Actor, *, purpose: str, relationship: str) -> None:
        self.actor = actor
        self.purpose = purpose
        self.relationship = relationship
        self.rows: list[PhiAccessLog] = []
        self._keys: dict[UUID, dict[int, DataKey]] = {}
        self._touched: set[UUID] = set()
        self._covered: set[UUID] = set()
        self._organization: dict[UUID, UUID | None] = {}

    def open(self, rows: Iterable[models.Model], fields: Sequence[str] = ()) -> None:
        """Load the keys that `rows` need, in one query; `fields` name what is meant to be opened."""
        subjects = []
        for row in rows:
            subject = _subject_of(row)
            if subject is not None:
                subjects.append(subject)
                self._organization[subject] = getattr(row, "organization_id", None)
        self.load_keys(subjects)

    def load_keys(self, subjects: Iterable[UUID], *, create: bool = False) -> None:
        """Load the keys of these subjects, in one query; with `create` the missing ones are made first."""
        wanted = sorted({subject for subject in subjects if not self._keys.get(subject)})
        if not wanted:
            return
        keys = key_actions.ensure_keys(wanted) if create else key_queries.data_keys(wanted)
        for subject in wanted:
            self._keys[subject] = {key.version: key for key in keys.get(subject, [])}

    def key_for(self, subject: UUID, version: int | None = None) -> DataKey:
        """Return a loaded key; without a version the newest. No I/O. Raise KeyNotOpened when not loaded."""
        versions = self._keys.get(subject)
        if versions is None:
            raise KeyNotOpened("open() the rows before reading their sealed fields")
        self._touched.add(subject)
        return key_queries.pick(versions, subject, version)

    def saw(
        self,
        data_type: str,
        *,
        subjects: Sequence[UUID] = (),
        organization_id: UUID | None = None,
        object_type: str = "",
        object_id: UUID | None = None,
        sections: Sequence[str] = (),
        number_from: int | None = None,
        number_to: int | None = None,
        digest: str = "",
    ) -> None:
        """Note one look: a list with its subjects, a page with its sections, a board with its numbers."""
        self._covered.update(subjects)
        single = subjects[0] if len(subjects) == 1 else None
        organization = organization_id or (self._organization.get(single) if single else None)
        self.rows.append(
            PhiAccessLog(
                **actor_columns(self.actor, organization or self.actor.organization_id),
                purpose=self.purpose,
                relationship=self.relationship,
                data_type=data_type,
                subject=single,
                subjects=list(subjects) if len(subjects) > 1 else [],
                object_type=object_type,
                object_id=object_id,
                sections=list(sections),
                number_from=number_from,
                number_to=number_to,
                digest=digest,
            )
        )

    def close(self) -> list[PhiAccessLog]:
        """Return the rows to write: those that were noted, and one for what was opened without a note."""
        rest = sorted(self._touched - self._covered)
        if rest:
            self.saw("sealed_field", subjects=rest)
        return self.rows


def current() -> AccessContext:
    """Return the open context, or raise NoAccessContext."""
    context = _CURRENT.get()
    if context is None:
        raise NoAccessContext("a sealed field was asked for outside of an access context")
    return context


@contextmanager
def reading(actor: Actor, *, purpose: str, relationship: str = "") -> Iterator[AccessContext]:
    """Open a look for an answer: its transaction, its row scope, and its access rows last."""
    if frames():
        raise RuntimeError("inside an @action use opening(); reading() is for doors")
    refuse_inside_reading("reading")
    with transaction.atomic():
        set_scope(actor)
        with _entered(AccessContext(actor, purpose=purpose, relationship=relationship)) as context:
            yield context
        PhiAccessLog.objects.bulk_create(context.close())


@contextmanager
def opening(actor: Actor, *, purpose: str, relationship: str = "") -> Iterator[AccessContext]:
    """Open what a running action needs; its access rows are written with the action's, before the feed."""
    frame = current_frame()
    with _entered(AccessContext(actor, purpose=purpose, relationship=relationship)) as context:
        yield context
    frame.access += context.close()


@contextmanager
def _entered(context: AccessContext) -> Iterator[AccessContext]:
    token = _CURRENT.set(context)
    try:
        yield context
    finally:
        _CURRENT.reset(token)


def refuse_inside_reading(name: str) -> None:
    """Refuse to start a write, or a second look, while an answer is being read."""
    if _CURRENT.get() is not None and not frames():
        raise RuntimeError(f"{name} may not start inside a reading context: call the action first")


def set_scope(actor: Actor | None) -> None:
    """Set the database's row scope for this transaction: the organizations that the actor may touch."""
    organizations = ",".join(str(identifier) for identifier in actor.org_ids) if actor else ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.orgs', %s, true)", [organizations])


def holds(row: models.Model, field: str) -> bool:
    """Whether a sealed field of a row holds anything, without opening it."""
    return row.__dict__.get(field) is not None


def _subject_of(row: Any) -> UUID | None:
    from cortex.crypto.fields import subject_of

    return subject_of(row)
