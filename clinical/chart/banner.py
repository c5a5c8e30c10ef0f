"""The banner that stays on every page of a chart: who, how risky and who says so, consent, team, flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format

from clinical.chart import parts
from cortex.access.context import AccessContext, holds
from crisis.risk.models import RiskAssessment
from crisis.risk.protected import without_protected
from crisis.risk.queries import latest_assessment
from crisis.risk.reasons import ground_words, grounds, reason_code, sentence
from crisis.risk.types import Level
from patients.care.models import CareTeamMember
from patients.care.queries import care_team, seat, seats
from patients.codes import CareRole, ConsentType
from patients.holds.queries import rows_with_hold
from patients.privacy.queries import decisions_told
from patients.privacy.records import Decision
from patients.registry.access import BREAK_GLASS, TEAM
from patients.registry.models import Patient
from patients.registry.queries import PersonCard, local_day, person_card

# These decide what we may do: one of them that is missing is named first, and marked.
DECIDING = (
    ConsentType.TREATMENT, ConsentType.VOICE_PROCESSING, ConsentType.EMERGENCY_CONTACT,
    ConsentType.CARE_TEAM_SHARING,
)  # fmt: skip
NEVER = "never asked"
# So many types of one state are named in the banner; the overview names them all.
NAMED = 2
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
    decided = decisions_told(patient.person_id, at)
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
    """Return the banner of what was read already, and what its reader may do below it.

    Break-glass only reads (`may_write`); consent and team are the team's (`may_decide_care`).
    """
    patient, level = look.patient, assessed.level if assessed else ""
    relation = look.context.relation_to(patient.pk)
    return {
        "patient": patient,
        "person": person,
        "level": level,
        "may_write": relation != BREAK_GLASS,
        "may_decide_care": relation in TEAM,
        "banner": {
            "age": _age(look),
            "reason": reason(assessed),
            "since": assessed.entered_level_at if assessed else None,
            "consent": consent_words(consent_states(decided, look.at)),
            "consent_ok": all(kind in decided and decided[kind].holds(look.at) for kind in DECIDING),
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


def consent_states(decided: Mapping[str, Decision], at: datetime) -> dict[ConsentType, str]:
    """Return the state of every type in words, those first that decide what we may do."""
    kinds = [*DECIDING, *(kind for kind in ConsentType if kind not in DECIDING)]
    return {kind: decided[kind].state(at) if kind in decided else NEVER for kind in kinds}


def stated_beside(stated: Any, assessed: RiskAssessment | None, opens: bool) -> dict[str, Any]:
    """Return what a clinician said of the level, by whom and when, beside what the signals alone say.

    `stated` is the chart's Statement; `opens`: whether the reader may see factors of substance use.
    """
    if stated is None or assessed is None:
        return {"stated": "", "signals": ""}
    who = stated.by or "A clinician"
    return {
        "stated": f"{who} set {stated.level}" if stated.level else f"{who} left the level to the signals",
        "stated_at": stated.at,
        "signals": _signals_words(stated.level, assessed, opens),
    }


def _signals_words(level: str, assessed: RiskAssessment, opens: bool) -> str:
    """Say what the signals are next to a level that a clinician set; "" where nobody set one."""
    factors: Sequence[Any] = assessed.factors if opens else without_protected(assessed.factors)
    if not level:
        return ""
    if assessed.level_source == "clinician":
        alone = ground_words(grounds("score", assessed.level, (), factors))
        return f"Signals beside it: {alone}." if alone else "No other signals."
    why = ground_words(grounds(assessed.level_source, assessed.level, assessed.rules_fired, factors))
    why = f": {why}" if why else ""
    if Level(assessed.level).rank > Level(level).rank:
        return f"Signals are higher than that level and stand at {assessed.level}{why}."
    return f"Signals stand at {assessed.level}{why}."


def consent_list(decided: Mapping[str, Decision], at: datetime) -> dict[str, Any]:
    """Return what was decided of each consent, and by name what nobody asked."""
    states = consent_states(decided, at)
    rows = [
        {"label": kind.label, "state": state, "holds": decided[kind].holds(at)}
        for kind, state in states.items() if kind in decided
    ]  # fmt: skip
    return {"rows": rows, "never": [kind.label for kind in states if kind not in decided]}


def consent_words(states: Mapping[ConsentType, str]) -> str:
    """Return the state of all consents in few words; no type is said to be given that nobody asked about."""
    by_state: dict[str, list[ConsentType]] = {}
    for kind, state in states.items():
        by_state.setdefault(state, []).append(kind)
    if set(by_state) == {NEVER}:
        return "None was ever asked"
    said = []
    for state in sorted(by_state, key=lambda one: (not one.startswith("given"), one == NEVER, one)):
        kinds = by_state[state]
        # What nobody asked is named where it decides what we may do, else counted.
        named = [kind.label for kind in kinds if state != NEVER or kind in DECIDING][:NAMED]
        rest = len(kinds) - len(named)
        more = [f"{rest} more" if named else str(rest)] if rest else []
        said.append(f"{state[:1].upper()}{state[1:]}: {_join([*named, *more])}")
    return ". ".join(said)


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def team_words(team: list[CareTeamMember]) -> str:
    """Return who cares for somebody, the lead by name and the others as a number."""
    team = seats(team)
    named = [one for one in team if one.user is not None]
    lead = next((one for role in LEADS for one in named if one.role == role and not one.cover_for_id), None)
    lead = lead or (named[0] if named else None)
    if lead is None or lead.user is None:
        return "Nobody"
    cover = next((one for one in named if seat(one)[1:] == (lead.role, lead.user_id)), None)
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
    return years(patient.date_of_birth, local_day(patient, look.at))


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
        day = local_day(look.patient, look.held_since)
        found.append(parts.Flag(f"Legal hold since {date_format(day, 'j M Y')}", "warn"))
    return found
