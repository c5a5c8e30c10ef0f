"""Proposes changes of neural profiles after new feedback, side effects or settings; may run twice."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from clinical.sessions.neural import queries
from clinical.sessions.neural.actions import propose_changes
from cortex.access.context import scoped
from cortex.audit import system
from cortex.clock import clock

# A run that was lost is caught up by the next ones.
LOOK_BACK = timedelta(days=2)


@shared_task(name="clinical.sessions.neural.tasks.propose_from_feedback")
def propose_from_feedback() -> int:
    """Look at everybody of whose neural audio feedback, side effects or settings came lately.

    Return how many proposals are new: nothing is proposed twice.
    """
    actor = system("neural_proposals")
    at = clock()
    with scoped(actor):
        people = queries.people_with_news(at - LOOK_BACK)
    return sum(propose_changes(actor=actor, patient_id=one) for one in people)
