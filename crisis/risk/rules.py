"""The hard rules H1-H15 (domain 4.3): which floors stand, and which human act has ended them since."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from . import codes
from .domains import Grouped, age_days, known_history, standing
from .policy import Policy
from .types import EvidenceItem, Floor, Inputs, Kind, Level, Source

_SELF = (Kind.SELF_HARM,)
_MEDICAL = (Kind.SELF_HARM, Kind.MEDICAL)
_OTHERS = (Kind.HARM_TO_OTHERS,)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The evidence as the rules look at it, with the human acts that end floors."""

    grouped: Grouped
    inputs: Inputs
    policy: Policy
    tiers: dict[str, list[EvidenceItem]]
    screened_at: datetime | None = None
    clinician_at: datetime | None = None
    resolved_at: dict[str, datetime] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """The moment that is decided about."""
        return self.inputs.at

    @property
    def reviewed_at(self) -> datetime | None:
        """When the last completed C-SSRS or clinician review was; it could not know what came later."""
        return max((moment for moment in (self.screened_at, self.clinician_at) if moment), default=None)

    def items(self, domain: str, code: str = "") -> list[EvidenceItem]:
        """The items of a domain that count, of one code where given."""
        return [item for item in self.grouped.get(domain, ()) if item.counts and code in ("", item.code)]

    def unreviewed(self, items: Sequence[EvidenceItem]) -> list[EvidenceItem]:
        """The items newer than the last completed C-SSRS or clinician review."""
        reviewed = self.reviewed_at
        return [item for item in items if reviewed is None or item.known_at > reviewed]

    def stands_after_clinician(self, item: EvidenceItem) -> bool:
        """Whether no clinician who could know of a screener has looked since; it is a review itself."""
        return self.clinician_at is None or item.known_at >= self.clinician_at

    def unresolved(self, items: Sequence[EvidenceItem], kinds: tuple[Kind, ...]) -> list[EvidenceItem]:
        """The items that no human has resolved yet, in at least one of the kinds that they mean."""
        return [item for item in items if any(self._open(item.known_at, kind) for kind in kinds)]

    def recent(self, items: Sequence[EvidenceItem], days: float) -> list[EvidenceItem]:
        """The items that are at most `days` old."""
        return [item for item in items if age_days(item, self.at) <= days]

    def tier(self, *names: str) -> list[EvidenceItem]:
        """The text items of some tiers."""
        return [item for name in names for item in self.tiers.get(name, ())]

    def _open(self, known_at: datetime, kind: Kind) -> bool:
        resolved = self.resolved_at.get(kind)
        return resolved is None or known_at > resolved


def ledger_of(grouped: Grouped, inputs: Inputs, policy: Policy) -> Ledger:
    """Index the evidence once for all rules."""
    tiers: dict[str, list[EvidenceItem]] = {}
    for item in grouped.get("text", ()):
        if item.counts and item.tier:
            tiers.setdefault(item.tier, []).append(item)
    screened = [item.observed_at for item in grouped.get("cssrs", ()) if item.code in codes.CSSRS_COMPLETE]
    reviewed: list[datetime] = []
    resolved: dict[str, datetime] = {}
    for item in grouped.get("review", ()):
        if item.code in (codes.CLINICIAN_LEVEL, codes.CLINICIAN_REVIEW):
            reviewed.append(item.observed_at)
        elif item.code == codes.ALERT_RESOLVED:
            resolved[item.tier] = max(item.observed_at, resolved.get(item.tier, item.observed_at))
    last = max(screened, default=None), max(reviewed, default=None)
    return Ledger(grouped, inputs, policy, tiers, *last, resolved)


def floors(ledger: Ledger) -> tuple[Floor, ...]:
    """Every floor in force, highest first, then by rule id; a clinician's own level is the engine's work."""
    found = [floor for rule in _RULES for floor in rule(ledger)]
    return tuple(sorted(found, key=lambda floor: (-floor.level.rank, _number(floor.rule))))


def is_danger(item: EvidenceItem, policy: Policy) -> bool:
    """Whether an item is what some rule reads as danger, by itself or beside others, however old it is."""
    if not item.counts:
        return False
    if item.domain in ("warning", "sos", "others"):
        return True
    if item.domain == "cssrs":
        return Level(item.floor or Level.LOW) is not Level.LOW
    least = {codes.ITEM9: 1.0, codes.DISSONANCE_MASKED: policy.masked_min}.get(item.code)
    if least is not None:
        return (item.value or 0.0) >= least
    return item.code == codes.THIRD_PARTY_IMMINENT or (item.domain == "text" and item.tier != "")


