"""The world of the URL walk: planted people, alerts in every state, and a row of every model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin

from clinical.assessments.actions import begin_assessment, finish_assessment
from clinical.assessments.models import Instrument
from clinical.assessments.planning.actions import set_plan, switch_instrument
from clinical.caseload.actions import keep_view, mark_reviewed
from clinical.caseload.filters import Filters
from clinical.scheduling.actions import book_appointment, choose_zone, note_held
from clinical.scheduling.billing.actions import add_code, bill_appointment
from clinical.scheduling.queries import REMINDER
from clinical.timeline.actions import pin_entry, review_finding
from cortex.accounts.apikeys.actions import revoke_key
from cortex.accounts.choices import Role, Scope
from cortex.accounts.factors.actions import add_app
from cortex.accounts.factors.codes import new_secret
from cortex.accounts.invitations.actions import invite_person
from cortex.accounts.models import Invitation, User
from cortex.accounts.signin.devices import account_mark
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.ids import uuid7
from cortex.ops.models import Notification
from cortex.ui.admin import ActionAdmin
from crisis.alerts.models import Disposition, RiskAlert, Verdict
from crisis.byhand.actions import link_person, raise_for_caller
from crisis.casework.actions import log_contact
from crisis.duty.actions import plan_shift
from crisis.duty.models import DutyShift, DutyStatus
from crisis.endings.actions import Ending, resolve_alert
from crisis.escalation.models import SlaPolicy
from crisis.ownership.actions import claim_alert
from crisis.policies.actions import add_pager, set_engine_state
from crisis.reviews.actions import make_item
from crisis.reviews.models import FollowUp, ReviewItem, SecondReview
from crisis.risk.queries import latest_assessment
from patients.care.actions import plan_cover
from patients.care.models import CareTeamMember
from patients.registry.models import Patient
from patients.registry.records import ContactData, PreferenceData
from patients.sessions.observations import DailyCheckIn
from patients.sessions.records import Batch, LocationData
from tests import makers, stores
from tests.api.conftest import Api, issue_key, item, message
from tests.cast import Cast, make_cast
from tests.unit.accounts.factors import code_of
from tests.walk.documents import bring_letter
from tests.walk.notes import Notes, write_notes
from tests.walk.plans import PlanRows, make_plans
from tests.walk.safety import make_safety_plan
from tests.walk.sessions import plant_sessions
from tests.walk.ways import add_ways
from tests.walk.welfare import ask_questions

HOME_ONLY = ("psychiatrist", "compliance", "auditor")


@dataclass
class World:
    """Everybody who knocks, everything that they knock at, and every word that must not slip out."""

    cast: Cast
    people: dict[str, User]
    home_key: Api
    other_key: Api
    planted: dict[str, UUID] = field(default_factory=dict)
    alerts: dict[str, RiskAlert] = field(default_factory=dict)
    patients: dict[str, Patient] = field(default_factory=dict)
    follow_up: FollowUp | None = None
    review: ReviewItem | None = None
    second: SecondReview | None = None
    invitation: Invitation | None = None
    assessment_id: str = ""
    notes: Notes | None = None
    level_id: str = ""
    check_in_id: str = ""
    document_id: str = ""
    safety: dict[str, str] = field(default_factory=dict)
    case_view_id: str = ""
    ways: dict[str, str] = field(default_factory=dict)
    appointment_id: str = ""
    held_id: str = ""
    line_id: str = ""
    notice_id: str = ""
    sessions: dict[str, str] = field(default_factory=dict)
    source_id: str = ""
    plans: dict[str, PlanRows] = field(default_factory=dict)
    credentials: dict[str, str] = field(default_factory=dict)

    def id_of(self, name: str) -> str:
        """Return the id of one of the alerts."""
        return str(self.alerts[name].pk)


def make_world() -> World:
    """Write the world; everything about people goes through the real actions and the real API."""
    cast = make_cast()
    world = World(
        cast=cast,
        people=_people(cast),
        home_key=Api(f"Api-Key {issue_key(cast.home)[1]}"),
        other_key=Api(f"Api-Key {issue_key(cast.elsewhere)[1]}"),
    )
    cast.on_duty()
    cast.on_duty(world.people["chao"])
    plan_shift(
        actor=makers.staff(cast.ada), user_id=world.people["kito"].pk, organization_id=cast.home.pk,
        role="counselor", planned_start=makers.now() + timedelta(days=1),
        planned_end=makers.now() + timedelta(days=1, hours=8),
    )  # fmt: skip
    for number, name in enumerate(("waiting", "claimed", "contact", "ended", "doubted"), start=1):
        _plant(world, name, number)
    _work(world)
    _send_every_kind(world)
    _house_rows(world)
    _credentials(world)
    # Bob signs in with an app, so that there is something to reset and the factors' key is there.
    secret = new_secret()
    add_app(actor=makers.staff(cast.bob), secret=secret, code=code_of(secret))
    makers.scope_all()
    return world


def _credentials(world: World) -> None:
    """Every kind of sender: keys of both houses, a narrow, a revoked and a made-up one, tokens, a session."""
    cast = world.cast
    narrow = issue_key(cast.home, [Scope.SUPPORT])[1]
    revoked, raw = issue_key(cast.home)
    revoke_key(actor=makers.staff(cast.ada), key_id=revoked.pk)
    pseudonym = world.patients["contact"].anonymous_id
    token = world.home_key.post(f"patients/{pseudonym}/tokens", {"minutes": 60}).json()["token"]
    world.credentials = {
        "home_key": world.home_key.header, "other_key": world.other_key.header,
        "narrow_key": f"Api-Key {narrow}", "revoked_key": f"Api-Key {raw}",
        "forged_key": f"{world.home_key.header[:-4]}AAAA", "token": f"Bearer {token}",
        "forged_token": f"Bearer {token[:-4]}AAAA", "cleo": "", "ada": "", "nobody": "",
    }  # fmt: skip


def _people(cast: Cast) -> dict[str, User]:
    """The cast, one of each other role, an off-duty counselor, the same roles elsewhere, and an operator."""
    people = {name: getattr(cast, name) for name in ("alice", "bob", "cleo", "sam", "ada", "charlie")}
    more = {
        "kito": (Role.COUNSELOR, cast.home), "pendo": (Role.PSYCHIATRIST, cast.home),
        "cora": (Role.COMPLIANCE, cast.home), "otto": (Role.AUDITOR, cast.home),
        "chao": (Role.COUNSELOR, cast.elsewhere), "sefu": (Role.SUPERVISOR, cast.elsewhere),
        "esi": (Role.ADMIN, cast.elsewhere), "cyd": (Role.COMPLIANCE, cast.elsewhere),
        "odo": (Role.AUDITOR, cast.elsewhere),
    }  # fmt: skip
    for name, (role, where) in more.items():
        people[name] = makers.make_user(role, where, email=f"{name}@example.org", full_name=name.title())
    people["opal"] = makers.make_user(
        Role.ADMIN, cast.home, email="opal@example.org", full_name="Opal", is_operator=True
    )
    return people


def _plant(world: World, name: str, number: int) -> None:
    """A person of Alice's with words found nowhere else, and an alert by what they wrote to the app."""
    said = f"leo usiku nitajiua, nimeandaa kamba, mbuyuni{number}"
    patient = makers.make_patient(
        world.cast.home,
        team=[world.cast.alice],
        given_name=f"Zuhura{number}x",
        family_name=f"Plantwell{number}",
        email=f"plant{number}@hidden.example",
        phone=f"+25473310445{number}",
        home_address=f"{number} Hidden Lane",
        contacts=[ContactData(f"Okellowick{number}", f"+25472210446{number}", "brother")],
        preference=PreferenceData(),
    )
    world.patients[name] = patient
    words = (f"Zuhura{number}x", f"Plantwell{number}", f"plant{number}@hidden", f"+25473310445{number}",
             f"{number} Hidden Lane", f"Okellowick{number}", f"+25472210446{number}", f"mbuyuni{number}",
             f"handwritten{number}", f"closing{number}", f"Kibandani{number}")  # fmt: skip
    world.planted |= dict.fromkeys(words, patient.pk)
    answer = world.home_key.send(message(patient, said))
    assert answer.status_code == 200, answer.content
    world.alerts[name] = RiskAlert.objects.get(patient=patient, kind="self_harm")


