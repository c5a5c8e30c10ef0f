"""The session whose labels somebody is about to set."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from clinical.sessions.labels import Reach
from cortex.audit import NotFound
from patients.sessions.models import Session


def locked(patient_ids: Collection[UUID], session_id: UUID, who: Reach) -> Session:
    """Lock and return one session of these rows of a person; NotFound for any other, or one kept back."""
    rows = Session.objects.select_for_update(of=("self",)).select_related("run__clinician")
    found = rows.filter(pk=session_id, patient_id__in=patient_ids).filter(who.sessions()).first()
    if found is None:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    return found
