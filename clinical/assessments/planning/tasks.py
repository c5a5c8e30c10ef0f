"""The daily look for overdue measures, organization by organization, in chunks of people."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from clinical.assessments.instruments.queries import instruments
from clinical.assessments.planning import queries
from clinical.assessments.planning.actions import chase_measures
from clinical.assessments.schedule import TASK_AFTER
from cortex.audit import system
from cortex.clock import clock

CHUNK = 300


@shared_task
def chase_overdue_measures() -> int:
    """Make overdue measures tasks and tell their clinicians; return how many steps were taken."""
    return sum(_chase(organization_id) for organization_id in queries.serving_ids())


def _chase(organization_id: UUID) -> int:
    at, after, steps = clock(), None, 0
    offered = instruments(organization_id)
    while people := queries.chunk_in_care(organization_id, after, at, CHUNK):
        due = queries.due_measures(people, offered, at - TASK_AFTER)
        for one in people:
            if due[one.patient.pk]:
                steps += chase_measures(
                    actor=system("schedule"), patient=one.patient, overdue=due[one.patient.pk], at=at
                )
        after = people[-1].patient.pk
    return steps
