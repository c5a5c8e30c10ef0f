"""Whom sensitivity labels shut out of diagnoses and medications: the rule of notes on a plan's rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q

from clinical.notes.labels import closed_diagnoses
from cortex.audit import Actor
from patients.labels.queries import standing
from patients.registry.models import Patient

Row = TypeVar("Row", bound=Any)


@dataclass(frozen=True, slots=True)
class Shut:
    """The labels that shut a diagnosis or a medication to somebody, unless they recorded it."""

    user_id: UUID | None = None
    labels: frozenset[str] = frozenset()

    def opens(self, row: Any) -> bool:
        """Whether one row is open."""
        own = self.user_id is not None and row.recorded_by_id == self.user_id
        return own or not self.labels & set(row.sensitivity_labels)

    def condition(self) -> Q:
        """Return the condition on rows that are open."""
        if not self.labels:
            return Q()
        return Q(recorded_by=self.user_id) | ~Q(sensitivity_labels__overlap=sorted(self.labels))

    def open_of(self, rows: Iterable[Row]) -> tuple[list[Row], int]:
        """Return the rows that are open, in their order, and how many are kept back."""
        every = list(rows)
        shown = [one for one in every if self.opens(one)]
        return shown, len(every) - len(shown)


def shut_by(user_id: UUID, found: tuple[str, bool]) -> Shut:
    """Return what a standing shuts to somebody: in which relationship, and whether Part 2 opens."""
    relation, part2 = found
    return Shut(user_id, closed_diagnoses(relation, part2=part2))


def shut_to(actor: Actor, patient: Patient, at: datetime) -> Shut:
    """Return what is shut to an actor of one person's diagnoses and medications; to a machine nothing is."""
    if actor.kind != "user":
        return Shut()
    return shut_by(actor.person.pk, standing(actor.person, patient, at))
