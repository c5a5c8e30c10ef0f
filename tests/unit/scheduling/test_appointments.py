"""What may happen to an appointment: booked, moved, missed, called off, reminded of, billed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client

from clinical.scheduling import actions, queries
from clinical.scheduling.billing.actions import (
    add_code,
    bill_appointment,
    confirm_line,
    export_lines,
    void_line,
)
from clinical.scheduling.billing.models import BillingLine
from clinical.scheduling.billing.queries import Wanted
from clinical.scheduling.models import Appointment, AppointmentReminder
from clinical.scheduling.tasks import send_due_reminders
from cortex.accounts.models import Organization, User
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.ops.models import Notification
from tests import makers
from tests.cast import Cast
from tests.makers import staff

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def book(cast: Cast, start: datetime, *, who: Any = None, by: User | None = None, **more: Any) -> Appointment:
    (one, *_) = actions.book_appointment(
        actor=staff(by or cast.alice), patient_id=(who or cast.patient).pk, starts=[start],
        minutes=more.pop("minutes", 50), **more,
    )  # fmt: skip
    makers.scope_all()
    return one


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
    return client


def test_an_hour_is_never_given_twice_whoever_asks(cast: Cast) -> None:
    start = makers.now() + timedelta(days=3)
    first = book(cast, start)
    other = makers.make_patient(cast.home, team=[cast.alice])
    with pytest.raises(RuleBroken, match="You have another appointment then") as told:
        book(cast, start + timedelta(minutes=30), who=other)
    makers.scope_all()
    assert told.value.extra["appointment_id"] == str(first.pk)
    assert book(cast, start + timedelta(minutes=50), who=other).pk, "the next one may begin as this one ends"
    with pytest.raises(IntegrityError, match="appointment_therapist_once"), transaction.atomic():
        Appointment.objects.create(
            organization=cast.home, patient=other, therapist=cast.alice, starts_at=start, ends_at=start + HOUR
        )
    assert Appointment.objects.count() == 2


def test_a_race_to_the_same_hour_is_told_like_any_conflict(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = makers.now() + timedelta(days=3)
    book(cast, start)
    monkeypatch.setattr(queries, "clashes", lambda **_: [])
    with pytest.raises(RuleBroken, match="You have another appointment then"):
        book(cast, start)
    makers.scope_all()
    assert Appointment.objects.count() == 1


def test_a_persons_other_appointment_is_told_and_booked_beside_only_when_known(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob)
    start = makers.now() + timedelta(days=3)
    book(cast, start)
    with pytest.raises(RuleBroken, match="with a colleague"):
        book(cast, start, by=cast.bob)
    assert book(cast, start, by=cast.bob, beside_others=True).therapist_id == cast.bob.pk


def test_a_series_leaves_out_taken_weeks_only_when_told_to(cast: Cast) -> None:
    start = makers.now() + timedelta(days=2)
    starts = [start + timedelta(weeks=week) for week in range(4)]
    other = makers.make_patient(cast.home, team=[cast.alice])
    book(cast, starts[2], who=other)
    series: dict[str, Any] = {"actor": staff(cast.alice), "patient_id": cast.patient.pk, "minutes": 50}
    with pytest.raises(RuleBroken, match="1 of 4 weeks are taken"):
        actions.book_appointment(starts=starts, **series)
    makers.scope_all()
    rows = actions.book_appointment(starts=starts, leave_out_taken=True, **series)
    makers.scope_all()
    assert [one.starts_at for one in rows] == [starts[0], starts[1], starts[3]]
    assert len({one.series_id for one in rows}) == 1
    cancelled = actions.cancel_appointment(
        actor=staff(cast.alice), appointment_id=rows[1].pk, reason="care_ended", and_later=True
    )
    makers.scope_all()
    assert [one.starts_at for one in cancelled] == [starts[1], starts[3]]


def test_a_missed_one_frees_the_hour_and_can_be_taken_back_unless_the_hour_is_gone(cast: Cast) -> None:
    at = makers.now()
    one = book(cast, at + HOUR)
    with pytest.raises(RuleBroken, match="has not begun"):
        actions.note_no_show(actor=staff(cast.alice), appointment_id=one.pk)
    makers.scope_all()
    later = at + 2 * HOUR
    actions.note_no_show(actor=staff(cast.alice), appointment_id=one.pk, at=later)
    makers.scope_all()
    assert AuditLog.objects.filter(event_type="appointment.missed", subject=cast.patient.pk).count() == 1
    with pytest.raises(RuleBroken, match="stands as: no-show"):
        actions.move_appointment(actor=staff(cast.alice), appointment_id=one.pk, start=later)
    makers.scope_all()
    other = book(cast, one.starts_at, who=makers.make_patient(cast.home, team=[cast.alice]))
    with pytest.raises(RuleBroken, match="another appointment then"):
        actions.put_back(actor=staff(cast.alice), appointment_id=one.pk, at=later)
    makers.scope_all()
    actions.cancel_appointment(actor=staff(cast.alice), appointment_id=other.pk, reason="mistake")
    makers.scope_all()
    assert actions.put_back(actor=staff(cast.alice), appointment_id=one.pk, at=later).status == "scheduled"


def test_calling_off_needs_a_reason_and_a_stranger_finds_nothing(cast: Cast) -> None:
    one = book(cast, makers.now() + HOUR)
    with pytest.raises(InputRefused):
        actions.cancel_appointment(actor=staff(cast.alice), appointment_id=one.pk, reason="because")
    for stranger in (cast.bob, cast.charlie, cast.ada):
        with pytest.raises(NotFound):
            actions.cancel_appointment(actor=staff(stranger), appointment_id=one.pk, reason="mistake")
    makers.scope_all()
    assert client_of(cast.bob).get(f"/appointments/{one.pk}/").status_code == 404
    assert client_of(cast.ada).get("/calendar/").status_code == 403


def test_a_reminder_is_told_to_the_therapist_once_and_follows_a_move(cast: Cast) -> None:
    at = makers.now()
    one = book(cast, at + timedelta(days=3))
    row = AppointmentReminder.objects.get()
    assert row.due_at == one.starts_at - timedelta(hours=24)
    actions.move_appointment(actor=staff(cast.alice), appointment_id=one.pk, start=at + timedelta(hours=25))
    makers.scope_all()
    row.refresh_from_db()
    assert actions.send_reminder(actor=makers.machine(cast.home), reminder_id=row.pk, at=at) is None
    AppointmentReminder.objects.update(due_at=at)
    assert (send_due_reminders(), send_due_reminders()) == (1, 0)
    makers.scope_all()
    notice = Notification.objects.get()
    assert (notice.recipient_id, notice.object_id) == (cast.alice.pk, one.pk)
    assert notice.codes == {"may_text": False}, "nobody is written to, with or without consent"
    page = client_of(cast.alice).get("/calendar/")
    assert b"has not agreed to messages" in page.content
    client_of(cast.alice).post(f"/calendar/seen/{notice.pk}/")
    assert client_of(cast.bob).post(f"/calendar/seen/{notice.pk}/").status_code == 404
    makers.scope_all()
    assert b"has not agreed" not in client_of(cast.alice).get("/calendar/").content


def test_an_hour_that_was_moved_is_reminded_of_once(cast: Cast) -> None:
    one = book(cast, makers.now() + 30 * HOUR)
    move = {"actor": staff(cast.alice), "appointment_id": one.pk}
    unread = Notification.objects.filter(code=queries.REMINDER, read_at__isnull=True)
    for hours, waiting in ((54, 1), (20, 0)):
        AppointmentReminder.objects.update(due_at=makers.now())
        assert send_due_reminders() == 1
        makers.scope_all()
        one.refresh_from_db()
        actions.move_appointment(**move, start=one.starts_at, minutes=40 + hours)  # type: ignore[arg-type]
        makers.scope_all()
        assert unread.count() == 1, "longer, it still begins then"
        actions.move_appointment(**move, start=makers.now() + hours * HOUR)  # type: ignore[arg-type]
        makers.scope_all()
        assert not unread.exists(), "what was told of is another hour"
        assert AppointmentReminder.objects.filter(done_at__isnull=True).count() == waiting


def test_what_was_called_off_is_not_reminded_of(cast: Cast) -> None:
    one = book(cast, makers.now() + timedelta(days=3))
    actions.cancel_appointment(actor=staff(cast.alice), appointment_id=one.pk, reason="person_ill")
    makers.scope_all()
    assert AppointmentReminder.objects.get().outcome == "overtaken"
    assert not Notification.objects.exists()


def told(row: Appointment, user: User, code: str, number: int) -> list[Notification]:
    """So many notices of somebody's about an appointment, as if they had been sent."""
    return Notification.objects.bulk_create(
        Notification(
            organization_id=row.organization_id, recipient=user, code=code, codes={"may_text": False},
            object_type="clinical.Appointment", object_id=row.pk,
        )
        for _ in range(number)
    )  # fmt: skip


