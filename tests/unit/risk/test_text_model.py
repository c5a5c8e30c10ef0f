"""The text model: what it may never do, and what it refuses to load."""

from __future__ import annotations

import json
import shutil
from copy import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisis.risk import codes, desk, linear, training
from crisis.risk.domains import contributions, group
from crisis.risk.engine import assess
from crisis.risk.evidence import Origin, from_text_model
from crisis.risk.hysteresis import Standing, after
from crisis.risk.lexicon import lexicon
from crisis.risk.policy import POLICY
from crisis.risk.textmodel import ModelReading
from crisis.risk.types import EvidenceItem, Inputs, Kind, Level, Result

from . import world as w
from .test_properties import LEDGERS, PROTECTIVE, RISK

HARD = "I have decided to end it, I bought the rope and tonight is the night. Goodbye everyone, I am sorry."
CALM = "We had lunch at the lake and the kids fed the ducks, it was lovely."

VALUES = st.floats(0, 1, allow_nan=False)
READINGS = st.lists(
    st.builds(
        lambda value, days: EvidenceItem(codes.TEXT_MODEL, "text", "text_model", w.ago(days), value=value),
        VALUES,
        st.floats(0, 20, allow_nan=False),
    ),
    min_size=1,
    max_size=8,
)


PROTECTED = st.lists(st.one_of(RISK, PROTECTIVE), max_size=14)


def reading(value: float, days: float = 0) -> EvidenceItem:
    return EvidenceItem(codes.TEXT_MODEL, "text", "text_model", w.ago(days), value=value)


def decided(evidence: list[EvidenceItem]) -> Result:
    return assess(Inputs(at=w.NOW, evidence=tuple(evidence)))


def move(result: Result, resolved_at=None) -> str:
    """What the desk does about self-harm after an alert that ended then."""
    signal = next(one for one in result.signals if one.kind is Kind.SELF_HARM)
    return desk.decide(
        level=signal.level, score=signal.score, rules=signal.rules,
        newest_evidence_at=signal.newest(Level.HIGH), resolved_at=resolved_at,
    ).move  # fmt: skip


def urgent(result: Result) -> dict[Kind, object]:
    """When the newest came of what raises an alert, by kind."""
    return {signal.kind: signal.newest(Level.HIGH) for signal in result.signals if signal.level.raises_alert}


@pytest.mark.parametrize("value", [0.15, 0.5, 1.0])
def test_a_reading_opens_no_alert_again_that_a_human_ended(value):
    known = [w.text("A", 2), w.resolved(Kind.SELF_HARM, 1)]
    result = decided([*known, reading(value)])
    assert (result.level, move(result, w.ago(1))) == ("critical", "log_only")
    assert move(decided([*known, w.text("D")]), w.ago(1)) == "create"


@pytest.mark.parametrize("value", [0.15, 0.5, 1.0])
@pytest.mark.parametrize(
    ("known", "lowered"),
    [
        ([w.text("B", 2)], "medium"),
        ([w.text("C", 2)], "low"),
        ([w.text("B", 20), w.factor("RF_MEANS_ACCESS", 20)], "high"),
    ],
)
def test_a_reading_ends_no_lower_level_that_a_clinician_set(known, lowered, value):
    result = decided([*known, w.clinician(lowered, "lower", 1), reading(value)])
    assert (result.level, result.level_source) == (lowered, "clinician")


@pytest.mark.parametrize("value", [0.5, 1.0])
def test_readings_alone_keep_nobody_at_high(value):
    standing = Standing(Level.HIGH, w.ago(3))
    for hours in (0, 7):
        result = replace(decided([reading(value)]), computed_at=w.NOW + timedelta(hours=hours))
        assert (result.score, result.level) == (min(value, 0.5), "medium")
        standing = after(standing, result)
    assert (standing.level, standing.held) == (Level.MEDIUM, False)


def test_with_a_domain_of_its_own_weight_a_reading_may_reach_high_and_is_news_then():
    behaviour = [w.mood("hopeless", 0.9, 2), w.mood("hopeless", 0.9, 2), w.gap(0.9, 2)]
    alone = decided(behaviour)
    assert (alone.score, alone.level, alone.caps) == (0.54, "medium", ("behaviour_only",))
    lowered = [*behaviour, w.clinician("low", "lower", 1)]
    assert decided(lowered).level == "low"
    for evidence in ([*behaviour, reading(0.15)], [*lowered, reading(0.15)]):
        result = decided(evidence)
        assert (result.level, move(result, w.ago(1))) == ("high", "create")


@settings(max_examples=200, deadline=None)
@given(READINGS)
def test_readings_alone_never_reach_a_level_that_raises_an_alert(readings):
    result = decided(readings)
    assert not result.level.raises_alert
    assert not any(signal.level.raises_alert for signal in result.signals)


def weakened(evidence: list[EvidenceItem]) -> list[EvidenceItem]:
    """Evidence without the domains that are of a weight of their own beside a reading."""
    parts = contributions(group(evidence), Inputs(at=w.NOW), POLICY)
    heavy = {name for name, part in parts.items() if part.value >= POLICY.model_needs_other} - {"text"}
    return [item for item in evidence if item.domain not in heavy]


