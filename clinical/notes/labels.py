"""Whom a sensitivity label shuts out (domain 7.4), as the one condition that every read of notes asks."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from clinical.notes.models import added_to_cosign
from patients.labels.rules import CLOSED, PART2, TEAM, closed_to


def open_to(user_id: UUID, relation: str, *, part2: bool, cosigns: bool = False) -> Q:
    """Return the condition on notes of one person that somebody in this relationship may read.

    `cosigns`: they supervise on the person's team, so what waits for them opens too: trainees' notes, and
    notes to which trainees added something, also when they have signed that.
    """
    shut = sorted(closed_to(relation, part2=part2))
    allowed = Q(author_id=user_id) | Q(cosigned_by_id=user_id) | ~Q(sensitivity_labels__overlap=shut)
    if not cosigns:
        return allowed
    return allowed | Q(needs_cosign=True, cosigned_at__isnull=True) | Q(added_to_cosign(user_id))


def open_to_team(user_id: UUID, agreed: Collection[UUID]) -> Q:
    """Return the condition on notes of many people whose teams somebody is on; `agreed` to Part 2."""
    shut = Q(sensitivity_labels__overlap=sorted(CLOSED))
    part2 = Q(sensitivity_labels__contains=[PART2]) & ~Q(patient_id__in=list(agreed))
    return Q(author_id=user_id) | Q(cosigned_by_id=user_id) | ~(shut | part2)


def closed_diagnoses(relation: str, *, part2: bool) -> frozenset[str]:
    """Return the labels that shut a diagnosis to somebody: Part 2 ones are open to the team, as in the plan.

    By break-glass and by a single grant they open as Part 2 notes do.
    """
    return closed_to(relation, part2=part2) - ({PART2} if relation in TEAM else set())
