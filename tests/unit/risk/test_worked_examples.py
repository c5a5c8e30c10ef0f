"""The worked examples of the domain page: inputs as the page gives them, results from `examples.json`.

The file holds slices of the project's shared examples, which were computed apart from this code.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from crisis.risk import codes
from crisis.risk.desk import OpenAlert, decide
from crisis.risk.dissonance import Dissonance, dissonance
from crisis.risk.evidence import Origin, from_item9, from_phq_total
from crisis.risk.hysteresis import Standing, step
from crisis.risk.measures import Screener, triage_of
from crisis.risk.types import Level, Result

from . import world as w

NEAR = 1e-3
EXAMPLES = json.loads(Path(__file__).with_name("examples.json").read_text())
PROTECTIVE_10 = [w.factor("PF_MEANS_SAFE"), w.factor("PF_SAFETY_PLAN")]
PROTECTIVE_15 = [w.factor("PF_REASONS_LIVING"), w.factor("PF_SOCIAL_SUPPORT"), w.factor("PF_ENGAGED_CARE")]
PROTECTIVE_20 = [*PROTECTIVE_15, w.factor("PF_MEANS_SAFE")]


def matches(result: Result, expected: dict) -> None:
    assert result.score_raw == pytest.approx(expected["raw"], abs=NEAR)
    assert result.protective_applied == pytest.approx(expected["P"], abs=NEAR)
    assert result.score == pytest.approx(expected["score"], abs=NEAR)
    assert result.level == expected["level"]
    assert {f.domain: f.share for f in result.factors} == pytest.approx(expected["shares"], abs=NEAR)


LOW_MOODS = [w.mood("hopeless", 0.8), w.mood("resigned", 0.7, 2, 2), w.mood("neutral", 0.9, 4, 3)]


def same_gap(found: Dissonance, expected: dict) -> None:
    for name, value in expected.items():
        near = pytest.approx(value, abs=NEAR) if isinstance(value, float) else value
        assert getattr(found, name) == near, name


def test_x12_and_x13_the_gap_between_words_and_voice():
    expected = EXAMPLES["X12+X13"]
    words = {"stated_valence": 0.4, "stated_confidence": 0.8, "voice_valence": -0.7, "voice_confidence": 0.9}
    same_gap(dissonance(**words, voice_emotion="sad", deflection=True), expected["fine"])
    # The page names this one too: .7778 without the deflection's .10.
    assert dissonance(**words).score == pytest.approx(expected["fine"]["score"] - 0.10, abs=NEAR)
    louder = dissonance(stated_valence=-0.8, stated_confidence=0.9, voice_valence=0.0, voice_confidence=0.7)
    same_gap(louder, expected["ampl"])
    same = dissonance(stated_valence=-0.5, stated_confidence=0.9, voice_valence=-0.6, voice_confidence=0.8)
    same_gap(same, expected["congr"])
    same_gap(dissonance(**words | {"stated_confidence": 0.3}), expected["lowc"])


# The rules that fired, by hour, as the page gives them; the file has hour, level, score and move.
X17_RULES = {1: {"H11"}, 3: {"H11"}, 5: {"H11"}, 6: {"H11", "H12"}, 8: {"H1"}, 9: {"H1"}}
X17_RESOLVED = 30


def test_x17_the_alert_desk():
    open_alert: OpenAlert | None = None
    for hour, level, score, *evidence_hour, expected in EXAMPLES["X17"]:
        is_resolved = hour > X17_RESOLVED
        if is_resolved and expected == "log_only":
            open_alert = None
        rules = X17_RULES.get(hour, set())
        decision = decide(
            level=Level(level),
            score=score,
            rules=rules,
            newest_evidence_at=w.NOW + timedelta(hours=(evidence_hour or [hour])[0]),
            open_alert=open_alert,
            resolved_at=w.NOW + timedelta(hours=X17_RESOLVED) if is_resolved else None,
        )
        move, _, raised = expected.partition(":")
        assert decision.move == move, hour
        if raised:
            assert decision.level == raised
        if move in ("create", "renotify", "escalate"):
            known = set(open_alert.rules) if open_alert else set()
            open_alert = OpenAlert(decision.level, score, known | rules)
    assert [row[-1] for row in EXAMPLES["X17"]].count("append") == 2


def test_x18_many_soft_signals_make_high():
    result = w.decide(
        w.text("D"), w.gap(0.8778), *LOW_MOODS, w.trajectory(0.7136), w.baseline(2.5), *PROTECTIVE_10
    )
    matches(result, EXAMPLES["X18"]["R1"])
    found = {f.domain: f.contribution for f in result.factors}
    parts = EXAMPLES["X18"]["R1comp"]
    expected = {
        "text": parts["text"], "dissonance": parts["diss"], "emotion": EXAMPLES["X18"]["R1"]["em"],
        "trajectory": parts["traj"], "baseline": parts["base"],
    }  # fmt: skip
    assert found == pytest.approx(expected, abs=NEAR)


def test_x19a_a_hard_rule_ignores_protective_factors():
    result = w.decide(w.text("A"), *PROTECTIVE_20)
    matches(result, EXAMPLES["X19"]["R2"])
    assert result.rules_fired == ("H1",)


def test_x19b_behaviour_alone_is_capped_unless_it_is_sustained():
    moods = [w.mood("hopeless", 0.9), w.mood("hopeless", 0.9)]
    evidence = [w.gap(0.8571429), *moods, w.baseline(3.4), w.trajectory(0.6)]
    single = w.decide(*evidence)
    matches(single, EXAMPLES["X19"]["R3"])
    assert single.caps == ("behaviour_only",)
    sustained = w.decide(*evidence, w.gap(0.8, 2, number=2))
    matches(sustained, EXAMPLES["X19"]["R3b"])
    assert sustained.caps == ("behaviour_sustained",)


def test_x19c_item_nine_with_history_and_a_stressor():
    evidence = [w.factor("RF_ATTEMPT_LIFETIME", 400), w.factor("RF_JOB_FINANCE", 5), *PROTECTIVE_15]
    result, expected = w.decide(w.item9(1, 10), w.phq_total(16, 10), *evidence), EXAMPLES["X19"]
    matches(result, expected["R4"])
    assert phq_of(result) == pytest.approx(expected["R4"]["phq"], abs=NEAR)
    older = w.decide(w.item9(1, 28), w.phq_total(16, 28), *evidence)
    assert phq_of(older) == pytest.approx(expected["R4age28"], abs=NEAR)


def phq_of(result: Result) -> float:
    return {f.domain: f.contribution for f in result.factors}["phq"]


def test_r5_ideation_with_screener_and_recent_attempt_is_critical():
    moods = [w.mood("hopeless", 0.45), w.mood("neutral", 0.9), w.mood("neutral", 0.45)]
    result = w.decide(
        w.text("B"), w.cssrs("moderate", "high"), w.factor("RF_ATTEMPT_12M", 100), *moods, *PROTECTIVE_10
    )
    matches(result, EXAMPLES["more"]["R5"])
    assert "H6" in result.rules_fired


def test_r6_without_direct_evidence_the_score_stays_below_critical():
    moods = [w.mood("hopeless", 0.9), w.mood("hopeless", 0.9)]
    result = w.decide(
        w.text("D"), *moods, w.item9(1), w.trajectory(1.0), w.factor("RF_ATTEMPT_LIFETIME", 900),
        w.baseline(4.0), w.gap(0.8571429),
    )  # fmt: skip
    matches(result, EXAMPLES["more"]["R6"])
    assert result.caps == ("no_direct_evidence",)


def test_x21_levels_rise_at_once_and_fall_slowly():
    standing: Standing | None = None
    for hour, score, floors, expected in EXAMPLES["X21"]:
        standing = step(standing, at=w.NOW + timedelta(hours=hour), score=score, has_floor=bool(floors))
        assert standing.level == expected, hour


# The page's answers; the file's row of three missing ones says only that there is no total. Its item 9 speaks
# all the same, and so does that of a questionnaire of nothing else.
X22 = [
    ("I1", [2, 3, 2, 2, 1, 2, 1, 1, 1], "medium", ("H15",)),
    ("I2", [2, 3, None, 2, 1, 2, 1, 1, 0], "low", ()),
    ("I2b", [2, 3, None, None, None, 2, 1, 1, 0], "low", ()),
    ("I2b", [2, 3, None, None, None, 2, 1, 1, 2], "high", ("H7a",)),
    ("I2c", [1, 1, 1, 1, 1, 1, 1, 1, None], "low", ()),
]
ANSWERED = Origin("instrument", w.NOW, source_id=w.session(600))


def administered(item9: int | None, total: int | None) -> Result:
    """What the engine makes of the rows that the product writes of a PHQ-9."""
    drafts = [from_item9(item9, ANSWERED)]
    drafts += [from_phq_total(total, ANSWERED)] if total is not None else []
    return w.decide(*(one.item for one in drafts))


@pytest.mark.parametrize(("row", "answers", "level", "rules"), X22)
def test_x22_item_nine_sets_the_floor_and_a_gap_is_never_a_zero(row, answers, level, rules):
    expected, item = EXAMPLES["X22"][row], from_item9(answers[8], ANSWERED).item
    assert (item.code == codes.ITEM9_MISSING) == expected.get("item9_missing", False)
    assert item.value == expected.get("item9", answers[8])
    found = administered(answers[8], expected.get("total"))
    assert (found.level, found.rules_fired) == (level, rules)
    assert ("item9" in found.missing_inputs) == expected.get("item9_missing", False)


def test_x22_has_no_row_that_is_not_tested():
    assert {row for row, *_ in X22} == set(EXAMPLES["X22"])


@pytest.mark.parametrize(("value", "level"), [(0, "low"), (1, "medium"), (2, "high"), (3, "high")])
def test_item_nine_alone_sets_the_floor_of_its_answer(value, level):
    assert administered(value, None).level == level


X24 = {
    "Ca": Screener(q1=True, q2=False, q6_lifetime=False),
    "Cb": Screener(True, True, True, False, False, False),
    "Cc": Screener(q1=False, q2=False, q6_lifetime=True, q6_3m=True),
    "Cd": Screener(q1=True, q2=False, q6_lifetime=True, q6_3m=True),
    "Ce": Screener(q1=False, q2=False, q6_lifetime=True, q6_3m=False),
    "Cf": Screener(True, True, True, True, False, False),
}


@pytest.mark.parametrize("row", sorted(EXAMPLES["X24"]))
def test_x24_the_screeners_triage_and_floor(row):
    found = triage_of(X24[row])
    assert [found.triage, found.floor] == EXAMPLES["X24"][row]


def test_a_screener_without_a_yes_is_none_when_it_is_complete_and_declined_when_it_is_not():
    complete, partial = (
        triage_of(Screener(q1=False, q2=False, q6_lifetime=False)),
        triage_of(Screener(q1=False)),
    )
    assert (complete.triage, complete.floor) == ("none", "low")
    assert (partial.triage, partial.floor) == ("declined", "low")
