"""Whom the labels of sessions, messages and readings shut out: the rule of notes on these rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from cortex.audit import Actor
from crisis.risk.codes import SUBSTANCE
from patients.labels.queries import standing
from patients.labels.rules import PART2, TEAM, closed_to
from patients.registry.access import BREAK_GLASS
from patients.registry.models import Patient

LABELS = "sensitivity_labels"
MEMBER = "care_team"
# Leaves a session to whoever ran it.
OWN_ALONE = "V"


@dataclass(frozen=True, slots=True)
class Reach:
    """Which sessions of one person somebody reads: `shut` are the labels that keep others back from them.

    `relation` is how they stand to the person.
    """

    user_id: UUID
    shut: tuple[str, ...]
    relation: str

    @property
    def unnamed(self) -> frozenset[str]:
        """The codes of signs that are not named to the reader: substance use, where Part 2 is closed."""
        return SUBSTANCE if PART2 in self.shut else frozenset()

    def sessions(self, prefix: str = "") -> Q:
        """Return the condition on sessions; whoever ran one opens it whatever it is labelled."""
        return open_sessions(self.user_id, self.shut, prefix)

    def shuts(self, prefix: str = "") -> Q:
        """Return the condition on rows whose own labels keep them back."""
        return Q(**{f"{prefix}{LABELS}__overlap": list(self.shut)})

    def opens(self, session: Any, clinician_id: UUID | None) -> bool:
        """Whether one session, which this clinician ran (None: nobody did), is open."""
        return clinician_id == self.user_id or not set(self.shut) & set(session.sensitivity_labels)

    def sets_labels(self, clinician_id: UUID | None) -> bool:
        """Whether somebody sets the labels of an open session, which this clinician ran (None: nobody did).

        As of notes it is whoever ran it; what came from an app is the team's. Break-glass reads only.
        """
        if clinician_id is None:
            return self.relation in TEAM
        return clinician_id == self.user_id and self.relation != BREAK_GLASS

    def inside(self, clinician_id: UUID | None) -> frozenset[str]:
        """Return the labels that keep back messages and readings within an open session."""
        return frozenset() if clinician_id == self.user_id else frozenset(self.shut)


def reach(actor: Actor, patient: Patient, at: datetime) -> Reach:
    """Return which sessions of a person are open to somebody."""
    return reach_by(actor.person.pk, standing(actor.person, patient, at))


def reach_by(user_id: UUID, found: tuple[str, bool]) -> Reach:
    """Return what a standing opens to somebody: in which relationship, and whether Part 2 opens."""
    relation, part2 = found
    return Reach(user_id, tuple(sorted(closed_to(relation, part2=part2))), relation)


def open_sessions(user_id: UUID, shut: tuple[str, ...], prefix: str = "") -> Q:
    """Return the condition on sessions of one person that these labels leave open to somebody."""
    own = Q(**{f"{prefix}run__clinician": user_id})
    return own | ~Q(**{f"{prefix}{LABELS}__overlap": list(shut)})


def shut_to_teams(agreed: Collection[UUID], prefix: str = "") -> Q:
    """Return the condition on rows that labels shut to everybody's team; `agreed` to Part 2 (row ids)."""
    always = closed_to(MEMBER, part2=True)
    without = closed_to(MEMBER, part2=False) - always
    shut = Q(**{f"{prefix}{LABELS}__overlap": sorted(always)})
    return shut | Q(**{f"{prefix}{LABELS}__overlap": sorted(without)}) & ~Q(patient_id__in=list(agreed))
