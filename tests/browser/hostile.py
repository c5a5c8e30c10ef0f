"""Hostile text for every stored field: a corpus of our own, and a house whose every word comes from it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import DatabaseError, models, transaction

from cortex.accounts.apikeys.actions import create_client, create_key
from cortex.accounts.choices import Role, Scope
from cortex.accounts.invitations.actions import invite_person
from cortex.audit.actors import Actor
from cortex.audit.models import AuditLink, AuditLog, PhiAccessLog
from cortex.crypto.sealed import SealedMixin
from crisis.alerts.models import AlertEvent, Disposition, RiskAlert, Verdict
from crisis.byhand.actions import link_person, raise_for_caller
from crisis.casework.actions import log_attempt, log_contact
from crisis.endings.actions import Ending, decide_review, resolve_alert
from crisis.followups.actions import finish_follow_up
from crisis.ownership.actions import claim_alert, escalate_alert, release_alert
from crisis.policies.actions import add_pager, set_engine_state
from crisis.reviews.actions import finish_item, make_item
from crisis.reviews.models import FollowUp, SecondReview
from crisis.safetyplans.actions import Written, finish_plan, save_draft
from crisis.safetyplans.models import MOST_CONTACT, MOST_TEXT
from crisis.safetyplans.queries import held
from crisis.safetyplans.wording import SECTIONS
from patients.care.actions import add_to_care_team, grant_access, plan_cover
from patients.holds.actions import issue_hold, release_hold
from patients.registry.models import Patient
from patients.sessions.records import Batch, LocationData
from tests import makers, stores
from tests.api.conftest import TIER_A, Api, issue_key, item, message
from tests.cast import Cast

# Each would call `hit()` if a page took it for more than text; the shorter ones fit into short columns.
PAYLOADS = [
    "<script>hit()</script>",
    "</script><script>hit()</script>",
    "<ScRiPt >hit()</sCrIpT >",
    "<scr<script>ipt>hit()</scr</script>ipt>",
    "<script/src=data:,hit()></script>",
    "<img src=x onerror=hit()>",
    "<img/src/onerror=hit()//",
    "<image src=x onerror=hit()>",
    "<svg onload=hit()>",
    "<svg><script>hit()</script></svg>",
    "<svg><a xlink:href='javascript:hit()'><text>x</text></a></svg>",
    "<svg><animate onbegin=hit() attributeName=x dur=1s>",
    "<svg><style><img src=x onerror=hit()></style>",
    "<math><mi//xlink:href='data:x,<script>hit()</script>'>",
    "<math><mtext><table><mglyph><style><img src=x onerror=hit()>",
    "<body onload=hit()>",
    "<details open ontoggle=hit()>x</details>",
    "<input autofocus onfocus=hit()>",
    "<video><source onerror=hit()></video>",
    "<audio src=x onerror=hit()>",
    "<iframe srcdoc='<script>parent.hit()</script>'>",
    "<iframe src=javascript:parent.hit()>",
    "<object data='javascript:hit()'>",
    "<embed src='javascript:hit()'>",
    "<a href='javascript:hit()'>x</a>",
    "<a href='java&#9;script:hit()'>x</a>",
    "<a href='&#0;javascript:hit()'>x</a>",
    "<form action=javascript:hit()><button>x</button></form>",
    "<meta http-equiv=refresh content='0;url=javascript:hit()'>",
    "<base href='javascript:/x/'>",
    "<link rel=stylesheet href='data:text/css,*{color:red}'>",
    "<style>@import 'data:text/css,*{color:red}';</style>",
    "\" autofocus onfocus=hit() x=\"",
    "' autofocus onfocus='hit()",
    "\"><img src=x onerror=hit()>",
    "'><svg/onload=hit()>",
    "--><img src=x onerror=hit()><!--",
    "</textarea><script>hit()</script>",
    "</title><script>hit()</script>",
    "<template><img src=x onerror=hit()></template>",
    "<div hx-get='/board/' hx-trigger=load hx-on:load='hit()'>x</div>",
    "{{ 7|add:7 }}{% load ui %}{% now 'Y' %}",
    "${hit()}#{hit()}<%= hit() %>[[hit()]]",
    "javascript:hit()//",
    "\ufeff<\u200bscript>hit()</script>",
    "\uff1cscript\uff1ehit()\uff1c/script\uff1e",
    "\u202e>tpircs/<()tih>tpircs<\u202c\u2028\u2029",
    "&lt;script&gt;hit()&lt;/script&gt;&#60;b&#62;",
    "=HYPERLINK(\"javascript:hit()\",\"x\")",
    "+1+cmd|' /C hit'!A0",
    "-2+3",
    "@SUM(1)",
]  # fmt: skip
CORPUS = " ".join(PAYLOADS)
# Columns that name rows, rows' kinds or machines: codes which other code compares, never somebody's words.
STRUCTURE = {"slug", "jurisdiction", "key_hash", "prefix", "password", "pin_hash", "email", "timezone",
             "default_timezone", "default_language", "anonymous_id", "emergency_number", "legacy_ids",
             "settings", "preferences", "chain", "policy", "factors", "sender",
             "idempotency_key"}  # fmt: skip


class Pen:
    """Writes hostile text that can be told apart by its first word, and remembers what it wrote where."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self.written: dict[str, str] = {}
        self.places: dict[str, str] = {}

    def line(self, place: str, room: int = 120) -> str:
        """Return a short line of at most `room` characters: a mark, then the next payload that fits."""
        number = next(self._numbers)
        mark = f"Zq{number:04d}"
        fitting = [one for one in PAYLOADS if len(one) + len(mark) + 1 <= room]
        return self._keep(place, mark, f"{mark} {fitting[number % len(fitting)]}" if fitting else mark[:room])

    def prose(self, place: str, before: str = "") -> str:
        """Return the whole corpus behind a mark."""
        mark = f"Zq{next(self._numbers):04d}"
        return self._keep(place, mark, f"{mark} {before}{CORPUS}")

    def _keep(self, place: str, mark: str, text: str) -> str:
        self.written[mark] = text
        self.places[mark] = place
        return text


