"""What a person is told on the way back: whether somebody knows, and where help is near; no name of staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.accounts.models import Organization
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import OWNED
from crisis.duty.queries import has_cover
from crisis.resources import queries
from crisis.resources.models import CrisisResource

# The number that every GSM telephone understands, for when even the organization is unknown.
EVERYWHERE = "112"
WARNING = {
    "en": "These were not checked in the last 90 days. They may no longer answer.",
    "sw": "Hizi hazijathibitishwa katika siku 90 zilizopita. Huenda hazijibu tena.",
}
MESSAGES = {
    "none": {
        "en": "You can reach somebody at any time with the numbers below.",
        "sw": "Unaweza kumfikia mtu wakati wowote kwa nambari zilizo hapa chini.",
    },
    "told": {
        "en": "A person has been told and will try to reach you. In danger now? Call the emergency number.",
        "sw": "Mtu amejulishwa na anaombwa kuwasiliana nawe. Ukiwa hatarini sasa, piga nambari ya dharura.",
    },
    "taken": {
        "en": "A counselor has this and will reach you. In danger now? Call the emergency number.",
        "sw": "Mshauri amelipokea hili na atawasiliana nawe. Ukiwa hatarini sasa, piga nambari ya dharura.",
    },
    "nobody_on_duty": {
        "en": "Nobody is on duty now. We go on calling people. Please use one of the numbers below.",
        "sw": "Hakuna aliye zamu sasa. Tunaendelea kuwaita watu. Tafadhali tumia moja ya nambari hizi sasa.",
    },
}

# The last known answer of each organization: when the database is gone, old numbers are better than none.
_LAST_KNOWN: dict[UUID, dict[str, Any]] = {}


def support_for(
    organization_id: UUID, patients: Iterable[tuple[UUID, str]], at: datetime
) -> dict[UUID, dict[str, Any]]:
    """Return the support block of each (patient id, language) of one organization; four queries for all."""
    wanted = list(patients)
    near = _near(organization_id, at)
    alerts = queries.open_alerts(patient_id for patient_id, _ in wanted)
    waiting = any(not alert.is_owned for found in alerts.values() for alert in found)
    covered = has_cover(organization_id) if waiting else True
    return {
        patient_id: _block(alerts.get(patient_id, []), covered, language, near)
        for patient_id, language in wanted
    }


def general_support(organization_id: UUID, at: datetime) -> dict[str, Any]:
    """Return the block of a refusal that could not be tied to a person."""
    return _block([], True, "en", _near(organization_id, at))


def remembers(organization_id: UUID | None) -> bool:
    """Whether this process has read an organization's lines before."""
    return organization_id in _LAST_KNOWN


def last_known_support(organization_id: UUID | None) -> dict[str, Any]:
    """Return the block of an organization without asking the database."""
    near = _LAST_KNOWN.get(organization_id, {}) if organization_id else {}
    return _block([], True, "en", near or {"emergency_number": EVERYWHERE, "verified": [], "unverified": []})


def state_of(alerts: Iterable[RiskAlert], covered: bool) -> str:
    """Return told, taken, nobody_on_duty, or none; one alert in hand means that the person is in hand."""
    found = list(alerts)
    if not found:
        return "none"
    if any(alert.status in OWNED for alert in found):
        return "taken"
    return "told" if covered else "nobody_on_duty"


def _block(alerts: list[RiskAlert], covered: bool, language: str, near: Mapping[str, Any]) -> dict[str, Any]:
    state = state_of(alerts, covered)
    tongue = "sw" if language in ("sw", "sheng") else "en"
    block: dict[str, Any] = {"state": state, "message": MESSAGES[state][tongue]}
    if alerts:
        block["since"] = min(alert.level_since for alert in alerts).isoformat()
        block["person_waiting"] = any(alert.waiting_person for alert in alerts)
    block["emergency_number"] = near["emergency_number"]
    block["resources"] = near["verified"]
    if near["unverified"]:
        block["unchecked"] = {"warning": WARNING[tongue], "resources": near["unverified"]}
    return block


def _near(organization_id: UUID, at: datetime) -> dict[str, Any]:
    organization = queries.organization(organization_id)
    rows = queries.resources_near(organization.jurisdiction, organization_id) if organization else []
    near = {
        "emergency_number": _number(organization),
        "verified": [card(row) for row in rows if row.is_verified_at(at)],
        "unverified": [card(row) for row in rows if not row.is_verified_at(at)],
    }
    _LAST_KNOWN[organization_id] = near
    return near


def _number(organization: Organization | None) -> str:
    return (organization.emergency_number if organization else "") or EVERYWHERE


def card(row: CrisisResource) -> dict[str, Any]:
    """Return what a person may need of a resource; empty members are left out."""
    members = {
        "name": row.name, "kind": row.kind, "phone": row.phone, "sms": row.sms, "url": row.url,
        "address": row.address, "hours": row.hours, "languages": row.languages,
        "verified_on": row.verified_at.date().isoformat() if row.verified_at else "",
    }  # fmt: skip
    return {name: value for name, value in members.items() if value}