def _work(world: World) -> None:
    """Bring the alerts into the states that commands need."""
    set_engine_state(
        actor=makers.staff(world.cast.ada), subject="rule:H12", state="off", reason="Voices are noisy here."
    )
    cleo = makers.staff(world.cast.cleo)
    contact = world.alerts["contact"]
    world.source_id = next(one["source_id"] for one in contact.factors if one.get("source_id"))
    for name in ("claimed", "contact", "ended", "doubted"):
        claim_alert(actor=cleo, alert_id=world.alerts[name].pk)
    log_contact(actor=cleo, alert_id=contact.pk, note="handwritten3, by phone")
    raise_for_caller(
        actor=cleo, pseudonym=world.patients["waiting"].anonymous_id, level="high", kind="medical",
        note="handwritten1, a neighbour called",
    )  # fmt: skip
    unknown = raise_for_caller(
        actor=cleo, pseudonym="", level="high", kind="self_harm", note="handwritten6, a teacher called",
    )  # fmt: skip
    claim_alert(actor=cleo, alert_id=unknown.pk)
    world.alerts["unknown"] = unknown
    assert unknown.patient_id is not None
    world.planted["handwritten6"] = unknown.patient_id
    linked = raise_for_caller(
        actor=cleo, pseudonym="", level="high", kind="other", note="handwritten7, the police called",
    )  # fmt: skip
    claim_alert(actor=cleo, alert_id=linked.pk)
    link_person(
        actor=cleo, alert_id=linked.pk, pseudonym=world.patients["claimed"].anonymous_id,
        reason="They read the number out",
    )  # fmt: skip
    world.alerts["linked"] = linked
    assert linked.patient_id is not None
    world.planted["handwritten7"] = linked.patient_id
    ending = Ending(
        disposition=Disposition.COMMUNITY, verdict=Verdict.TRUE_CRISIS, notes="closing4: with her brother",
        follow_up_at=makers.now() + timedelta(hours=20),
    )  # fmt: skip
    resolve_alert(actor=cleo, alert_id=world.alerts["ended"].pk, ending=ending)
    doubt = replace(
        ending, disposition=Disposition.NOT_A_CRISIS, verdict=Verdict.NOT_RISK_LANGUAGE,
        notes="closing5: a song", follow_up_at=None, no_follow_up_reason="closing5 again",
    )  # fmt: skip
    resolve_alert(actor=cleo, alert_id=world.alerts["doubted"].pk, ending=doubt)
    world.follow_up = FollowUp.objects.filter(alert=world.alerts["ended"]).order_by("due_at").first()
    world.second = SecondReview.objects.get(alert=world.alerts["doubted"], decided_at__isnull=True)
    world.review = make_item(
        actor=makers.machine(world.cast.home), organization_id=world.cast.home.pk,
        patient=world.patients["claimed"], reason_code="medium_risk",
    )  # fmt: skip


