"""Makers of rows for tests: fictional people and what their apps send, written by the real actions."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client

from cortex.access.context import opening, set_scope
from cortex.accounts.choices import Role
from cortex.accounts.models import Organization, User
from cortex.audit.actors import Actor, actor_of_user
from cortex.audit.machine import action, record
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import RiskAlert
from crisis.followups.actions import Checks
from patients.breakglass.actions import break_glass, confirm_protected
from patients.care.actions import add_to_care_team, grant_access
from patients.care.models import CareTeamMember, PatientUserObjectPermission
from patients.privacy.actions import record_consent
from patients.privacy.models import Consent
from patients.privacy.records import ConsentData
from patients.registry.actions import register_patient
from patients.registry.models import Patient
from patients.registry.records import ContactData, RegisterPatient, age_on
from patients.sessions.actions import store_batch, store_sessions
from patients.sessions.messages import Message
from patients.sessions.models import Session, VoiceSession
from patients.sessions.records import Batch, MessageData, SessionData, VoiceData
from tests import scopes

PASSWORD = "a long walk by the lake"
CONSENTS = ("treatment", "voice_processing", "emergency_contact")
_numbers = itertools.count(1)


def now() -> datetime:
    """The process's clock, aware."""
    return datetime.now(UTC)


def make_organization(**fields: Any) -> Organization:
    """An organization; every organization of the run is in the row scope of this test afterwards."""
    number = next(_numbers)
    values: dict[str, Any] = {"name": f"Service {number}", "slug": f"service-{number}"} | fields
    organization = Organization.objects.create(**values)
    scope_all()
    return organization


def scope_all() -> None:
    """Put every organization into the test's row scope, so that a test reads what it made."""
    if scopes.stands_for_a_test():
        scopes.put_back()
        return
    ids = tuple(Organization.objects.values_list("pk", flat=True))
    set_scope(Actor(kind="system", id=None, label="test", role="system", org_ids=ids))


def make_user(role: str = Role.COUNSELOR, organization: Organization | None = None, **fields: Any) -> User:
    """A member of staff who can sign in with PASSWORD."""
    number = next(_numbers)
    organization = organization or make_organization()
    values: dict[str, Any] = {
        "email": f"{role}{number}@example.org",
        "full_name": f"{str(role).title()} {number}",
    } | fields
    if values.get("is_active") is False:
        values.setdefault("disabled_at", now())
    return User.objects.create_user(
        password=PASSWORD, role=role, organization=organization, is_verified=True, **values
    )


def session_of(user: User, typed_at: datetime | None = None) -> str:
    """Sign somebody in past the page, the password just typed, and return the key of their session."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["account_authentication_methods"] = [
        {"method": "password", "at": (typed_at or now()).timestamp()}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.create()
    return str(session.session_key)


def client_of(user: User, typed_at: datetime | None = None) -> Client:
    """A client of Django's that somebody is signed in at, the password typed at a time, else just now."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session_of(user, typed_at)
    return client


def cookie_of(user: User) -> str:
    """The cookie of a new session of somebody."""
    return f"{settings.SESSION_COOKIE_NAME}={session_of(user)}"


def machine(organization: Organization | UUID, name: str = "test") -> Actor:
    """The system at work for one organization."""
    identifier = organization if isinstance(organization, UUID) else organization.pk
    return Actor(
        kind="system", id=None, label=f"system:{name}", role="system", organization_id=identifier,
        org_ids=(identifier,),
    )  # fmt: skip


def staff(user: User) -> Actor:
    """The actor of a member of staff."""
    return actor_of_user(user)


def registration(at: datetime, consents: Iterable[str] = CONSENTS, **fields: Any) -> RegisterPatient:
    """What a registration says of somebody with a fictional name, a contact and consents."""
    number, born = next(_numbers), fields.get("date_of_birth")
    elder = "Mama Fictional" if born is not None and age_on(born, at.date()) < 18 else None
    data = RegisterPatient(
        given_name="Wanjiru",
        family_name=f"Fictional{number}",
        email=f"person{number}@example.org",
        phone=f"+2547{number:08d}",
        home_address="12 Made-up Road",
        timezone="Africa/Nairobi",
        contacts=[ContactData(name="Otieno Fictional", phone="+254700000001", relationship="brother")],
        consents=[
            ConsentData(consent_type=kind, granted=True, recorded_at=at, guardian=elder) for kind in consents
        ],
    )
    return replace(data, **fields)


def make_patient(
    organization: Organization | None = None, *, consents: Iterable[str] = CONSENTS,
    team: Iterable[User] = (), at: datetime | None = None, **fields: Any,
) -> Patient:  # fmt: skip
    """A person on record with a fictional name, a contact and consents; `team` are primary therapists.

    `fields` are those of RegisterPatient (`given_name`, `email`, `date_of_birth`, `anonymous_id`, …).
    """
    organization = organization or make_organization()
    at = at or now() - timedelta(days=30)
    data = registration(at, consents, **fields)
    patient = register_patient(actor=machine(organization), organization_id=organization.pk, data=data, at=at)
    for user in team:
        add_to_team(patient, user, starts_at=at, at=at)
    scope_all()
    return patient


def make_alert(patient: Patient, level: str = "critical", **fields: Any) -> RiskAlert:
    """An alert about a person as their service's machine raises it, for words of tier A."""
    values = {"kind": "self_harm", "reason_code": "text_a"} | fields
    home = patient.organization_id
    return raise_alert(
        actor=machine(home), organization_id=home, patient_id=patient.pk, level=level, **values
    )


