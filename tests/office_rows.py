"""One more row for every list of the back office, by the real actions where there is one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.apps import apps

from clinical.assessments.actions import begin_assessment, finish_assessment
from clinical.caseload.actions import keep_view
from clinical.caseload.filters import Filters
from clinical.notes.actions import begin_note, save_block, save_draft, sign_note
from clinical.notes.addenda.actions import write_addendum
from clinical.notes.models import PROCESS
from clinical.plans.actions import sign_plan
from clinical.plans.models import PlanVersion
from clinical.plans.reviews.actions import hold_review
from cortex.accounts.models import User
from cortex.accounts.signin.devices import account_mark
from cortex.ids import uuid7
from crisis.policies.actions import add_pager
from patients.breakglass.actions import break_glass
from patients.care.actions import add_to_care_team, plan_cover
from patients.contacts.actions import open_exception
from patients.covers.actions import plan_absence
from patients.holds.actions import issue_hold
from patients.pathway.actions import EndingData, ReferralData, make_referral, transfer_care
from patients.registry.models import Patient
from patients.sessions.records import Batch, LocationData
from tests import makers, stores
from tests.api.conftest import Api, item, message
from tests.cast import Cast
from tests.walk.documents import bring_letter
from tests.walk.plans import begin
from tests.walk.safety import make_safety_plan
from tests.walk.sessions import plant_sessions


def add_rows(cast: Cast, app: Api, patient: Patient, number: int) -> None:
    """Let the person's app send one item of each kind, and the house keep one row of each of its own."""
    _send_every_kind(app, patient, number)
    home, at = cast.home, makers.now()
    place = LocationData(patient.pk, home.pk, at, place={"label": f"Kibandani{number}"}, seen_at=at)
    makers.store(actor=makers.machine(home), patient=patient, sessions=[], batch=Batch(locations=[place]))
    add_pager(
        actor=makers.staff(cast.ada), name=f"Pager {number}", url="https://pager.example/", secret="s" * 40
    )
    colleague = makers.make_user("therapist", home)
    team = add_to_care_team(
        actor=makers.staff(cast.ada), patient_id=patient.pk, user_id=colleague.pk, role="psychiatrist"
    )
    _write_notes(colleague, patient)
    plan_cover(
        actor=makers.staff(cast.ada), member_id=team.pk, user_id=cast.bob.pk, starts_at=at,
        ends_at=at + timedelta(hours=8),
    )  # fmt: skip
    _ways(cast, patient, number)
    keep_view(actor=makers.staff(colleague), name="Mine", filters=Filters(view="need"))
    calm = {f"q{item}": 0 for item in range(1, 8)}
    finish_assessment(actor=makers.machine(home), patient_id=patient.pk, key="gad7", answers=calm)
    begin_assessment(actor=makers.machine(home), patient_id=patient.pk, key="gad7")
    treats = makers.staff(cast.alice)
    begin(treats, patient.pk, f"Plan {number}")
    sign_plan(actor=treats, patient_id=patient.pk, patient_agreed=True)
    hold_review(actor=treats, patient_id=patient.pk, patient_view="It helps.", decision="continue")
    plant_sessions(cast.alice, patient)
    bring_letter(cast.alice, patient.pk)
    make_safety_plan(cast.alice, patient.pk, f"Made {number}")
    # Like what processes leave behind; no door adds these.
    with stores.role("cortex_owner"):
        for label, values in _machine_rows(cast, patient, number).items():
            model: Any = apps.get_model(label)
            model._default_manager.create(**values)


def _write_notes(author: User, patient: Patient) -> None:
    """A note and a process note, each written in two spells, signed and added to; a text block."""
    where: dict[str, Any] = {"actor": makers.staff(author), "patient_id": patient.pk}
    words = {"free_text": "Made.", "risk_statement": "Made."}
    for kind in ("session_note", PROCESS):
        note = begin_note(note_type=kind, **where)
        for version in (1, 2):
            save_draft(note_id=note.pk, version=version, spell=uuid7(), number=1, sections=words, **where)
        sign_note(note_id=note.pk, version=3, **where)
        write_addendum(note_id=note.pk, text="Made.", **where)
    save_block(actor=where["actor"], title="Made", note_type="", sections={"text": "Made."})


