"""Whose the tasks about a person are, and that no page leads to a task that its reader can't open."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinical.notes.actions import begin_note
from crisis.reviews.actions import CONTACTS_OPENED, make_item
from crisis.reviews.models import ReviewItem
from patients.care.actions import end_care_team_place
from patients.care.models import CareTeamMember
from patients.covers.actions import plan_absence
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.unit.crisis.test_first_contact import medium

pytestmark = pytest.mark.django_db


def task(patient: Patient, reason: str = "measure_worse", **more: Any) -> ReviewItem:
    made = make_item(
        actor=makers.machine(patient.organization), organization_id=patient.organization_id,
        patient=Patient.objects.get(pk=patient.pk), reason_code=reason, **more,
    )  # fmt: skip
    makers.scope_all()
    return made


def leave(cast: Cast, patient: Patient, user: Any) -> None:
    place = CareTeamMember.objects.get(patient=patient, user=user)
    end_care_team_place(actor=makers.staff(cast.ada), member_id=place.pk)
    makers.scope_all()


def test_who_becomes_the_primary_therapist_owns_the_tasks_and_who_leaves_owns_no_new_ones(cast: Cast) -> None:
    patient = makers.make_patient(cast.home)
    makers.scope_all()
    assert task(patient).owner_id is None
    for user in (cast.alice, cast.bob):
        makers.add_to_team(patient, user)
        makers.scope_all()
    assert task(patient, "phq9_due").owner_id == cast.alice.pk, "the first one leads"
    leave(cast, patient, cast.alice)
    assert task(patient, "cssrs_due").owner_id == cast.bob.pk, "then the next one"
    leave(cast, patient, cast.bob)
    assert task(patient, "risk_review").owner_id is None, "then it is the desk's"


def test_whoever_joins_in_another_role_leads_nothing(cast: Cast) -> None:
    patient = makers.make_patient(cast.home)
    makers.add_to_team(patient, cast.bob, role="case_manager")
    makers.scope_all()
    assert task(patient).owner_id is None


def test_every_task_that_the_pages_of_a_therapist_lead_to_opens(cast: Cast) -> None:
    """Also where the first one is a supervisor's own: that one is named, and leads nowhere."""
    theirs = task(cast.patient, CONTACTS_OPENED, owner_id=cast.sam.pk)
    own = task(cast.patient)
    client = Client()
    client.force_login(cast.alice)
    chart = reverse("clinical:chart", args=[cast.patient.pk])
    found = set()
    for path in (reverse("clinical:caseload"), chart, f"{chart}timeline/"):
        page = client.get(path).content.decode()
        assert f"/reviews/{theirs.pk}/" not in page, path
        found |= set(re.findall(r'href="(/reviews/[^"]+/)"', page))
    assert found == {reverse("crisis:review_detail", args=[own.pk])}
    assert {client.get(path).status_code for path in found} == {200}


def links(user: Any, item: ReviewItem) -> list[tuple[str, str]]:
    """Return the links of a task's page, what each says and where it leads."""
    browser = Client()
    browser.force_login(user)
    page = browser.get(reverse("crisis:review_detail", args=[item.pk])).content.decode()
    found = re.findall(r'<a class="btn" href="([^"]+)">.*?</svg>([^<]+)</a>', page)
    opened = {path: browser.get(path).status_code for path, _ in found}
    assert set(opened.values()) <= {200}, opened
    return [(words, path) for path, words in found]


def test_a_task_leads_whoever_treats_the_person_to_what_it_is_about_and_to_the_chart(cast: Cast) -> None:
    chart = ("Open the chart", reverse("clinical:chart", args=[cast.patient.pk]))
    phq9 = ("Ask it", reverse("clinical:measure_ask", args=[cast.patient.pk, "phq9"]))
    levels = ("Open level and signals", reverse("clinical:chart_crisis", args=[cast.patient.pk]))
    readings = ("Open the readings to look at", reverse("clinical:emotions"))
    assert links(cast.alice, task(cast.patient, "phq9_due")) == [phq9, chart]
    assert links(cast.alice, task(cast.patient, "risk_review")) == [levels, chart]
    assert links(cast.alice, task(cast.patient, "emotion_flagged")) == [readings, chart]


def test_a_task_names_whom_it_is_about_to_whoever_treats_them_and_to_the_desk_by_pseudonym(
    cast: Cast,
) -> None:
    item, told = task(cast.patient), []
    cast.on_duty()
    for user in (cast.alice, cast.cleo):
        browser = Client()
        browser.force_login(user)
        page = browser.get(reverse("crisis:review_detail", args=[item.pk])).content.decode()
        assert cast.patient.anonymous_id in page
        told.append("Zawadi Planted" in page)
    assert told == [True, False]
    assert links(cast.cleo, item) == []


def test_a_note_that_waits_is_opened_from_its_task_by_its_author(cast: Cast) -> None:
    note = begin_note(actor=makers.staff(cast.alice), patient_id=cast.patient.pk, note_type="progress")
    makers.scope_all()
    item = task(cast.patient, "note_unsigned", source_type="note", source_id=note.pk, owner_id=cast.alice.pk)
    page = reverse("clinical:note_page", args=[cast.patient.pk, note.pk])
    assert links(cast.alice, item)[0] == ("Open the note", page)
    browser = Client()
    browser.force_login(cast.alice)
    shown = browser.get(reverse("crisis:review_detail", args=[item.pk])).content.decode()
    assert "No action needed" in shown
    assert "Measure offered" not in shown


def test_who_stands_in_is_led_from_the_chart_to_what_the_absent_colleague_has_to_do(cast: Cast) -> None:
    at = makers.now()
    item = task(cast.patient, owner_id=cast.alice.pk)
    plan_absence(
        actor=makers.staff(cast.alice), user_id=cast.alice.pk, cover_id=cast.bob.pk, starts_at=at,
        ends_at=at + timedelta(days=3), at=at,
    )  # fmt: skip
    makers.scope_all()
    browser = Client()
    browser.force_login(cast.bob)
    chart = browser.get(reverse("clinical:chart", args=[cast.patient.pk])).content.decode()
    assert reverse("crisis:review_detail", args=[item.pk]) in chart
    assert browser.get(reverse("crisis:review_detail", args=[item.pk])).status_code == 200


def test_a_look_at_a_level_shows_the_signals_that_it_was_made_of(cast: Cast) -> None:
    cast.on_duty()
    medium(cast)
    item = ReviewItem.objects.get(reason_code="risk_review")
    for user in (cast.alice, cast.cleo):
        browser = Client()
        browser.force_login(user)
        page = browser.get(reverse("crisis:review_detail", args=[item.pk])).content.decode()
        assert "A wish to be dead" in page