NAMES = ("waiting", "claimed", "ended", "doubted", "kept")


def fill(people: Cast, pen: Pen) -> dict[str, RiskAlert]:
    """Write a house of hostile words by the real ways in, then overwrite what no way in can reach."""
    home, ada = people.home, makers.staff(people.ada)
    people.on_duty()
    app = Api(f"Api-Key {issue_key(home)[1]}")
    alerts = {name: _raised(people, app, pen) for name in NAMES}
    _work(people, pen, alerts)
    client = create_client(actor=ada, organization_id=home.pk, name=pen.line("ApiClient.name"))
    create_key(actor=ada, client_id=client.pk, scopes=[Scope.INTAKE])
    invite_person(
        actor=ada, organization_id=home.pk, email="guest@example.org", role=Role.THERAPIST,
        full_name=pen.line("Invitation.full_name"),
    )  # fmt: skip
    add_pager(actor=ada, name=pen.line("PagerEndpoint.name", 80), url="https://pager.example/",
              secret="s" * 40)  # fmt: skip
    _machine_rows(people, pen)
    _hold(people, pen, _person(alerts["ended"]))
    set_engine_state(actor=ada, subject="rule:H12", state="off", reason=pen.line("EngineSetting.reason", 300))
    _overwrite(pen)
    makers.scope_all()
    _safety_plan(makers.staff(people.cleo), pen, _person(alerts["kept"]))
    makers.scope_all()
    return alerts


