"""The worked examples of the domain page, with numbers that were computed apart from this project."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crisis.risk.desk import OpenAlert, decide
from crisis.risk.dissonance import dissonance
from crisis.risk.hysteresis import Standing, step
from crisis.risk.measures import Screener, item9_of, triage_of
from crisis.risk.types import Level, Result

from . import world as w

NEAR = 1e-3
PROTECTIVE_10 = [w.factor("PF_MEANS_SAFE"), w.factor("PF_SAFETY_PLAN")]
PROTECTIVE_15 = [w.factor("PF_REASONS_LIVING"), w.factor("PF_SOCIAL_SUPPORT"), w.factor("PF_ENGAGED_CARE")]
PROTECTIVE_20 = [*PROTECTIVE_15, w.factor("PF_MEANS_SAFE")]

X18 = {
    "raw": 0.7759, "P": 0.1, "score": 0.7, "level": "high",
    "shares": {"text": 0.192, "dissonance": 0.245, "emotion": 0.342, "trajectory": 0.131, "baseline": 0.089},
}  # fmt: skip
X19_A = {"raw": 0.9, "P": 0.0, "score": 0.9, "level": "critical", "shares": {"text": 1.0}}
SHARES_B = {"dissonance": 0.285, "emotion": 0.408, "baseline": 0.178, "trajectory": 0.13}
X19_B = {"raw": 0.7144, "P": 0.0, "score": 0.54, "level": "medium", "shares": SHARES_B}
X19_B_SUSTAINED = {"raw": 0.7144, "P": 0.0, "score": 0.7, "level": "high", "shares": SHARES_B}
X19_C = {
    "raw": 0.442, "P": 0.15, "score": 0.38, "level": "medium",
    "shares": {"phq": 0.493, "history": 0.382, "stressors": 0.124},
}  # fmt: skip
R5 = {
    "raw": 0.9216, "P": 0.0, "score": 0.92, "level": "critical",
    "shares": {"text": 0.412, "cssrs": 0.36, "history": 0.14, "emotion": 0.088},
}  # fmt: skip
R6 = {
    "raw": 0.8937, "P": 0.0, "score": 0.79, "level": "high",
    "shares": {
        "text": 0.128, "emotion": 0.228, "phq": 0.128, "trajectory": 0.128, "history": 0.1, "baseline": 0.128,
        "dissonance": 0.159,
    },
}  # fmt: skip


def matches(result: Result, expected: dict) -> None:
    assert result.score_raw == pytest.approx(expected["raw"], abs=NEAR)
    assert result.protective_applied == pytest.approx(expected["P"], abs=NEAR)
    assert result.score == pytest.approx(expected["score"], abs=NEAR)
    assert result.level == expected["level"]
    assert {f.domain: f.share for f in result.factors} == pytest.approx(expected["shares"], abs=NEAR)


LOW_MOODS = [w.mood("hopeless", 0.8), w.mood("resigned", 0.7, 2, 2), w.mood("neutral", 0.9, 4, 3)]


def test_x12_and_x13_the_gap_between_words_and_voice():
    fine = dissonance(stated_valence=0.4, stated_confidence=0.8, voice_valence=-0.7, voice_confidence=0.9,
                      voice_emotion="sad", deflection=True)  # fmt: skip
    assert (fine.type, fine.band) == ("concealment", "high")
    assert fine.gap == pytest.approx(1.1, abs=NEAR)
    assert fine.score == pytest.approx(0.8778, abs=NEAR)
    plain = dissonance(stated_valence=0.4, stated_confidence=0.8, voice_valence=-0.7, voice_confidence=0.9)
    assert plain.score == pytest.approx(0.7778, abs=NEAR)
    louder = dissonance(stated_valence=-0.8, stated_confidence=0.9, voice_valence=0.0, voice_confidence=0.7)
    assert (louder.type, louder.band) == ("amplification", "moderate")
    assert louder.gap == pytest.approx(-0.8, abs=NEAR)
    assert louder.score == pytest.approx(0.5292, abs=NEAR)
    same = dissonance(stated_valence=-0.5, stated_confidence=0.9, voice_valence=-0.6, voice_confidence=0.8)
    assert (same.type, same.band) == ("congruent", "none")
    assert same.score == pytest.approx(0.0707, abs=NEAR)
    unsure = dissonance(stated_valence=0.4, stated_confidence=0.3, voice_valence=-0.7, voice_confidence=0.9)
    assert (unsure.type, unsure.score) == ("unknown", None)


def test_x17_the_alert_desk():
    rows = [
        (0, "medium", 0.40, set(), 0, "none"),
        (1, "high", 0.58, {"H11"}, 1, "create"),
        (3, "high", 0.62, {"H11"}, 3, "append"),
        (5, "high", 0.69, {"H11"}, 5, "renotify"),
        (6, "high", 0.69, {"H11", "H12"}, 6, "renotify"),
        (8, "critical", 0.90, {"H1"}, 8, "escalate"),
        (9, "critical", 0.90, {"H1"}, 9, "append"),
        (40, "high", 0.60, set(), 28, "log_only"),
        (41, "high", 0.60, set(), 40.5, "create"),
    ]
    open_alert: OpenAlert | None = None
    resolved_at = None
    for hour, level, score, rules, evidence_hour, expected in rows:
        if hour == 40:
            open_alert, resolved_at = None, w.NOW + timedelta(hours=30)
        decision = decide(
            level=Level(level),
            score=score,
            rules=rules,
            newest_evidence_at=w.NOW + timedelta(hours=evidence_hour),
            open_alert=open_alert,
            resolved_at=resolved_at,
        )
        assert decision.move == expected, hour
        if decision.move in ("create", "renotify", "escalate"):
            assert decision.level == level
            known = set(open_alert.rules) if open_alert else set()
            open_alert = OpenAlert(decision.level, score, known | rules)


def test_x18_many_soft_signals_make_high():
    result = w.decide(
        w.text("D"), w.gap(0.8778), *LOW_MOODS, w.trajectory(0.7136), w.baseline(2.5), *PROTECTIVE_10
    )
    matches(result, X18)
    found = {f.domain: f.contribution for f in result.factors}
    expected = {"text": 0.25, "dissonance": 0.3072, "emotion": 0.4, "trajectory": 0.1784, "baseline": 0.125}
    assert found == pytest.approx(expected, abs=NEAR)


def test_x19a_a_hard_rule_ignores_protective_factors():
    result = w.decide(w.text("A"), *PROTECTIVE_20)
    matches(result, X19_A)
    assert result.rules_fired == ("H1",)


def test_x19b_behaviour_alone_is_capped_unless_it_is_sustained():
    moods = [w.mood("hopeless", 0.9), w.mood("hopeless", 0.9)]
    evidence = [w.gap(0.8571429), *moods, w.baseline(3.4), w.trajectory(0.6)]
    single = w.decide(*evidence)
    matches(single, X19_B)
    assert single.caps == ("behaviour_only",)
    sustained = w.decide(*evidence, w.gap(0.8, 2, number=2))
    matches(sustained, X19_B_SUSTAINED)
    assert sustained.caps == ("behaviour_sustained",)


def test_x19c_item_nine_with_history_and_a_stressor():
    evidence = [w.factor("RF_ATTEMPT_LIFETIME", 400), w.factor("RF_JOB_FINANCE", 5), *PROTECTIVE_15]
    matches(w.decide(w.item9(1, 10), w.phq_total(16, 10), *evidence), X19_C)
    older = w.decide(w.item9(1, 28), w.phq_total(16, 28), *evidence)
    assert {f.domain: f.contribution for f in older.factors}["phq"] == pytest.approx(0.125, abs=NEAR)


def test_r5_ideation_with_screener_and_recent_attempt_is_critical():
    moods = [w.mood("hopeless", 0.45), w.mood("neutral", 0.9), w.mood("neutral", 0.45)]
    result = w.decide(
        w.text("B"), w.cssrs("moderate", "high"), w.factor("RF_ATTEMPT_12M", 100), *moods, *PROTECTIVE_10
    )
    matches(result, R5)
    assert "H6" in result.rules_fired


def test_r6_without_direct_evidence_the_score_stays_below_critical():
    moods = [w.mood("hopeless", 0.9), w.mood("hopeless", 0.9)]
    result = w.decide(
        w.text("D"), *moods, w.item9(1), w.trajectory(1.0), w.factor("RF_ATTEMPT_LIFETIME", 900),
        w.baseline(4.0), w.gap(0.8571429),
    )  # fmt: skip
    matches(result, R6)
    assert result.caps == ("no_direct_evidence",)


def test_x21_levels_rise_at_once_and_fall_slowly():
    rows = [
        (0, 0.35, False, "medium"), (6, 0.58, False, "high"), (30, 0.52, False, "high"),
        (54, 0.48, False, "high"), (78, 0.47, False, "medium"), (102, 0.20, False, "medium"),
        (126, 0.20, False, "low"), (150, 0.90, True, "critical"), (174, 0.10, False, "critical"),
    ]  # fmt: skip
    standing: Standing | None = None
    for hour, score, has_floor, expected in rows:
        standing = step(standing, at=w.NOW + timedelta(hours=hour), score=score, has_floor=has_floor)
        assert standing.level == expected, hour


@pytest.mark.parametrize(
    ("answers", "value", "missing", "floor"),
    [
        ([2, 3, 2, 2, 1, 2, 1, 1, 1], 1, False, "medium"),
        ([2, 3, None, 2, 1, 2, 1, 1, 0], 0, False, "low"),
        ([1, 1, 1, 1, 1, 1, 1, 1, None], None, True, "low"),
        ([0, 0, 0, 0, 0, 0, 0, 0, 2], 2, False, "high"),
        ([0, 0, 0, 0, 0, 0, 0, 0, 3], 3, False, "high"),
    ],
)
def test_x22_item_nine_sets_the_floor_and_a_gap_is_never_a_zero(answers, value, missing, floor):
    found = item9_of(answers)
    assert (found.value, found.missing, found.floor) == (value, missing, floor)


@pytest.mark.parametrize(
    ("answers", "triage", "floor"),
    [
        (Screener(q1=True, q2=False, q6_lifetime=False), "low", "medium"),
        (Screener(True, True, True, False, False, False), "moderate", "high"),
        (Screener(q1=False, q2=False, q6_lifetime=True, q6_3m=True), "high", "high"),
        (Screener(q1=True, q2=False, q6_lifetime=True, q6_3m=True), "high", "critical"),
        (Screener(q1=False, q2=False, q6_lifetime=True, q6_3m=False), "moderate", "medium"),
        (Screener(True, True, True, True, False, False), "high", "critical"),
        (Screener(q1=False, q2=False, q6_lifetime=False), "none", "low"),
        (Screener(q1=False), "declined", "low"),
    ],
)
def test_x24_the_screeners_triage_and_floor(answers, triage, floor):
    found = triage_of(answers)
    assert (found.triage, found.floor) == (triage, floor)
