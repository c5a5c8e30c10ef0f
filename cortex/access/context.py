"""The context without which no sealed field opens: who reads, why, by which relationship, and its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, models, transaction

from cortex.access.current import OPEN, current
from cortex.access.relations import Relation, relations
from cortex.audit.actors import Actor
from cortex.audit.machine import ACCESS_ROWS, actor_columns, current_frame, frames, refuse_inside_reading
from cortex.audit.models import PhiAccessLog
from cortex.audit.rules import NotFound, TrailDown
from cortex.audit.scope import set_scope
from cortex.crypto.errors import KeyNotOpened, KeyProviderError, NoAccessContext
from cortex.crypto.fields import SealedMixin, subject_of
from cortex.crypto.keys import DataKey
from cortex.keys import actions as key_actions
from cortex.keys import queries as key_queries

__all__ = [
    "KEYS_DOWN",
    "AccessContext",
    "NoAccessContext",
    "current",
    "holds",
    "opening",
    "reading",
    "scoped",
    "set_scope",
]

# How the key store says that it can't be asked; what needs no key goes on.
KEYS_DOWN = (KeyProviderError, OperationalError, InterfaceError)
# What a look stands on that opens nobody: coded lists of the desk, one's own claims, the back office's rows.
GROUNDS = frozenset({"", "duty", "claim", "back_office"})
# Actors without an account stand in one relationship, by their kind.
KINDS = {"api": "api", "patient": "self", "system": "system"}


class AccessContext:
    """One look at patient data by one actor for one purpose; made by `reading` or `opening` only.

    Whose data opens is never the caller's word: `open` asks the one predicate of relationships.
    `relationship` (one of GROUNDS) is what the trail keeps of people who are only named; `permission` is what
    must be open (empty: the person's page), `at` the moment (None: now).
    """

    def __init__(
        self,
        actor: Actor,
        *,
        purpose: str,
        relationship: str = "",
        permission: str = "",
        at: datetime | None = None,
    ) -> None:
        if relationship not in GROUNDS:
            raise ValueError(f"{relationship} is no ground: relationships to people come from the predicate")
        self.actor = actor
        self.purpose = purpose
        self.ground = Relation(KINDS.get(actor.kind, relationship))
        self.permission = permission
        self.at = at
        self._looks: list[dict[str, Any]] = []
        self._keys: dict[UUID, dict[int, DataKey]] = {}
        self._related: dict[UUID, Relation] = {}
        self._opened: set[tuple[UUID, SealedMixin]] = set()
        self._touched: set[UUID] = set()
        self._covered: set[UUID] = set()
        self._organization: dict[UUID, UUID | None] = {}
        # What an organization's own key seals (a phone of staff, a pager's secret) concerns no patient.
        self._house: set[UUID] = set()

    def open(self, rows: Iterable[models.Model], fields: Sequence[str] = ()) -> None:
        """Open the sealed `fields` of `rows` (all of them when none is named), and no other.

        One query asks for the relationship to everybody new, one loads the keys. Raise NotFound when the
        actor has none to somebody: whoever may not see a person learns nothing of them.
        """
        people, house = set(), set()
        for row in rows:
            subject = subject_of(row)
            if subject is None:
                continue
            organization = self._organization[subject] = getattr(row, "organization_id", None)
            if subject == organization:
                self._refuse_strange_house(row, subject)
                house.add(subject)
            else:
                people.add(subject)
            self._opened.update((subject, field) for field in _sealed_fields(type(row), tuple(fields)))
        self._relate(people)
        self._house |= house
        self.load_keys(people | house)

    def _relate(self, people: set[UUID]) -> None:
        """Ask for the relationship to everybody who was not asked about, or refuse them all."""
        asked = people - self._related.keys()
        if asked:
            self._related |= relations(self.actor, asked, self.permission, self.at)
        if people - self._related.keys():
            raise NotFound

    def _refuse_strange_house(self, row: models.Model, organization: UUID) -> None:
        """A house key opens for its own people, for those whom a shift covers, and for the system."""
        concerned = set(getattr(row, "concerns", (organization,)))
        if self.actor.kind == "patient" or not (self.actor.is_unbound or concerned & set(self.actor.reach)):
            raise NotFound

    def by(self, permission: str) -> None:
        """Ask for relationships that open this permission; RuntimeError once somebody was asked about."""
        if self._related:
            raise RuntimeError("the relationship was asked for already")
        self.permission = permission

    def relation_to(self, subject: UUID) -> str:
        """Return the relationship by which somebody is open here; no query for whoever was opened already.

        Raise NotFound where there is none.
        """
        self._relate({subject})
        return self._related[subject].name

    @property
    def broken_glass(self) -> UUID | None:
        """The break-glass grant by which somebody is open here, or None."""
        return next((one.break_glass for one in self._related.values() if one.break_glass), None)

    @property
    def is_related(self) -> bool:
        """Whether it asked for a relationship to anybody yet."""
        return bool(self._related)

    def load_keys(self, subjects: Iterable[UUID], *, create: bool = False) -> None:
        """Load keys to seal with, in one query; `create` makes missing ones first. It opens nothing."""
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

    def opening_key(self, field: SealedMixin, subject: UUID, version: int) -> DataKey:
        """Return the key that opens a value of a field that `open` named; KeyNotOpened for any other."""
        if (subject, field) not in self._opened:
            raise KeyNotOpened(f"{field} was not opened: name it in open(rows, fields)")
        return self.key_for(subject, version)

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
        columns = {
            "data_type": data_type,
            "object_type": object_type,
            "object_id": object_id,
            "sections": list(sections),
            "number_from": number_from,
            "number_to": number_to,
            "digest": digest,
        }
        self._looks.append({"subjects": subjects, "organization": organization_id, "columns": columns})

    def close(self) -> list[PhiAccessLog]:
        """Return the rows to write: those that were noted, and one for what was opened without a note."""
        rest = sorted(self._touched - self._covered - self._house - set(self.actor.reach))
        if rest:
            self.saw("sealed_field", subjects=rest)
        return [row for look in self._looks for row in self._rows(**look)]

    def _rows(
        self, subjects: Sequence[UUID], organization: UUID | None, columns: dict[str, Any]
    ) -> Iterator[PhiAccessLog]:
        """One row per relationship: people who were only named are named on the context's ground."""
        by_relation: dict[Relation, list[UUID]] = {} if subjects else {self.ground: []}
        for subject in subjects:
            by_relation.setdefault(self._related.get(subject, self.ground), []).append(subject)
        for relation, group in by_relation.items():
            single = group[0] if len(group) == 1 else None
            whose = organization or (self._organization.get(single) if single else None)
            yield PhiAccessLog(
                **actor_columns(self.actor, whose or self.actor.organization_id),
                purpose=self.purpose,
                relationship=relation.name,
                break_glass=relation.break_glass,
                subject=single,
                subjects=group if len(group) > 1 else [],
                **columns,
            )


@cache
def _sealed_fields(model: type[models.Model], names: tuple[str, ...]) -> tuple[SealedMixin, ...]:
    chosen = [model._meta.get_field(name) for name in names] if names else model._meta.concrete_fields
    return tuple(field for field in chosen if isinstance(field, SealedMixin))


@contextmanager
def reading(
    actor: Actor, *, purpose: str, relationship: str = "", permission: str = ""
) -> Iterator[AccessContext]:
    """Open a look for an answer: its transaction, its row scope, and its access rows last."""
    if frames():
        raise RuntimeError("inside an @action use opening(); reading() is for doors")
    refuse_inside_reading("reading")
    with transaction.atomic():
        set_scope(actor)
        look = AccessContext(actor, purpose=purpose, relationship=relationship, permission=permission)
        with _entered(look) as context:
            yield context
        try:
            ACCESS_ROWS.append(context.close())
        except DatabaseError as error:
            raise TrailDown("a look that leaves no row is not given") from error


@contextmanager
def scoped(actor: Actor) -> Iterator[None]:
    """Name the organizations of a look that opens and shows nobody: a count, a page's form, who may hear.

    Without one PostgreSQL shows no row of a person or an alert. Inside of `reading` and of actions it is
    named already, and this does nothing.
    """
    if frames() or OPEN.get() is not None:
        yield
        return
    with transaction.atomic():
        set_scope(actor)
        yield


@contextmanager
def opening(actor: Actor, *, purpose: str) -> Iterator[AccessContext]:
    """Open what a running action needs; its access rows are written with the action's, before the feed."""
    frame = current_frame()
    with _entered(AccessContext(actor, purpose=purpose)) as context:
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
