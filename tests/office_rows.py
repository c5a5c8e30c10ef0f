"""One more row for every list of the back office, by the real actions where there is one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.apps import apps

from clinical.assessments.actions import begin_assessment, finish_assessment
from cortex.accounts.signin.devices import account_mark
from crisis.policies.actions import add_pager
from patients.care.actions import add_to_care_team, plan_cover
from patients.registry.models import Patient
from patients.sessions.records import Batch, LocationData
from tests import makers, stores
from tests.api.conftest import Api, item, message
from tests.cast import Cast
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
    team = add_to_care_team(
        actor=makers.staff(cast.ada), patient_id=patient.pk, user_id=makers.make_user("therapist", home).pk,
        role="psychiatrist",
    )  # fmt: skip
    plan_cover(
        actor=makers.staff(cast.ada), member_id=team.pk, user_id=cast.bob.pk, starts_at=at,
        ends_at=at + timedelta(hours=8),
    )  # fmt: skip
    calm = {f"q{item}": 0 for item in range(1, 8)}
    finish_assessment(actor=makers.machine(home), patient_id=patient.pk, key="gad7", answers=calm)
    begin_assessment(actor=makers.machine(home), patient_id=patient.pk, key="gad7")
    plant_sessions(cast.alice, patient)
    # Like what processes leave behind; no door adds these.
    with stores.role("cortex_owner"):
        for label, values in _machine_rows(cast, patient, number).items():
            model: Any = apps.get_model(label)
            model._default_manager.create(**values)


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
        "clinical.InstrumentText": {"instrument": instrument, "language": "en", "texts": {}},
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