@settings(max_examples=300, deadline=None)
@given(PROTECTED.map(weakened), READINGS)
def test_readings_raise_no_alert_beside_evidence_that_is_weak_and_are_no_news_of_one(evidence, readings):
    before, after = decided(evidence), decided(evidence + readings)
    assert (after.level.raises_alert, urgent(after)) == (before.level.raises_alert, urgent(before))


@settings(max_examples=300, deadline=None)
@given(PROTECTED, READINGS)
def test_readings_never_lower_anything(evidence, readings):
    assert decided(evidence + readings).level.rank >= decided(evidence).level.rank


def test_a_reading_does_not_turn_a_clinicians_lower_level_into_a_higher_one():
    weak = [
        w.gap(0.56, 1), w.baseline(3.3, 1), w.trajectory(0.79, 1), w.phq_total(20, 15),
        w.mood("hopeless", 0.9, 1), *[w.mood("neutral", 0.9, 1)] * 4,
        *(w.factor(code, 1) for code in codes.PROTECTIVE),
    ]  # fmt: skip
    assert weakened(weak) == weak
    weak.append(w.clinician("high", "lower", 0.25))
    assert decided(weak).level == "medium"
    assert decided([*weak, reading(1.0, 0.5)]).level == "medium"


@settings(max_examples=200, deadline=None)
@given(LEDGERS, st.lists(VALUES, min_size=1, max_size=5))
def test_shadow_readings_change_no_decision(evidence, values):
    origin = Origin("message", w.NOW)
    shadows = [
        from_text_model(ModelReading(value, 1.0, "m-1", is_shadow=True), origin).item for value in values
    ]
    before, after = decided(evidence), decided(evidence + shadows)
    # The ledger keeps context away from the engine (test_actions.py compares that digest); here it is told.
    assert replace(after, inputs_digest="") == replace(before, inputs_digest="")


def test_a_reading_is_kept_with_the_version_that_made_it():
    draft = from_text_model(ModelReading(0.4, 0.9, "m-1"), Origin("message", w.NOW))
    assert (draft.item.code, draft.item.domain, draft.lexicon_version) == ("TEXT_MODEL", "text", "m-1")
    shadow = from_text_model(ModelReading(0.4, 0.9, "m-1", is_shadow=True), Origin("message", w.NOW))
    assert (shadow.item.code, shadow.item.domain) == ("TEXT_MODEL_SHADOW", "context")


@pytest.fixture(scope="module")
def model() -> linear.Linear:
    return linear.load()


def read(model: linear.Linear, *texts: str) -> list[ModelReading | None]:
    return model.read_many(texts, [model.words.screen(text) for text in texts])


def test_the_packaged_model_tells_a_hard_message_from_a_calm_one(model):
    hard, *others = read(model, HARD, CALM, "")
    assert hard is not None
    assert hard.severity >= 0.3
    assert others == [None, None]


def test_a_text_is_read_the_same_alone_and_among_others(model):
    texts = [CALM, HARD, "", "ok", HARD + " " + CALM] * 80
    screenings = [lexicon().screen(text) for text in texts]
    together, _ = model.shares(texts, screenings)
    alone = [
        model.shares([text], [screening])[0][0] for text, screening in zip(texts, screenings, strict=True)
    ]
    assert together.tolist() == alone


@pytest.mark.parametrize("name", [linear.WEIGHTS, linear.CARD])
def test_a_model_that_is_not_what_its_checksum_says_is_refused(tmp_path, name):
    folder = shutil.copytree(linear.FOLDER, tmp_path / "model")
    raw = bytearray((folder / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / name).write_bytes(bytes(raw))
    with pytest.raises(linear.ModelRefused, match="checksum"):
        linear.load(folder)
    (folder / name).unlink()
    with pytest.raises(linear.ModelRefused, match="can't be read"):
        linear.load(folder)


def test_the_weights_in_force_are_the_bytes_whose_checksum_was_taken(tmp_path, monkeypatch, model):
    folder = shutil.copytree(linear.FOLDER, tmp_path / "model")
    read = Path.read_bytes

    def read_and_change(path: Path) -> bytes:
        content = read(path)
        if path.name == linear.WEIGHTS:
            np.save(path, np.zeros((len(linear.ROWS), linear.BUCKETS), dtype=np.int8))
        return content

    monkeypatch.setattr(Path, "read_bytes", read_and_change)
    assert np.array_equal(linear.load(folder).weights, model.weights)


def test_a_model_that_was_trained_for_another_lexicon_is_refused():
    other = copy(lexicon())
    other.version = "1.1.0+00000000"
    with pytest.raises(linear.ModelRefused, match="trained for the lexicon"):
        linear.load(words=other)


def test_the_packaged_card_names_data_licences_seed_and_limits():
    card = json.loads((linear.FOLDER / linear.CARD).read_text("utf-8"))
    assert card["languages"] == ["en"]
    assert card["seed"] == training.SEED
    assert all(len(one["sha256"]) == 64 and one["licence"] for one in card["data"].values())
    assert any("Swahili" in limit for limit in card["limits"])
    assert card["figures"]["severity_4_or_more"]["auroc"][0] > 0.85
