"""A clinician's lower level: what it takes down, by how much, and that newer danger ends it (H4, 3.8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from crisis.risk import codes
from crisis.risk.engine import assess
from crisis.risk.hysteresis import Standing, after
from crisis.risk.types import EvidenceItem, Inputs, Level, Result

from . import world as w


def at(item: EvidenceItem, hours: float) -> EvidenceItem:
    """An item so many hours after the first moment."""
    return replace(item, observed_at=w.NOW + timedelta(hours=hours))


def walked(evidence: list[EvidenceItem], *looks: float) -> list[tuple[str, str]]:
    """The engine's own level and the one that stands, look by look; each knows what there was by then."""
    standing: Standing | None = None
    found = []
    for hours in looks:
        moment = w.NOW + timedelta(hours=hours)
        known = tuple(item for item in evidence if item.known_at <= moment)
        result = assess(Inputs(at=moment, evidence=known))
        standing = after(standing, result)
        found.append((str(result.level), str(standing.level)))
    return found


DANGER = w.factor(codes.SOS_IN_DANGER, source="sos")
CALLS = {
    "the button": DANGER,
    "somebody else's report": w.factor(codes.THIRD_PARTY_IMMINENT, source="third_party"),
    "an act": w.factor(codes.ATTEMPT_NOW, source="message"),
    "a threat": w.factor(codes.HARM_TO_OTHERS, source="message"),
}


@pytest.mark.parametrize("call", CALLS)
def test_after_a_step_down_newer_danger_is_critical_until_two_people_say_otherwise(call: str) -> None:
    ended = w.resolved("self_harm")
    ledger = [
        w.text("A"), at(ended, 1), at(w.clinician("high", codes.LOWER), 30), at(CALLS[call], 40),
        *(at(w.resolved(kind), 41) for kind in ("self_harm", "medical", "harm_to_others")),
    ]  # fmt: skip
    found = walked(ledger, 0, 1, 30, 40, 41, 42, 60)
    assert [stands for _, stands in found] == ["critical", "critical", "high", *["critical"] * 4]


def test_an_older_lower_level_takes_nothing_down_from_a_newer_critical_one() -> None:
    ledger = [
        w.text("B"), w.factor("RF_LEGAL"), w.factor("RF_NSSI"),
        at(w.clinician("medium", codes.LOWER), 2), at(DANGER, 20), at(w.resolved("self_harm"), 22),
    ]  # fmt: skip
    found = walked(ledger, 0, 2, 20, 22, 24, 48)
    assert [stands for _, stands in found] == ["high", "medium", *["critical"] * 4]
    assert found[4][0] == "high", "the old statement has ended, and the score speaks again"


def test_words_that_came_late_and_were_looked_at_end_a_lower_level_too() -> None:
    late = replace(w.text("A", 9), received_at=w.NOW + timedelta(hours=4))
    ledger = [w.text("B", 1), at(w.clinician("medium", codes.LOWER), 2), late, at(w.resolved("self_harm"), 5)]
    assert [stands for _, stands in walked(ledger, 0, 2, 4, 6)] == ["high", "medium", "critical", "critical"]


def test_a_refuted_press_was_none() -> None:
    lower = w.clinician("medium", codes.LOWER, 1)
    assert w.decide(w.text("B", 2), lower, replace(DANGER, refuted=True)).level == "medium"


@pytest.mark.parametrize(
    "calm",
    [
        w.factor("PF_SAFETY_PLAN"),
        w.mood("neutral", 0.9),
        w.factor(codes.THIRD_PARTY_CONCERN, source="message"),
        w.item9(0),
        w.cssrs("none", "low"),
    ],
)
def test_what_says_nothing_of_danger_ends_no_lower_level(calm: EvidenceItem) -> None:
    assert w.decide(w.text("B", 2), w.clinician("medium", codes.LOWER, 1), calm).level == "medium"


def lowered(to: Level, days: float = 0) -> Result:
    """A result in which a clinician's lower level holds, while the score by itself is still high."""
    found = w.decide(w.text("B", 2), w.clinician(to, codes.LOWER, days))
    assert (found.level, found.score, found.level_source) == (to, 0.65, "clinician")
    return found


@pytest.mark.parametrize(
    ("before", "entered", "to", "stands"),
    [
        (Level.HIGH, 1.0, Level.MEDIUM, Level.MEDIUM),
        (Level.HIGH, 0.2, Level.MEDIUM, Level.HIGH),
        (Level.CRITICAL, 1.0, Level.MEDIUM, Level.CRITICAL),
        (Level.HIGH, 1.0, Level.LOW, Level.HIGH),
    ],
    ids=["one step", "said before it was entered", "never from critical", "never two steps"],
)
def test_a_human_lowers_what_they_knew_of_by_one_step(
    before: Level, entered: float, to: Level, stands: Level
) -> None:
    assert after(Standing(before, w.ago(entered)), lowered(to, 0.5)).level is stands