def _raised(people: Cast, app: Api, pen: Pen) -> RiskAlert:
    """A person registered by an app with hostile words, who then sends every kind of item."""
    line = pen.line
    answer = app.post("patients", {
        "language": "sw", "timezone": "Africa/Nairobi",
        **{name: line(f"Patient.{name}", room) for name, room in (
            ("given_name", 120), ("middle_name", 120), ("family_name", 120), ("pronouns", 40), ("sex", 20),
            ("gender", 40), ("home_address", 400), ("usual_places", 400), ("mrn", 64))},
        "consents": [{"consent_type": one, "granted": True, "guardian": line("Consent.guardian")}
                     for one in makers.CONSENTS],
        "contacts": [{"name": line("EmergencyContact.name"), "phone": line("EmergencyContact.phone", 40),
                      "relationship": line("EmergencyContact.relationship", 80),
                      "email": line("EmergencyContact.email"), "note": line("EmergencyContact.note", 1000)}],
        "profile": {name: pen.prose(f"PatientProfile.{name}") for name in (
            "self_stated_goals", "self_reported_conditions", "self_reported_medications")},
        "preferences": {"preferred_duration_minutes": 5},
    })  # fmt: skip
    assert answer.status_code == 201, answer.content
    patient = Patient.objects.get(anonymous_id=answer.json()["patient"])
    said = message(patient, pen.prose("Message.content", f"{TIER_A}. "), session="v",
                   metadata={"x": line("Message.metadata")}, service_context={"x": line("Message.context")},
                   safety_analysis={"x": line("Message.safety")})  # fmt: skip
    answer = app.send(
        item("session_started", patient, session="v", session_kind="voice_checkin",
             metrics={"x": line("Session.metrics")}),
        said,
        item("transcript", patient, session="v", text=pen.prose("VoiceSession.transcript")),
        item("emotion", patient, session="v", source="voice", label="sad", confidence=0.8),
        item("activity", patient, session="v", activity_type="breathing", text=pen.prose("Activity.feedback"),
             data={"x": line("Activity.data")}, ai_analysis={"x": line("Activity.ai")}),
        item("feedback", patient, session="v", satisfaction=4, text=pen.prose("Feedback.text"),
             physical_effects=[line("Feedback.physical")], mental_effects=[line("Feedback.mental")]),
        item("checkin", patient, date=f"{makers.now():%Y-%m-%d}", mood=6, notes=pen.prose("CheckIn.notes"),
             metrics={"x": line("CheckIn.metrics")}),
        item("tool_action", patient, session="v", tool_name="timer", status="failed",
             params={"x": line("ToolAction.params")}, error=line("ToolAction.error")),
        item("rationale", patient, message=said["id"], citations=[line("Rationale.citations")]),
    )  # fmt: skip
    assert {one["result"] for one in answer.json()["items"]} == {"stored"}, answer.content
    return RiskAlert.objects.get(patient=patient, kind="self_harm")


