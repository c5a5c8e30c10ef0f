"""Appointments that care leaves behind: handed over, called off, moved with a leaver, covered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from clinical.notes.actions import begin_note
from clinical.notes.addenda.actions import write_addendum
from clinical.notes.models import PROCESS
from clinical.pathway import actions as ways
from clinical.scheduling import actions
from clinical.scheduling.handover import queries as handover
from clinical.scheduling.models import Appointment, AppointmentReminder
from clinical.scheduling.queries import CALLED_OFF, REBOOK, REMINDER
from clinical.scheduling.tasks import send_due_reminders
from cortex.accounts.models import User
from cortex.audit import RuleBroken
from cortex.audit.models import AuditLog
from cortex.ops.models import Notification
from patients.codes import EndingReason
from patients.covers.actions import plan_absence
from patients.covers.models import Absence
from patients.pathway.actions import EndingData
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.notes.test_notes import signed
from tests.unit.scheduling.test_appointments import book, client_of

pytestmark = pytest.mark.django_db
WEEK, DAY, HOUR = timedelta(weeks=1), timedelta(days=1), timedelta(hours=1)
LEFT = EndingData(EndingReason.PERSON_ASKED, "Met twice.")
ENDED = {"reason_code": "goals_reached", "summary": "She sleeps again.", "days": "0"}


def series(cast: Cast, start: datetime, weeks: int = 3) -> list[Appointment]:
    rows = actions.book_appointment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, minutes=50,
        starts=[start + number * WEEK for number in range(weeks)],
    )  # fmt: skip
    makers.scope_all()
    return rows


def stands() -> list[tuple[Any, str, str]]:
    """Who has each appointment of the series, in order, and how it stands."""
    makers.scope_all()
    rows = Appointment.objects.filter(series_id__isnull=False).order_by("starts_at")
    return [(one.therapist_id, one.status, one.cancel_reason) for one in rows]


def text(user: User, where: str, data: Any = None, status: int = 200) -> str:
    client = client_of(user)
    answer = client.get(where) if data is None else client.post(where, data)
    assert answer.status_code == status, (answer.status_code, answer.content[-600:])
    makers.scope_all()
    return answer.content.decode()


def unread(user: User, code: str) -> Any:
    return Notification.objects.filter(recipient=user, code=code, read_at__isnull=True)


def test_a_transfer_takes_the_hours_along_and_lists_those_that_were_taken(cast: Cast) -> None:
    rows = series(cast, makers.now() + 3 * DAY)
    other = makers.make_patient(cast.home, team=[cast.bob])
    busy = book(cast, rows[1].starts_at + 20 * timedelta(minutes=1), who=other, by=cast.bob)
    where = reverse("clinical:transfer", args=[cast.patient.pk])
    assert "Your 3 appointments to come with them go to your colleague" in text(cast.alice, where)
    form = {"to": str(cast.bob.pk), "reason_code": "person_asked", "summary": "Met twice.", "days": "0"}
    text(cast.alice, where, form, 303)
    alice, bob = cast.alice.pk, cast.bob.pk
    assert stands() == [
        (bob, "scheduled", ""), (alice, "cancelled", "therapist_away"), (bob, "scheduled", "")
    ]  # fmt: skip
    assert Appointment.objects.get(pk=busy.pk).starts_at == busy.starts_at
    assert [one.object_id for one in unread(cast.bob, REBOOK)] == [rows[1].pk]
    calendar = text(cast.bob, "/calendar/")
    assert "to be booked anew" in calendar
    assert f"{reverse('clinical:appointment_new')}?person={cast.patient.pk}" in calendar
    assert "book them anew" in text(cast.bob, "/caseload/")
    text(cast.bob, f"/calendar/seen/{unread(cast.bob, REBOOK).get().pk}/", {}, 303)
    assert "to be booked anew" not in text(cast.bob, "/calendar/")
    (said,) = AuditLog.objects.filter(event_type="appointment.handed_over", subject=cast.patient.pk)
    assert (said.codes["moved"], said.codes["called_off"]) == (2, 1)
    assert book(cast, rows[0].starts_at, who=makers.make_patient(cast.home, team=[cast.alice])).pk
    # What is Bob's of the series is called off by Bob, what stays of Alice's is not his.
    called = actions.cancel_appointment(
        actor=staff(cast.bob), appointment_id=rows[0].pk, reason="person_ill", and_later=True
    )
    assert [one.pk for one in called] == [rows[0].pk, rows[2].pk]


def test_an_hour_that_was_called_off_at_the_hand_over_is_not_given_back_to_whoever_left(cast: Cast) -> None:
    (one,) = series(cast, makers.now() + 3 * DAY, 2)[:1]
    book(cast, one.starts_at, who=makers.make_patient(cast.home, team=[cast.bob]), by=cast.bob)
    where = reverse("clinical:appointment", args=[one.pk])
    ways.transfer(actor=staff(cast.alice), patient_id=cast.patient.pk, to_id=cast.bob.pk, data=LEFT)
    assert "Take back" not in text(cast.bob, where)
    assert "Book it anew" in text(cast.bob, f"{where}back/", {}, 409)
    with pytest.raises(RuleBroken) as refused:
        actions.put_back(actor=staff(cast.bob), appointment_id=one.pk)
    makers.scope_all()
    one.refresh_from_db()
    assert (refused.value.code, one.status) == ("not_their_hour", "cancelled")
    makers.add_to_team(cast.patient, cast.alice)
    assert "Take back" in text(cast.bob, where)
    text(cast.bob, f"{where}back/", {}, 303)


def test_reminders_follow_to_the_colleague_also_those_that_were_told(cast: Cast) -> None:
    one = book(cast, makers.now() + 30 * HOUR)
    AppointmentReminder.objects.update(due_at=makers.now())
    assert send_due_reminders() == 1
    makers.scope_all()
    assert unread(cast.alice, REMINDER).count() == 1
    ways.transfer(actor=staff(cast.alice), patient_id=cast.patient.pk, to_id=cast.bob.pk, data=LEFT)
    makers.scope_all()
    assert not unread(cast.alice, REMINDER).exists()
    assert send_due_reminders() == 1
    makers.scope_all()
    assert [told.object_id for told in unread(cast.bob, REMINDER)] == [one.pk]


def test_whoever_lost_a_race_to_the_hour_is_not_booked_twice(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = series(cast, makers.now() + 3 * DAY)
    book(cast, rows[0].starts_at, who=makers.make_patient(cast.home, team=[cast.bob]), by=cast.bob)
    monkeypatch.setattr(handover, "spans_of", lambda *_: [])
    ways.transfer(actor=staff(cast.alice), patient_id=cast.patient.pk, to_id=cast.bob.pk, data=LEFT)
    assert [(who, state) for who, state, _ in stands()] == [
        (cast.alice.pk, "cancelled"), (cast.bob.pk, "scheduled"), (cast.bob.pk, "scheduled")
    ]  # fmt: skip


def test_a_discharge_says_what_is_to_come_and_calls_it_off_with_everybody(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist")
    start = makers.now() + 3 * DAY
    series(cast, start, 2)
    book(cast, start + DAY, by=cast.bob)
    where = reverse("clinical:discharge", args=[cast.patient.pk])
    page = text(cast.alice, where)
    assert "3 appointments are planned with them." in page
    assert 'name="call_off"' in page and "checked" in page.split('name="call_off"')[1].split(">")[0]
    text(cast.alice, where, ENDED | {"call_off": "on"}, 303)
    assert set(Appointment.objects.values_list("status", "cancel_reason")) == {("cancelled", "care_ended")}
    assert set(AppointmentReminder.objects.values_list("outcome", flat=True)) == {"overtaken"}
    assert (unread(cast.bob, CALLED_OFF).count(), unread(cast.alice, CALLED_OFF).count()) == (1, 0)
    assert "care has ended" in text(cast.bob, "/caseload/")
    (said,) = AuditLog.objects.filter(event_type="appointment.cancelled")
    assert said.codes == {"reason": "care_ended", "count": 3}


def test_hours_that_were_kept_can_be_called_off_by_their_own_therapist_and_nothing_else(cast: Cast) -> None:
    kept, later = series(cast, makers.now() + 3 * DAY, 2)
    page = text(cast.alice, reverse("clinical:discharge", args=[cast.patient.pk]), ENDED, 303)
    where = reverse("clinical:appointment", args=[kept.pk])
    page = text(cast.alice, where)
    assert cast.patient.anonymous_id in page
    assert "Zawadi" not in page
    assert "Open chart" not in page and f"{where}move/" not in page
    text(cast.alice, f"{where}move/", {"day": "2030-01-01", "time": "10:00", "minutes": "50"}, 404)
    # Theirs to note once it has begun, which it has not.
    text(cast.alice, f"{where}held/", {}, 409)
    text(cast.bob, where, None, 404)
    text(cast.alice, f"{where}cancel/", {"reason": "care_ended", "and_later": "on"}, 303)
    assert [state for _, state, _ in stands()] == ["cancelled", "cancelled"]
    text(cast.alice, f"{where}back/", {}, 404)
    # What they settled themself stays theirs to read, and stands.
    with pytest.raises(RuleBroken, match="stands as: cancelled"):
        actions.cancel_appointment(
            actor=staff(cast.alice), appointment_id=later.pk, reason="mistake", at=later.starts_at + HOUR
        )


def test_a_leavers_hours_move_and_unsigned_notes_are_ticked_off_first(cast: Cast) -> None:
    rows = series(cast, makers.now() + 3 * DAY)
    for kind, words in (("soap", "She rang."), ("soap", ""), (PROCESS, "Not for others.")):
        note = signed(cast, kind)
        for number, typed in enumerate(["First words", words]):
            write_addendum(
                actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, text=typed,
                version=number, spell=note.pk, number=number + 1,
            )  # fmt: skip
        makers.scope_all()
    for kind in ("progress", "soap", PROCESS):
        begin_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_type=kind)
    makers.scope_all()
    book(cast, rows[2].starts_at, who=makers.make_patient(cast.home, team=[cast.bob]), by=cast.bob)
    where = reverse("clinical:leaver", args=[cast.alice.pk])
    page = text(cast.sam, where)
    for words in ("3 appointments", "3 unsigned notes", "Alice Achieng has 3 unsigned notes"):
        assert words in page, words
    form = {f"to_{cast.patient.pk}": str(cast.bob.pk)}
    assert "Say that you know of them" in text(cast.sam, where, form, 422)
    with pytest.raises(RuleBroken) as refused:
        ways.move_caseload(
            actor=staff(cast.sam), user_id=cast.alice.pk, plan={cast.patient.pk: cast.bob.pk}
        )  # fmt: skip
    assert refused.value.code == "unsigned_notes"
    makers.scope_all()
    assert {who for who, _, _ in stands()} == {cast.alice.pk}
    text(cast.sam, where, form | {"notes_known": "on"}, 303)
    assert [(who, state) for who, state, _ in stands()] == [
        (cast.bob.pk, "scheduled"), (cast.bob.pk, "scheduled"), (cast.alice.pk, "cancelled")
    ]  # fmt: skip
    (said,) = AuditLog.objects.filter(event_type="caseload.moved")
    counts = [said.codes[name] for name in ("people", "appointments", "called_off", "unsigned_notes")]
    assert counts == [1, 2, 1, 3]


def test_an_absence_shows_what_falls_into_it_before_it_is_planned_and_the_cover_sees_it(cast: Cast) -> None:
    day = makers.now().date()
    inside, outside = book(cast, makers.now() + 2 * DAY), book(cast, makers.now() + 20 * DAY)
    where = reverse("clinical:absence_new")
    form = {"cover": str(cast.bob.pk), "starts_at": str(day), "ends_at": str(day + 5 * DAY)}
    page = text(cast.alice, where, form)
    assert not Absence.objects.exists()
    assert f'href="{reverse("clinical:appointment", args=[inside.pk])}"' in page
    assert reverse("clinical:appointment", args=[outside.pk]) not in page
    assert "Zawadi Planted" in page
    sams = text(cast.sam, where, form | {"user": str(cast.alice.pk)})
    assert cast.patient.anonymous_id in sams
    assert "Zawadi" not in sams and reverse("clinical:appointment", args=[inside.pk]) not in sams
    mark = page.split('name="seen" value="')[1].split('"')[0]
    text(cast.alice, where, form | {"ends_at": str(day + 6 * DAY), "seen": mark})
    assert not Absence.objects.exists(), "other days are looked at anew"
    text(cast.alice, where, form | {"seen": mark}, 303)
    assert Absence.objects.count() == 1
    inside.refresh_from_db()
    assert (inside.therapist_id, inside.status) == (cast.alice.pk, "scheduled")
    local = inside.starts_at.astimezone(ZoneInfo(cast.home.default_timezone))
    year, week, _ = local.isocalendar()
    calendar = text(cast.bob, f"/calendar/?week={year}-W{week:02d}")
    assert "While you stand in" in calendar
    assert "Zawadi Planted" in calendar.split("While you stand in")[1]
    text(cast.bob, reverse("clinical:appointment", args=[inside.pk]))


def test_whoever_stands_in_sees_the_hours_of_that_time_alone_and_none_that_was_called_off(cast: Cast) -> None:
    at = makers.now()
    absence = {"user_id": cast.alice.pk, "cover_id": cast.bob.pk, "starts_at": at}
    plan_absence(actor=staff(cast.sam), **absence, ends_at=at + 4 * DAY)
    makers.scope_all()
    before, inside, off, after = (
        book(cast, at + far) for far in (-3 * HOUR, 2 * DAY, 2 * DAY + HOUR, 5 * DAY)
    )
    other = makers.make_patient(cast.home, team=[cast.alice, cast.bob])
    book(cast, at + 3 * DAY, who=other)
    actions.cancel_appointment(actor=staff(cast.alice), appointment_id=off.pk, reason="person_ill")
    makers.scope_all()
    found = handover.covered(cast.bob, at - 7 * DAY, at + 14 * DAY, at + HOUR)
    assert [one.pk for one in found] == [inside.pk], (before.pk, after.pk)


def test_an_absence_counts_all_that_falls_into_it_and_asks_again_when_one_was_changed(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "LISTED", 1)
    day, where = makers.now().date(), reverse("clinical:absence_new")
    first, last = book(cast, makers.now() + 2 * DAY), book(cast, makers.now() + 3 * DAY)
    form = {"cover": str(cast.bob.pk), "starts_at": str(day), "ends_at": str(day + 5 * DAY)}

    def mark(page: str) -> str:
        return page.split('name="seen" value="')[1].split('"')[0]

    page = text(cast.alice, where, form)
    assert '<span class="count">2</span>' in page and "And 1 more" in page
    assert f"/appointments/{first.pk}/" in page and f"/appointments/{last.pk}/" not in page
    actions.move_appointment(actor=staff(cast.alice), appointment_id=last.pk, start=last.starts_at + HOUR)
    makers.scope_all()
    again = text(cast.alice, where, form | {"seen": mark(page)})
    assert not Absence.objects.exists(), "as many, but not the same"
    text(cast.alice, where, form | {"seen": mark(again)}, 303)
    assert Absence.objects.count() == 1
