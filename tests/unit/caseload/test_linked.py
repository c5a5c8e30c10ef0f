"""What was filed under a caller's row is of the person on record once they are linked, as on the chart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.assessments.planning.queries import chunk_in_care, own_people
from clinical.caseload.known import queries as known
from clinical.caseload.live import CaseloadSource
from clinical.caseload.queries import Case, add_moods, caseload
from clinical.scheduling.models import Appointment
from crisis.alerts.models import RiskAlert
from crisis.byhand.actions import link_person, raise_for_caller, unlink_person
from crisis.ownership.actions import claim_alert
from crisis.reviews.models import ReviewItem
from patients.registry.actions import create_provisional, link_provisional, unlink_provisional
from patients.registry.models import Patient
from patients.registry.queries import linked_rows
from tests import makers, stores
from tests.cast import Cast
from tests.explained import plan_of
from tests.makers import staff
from tests.unit.access.test_rows_cost import multiply, rows_changed
from tests.unit.caseload import written
from tests.unit.caseload.conftest import Reading, kept, known_anew, known_of
from tests.unit.caseload.test_live import badges, client_of
from tests.unit.caseload.test_places import checked_in, line, sat, wrote

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def caller(cast: Cast) -> Cast:
    """A cast whose patient is a row of a caller, linked to nobody yet."""
    one = create_provisional(actor=makers.machine(cast.home), organization_id=cast.home.pk)
    makers.scope_all()
    return replace(cast, patient=Patient.objects.get(pk=one.pk))


def link(cast: Cast, other: Cast) -> None:
    link_provisional(
        actor=makers.machine(cast.home), provisional_id=other.patient.pk, patient_id=cast.patient.pk
    )
    makers.scope_all()


def unlink(cast: Cast, other: Cast) -> None:
    unlink_provisional(actor=makers.machine(cast.home), provisional_id=other.patient.pk)
    makers.scope_all()


def linked(cast: Cast) -> Cast:
    other = caller(cast)
    link(cast, other)
    return other


def claimed(cast: Cast) -> RiskAlert:
    """What a caller tells Cleo of somebody whom nobody knows yet; she takes it."""
    cast.on_duty()
    alert = raise_for_caller(
        actor=staff(cast.cleo), level="high", kind="self_harm", note="A neighbour rang", pseudonym=""
    )
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    return alert


def test_a_claimed_crisis_of_a_caller_stands_first_once_it_is_known_who_it_is(cast: Cast) -> None:
    """The alert on record is merged into the caller's, which somebody owns: its row is not the person's."""
    own = makers.make_alert(cast.patient, "high", reason_code="H11")
    alert = claimed(cast)
    before = badges(cast)
    link_person(
        actor=staff(cast.cleo), alert_id=alert.pk, pseudonym=cast.patient.anonymous_id, reason="She said so"
    )
    makers.scope_all()
    own.refresh_from_db()
    assert own.status == "merged"
    (case,) = caseload(cast.alice, makers.now())
    assert [one.pk for one in case.alerts] == [alert.pk]
    assert (case.place.group, case.place.why) == (
        "alert",
        "A member of staff is worried. An alert is open, high.",
    )
    page = client_of(cast.alice).get(reverse("clinical:caseload")).content.decode()
    card = page.split('class="cl-first"')[1].split("</ul>")[0]
    assert "Cleo Cherono has it." in card
    assert reverse("crisis:alert_page", args=[alert.pk]) in card
    after = badges(cast)["rows"][str(cast.patient.pk)]
    assert (after["urgent"], after["why"]) == (True, case.place.why)
    assert after["stamp"] != before["rows"][str(cast.patient.pk)]["stamp"]


def test_the_mark_of_an_open_list_is_another_when_a_caller_is_linked_and_when_not_any_more(
    cast: Cast,
) -> None:
    source, key = CaseloadSource(), str(cast.alice.pk)
    alert = claimed(cast)
    makers.scope_all()
    marks = [source.marks([key])[key]["people"]]
    link_person(
        actor=staff(cast.cleo), alert_id=alert.pk, pseudonym=cast.patient.anonymous_id, reason="She said so"
    )
    marks.append(source.marks([key])[key]["people"])
    unlink_person(actor=staff(cast.cleo), alert_id=alert.pk, reason="It was not her")
    marks.append(source.marks([key])[key]["people"])
    assert marks[0] != marks[1] != marks[2]
    makers.scope_all()
    (case,) = caseload(cast.alice, makers.now())
    assert case.alerts == []


def test_the_number_that_a_caller_left_finds_the_person(cast: Cast) -> None:
    row = create_provisional(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, phone="+254700333444"
    )
    makers.scope_all()
    client, url = client_of(cast.alice), reverse("clinical:caseload")
    sent = {"q": "0700 333 444"}
    assert "Nobody here" in client.post(url, sent).content.decode(), "nobody knows yet who it was"
    link(cast, replace(cast, patient=Patient.objects.get(pk=row.pk)))
    assert "Zawadi Planted" in client.post(url, sent).content.decode()


def test_a_task_about_a_caller_is_a_task_about_the_person(cast: Cast) -> None:
    other, at = linked(cast), makers.now()
    task = ReviewItem.objects.create(
        organization=cast.home, patient=other.patient, reason_code="cssrs_due", due_at=at - DAY
    )
    found = line(cast)
    assert [one.pk for one in found.items] == [task.pk]
    assert found.place.why == "Offer the C-SSRS today, overdue for 1 day."


@pytest.mark.parametrize("heard", [checked_in, wrote, sat])
def test_what_came_of_a_caller_is_a_sign_of_the_person(
    heard: Callable[[Cast, datetime], None], cast: Cast
) -> None:
    at = makers.now()
    sat(cast, at - 60 * DAY)
    heard(linked(cast), at - 20 * DAY)
    assert line(cast).place.why == "Nothing heard for 20 days."


def test_the_newest_of_all_rows_is_the_last_and_the_nearest_the_next(cast: Cast) -> None:
    at, other = makers.now(), linked(cast)
    for one, last, following in ((cast, 9, 5), (other, 4, 8)):
        sat(one, at - last * DAY)
        sat(one, at + following * DAY, "scheduled")
    found = line(cast)
    assert (found.last_session_at, found.next_at) == (at - 4 * DAY, at + 5 * DAY)
    Appointment.objects.create(
        organization=cast.home, patient=other.patient, therapist=cast.alice, starts_at=at + 2 * DAY,
        ends_at=at + 2 * DAY + HOUR,
    )  # fmt: skip
    assert line(cast).next_at == at + 2 * DAY
    Appointment.objects.create(
        organization=cast.home, patient=other.patient, therapist=cast.alice, starts_at=at - DAY,
        ends_at=at - DAY + HOUR, status="held",
    )  # fmt: skip
    assert line(cast).last_session_at == at - DAY


@pytest.mark.parametrize("label", ["V", "SUD_PART2"])
def test_a_label_shuts_a_session_of_a_linked_row_as_it_shuts_any(cast: Cast, label: str) -> None:
    at, other = makers.now(), linked(cast)
    sat(cast, at - 30 * DAY)
    sat(other, at - 2 * DAY, "completed", label)
    sat(other, at + 2 * DAY, "scheduled", label)
    sat(cast, at + 5 * DAY, "scheduled")
    found = line(cast)
    assert (found.last_session_at, found.next_at) == (at - 30 * DAY, at + 5 * DAY)
    makers.consent(cast.patient, "part2_tpo")
    opens = label == "SUD_PART2"
    found = line(cast)
    assert found.last_session_at == at - (2 if opens else 30) * DAY
    assert found.next_at == at + (2 if opens else 5) * DAY


def test_moods_of_all_rows_are_drawn_together(cast: Cast) -> None:
    at, other = makers.now(), linked(cast)
    checked_in(cast, at - 3 * DAY)
    checked_in(other, at - 5 * DAY)
    found = line(cast)
    add_moods([found], at)
    assert found.check_ins == 2


def test_a_measure_of_a_linked_row_is_on_the_course_and_no_longer_due(cast: Cast) -> None:
    at, other = makers.now() + timedelta(minutes=1), linked(cast)
    written.measured(cast, at - 40 * DAY, 2)
    written.measured(other, at - HOUR, 1)
    found = line(cast)
    course = found.courses["phq9"]
    assert [point.total for point in course.points] == [16, 8]
    assert "PHQ-9" not in dict(found.due)
    for people in (own_people(cast.alice, at), chunk_in_care(cast.home.pk, None, at, 10)):
        (person,) = (one for one in people if one.patient.pk == cast.patient.pk)
        assert person.courses["phq9"].latest == course.latest
        assert person.ids == (other.patient.pk,)


TOLD = (
    written.message, written.session, written.session_to_come, written.check_in, written.measure,
    written.words, written.alert, written.own_schedule, written.another_colleague,
)  # fmt: skip


@pytest.mark.parametrize("write", TOLD, ids=lambda one: one.__name__)
def test_what_is_written_of_a_linked_row_stands_on_the_next_list(
    cast: Cast, asked: None, write: Callable[[Cast, datetime], None]
) -> None:
    other, at = prepared(cast), makers.now() + timedelta(minutes=1)
    assert known_of(cast, at) == known_anew(cast, at)
    write(other, makers.now() - HOUR)
    makers.scope_all()
    for moment in (at, at + timedelta(minutes=40)):
        assert known_of(cast, moment) == known_anew(cast, moment)


# What also writes evidence, which is the person's own whichever row it came of.
BESIDE = (written.measure, written.alert)


@pytest.mark.parametrize("write", [one for one in TOLD if one not in BESIDE], ids=lambda one: one.__name__)
def test_it_would_be_missed_if_the_row_on_record_alone_told(
    cast: Cast, asked: None, write: Callable[[Cast, datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof of the proof: the mark of a person is that of all their rows."""
    other, at, told = prepared(cast), makers.now() + timedelta(minutes=1), known.marks
    monkeypatch.setattr(known, "marks", lambda ids: told([one for one in ids if one == cast.patient.pk]))
    known_of(cast, at)
    write(other, makers.now() - HOUR)
    makers.scope_all()
    assert known_of(cast, at) != known_anew(cast, at)


