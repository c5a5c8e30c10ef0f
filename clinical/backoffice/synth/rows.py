"""Turns fictional people into rows of every table, really sealed by their own keys; no query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from clinical.backoffice.synth.people import CONSENTS, PROMISED, WORDS_KEPT, Ended, Person
from clinical.backoffice.synth.plan import SLUG, Plan
from clinical.backoffice.synth.tables import Table
from cortex.accounts.models import Organization
from cortex.crypto.keys import DataKey
from crisis.alerts.models import AlertEvent, AlertFeedback, RiskAlert
from crisis.escalation.policy import clocks
from crisis.reviews.models import FollowUp
from crisis.risk.models import Evidence, RiskAssessment
from crisis.risk.policy import ENGINE_VERSION
from patients.care.models import CareTeamMember
from patients.privacy.models import Consent
from patients.registry.builders import index_of
from patients.registry.models import Patient
from patients.registry.person import EmergencyContact
from patients.registry.records import band_of
from patients.sessions.messages import MESSAGE_LIFE, Message
from patients.sessions.models import Session

NAMES = (("given_name", "given"), ("family_name", "family"), ("email", "email"))
SCORES = {"high": "0.60", "critical": "0.90"}


@dataclass(frozen=True)
class Home:
    """One organization of the house: its row, who works there, and the clocks that its alerts copy."""

    organization: Organization
    counselors: list[UUID]
    therapists: list[UUID]
    policies: Mapping[str, dict[str, Any]]
    labels: Mapping[UUID, str] = field(default_factory=dict)
    # Of the instruments that are offered, by key.
    instruments: Mapping[str, tuple[UUID, str]] = field(default_factory=dict)


class Rows:
    """The rows of one chunk by table, in the order in which they may be written."""

    def __init__(self, plan: Plan, home: Home) -> None:
        self.plan, self.home = plan, home
        self.policies = {level: json.dumps(policy) for level, policy in home.policies.items()}
        of_house = {"organization_id": home.organization.pk}
        # `updated_at` has no default in the database.
        touched = of_house | {"updated_at": plan.at}
        self.patients = Table(
            Patient, "id", "anonymous_id", "given_name", "family_name", "email", "email_hash", "phone",
            "phone_hash", "date_of_birth", "age_band", "language", "primary_clinician_id", "registered_at",
            "last_active_at", **touched,
        )  # fmt: skip
        self.consents = Table(
            Consent, "id", "patient_id", "consent_type", "language", "recorded_at", "said_at", granted=True,
            version="synth-1", **of_house,
        )  # fmt: skip
        self.places = Table(
            CareTeamMember, "id", "patient_id", "user_id", "starts_at", role="primary_therapist", **touched
        )
        self.contacts = Table(
            EmergencyContact, "id", "patient_id", "name", "relationship", "phone", **touched
        )
        self.sessions = Table(
            Session, "id", "patient_id", "client_ref", "started_at", "received_at", kind="chat",
            channel="app", **touched,
        )  # fmt: skip
        self.messages = Table(
            Message, "id", "patient_id", "session_id", "content", "language", "sent_at", "received_at",
            "screened_at", "expires_at", role="patient", lexicon_version="synth", **touched,
        )  # fmt: skip
        self.evidence = Table(
            Evidence, "id", "patient_id", "code", "tier", "source_id", "observed_at", "received_at",
            "expires_at", "local_day", domain="text", source_type="message", confidence=0.9,
            lexicon_version="synth", **touched,
        )  # fmt: skip
        self.assessments = Table(
            RiskAssessment, "id", "patient_id", "level", "engine_level", "score", "score_raw", "factors",
            "rules_fired", "signals", "inputs_digest", "computed_at", "entered_level_at", "raised_at",
            "alert_ref", level_source="floor", protective_applied=0, engine_version=ENGINE_VERSION,
            lexicon_version="synth", **of_house,
        )  # fmt: skip
        self.alerts = Table(
            RiskAlert, "id", "created_at", "patient_id", "level", "status", "reason_code", "rules_fired",
            "factors", "evidence", "score", "last_notified_score", "assessment_id", "policy", "raised_at",
            "level_since", "sent_at", "notified_at", "claimed_at", "acknowledged_at", "first_response_at",
            "contact_at", "last_entry_at", "claim_due_at", "contact_due_at", "disposition_due_at",
            "assigned_to_id", "resolved_at", "resolved_by_id", "disposition", "resolution_notes",
            kind="self_harm", epoch=3, chain_position=1, missing_inputs=["cssrs", "phq9", "voice"], **touched,
        )  # fmt: skip
        self.events = Table(
            AlertEvent, "id", "alert_id", "feed_number", "kind", "occurred_at", "actor_kind", "actor_id",
            "actor_label", "status", "level", "codes", "sealed_for", **of_house,
        )  # fmt: skip
        self.feedback = Table(
            AlertFeedback, "id", "alert_id", "verdict", "given_by_id", "given_at", **touched
        )
        self.follow_ups = Table(
            FollowUp, "id", "alert_id", "patient_id", "due_at", "owner_id", label="24h", **touched
        )
        self.lines: dict[Table, list[tuple[Any, ...]]] = {
            table: [] for table in vars(self).values() if isinstance(table, Table)
        }

    def add(self, people: Iterable[Person], keys: Mapping[UUID, DataKey]) -> None:
        """Seal and lay out everything of these people."""
        for one in people:
            self._add_person(one, keys[one.id])
            if one.alert is not None:
                self._add_alert(one, one.alert, keys[one.id])

    def _add_person(self, one: Person, key: DataKey) -> None:
        home, at = self.home.organization, one.registered_at
        # The last therapist has the caseload of those with years on record, and nobody else.
        others, last = self.home.therapists[:-1], self.home.therapists[-1]
        is_treated = home.slug == f"{SLUG}0" and one.number in self.plan.treated
        clinician = last if is_treated or not others else others[one.number % len(others)]
        put = self.lines
        put[self.patients].append(
            self.patients.line(
                one.id, one.pseudonym,
                *(_sealed(Patient, name, getattr(one, plain), one.id, key)
                  for name, plain in NAMES),
                index_of("email", one.email, home),
                _sealed(Patient, "phone", one.phone, one.id, key),
                index_of("phone", one.phone, home),
                _sealed(Patient, "date_of_birth", one.born, one.id, key),
                band_of(one.born, self.plan.at.date()), one.language, clinician, at, one.last_active_at,
            )
        )  # fmt: skip
        put[self.consents] += [
            self.consents.line(identifier, one.id, kind, one.language, at, at)
            for identifier, kind in zip(one.consent_ids, CONSENTS, strict=True)
        ]
        put[self.places].append(self.places.line(one.place_id, one.id, clinician, at))

    def _add_alert(self, one: Person, alert: Ended, key: DataKey) -> None:
        owner = self.home.counselors[one.number % len(self.home.counselors)]
        self._add_ground(one, alert, key)
        put, raised, resolved = self.lines, alert.raised_at, alert.resolved_at
        policy = self.home.policies[alert.level]
        status = "false_alarm" if alert.false_alarm else "resolved"
        due = clocks(policy, raised)
        put[self.alerts].append(
            self.alerts.line(
                alert.id, raised, one.id, alert.level, status, alert.rule, [alert.rule],
                json.dumps([_factor(alert)]), [alert.evidence_id], SCORES[alert.level], SCORES[alert.level],
                alert.assessment_id, self.policies[alert.level], raised, raised, raised, raised,
                alert.claimed_at, alert.claimed_at, alert.claimed_at, alert.claimed_at, resolved,
                due["claim_due_at"], due["contact_due_at"], due["disposition_due_at"], owner, resolved, owner,
                "" if alert.false_alarm else "remained_community_with_plan",
                _sealed(RiskAlert, "resolution_notes", alert.notes, alert.id, key, subject=one.id),
            )
        )  # fmt: skip
        label = self.home.labels.get(owner, "")
        codes = json.dumps({"kind": "self_harm", "level": alert.level, "reason": alert.rule})
        put[self.events] += [
            self.events.line(
                alert.event_ids[0], alert.id, alert.feed_number, "raised", raised, "system", None,
                "system:synth", "new", alert.level, codes, one.id,
            ),
            self.events.line(
                alert.event_ids[1], alert.id, alert.feed_number + 1, status, resolved, "user", owner, label,
                status, alert.level, "{}", one.id,
            ),
        ]  # fmt: skip
        verdict = "not_risk_language" if alert.false_alarm else "true_crisis"
        put[self.feedback].append(self.feedback.line(alert.feedback_id, alert.id, verdict, owner, resolved))
        if alert.follow_up_id is not None:
            put[self.follow_ups].append(
                self.follow_ups.line(alert.follow_up_id, alert.id, one.id, resolved + PROMISED, owner)
            )

    def _add_ground(self, one: Person, alert: Ended, key: DataKey) -> None:
        """Lay out what it rests on: whom to call, the words while they are kept, evidence, evaluation."""
        put, raised = self.lines, alert.raised_at
        name, relationship, phone = (
            _sealed(EmergencyContact, column, plain, one.contact_id, key, subject=one.id)
            for column, plain in (("name", one.contact), ("relationship", "family"), ("phone", one.phone))
        )
        put[self.contacts].append(self.contacts.line(one.contact_id, one.id, name, relationship, phone))
        if alert.session_id is not None:
            put[self.sessions].append(
                self.sessions.line(alert.session_id, one.id, f"synth-{one.number}", raised, raised)
            )
            words = _sealed(Message, "content", alert.words, alert.message_id, key, subject=one.id)
            put[self.messages].append(
                self.messages.line(
                    alert.message_id, one.id, alert.session_id, words, one.language, raised, raised, raised,
                    raised + MESSAGE_LIFE,
                )
            )  # fmt: skip
        tier = "A" if alert.level == "critical" else "B"
        put[self.evidence].append(
            self.evidence.line(
                alert.evidence_id, one.id, f"TEXT_{tier}", tier, alert.message_id, raised, raised,
                raised + WORDS_KEPT, raised.date(),
            )
        )  # fmt: skip
        score = SCORES[alert.level]
        signal = {"kind": "self_harm", "level": alert.level, "score": float(score), "rules": [alert.rule],
                  "newest_at": raised.isoformat()}  # fmt: skip
        put[self.assessments].append(
            self.assessments.line(
                alert.assessment_id, one.id, alert.level, alert.level, score, score,
                json.dumps([_factor(alert)]), [alert.rule], json.dumps([signal]), alert.assessment_id.hex * 2,
                raised, raised, raised, alert.id,
            )
        )  # fmt: skip


def _sealed(
    model: Any, name: str, value: Any, row: UUID | None, key: DataKey, *, subject: UUID | None = None
) -> bytes:
    """Seal one value by the model's own field, so that the product opens it as its own."""
    field = model._meta.get_field(name)
    return bytes(field.seal(value, pk=row, subject=subject or row, key=key).blob)


def _factor(alert: Ended) -> dict[str, Any]:
    return {
        "code": "TEXT_A" if alert.level == "critical" else "TEXT_B",
        "domain": "text",
        "contribution": 0.6,
        "share": 1.0,
        "source_type": "message",
        "source_id": str(alert.message_id) if alert.message_id else None,
        "observed_at": alert.raised_at.isoformat(),
        "confidence": 0.9,
    }


def months(plan: Plan) -> tuple[Any, Any]:
    """Return the first and last day for which the tables that are cut by month must be there."""
    return (plan.at - WORDS_KEPT).date(), (plan.at + timedelta(days=1)).date()
