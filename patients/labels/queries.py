"""How somebody stands to what is labelled of one person: by the chart, whichever page they ask from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from cortex.accounts.models import User
from patients.breakglass.queries import opens_protected
from patients.codes import ConsentType
from patients.labels.rules import closed_to, needs_chart
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


def standings(user: User, patients: Collection[Patient], at: datetime) -> dict[UUID, tuple[str, bool]]:
    """Return `standing` of each of these rows; two queries, and one for each whose glass is broken."""
    related = access.patients_related(user, [one.pk for one in patients], at, access.CHART)
    agreed = consent_state({one.person_id for one in patients}, [ConsentType.PART2_TPO], at)
    found = {}
    for one in patients:
        relation = related.get(one.pk) or ""
        part2 = agreed[one.person_id, ConsentType.PART2_TPO]
        if relation == access.BREAK_GLASS:
            part2 = opens_protected(user, one.pk, at)
        found[one.pk] = relation, part2
    return found


def opened_by(
    user_id: UUID, stands: tuple[str, bool], labels: Collection[str], session_id: UUID | None
) -> str | None:
    """Return what opens a row with these labels (and its session's) to somebody: None, they keep it back.

    `stands` is their `standing`. It is that relationship, `OWN` for whoever ran the session, or "" where no
    label asks for either.
    """
    if not needs_chart(labels):
        return ""
    relation, part2 = stands
    if not closed_to(relation, part2=part2) & set(labels):
        return relation
    return OWN if session_id and any(ran(user_id, session_id) for ran in _ran) else None
