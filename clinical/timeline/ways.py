"""The sources of how somebody came and went, and of who came in from outside the team: what was opened."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from clinical.timeline.own import TEAM, TEAM_LABEL
from clinical.timeline.queries import window
from clinical.timeline.registry import Entry, Look, Source, register
from cortex.accounts.choices import Role
from cortex.audit.models import AuditLog
from patients.breakglass.models import BreakGlassGrant
from patients.codes import ConsentType, EndingKind, ReferralStatus
from patients.contacts.models import ContactException
from patients.holds.models import LegalHold
from patients.pathway.models import CareEnding, Referral
from patients.privacy.queries import has_consent
from patients.registry.person import EmergencyContact

KIND, LABEL = "ways", "Referrals and endings"
OPENED, OPENED_LABEL = "opened", "Access and holds"
# What the trail calls the changes of whom to call.
CONTACT_MOVES = {
    "contact.added": "Emergency contact added",
    "contact.corrected": "Emergency contact corrected",
    "contact.retired": "Emergency contact retired",
    "contact.restored": "Emergency contact put back",
}
ARRIVES, LEAVES = "arrow-right", "logout"


def _supervises(look: Look, one: Referral) -> bool:
    user = look.context.actor.person
    return user.role == Role.SUPERVISOR and user.organization_id == one.organization_id


def _received(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = Referral.objects.filter(patient_id__in=ids, received_at__lte=at)
    return rows.select_related("made_by").defer("reason", "referrer", "decision_note")


def _referrals(look: Look) -> list[Entry]:
    """Who sent the person, from where and how soon; the reason stays closed."""
    return [
        Entry(
            "referral", KIND, one.pk, one.received_at, f"Referral: {one.get_source_display().lower()}",
            detail=f"To be seen {one.get_urgency_display().lower()}."
            + (" Waits for its answer." if one.status == ReferralStatus.WAITING else ""),
            by=one.made_by.full_name if one.made_by else "", icon=ARRIVES, url=_referral_page(look, one),
        )
        for one in window(_received, "received_at", look, "referral")
    ]  # fmt: skip


def _referral_page(look: Look, one: Referral) -> str:
    """Return the page where it is answered, for whoever does that; for others the first steps of care."""
    answers = one.asked_id == look.context.actor.id or _supervises(look, one)
    if answers and one.status == ReferralStatus.WAITING:
        return reverse("clinical:referral", args=[one.pk])
    return reverse("clinical:first_steps", args=[look.patient.pk])


def _decided(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = Referral.objects.filter(patient_id__in=ids, decided_at__lte=at)
    return rows.select_related("decided_by").defer("reason", "referrer", "decision_note")


def _answers(look: Look) -> list[Entry]:
    """What was answered. Why it was declined is for those who see it on their own page of referrals."""
    return [
        Entry(
            "referral_answer", KIND, one.pk, one.decided_at,
            f"Referral {one.get_status_display().lower()}",
            detail=_why(look, one), by=one.decided_by.full_name if one.decided_by else "", icon=ARRIVES,
            url=reverse("clinical:first_steps", args=[look.patient.pk]),
        )
        for one in window(_decided, "decided_at", look, "referral_answer")
        if one.decided_at is not None
    ]  # fmt: skip


def _why(look: Look, one: Referral) -> str:
    theirs = look.context.actor.id in (one.made_by_id, one.decided_by_id) or _supervises(look, one)
    return f"{one.get_decline_code_display()}." if one.decline_code and theirs else ""


def _ended(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = CareEnding.objects.filter(patient_id__in=ids, ended_at__lte=at)
    return rows.select_related("from_user", "to_user", "decided_by").defer("summary", "to_outside")


def _endings(look: Look) -> list[Entry]:
    """How care ended, from whom to whom and why; the closing summary stays on its page."""
    return [
        Entry(
            "ending", KIND, one.pk, one.ended_at, _ending_title(one),
            detail=f"{one.get_reason_code_display()}.",
            by=one.decided_by.full_name if one.decided_by else "", icon=LEAVES,
            url=reverse("clinical:chart_people", args=[look.patient.pk]),
        )
        for one in window(_ended, "ended_at", look, "ending")
    ]  # fmt: skip


def _ending_title(one: CareEnding) -> str:
    if one.kind == EndingKind.DISCHARGE or one.to_user is None:
        return one.get_kind_display()
    left = f" from {one.from_user.full_name}" if one.from_user else ""
    return f"Transfer{left} to {one.to_user.full_name}"


def _glasses(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = BreakGlassGrant.objects.filter(patient_id__in=ids, grant__starts_at__lte=at)
    return rows.select_related("grant", "user").defer("grant__reason", "review_note", "incident_note")


def _opened_charts(look: Look) -> list[Entry]:
    """Who opened the chart from outside the team, why by code and until when, as the access page tells all.

    The words of why, and what compliance found, are compliance's.
    """
    return [
        Entry(
            "glass", OPENED, one.pk, one.grant.starts_at, "Chart opened by break-glass",
            detail=f"{one.get_reason_code_display()}. {_until(look, one.grant.ends_at)}",
            by=one.user.full_name, icon="lock", tone="crit", url=_access(look),
        )
        for one in window(_glasses, "grant__starts_at", look, "glass")
    ]  # fmt: skip


def _exceptions(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = ContactException.objects.filter(patient_id__in=ids, opened_at__lte=at)
    return rows.select_related("user").defer("reason")


def _opened_contacts(look: Look) -> list[Entry]:
    """Who opened whom to call without the person's consent, and until when; why stays with its reader."""
    return [
        Entry(
            "contacts_opened", OPENED, one.pk, one.opened_at, "Emergency contacts opened without consent",
            detail=f"For an alert, {one.level}. {_until(look, one.ends_at)}", by=one.user.full_name,
            icon="phone", url=_access(look),
        )
        for one in window(_exceptions, "opened_at", look, "contacts_opened")
    ]  # fmt: skip