def _number(rule: str) -> tuple[int, str]:
    digits = rule[1:].rstrip("ab")
    return int(digits), rule[1 + len(digits) :]


def _floor(
    rule: str, level: Level, items: Sequence[EvidenceItem], kinds: tuple[Kind, ...] = _SELF
) -> Iterator[Floor]:
    if items:
        yield Floor(rule, level, kinds, max(item.known_at for item in items), tuple(items))


def _h1(ledger: Ledger) -> Iterator[Floor]:
    """Tier A: intent, plan, time, means in hand or act under way."""
    yield from _floor("H1", Level.CRITICAL, ledger.unresolved(ledger.tier("A"), _SELF))


def _h2(ledger: Ledger) -> Iterator[Floor]:
    """An attempt or overdose reported under way or within the last day."""
    acts = ledger.unresolved(ledger.items("warning", codes.ATTEMPT_NOW), _MEDICAL)
    yield from _floor("H2", Level.CRITICAL, acts, _MEDICAL)


def _h3(ledger: Ledger) -> Iterator[Floor]:
    """The newest completed C-SSRS and unfinished ones since; a declined one keeps the floor before it."""
    said = _screeners(ledger)
    begun = ledger.unreviewed([item for item in said if item.code == codes.CSSRS_PARTIAL])
    newest = [item for item in said if item.code in codes.CSSRS_COMPLETE][-1:]
    for item in (*begun, *(item for item in newest if ledger.stands_after_clinician(item))):
        if item.floor and Level(item.floor) is not Level.LOW:
            yield Floor("H3", Level(item.floor), _SELF, item.known_at, (item,))
    yield from _behaviour_before(ledger, said, newest, begun)


def _screeners(ledger: Ledger) -> list[EvidenceItem]:
    """The screeners that say something, oldest first."""
    said = [item for item in ledger.items("cssrs") if item.code != codes.CSSRS_DECLINED]
    return sorted(said, key=lambda item: item.observed_at)


def _behaviour_before(
    ledger: Ledger, said: Sequence[EvidenceItem], newest: Sequence[EvidenceItem],
    begun: Sequence[EvidenceItem],
) -> Iterator[Floor]:  # fmt: skip
    """What was told of behaviour and the form since the last contact doesn't ask again (decision 54).

    Until a clinician has looked it keeps its floor: high within three months, medium longer ago. Recent, and
    with thoughts of suicide now, it is critical (domain 1.5), whoever looked before they were both known.
    """
    asked_all = max((item.observed_at for item in said if item.code == codes.CSSRS), default=None)
    told = [item for item in said if asked_all is None or item.observed_at >= asked_all]
    lately = [
        item for item in ledger.recent(told, ledger.policy.attempt_recent_days) if _behaviour(item) == 1.0
    ]
    for item in told:
        is_past = item not in newest and item not in begun
        if is_past and _behaviour(item) and ledger.stands_after_clinician(item):
            yield from _floor("H3", Level.HIGH if item in lately else Level.MEDIUM, [item])
    now = [item for item in told if _thoughts(item) and (item in newest or _is_after(item, newest))]
    for item in now:
        both = [item, *lately]
        if lately and any(ledger.stands_after_clinician(one) for one in both):
            yield from _floor("H3", Level.CRITICAL, both)


def _is_after(item: EvidenceItem, newest: Sequence[EvidenceItem]) -> bool:
    return all(item.observed_at > one.observed_at for one in newest)


def _behaviour(item: EvidenceItem) -> float:
    """What a screener tells of behaviour; where it wasn't written down, high without thoughts says it."""
    if item.value is not None:
        return item.value
    return 1.0 if (item.tier, item.floor) == ("high", Level.HIGH) else 0.0


def _thoughts(item: EvidenceItem) -> bool:
    """Whether a screener below high tells of thoughts; a moderate one at medium tells of behaviour alone."""
    return item.tier == "low" or (item.tier == "moderate" and item.floor == Level.HIGH)


def _h5(ledger: Ledger) -> Iterator[Floor]:
    """Active ideation together with access to means, or with looking for them."""
    ideation = ledger.tier("B")
    if not ideation:
        return
    days = ledger.policy.means_window_days
    access = [
        item
        for item in standing(ledger.grouped.get("stressors", ()))
        if item.code == "RF_MEANS_ACCESS"
        and (item.source_type == Source.CLINICIAN or age_days(item, ledger.at) <= days)
    ]
    seeking = ledger.recent(ledger.items("warning", "WS_MEANS_SEEKING"), days)
    means = access + seeking
    if means:
        yield from _floor("H5", Level.CRITICAL, ledger.unresolved(ideation + means, _SELF))


