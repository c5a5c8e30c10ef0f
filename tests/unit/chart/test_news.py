"""What changed since the last session: each kind of fact is one line, as far as its own page shows it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.chart.news.queries import MOST
from clinical.notes.actions import label_note
from clinical.notes.models import PROCESS
from clinical.plans.actions import sign_plan
from clinical.plans.diagnoses.actions import add_diagnosis, change_diagnosis
from clinical.plans.diagnoses.models import Diagnosis
from clinical.plans.medications.actions import save_medication
from clinical.plans.medications.models import Medication
from clinical.scheduling.actions import book_appointment, cancel_appointment, note_no_show
from cortex.accounts.actions import update_organization
from patients.breakglass.actions import break_glass, confirm_protected
from patients.care.actions import end_care_team_place, plan_cover
from patients.care.models import CareTeamMember
from patients.registry.access import CHART
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.chart.test_overview import opened, session
from tests.unit.notes.test_notes import signed
from tests.unit.safetyplans.plans import finish
from tests.walk.plans import MEDICINE, begin

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def changed(cast: Cast, user: Any = None) -> str:
    """The words of what changed, without its markup."""
    page = opened(cast, user)
    found = re.search(r'aria-labelledby="ch">(.*?)</section>', page)
    assert found is not None
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[1])).split())


def join(cast: Cast, user: Any, role: str = "psychiatrist", days: float = 20) -> CareTeamMember:
    at = makers.now() - days * DAY
    return makers.add_to_team(cast.patient, user, role=role, starts_at=at, at=at)


def take_medicine(cast: Cast, row: Medication | None = None, **fields: Any) -> Medication:
    found = save_medication(
        actor=staff(cast.alice), patient_id=cast.patient.pk, fields=MEDICINE | fields,
        medication_id=row.pk if row else None,
    )  # fmt: skip
    makers.scope_all()
    return found


def age(table: Any, days: float = 10) -> None:
    """Let all rows of a table have come and been changed so many days ago."""
    at = makers.now() - days * DAY
    table.objects.update(created_at=at, updated_at=at)


def appointment(cast: Cast, days: float, weeks: int = 1, at: Any = None) -> Any:
    start = makers.now() + days * DAY
    booked = book_appointment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, minutes=50,
        starts=[start + 7 * week * DAY for week in range(weeks)], at=at,
    )  # fmt: skip
    makers.scope_all()
    return booked[0]


def test_each_kind_of_change_is_one_line_and_none_is_told_again_after_the_next_session(cast: Cast) -> None:
    alice, who = staff(cast.alice), cast.patient.pk
    join(cast, cast.cleo, "counselor")
    session(cast, 5)
    join(cast, cast.bob, days=2)
    begin(alice, who, "Low since the spring.")
    sign_plan(actor=alice, patient_id=who, patient_agreed=True)
    finish(cast)
    signed(cast, "session_note", cast.bob)
    makers.consent(cast.patient, "research")
    makers.consent(cast.patient, "voice_processing", granted=False)
    missed = appointment(cast, -1, at=makers.now() - 3 * DAY)
    note_no_show(actor=alice, appointment_id=missed.pk)
    off = appointment(cast, 2)
    cancel_appointment(actor=alice, appointment_id=off.pk, reason="person_ill")
    makers.scope_all()
    place = CareTeamMember.objects.get(patient=cast.patient, user=cast.cleo)
    end_care_team_place(actor=makers.machine(cast.home), member_id=place.pk)
    led = CareTeamMember.objects.get(patient=cast.patient, user=cast.alice)
    plan_cover(
        actor=makers.machine(cast.home), member_id=led.pk, user_id=cast.bob.pk,
        starts_at=makers.now() - DAY, ends_at=makers.now() + DAY,
    )  # fmt: skip
    makers.scope_all()
    lines = (
        "Medication recorded: Sertraline", "Plan signed by Alice Achieng", "Safety plan made",
        "Diagnosis added: F33.1 Major depressive disorder, recurrent, moderate, confirmed",
        "Bob Barasa signed a note: Session note", "Consent given: Research",
        "Consent withdrawn or refused: Voice processing", "missed", "cancelled: the person is ill",
        "Bob Barasa joined, psychiatrist", "Bob Barasa covers for Alice Achieng",
        "Cleo Cherono left the team",
    )  # fmt: skip
    told = changed(cast)
    assert [line for line in lines if line not in told] == []
    assert "Alice Achieng joined" not in told and "Consent given: Treatment" not in told, "before the session"
    assert re.search(r"Appointment of \d+ \w+ \d\d:\d\d missed", told) is not None
    session(cast, 0)
    told = changed(cast)
    assert [line for line in lines if line in told] == []


def test_before_the_first_session_and_the_first_look_nothing_is_a_change(cast: Cast) -> None:
    begin(staff(cast.alice), cast.patient.pk, "Low since the spring.")
    makers.consent(cast.patient, "research")
    assert "Nothing has changed." in changed(cast)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dose": "50", "unit": "mg", "frequency": "daily"}, "Medication changed: Sertraline 50 mg"),
        ({"status": "on_hold"}, "Medication paused: Sertraline"),
        ({"status": "stopped"}, "Medication stopped: Sertraline"),
    ],
)
def test_a_change_of_a_medication_says_which_it_was(cast: Cast, fields: dict[str, Any], said: str) -> None:
    row = take_medicine(cast)
    age(Medication)
    session(cast, 5)
    assert "Medication" not in changed(cast)
    take_medicine(cast, row, **fields)
    assert said in changed(cast)


def test_a_medication_begun_since_the_session_is_told_from_one_that_was_recorded_late(cast: Cast) -> None:
    session(cast, 5)
    today = makers.now().date()
    take_medicine(cast, name="Sertraline", start=today - DAY)
    take_medicine(cast, name="Lithium", start=today - 300 * DAY)
    take_medicine(cast, name="Quetiapine", status="stopped", stop=today - 2 * DAY)
    told = changed(cast)
    assert "Medication begun: Sertraline" in told and "Medication recorded: Lithium" in told
    assert "Medication stopped: Quetiapine, on " in told
    take_medicine(cast, name="Lorazepam", status="on_hold")
    assert "Medication paused: Lorazepam" in changed(cast)


def test_an_end_of_long_ago_is_no_news_when_its_row_is_corrected(cast: Cast) -> None:
    row = take_medicine(cast, name="Lithium", status="stopped", stop=makers.now().date() - 300 * DAY)
    age(Medication)
    session(cast, 5)
    take_medicine(cast, row, name="Lithium", status="stopped", stop=row.stop, dose="300", unit="mg")
    told = changed(cast)
    assert "Medication changed: Lithium 300 mg, stopped on" in told and "Medication stopped" not in told


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("confirmed", "Diagnosis changed: F33.1 Major depressive disorder, recurrent, moderate, confirmed"),
        (
            "remission",
            "Diagnosis changed: F33.1 Major depressive disorder, recurrent, moderate, in remission",
        ),
        ("ruled_out", "Diagnosis changed: F33.1 Major depressive disorder, recurrent, moderate, ruled out"),
    ],
)
def test_a_change_of_a_diagnosis_says_what_it_is_now(cast: Cast, status: str, said: str) -> None:
    alice, who = staff(cast.alice), cast.patient.pk
    row = add_diagnosis(actor=alice, patient_id=who, code="F33.1", status="provisional")
    makers.scope_all()
    age(Diagnosis)
    session(cast, 5)
    assert "Diagnosis" not in changed(cast)
    change_diagnosis(actor=alice, patient_id=who, diagnosis_id=row.pk, status=status)
    assert said in changed(cast)


def test_a_series_that_was_called_off_in_one_go_is_one_line_and_a_mistake_none(cast: Cast) -> None:
    session(cast, 5)
    first = appointment(cast, 1, weeks=4)
    wrong = appointment(cast, 3)
    cancel_appointment(actor=staff(cast.alice), appointment_id=wrong.pk, reason="mistake")
    cancel_appointment(
        actor=staff(cast.alice), appointment_id=first.pk, reason="therapist_away", and_later=True
    )
    makers.scope_all()
    told = changed(cast)
    assert told.count("cancelled") == 1
    assert re.search(r"4 appointments from .* on cancelled: the therapist is away", told) is not None


def test_a_consent_that_ran_out_is_told_on_its_day(cast: Cast) -> None:
    at = makers.now()
    makers.consent(cast.patient, "research", at=at - 20 * DAY, expires_at=at - DAY)
    session(cast, 5)
    assert "Consent ran out: Research" in changed(cast)


def test_notes_are_told_as_far_as_their_labels_open_them_and_process_notes_never(cast: Cast) -> None:
    session(cast, 5)
    join(cast, cast.bob)
    shut, shared = signed(cast, "session_note", cast.bob), signed(cast, "supervision", cast.bob)
    signed(cast, PROCESS, cast.bob)
    signed(cast, "session_note")
    for note, label in ((shut, "V"), (shared, "HIV")):
        label_note(
            actor=staff(cast.bob), patient_id=cast.patient.pk, note_id=note.pk, labels=[label]
        )  # fmt: skip
    makers.scope_all()
    told = changed(cast)
    assert told.count("signed a note") == 1, "a shut one, a process note and one's own are left out"
    assert "Bob Barasa signed a note: Supervision" in told
    colleague = makers.make_user("therapist", cast.home)
    makers.grant(cast.patient, colleague, permission=CHART)
    told = changed(cast, colleague)
    assert "Alice Achieng signed a note: Session note" in told
    assert "Bob Barasa signed" not in told, "a consultation opens no labelled note"


def test_break_glass_is_told_of_a_protected_diagnosis_only_after_a_second_word(cast: Cast) -> None:
    session(cast, 5)
    cast.home.settings = {**cast.home.settings, "part2_program": True}
    update_organization(
        actor=staff(cast.ada), organization_id=cast.home.pk, settings=dict(cast.home.settings)
    )
    add_diagnosis(actor=staff(cast.alice), patient_id=cast.patient.pk, code="F10.20", status="confirmed")
    bob = staff(cast.bob)
    break_glass(
        actor=bob, asked=cast.patient.anonymous_id, reason_code="imminent_risk", reason="On a bridge."
    )
    makers.scope_all()
    assert "F10.20" in changed(cast)
    assert "F10.20" not in changed(cast, cast.bob)
    confirm_protected(actor=bob, patient_id=cast.patient.pk)
    makers.scope_all()
    assert "F10.20" in changed(cast, cast.bob)


def test_more_changes_cost_no_more_queries_and_a_kind_shows_so_many_at_most(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.alice, settings.AUTHENTICATION_BACKENDS[0])
    where = reverse("clinical:chart", args=[cast.patient.pk])
    session(cast, 5)
    join(cast, cast.bob)
    signed(cast, "session_note", cast.bob)
    counts = []
    for _ in range(2):
        client.get(where)
        with CaptureQueriesContext(connection) as seen:
            page = client.get(where).content.decode()
        makers.scope_all()
        counts.append(len(seen))
        for _ in range(MOST):
            signed(cast, "session_note", cast.bob)
        take_medicine(cast)
        makers.consent(cast.patient, "research")
    assert counts[0] == counts[1]
    assert page.count("signed a note") == MOST