def _send_every_kind(world: World) -> None:
    """Let an app send one item of each kind, so that every table of the floor holds a row."""
    who, at = world.patients["contact"], (makers.now() - timedelta(minutes=3)).isoformat()
    said = message(who, session="v1")
    answer = world.home_key.send(
        item("session_started", who, session="v1", session_kind="voice_checkin", at=at),
        said,
        item("transcript", who, session="v1", text="Leo nimechoka kidogo, mbuyuni3", at=at),
        item("voice_features", who, session="v1", pitch_mean=180, speech_seconds=40),
        item("emotion", who, session="v1", source="voice", label="sad", confidence=0.8),
        item("activity", who, session="v1", activity_type="breathing", text="mbuyuni3 tena"),
        item("feedback", who, session="v1", satisfaction=4, text="Nzuri, mbuyuni3"),
        item("checkin", who, date=f"{makers.now():%Y-%m-%d}", mood=6, notes="mbuyuni3"),
        item("tool_action", who, session="v1", tool_name="timer", status="succeeded"),
        item("rationale", who, message=said["id"], policy_selected="listen"),
        key="walk-request-0001",
    )  # fmt: skip
    assert {one["result"] for one in answer.json()["items"]} == {"stored"}, answer.content


def _house_rows(world: World) -> None:
    """Rows that no action of this walk leaves behind."""
    home, at, ada = world.cast.home, makers.now(), world.cast.ada
    world.invitation = invite_person(
        actor=makers.staff(ada), email="guest@example.org", full_name="Guest", role=Role.THERAPIST,
        organization_id=home.pk,
    )  # fmt: skip
    makers.grant(world.patients["ended"], world.people["pendo"])
    place = CareTeamMember.objects.get(patient=world.patients["ended"], user=world.cast.alice)
    plan_cover(
        actor=makers.staff(ada), member_id=place.pk, user_id=world.people["pendo"].pk, starts_at=at,
        ends_at=at + timedelta(days=2),
    )  # fmt: skip
    add_pager(actor=makers.staff(ada), name="Pager", url="https://pager.example/", secret="s" * 40)
    patient = world.patients["contact"]
    place = LocationData(patient.pk, home.pk, at, place={"label": "Kibandani3"}, seen_at=at)
    makers.store(actor=makers.machine(home), patient=patient, sessions=[], batch=Batch(locations=[place]))
    treats, who = makers.staff(world.cast.alice), patient.pk
    calm = {f"q{number}": 0 for number in range(1, 8)}
    one, _ = finish_assessment(actor=treats, patient_id=who, key="gad7", answers=calm)
    world.assessment_id = str(one.pk)
    begin_assessment(actor=treats, patient_id=who, key="gad7")
    mark_reviewed(actor=treats, patient_id=who)
    world.notes = write_notes(world.cast, who)
    world.planted["handwritten8"] = who
    world.document_id = bring_letter(world.cast.alice, who)
    world.safety = make_safety_plan(world.cast.alice, who, "handwritten9")
    world.planted["handwritten9"] = who
    ask_questions(world)
    kept = keep_view(actor=treats, name="Mbuyuni3", filters=Filters(view="need"))
    world.case_view_id = str(kept.pk)
    pin_entry(actor=treats, patient_id=who, source="measure", item_id=one.pk)
    makers.scope_all()
    level = latest_assessment(patient.person_id)
    assert level is not None
    world.level_id = str(level.pk)
    world.check_in_id = str(DailyCheckIn.objects.get(patient=patient).pk)
    review_finding(
        actor=treats, patient_id=who, source="level", finding_id=level.pk, verdict="commented",
        comment="mbuyuni3",
    )  # fmt: skip
    add_ways(world)
    world.plans = make_plans(world)
    _calendar_rows(world)
    world.sessions = plant_sessions(world.cast.alice, patient)
    makers.scope_all()
    with stores.role("cortex_owner"):
        common = SlaPolicy.objects.filter(organization__isnull=True).first()
        assert common is not None
        common.pk, common._state.adding, common.organization = None, True, home
        common.pk = uuid7()
        common.save(force_insert=True)
        for label, values in _specimens(world, at).items():
            model: Any = apps.get_model(label)
            if not model._default_manager.exists():
                model._default_manager.create(**(values() if callable(values) else values))