def _work(people: Cast, pen: Pen, alerts: dict[str, RiskAlert]) -> None:
    cleo, ada, sam, line = (makers.staff(people.cleo), makers.staff(people.ada), makers.staff(people.sam),
                            pen.line)  # fmt: skip
    for name in ("claimed", "ended", "doubted", "kept"):
        claim_alert(actor=cleo, alert_id=alerts[name].pk)
        if name != "kept":  # nobody releases a person whom they are with
            log_contact(actor=cleo, alert_id=alerts[name].pk, note=pen.prose("AlertEvent.note of a contact"))
    log_attempt(actor=cleo, alert_id=alerts["kept"].pk, note=line("AlertEvent.note of an attempt"))
    escalate_alert(actor=cleo, alert_id=alerts["kept"].pk, reason=line("AlertEvent.note of an escalation"))
    release_alert(actor=cleo, alert_id=alerts["kept"].pk, reason=line("AlertEvent.note of a release"))
    claim_alert(actor=cleo, alert_id=alerts["kept"].pk)
    called = raise_for_caller(
        actor=cleo, pseudonym="", level="high", kind="medical", note=pen.prose("RiskAlert.hand_note"),
        given_name=line("Caller's given name", 100), phone=line("Caller's phone", 40),
        caller=line("Caller's own name", 100), caller_phone=line("Caller's own phone", 40),
    )  # fmt: skip
    claim_alert(actor=cleo, alert_id=called.pk)
    link_person(actor=cleo, alert_id=called.pk, pseudonym=_person(alerts["claimed"]).anonymous_id,
                reason=line("AlertEvent.note of a link"))  # fmt: skip
    alerts["called"] = called
    at = makers.now() + timedelta(hours=20)
    ending = Ending(disposition=Disposition.COMMUNITY, verdict=Verdict.TRUE_CRISIS, follow_up_at=at,
                    notes=pen.prose("RiskAlert.resolution_notes"))  # fmt: skip
    resolve_alert(actor=cleo, alert_id=alerts["ended"].pk, ending=ending)
    doubt = Ending(
        disposition=Disposition.NOT_A_CRISIS, verdict=Verdict.NOT_RISK_LANGUAGE,
        notes=pen.prose("SecondReview.request_note"),
        no_follow_up_reason=line("RiskAlert.no_follow_up_reason"),
    )  # fmt: skip
    for name in ("doubted", "claimed"):
        resolve_alert(actor=cleo, alert_id=alerts[name].pk, ending=doubt)
    review = SecondReview.objects.get(alert=alerts["claimed"], decided_at__isnull=True)
    decide_review(actor=sam, review_id=review.pk, agreed=False, note=line("SecondReview.decision_note"))
    first, *_ = FollowUp.objects.filter(alert=alerts["ended"]).order_by("due_at")
    checks = replace(makers.UNASKED, means_note=line("FollowUpCheck.means_note"))
    finish_follow_up(actor=cleo, follow_up_id=first.pk, outcome="reached", channel="phone",
                     checks=checks, note=line("FollowUp.note"))  # fmt: skip
    patient = _person(alerts["waiting"])
    for done in (True, False):
        one = make_item(actor=makers.machine(people.home), organization_id=people.home.pk, patient=patient,
                        reason_code="medium_risk" if done else "missed_follow_up")  # fmt: skip
        if done:
            finish_item(actor=cleo, item_id=one.pk, outcome="reviewed", note=line("ReviewItem.outcome_note"))
    place = add_to_care_team(actor=ada, patient_id=patient.pk, user_id=people.alice.pk, role="psychiatrist",
                             outside_name=line("CareTeamMember.outside_name"))  # fmt: skip
    plan_cover(actor=ada, member_id=place.pk, user_id=people.bob.pk, starts_at=makers.now(), ends_at=at)
    grant_access(actor=ada, patient_id=patient.pk, user_id=people.bob.pk, ends_at=at,
                 reason_code="consultation", reason=line("PatientUserObjectPermission.reason"))  # fmt: skip
    spot = LocationData(patient.pk, people.home.pk, makers.now(), seen_at=makers.now(),
                        place={"label": line("LastLocation.place")})  # fmt: skip
    makers.store(actor=makers.machine(people.home), patient=patient, sessions=[],
                 batch=Batch(locations=[spot]))  # fmt: skip


def _hold(people: Cast, pen: Pen, patient: Patient) -> None:
    """A legal hold that was issued and released with hostile words; its reference takes printable signs."""
    matter = "\u202e"
    while not matter.isprintable():
        matter = pen.line("LegalHold.matter", 80)
    issuer, other = (makers.staff(makers.make_user(Role.COMPLIANCE, people.home)) for _ in range(2))
    one = issue_hold(
        actor=issuer, patient_id=patient.pk, matter=matter, reason=pen.line("LegalHold.reason", 2000)
    )
    release_hold(actor=other, hold_id=one.pk, reason=pen.line("LegalHold.release_reason", 2000))