def _h6(ledger: Ledger) -> Iterator[Floor]:
    """Active ideation with an attempt in the last twelve months."""
    ideation = ledger.unresolved(ledger.tier("B"), _SELF)
    if ideation:
        known = known_history(ledger.grouped.get("history", ()), ledger.at, ledger.policy)
        if "RF_ATTEMPT_3M" in known or "RF_ATTEMPT_12M" in known:
            yield from _floor("H6", Level.CRITICAL, ideation)


def _h7(ledger: Ledger) -> Iterator[Floor]:
    """Item 9 of the PHQ-9: 2 or 3 is high, 3 with ideation or a death wish in words is critical."""
    answers = ledger.unreviewed(ledger.items("phq", codes.ITEM9))
    yield from _floor("H7a", Level.HIGH, [item for item in answers if (item.value or 0) >= 2])
    worst = [item for item in answers if (item.value or 0) >= 3]
    words = ledger.recent(ledger.tier("B", "C"), ledger.policy.rule_window_days)
    if worst and words:
        yield from _floor("H7b", Level.CRITICAL, worst + words)


def _h8(ledger: Ledger) -> Iterator[Floor]:
    """Somebody credible reports that this person is in imminent danger."""
    reports = ledger.items("third_party", codes.THIRD_PARTY_IMMINENT)
    yield from _floor("H8", Level.CRITICAL, ledger.unresolved(reports, _SELF))


def _h9(ledger: Ledger) -> Iterator[Floor]:
    """Intent to harm an identifiable person."""
    threats = ledger.items("others", codes.HARM_TO_OTHERS)
    yield from _floor("H9", Level.CRITICAL, ledger.unresolved(threats, _OTHERS), _OTHERS)


def _h10(ledger: Ledger) -> Iterator[Floor]:
    """A minor with active ideation or self-harm."""
    if ledger.inputs.is_minor:
        words = ledger.recent(ledger.tier("B", "SH"), ledger.policy.rule_window_days)
        yield from _floor("H10", Level.HIGH, words)


def _h11(ledger: Ledger) -> Iterator[Floor]:
    """Active ideation alone."""
    yield from _floor("H11", Level.HIGH, ledger.unreviewed(ledger.tier("B")))


def _h12(ledger: Ledger) -> Iterator[Floor]:
    """Hopelessness in the voice behind fine words, in two sessions on two days within a week."""
    masked = [
        item
        for item in ledger.unreviewed(ledger.items("dissonance", codes.DISSONANCE_MASKED))
        if (item.value or 0.0) >= ledger.policy.masked_min
    ]
    masked.sort(key=lambda item: item.observed_at)
    sustained = [item for item in masked if _sustained(masked, item, ledger.policy)]
    yield from _floor("H12", Level.HIGH, sustained)


def _sustained(masked: Sequence[EvidenceItem], last: EvidenceItem, policy: Policy) -> bool:
    window = [
        item
        for item in masked
        if item.observed_at <= last.observed_at
        and age_days(item, last.observed_at) <= policy.rule_window_days
    ]
    sessions = {item.session_id or item.source_id for item in window}
    days = {item.local_day or item.observed_at.date() for item in window}
    return len(sessions) >= policy.sustained_sessions and len(days) >= policy.sustained_days


def _h13(ledger: Ledger) -> Iterator[Floor]:
    """The person pressed the button."""
    danger = ledger.items("sos", codes.SOS_IN_DANGER)
    yield from _floor("H13", Level.CRITICAL, ledger.unresolved(danger, _SELF))
    talk = ledger.items("sos", codes.SOS_TALK)
    yield from _floor("H13", Level.HIGH, ledger.unresolved(talk, _SELF))


def _h14(ledger: Ledger) -> Iterator[Floor]:
    """A goodbye together with ideation, a death wish or hopelessness within a week."""
    days = ledger.policy.rule_window_days
    goodbye = ledger.recent(ledger.tier("V"), days)
    words = ledger.recent(ledger.tier("B", "C", "D"), days)
    if goodbye and words:
        yield from _floor("H14", Level.HIGH, goodbye + words)


def _h15(ledger: Ledger) -> Iterator[Floor]:
    """A death wish or self-harm alone, or item 9 answered with 1."""
    answers = [item for item in ledger.items("phq", codes.ITEM9) if item.value == 1]
    yield from _floor("H15", Level.MEDIUM, ledger.unreviewed(ledger.tier("C", "SH") + answers))


_RULES: tuple[Callable[[Ledger], Iterator[Floor]], ...] = (
    _h1, _h2, _h3, _h5, _h6, _h7, _h8, _h9, _h10, _h11, _h12, _h13, _h14, _h15,
)  # fmt: skip
