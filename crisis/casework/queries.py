"""The alert page and its panel: coded evidence for whoever sees the card, the person for whoever may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import TextChoices
from django.urls import reverse

from cortex.access.context import AccessContext, holds
from cortex.access.unreadable import UNREADABLE, readable
from cortex.accounts.models import Role, User
from cortex.audit import NotFound
from cortex.clock import steady_now
from cortex.ui.templatetags.ui import day
from cortex.ui.zone import zone_of
from crisis.alerts import access
from crisis.alerts.cards import cards
from crisis.alerts.models import AlertEvent, Disposition, RiskAlert, Verdict
from crisis.alerts.queries import GONE
from crisis.alerts.states import OWNED, WAITING
from crisis.alerts.wording import LANGUAGES, event_words, span_words
from crisis.casework import facts
from crisis.casework.evidence_words import (
    SOURCES,
    factor_rows,
    helps,
    interpretation,
    missing_words,
    suggested,
)
from crisis.followups.models import MeansCheck
from crisis.followups.queries import last_means, promised
from crisis.followups.showing import MEANS_SHORT
from crisis.resources.queries import resources_near, row_of
from crisis.reviews import queries as reviews
from crisis.reviews.models import SecondReview
from crisis.risk.protected import holds_protected, without_protected
from crisis.safetyplans import queries as safetyplans
from crisis.safetyplans.showing import card as safety_card
from crisis.welfare.queries import decided_since, is_lost, open_item
from crisis.welfare.showing import decided
from patients.labels.queries import opened_by, standing
from patients.labels.rules import opens_part2
from patients.registry.access import BREAK_GLASS, CHART
from patients.registry.models import Patient
from patients.registry.queries import person_card, rows_of
from patients.sessions.queries import open_words, source_of

LOST = "The note could not be kept. Whoever wrote it was asked to write it again."


@dataclass(frozen=True, slots=True)
class Look:
    """What one member of staff may see of one alert: its card and panel, or the page with the person."""

    alert: RiskAlert
    relationship: str

    @property
    def opens_person(self) -> bool:
        """Whether name, contacts and words open."""
        return bool(self.relationship) and self.alert.patient_id is not None


def look_at(user: User, alert_id: UUID, at: datetime) -> Look:
    """Return what the person may see of an alert; NotFound when not even its card."""
    alert = (
        RiskAlert.objects.for_cards().select_related("patient__primary_clinician").filter(pk=alert_id).first()
    )
    if alert is None:
        raise NotFound(GONE, "not_found")
    relationship = access.relationship_to(user, alert, at)
    if not relationship and not access.cards_for(user).filter(pk=alert.pk).exists():
        raise NotFound(GONE, "not_found")
    return Look(alert, relationship)


def preview(user: User, look: Look, at: datetime) -> dict[str, Any]:
    """Return the panel beside the board: coded evidence only, no name, no words."""
    alert = look.alert
    [shown] = cards([alert])
    return {
        "card": shown,
        "factors": factor_rows(alert, seen_factors(user, alert, at), at, linked=False),
        "missing": missing_words(alert.missing_inputs),
        "helps": helps(alert),
        "facts": [{"label": "Language", "value": shown["language_label"] or "Not known"}],
        "may_claim": alert.status in WAITING,
        "may_open": look.opens_person,
        "escalate_url": reverse("crisis:alert_escalate", args=[alert.pk]) if alert.is_open else "",
    }


def page(ctx: AccessContext, user: User, look: Look, at: datetime) -> dict[str, Any]:
    """Return the alert page; the person, notes and sources open only by a relationship, and are logged."""
    alert = look.alert
    [shown] = cards([alert])
    factors = seen_factors(user, alert, at)
    return {
        "alert": shown,
        "person": _person(ctx, alert, at) if look.opens_person else None,
        "person_closed": _closed(alert),
        "merged_url": _merged_url(alert),
        "told": _told(ctx, look),
        "factors": factor_rows(alert, factors, at, linked=look.opens_person),
        "interpretation": interpretation(alert, factors, at),
        "missing": missing_words(alert.missing_inputs),
        "helps": helps(alert),
        "suggested": suggested(alert),
        "clocks": stepper(alert),
        "timeline": timeline(ctx, look),
        "resources": _resources(alert),
        "safety": _safety(ctx, look, at) if look.opens_person else None,
        "followups": [] if alert.is_open else promised(ctx, alert.pk, opens=bool(look.relationship)),
        "review": _review(ctx, user, look),
    }


def seen_factors(user: User, alert: RiskAlert, at: datetime) -> list[dict[str, Any]]:
    """Return the factors of an alert as somebody sees them; who reads is asked only where it matters."""
    return told_to(user, alert.patient, alert.factors, at)


def told_to(
    user: User, patient: Patient | None, factors: Sequence[dict[str, Any]], at: datetime
) -> list[dict[str, Any]]:
    """Return stored factors of a person as somebody is told of them (domain 7.4)."""
    if patient is None or not holds_protected(factors) or opens_part2(*standing(user, patient, at)):
        return list(factors)
    return without_protected(factors)


def _person(ctx: AccessContext, alert: RiskAlert, at: datetime) -> dict[str, Any]:
    patient = alert.patient
    if patient is None:
        raise NotFound(GONE, "not_found")
    known = person_card(ctx, patient, at=at, with_contacts=True, with_places=True)
    clinician = patient.primary_clinician
    return {
        "name": known.name or known.pseudonym,
        "pseudonym": known.pseudonym,
        "pronouns": known.pronouns,
        "phone": known.phone,
        "email": known.email,
        "language": LANGUAGES.get(known.language, known.language),
        "local_time": f"{at.astimezone(zone_of(known.timezone)):%H:%M}, {known.timezone}",
        "location": (known.last_place or {}).get("label", "") if known.last_place else "",
        "address": known.home_address,
        "clinician": clinician.full_name if clinician else "",
        "contacts": [
            {
                "name": one.name,
                "relation": one.relationship,
                "phone": one.phone,
                "note": one.note,
                "may_call": known.emergency_contact_allowed,
            }
            for one in known.contacts
        ],
        "contacts_until": known.contacts_until,
        "contacts_closed": known.contacts_closed,
        "contacts_url": reverse("crisis:alert_contacts", args=[alert.pk])
        if known.contacts_closed and _has_it(ctx, alert)
        else "",
        "link_url": reverse("crisis:alert_link", args=[alert.pk]) if known.is_provisional else "",
        "unlink_url": reverse("crisis:alert_unlink", args=[alert.pk]) if patient.merged_into_id else "",
        "facts": [
            *_facts(known.is_minor, known.is_provisional),
            *_means(patient),
            *facts.told(ctx, patient, at),
        ],
    }


def _safety(ctx: AccessContext, look: Look, at: datetime) -> dict[str, Any] | None:
    """Return the person's safety plan; a second reader sees it here, and no page of it."""
    patient = look.alert.patient
    if patient is None:
        return None
    plan, lines = safetyplans.at_hand(ctx, patient)
    reads = look.relationship != access.SECOND_REVIEW
    page, edit = (
        reverse(f"crisis:{name}", args=[patient.pk]) for name in ("safety_plan", "safety_plan_edit")
    )
    return safety_card(
        plan, lines, at, url=page if reads else "",
        edit_url=edit if safetyplans.writes(ctx.actor, look.relationship) else "",
    )  # fmt: skip


