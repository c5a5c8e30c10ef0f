"""Concepts of the text model: which word stands for which, and what counts as near."""

from __future__ import annotations

import numpy as np

from crisis.risk.concepts import GROUPS, KEYS, LEAD, NEAR, concepts_of, near_and_leading
from crisis.risk.linear import load
from crisis.risk.ngrams import Grams


def keys(words: str, window: int = NEAR) -> dict[int, int]:
    return numbers(concepts_of([words.split()], window))


def numbers(found: Grams) -> dict[int, int]:
    return dict(zip(found.buckets.tolist(), found.numbers.tolist(), strict=True))


def test_every_word_has_one_concept_and_every_three_of_them_a_place():
    words = [word for group in GROUPS.values() for word in group]
    assert len(words) == len(set(words))
    assert (len(GROUPS) + 2) ** 3 <= KEYS


def test_other_words_for_the_same_thing_are_the_same_concepts():
    assert keys("i want to die") == keys("i wanna be dead") != {}


def test_order_sentence_and_distance_count():
    assert keys("i want to die") != keys("die to want i")
    alone, pair = keys("i"), keys("i want")
    assert len(alone) == 1
    assert len(pair) == 3
    for apart in ("i . want", "i / want", "i a b c want"):
        assert len(keys(apart)) == 2, apart
    assert len(keys("i a b c want", window=4)) == 3


def test_three_in_a_row_are_one_more_and_what_comes_again_is_counted():
    assert len(keys("i want pills")) == 3 + 3 + 1
    twice = keys("i want . i want")
    assert set(twice) == set(keys("i want"))
    assert set(twice.values()) == {2}


def test_the_beginning_of_a_text_is_its_first_words_alone():
    long = ["then", *["so"] * (LEAD - 3), "i", "want", "pills", "tonight"]
    near, lead = near_and_leading([["i"], long])
    whole, first = (concepts_of([["i"], words], NEAR) for words in (long, long[:LEAD]))
    assert numbers(near) == numbers(whole)
    assert numbers(lead) == numbers(first)
    assert lead.starts.tolist() == first.starts.tolist() == [0, 1, 4]


def test_a_text_is_read_the_same_alone_and_among_others():
    texts = [text.split() for text in ("i want to die", "", "tonight", "i . i want pills tonight")]
    together = concepts_of(texts, NEAR)
    for row, text in enumerate(texts):
        alone = concepts_of([text], NEAR)
        here = slice(together.starts[row], together.starts[row + 1])
        assert together.buckets[here].tolist() == alone.buckets.tolist()
        assert together.numbers[here].tolist() == alone.numbers.tolist()
    empty: Grams = concepts_of([], NEAR)
    assert empty.starts.tolist() == [0]


def test_a_person_is_their_texts_in_any_order_and_nobody_elses():
    model = load()
    mine, other = ["I want to die.", "I bought the pills today."], ["Try to talk to your doctor, please."]
    both = model.of_people([mine[0], *other, mine[1]], ["me", "you", "me"])
    assert both == {**model.of_people(mine[::-1], ["me", "me"]), **model.of_people(other, ["you"])}
    assert both["me"] > both["you"]
    assert np.isfinite(list(both.values())).all()
