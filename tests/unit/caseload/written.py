"""Everything that can be written of one person of a caseload, by name, for tests of what is kept of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from clinical.assessments.actions import finish_assessment
from clinical.assessments.models import Assessment, Instrument
from clinical.assessments.planning.actions import clear_plan, set_plan, switch_instrument
from clinical.assessments.planning.models import InstrumentSwitch
from clinical.notes.models import Note
from clinical.plans.actions import begin_plan
from clinical.plans.models import TreatmentPlan
from clinical.scheduling.actions import book_appointment, note_held, put_back
from clinical.scheduling.models import Appointment
from crisis.alerts.models import RiskAlert
from crisis.risk.models import Evidence
from patients.care.models import CareTeamMember
from patients.pathway.actions import ReferralData, make_referral
from patients.pathway.models import Referral
from patients.registry.person import EmergencyContact
from patients.sessions.messages import Message
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.caseload.test_places import assessed, checked_in, sat, wrote

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CALM = {f"q{number}": 1 for number in range(1, 9)} | {"q9": 0}


def measured(cast: Cast, at: datetime, value: int = 1) -> None:
    answers = dict.fromkeys(CALM, value) | {"q9": 0}
    finish_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9", answers=answers, administered_at=at
    )


def message(cast: Cast, at: datetime) -> None:
    # Older months have no table here.
    wrote(cast, max(at, makers.now() - 20 * DAY))


def message_gone(cast: Cast, at: datetime) -> None:
    Message.objects.filter(patient=cast.patient).delete()


def session(cast: Cast, at: datetime) -> None:
    sat(cast, at)


def session_to_come(cast: Cast, at: datetime) -> None:
    sat(cast, makers.now() + 3 * DAY, "scheduled")


def session_cancelled(cast: Cast, at: datetime) -> None:
    Session.objects.filter(patient=cast.patient).update(status="cancelled")


def session_labelled(cast: Cast, at: datetime) -> None:
    Session.objects.filter(patient=cast.patient).update(sensitivity_labels=["V"])


def therapy_while_high(cast: Cast, at: datetime) -> None:
    assessed(cast, "high", at)
    makers.make_session(
        cast.patient, kind="therapy", started_at=at, received_at=at, status="completed",
        client_ref=str(uuid4()),
    )  # fmt: skip


def check_in(cast: Cast, at: datetime) -> None:
    if not DailyCheckIn.objects.filter(patient=cast.patient, date=at.date()).exists():
        checked_in(cast, at)


def measure(cast: Cast, at: datetime) -> None:
    measured(cast, at)


def worse_measure(cast: Cast, at: datetime) -> None:
    measured(cast, at, 3)


def correction(cast: Cast, at: datetime) -> None:
    last = Assessment.objects.filter(superseded_by=None, patient=cast.patient).order_by("created_at").last()
    if last is not None:
        Assessment.objects.create(
            organization=cast.home, patient=cast.patient, instrument=last.instrument, language="en", items={},
            mode="paper", administered_at=last.administered_at, total=3, is_valid=True, band="minimal",
            scored_by_version="1", supersedes=last,
        )  # fmt: skip


def level(cast: Cast, at: datetime) -> None:
    assessed(cast, "high", at)


def lower_level(cast: Cast, at: datetime) -> None:
    assessed(cast, "low", at)


def screened(cast: Cast, at: datetime) -> None:
    row = Instrument.objects.get(key="cssrs", is_enabled=True)
    Assessment.objects.create(
        organization=cast.home, patient=cast.patient, instrument=row, language="en", items={}, mode="paper",
        administered_at=at, total=0, is_valid=True, band="", scored_by_version="1",
    )  # fmt: skip


def words(cast: Cast, at: datetime) -> None:
    Evidence.objects.create(
        organization=cast.home, patient=cast.patient, domain="text", code="lexicon.passive_ideation",
        status="present", tier="B", observed_at=at, received_at=at, source_type="message",
        source_id=uuid4(),
    )  # fmt: skip


def words_refuted(cast: Cast, at: datetime) -> None:
    Evidence.objects.filter(patient=cast.patient).update(refuted_at=at)


def alert(cast: Cast, at: datetime) -> None:
    makers.make_alert(cast.patient, "critical")


def false_alarm(cast: Cast, at: datetime) -> None:
    RiskAlert.objects.filter(patient=cast.patient, status="new").update(status="false_alarm", resolved_at=at)


def critical_later(cast: Cast, at: datetime) -> None:
    RiskAlert.objects.filter(patient=cast.patient).update(level_since=makers.now())


def another_colleague(cast: Cast, at: datetime) -> None:
    if not CareTeamMember.objects.filter(patient=cast.patient, user=cast.bob, ends_at=None).exists():
        makers.add_to_team(cast.patient, cast.bob)


def colleague_to_come(cast: Cast, at: datetime) -> None:
    if not CareTeamMember.objects.filter(patient=cast.patient, user=cast.sam).exists():
        CareTeamMember.objects.create(
            organization=cast.home, patient=cast.patient, user=cast.sam, role="supervisor",
            starts_at=makers.now() + timedelta(minutes=30),
        )  # fmt: skip


def colleague_gone(cast: Cast, at: datetime) -> None:
    CareTeamMember.objects.filter(patient=cast.patient, user=cast.bob).update(ends_at=makers.now())


def own_schedule(cast: Cast, at: datetime) -> None:
    set_plan(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9", reason="closer", interval_days=7
    )


def no_schedule(cast: Cast, at: datetime) -> None:
    clear_plan(actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9")


def measure_switched(cast: Cast, at: datetime) -> None:
    one = Instrument.objects.get(key="gad7", is_enabled=True)
    switched = InstrumentSwitch.objects.filter(organization=cast.home, instrument=one, is_offered=False)
    switch_instrument(actor=staff(cast.ada), instrument_id=one.pk, is_offered=switched.exists())


def agrees_to_part_2(cast: Cast, at: datetime) -> None:
    makers.consent(cast.patient, "part2_tpo")


def referred(cast: Cast, at: datetime) -> None:
    if not Referral.objects.filter(patient=cast.patient).exists():
        data = ReferralData("physician", "urgent", "Needs a call.", asked_id=cast.alice.pk)
        one = make_referral(actor=staff(cast.sam), patient=cast.patient, data=data, at=at)
        Referral.objects.filter(pk=one.pk).update(status="accepted", decided_at=at)


def agrees_to_treatment(cast: Cast, at: datetime) -> None:
    makers.consent(cast.patient, "treatment")


def nobody_to_call(cast: Cast, at: datetime) -> None:
    EmergencyContact.objects.filter(patient=cast.patient).update(is_active=False)


def note_signed(cast: Cast, at: datetime) -> None:
    Note.objects.create(
        organization=cast.home, patient=cast.patient, author=cast.alice, note_type="progress",
        status="signed", occurred_at=makers.now(), saved_at=at, signed_at=makers.now(),
        content_hash=b"x" * 34,
    )  # fmt: skip


def plan_in_force(cast: Cast, at: datetime) -> None:
    if not TreatmentPlan.objects.filter(patient=cast.patient).exists():
        now = makers.now()
        begin_plan(
            actor=staff(cast.alice), patient_id=cast.patient.pk, presenting_problem="Low.",
            start=now.date(), target_end=now.date() + 90 * DAY,
        )  # fmt: skip
        TreatmentPlan.objects.filter(patient=cast.patient).update(
            status="active", next_review_at=now + 30 * DAY, signed_version=1, signed_at=now
        )


def appointment_held(cast: Cast, at: datetime) -> None:
    if not Appointment.objects.within(at, at + HOUR).exists():
        (one,) = book_appointment(
            actor=staff(cast.alice), patient_id=cast.patient.pk, starts=[at], minutes=50
        )
        note_held(actor=staff(cast.alice), appointment_id=one.pk)


def appointment_put_back(cast: Cast, at: datetime) -> None:
    one = Appointment.objects.filter(patient=cast.patient, status="held").first()
    if one is not None:
        put_back(actor=staff(cast.alice), appointment_id=one.pk)


def level_rises(cast: Cast, at: datetime) -> None:
    assessed(cast, "critical", makers.now())


def lives_elsewhere(cast: Cast, at: datetime) -> None:
    cast.patient.timezone = "Pacific/Auckland"
    cast.patient.save(update_fields=["timezone"])


WRITES: list[Callable[[Cast, datetime], None]] = [
    message, message_gone, session, session_to_come, session_cancelled, session_labelled,
    therapy_while_high, check_in, measure, worse_measure, correction, level, lower_level, words,
    words_refuted, alert, false_alarm, critical_later, another_colleague, colleague_to_come,
    colleague_gone, own_schedule,
    no_schedule, measure_switched, agrees_to_part_2, lives_elsewhere, referred, agrees_to_treatment,
    nobody_to_call, note_signed, plan_in_force, level_rises, appointment_held, appointment_put_back,
]  # fmt: skip
# What is asked for with every page, or stands in the key, as when a review is due: nobody need tell of it.
ASKED_ALWAYS = (
    measure_switched, agrees_to_part_2, lives_elsewhere, referred, agrees_to_treatment, nobody_to_call,
    note_signed, plan_in_force, level_rises, appointment_held, appointment_put_back,
)  # fmt: skip


def prepare(cast: Cast, write: Callable[[Cast, datetime], None]) -> None:
    """Let something of each kind be there, and what `write` ends or changes."""
    at = makers.now()
    for before in (message, session, measure, words):
        before(cast, at - 20 * DAY)
        makers.scope_all()
    if write is not session_to_come:
        session_to_come(cast, at)
    if write is not another_colleague:
        another_colleague(cast, at)
        CareTeamMember.objects.filter(patient=cast.patient, user=cast.bob).update(starts_at=at - 20 * DAY)
    screened(cast, at - 10 * DAY)
    if write in (agrees_to_treatment, nobody_to_call, note_signed):
        referred(cast, at - 2 * HOUR)
    if write is appointment_put_back:
        appointment_held(cast, at - 2 * HOUR)
    if write is level_rises:
        plan_in_force(cast, at)
    if write in (false_alarm, critical_later):
        alert(cast, at)
        RiskAlert.objects.filter(patient=cast.patient).update(
            raised_at=at - 20 * DAY, level_since=at - 9 * DAY, status="new"
        )
    if write is words_refuted:
        words(cast, at - 2 * HOUR)
    if write is no_schedule:
        own_schedule(cast, at)
    makers.scope_all()


LATER = [
    timedelta(),
    timedelta(minutes=20),
    5 * HOUR,
    3 * DAY,
    15 * DAY,
    43 * DAY,
    61 * DAY,
    91 * DAY,
    731 * DAY,
]