def _has_it(ctx: AccessContext, alert: RiskAlert) -> bool:
    """Whether the looker has this alert: then contacts open without consent."""
    return alert.assigned_to_id == ctx.actor.id and alert.status in OWNED


def _merged_url(alert: RiskAlert) -> str:
    return reverse("crisis:alert_page", args=[alert.merged_into_id]) if alert.merged_into_id else ""


def _told(ctx: AccessContext, look: Look) -> str:
    """Return what staff wrote when they raised it: what they were told, by whom, and the number to call."""
    if not look.relationship or not holds(look.alert, "hand_note"):
        return ""
    ctx.open([look.alert], ["hand_note"])
    return str(readable(look.alert, "hand_note", UNREADABLE))


def _facts(is_minor: bool, is_provisional: bool) -> list[facts.Fact]:
    found = []
    if is_minor:
        found.append(facts.Fact("Age", "Under 18: safeguarding applies"))
    if is_provisional:
        found.append(facts.Fact("Record", "Provisional, not linked yet"))
    return found


def _means(patient: Patient) -> list[facts.Fact]:
    """Return what was said last of the means in a follow-up: whoever works the alert asks again."""
    found = last_means(rows_of(patient))
    if found is None:
        return []
    words = f"{MEANS_SHORT[found.means].capitalize()} when last asked, {day(found.answered_at)}"
    return [facts.Fact("Means", words, is_grave=found.means == MeansCheck.UNSAFE)]