def _calendar_rows(world: World) -> None:
    """An appointment that has begun, one that was held and billed, one to come with its reminder."""
    alice, ada = makers.staff(world.cast.alice), makers.staff(world.cast.ada)
    who, at = world.patients["contact"].pk, makers.now()

    def book(**before: float) -> str:
        (one,) = book_appointment(actor=alice, patient_id=who, starts=[at - timedelta(**before)], minutes=50)
        return str(one.pk)

    world.appointment_id, world.held_id = book(hours=1), book(hours=3)
    book(days=-3)
    note_held(actor=alice, appointment_id=UUID(world.held_id))
    add_code(
        actor=ada, code="OWN-50", system="own", own_label="Therapy, 50 min", service="psychotherapy",
        active_from="2020-01-01", jurisdiction="KE",
    )  # fmt: skip
    (line,) = bill_appointment(actor=alice, appointment_id=UUID(world.held_id), code="MISSED")
    world.line_id = str(line.pk)
    choose_zone(actor=alice, timezone="Africa/Nairobi")
    set_plan(actor=alice, patient_id=who, key="gad7", reason="closer", interval_days=7)
    makers.scope_all()
    gad7 = Instrument.objects.get(key="gad7")
    switch_instrument(actor=ada, instrument_id=gad7.pk, is_offered=True)
    makers.scope_all()
    world.notice_id = str(
        Notification.objects.create(
            organization=world.cast.home, recipient=world.cast.alice, code=REMINDER,
            object_id=UUID(world.appointment_id),
        ).pk
    )  # fmt: skip


