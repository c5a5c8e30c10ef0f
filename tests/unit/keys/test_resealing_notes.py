"""What is signed and fixed moves to a person's new key like everything else, and opens under it."""

from __future__ import annotations

from uuid import UUID

import pytest

from clinical.notes import queries as notes
from clinical.plans.actions import sign_plan
from cortex.access.context import reading
from cortex.keys.cache import cache
from patients.registry.access import CHART
from tests import makers
from tests.cast import Cast
from tests.unit.keys.test_resealing import left, walk
from tests.walk.notes import write_notes
from tests.walk.plans import begin


@pytest.mark.django_db
def test_signed_notes_and_plans_move_to_the_new_key_too(cast: Cast) -> None:
    rows = write_notes(cast, cast.patient.pk)
    begin(makers.staff(cast.alice), cast.patient.pk, "Low since the spring.")
    sign_plan(actor=makers.staff(cast.alice), patient_id=cast.patient.pk, patient_agreed=True)
    moved = walk(cast.patient.pk)
    assert moved.begun == 1 and not moved.unopened and not moved.held
    assert left(cast.patient.pk) == {}
    cache.forget()
    makers.scope_all()
    alice, at = makers.staff(cast.alice), makers.now()
    with reading(alice, purpose="treatment", permission=CHART) as context:
        who = notes.reader(alice, cast.patient.pk, at)
        opened = notes.opened(context, notes.note(who, UUID(rows.signed)))
        context.saw("note", subjects=[cast.patient.pk])
    assert any("handwritten8" in text for text in opened.values())