def prepared(cast: Cast) -> Cast:
    """A row that is linked, to somebody who was screened and measured."""
    written.screened(cast, makers.now() - 10 * DAY)
    written.measured(cast, makers.now() - 20 * DAY)
    makers.scope_all()
    return linked(cast)


def test_a_link_and_its_end_are_heard_of_though_no_row_is_written_but_the_pointer(
    cast: Cast, reading: Reading
) -> None:
    other, at = caller(cast), makers.now() + timedelta(minutes=1)
    written.screened(other, makers.now() - DAY)
    (first,) = kept(cast, at)
    link(cast, other)
    reading.taken()
    (second,) = kept(cast, at)
    assert reading.taken() == [cast.patient.pk]
    assert known_of(cast, at) == known_anew(cast, at)
    unlink(cast, other)
    (third,) = kept(cast, at)

    def taken(one: Case) -> bool:
        return one.courses["cssrs"].latest is not None

    assert (taken(first), taken(second), taken(third)) == (False, True, False)


def test_a_linked_row_costs_no_statement_more(cast: Cast) -> None:
    def cost() -> int:
        known.forget()
        makers.scope_all()
        with CaptureQueriesContext(connection) as asked:
            caseload(cast.alice, makers.now())
        return len(asked)

    cost()
    plain = cost()
    for _ in range(3):
        checked_in(linked(cast), makers.now() - DAY)
    assert cost() == plain


def test_who_was_linked_is_looked_up_in_an_index_of_nobody_else(cast: Cast) -> None:
    other = linked(cast)
    with stores.role("cortex_system"):
        multiply("patients_patient", cast.patient.pk, 8000, id="gen_random_uuid()", anonymous_id="'T-' || g",
                 email_hash="NULL", mrn_hash="NULL")  # fmt: skip
    with stores.role("cortex_owner"):
        rows_changed("ANALYZE patients_patient")
    with CaptureQueriesContext(connection) as asked:
        found = linked_rows([cast.patient.pk, cast.stranger.pk])
    assert found == {cast.patient.pk: (other.patient.pk,)}
    with connection.cursor() as cursor:
        plan = plan_of(cursor, asked[0]["sql"])
    assert "patient_merged_into" in plan and "Seq Scan" not in plan
