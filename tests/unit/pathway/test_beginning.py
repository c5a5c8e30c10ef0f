"""Who was referred and taken into care asks for somebody until they were met and their first steps done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.caseload.actions import mark_reviewed
from clinical.caseload.queries import Case, caseload
from clinical.caseload.showing import first
from clinical.notes.models import Note
from patients.pathway.actions import ReferralData, accept_referral, make_referral
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.pathway.test_ways import as_user

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
REASON = "Said goodbye to her sister. Needs a call within a day."
CONTACT = "First contact within a day, as the referral asks"


def taken(cast: Cast, at: datetime, urgency: str = "urgent") -> Patient:
    """Somebody new whom Bob took into care at a time, an hour after they were referred."""
    patient = makers.make_patient(cast.home, contacts=[])
    data = ReferralData("physician", urgency, REASON, asked_id=cast.bob.pk)
    one = make_referral(actor=staff(cast.sam), patient=patient, data=data, at=at - HOUR)
    accept_referral(actor=staff(cast.bob), referral_id=one.pk, at=at)
    makers.scope_all()
    return patient


def line(cast: Cast, at: datetime) -> Case:
    makers.scope_all()
    (case,) = caseload(cast.bob, at)
    return case


def sat(patient: Patient, at: datetime, *labels: str, kind: str = "therapy") -> None:
    makers.make_session(
        patient, kind=kind, status="completed", started_at=at, received_at=at, client_ref=str(uuid4()),
        sensitivity_labels=list(labels),
    )  # fmt: skip


def test_a_promised_contact_waits_and_is_overdue_when_its_day_is_over(cast: Cast) -> None:
    at = makers.now()
    patient = taken(cast, at)
    case = line(cast, at + HOUR)
    assert (case.place.group, case.place.why) == ("waiting", f"{CONTACT}.")
    late = line(cast, at + 2 * DAY)
    assert (late.place.group, late.place.why) == ("overdue", f"{CONTACT}, overdue for 1 day.")
    (told,) = first([late], cast.bob.pk)["cases"]
    assert told["url"] == reverse("clinical:first_steps", args=[patient.pk])


def test_whoever_was_ticked_off_comes_back_when_the_promise_is_broken(cast: Cast) -> None:
    at = makers.now()
    patient = taken(cast, at)
    mark_reviewed(actor=staff(cast.bob), patient_id=patient.pk, at=at + HOUR)
    ticked = line(cast, at + 2 * HOUR)
    assert (ticked.place.group, ticked.place.why) == ("reviewed", f"{CONTACT}.")
    assert line(cast, at + DAY).place.group == "overdue"


@pytest.mark.parametrize("urgency", ["urgent", "soon", "routine"])
def test_once_they_were_met_the_missing_steps_are_named_and_overdue_after_a_week(
    cast: Cast, urgency: str
) -> None:
    at = makers.now()
    patient = taken(cast, at, urgency)
    sat(patient, at + HOUR)
    case = line(cast, at + 2 * HOUR)
    steps = "First steps missing: the privacy notice and 3 more"
    assert (case.place.group, case.place.why) == ("waiting", f"{steps}.")
    assert line(cast, at + 8 * DAY).place.why == f"{steps}, overdue for 1 day."


def called(cast: Cast, patient: Patient, at: datetime) -> None:
    sat(patient, at, kind="crisis_contact")


def wrote_down(cast: Cast, patient: Patient, at: datetime) -> None:
    Note.objects.create(
        organization=cast.home, patient=patient, author=cast.bob, note_type="progress", status="signed",
        occurred_at=at, saved_at=at, signed_at=at, content_hash=b"x" * 34,
    )  # fmt: skip


@pytest.mark.parametrize("meet", [called, wrote_down])
def test_a_contact_keeps_the_promise_whichever_way_it_was_written_down(
    cast: Cast, meet: Callable[[Cast, Patient, datetime], None]
) -> None:
    at = makers.now()
    patient = taken(cast, at)
    meet(cast, patient, at + HOUR)
    assert line(cast, at + 2 * HOUR).place.why.startswith("First steps missing")


def test_what_came_before_or_an_app_did_or_a_label_shuts_is_no_contact(cast: Cast) -> None:
    at = makers.now()
    patient = taken(cast, at)
    sat(patient, at - DAY)
    sat(patient, at + HOUR, kind="self_guided")
    sat(patient, at + HOUR, "V")
    assert line(cast, at + 2 * HOUR).place.why == f"{CONTACT}."


def test_nobody_without_a_referral_is_said_to_lack_first_steps_and_done_ones_say_nothing(cast: Cast) -> None:
    at = makers.now()
    patient = taken(cast, at, "routine")
    sat(patient, at)
    makers.consent(patient, "privacy_notice")
    assert line(cast, at + HOUR).place.why == "First steps missing: somebody to call and 2 more."
    makers.scope_all()
    (other,) = caseload(cast.alice, at)
    assert other.begun is None and "First" not in other.place.why


def test_the_overview_says_what_is_owed_and_leads_to_why_they_were_sent(cast: Cast) -> None:
    patient = taken(cast, makers.now() - 2 * DAY)
    client = as_user(cast.bob)
    page = client.get(reverse("clinical:chart", args=[patient.pk])).content.decode()
    due = page.split('id="du"')[1].split("</section>")[0]
    steps = reverse("clinical:first_steps", args=[patient.pk])
    assert f'href="{steps}">{CONTACT}</a> <span class="tag tag-crit">overdue' in due
    for words in ("the privacy notice", "somebody to call"):
        assert f"First step: {words}" in due
    assert page.count(steps) > 1, "also when nothing is due any more"
    assert REASON not in page
    assert REASON in client.get(steps).content.decode()


def test_why_somebody_was_sent_stays_shut_to_whoever_does_not_treat_them(cast: Cast) -> None:
    patient = taken(cast, makers.now())
    assert as_user(cast.alice).get(reverse("clinical:first_steps", args=[patient.pk])).status_code == 404


def test_a_caseload_asks_as_often_for_one_who_was_referred_as_for_three(cast: Cast) -> None:
    def cost() -> int:
        line_at = makers.now() + HOUR
        makers.scope_all()
        caseload(cast.bob, line_at)
        with CaptureQueriesContext(connection) as asked:
            caseload(cast.bob, line_at)
        return len(asked)

    taken(cast, makers.now())
    one = cost()
    for _ in range(2):
        taken(cast, makers.now())
    assert cost() == one
