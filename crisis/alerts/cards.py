"""A card of the board: codes, pseudonym and clocks, rendered once for everybody who sees it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

from django.template.loader import get_template
from django.urls import reverse
from django.utils import timezone

from cortex.ui.context_processors import initials_of
from cortex.ui.zone import zone_of
from crisis.alerts.models import Kind, RiskAlert, Source
from crisis.alerts.states import CLOSED, Status
from crisis.alerts.wording import LANGUAGES, STAGES, reason_sentence
from crisis.escalation.plan import claim_ends
from crisis.risk.codes import SUBSTANCE

SOURCES = {
    Source.ENGINE: ("activity", "Signals from the app"),
    Source.SOS: ("phone", "Pressed the SOS button"),
    Source.STAFF: ("message-report", "Told to a member of staff"),
    Source.SYSTEM: ("alert-triangle", "Cortex"),
}
SIGNALS = {
    "message": ("message-circle", "In a chat message"),
    "transcript": ("microphone", "In a voice check-in"),
    "check_in": ("clipboard-list", "In a daily check-in"),
    "activity": ("notes", "In an exercise of the app"),
    "feedback": ("notes", "In feedback to the app"),
    "voice": ("wave-sine", "In the voice signal"),
    "instrument": ("clipboard-list", "In a questionnaire"),
    "clinician": ("user-check", "By a clinician"),
    "sos": ("phone", "Pressed the SOS button"),
    "third_party": ("users", "By somebody else"),
}
KEPT = 4096


def card(alert: RiskAlert) -> dict[str, Any]:
    """Return what the card of an alert read `for_cards()` shows.

    Nothing of it comes from a sealed column or depends on who looks.
    """
    # A provisional person who was linked stands as the person on record.
    raised_for = alert.patient
    patient = raised_for and (raised_for.merged_into or raised_for)
    icon, label = _source(alert)
    closed = alert.status in CLOSED
    return {
        "id": str(alert.pk),
        "version": alert.version or 0,  # type: ignore[attr-defined]
        "level": alert.level,
        "kind": alert.kind,
        "kind_label": Kind(alert.kind).label,
        "state": alert.status,
        "state_label": STAGES[Status(alert.status)],
        "closed": closed,
        "reason": reason_sentence(alert.reason_code),
        "source_icon": icon,
        "source_label": label,
        "pseudonym": patient.anonymous_id if patient else alert.organization.name,
        "raised_as": raised_for.anonymous_id if raised_for and raised_for != patient else "",
        "age_band": patient.age_band if patient else Kind(alert.kind).label,
        "organization": alert.organization.name,
        "zone": alert.organization.default_timezone,
        "language": patient.language if patient else "",
        "language_label": LANGUAGES.get(patient.language, "") if patient else "",
        "opened_at": alert.raised_at,
        "level_since": alert.level_since,
        "claim_due": alert.claim_due_at,
        "contact_due": alert.contact_due_at,
        "disposition_due": alert.disposition_due_at,
        "claimed_at": alert.claimed_at,
        "contact_at": alert.contact_at,
        "owner": _owner(alert),
        "claim_ends": _claim_ends(alert),
        "waiting_person": alert.waiting_person and not closed,
        "unconfirmed_step": alert.has_unconfirmed_step,
        **_urls(alert.pk),
    }


def _source(alert: RiskAlert) -> tuple[str, str]:
    """Return icon and words of what spoke up: for the engine, the source of what weighs most.

    One card is everybody's, so that of substance use is told to nobody on it.
    """
    told = [one for one in alert.factors if one.get("code") not in SUBSTANCE]
    if alert.source == Source.ENGINE and told:
        return SIGNALS.get(told[0].get("source_type", ""), SOURCES[Source.ENGINE])
    return SOURCES[Source(alert.source)]


def _owner(alert: RiskAlert) -> dict[str, str] | None:
    person = alert.assigned_to
    if person is None or not alert.is_owned:
        return None
    return {
        "id": str(person.pk),
        "name": person.full_name,
        "initials": initials_of(person.full_name),
        "stage_label": STAGES[Status(alert.status)],
    }


def _claim_ends(alert: RiskAlert) -> dict[str, datetime] | None:
    """Return since when and until when a claim without an entry lasts; it rests while a reader is asked."""
    ends = None if alert.review_pending else claim_ends(alert)  # type: ignore[attr-defined]
    return {"since": ends[0], "at": ends[1]} if ends else None


def _urls(alert_id: UUID) -> dict[str, str]:
    return {
        "claim_url": reverse("crisis:alert_claim", args=[alert_id]),
        "page_url": reverse("crisis:alert_page", args=[alert_id]),
        "preview_url": reverse("crisis:alert_preview", args=[alert_id]),
    }


def cards(alerts: Iterable[RiskAlert]) -> list[dict[str, Any]]:
    """Return the cards of alerts that were read `for_cards()`."""
    return [card(alert) for alert in alerts]


def waiting_row(alert: RiskAlert) -> dict[str, str]:
    """Return what another page must know of an alert to say that it waits."""
    shown = card(alert)
    counted = counted_row(alert.pk, alert.organization_id)
    return counted | {"who": shown["pseudonym"], "what": shown["reason"]}


def counted_row(alert_id: UUID, organization_id: UUID) -> dict[str, str]:
    """Return what a page must know of an alert to count it, and no more."""
    return {"id": str(alert_id), "topic": f"board:{organization_id}"}


class RenderedCards:
    """Bytes of cards by (alert, feed number), for the page as for the sockets."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], str] = OrderedDict()
        self._lock = Lock()

    def html(self, shown: dict[str, Any]) -> str:
        """Return the card's HTML, rendered at most once per version in this process."""
        key = (shown["id"], shown["version"])
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        return self.rendered(shown)

    def rendered(self, shown: dict[str, Any]) -> str:
        """Render the card and keep it: for who knows that something of it has changed without an event."""
        key = (shown["id"], shown["version"])
        # Everybody sees the same bytes: its times stand in the zone of the alert's own organization.
        with timezone.override(zone_of(shown["zone"])):
            text = get_template("crisis/alerts/_card.html").render({"card": shown}).strip()
        with self._lock:
            self._kept[key] = text
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return text


RENDERED = RenderedCards()
