"""Proposes changes of neural profiles after new feedback, side effects or settings; may run twice."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from celery import shared_task

from clinical.sessions.neural import queries
from clinical.sessions.neural.actions import propose_changes
from cortex.access.context import scoped
from cortex.audit import system
from cortex.clock import clock
from cortex.crypto.errors import KeyProviderError, SealedError
from cortex.ops.letters.actions import bury_row
from cortex.ops.letters.queries import given_up

# A run that was lost is caught up by the next ones.
LOOK_BACK = timedelta(days=2)
# What a dead letter is called of whom nothing says which value doesn't open.
PERSON = "patients.Patient.neural_audio"
ACTOR = system("neural_proposals")
log = logging.getLogger("cortex.sessions")


@shared_task(name="clinical.sessions.neural.tasks.propose_from_feedback")
def propose_from_feedback() -> int:
    """Look at everybody of whose neural audio feedback, side effects or settings came lately.

    Return how many proposals are new: nothing is proposed twice. Whose answers can't be read is a dead letter
    and costs the others nothing; raise KeyProviderError at the end when somebody's key could not be had.
    """
    at, made = clock(), 0
    away: KeyProviderError | None = None
    with scoped(ACTOR):
        people = queries.people_with_news(at - LOOK_BACK)
    for one in people:
        try:
            made += propose_changes(actor=ACTOR, patient_id=one)
        except KeyProviderError as error:
            # Nothing is wrong with what they said: the run comes again.
            away = error
        except SealedError as error:
            log.error("what somebody said of their sessions can't be read", exc_info=error)
            _bury(error, one)
    if away is not None:
        raise away
    return made


def _bury(error: SealedError, person_id: UUID) -> None:
    """List the value that doesn't open, or the person where the error names none; unless it is known lost."""
    place = error.place
    known = place is not None and isinstance(place.row, UUID)
    name, row_id = (place.field, place.row) if place is not None and known else (PERSON, person_id)
    if row_id not in given_up(name, [row_id]):
        bury_row(
            actor=ACTOR, name=name, row_id=row_id, error_code=type(error).__name__,
            organization_id=place.organization_id if place is not None else None,
        )  # fmt: skip
