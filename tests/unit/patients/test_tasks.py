"""The timetable's doors: each runs as the system, may run twice, and goes on until nothing is left."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.conf import settings

from patients import tasks
from patients.registry.models import Patient
from patients.registry.person import LastLocation
from patients.sessions.models import VoiceSession
from patients.sessions.records import Batch, LocationData
from tests import makers

pytestmark = pytest.mark.django_db
NOW = makers.now()
DAY = timedelta(days=1)


def test_voice_is_extracted_and_purged_once(as_system: None) -> None:
    patient = makers.make_patient(at=NOW - 40 * DAY)
    for _ in range(3):
        makers.make_voice(patient, received_at=NOW - 15 * DAY)
    assert tasks.extract_voice() == 3
    assert tasks.extract_voice() == 0
    assert tasks.purge_words(is_dry_run=True) == 0
    assert tasks.purge_words() == 3
    assert tasks.purge_words() == 0
    assert not VoiceSession.objects.holding_words().exists()


def test_places_leave_and_bands_are_set(as_system: None) -> None:
    patient = makers.make_patient(date_of_birth=date(1980, 1, 1))
    Patient.objects.filter(pk=patient.pk).update(age_band="unknown")
    seen = NOW - 2 * DAY
    place = LocationData(patient.pk, patient.organization_id, seen, place={"text": "Market"}, seen_at=seen)
    actor = makers.machine(patient.organization_id)
    makers.store(actor=actor, patient=patient, sessions=[], batch=Batch(locations=[place]))
    assert tasks.purge_places() == 1
    assert not LastLocation.objects.exists()
    tasks.refresh_age_bands()
    patient.refresh_from_db()
    assert patient.age_band == "45_54"


def test_every_task_of_the_floor_stands_on_the_timetable() -> None:
    planned = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {getattr(tasks, name).name for name in tasks.__all__} <= planned