def _safety_plan(actor: Actor, pen: Pen, patient: Patient) -> None:
    """A plan in force whose every line is hostile, and a draft beside it."""

    def written(place: str) -> Written:
        rows = {
            one.key: [(pen.line(f"{place}.text", MOST_TEXT), pen.line(f"{place}.contact", MOST_CONTACT))]
            for one in SECTIONS
        }
        return Written(rows)

    finish_plan(actor=actor, patient_id=patient.pk, written=written("SafetyPlanItem"), seen="")
    makers.scope_all()
    seen = held([patient.pk]).token
    save_draft(actor=actor, patient_id=patient.pk, written=written("SafetyPlan"), seen=seen)


def _person(alert: RiskAlert) -> Patient:
    assert alert.patient is not None
    return alert.patient


def _machine_rows(people: Cast, pen: Pen) -> None:
    """Rows that processes and other people leave behind."""
    home, at, line = people.home, makers.now(), pen.line
    rows: dict[str, dict[str, Any]] = {
        "accounts.StaffProfile": {"organization": home, "user": people.ada},
        "accounts.Subscription": {"user": people.ada, "plan_type": "clinic", "started_at": at},
        "accounts.UsageRecord": {"user": people.ada, "resource_type": "items", "quantity": 1,
                                 "billing_period_start": at, "billing_period_end": at + timedelta(days=1)},
        "crisis.CrisisResource": {"organization": home, "jurisdiction": home.jurisdiction, "name": "n",
                                  "kind": "suicide_line", "phone": "+254700000999"},
        "ops.FeatureFlag": {"name": "hostile", "target_regions": [line("FeatureFlag.target_regions", 16)],
                            "conditions": {"x": line("FeatureFlag.conditions")}},
        "ops.SystemSetting": {"key": "hostile", "value": line("SystemSetting.value")},
        "ops.RetentionPolicy": {"model": "hostile.Row", "basis_field": "received_at", "days": 90},
        "ops.ServiceHeartbeat": {"name": "hostile", "last_run_at": at},
        "ops.ScheduledSlot": {"job": "hostile", "slot": at, "send_at": at},
        "ops.CspViolation": {"directive": "script-src", "source": "inline", "route": "hostile",
                             "first_at": at, "last_at": at},
        "ops.DeadLetter": {"kind": "task", "name": "hostile", "slot": at, "error_code": "x", "last_at": at},
        "ops.ServiceMetric": {"service_name": "hostile", "metric_name": "x", "metric_value": 1.0,
                              "recorded_at": at},
    }  # fmt: skip
    with stores.role("cortex_owner"):
        for label, values in rows.items():
            model: Any = apps.get_model(label)
            model._default_manager.create(**values)


def _overwrite(pen: Pen) -> None:
    """Put hostile text into every plain text column of the back office's rows that the database lets be."""
    with stores.role("cortex_owner"):
        for model in admin.site._registry:
            if model in (AuditLink, AuditLog, PhiAccessLog, AlertEvent):
                continue  # append-only: what stands there came by the actions above
            for field in plain_fields(model):
                for row in model._default_manager.order_by("-pk")[:2]:
                    place = f"{model.__name__}.{field.name}"
                    room = field.max_length or 4000
                    try:
                        with transaction.atomic():
                            text = pen.line(place, room)
                            value: Any = {"x": text} if isinstance(field, models.JSONField) else text
                            model._default_manager.filter(pk=row.pk).update(**{field.name: value})
                    except DatabaseError:
                        break  # a check of the database holds it to its codes


def plain_fields(model: Any) -> list[Any]:
    """Return the columns of a model in which words could stand unsealed."""
    return [
        one for one in model._meta.concrete_fields
        if isinstance(one, models.CharField | models.TextField | models.JSONField)
        and not isinstance(one, SealedMixin) and not one.choices and not one.primary_key
        and one.name not in STRUCTURE and not one.name.endswith(("_code", "_hash"))
    ]  # fmt: skip
