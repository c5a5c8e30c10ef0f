"""The demo's neural audio comes by the door of the apps, and is assigned to who listened to it."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from clinical.backoffice import world
from clinical.backoffice.sittings.actions import add_sessions
from crisis.intake.actions import take_batch
from crisis.intake.parcels import Parcel
from patients.sessions.neural import NeuralAudioDetail, NeuralProfile, NeuralProfileProposal
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("number", "listened"), [(0, 0), (1, 3)])
def test_who_listened_is_assigned_the_band_and_offered_its_centre(
    cast: Cast, number: int, listened: int
) -> None:
    at = makers.now()
    person = list(world.people(at.date()))[number]
    parcel = Parcel(
        organization_id=cast.home.pk, sender="demo", client="demo", route="intake", digest=os.urandom(32),
        raw_items=world.history(person, cast.patient.anonymous_id, at),
    )  # fmt: skip
    actor = makers.machine(cast.home)
    take_batch(actor=actor, parcel=parcel)
    makers.scope_all()
    assert NeuralAudioDetail.objects.count() == listened
    since = at - timedelta(days=20)
    add_sessions(actor=actor, patient_id=cast.patient.pk, therapist_id=cast.alice.pk, since=since, at=at)
    makers.scope_all()
    assert [one.assigned_band for one in NeuralProfile.objects.all()] == ["alpha"] * bool(listened)
    proposed = NeuralProfileProposal.objects.values_list("field", "to_value", "evidence_n")
    assert list(proposed) == [("preferred_hz", 10.5, 3)] * bool(listened)
