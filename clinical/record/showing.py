"""What a chart's sections found, in the words and shapes of their pages; no query, nothing opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.urls import reverse

from clinical.chart.banner import NEVER
from clinical.notes.models import ADDENDUM
from clinical.notes.wording import TYPES
from clinical.record.queries import LOOKS, ContactEntry, Crises, Head
from cortex.accounts.choices import Role
from cortex.audit.models import PhiAccessLog
from crisis.alerts.states import OPEN, Status
from crisis.alerts.wording import STAGES, follow_up_words
from crisis.followups.showing import answers_of, checks_of
from crisis.reviews.models import FollowUp
from patients.care.models import CareTeamMember
from patients.codes import LANGUAGE_NAMES, ConsentType
from patients.contacts.queries import ContactCard
from patients.privacy.models import Consent
from patients.privacy.records import NOT_YET
from patients.privacy.scope import limit_words
from patients.registry.person import PatientProfile
from patients.registry.queries import PersonCard

RELATIONS = {
    "care_team": "on the care team",
    "cover": "covers a colleague",
    "claim": "had claimed an alert",
    "follow_up": "owed a follow-up contact",
    "supervision": "supervises an open alert",
    "second_review": "read an alert a second time",
    "step_down": "read a step down from critical",
    "welfare_check": "decided on a welfare check",
    "referral": "answered a referral",
    "administration": "administrates",
    "compliance": "compliance",
    "duty": "on duty",
    "back_office": "in the back office",
    "grant:break_glass": "break-glass",
    "grant:consultation": "was asked for advice",
    "grant:second_opinion": "gave a second opinion",
    "self": "the person's own device",
    "api": "the app's own key",
    "system": "the system itself",
}
PURPOSES = {
    "treatment": "treatment", "alert_review": "an alert", "review": "a task", "billing": "billing",
    "dsar": "a request of the person", "break_glass": "break-glass", "admin": "administration",
    "back_office": "administration", "referral": "a referral", "care_ending": "end of care",
    "disclosure": "a release of the record", "appointment": "their appointments",
}  # fmt: skip
KINDS = {
    "sealed_field": "sealed words or values", "note_state": "a draft, kept as it is written",
    "crises": "crisis section", "alert.admin": "an alert, in the back office",
    "alert.card": "an alert, in codes", "alert.panel": "an alert, beside the board",
    "patient_admin": "the person's row, in the back office", "own_measures": "measures, in their own app",
}  # fmt: skip
NOTE_TYPES = frozenset({*TYPES, ADDENDUM})
ROLES = dict(Role.choices) | {
    "api_client": "An app of the service", "system": "Cortex itself", "patient": "Their own device"
}  # fmt: skip
SELF_TOLD = {
    "self_stated_goals": "What they want to reach", "self_reported_conditions": "What they say they have",
    "self_reported_medications": "What they say they take",
}  # fmt: skip
CALL_DOORS = {
    "url": "clinical:chart_contact", "retire_url": "clinical:chart_contact_retire",
    "restore_url": "clinical:chart_contact_restore",
}  # fmt: skip
# What becomes impossible while a consent is missing, where the text says so (domain 7.1).
WITHOUT = {
    "treatment": "Messages are not screened: what the app sends is refused, its emergency button apart.",
    "voice_processing": "Voice is not analysed, and no patterns are built.",
    "emergency_contact": "Emergency contacts stay closed.",
    "care_team_sharing": "Self-guided sessions and check-ins are kept one year only.",
}


def top(head: Head, tab: str) -> dict[str, Any]:
    """Return what the banner of every section needs."""
    return head.banner | {"tab": tab}


def places(rows: Iterable[CareTeamMember], at: datetime) -> dict[str, list[dict[str, Any]]]:
    """Return a team as who is on it, who will be, and who was."""
    found: dict[str, list[dict[str, Any]]] = {"now": [], "later": [], "past": []}
    for one in rows:
        when = "now" if one.holds(at) else ("later" if one.starts_at > at else "past")
        found[when].append(place(one))
    return found


def place(one: CareTeamMember) -> dict[str, Any]:
    """Return one place or cover."""
    covered = one.cover_for.user.full_name if one.cover_for and one.cover_for.user else ""
    return {
        "id": one.pk,
        "name": one.user.full_name if one.user else one.outside_name or "Without a name",
        "outside": one.user is None,
        "role": one.get_role_display(),
        "covers": covered,
        "since": one.starts_at,
        "until": one.ends_at,
        "end_url": reverse("clinical:chart_team_end", args=[one.patient_id, one.pk]),
    }


def self_told(rows: Iterable[PatientProfile]) -> list[tuple[str, str]]:
    """Return what a person says of themself, opened, as (title, words): of each the newest that was said."""
    found: dict[str, str] = {}
    for one in rows:
        for name, title in SELF_TOLD.items():
            if words := getattr(one, name):
                found.setdefault(title, words)
    return [(title, found[title]) for title in SELF_TOLD.values() if title in found]


def calls(
    person: PersonCard, retired: list[ContactCard], patient_id: UUID, just: UUID | None
) -> dict[str, Any]:
    """Return whom to call, who no longer is, and who was retired `just` now, with the doors of each."""
    before = [_call(one, patient_id) for one in retired]
    return {
        "rows": [_call(one, patient_id) for one in person.contacts],
        "retired": before,
        "just": next((one for one in before if one["id"] == just), None),
        "may_call": person.emergency_contact_allowed,
        "until": person.contacts_until,
        "closed": person.contacts_closed,
        "add_url": reverse("clinical:chart_contact_add", args=[patient_id]),
    }


def _call(one: ContactCard, patient_id: UUID) -> dict[str, Any]:
    return {
        "id": one.contact_id,
        "name": one.name or "Without a name",
        "about": ", ".join(filter(None, (one.relationship, LANGUAGE_NAMES.get(one.language, one.language)))),
        "phone": one.phone,
        "note": one.note,
        "seen": one.changed_at.isoformat(),
        **{key: reverse(name, args=[patient_id, one.contact_id]) for key, name in CALL_DOORS.items()},
    }


def entry(found: ContactEntry, patient_id: UUID, seen: str, *, is_stale: bool) -> dict[str, Any]:
    """Return what the form of one contact stands beside: the contact as it is, the change it was drawn at.

    `seen` is what the form came with: it stays as it is through every answer but the one that says what
    changed meanwhile.
    """
    one = found.contact
    if one is None and not found.is_closed:
        return {"title": "Add somebody to call", "submit": "Add", "seen": ""}
    if one is None:
        return {"title": "Correct a contact", "submit": "Save", "seen": seen}
    return {
        "title": "Correct a contact",
        "submit": "Save what I typed" if is_stale else "Save",
        "seen": one.changed_at.isoformat() if is_stale or not seen else seen,
        "now": _call(one, patient_id) if is_stale else None,
        "is_retired": not one.is_active,
        "restore_url": reverse("clinical:chart_contact_restore", args=[patient_id, one.contact_id]),
        "legacy": one.legacy_text,
    }


def typed_from(found: ContactEntry) -> dict[str, Any]:
    """Return what the form of one contact begins with."""
    one = found.contact
    if one is None:
        return {"place": found.place}
    return {
        "name": one.name[:160], "relationship": one.relationship, "phone": one.phone, "place": found.place,
        "language": one.language, "email": one.email, "note": one.note,
    }  # fmt: skip


def consent_states(
    rows: list[Consent], patient_id: UUID, person_id: UUID, at: datetime
) -> list[dict[str, Any]]:
    """Return the state of each type: what holds, then what ended or was refused, then what nobody asked.

    As everywhere the row on record (`person_id`) decides; what other rows said stands in the history.
    """
    rows = [one for one in rows if one.patient_id == person_id]
    newest: dict[str, Consent] = {}
    for one in sorted(rows, key=lambda row: (row.recorded_at, row.pk), reverse=True):
        if one.recorded_at <= at:
            newest.setdefault(one.consent_type, one)
    given = {one.consent_type for one in rows if one.granted and one.recorded_at <= at}
    found = [_state(kind, newest.get(kind), patient_id, at, was_given=kind in given) for kind in ConsentType]
    order = {"given": 0, "given with limits": 0, NEVER: 2}
    return sorted(found, key=lambda row: order.get(row["state"], 1))


def _state(
    kind: ConsentType, one: Consent | None, patient_id: UUID, at: datetime, *, was_given: bool
) -> dict[str, Any]:
    holds = one is not None and one.holds(at)
    state = NEVER if one is None else replace(one.decision, was_given=was_given).state(at)
    later = state == NOT_YET
    return {
        "type": kind.value,
        "label": kind.label,
        "state": state,
        "holds": holds,
        "may_end": holds or later,
        "row": _decision(one) if one is not None else None,
        "warning": "" if holds else WITHOUT.get(kind, ""),
        "withdraw_url": reverse("clinical:chart_consent_withdraw", args=[patient_id, kind.value]),
    }


def _decision(one: Consent) -> dict[str, Any]:
    return {
        "label": one.get_consent_type_display(),
        "granted": one.granted,
        "at": one.recorded_at,
        "ends": one.expires_at,
        "method": one.get_method_display(),
        "version": one.version,
        "language": one.language,
        "guardian": one.guardian or "",
        "by": one.recorded_by.full_name if one.recorded_by else "",
        "evidence": one.evidence_ref,
        "limits": "; ".join(limit_words(one.scope)),
    }


def history(rows: list[Consent]) -> list[dict[str, Any]]:
    """Return every decision, the newest first."""
    return [_decision(one) for one in rows]


def look_rows(rows: list[PhiAccessLog], reader_id: UUID | None) -> dict[str, Any]:
    """Return one page of looks, and after which one the next page goes on."""
    shown = rows[:LOOKS]
    return {
        "rows": visits(shown, reader_id),
        "before": shown[-1].pk if len(rows) > LOOKS else None,
    }


def visits(rows: Iterable[PhiAccessLog], reader_id: UUID | None) -> list[dict[str, Any]]:
    """Return looks as lines: one request may name the person and a section of the chart, and is one line.

    Of which type a note was is said to whoever looked alone: that somebody keeps process notes, and when
    they wrote in them, is nobody else's to know, also not by what is left out.
    """
    return [_look(list(group), reader_id) for _, group in groupby(rows, lambda one: one.request_id or one.pk)]


def _look(visit: list[PhiAccessLog], reader_id: UUID | None) -> dict[str, Any]:
    one = visit[0]
    kept: frozenset[str] = frozenset() if one.actor_id == reader_id else NOTE_TYPES
    kinds = {row.data_type for row in visit}
    kinds -= {"person"} if len(kinds) > 1 else set()
    parts = sorted({part for row in visit for part in row.sections} - kept)
    return {
        "at": one.occurred_at,
        "who": one.actor_label,
        "role": ROLES.get(one.actor_role, one.actor_role.replace("_", " ")),
        "how": RELATIONS.get(one.relationship, one.relationship.replace("_", " ")) or "part of what they did",
        "why": PURPOSES.get(one.purpose, one.purpose.replace("_", " ")),
        "what": ", ".join(
            KINDS.get(kind, kind.replace("_", " ").replace(".", ", ")) for kind in sorted(kinds)
        ),
        "parts": ", ".join(parts).replace("_", " "),
        "is_glass": one.break_glass is not None,
    }


def crisis_rows(found: Crises) -> dict[str, Any]:
    """Return alerts with their ends, and the contacts that were promised."""
    return {
        "alerts": [
            {
                "level": one.level,
                "kind": one.get_kind_display(),
                "stage": STAGES.get(Status(one.status), one.status),
                "is_open": one.status in OPEN,
                "raised": one.raised_at,
                "owner": one.assigned_to.full_name if one.assigned_to else "",
                "ended": one.resolved_at,
                "outcome": one.get_disposition_display() if one.disposition else "",
                "url": reverse("crisis:alert_page", args=[one.pk]) if one.pk in found.open_pages else "",
            }
            for one in found.alerts
        ],
        "follow_ups": [
            {
                "label": follow_up_words(one.label),
                "due": one.due_at,
                "status": one.get_status_display(),
                "is_missed": one.status == "missed",
                "owner": one.owner.full_name if one.owner else "the desk",
                "done": one.done_at,
                "outcome": one.outcome.replace("_", " "),
                "checks": answers_of(one, with_words=True),
                "screener_url": _screener(one),
            }
            for one in found.follow_ups
        ],
    }


def _screener(one: FollowUp) -> str:
    """Return the page of the administration that was asked in a contact; empty where none was."""
    found = checks_of(one)
    if found is None or found.screener_id is None:
        return ""
    return reverse("clinical:measure_result", args=[one.patient_id, found.screener_id])
