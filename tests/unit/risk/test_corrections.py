"""A correction of a measure takes the place of what was wrong, for every rule and the score (decision 54)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from clinical.assessments.actions import correct_assessment, finish_assessment
from crisis.risk import codes
from crisis.risk.engine import assess
from crisis.risk.queries import ledger
from crisis.risk.types import EvidenceItem, Inputs
from tests import makers
from tests.cast import Cast
from tests.makers import staff

from . import world as w


def corrected(item: EvidenceItem, days: float = 0.9) -> EvidenceItem:
    """What was written an hour or so later, of the same moment as what it corrects."""
    return replace(item, received_at=w.ago(days))


WRONG_SCREENER, WRONG_ITEM9 = w.cssrs("high", "critical", 1), w.item9(3, 1)
NONE, ZERO = corrected(w.cssrs("none", "low", 1)), corrected(w.item9(0, 1))


@pytest.mark.parametrize(
    ("wrong", "right", "level", "score"),
    [
        ([WRONG_SCREENER], [NONE], "low", 0.0),
        ([w.cssrs("high", "critical", 1, codes.CSSRS_PARTIAL)], [NONE], "low", 0.0),
        ([WRONG_SCREENER], [corrected(w.cssrs("low", "medium", 1))], "medium", 0.35),
        ([NONE], [corrected(WRONG_SCREENER, 0.5)], "critical", 0.85),
        ([WRONG_ITEM9], [ZERO], "low", 0.0),
        ([WRONG_ITEM9, w.phq_total(24, 1)], [ZERO, corrected(w.phq_total(3, 1))], "low", 0.0),
        ([WRONG_ITEM9, w.phq_total(24, 1)], [ZERO], "low", 0.0),
        ([ZERO], [corrected(w.item9(2, 1), 0.5)], "high", 0.55),
    ],
)
def test_what_was_known_last_of_a_moment_counts(wrong, right, level, score):
    for items in itertools.permutations([*wrong, *right]):
        result = w.decide(*items)
        assert (result.level, result.score) == (level, score)
        assert bool(result.rules_fired) == (level != "low")


def test_one_that_says_nothing_takes_nobodys_place():
    declined = corrected(w.cssrs("declined", "", 1, codes.CSSRS_DECLINED))
    missing = corrected(replace(w.item9(0, 1), code=codes.ITEM9_MISSING, value=None))
    assert w.decide(WRONG_SCREENER, declined).level == "critical"
    assert w.decide(WRONG_ITEM9, missing).rules_fired == ("H7a",)
    answered = corrected(w.item9(1, 1), 0.5)
    assert "item9" in w.decide(missing).missing_inputs
    assert "item9" not in w.decide(missing, answered).missing_inputs


def test_another_moment_is_another_administration():
    assert w.decide(WRONG_ITEM9, replace(ZERO, observed_at=w.ago(0.95))).rules_fired == ("H7a",)
    assert w.decide(w.item9(0, 1), WRONG_ITEM9).rules_fired == ("H7a",), "known at once, the worse one holds"
    refuted = replace(ZERO, refuted=True)
    assert w.decide(WRONG_ITEM9, refuted).rules_fired == ("H7a",)


@pytest.mark.django_db
def test_a_corrected_answer_comes_back_at_no_time(cast: Cast) -> None:
    actor, who = staff(cast.alice), cast.patient.pk
    answers = {f"q{number}": 0 for number in range(1, 10)}
    wrong, _ = finish_assessment(actor=actor, patient_id=who, key="phq9", answers={**answers, "q9": 3})
    correct_assessment(actor=actor, patient_id=who, assessment_id=wrong.pk, answers=answers)
    makers.scope_all()
    for days in (0, 41, 43, 400):
        at = makers.now() + timedelta(days=days)
        result = assess(Inputs(at=at, evidence=tuple(ledger([who], at)[who])))
        assert (result.level, result.score, result.rules_fired) == ("low", 0.0, ()), days