def _ways(cast: Cast, patient: Patient, number: int) -> None:
    """A referral, an absence, an opened chart and a hand-over."""
    home, at = cast.home, makers.now()
    doctor, away, other = (makers.make_user("therapist", home) for _ in range(3))
    make_referral(
        actor=makers.staff(cast.sam), patient=patient, data=ReferralData("school", "routine", "Sent home.")
    )
    plan_absence(
        actor=makers.staff(away), user_id=away.pk, cover_id=other.pk, starts_at=at,
        ends_at=at + timedelta(days=number + 1),
    )  # fmt: skip
    break_glass(
        actor=makers.staff(doctor), asked=patient.anonymous_id, reason_code="care_continuity",
        reason="The team's telephone rings out.",
    )  # fmt: skip
    makers.consent(patient, "emergency_contact", granted=False)
    open_exception(
        actor=makers.staff(cast.alice), patient=patient, alert_id=uuid4(), level="critical",
        reason="He stands on the bridge.",
    )  # fmt: skip
    issue_hold(
        actor=makers.staff(makers.make_user("compliance", home)), patient_id=patient.pk,
        matter=f"HC {number}", reason="A claim names these records.",
    )  # fmt: skip
    makers.add_to_team(patient, away, role="case_manager")
    transfer_care(
        actor=makers.staff(away), patient=patient, from_id=away.pk, to_id=other.pk,
        data=EndingData("person_asked", "Met twice."),
    )  # fmt: skip


def _send_every_kind(app: Api, who: Patient, number: int) -> None:
    voice = f"v{number}"
    said = message(who, session=voice)
    answer = app.send(
        item("session_started", who, session=voice, session_kind="voice_checkin"),
        said,
        item("transcript", who, session=voice, text="Leo nimechoka kidogo"),
        item("voice_features", who, session=voice, pitch_mean=180, speech_seconds=40),
        item("emotion", who, session=voice, source="voice", label="sad", confidence=0.8),
        item("activity", who, session=voice, activity_type="breathing"),
        item("feedback", who, session=voice, satisfaction=4),
        item("checkin", who, date=f"{makers.now():%Y-%m-%d}", mood=6),
        item("tool_action", who, session=voice, tool_name="timer", status="succeeded"),
        item("rationale", who, message=said["id"], policy_selected="listen"),
        key=f"office-request-{number:04d}",
    )  # fmt: skip
    assert {one["result"] for one in answer.json()["items"]} == {"stored"}, answer.content


def _appointment(cast: Cast, patient: Patient, therapist: Any, number: int) -> Any:
    """An appointment with a line that was made of it."""
    start, codes = makers.now() - timedelta(hours=2), apps.get_model("clinical.BillingCode")
    row = apps.get_model("clinical.Appointment").objects.create(
        organization=cast.home, patient=patient, therapist=therapist, starts_at=start,
        ends_at=start + timedelta(minutes=50),
    )  # fmt: skip
    apps.get_model("clinical.BillingLine").objects.create(
        organization=cast.home, patient=patient, provider=therapist, appointment=row, code="MISSED",
        billing_code=codes.objects.get(code="MISSED"), system="own", own_label="Missed", minutes=number,
        service_date=start.date(),
    )  # fmt: skip
    return row


def _follow_up(patient: Patient) -> Any:
    """A promised contact that was made, after an alert that has ended."""
    at = makers.now()
    alert = apps.get_model("crisis.RiskAlert").objects.create(
        organization=patient.organization, patient=patient, kind="other", level="high", status="resolved",
        reason_code="text_a", raised_at=at, level_since=at, resolved_at=at - timedelta(days=2),
        claim_due_at=at, contact_due_at=at, disposition_due_at=at,
    )  # fmt: skip
    return apps.get_model("crisis.FollowUp").objects.create(
        organization=patient.organization, patient=patient, alert=alert, due_at=at, label="7d", status="done",
        done_at=at,
    )  # fmt: skip


def _welfare_item(patient: Patient) -> Any:
    """A question about a welfare check that a supervisor answered."""
    at = makers.now()
    return apps.get_model("crisis.ReviewItem").objects.create(
        organization=patient.organization, patient=patient, reason_code="welfare_check", due_at=at,
        done_at=at, outcome="send",
    )  # fmt: skip