def _closed(alert: RiskAlert) -> str:
    if alert.patient_id is None:
        return "This incident concerns nobody in particular: no shift covers the service."
    return "Name and contacts open once you claim this alert. Opening them is logged."


def timeline(ctx: AccessContext, look: Look) -> list[dict[str, Any]]:
    """Return the events, newest first; notes open only for those who may see the person."""
    events = list(look.alert.events.order_by("-feed_number")[:200])
    opens = bool(look.relationship)
    if opens:
        ctx.open([event for event in events if holds(event, "note")], ["note"])
    rows = []
    for event in events:
        title, icon, tone = event_words(event.kind, event.codes)
        rows.append(
            {
                "at": event.occurred_at,
                "icon": icon,
                "title": title,
                "tone": tone,
                "who": "" if event.actor_kind == "system" else event.actor_label,
                "note": _note_of(event, opens=opens),
            }
        )
    return rows


def _note_of(event: AlertEvent, *, opens: bool) -> str | None:
    """Return what was written with an event, or what is said of it: lost, or that it can't be read."""
    if opens and holds(event, "note"):
        return str(readable(event, "note", UNREADABLE))
    return LOST if event.codes.get("note_lost") else None


def stepper(alert: RiskAlert) -> list[dict[str, Any]]:
    """Return the progress of an alert as steps, each done, now or later."""
    done = [
        ("Alert", alert.raised_at, None),
        ("Seen", alert.notified_at or alert.acknowledged_at, None),
        ("Claimed", alert.acknowledged_at if alert.status not in WAITING else None, alert.claim_due_at),
        ("Contact", alert.contact_at, alert.contact_due_at),
        ("Outcome", alert.resolved_at, alert.disposition_due_at),
    ]
    steps: list[dict[str, Any]] = []
    now_given = False
    for label, at, due in done:
        state = "done" if at else ("later" if now_given or not alert.is_open else "now")
        now_given = now_given or state == "now"
        detail = _took(alert, at, due) if at and label != "Alert" else ""
        steps.append({"label": label, "at": at, "due": due, "state": state, "detail": detail})
    return steps


def _took(alert: RiskAlert, at: datetime, due: datetime | None) -> str:
    """Return how long a step took beside its target; clocks run from the last rise of the level."""
    began = alert.level_since if at >= alert.level_since else alert.raised_at
    target = f", target {span_words(due - alert.level_since)}" if due else ""
    return f"{span_words(at - began)}{target}"


def _resources(alert: RiskAlert) -> list[dict[str, Any]]:
    organization, now = alert.organization, steady_now()
    return [row_of(line, now) for line in resources_near(organization.jurisdiction, organization.pk)]