def _issued(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    return LegalHold.objects.filter(patient_id__in=ids, issued_at__lte=at).defer("reason", "release_reason")


def _holds(look: Look) -> list[Entry]:
    """Since when records are kept, as the banner says it; the matter, why and who stay with compliance."""
    return [
        Entry("hold", OPENED, one.pk, one.issued_at, "Legal hold begun", detail=_how_held(one), icon="lock")
        for one in window(_issued, "issued_at", look, "hold")
    ]


def _how_held(one: LegalHold) -> str:
    return "Still running." if one.is_running else "It was released."


def _released(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = LegalHold.objects.filter(patient_id__in=ids, released_at__lte=at)
    return rows.defer("reason", "release_reason")


def _hold_ends(look: Look) -> list[Entry]:
    return [
        Entry("hold_end", OPENED, one.pk, one.released_at, "Legal hold released", icon="lock")
        for one in window(_released, "released_at", look, "hold_end")
        if one.released_at is not None
    ]


def _moves_of_contacts(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    contacts = EmergencyContact.objects.filter(patient_id__in=ids).values("pk")
    rows = AuditLog.objects.filter(object_id__in=contacts, event_type__in=CONTACT_MOVES, occurred_at__lte=at)
    return rows.only("event_type", "occurred_at", "actor_kind", "actor_label")


def _contacts(look: Look) -> list[Entry]:
    """That whom to call was added, corrected or retired, and by whom; who it is opens with the people.

    Where the person does not allow calls to them, none of it: nor does any page say who no longer is called.
    """
    if not has_consent(look.patient.person_id, ConsentType.EMERGENCY_CONTACT, look.at):
        return []
    return [
        Entry(
            "contact_moved", TEAM, one.pk, one.occurred_at, CONTACT_MOVES[one.event_type],
            by=one.actor_label if one.actor_kind == "user" else "", icon="phone",
            url=reverse("clinical:chart_people", args=[look.patient.pk]),
        )
        for one in window(_moves_of_contacts, "occurred_at", look, "contact_moved")
    ]  # fmt: skip


def _until(look: Look, ends_at: datetime) -> str:
    """Say until when something is or was open, by the reader's clock."""
    said = "Open until" if ends_at > look.at else "It was open until"
    return f"{said} {timezone.localtime(ends_at):%-d %b %Y, %H:%M}."


def _access(look: Look) -> str:
    return reverse("clinical:chart_access", args=[look.patient.pk])


def register_ways() -> None:
    """Add them; called once, at start."""
    register(Source("referral", KIND, LABEL, _referrals))
    register(Source("referral_answer", KIND, LABEL, _answers))
    register(Source("ending", KIND, LABEL, _endings))
    register(Source("glass", OPENED, OPENED_LABEL, _opened_charts))
    register(Source("contacts_opened", OPENED, OPENED_LABEL, _opened_contacts))
    register(Source("contact_moved", TEAM, TEAM_LABEL, _contacts))
    register(Source("hold", OPENED, OPENED_LABEL, _holds))
    register(Source("hold_end", OPENED, OPENED_LABEL, _hold_ends))
