"""The banner that stays on every page of a chart: who, how risky and who says so, consent, team, flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format

from clinical.chart import parts
from cortex.access.context import AccessContext, holds
from cortex.ui.zone import zone_of
from crisis.risk.models import RiskAssessment
from crisis.risk.queries import latest_assessment
from crisis.risk.reasons import reason_code, sentence
from patients.care.models import CareTeamMember
from patients.care.queries import care_team
from patients.codes import CareRole
from patients.holds.queries import rows_with_hold
from patients.privacy.queries import decisions
from patients.privacy.records import Decision
from patients.registry.models import Patient
from patients.registry.queries import PersonCard, person_card

CONSENTS = {
    "treatment": "treatment",
    "voice_processing": "voice and patterns",
    "emergency_contact": "emergency contact",
    "care_team_sharing": "sharing with the team",
}
LEADS = (CareRole.PRIMARY_THERAPIST, CareRole.PSYCHIATRIST)


def shown(
    context: AccessContext, patient: Patient, at: datetime, *, tab: str, title: str = ""
) -> dict[str, Any]:
    """Return what `clinical/chart/_banner.html` needs on any page of a chart; a fixed number of queries."""
    person = person_card(context, patient, at=at, with_contacts=False)
    return beside(context, patient, person, at) | {"tab": tab, "title": title}


def beside(
    context: AccessContext, patient: Patient, person: PersonCard, at: datetime,
    found: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return what the banner needs beside a person who is open already; `found` gets what its flags read."""
    assessed = latest_assessment(patient.person_id)
    decided = {kind: one for (_, kind), one in decisions([patient.person_id], CONSENTS, at).items()}
    ids, held = rows_with_hold(patient)
    found = {} if found is None else found
    look = parts.Look(patient, ids, at, context, found=found, held_since=held)
    return laid_out(look, person, assessed, care_team(patient.pk, at), decided)


def laid_out(
    look: parts.Look,
    person: PersonCard,
    assessed: RiskAssessment | None,
    team: list[CareTeamMember],
    decided: Mapping[str, Decision],
) -> dict[str, Any]:
    """Return the banner of what was read already."""
    consents = allowed(decided, look.at)
    limited = any(decided[kind].is_limited for kind, holds in consents.items() if holds)
    patient, level = look.patient, assessed.level if assessed else ""
    return {
        "patient": patient,
        "person": person,
        "level": level,
        "banner": {
            "age": _age(look),
            "reason": reason(assessed),
            "since": assessed.entered_level_at if assessed else None,
            "consent": consent_words(consents, limited=limited),
            "consent_ok": all(consents.values()),
            "team": team_words(team),
            # What is dangerous first, whoever says it.
            "flags": sorted(
                [*_own_flags(person, look), *parts.flags(replace(look, level=level))],
                key=lambda flag: flag.tone != "crit",
            ),
        },
    }


def reason(assessed: RiskAssessment | None) -> str:
    """Return why the level stands, in one sentence; "" for a low one without a rule, and for nobody's."""
    if assessed is None or (not assessed.rules_fired and assessed.level == "low"):
        return ""
    return sentence(reason_code(assessed.rules_fired, assessed.level))


def allowed(decided: Mapping[str, Decision], at: datetime) -> dict[str, bool]:
    """Return of each consent that decides what we may do whether it holds."""
    return {kind: kind in decided and decided[kind].holds(at) for kind in CONSENTS}


def consent_words(consents: dict[str, bool], *, limited: bool = False) -> str:
    """Return the state of the consents that decide what we may do, in a few words; limits stand on a page."""
    missing = [CONSENTS[kind] for kind, held in consents.items() if not held]
    if len(missing) == len(consents):
        return "None given"
    words = f"Not for {', '.join(missing)}" if missing else "All given"
    return f"{words}; some with limits" if limited else words


def team_words(team: list[CareTeamMember]) -> str:
    """Return who cares for somebody, the lead by name and the others as a number."""
    named = [one for one in team if one.user is not None]
    lead = next((one for role in LEADS for one in named if one.role == role and not one.cover_for_id), None)
    lead = lead or (named[0] if named else None)
    if lead is None or lead.user is None:
        return "Nobody"
    cover = next((one for one in named if one.cover_for_id == lead.pk and one.user), None)
    rest = len(team) - 1 - (cover is not None)
    words = lead.user.full_name
    if cover is not None and cover.user is not None:
        words = f"{cover.user.full_name} for {words}"
    return f"{words} and {rest} more" if rest > 0 else words


def _age(look: parts.Look) -> int | None:
    """Return the age in years on the person's own day; None when no birthday is on record."""
    patient = look.patient
    if not holds(patient, "date_of_birth"):
        return None
    look.context.open([patient], ("date_of_birth",))
    return years(patient.date_of_birth, look.at.astimezone(zone_of(patient.zone())).date())


def years(born: date | None, today: date) -> int | None:
    """Return whole years between two days."""
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _own_flags(person: PersonCard, look: parts.Look) -> list[parts.Flag]:
    found = []
    if person.is_minor:
        found.append(parts.Flag("Under 18", "warn"))
    if person.is_provisional:
        found.append(parts.Flag("Not on record yet", "warn"))
    if look.held_since is not None:
        day = look.held_since.astimezone(zone_of(look.patient.zone()))
        found.append(parts.Flag(f"Legal hold since {date_format(day, 'j M Y')}", "warn"))
    return found
