"""What rules that rest may change in a decision, and what they never can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisis.risk import lexicons
from crisis.risk.engine import assess
from crisis.risk.evidence import from_rule_in_shadow
from crisis.risk.lexicon import Lexicon, lexicon, packaged
from crisis.risk.switches import SWITCHABLE, Switches, needs_reader
from crisis.risk.textmodel import ModelState
from crisis.risk.types import EvidenceItem, Inputs, Result

from . import world as w
from .test_properties import LEDGERS, NOT_ENDING

ALL = ("H1", "H2", "H3", "H4", "H5", "H6", "H7a", "H7b", "H8", "H9", "H10", "H11", "H12", "H13", "H14", "H15")
GOODBYE = [w.text("V", 1), w.text("D", 1)]
MASKED = [w.gap(0.7, 1, 1, masked=True), w.gap(0.8, 3, 2, masked=True)]
STATES = st.sampled_from(["off", "shadow"])


def decided(evidence: list[EvidenceItem], *resting: tuple[str, str], is_minor: bool = False) -> Result:
    return assess(Inputs(at=w.NOW, evidence=tuple(evidence), is_minor=is_minor, resting=tuple(resting)))


def plain(result: Result) -> Result:
    """A result without what only names its inputs."""
    return replace(result, inputs_digest="", resting=(), shadow_floors=())


@pytest.mark.parametrize(("rule", "evidence"), [("H14", GOODBYE), ("H12", MASKED)])
def test_a_rule_in_shadow_decides_nothing_and_says_what_it_would_have(
    rule: str, evidence: list[EvidenceItem]
) -> None:
    live = decided(evidence)
    assert rule in live.rules_fired and live.level == "high"
    shadow, off = decided(evidence, (rule, "shadow")), decided(evidence, (rule, "off"))
    assert rule not in shadow.rules_fired and shadow.level.rank < live.level.rank
    assert plain(shadow) == plain(off)
    assert [(one.rule, one.level) for one in shadow.shadow_floors] == [(rule, "high")]
    assert off.shadow_floors == ()
    assert len({live.inputs_digest, shadow.inputs_digest, off.inputs_digest}) == 3
    row = from_rule_in_shadow(shadow.shadow_floors[0], "1.2.0")
    assert (row.item.code, row.item.domain, row.item.tier) == (f"RULE_{rule}_SHADOW", "context", "high")
    again = decided([*evidence, row.item], (rule, "shadow"))
    assert plain(again) == plain(shadow)


@settings(max_examples=100, deadline=None)
@given(LEDGERS, st.dictionaries(st.sampled_from(ALL), STATES), st.booleans())
def test_a_rule_without_a_switch_stands_whatever_is_said(evidence, states, is_minor) -> None:
    fixed = {rule: state for rule, state in states.items() if rule not in SWITCHABLE}
    assert plain(decided(evidence, *fixed.items(), is_minor=is_minor)) == plain(
        decided(evidence, is_minor=is_minor)
    )
    result = decided(evidence, *states.items(), is_minor=is_minor)
    kept = [one.rule for one in decided(evidence, is_minor=is_minor).floors if one.rule not in states]
    assert {rule for rule in kept if rule != "H4"} <= {one.rule for one in result.floors} | {
        one.rule for one in decided(evidence, is_minor=is_minor).floors if result.rules_fired == ("H4",)
    }


@settings(max_examples=100, deadline=None)
@given(NOT_ENDING, st.dictionaries(st.sampled_from(SWITCHABLE), STATES, min_size=1), st.booleans())
def test_a_rule_that_rests_only_ever_takes_away_what_it_set(evidence, states, is_minor) -> None:
    live = decided(evidence, is_minor=is_minor)
    rests = decided(evidence, *states.items(), is_minor=is_minor)
    assert rests.level.rank <= live.level.rank
    assert set(rests.rules_fired) == set(live.rules_fired) - set(states)
    assert rests.score_raw == live.score_raw
    if not set(live.rules_fired) & set(states):
        assert plain(rests) == plain(live)
    off = decided(evidence, *((rule, "off") for rule in states), is_minor=is_minor)
    assert plain(off) == plain(rests)


def test_only_rules_that_infer_have_a_switch() -> None:
    asked = Switches(rules=dict.fromkeys(ALL, ModelState.OFF))
    assert [rule for rule, _ in asked.resting] == ["H12", "H14"]
    assert Switches(rules={"H14": ModelState.LIVE}).resting == ()


def test_a_second_reader_stands_before_what_may_miss_somebody_and_never_before_the_way_back() -> None:
    off, shadow, live = ModelState.OFF, ModelState.SHADOW, ModelState.LIVE
    asked = {
        (kind, before, state)
        for kind in ("rule", "lexicon") for before in ModelState for state in ModelState
        if needs_reader(kind, before, state)
    }  # fmt: skip
    assert asked == {
        ("rule", live, off), ("rule", live, shadow), ("lexicon", off, live), ("lexicon", shadow, live)
    }  # fmt: skip


@pytest.fixture
def unprovided() -> Iterator[None]:
    yield
    lexicons.provide(None)


def test_a_version_that_is_broken_or_gone_leaves_the_packages_own_and_is_told(unprovided: None) -> None:
    assert lexicons.candidates() == {}  # the package ships one version today
    assert lexicons.check_lexicons().state == "ok"

    def broken() -> Lexicon:
        return Lexicon(packaged() | {"entries": [{"id": "x", "role": "?", "tier": "A"}]})

    lexicons.provide([broken])
    assert lexicons.lexicon_of("9.9.9+gone") is lexicon()
    assert lexicons.shadows_of(["9.9.9+gone"]) == []
    told = lexicons.check_lexicons()
    assert told.state == "degraded"
    assert told.detail["9.9.9+gone"] == "missing"
    assert told.detail["version 1"] == "PatternError"