def _machine_rows(cast: Cast, patient: Patient, number: int) -> dict[str, dict[str, Any]]:
    home, at = cast.home, makers.now()
    colleague = makers.make_user("therapist", home)
    policy = apps.get_model("ops.RetentionPolicy").objects.create(
        model=f"patients.Made{number}", basis_field="received_at", days=90
    )
    instrument = apps.get_model("clinical.Instrument").objects.create(
        key=f"made{number}", version="1", title="Made", definition={}
    )
    return {
        "ops.CspViolation": {
            "directive": "img-src", "source": "host", "route": f"made:page{number}", "first_at": at,
            "last_at": at,
        },
        "clinical.InstrumentText": {"instrument": instrument, "language": "en", "texts": {}},
        "clinical.TimelinePin": {
            "organization": home, "patient": patient, "source": "session", "item_id": uuid4(),
            "pinned_by": colleague, "pinned_at": at,
        },
        "clinical.FindingReview": {
            "organization": home, "patient": patient, "kind": "level", "finding_id": uuid4(), "code": "high",
            "said_by": f"Engine {number}", "verdict": "accepted", "reviewed_by": colleague,
            "reviewed_at": at,
        },
        "clinical.DiagnosisFavourite": {"organization": home, "user": colleague, "code": "F40.01"},
        "clinical.PlanApproval": {"organization": home, "patient": patient, "approved": True,
                                  "decided_at": at,
                                  "decided_by": cast.sam,
                                  "plan_version": PlanVersion.objects.get(patient=patient)},
        "clinical.AppointmentReminder": {"organization": home, "patient": patient, "due_at": at,
                                         "appointment": _appointment(cast, patient, colleague, number)},
        "clinical.CalendarPreference": {"organization": home, "user": colleague, "timezone": "UTC"},
        "clinical.BillingCode": {"organization": home, "code": f"OWN-{number}", "system": "own",
                                 "own_label": "Therapy", "service": "psychotherapy",
                                 "active_from": at.date()},
        "clinical.InstrumentSwitch": {"organization": home, "instrument": instrument, "is_offered": False},
        "clinical.MeasurePlan": {"organization": home, "patient": patient, "key": "gad7", "interval_days": 7,
                                 "reason": "closer", "set_at": at},
        "clinical.MeasureChase": {"organization": home, "patient": patient, "key": "gad7", "due_at": at},
        "clinical.CaseMark": {"organization": home, "user": colleague, "patient": patient, "looked_at": at},
        "accounts.StaffProfile": {"organization": home, "user": colleague, "title": "Dr"},
        "accounts.LoginAttempt": {"at": at, "outcome": "wrong",
                                  "account_hash": account_mark(cast.cleo.email)},
        "accounts.Subscription": {"user": colleague, "plan_type": "clinic", "started_at": at},
        "accounts.UsageRecord": {"user": colleague, "resource_type": "items", "quantity": 1,
                                 "billing_period_start": at, "billing_period_end": at + timedelta(days=1)},
        "audit.AuditLink": {"number": 10_000 + number, "trail": "audit", "row_id": patient.pk,
                            "row_digest": b"\0" * 32, "previous_hash": b"\0" * 32, "hash": b"\0" * 32,
                            "linked_at": at},
        "crisis.CrisisResource": {"organization": home, "jurisdiction": "KE", "name": f"Own line {number}",
                                  "kind": "crisis_line", "phone": f"+2547008{number:05d}"},
        "crisis.StepDown": {"organization": home, "patient": patient, "asked_by": colleague, "asked_at": at,
                            "due_at": at + timedelta(minutes=30)},
        "crisis.FollowUpCheck": {"organization": home, "patient": patient, "answered_at": at, "means": "safe",
                                 "follow_up": _follow_up(patient), "answered_by": colleague},
        "crisis.WelfareDecision": {"organization": home, "patient": patient, "decision": "send",
                                   "decided_at": at, "decided_by": cast.sam, "contact": "tried",
                                   "item": _welfare_item(patient)},
        "ops.FeatureFlag": {"name": f"flag-{number}"},
        "ops.SystemSetting": {"key": f"office.{number}", "value": number},
        "ops.RetentionRun": {"policy": policy},
        "ops.ServiceHeartbeat": {"name": f"machine-{number}", "last_run_at": at},
        "ops.ScheduledSlot": {"job": f"job-{number}", "slot": at, "send_at": at},
        "ops.DeadLetter": {"kind": "task", "name": f"job-{number}", "slot": at, "error_code": "ValueError",
                           "last_at": at},
        "ops.ServiceMetric": {"service_name": "office", "metric_name": "x", "metric_value": 1.0,
                              "recorded_at": at},
    }  # fmt: skip
