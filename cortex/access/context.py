"""The context without which no sealed field opens: who reads, why, by which relationship, and its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.db import models, transaction

from cortex.access.current import OPEN, current
from cortex.audit.actors import Actor
from cortex.audit.machine import actor_columns, current_frame, frames, refuse_inside_reading
from cortex.audit.models import PhiAccessLog
from cortex.audit.scope import set_scope
from cortex.crypto.errors import KeyNotOpened, NoAccessContext
from cortex.crypto.fields import subject_of
from cortex.crypto.keys import DataKey
from cortex.keys import actions as key_actions
from cortex.keys import queries as key_queries

__all__ = ["AccessContext", "NoAccessContext", "current", "holds", "opening", "reading", "set_scope"]


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
        # What an organization's own key seals (a phone of staff, a pager's secret) concerns no patient.
        self._house: set[UUID] = set()

    def open(self, rows: Iterable[models.Model], fields: Sequence[str] = ()) -> None:
        """Load the keys that `rows` need, in one query; `fields` name what is meant to be opened."""
        subjects = []
        for row in rows:
            subject = subject_of(row)
            if subject is not None:
                subjects.append(subject)
                self._organization[subject] = getattr(row, "organization_id", None)
                if subject == self._organization[subject]:
                    self._house.add(subject)
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
        rest = sorted(self._touched - self._covered - self._house)
        if rest:
            self.saw("sealed_field", subjects=rest)
        return self.rows


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
    token = OPEN.set(context)
    try:
        yield context
    finally:
        OPEN.reset(token)


def holds(row: models.Model, field: str) -> bool:
    """Whether a sealed field of a row holds anything, without opening it."""
    return row.__dict__.get(field) is not None
