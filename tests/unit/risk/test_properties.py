"""What must hold for any evidence whatever (domain 4.2), searched by hypothesis."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from crisis.risk import codes
from crisis.risk.engine import assess
from crisis.risk.types import EvidenceItem, Inputs, highest

from . import world as w

DAYS = st.floats(0, 60, allow_nan=False)
TIERS = st.sampled_from(codes.TIERS)
MOODS = st.sampled_from(["hopeless", "resigned", "numb", "sad", "neutral", "happy"])
NUMBERS = st.integers(1, 4)
UNIT = st.floats(0, 1, allow_nan=False)
TRIAGES = st.sampled_from([("low", "medium"), ("moderate", "high"), ("high", "critical"), ("none", "low")])
PROTECTIVE = st.sampled_from(codes.PROTECTIVE).map(w.factor)

RISK = st.one_of(
    st.builds(w.text, TIERS, DAYS),
    st.builds(w.mood, MOODS, UNIT, DAYS, NUMBERS),
    st.builds(w.gap, UNIT, DAYS, NUMBERS, st.booleans()),
    st.builds(w.baseline, st.floats(0, 6), DAYS, NUMBERS),
    st.builds(w.trajectory, UNIT, DAYS),
    st.builds(w.item9, st.integers(0, 3), DAYS),
    st.builds(w.phq_total, st.integers(0, 27), DAYS),
    st.builds(
        lambda pair, days, code, behaviour: w.cssrs(*pair, days, code, behaviour),
        TRIAGES,
        DAYS,
        st.sampled_from([codes.CSSRS, codes.CSSRS_SINCE, codes.CSSRS_PARTIAL]),
        st.sampled_from([None, 0.0, 0.5, 1.0]),
    ),
    st.builds(w.factor, st.sampled_from(["RF_ATTEMPT_3M", "RF_NSSI", "RF_LEGAL", "RF_MEANS_ACCESS"]), DAYS),
    st.builds(w.factor, st.sampled_from([codes.ATTEMPT_NOW, codes.HARM_TO_OTHERS, codes.SOS_TALK]), DAYS),
    st.builds(
        w.clinician, st.sampled_from(["low", "medium", "high"]), st.sampled_from(["raise", "lower"]), DAYS
    ),
    st.builds(w.resolved, st.sampled_from(["self_harm", "medical"]), DAYS),
)
LEDGERS = st.lists(RISK, max_size=14)

# A completed C-SSRS, a clinician and a resolution lower levels by design; the rest only ever adds.
NOT_ENDING = LEDGERS.map(lambda items: [i for i in items if i.domain not in ("cssrs", "review")])
NEW_DOMAINS: dict[str, list[EvidenceItem]] = {
    "text": [w.text("D")],
    "dissonance": [w.gap(0.9)],
    "emotion": [w.mood("hopeless", 0.9), w.mood("numb", 0.9)],
    "phq": [w.item9(1)],
    "trajectory": [w.trajectory(0.8)],
    "baseline": [w.baseline(3.5)],
    "history": [w.factor("RF_INPATIENT_30D")],
    "stressors": [w.factor("RF_LEGAL")],
}


@settings(max_examples=300, deadline=None)
@given(LEDGERS, st.booleans())
def test_scores_stay_in_range_and_above_every_floor(evidence, is_minor):
    result = assess(Inputs(at=w.NOW, evidence=tuple(evidence), is_minor=is_minor))
    assert 0 <= result.score <= 1
    assert 0 <= result.score_raw <= 1
    assert result.level.rank >= highest(floor.level for floor in result.floors).rank
    assert not result.factors or abs(sum(factor.share for factor in result.factors) - 1) < 1e-3


@settings(max_examples=300, deadline=None)
@given(NOT_ENDING, st.sampled_from(sorted(NEW_DOMAINS)))
def test_a_further_risk_domain_never_lowers_anything(evidence, domain):
    others = [item for item in evidence if item.domain != domain]
    before = w.decide(*others)
    after = w.decide(*others, *NEW_DOMAINS[domain])
    assert after.score >= before.score
    assert after.level.rank >= before.level.rank


@settings(max_examples=200, deadline=None)
@given(LEDGERS, st.randoms(use_true_random=False))
def test_the_order_of_the_evidence_is_irrelevant(evidence, shuffler: random.Random):
    shuffled = list(evidence)
    shuffler.shuffle(shuffled)
    first, second = w.decide(*evidence), w.decide(*shuffled)
    assert first == second


@settings(max_examples=200, deadline=None)
@given(LEDGERS, st.lists(PROTECTIVE, min_size=1, max_size=5))
def test_protective_factors_never_change_a_floored_result(evidence, protective):
    before = w.decide(*evidence)
    after = w.decide(*evidence, *protective)
    if before.floor.raises_alert:
        assert (after.score, after.level, after.protective_applied) == (before.score, before.level, 0)
    assert after.score <= before.score
    assert after.level.rank >= before.floor.rank


@settings(max_examples=100, deadline=None)
@given(LEDGERS)
def test_the_same_inputs_give_the_same_digest_and_any_change_another(evidence):
    first = w.decide(*evidence)
    assert first == w.decide(*[replace(item) for item in evidence])
    assert first.inputs_digest != w.decide(*evidence, w.text("D", 0.123)).inputs_digest
    assert first.inputs_digest != w.decide(*evidence, is_minor=True).inputs_digest
