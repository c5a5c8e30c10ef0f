"""How somebody stands to what is labelled of one person: by the chart, whichever page they ask from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from cortex.accounts.models import User
from patients.breakglass.queries import opens_protected
from patients.codes import ConsentType
from patients.labels.rules import PART2, closed_to, needs_chart
from patients.privacy.queries import consent_state
from patients.registry import access
from patients.registry.models import Patient

# Whether somebody ran a session; whoever did opens it whatever its label. A floor above keeps that.
Ran = Callable[[UUID, UUID], bool]
_ran: list[Ran] = []
OWN = "own_session"


def register_ran(ran: Ran) -> None:
    """Say who knows which member of staff ran a session; called once, at start."""
    if ran not in _ran:
        _ran.append(ran)


def standing(user: User, patient: Patient, at: datetime) -> tuple[str, bool]:
    """Return the relationship in which somebody reads labelled rows of a person, and whether Part 2 opens.

    Only what opens the chart counts: a claim, a shift or a second reading opens nothing that is labelled.
    """
    relation = access.relationship_of(user, patient.pk, at, access.CHART) or ""
    if relation == access.BREAK_GLASS:
        return relation, opens_protected(user, patient.pk, at)
    agreed = consent_state([patient.person_id], [ConsentType.PART2_TPO], at)
    return relation, agreed[patient.person_id, ConsentType.PART2_TPO]


def charted_by(user: User, patient: Patient, at: datetime) -> str:
    """Return the relationship that opens somebody's chart to a user; empty without one."""
    return standing(user, patient, at)[0]


def opens_part2(user: User, patient: Patient, at: datetime) -> bool:
    """Whether what concerns substance use of a person is open to somebody."""
    relation, part2 = standing(user, patient, at)
    return PART2 not in closed_to(relation, part2=part2)


def opened_by(
    user: User, patient: Patient, labels: Collection[str], session_id: UUID | None, at: datetime
) -> str | None:
    """Return what opens a row with these labels (and its session's) to somebody: None, they keep it back.

    A relationship to the chart, `OWN` for whoever ran the session, or "" where no label asks for either.
    """
    if not needs_chart(labels):
        return ""
    relation, part2 = standing(user, patient, at)
    if not closed_to(relation, part2=part2) & set(labels):
        return relation
    return OWN if session_id and any(ran(user.pk, session_id) for ran in _ran) else None
