"""The hard rules H1-H15, one by one, and the human acts that end their floors."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from crisis.risk import codes, desk, evidence
from crisis.risk.types import EvidenceItem, Kind, Level, Result

from . import world as w


def state(result: Result) -> tuple[str, tuple[str, ...]]:
    return result.level, result.rules_fired


def kinds(result: Result) -> set[str]:
    return {signal.kind for signal in result.signals if signal.level.raises_alert}


B, C, SH, V, D = (w.text(tier) for tier in ("B", "C", "SH", "V", "D"))
MEANS = w.factor("RF_MEANS_ACCESS")
SEEKING = w.factor("WS_MEANS_SEEKING", source="message")


@pytest.mark.parametrize(
    ("evidence", "facts", "level", "rule"),
    [
        ([w.text("A")], {}, "critical", "H1"),
        ([w.factor(codes.ATTEMPT_NOW, source="message")], {}, "critical", "H2"),
        ([w.cssrs("low", "medium")], {}, "medium", "H3"),
        ([w.cssrs("moderate", "high")], {}, "high", "H3"),
        ([w.cssrs("high", "critical")], {}, "critical", "H3"),
        ([w.clinician("high", codes.RAISE, 40)], {}, "high", "H4"),
        ([B, MEANS], {}, "critical", "H5"),
        ([B, SEEKING], {}, "critical", "H5"),
        ([B, w.factor("RF_ATTEMPT_12M", 200)], {}, "critical", "H6"),
        ([w.item9(2)], {}, "high", "H7a"),
        ([w.item9(3)], {}, "high", "H7a"),
        ([w.item9(3), C], {}, "critical", "H7b"),
        ([w.factor(codes.THIRD_PARTY_IMMINENT, source="third_party")], {}, "critical", "H8"),
        ([w.factor(codes.HARM_TO_OTHERS, source="message")], {}, "critical", "H9"),
        ([SH], {"is_minor": True}, "high", "H10"),
        ([B], {}, "high", "H11"),
        ([w.gap(0.7, 0, 1, masked=True), w.gap(0.6, 2, 2, masked=True)], {}, "high", "H12"),
        ([w.factor(codes.SOS_IN_DANGER, source="sos")], {}, "critical", "H13"),
        ([w.factor(codes.SOS_TALK, source="sos")], {}, "high", "H13"),
        ([V, D], {}, "high", "H14"),
        ([C], {}, "medium", "H15"),
        ([SH], {}, "medium", "H15"),
        ([w.item9(1)], {}, "medium", "H15"),
    ],
)
def test_each_rule_sets_its_floor(evidence, facts, level, rule):
    result = w.decide(*evidence, **facts)
    assert result.level == level
    assert rule in result.rules_fired


@pytest.mark.parametrize(
    "evidence",
    [
        [D],
        [V],
        [w.factor("RF_ATTEMPT_LIFETIME")],
        [w.item9(0)],
        [w.cssrs("none", "low")],
        [w.gap(0.9, 0, 1, masked=True)],
        [w.gap(0.9, 0, 1, masked=True), w.gap(0.9, 0, 2, masked=True)],
        [w.gap(0.9, 0, 1, masked=True), w.gap(0.9, 9, 2, masked=True)],
        [w.factor(codes.THIRD_PARTY_CONCERN, source="message")],
    ],
)
def test_what_no_rule_names_sets_no_floor(evidence):
    assert w.decide(*evidence).rules_fired == ()


def test_old_words_keep_their_floor_until_a_human_acts():
    assert state(w.decide(w.text("A", 20))) == ("critical", ("H1",))
    assert w.decide(w.text("A", 20), w.cssrs("none", "low", 1)).level == "critical"
    assert w.decide(w.text("A", 20), w.resolved(Kind.SELF_HARM, 1)).rules_fired == ()
    assert state(w.decide(w.text("B", 20))) == ("high", ("H11",))
    assert w.decide(w.text("B", 20), w.resolved(Kind.SELF_HARM, 1)).level == "high"
    assert w.decide(w.text("B", 20), w.cssrs("none", "low", 1)).rules_fired == ()


def test_a_resolution_ends_only_what_it_could_know():
    assert w.decide(w.text("A", 20), w.resolved(Kind.SELF_HARM, 10), w.text("A", 9)).level == "critical"
    attempt = w.factor(codes.ATTEMPT_NOW, 3, source="message")
    assert "H2" in w.decide(attempt, w.resolved(Kind.SELF_HARM, 1)).rules_fired
    both = w.decide(attempt, w.resolved(Kind.SELF_HARM, 1), w.resolved(Kind.MEDICAL, 1))
    assert "H2" not in both.rules_fired


def test_words_that_arrive_late_are_news_when_they_arrive():
    late = replace(w.text("A", 3), received_at=w.ago(0.5))
    assert "H1" in w.decide(late, w.resolved(Kind.SELF_HARM, 1)).rules_fired
    prompt = replace(w.text("A", 3), received_at=w.ago(3))
    assert w.decide(prompt, w.resolved(Kind.SELF_HARM, 1)).rules_fired == ()


@pytest.mark.parametrize("minutes", [1, 5, 9])
def test_words_of_a_slow_clock_are_as_new_as_their_arrival(minutes):
    """A phone that is minutes slow must not put its words before an end that could not know them."""
    heard = replace(w.text("A"), observed_at=w.ago(hours=minutes / 60), received_at=w.NOW)
    result = w.decide(heard, w.resolved(Kind.SELF_HARM, hours=0.5 * minutes / 60))
    assert result.rules_fired == ("H1",)
    assert result.signals[0].newest_at == w.NOW
    assert desk.decide(
        level=result.level, score=result.score, newest_evidence_at=result.signals[0].newest_at,
        resolved_at=w.ago(hours=0.5 * minutes / 60),
    ).move == "create"  # fmt: skip


def test_an_offline_screener_is_not_ended_by_a_review_that_could_not_know_it():
    synced = replace(w.cssrs("high", "critical", 2), received_at=w.ago(0.5))
    review = EvidenceItem(codes.CLINICIAN_REVIEW, "review", "clinician", w.ago(1))
    assert state(w.decide(synced, review)) == ("critical", ("H3",))
    assert w.decide(w.cssrs("high", "critical", 2), review).rules_fired == ()


ENDED = w.resolved(Kind.SELF_HARM, 59)


@pytest.mark.parametrize(
    ("news", "move"),
    [
        ([D], "log_only"),
        ([w.mood("numb", 0.9)], "log_only"),
        ([w.mood("numb", 0.9), w.mood("numb", 0.8, number=2)], "log_only"),
        ([C], "log_only"),
        ([B], "create"),
        ([V], "log_only"),
        ([V, D], "create"),
        ([SEEKING], "create"),
        ([w.item9(2)], "create"),
        ([C, w.factor("RF_ATTEMPT_3M")], "create"),
        ([w.text("A")], "create"),
    ],
)
def test_an_old_floor_carries_no_news_of_what_came_since(news, move):
    """Domain 4.5: after a resolution only evidence newer than it creates."""
    result = w.decide(w.text("B", 60), ENDED, *news)
    signal = next(one for one in result.signals if one.kind is Kind.SELF_HARM)
    assert (signal.level.raises_alert, "H11" in signal.rules) == (True, True)
    decision = desk.decide(
        level=signal.level, score=signal.score, rules=signal.rules,
        newest_evidence_at=signal.newest(Level.HIGH), resolved_at=ENDED.observed_at,
    )  # fmt: skip
    assert decision.move == move


REVIEW = evidence.from_review(evidence.Origin("clinician", w.ago(1))).item
CONFIRMED = evidence.from_clinician_level(
    Level.MEDIUM, Level.MEDIUM, evidence.Origin("clinician", w.ago(1))
).item
LOWERED = evidence.from_clinician_level(Level.LOW, Level.HIGH, evidence.Origin("clinician", w.ago(1))).item
SCREENED = w.cssrs("none", "low", 1)


@pytest.mark.parametrize("end", [REVIEW, LOWERED, SCREENED])
@pytest.mark.parametrize(
    ("before", "rule"),
    [
        ([w.item9(2, 3)], "H7a"),
        ([w.text("B", 3)], "H11"),
        ([w.gap(0.7, 2, 1, masked=True), w.gap(0.6, 4, 2, masked=True)], "H12"),
        ([w.text("C", 3)], "H15"),
        ([w.text("SH", 3)], "H15"),
        ([w.item9(1, 3)], "H15"),
        ([w.cssrs("moderate", "high", 3)], "H3"),
    ],
)
def test_a_review_ends_the_floors_that_it_may_and_newer_evidence_sets_them_again(before, rule, end):
    assert rule in w.decide(*before).rules_fired
    assert rule not in w.decide(*before, end).rules_fired
    again = [replace(item, observed_at=w.ago(0.5)) for item in before[:1]]
    if rule == "H12":
        again.append(replace(before[1], observed_at=w.ago(0.2), local_day=w.NOW.date()))
        again[0] = replace(again[0], local_day=w.ago(1).date())
    assert rule in w.decide(*before, end, *again).rules_fired


def test_a_level_that_a_clinician_raised_ends_by_another_of_theirs_and_by_nothing_else():
    raised = evidence.from_clinician_level(Level.HIGH, Level.LOW, evidence.Origin("clinician", w.ago(9)))
    assert w.decide(raised.item, REVIEW, SCREENED, ENDED).rules_fired == ("H4",)
    assert w.decide(raised.item, LOWERED).level == "low"
    assert state(w.decide(raised.item, CONFIRMED)) == ("medium", ("H4",))


@pytest.mark.parametrize(
    ("before", "rule"),
    [
        ([w.text("A", 3)], "H1"),
        ([w.text("B", 3), MEANS], "H5"),
        ([w.factor(codes.SOS_TALK, 3, "sos")], "H13"),
    ],
)
def test_a_review_alone_does_not_end_what_only_an_alerts_end_may(before, rule):
    assert rule in w.decide(*before, REVIEW).rules_fired


def test_a_declined_screener_keeps_the_floor_before_it():
    declined = w.cssrs("declined", "", 0, codes.CSSRS_DECLINED)
    assert state(w.decide(w.cssrs("moderate", "high", 20), declined)) == ("high", ("H3",))


def test_a_newer_screener_replaces_the_older_floor():
    result = w.decide(w.cssrs("moderate", "high", 5), w.cssrs("low", "medium", 1))
    assert [floor.level for floor in result.floors] == ["medium"]


def test_an_unfinished_screener_adds_its_yes_and_ends_nothing():
    partial = w.cssrs("high", "critical", 0, codes.CSSRS_PARTIAL)
    assert w.decide(w.item9(2, 3), partial).rules_fired == ("H3", "H7a")


def test_a_clinicians_lower_level_holds_until_newer_evidence_or_seven_days():
    lower = w.clinician("medium", codes.LOWER, 1)
    held = w.decide(w.text("B", 2), lower)
    assert (held.level, held.level_source, held.rules_fired) == ("medium", "clinician", ("H4",))
    assert held.reviews == ("risk_review",)
    assert w.decide(w.text("B", 2), lower, w.text("C", 0.5)).level == "high"
    assert w.decide(w.text("A", 9), w.clinician("medium", codes.LOWER, 8)).level == "critical"


def test_a_clinicians_lower_level_is_never_a_floor():
    assert w.decide(w.clinician("medium", codes.LOWER, 1)).level == "low"


def test_of_two_levels_set_at_one_moment_the_safer_one_holds():
    raised, lowered = w.clinician("critical", codes.RAISE), w.clinician("medium", codes.LOWER)
    between = w.clinician("high", codes.RAISE)
    for entries in itertools.permutations((raised, lowered, between)):
        assert w.decide(w.text("B"), *entries).level == "critical"


def test_a_clinicians_higher_level_stays_until_a_human_changes_it():
    assert w.decide(w.clinician("high", codes.RAISE, 300)).level_source == "clinician"
    assert w.decide(w.clinician("high", codes.RAISE, 300), w.clinician("low", codes.LOWER, 1)).level == "low"


def test_refuted_evidence_counts_no_more():
    result = w.decide(replace(w.text("A"), refuted=True))
    assert (result.level, result.factors) == ("low", ())


def test_each_kind_of_alert_gets_its_own_urgency():
    assert kinds(w.decide(w.factor(codes.HARM_TO_OTHERS, source="message"))) == {Kind.HARM_TO_OTHERS}
    assert kinds(w.decide(w.factor(codes.ATTEMPT_NOW, source="message"))) == {Kind.SELF_HARM, Kind.MEDICAL}
    assert kinds(w.decide(B)) == {Kind.SELF_HARM}
    assert kinds(w.decide(C)) == set()


def test_a_minor_asks_for_a_safeguarding_review_too():
    assert w.decide(B, is_minor=True).reviews == ("safeguarding",)


def test_history_counts_only_from_people_and_instruments():
    assert w.decide(w.factor("RF_ATTEMPT_3M", source="message")).factors == ()


def test_an_attempt_gets_older_with_time():
    codes_by_age = [w.decide(w.factor("RF_ATTEMPT_3M", days)).factors[0].code for days in (10, 120, 500)]
    assert codes_by_age == ["RF_ATTEMPT_3M", "RF_ATTEMPT_12M", "RF_ATTEMPT_LIFETIME"]


def test_a_factor_that_is_known_to_be_gone_cancels_the_older_entry():
    gone = w.factor("RF_MEANS_ACCESS", 0, status="absent")
    assert "H5" not in w.decide(B, w.factor("RF_MEANS_ACCESS", 5), gone).rules_fired
    assert w.decide(B, w.factor("PF_SOCIAL_SUPPORT", 5)).protective_applied == 0


def test_words_fade_after_three_days_and_end_after_seven():
    values = [w.decide(w.text("D", days)).score_raw for days in (1, 4, 8)]
    assert values == [0.25, 0.125, 0.0]


def test_disengagement_counts_only_after_a_raised_level():
    missed = w.factor("RF_DISENGAGED")
    assert w.decide(missed).factors == ()
    assert w.decide(missed, raised_at=w.ago(10)).score_raw == 0.15
    assert w.decide(missed, raised_at=w.ago(40)).factors == ()


def model(value: float) -> EvidenceItem:
    return EvidenceItem(codes.TEXT_MODEL, "text", "text_model", w.NOW, value=value)


def test_a_text_model_alone_never_gets_above_medium():
    assert w.decide(model(0.99)).score == 0.5
    stressed = w.decide(model(0.99), *(w.factor(code) for code in ("RF_LEGAL", "RF_JOB_FINANCE")))
    assert (stressed.level, stressed.caps) == ("medium", ("text_model_alone",))
    helped = w.decide(model(0.99), w.factor("RF_ATTEMPT_LIFETIME"))
    assert helped.level == "high"


def test_what_is_not_known_is_listed():
    assert set(w.decide().missing_inputs) == {"cssrs", "phq9", "voice", "history", "protective"}
    known = w.decide(
        w.cssrs("none", "low"),
        w.item9(0),
        w.mood("happy", 0.9),
        w.factor("RF_NSSI"),
        w.factor("PF_DEPENDANTS"),
    )
    assert known.missing_inputs == ()


def test_only_what_still_weighs_is_direct_evidence():
    indirect = [
        w.cssrs("low", "medium"), C, w.mood("hopeless", 0.9), w.mood("hopeless", 0.9), w.baseline(4),
        w.factor("RF_ATTEMPT_LIFETIME", 900),
    ]  # fmt: skip
    capped = (0.79, ("no_direct_evidence",))
    assert (w.decide(*indirect).score, w.decide(*indirect).caps) == capped
    for old in (w.cssrs("moderate", "high", 700), w.cssrs("high", "critical", 30), w.text("B", 8)):
        result = w.decide(*indirect, old, REVIEW)
        assert (result.score, result.caps) == capped, old
    reviewed = replace(REVIEW, observed_at=w.ago(40))
    answers = [w.item9(3, 42), w.phq_total(20)]
    assert w.decide(*indirect, *answers, reviewed).caps == ("no_direct_evidence",)
    for fresh in (w.cssrs("moderate", "high", 29), w.item9(2, 41)):
        assert w.decide(*indirect, fresh, replace(REVIEW, observed_at=w.ago(0.5))).caps == (), fresh
