"""How observations become coded rows, and how the rows read again as reasons and sentences."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

import pytest

from crisis.risk import codes, evidence, labels, reasons
from crisis.risk.dissonance import dissonance
from crisis.risk.engine import assess
from crisis.risk.interpretation import MAX_LENGTH, interpret
from crisis.risk.lexicon import lexicon
from crisis.risk.readiness import packaged
from crisis.risk.screening import Screening
from crisis.risk.textmodel import ModelReading, provide, text_model
from crisis.risk.types import EvidenceItem, Inputs, Kind, Level, Result, Source

from . import world as w

ORIGIN = evidence.Origin(Source.MESSAGE, w.NOW, w.session(7), w.session(8), w.NOW.date())
FIRST_FORM = {"behaviour": 0.0, "since_contact": False}


def rows(text: str) -> dict[str, evidence.Draft]:
    return {draft.item.code: draft for draft in evidence.from_screening(lexicon().screen(text), ORIGIN)}


def test_a_screened_text_becomes_codes_with_its_origin():
    made = rows("I bought rat poison and tonight I will kill myself")
    assert {"TEXT_A", "TEXT_B", "WS_PLAN", "RF_MEANS_ACCESS"} <= set(made)
    item = made["TEXT_A"].item
    assert (item.source_id, item.session_id, item.observed_at) == (w.session(7), w.session(8), w.NOW)
    assert made["TEXT_A"].lexicon_entry.startswith("en.a.")
    assert made["TEXT_A"].lexicon_version == lexicon().version


def test_no_word_of_the_text_is_in_any_row():
    text = "Zipporah said tonight I will kill myself near Kibuye market"
    words = {word.lower() for word in text.split() if len(word) > 5}
    for draft in evidence.from_screening(lexicon().screen(text), ORIGIN):
        stored = [str(getattr(draft.item, f.name)) for f in fields(EvidenceItem)] + [draft.lexicon_entry]
        assert not words & set(" ".join(stored).lower().split())


def test_what_was_taken_back_is_a_code_that_never_counts():
    made = rows("I don't want to kill myself")
    assert made["TEXT_B_TAKEN_BACK"].flags == ("negated",)
    items = tuple(draft.item for draft in made.values())
    assert assess(Inputs(at=w.NOW, evidence=items)).factors == ()


def test_words_and_acts_last_until_a_human_acts_and_the_rest_ends_by_itself():
    made = rows("I took an overdose. nisameheni wote. sina tumaini")
    assert made["TEXT_A"].expires_at is None
    assert made["ATTEMPT_NOW"].expires_at is None
    assert made["TEXT_V"].expires_at == w.NOW + timedelta(days=7)
    assert made["TEXT_D"].expires_at == w.NOW + timedelta(days=7)


def test_worry_about_others_and_past_attempts_ask_for_a_review():
    screening = lexicon().screen("my friend is suicidal")
    assert evidence.reviews_of(screening) == ("third_party_concern",)
    assert codes.THIRD_PARTY_CONCERN in rows("my friend is suicidal")
    assert evidence.reviews_of(lexicon().screen("I took an overdose when I was 15")) == (
        "past_attempt_mentioned",
    )


def decide(*drafts: evidence.Draft | None) -> Result:
    return assess(Inputs(at=w.NOW, evidence=tuple(draft.item for draft in drafts if draft)))


@pytest.mark.parametrize(
    ("drafts", "level"),
    [
        ([evidence.from_sos(None, ORIGIN)], "critical"),
        ([evidence.from_sos("garbled", ORIGIN)], "critical"),
        ([evidence.from_sos("talk_to_person", ORIGIN)], "high"),
        ([evidence.from_third_party(ORIGIN, imminent=True)], "critical"),
        ([evidence.from_third_party(ORIGIN, imminent=False)], "low"),
        ([evidence.from_item9(2, ORIGIN)], "high"),
        ([evidence.from_item9(None, ORIGIN)], "low"),
        ([evidence.from_cssrs("high", Level.CRITICAL, ORIGIN, **FIRST_FORM, complete=True)], "critical"),
        ([evidence.from_cssrs("declined", Level.LOW, ORIGIN, **FIRST_FORM, complete=False)], "low"),
        ([evidence.from_clinician_level(Level.HIGH, Level.LOW, ORIGIN)], "high"),
        (
            [evidence.from_phq_total(21, ORIGIN), evidence.from_baseline(4.0, ORIGIN, provisional=False)],
            "medium",
        ),
        ([evidence.from_trajectory("declining", 0.9, ORIGIN)], "low"),
        ([evidence.from_factor("RF_LEGAL", ORIGIN)], "low"),
    ],
)
def test_each_source_reaches_the_engine(drafts, level):
    assert decide(*drafts).level == level


def test_a_resolution_and_a_review_end_floors():
    later = evidence.Origin(Source.ALERT, w.NOW + timedelta(hours=1))
    at = w.NOW + timedelta(hours=2)
    sos = evidence.from_sos(None, ORIGIN)
    item9 = evidence.from_item9(2, ORIGIN)
    for item, end in (
        (sos, evidence.from_resolution(Kind.SELF_HARM, later)),
        (item9, evidence.from_review(later)),
    ):
        result = assess(Inputs(at=at, evidence=(item.item, end.item)))
        assert result.rules_fired == ()


def test_an_unreadable_gap_makes_no_row_and_a_masked_one_has_its_code():
    unknown = dissonance(stated_valence=0, stated_confidence=0.1, voice_valence=0, voice_confidence=0.1)
    assert evidence.from_dissonance(unknown, ORIGIN) is None
    masked = dissonance(
        stated_valence=0.5,
        stated_confidence=0.9,
        voice_valence=-1,
        voice_confidence=0.9,
        voice_emotion="hopeless",
    )
    row = evidence.from_dissonance(masked, ORIGIN)
    assert row is not None
    assert (row.item.code, row.expires_at) == (codes.DISSONANCE_MASKED, None)


def test_an_unknown_factor_is_refused():
    with pytest.raises(ValueError, match="RF_NOTHING"):
        evidence.from_factor("RF_NOTHING", ORIGIN)


class Echo:
    """A model that always says the same."""

    version = "echo-1"

    def read_many(self, texts, screenings):
        return [ModelReading(0.9, 0.8, self.version) if text else None for text in texts]


def test_a_text_model_that_is_provided_takes_the_place_of_the_one_before_it():
    before = text_model()
    assert before is not None
    provide(Echo)
    try:
        model = text_model()
        assert model is not None
        reading, silent = model.read_many(["x", ""], [Screening(), Screening()])
        assert reading is not None
        assert silent is None
        assert decide(evidence.from_text_model(reading, ORIGIN)).score == 0.5
    finally:
        provide(packaged)
    assert text_model().version == before.version


@pytest.mark.parametrize("locale", ["en", "sw"])
def test_every_rule_and_factor_has_words_in_both_languages(locale):
    for rule in (
        "H1",
        "H2",
        "H3",
        "H4",
        "H5",
        "H6",
        "H7a",
        "H7b",
        "H8",
        "H9",
        "H10",
        "H11",
        "H12",
        "H13",
        "H14",
    ):
        assert reasons.sentence(rule, locale) != reasons.sentence("SCORE", locale)
    for pair in (
        *labels.FACTORS.values(),
        *labels.MISSING.values(),
        *labels.ACTIONS.values(),
        *reasons.SENTENCES.values(),
    ):
        assert all(pair)
        assert not any(
            word in pair[0].lower() for word in ("committed", "failed attempt", "!", "attention-seeking")
        )


def test_the_most_urgent_rule_names_the_reason():
    assert reasons.reason_code(("H1", "H11"), Level.CRITICAL) == "H1"
    assert reasons.reason_code(("H1", "H13"), Level.CRITICAL) == "H13_DANGER"
    assert reasons.reason_code(("H13",), Level.HIGH) == "H13"
    assert reasons.reason_code((), Level.HIGH) == "SCORE"


def read(result: Result, locale: str = "en", source: str = "") -> str:
    return interpret(
        level=result.level, level_source=source or result.level_source, rules=result.rules_fired,
        factors=result.factors, missing=result.missing_inputs, at=w.NOW, locale=locale,
    )  # fmt: skip


def test_the_interpretation_gives_reason_factors_gaps_and_an_action():
    text = read(
        w.decide(w.text("B"), w.factor("RF_ATTEMPT_LIFETIME", 500), w.gap(0.8778), w.trajectory(0.7136))
    )
    assert text.startswith("Critical: speaks of suicide.")
    assert "words about suicide (now)" in text
    assert "a lifetime attempt on record (500 d ago)" in text
    assert text.count(" ago)") + text.count("(now)") == 3
    assert "no C-SSRS in 30 days" in text
    assert "Suggested: contact now" in text


def test_low_reads_as_no_current_signals_and_nothing_reads_as_a_probability():
    assert read(w.decide()).startswith("No current signals.")
    assert read(w.decide(), "sw").startswith("Hakuna dalili")
    for evidence_set in ((w.text("A"),), (w.text("D"), w.gap(0.9)), ()):
        assert not any(
            word in read(w.decide(*evidence_set)).lower() for word in ("%", "probab", "likel", "chance")
        )


def test_a_held_or_clinicians_level_says_so():
    assert "until a person has looked" in read(w.decide(w.text("B")), source="held")
    assert "clinician set this level" in read(w.decide(w.clinician("high", "raise")))


@pytest.mark.parametrize("locale", ["en", "sw", "fr"])
def test_the_longest_interpretation_still_fits(locale):
    everything = [
        w.text("A"),
        w.gap(0.9, masked=True),
        w.mood("hopeless", 0.9),
        w.mood("numb", 0.9),
        w.item9(3),
    ]
    text = read(w.decide(*everything, w.factor("RF_ATTEMPT_12M"), w.factor("RF_DEBT_MOBILE_LOAN")), locale)
    assert len(text) <= MAX_LENGTH
    assert "." in text