def add_to_team(
    patient: Patient, user: User, *, role: str = "primary_therapist", **times: Any
) -> CareTeamMember:
    """A place on the patient's team."""
    actor = machine(patient.organization_id)
    member = add_to_care_team(actor=actor, patient_id=patient.pk, role=role, user_id=user.pk, **times)
    scope_all()
    return member


# What a contact says in which nothing was asked, for the action and for its form.
UNASKED = Checks(
    screener="not_asked", screener_why="declined", plan="not_asked", plan_why="declined", means="not_asked",
    means_why="declined",
)  # fmt: skip
UNASKED_FORM = {
    name: getattr(UNASKED, name)
    for name in ("screener", "screener_why", "plan", "plan_why", "means", "means_why")
}


def glass(patient: Patient, user: User, *, confirmed: bool = False) -> User:
    """Return the user, who opened a chart by break-glass; `confirmed` opens what is protected, too."""
    why = "She stands on a bridge."
    break_glass(actor=staff(user), asked=patient.anonymous_id, reason_code="imminent_risk", reason=why)
    scope_all()
    if confirmed:
        confirm_protected(actor=staff(user), patient_id=patient.pk)
        scope_all()
    return user


def grant(
    patient: Patient, user: User, *, reason_code: str = "consultation", ends_at: datetime | None = None,
    **fields: Any,
) -> PatientUserObjectPermission:  # fmt: skip
    """A single grant, for a day unless said otherwise."""
    row = grant_access(
        actor=machine(patient.organization_id),
        patient_id=patient.pk,
        user_id=user.pk,
        reason_code=reason_code,
        ends_at=ends_at or now() + timedelta(days=1),
        **fields,
    )
    scope_all()
    return row


def consent(patient: Patient, consent_type: str, granted: bool = True, **fields: Any) -> Consent:
    """One more consent row."""
    at = fields.pop("at", None)
    data = ConsentData(consent_type=consent_type, granted=granted, **fields)
    (row,) = record_consent(actor=machine(patient.organization_id), patient=patient, consents=[data], at=at)
    scope_all()
    return row


@action
def store(*, actor: Actor, patient: Patient, sessions: list[SessionData], batch: Batch) -> dict[Any, Session]:
    """What the intake does around the writers: keys, rows, one audit row."""
    with opening(actor, purpose="intake") as ctx:
        ctx.load_keys([patient.pk])
        stored = store_sessions(actor=actor, sessions=sessions)
        store_batch(actor=actor, batch=batch)
    record(actor, "intake.stored", None, subject=patient.pk)
    return stored


def make_session(patient: Patient, *, kind: str = "chat", client_ref: str = "", **fields: Any) -> Session:
    """A session of the patient; `fields` are those of SessionData."""
    at = fields.pop("received_at", None) or now()
    ref = client_ref or f"session-{next(_numbers)}"
    values: dict[str, Any] = {"started_at": at} | fields
    data = SessionData(patient.pk, patient.organization_id, at, client_ref=ref, kind=kind, **values)
    stored = store(actor=machine(patient.organization_id), patient=patient, sessions=[data], batch=Batch())
    scope_all()
    return stored[patient.pk, ref]


def make_message(patient: Patient, content: str, *, session: Session | None = None, **fields: Any) -> Message:
    """A message of the patient's, sealed."""
    at = fields.pop("received_at", None) or now()
    session = session or make_session(patient)
    values: dict[str, Any] = {"role": "patient", "sent_at": at} | fields
    data = MessageData(
        patient.pk, patient.organization_id, at, session_id=session.pk, content=content, **values
    )
    actor = machine(patient.organization_id)
    store(actor=actor, patient=patient, sessions=[], batch=Batch(messages=[data]))
    scope_all()
    return Message.objects.get(pk=str(data.id))


def make_voice(
    patient: Patient, transcript: str | None = "I went to the market", **fields: Any
) -> VoiceSession:
    """A voice session with words and features, not yet extracted; `received_at` dates it."""
    at = fields.pop("received_at", None) or now()
    session = make_session(patient, kind="voice_checkin", received_at=at, started_at=at)
    values: dict[str, Any] = {"voice_features": {"pitch_mean": 180.5, "pause_ratio": 0.2}} | fields
    data = VoiceData(
        patient.pk, patient.organization_id, at, session_id=session.pk, started_at=at, transcript=transcript,
        **values,
    )  # fmt: skip
    actor = machine(patient.organization_id)
    store(actor=actor, patient=patient, sessions=[], batch=Batch(voices=[data]))
    scope_all()
    return VoiceSession.objects.get(pk=session.pk)


@action
def open_row(*, actor: Actor, row: Any, field: str) -> Any:
    """Read one sealed field inside a context, as a test's proof of what was stored."""
    with opening(actor, purpose="test") as ctx:
        ctx.open([row])
        value = getattr(row, field)
    record(actor, "test.read", None, subject=getattr(row, "patient_id", None))
    return value


def opened(row: Any, field: str) -> Any:
    """Return the plaintext of a sealed field of a row."""
    value = open_row(actor=machine(row.organization_id), row=row, field=field)
    scope_all()
    return value


__all__ = [
    "PASSWORD", "UNASKED", "UNASKED_FORM", "add_to_team", "consent", "grant", "machine", "make_message",
    "make_organization", "make_patient", "make_session", "make_user", "make_voice", "now", "opened",
    "scope_all", "staff", "store",
]  # fmt: skip
