"""What somebody writes in a daily check-in: named on the timeline, opened by a logged request alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from cortex.audit.models import PhiAccessLog
from patients.registry.models import Patient
from patients.sessions.observations import DailyCheckIn
from patients.sessions.records import Batch, CheckInData
from tests import makers
from tests.cast import Cast
from tests.unit.sessions.test_labels import glass
from tests.unit.timeline.test_timeline import client_of

pytestmark = pytest.mark.django_db


def day(patient: Patient, days_ago: int, **values: Any) -> DailyCheckIn:
    at = makers.now()
    date = (at - timedelta(days=days_ago)).date()
    row = CheckInData(patient.pk, patient.organization_id, at, date=date, submitted_at=at, mood=4, **values)
    home = makers.machine(patient.organization_id)
    makers.store(actor=home, patient=patient, sessions=[], batch=Batch(check_ins=[row]))
    makers.scope_all()
    return DailyCheckIn.objects.get(patient=patient, date=date)


def words_url(patient: Patient, one: DailyCheckIn) -> str:
    return reverse("clinical:day_words", args=[patient.pk, one.pk])


def test_the_timeline_says_which_days_hold_words_and_shows_none_of_them(cast: Cast) -> None:
    day(cast.patient, 3)
    wrote = day(cast.patient, 2, notes="The goat is gone")
    counted = day(cast.patient, 1, metrics={"steps": 3_141_592})  # no four digits, which any id may hold
    page = client_of(cast.alice).get(reverse("clinical:timeline", args=[cast.patient.pk])).content.decode()
    assert page.count("Words, sealed") == 2
    assert words_url(cast.patient, wrote) in page and words_url(cast.patient, counted) in page
    assert "goat" not in page and "3141592" not in page
    chart = client_of(cast.alice).get(reverse("clinical:chart", args=[cast.patient.pk])).content.decode()
    assert f"{reverse('clinical:timeline', args=[cast.patient.pk])}?kind=days" in chart
    assert "goat" not in chart


def test_words_of_a_day_open_by_a_request_that_names_the_purpose_and_leave_a_row(cast: Cast) -> None:
    one = day(cast.patient, 2, notes="The goat is gone", metrics={"steps_walked": 3000})
    client, to = client_of(cast.alice), words_url(cast.patient, one)
    assert client.get(to).status_code == 405
    refused = client.post(to, {"purpose": "curiosity"})
    assert refused.status_code == 422 and "goat" not in refused.content.decode()
    makers.scope_all()
    assert not PhiAccessLog.objects.filter(data_type="check_in_words").exists()
    opened = client.post(to, {"purpose": "alert_review"})
    assert opened.status_code == 200
    page = opened.content.decode()
    assert "The goat is gone" in page and "Steps walked: 3000" in page
    makers.scope_all()
    (row,) = PhiAccessLog.objects.filter(data_type="check_in_words")
    assert (row.purpose, row.object_id, row.subject) == ("alert_review", one.pk, cast.patient.pk)
    assert (row.actor_id, row.break_glass) == (cast.alice.pk, None)


def test_strangers_and_days_of_others_and_days_without_words_find_nothing(cast: Cast) -> None:
    wrote, silent = day(cast.patient, 2, notes="The goat is gone"), day(cast.patient, 1)
    other = makers.make_patient(cast.home, team=[cast.alice])
    theirs = day(other, 2, notes="The cow is gone")
    for user in (cast.bob, cast.charlie, cast.sam):
        client = client_of(user)
        assert client.post(words_url(cast.patient, wrote), {"purpose": "treatment"}).status_code == 404
    client = client_of(cast.alice)
    for one in (silent, theirs):
        assert client.post(words_url(cast.patient, one), {"purpose": "treatment"}).status_code == 404
    office = client_of(cast.ada)
    assert office.post(words_url(cast.patient, wrote), {"purpose": "treatment"}).status_code == 403


def test_what_break_glass_opens_names_its_grant(cast: Cast) -> None:
    one = day(cast.patient, 2, notes="The goat is gone")
    opened = client_of(glass(cast)).post(words_url(cast.patient, one), {"purpose": "treatment"})
    assert "The goat is gone" in opened.content.decode()
    makers.scope_all()
    (row,) = PhiAccessLog.objects.filter(data_type="check_in_words")
    assert row.break_glass is not None and row.relationship == "grant:break_glass"