def _specimens(world: World, at: Any) -> dict[str, dict[str, Any] | Callable[[], dict[str, Any]]]:
    home, ada = world.cast.home, world.cast.ada
    patient = world.patients["contact"]
    digest = b"\x00" * 32
    return {
        "clinical.MeasureChase": {"organization": home, "patient": world.patients["contact"], "key": "gad7",
                                  "due_at": at},
        "accounts.Subscription": {"user": ada, "plan_type": "clinic", "started_at": at},
        "accounts.UsageRecord": {"user": ada, "resource_type": "items", "quantity": 1,
                                 "billing_period_start": at, "billing_period_end": at + timedelta(days=1)},
        "accounts.LoginAttempt": {"at": at, "account_hash": account_mark(ada.email), "outcome": "refused"},
        "accounts.StaffProfile": {"organization": home, "user": ada, "title": "Dr"},
        "audit.AuditLink": {"number": 1, "trail": "audit", "row_id": patient.pk, "row_digest": digest,
                            "previous_hash": digest, "hash": digest, "linked_at": at},
        "ops.FeatureFlag": {"name": "walk"},
        "ops.SystemSetting": {"key": "walk", "value": 1},
        "ops.RetentionPolicy": {"model": "patients.Message", "basis_field": "received_at", "days": 90},
        "ops.RetentionRun": lambda: {"policy": apps.get_model("ops.RetentionPolicy").objects.first()},
        "ops.ServiceHeartbeat": {"name": "walk", "last_run_at": at},
        "ops.ScheduledSlot": {"job": "walk", "slot": at, "send_at": at},
        "ops.CspViolation": {"directive": "x", "source": "eval", "route": "x", "first_at": at, "last_at": at},
        "ops.DeadLetter": {"kind": "task", "name": "walk", "slot": at, "error_code": "x", "last_at": at},
        "ops.ServiceMetric": {"service_name": "walk", "metric_name": "x", "metric_value": 1.0,
                              "recorded_at": at},
        "crisis.CrisisResource": {"organization": home, "jurisdiction": "KE", "name": "Line",
                                  "kind": "suicide_line", "phone": "+254700000999"},
    }  # fmt: skip


def specimen(world: World, model: Any) -> Any:
    """Return a row of the model: the home organization's, or one that has no owner."""
    kind = admin.site._registry[model]
    assert isinstance(kind, ActionAdmin)
    rows = model._default_manager.all()
    if model is SlaPolicy:
        rows = rows.filter(organization=world.cast.home)
    if kind.organization_path is not None:
        rows = rows.filter(**{kind.organization_path: world.cast.home.pk})
    if model in (AuditLog, PhiAccessLog):
        rows = rows.filter(organization_id=world.cast.home.pk)
    if any(one.name == "patient" for one in model._meta.fields):
        planted = rows.filter(patient__in=world.patients.values())
        rows = planted if planted.exists() else rows
    if model is DutyShift:
        rows = rows.filter(status=DutyStatus.PLANNED)
    return rows.order_by("pk").first()


__all__ = ["World", "make_world", "specimen"]
