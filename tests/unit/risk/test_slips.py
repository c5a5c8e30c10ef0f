"""Words with one slip, and words that are hidden by one: the share that is reached, and what stays itself."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from crisis.risk.lexicon import Lexicon, lexicon, packaged
from crisis.risk.slips import Slips, slips_of

PHRASES = (
    "kill myself", "commit suicide", "i feel suicidal", "end my life", "i want to die", "hang myself",
    "i took an overdose", "i swallowed rat poison", "nataka kujiua", "nitajinyonga leo", "sitaki kuishi",
    "nimekunywa sumu",
)  # fmt: skip
# The share of each operation, and of all; before lexicon 1.3.0 all were .37. What is left is mostly a first
# letter that is missing (Swahili's persons) and slips that are words of their own (kujua, to know).
FLOORS = {
    "drop": 0.75, "double": 0.98, "swap": 0.97, "star": 1.0, "split": 0.97, "leet": 0.98, "spaced": 0.95,
    "all": 0.94,
}  # fmt: skip
LOOKALIKES = {"a": "4@", "e": "3", "i": "1!", "l": "1|", "o": "0", "s": "5$", "t": "7"}
TABLES = Path(__file__).parent / "sentences"


def spelled(word: str) -> Iterator[tuple[str, str]]:
    """Every form of a word by one operation at one place."""
    for at, letter in enumerate(word):
        head, tail = word[:at], word[at + 1 :]
        yield "drop", head + tail
        yield "double", head + letter * 2 + tail
        yield "star", f"{head}*{tail}"
        if tail and tail[0] != letter:
            yield "swap", head + tail[0] + letter + tail[1:]
        if at:
            yield "split", f"{head} {letter}{tail}"
        for like in LOOKALIKES.get(letter, ""):
            yield "leet", head + like + tail
    yield "spaced", " ".join(word)


def test_the_share_of_misspelt_and_hidden_phrases_that_is_reached():
    tried: dict[str, list[bool]] = {}
    for phrase in PHRASES:
        words = phrase.split()
        assert lexicon().screen(phrase).tiers[0] in "ABC"
        for place, word in enumerate(words):
            for operation, form in spelled(word) if len(word) > 2 else ():
                tiers = lexicon().screen(" ".join([*words[:place], form, *words[place + 1 :]])).tiers
                for name in (operation, "all"):
                    tried.setdefault(name, []).append(tiers[:1] in (("A",), ("B",), ("C",)))
    shares = {name: sum(found) / len(found) for name, found in tried.items()}
    assert len(tried["all"]) > 800
    assert not {name: share for name, share in shares.items() if share < FLOORS[name]}


def test_no_harmless_sentence_is_read_otherwise_for_its_spelling():
    raw = packaged()
    raw["slips"] = {"anywhere": [], "before": {}, "after": {}, "none": []}
    plain = Lexicon(raw)
    read = 0
    for language in ("en", "sw", "sheng"):
        with (TABLES / f"{language}.csv").open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["expected"].startswith("none"):
                    here, there = lexicon().screen(row["sentence"]), plain.screen(row["sentence"])
                    assert here.hits == there.hits, row["sentence"]
                    assert lexicon().words(row["sentence"]) == plain.words(row["sentence"]), row["sentence"]
                    read += 1
    assert read > 900


@pytest.mark.parametrize(
    "text",
    [
        "nataka kujua", "nataka kuijua hiyo shule", "nitajua leo", "nitaijua kesho", "najua leo",
        "nataka kujia pesa yangu leo", "nataka nijue leo", "i fill myself with tea", "i bill myself monthly",
        "ill myself, i still cooked", "he overdoes it", "we ate poisson", "two tables tonight",
        "going to night school", "the new tab lets me in", "my lie", "wat to do",
    ],
)  # fmt: skip
def test_a_slip_that_is_a_word_of_its_own_is_that_word(text):
    words = text.replace(",", "").split()
    assert lexicon().words(text) == words
    assert lexicon().screen(text).tiers == ()


def test_some_words_are_read_only_beside_others():
    assert lexicon().screen("klil myself").tiers == ("B",)
    assert lexicon().words("klil the lights") == ["klil", "the", "lights"]
    assert lexicon().words("i want to dei") == ["i", "want", "to", "die"]
    assert lexicon().words("agnus dei") == ["agnus", "dei"]


def test_each_form_has_one_slip_and_the_first_letter_is_never_left_out():
    assert set(slips_of("die")) == {"ddie", "*ie", "ide", "diie", "d*e", "dei", "diee", "di*"}
    assert "ill" not in set(slips_of("kill"))


def test_what_is_known_or_refused_is_never_a_slip():
    raw = {"anywhere": ["poison"], "before": {}, "after": {}, "none": ["poisson", "poi son"]}
    slips = Slips.of(raw, {"posion"})
    for words in (["poisson"], ["poi", "son"], ["posion"]):
        assert slips.read(words) == words
    assert slips.read(["p", "oison", "poiosn"]) == ["poison", "poison"]
