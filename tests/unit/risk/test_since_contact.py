"""The C-SSRS since the last contact: what it says, what it ends, and what it must not make forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from crisis.risk import codes
from crisis.risk.evidence import Origin, from_cssrs
from crisis.risk.measures import Screener, is_complete, triage_of
from crisis.risk.types import EvidenceItem, Level

from . import world as w

NO = Screener(q1=False, q2=False, q6_since=False)
THOUGHTS = replace(NO, q1=True)
BEHAVED, LONG_AGO = {"q6_lifetime": True, "q6_3m": True}, {"q6_lifetime": True, "q6_3m": False}


def said(answers: Screener, days: float = 0) -> EvidenceItem:
    """The evidence of answers in either form, as finishing a screener writes it."""
    found = triage_of(answers)
    row = from_cssrs(
        found.triage, found.floor, Origin("instrument", w.ago(days)), complete=is_complete(answers),
        behaviour=answers.behaviour, since_contact=answers.q6_lifetime is None,
    )  # fmt: skip
    return row.item


def first(days: float, **answers: bool | None) -> EvidenceItem:
    """A first form."""
    return said(replace(Screener(q1=False, q2=False, q6_lifetime=False), **answers), days)


def looked(days: float) -> EvidenceItem:
    """A clinician's look, which set no level."""
    return replace(w.clinician("low", codes.LOWER, days), code=codes.CLINICIAN_REVIEW, floor="", tier="")


def floors(*evidence: EvidenceItem) -> list[str]:
    """The highest of the floors that screeners set, or nothing."""
    found = [floor.level for floor in w.decide(*evidence).floors if floor.rule == "H3"]
    return [str(max(found, key=lambda level: level.rank))] if found else []


@pytest.mark.parametrize(
    ("answers", "triage", "floor"),
    [
        (NO, "none", Level.LOW),
        (THOUGHTS, "low", Level.MEDIUM),
        (replace(NO, q2=True, q3=True, q4=False, q5=False), "moderate", Level.HIGH),
        (replace(NO, q2=True, q3=False, q4=True, q5=False), "high", Level.CRITICAL),
        (replace(NO, q6_since=True), "high", Level.HIGH),
        (replace(THOUGHTS, q6_since=True), "high", Level.CRITICAL),
        (Screener(q1=False, q2=False), "declined", Level.LOW),
    ],
)
def test_behaviour_since_the_last_contact_counts_as_recent(answers, triage, floor):
    found = triage_of(answers)
    assert (found.triage, found.floor) == (triage, floor)


def test_whether_an_attempt_was_within_three_months_belongs_to_the_first_form():
    asked = Screener(q1=False, q2=False, q6_lifetime=True)
    assert not is_complete(asked) and is_complete(replace(asked, q6_3m=False))
    # Left out, it is no form that a later one could go on from, and ends nothing.
    assert floors(first(20, **BEHAVED), first(10, q6_lifetime=True, q6_3m=None), said(NO)) == ["high"]


def test_a_plan_that_is_gone_is_gone():
    planned = first(7, q2=True, q3=False, q4=True, q5=False)
    assert floors(planned) == ["critical"]
    assert floors(planned, said(NO)) == []


def test_an_attempt_of_long_ago_is_looked_at_once_and_makes_no_later_screener_moderate():
    assert floors(first(30, **LONG_AGO)) == ["medium"]
    assert floors(first(30, **LONG_AGO), said(NO)) == ["medium"]
    assert floors(first(30, **LONG_AGO), looked(20), said(NO)) == []
    assert floors(first(30, **LONG_AGO), looked(20), said(THOUGHTS)) == ["medium"]


def test_recent_behaviour_keeps_its_floor_when_the_later_form_does_not_ask_about_it():
    assert floors(first(20, **BEHAVED), said(NO)) == ["high"]
    assert floors(first(20, **BEHAVED), said(NO, 10), said(NO)) == ["high"]
    assert floors(first(40), said(replace(NO, q6_since=True), 20), said(NO)) == ["high"]
    assert floors(first(120, **BEHAVED), said(NO)) == ["medium"], "longer ago, and still nobody has looked"


def test_recent_behaviour_with_thoughts_now_is_critical():
    behaved = first(20, **BEHAVED)
    assert floors(behaved, said(THOUGHTS)) == ["critical"]
    assert floors(behaved, looked(12), said(THOUGHTS)) == ["critical"], "who looked before couldn't know"
    assert floors(behaved, said(THOUGHTS, 5), looked(1)) == []
    assert floors(first(20), said(THOUGHTS)) == ["medium"]
    assert floors(first(120, **BEHAVED), looked(100), said(THOUGHTS)) == ["medium"]


def test_more_behaviour_without_thoughts_is_high_and_not_critical():
    behaved = first(20, **BEHAVED)
    assert floors(behaved, said(replace(NO, q6_since=True))) == ["high"]
    assert floors(behaved, looked(12), said(replace(NO, q6_since=True))) == ["high"]


def test_who_breaks_off_ends_no_lower_than_who_goes_on():
    begun = Screener(q1=True)
    assert said(begun).code == codes.CSSRS_PARTIAL
    assert floors(first(20, **BEHAVED), looked(12), said(begun)) == ["critical"]
    assert floors(first(30), said(replace(NO, q6_since=True), 10), said(begun)) == ["critical"]


def test_an_unfinished_screener_that_told_of_behaviour_is_not_forgotten_either():
    assert floors(first(30), said(Screener(q6_since=True), 5), said(NO)) == ["high"]


def test_what_is_entered_late_was_unknown_to_who_looked_before():
    late = replace(first(7, **BEHAVED), received_at=w.ago(0.5))
    assert floors(said(THOUGHTS, 5), looked(2), late) == ["critical"]


def test_a_correction_takes_the_place_of_what_was_wrong():
    wrong = first(3, **BEHAVED)
    right = replace(first(3), received_at=w.ago(2.9))
    assert floors(wrong, right) == []
    assert floors(wrong, right, said(NO)) == []
    assert floors(wrong, right, said(THOUGHTS)) == ["medium"]
    assert floors(replace(right, received_at=None), wrong) == ["high"], "known at once, the worse one holds"


@pytest.mark.parametrize(
    "before",
    [
        [first(20, **BEHAVED), looked(11)],
        [first(20, **BEHAVED), first(10)],
        [replace(first(20, **BEHAVED), refuted=True)],
    ],
    ids=["a clinician looked", "the whole form was asked again", "taken back"],
)
def test_what_ends_it(before):
    assert floors(*before, said(NO)) == []


def test_what_was_not_written_down_is_read_from_a_high_floor_alone():
    old = replace(first(20, **BEHAVED), value=None)
    assert floors(old, said(NO)) == ["high"]
    planned = replace(first(20, q2=True, q3=False, q4=True, q5=False), value=None)
    assert floors(planned, said(NO)) == []


def test_either_form_counts_as_a_screener_that_is_there():
    assert "cssrs" not in w.decide(said(NO, 10)).missing_inputs
    assert "cssrs" in w.decide(w.item9(1)).missing_inputs


def test_the_order_of_what_is_known_changes_nothing():
    items = [
        first(40, **BEHAVED), said(THOUGHTS, 9), looked(8), said(Screener(q1=True), 3), said(NO, 1),
        replace(first(40), received_at=w.ago(0) - timedelta(hours=3)),
    ]  # fmt: skip
    forwards, backwards = w.decide(*items), w.decide(*reversed(items))
    assert (forwards.level, forwards.floors) == (backwards.level, backwards.floors)