def _review(ctx: AccessContext, user: User, look: Look) -> dict[str, Any] | None:
    review: SecondReview | None = reviews.pending_of(look.alert.pk)
    if review is None:
        return None
    if look.relationship:
        ctx.open([review], ["request_note"])
    return {
        "id": review.pk,
        "kind": review.get_kind_display(),
        "asked_by": review.asked_by.full_name,
        "due_at": review.due_at,
        "note": readable(review, "request_note", UNREADABLE) if look.relationship else None,
        "verdict": _label(Verdict, review.request.get("verdict")),
        "outcome": _label(Disposition, review.request.get("disposition")),
        "mine": review.asked_by_id == user.pk,
        "action": decision(review.pk),
        "welfare": _welfare(user, look.alert, review),
    }


def _welfare(user: User, alert: RiskAlert, review: SecondReview) -> dict[str, Any] | None:
    """Return whether a welfare check was decided on; None where the end of an alert doesn't need that."""
    if alert.patient is None or not is_lost(alert, review.request.get("disposition")):
        return None
    found = decided_since(alert.patient, alert.level_since, besides=review.asked_by_id)
    item = open_item(rows_of(alert.patient)) if found is None else None
    may = item is not None and user.role == Role.SUPERVISOR and review.asked_by_id != user.pk
    return {
        "decided": decided(found) if found is not None else None,
        "url": reverse("crisis:welfare_check", args=[item.pk]) if item is not None and may else "",
    }


def decision(review_id: UUID) -> dict[str, str]:
    """Return the second reader's decision as the forms of commands are drawn."""
    return {
        "code": "decision",
        "label": "Second reading",
        "submit": "Save the decision",
        "url": reverse("crisis:review_decide", args=[review_id]),
    }


def _label(choices: type[TextChoices], code: str | None) -> str:
    return str(choices(code).label) if code in choices.values else ""


def source_message(
    ctx: AccessContext, user: User, look: Look, source_id: UUID, at: datetime
) -> dict[str, Any]:
    """Open the words behind one factor of an alert, while they exist; NotFound without a relationship.

    Words that a label keeps back stay closed, as do those that only a protected factor leads to and those
    of a session that the person keeps to themself: the page says so, and the look is logged by another
    name. What break-glass opens is logged with its grant.
    """
    alert, patient = look.alert, look.alert.patient
    factor = next((one for one in alert.factors if one.get("source_id") == str(source_id)), None)
    if factor is None or not look.opens_person or patient is None:
        raise NotFound(GONE, "not_found")
    stands = standing(user, patient, at)
    found = source_of(factor["source_type"], source_id, patient.pk)
    by = opened_by(user.pk, stands, found.labels, found.session_id) if found else ""
    is_protected = not _leads(without_protected(alert.factors), source_id)
    is_private = found is not None and found.is_private
    withheld = is_private or by is None or (is_protected and not opens_part2(*stands))
    if not withheld and stands[0] == BREAK_GLASS and (by == BREAK_GLASS or is_protected):
        ctx.by(CHART)
    ctx.relation_to(patient.pk)  # also whoever is told nothing asked by some right
    ctx.saw(
        "source_withheld" if withheld else "source_message",
        subjects=[patient.pk],
        organization_id=alert.organization_id,
        object_type=factor["source_type"],
        object_id=source_id,
    )
    [shown] = cards([alert])
    source = {
        "text": "" if withheld or found is None else open_words(ctx, found),
        "label": f"From {SOURCES.get(factor['source_type'], 'the app')}",
        "at": datetime.fromisoformat(factor["observed_at"]),
        "withheld": withheld,
        "is_private": is_private,
    }
    return {"alert": shown, "source": source}


def _leads(factors: Sequence[dict[str, Any]], source_id: UUID) -> bool:
    """Whether one of these factors leads to a source."""
    return any(one.get("source_id") == str(source_id) for one in factors)


__all__ = ["Look", "look_at", "page", "preview", "source_message"]
