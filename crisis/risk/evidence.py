"""How what was observed becomes coded evidence, and how long each code counts by itself; no rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from . import codes
from .dissonance import Dissonance
from .lexicon import Hit, Screening
from .policy import ENGINE_VERSION, POLICY, Policy
from .textmodel import ModelReading
from .types import EvidenceItem, Floor, Kind, Level, Source, Status


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and when something was observed; `local_day` is the person's own calendar day."""

    source_type: str
    observed_at: datetime
    source_id: UUID | None = None
    session_id: UUID | None = None
    local_day: date | None = None

    def item(self, code: str, domain: str, **facts: object) -> EvidenceItem:
        """An evidence item of this origin."""
        return EvidenceItem(
            code=code, domain=domain, source_type=self.source_type, observed_at=self.observed_at,
            source_id=self.source_id, session_id=self.session_id, local_day=self.local_day,
            **facts,  # type: ignore[arg-type]
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Draft:
    """An evidence item with what only its row keeps: its end, the lexicon's entry and the flags."""

    item: EvidenceItem
    expires_at: datetime | None
    lexicon_entry: str = ""
    lexicon_version: str = ""
    flags: tuple[str, ...] = ()


def draft(item: EvidenceItem, entry: str = "", version: str = "", flags: tuple[str, ...] = ()) -> Draft:
    """Put an end to an item by its code."""
    return Draft(item, expires_at(item), entry, version, flags)


def expires_at(item: EvidenceItem, policy: Policy = POLICY) -> datetime | None:
    """When an item stops counting by itself; None for what only a human act ends."""
    days = _days(item, policy)
    return None if days is None else item.observed_at + timedelta(days=days)


def _days(item: EvidenceItem, policy: Policy) -> float | None:
    if item.domain in _UNTIL_A_HUMAN_ACTS or item.code in (codes.ATTEMPT_NOW, codes.THIRD_PARTY_IMMINENT):
        return None
    if item.domain == "text":
        return None if item.tier in ("A", "B", "C", "SH") else policy.text_half_days
    if item.code == codes.DISSONANCE_MASKED and (item.value or 0) >= policy.masked_min:
        return None
    if item.code == codes.ITEM9:
        return None  # a 0 too: it may stand in the place of a wrong answer, which would come back
    if item.code == "RF_MEANS_ACCESS" and item.source_type == Source.CLINICIAN:
        return None
    if item.domain in codes.BEHAVIOURAL:
        return policy.behaviour_days
    windows = {
        "phq": policy.phq_fade.zero_days,
        "protective": policy.protective_days,
        "stressors": policy.stressor_days,
    }
    return windows.get(item.domain, policy.means_window_days)


_UNTIL_A_HUMAN_ACTS = frozenset({"cssrs", "history", "sos", "others", "review", "disengagement"})


def from_screening(screening: Screening, origin: Origin) -> tuple[Draft, ...]:
    """The rows of a screened text: one per counting tier and cue, and codes for what was taken back."""
    version = screening.lexicon_version
    made = [
        draft(
            origin.item(codes.text_code(tier), "text", tier=tier, confidence=screening_confidence(screening)),
            _entry_of(screening.hits, tier),
            version,
            ("language_uncertain",) if screening.language_uncertain else (),
        )
        for tier in screening.tiers
    ]
    made += [draft(origin.item(cue, codes.domain_of(cue)), "", version) for cue in screening.cues]
    made += [
        draft(origin.item(f"{codes.text_code(tier)}_TAKEN_BACK", "context", tier=tier), entry, version, flags)
        for tier, entry, flags in _taken_back(screening)
    ]
    made += [draft(origin.item("DEFLECTION", "context"), entry, version) for entry in screening.deflections]
    if screening.third_party_concern:
        made.append(draft(origin.item(codes.THIRD_PARTY_CONCERN, "third_party"), "", version))
    if screening.past_attempt:
        made.append(draft(origin.item("PAST_ATTEMPT_MENTIONED", "context"), "", version))
    return tuple(made)


def screening_confidence(screening: Screening) -> float:
    """The confidence of text evidence: the tier counts in full, an unsure language is only shown."""
    return 1.0 if not screening.language_uncertain else max(0.4, round(screening.language_confidence, 2))


def _entry_of(hits: Iterable[Hit], tier: str) -> str:
    return next((hit.entry for hit in hits if hit.counts and hit.tier == tier), "")


def _taken_back(screening: Screening) -> list[tuple[str, str, tuple[str, ...]]]:
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for hit in screening.hits:
        if hit.tier and not hit.counts and hit.tier not in screening.tiers:
            found.setdefault(hit.tier, (hit.entry, hit.flags))
    return [(tier, entry, flags) for tier, (entry, flags) in found.items()]


def reviews_of(screening: Screening) -> tuple[str, ...]:
    """Reason codes of review items that a text asks for by itself, whatever the level."""
    asked = (
        ("third_party_concern", screening.third_party_concern),
        ("past_attempt_mentioned", screening.past_attempt),
        ("phq9_suggested", screening.suggests_phq9),
    )
    return tuple(code for code, wanted in asked if wanted)


def from_text_model(reading: ModelReading, origin: Origin) -> Draft:
    """The row of a text model's reading; a shadow one is context, which no rule and no score looks at."""
    code, domain = (codes.TEXT_MODEL_SHADOW, "context") if reading.is_shadow else (codes.TEXT_MODEL, "text")
    item = origin.item(
        code, domain, value=reading.severity, confidence=min(1.0, max(0.0, reading.confidence))
    )
    return draft(replace(item, source_type=Source.TEXT_MODEL), version=reading.model_version)


def from_shadow(screening: Screening, origin: Origin) -> tuple[Draft, ...]:
    """The rows of what a version of the lexicon in shadow found: context, under codes of their own."""
    found = [(codes.text_code(tier), tier, _entry_of(screening.hits, tier)) for tier in screening.tiers]
    found += [(cue, "", "") for cue in screening.cues]
    return tuple(
        draft(origin.item(codes.shadow(code), "context", tier=tier), entry, screening.lexicon_version)
        for code, tier, entry in found
    )


def from_rule_in_shadow(floor: Floor, version: str) -> Draft:
    """The row of what a rule in shadow would have set, on its newest evidence; `version` is the engine's."""
    newest = max(floor.items, key=lambda item: (item.known_at, item.code))
    origin = Origin(newest.source_type, floor.newest_at, newest.source_id, newest.session_id)
    return draft(origin.item(codes.rule_code(floor.rule), "context", tier=str(floor.level)), "", version)


def from_emotion(label: str, confidence: float, origin: Origin) -> Draft:
    """The row of one emotion observation; calm ones count too, since shares are what is measured."""
    return draft(origin.item(f"EMO_{label.upper()}", "emotion", confidence=confidence))


def from_dissonance(gap: Dissonance, origin: Origin) -> Draft | None:
    """The row of a session's gap between words and voice, by this engine; None where it can't be said."""
    if gap.score is None:
        return None
    code = {
        "concealment": codes.DISSONANCE_MASKED if gap.masked_hopelessness else codes.DISSONANCE,
        "amplification": "DISSONANCE_AMPLIFICATION",
    }.get(gap.type, "DISSONANCE_CONGRUENT")
    return draft(origin.item(code, "dissonance", value=gap.score), version=ENGINE_VERSION)


def from_baseline(deviation: float, origin: Origin, *, provisional: bool, version: str = "") -> Draft:
    """The row of a voice's distance from the person's own baseline (B, 0 up); `version` is the builder's."""
    code = codes.BASELINE_PROVISIONAL if provisional else codes.BASELINE
    return draft(origin.item(code, "baseline", value=deviation), version=version)


def from_trajectory(trajectory: str, confidence: float, origin: Origin) -> Draft:
    """The row of a nightly trajectory (improving, declining, stable, volatile)."""
    return draft(origin.item(f"TRAJECTORY_{trajectory.upper()}", "trajectory", confidence=confidence))


def from_item9(value: int | None, origin: Origin) -> Draft:
    """The row of item 9 of a PHQ-9; None is a missing answer, which is never a 0."""
    if value is None:
        return draft(origin.item(codes.ITEM9_MISSING, "phq"))
    return draft(origin.item(codes.ITEM9, "phq", value=float(value)))


def from_phq_total(total: int, origin: Origin) -> Draft:
    """The row of a valid PHQ-9 total (0-27)."""
    return draft(origin.item(codes.PHQ_TOTAL, "phq", value=float(total)))


def from_cssrs(
    triage: str, floor: Level, origin: Origin, *, complete: bool, behaviour: float, since_contact: bool
) -> Draft:
    """The row of a C-SSRS screener; unfinished it adds its yes but ends no floor, declined it has none.

    Its value is the behaviour that it tells of (`Screener.behaviour`): a form since the last contact doesn't
    ask about that again.
    """
    if triage == "declined":
        return draft(origin.item(codes.CSSRS_DECLINED, "cssrs", tier=triage))
    whole = codes.CSSRS_SINCE if since_contact else codes.CSSRS
    code = whole if complete else codes.CSSRS_PARTIAL
    return draft(origin.item(code, "cssrs", tier=triage, floor=floor.value, value=behaviour))


def from_sos(button: str | None, origin: Origin) -> Draft:
    """The row of an SOS; a missing or unreadable button counts as "in danger"."""
    code = codes.SOS_TALK if button == "talk_to_person" else codes.SOS_IN_DANGER
    return draft(origin.item(code, "sos"))


def from_factor(code: str, origin: Origin, status: str = Status.PRESENT) -> Draft:
    """The row of a coded factor of domain 3.2; ValueError for a code that isn't one."""
    return draft(origin.item(code, codes.domain_of(code), status=status))


def from_third_party(origin: Origin, *, imminent: bool) -> Draft:
    """The row of a report by somebody else about this person."""
    code = codes.THIRD_PARTY_IMMINENT if imminent else codes.THIRD_PARTY_CONCERN
    return draft(origin.item(code, "third_party"))


def from_clinician_level(level: Level, before: Level, origin: Origin) -> Draft:
    """The row of a level that a clinician set; whether it raises or lowers is fixed when it is entered."""
    direction = codes.LOWER if level.rank < before.rank else codes.RAISE
    return draft(origin.item(codes.CLINICIAN_LEVEL, "review", tier=direction, floor=level.value))


def from_review(origin: Origin) -> Draft:
    """The row of a clinician's completed risk review without a level of its own."""
    return draft(origin.item(codes.CLINICIAN_REVIEW, "review"))


def from_resolution(kind: Kind | str, origin: Origin) -> Draft:
    """The row of an alert of one kind that a human resolved; it ends the floors that 4.3 lets it end."""
    return draft(origin.item(codes.ALERT_RESOLVED, "review", tier=str(kind)))