def test_reminders_that_nobody_ticks_off_push_nothing_else_out(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    at = makers.now()
    past, soon = book(cast, at - 3 * HOUR), book(cast, at + 5 * HOUR)
    told(soon, cast.alice, queries.REBOOK, 2)
    told(soon, cast.alice, "referral", 1)
    told(past, cast.alice, queries.REMINDER, 3)
    told(soon, cast.alice, queries.REMINDER, 60)
    with django_assert_num_queries(2):
        codes = [one["notice"].code for one in queries.notices(cast.alice, at)]
    assert (codes.count(queries.REBOOK), codes.count(queries.REMINDER)) == (2, queries.MOST_REMINDERS)
    assert not {one["appointment"].pk for one in queries.notices(cast.alice, at)} - {soon.pk}
    assert b"Somebody was referred to you." in client_of(cast.alice).get("/caseload/").content


@pytest.mark.parametrize("became", ["held", "missed", "cancelled"])
def test_a_reminder_is_put_away_once_it_is_known_what_became_of_it(cast: Cast, became: str) -> None:
    at, who = makers.now(), staff(cast.alice)
    one = book(cast, at + 3 * HOUR)
    told(one, cast.alice, queries.REMINDER, 1)
    if became == "cancelled":
        actions.cancel_appointment(actor=who, appointment_id=one.pk, reason="person_ill")
    else:
        note = actions.note_held if became == "held" else actions.note_no_show
        note(actor=who, appointment_id=one.pk, at=at + 4 * HOUR)
    makers.scope_all()
    assert not Notification.objects.filter(read_at__isnull=True).exists()


def test_the_next_appointments_of_many_are_one_query(cast: Cast, django_assert_num_queries: Any) -> None:
    at = makers.now()
    book(cast, at + timedelta(days=9))
    soon = book(cast, at + timedelta(days=2))
    with django_assert_num_queries(1):
        starts = queries.next_starts([cast.patient.pk, cast.stranger.pk], at)
    assert starts == {cast.patient.pk: soon.starts_at}


def test_the_week_names_whom_the_reader_treats_and_leaves_one_access_row(cast: Cast) -> None:
    book(cast, makers.now())
    PhiAccessLog.objects.count()
    page = client_of(cast.alice).get("/calendar/")
    makers.scope_all()
    assert b"Zawadi Planted" in page.content
    assert PhiAccessLog.objects.filter(data_type="appointments", subject=cast.patient.pk).count() == 1
    client = client_of(cast.alice)
    assert client.post("/calendar/zone/", {"timezone": "Mars/Olympus"}).status_code == 422
    assert client.post("/calendar/zone/", {"timezone": "America/New_York"}).status_code == 303
    makers.scope_all()
    assert b"times in America/New_York" in client.get("/calendar/").content


def american(cast: Cast) -> None:
    Organization.objects.filter(pk=cast.home.pk).update(jurisdiction="US")
    cast.patient.organization.refresh_from_db()


def test_a_session_is_proposed_once_from_its_own_minutes(cast: Cast) -> None:
    american(cast)
    at = makers.now()
    session = makers.make_session(
        cast.patient, kind="therapy", started_at=at - HOUR, ended_at=at, duration_seconds=52 * 60 + 59,
        status="completed",
    )  # fmt: skip
    line = actions.propose_line(actor=staff(cast.alice), session_id=session.pk)
    makers.scope_all()
    assert line is not None and (line.code, line.minutes, line.status) == ("90834", 52, "proposed")
    again = actions.propose_line(actor=staff(cast.alice), session_id=session.pk)
    assert again == line
    makers.scope_all()
    with pytest.raises(NotFound):
        actions.propose_line(actor=staff(cast.bob), session_id=session.pk)


def test_a_second_code_of_the_day_is_warned_of_and_nothing_leaves_unconfirmed(cast: Cast) -> None:
    american(cast)
    at = makers.now()
    first, second = book(cast, at + HOUR), book(cast, at + 2 * HOUR, kind="crisis", minutes=60)
    late = at + 4 * HOUR
    for one in (first, second):
        actions.note_held(actor=staff(cast.alice), appointment_id=one.pk, at=late)
        makers.scope_all()
    (therapy,) = bill_appointment(actor=staff(cast.alice), appointment_id=first.pk)
    (crisis,) = bill_appointment(actor=staff(cast.alice), appointment_id=second.pk)
    makers.scope_all()
    same_day = therapy.service_date == crisis.service_date
    assert crisis.code == "90839" and (crisis.warnings == ["conflict:90834"] or not same_day)
    with pytest.raises(RuleBroken, match="proposed already"):
        bill_appointment(actor=staff(cast.alice), appointment_id=second.pk)
    with pytest.raises(RuleBroken, match="No confirmed line"):
        export_lines(actor=staff(cast.alice), wanted=Wanted())
    makers.scope_all()
    confirm_line(actor=staff(cast.alice), line_id=crisis.pk)
    makers.scope_all()
    for stranger in (cast.bob, cast.charlie):
        with pytest.raises(NotFound):
            void_line(actor=staff(stranger), line_id=crisis.pk)
    makers.scope_all()
    assert [one.pk for one in export_lines(actor=staff(cast.ada), wanted=Wanted())] == [crisis.pk]
    makers.scope_all()
    with pytest.raises(RuleBroken, match="was exported"):
        void_line(actor=staff(cast.alice), line_id=crisis.pk)
    assert BillingLine.objects.filter(exported_at__isnull=False).count() == 1


def test_the_file_holds_codes_and_pseudonyms_and_computes_nothing(cast: Cast) -> None:
    add_code(
        actor=staff(cast.ada), code="OWN-50", system="own", own_label="=HYPERLINK(1)",
        service="psychotherapy", active_from="2020-01-01", amount_cents=350_000, currency="KES",
        jurisdiction="KE",
    )  # fmt: skip
    makers.scope_all()
    one = book(cast, makers.now() + HOUR)
    actions.note_held(actor=staff(cast.alice), appointment_id=one.pk, at=one.ends_at)
    makers.scope_all()
    (line,) = bill_appointment(actor=staff(cast.alice), appointment_id=one.pk, minutes=47)
    makers.scope_all()
    client = makers.client_of(cast.alice)
    assert client.post("/billing/export/").status_code == 409
    assert client.post(f"/billing/{line.pk}/confirm/").status_code == 303
    made = client.post("/billing/export/", {"status": "confirmed"})["Location"]
    answer = client.get(made.replace("/billing/?", "/billing/export/file/?"))
    text = answer.content.decode()
    makers.scope_all()
    assert answer["Content-Type"].startswith("text/csv") and "attachment" in answer["Content-Disposition"]
    assert '"\'=HYPERLINK(1)"' in text and '"3500.00","KES"' in text
    assert cast.patient.anonymous_id in text and "Zawadi" not in text
    assert AuditLog.objects.filter(event_type="billing.exported").count() == 1
    looks = PhiAccessLog.objects.filter(data_type="billing_export", subject=cast.patient.pk)
    assert looks.count() == 2, "the export and the file"
    assert client_of(cast.cleo).get("/billing/").status_code == 403


def test_a_file_leaves_only_after_password_or_factor(cast: Cast) -> None:
    american(cast)
    one = book(cast, makers.now() + HOUR)
    actions.note_held(actor=staff(cast.alice), appointment_id=one.pk, at=one.ends_at)
    makers.scope_all()
    (line,) = bill_appointment(actor=staff(cast.alice), appointment_id=one.pk, minutes=47)
    makers.scope_all()
    confirm_line(actor=staff(cast.alice), line_id=line.pk)
    makers.scope_all()
    late = makers.client_of(cast.alice, makers.now() - timedelta(minutes=6))
    asked = late.post("/billing/export/", {"status": "confirmed"})
    assert asked.status_code == 302 and "reauthenticate" in asked["Location"]
    makers.scope_all()
    assert not BillingLine.objects.filter(exported_at__isnull=False).exists()
    assert not PhiAccessLog.objects.filter(data_type="billing_export").exists()
    assert makers.client_of(cast.alice).post("/billing/export/").status_code == 303
