"""Classes of the lexicon, proven by sentences that are made: verbs by containers, prefixes by endings."""

from __future__ import annotations

from itertools import product

import pytest

from crisis.risk.lexicon import lexicon

DONE = {
    "took": "taken", "swallowed": "swallowed", "ate": "eaten", "drank": "drunk", "downed": "downed",
    "necked": "necked", "popped": "popped", "gulped": "gulped",
}  # fmt: skip
MEDICINE = [
    f"{held} of {medicine}"
    for held in ("3 packs", "two boxes", "a whole packet", "an entire box", "the full bottle", "4 strips",
                 "a strip", "a handful")
    for medicine in ("panadol", "sleeping pills", "ibuprofen", "mum's tablets")
]  # fmt: skip
MEDICINE += ["all my pills", "every tablet in the house", "40 paracetamol", "25 of her painkillers"]
POISONS = ["rat poison", "the pesticide", "some bleach", "a glass of jik", "half a bottle of weed killer"]
ORDINARY = [
    f"{held} of {food}"
    for held in ("3 packs", "two boxes", "a whole packet", "the full bottle", "4 strips", "a handful")
    for food in ("biscuits", "mango juice", "the leftover rice")
]
WAYS = {
    "jirusha": "jirushe", "jitupa": "jitupe", "jitosa": "jitose", "maliza": "malize", "katisha": "katishe",
    "katiza": "katize", "sitisha": "sitishe",
}  # fmt: skip
PLACES = ["mtoni", "majini", "kwa daraja", "kwa dam", "kwenye ghorofa", "baharini"]
ENDINGS = [f"{stem} {place}" for stem in list(WAYS)[:3] for place in PLACES]
ENDINGS += [f"{stem} {life}" for stem in list(WAYS)[3:] for life in ("maisha yangu", "uhai wangu")]


def top(text: str) -> str:
    """The most serious tier of a text; what is an act must be told as one, too."""
    screening = lexicon().screen(text)
    tier = screening.tiers[0] if screening.tiers else "none"
    return f"{tier} ATTEMPT_NOW" if "ATTEMPT_NOW" in screening.cues else tier


def wrong(texts: list[str], expected: str) -> list[str]:
    return [f"{text!r}: {found}" for text in texts if (found := top(text)) != expected]


@pytest.mark.parametrize("verb", DONE)
def test_whatever_was_swallowed_by_the_container_is_an_act(verb):
    said = (f"I {verb}", f"I just {verb}", f"I've {DONE[verb]}", f"I have just {DONE[verb]}", f"just {verb}")
    texts = [f"{start} {what}" for start, what in product(said, MEDICINE)]
    assert not wrong(texts, "A ATTEMPT_NOW")


@pytest.mark.parametrize("verb", ["swallowed", "ate", "drank", "downed", "gulped"])
def test_whatever_poison_was_swallowed_is_an_act(verb):
    said = (f"I {verb}", f"I just {verb}", f"I've {DONE[verb]}", f"I have already {DONE[verb]}")
    assert not wrong([f"{start} {what}" for start, what in product(said, POISONS)], "A ATTEMPT_NOW")


@pytest.mark.parametrize("amount", ["all my", "all the", "the whole vial of", "two pens of", "300 units of"])
def test_too_much_insulin_is_an_act_and_a_dose_is_none(amount):
    assert top(f"I injected {amount} insulin") == "A ATTEMPT_NOW"
    assert top("I injected my insulin") == top("I injected 12 units of insulin before supper") == "none"


@pytest.mark.parametrize("verb", DONE)
def test_food_and_drink_by_the_container_are_none(verb):
    said = (f"I {verb}", f"I just {verb}", f"I've {DONE[verb]}", f"I have just {DONE[verb]}")
    assert not wrong([f"{start} {what}" for start, what in product(said, ORDINARY)], "none")


@pytest.mark.parametrize(
    "start", ["I have never swallowed", "I didn't take", "she swallowed", "my dog ate", "I won't swallow"]
)
def test_what_was_not_swallowed_or_by_somebody_else_is_no_act(start):
    assert not wrong([f"{start} {what}" for what in (*MEDICINE, *POISONS)], "none")


@pytest.mark.parametrize("stem", ENDINGS)
def test_an_ending_of_ones_life_is_found_by_every_prefix(stem):
    verb, rest = stem.split(" ", 1)
    wishes = [f"{start} ku{stem}" for start in ("nataka", "natamani", "nafikiria", "nina hamu ya")]
    wishes += [f"ninge{stem}", f"niki{stem}", f"nataka ni{WAYS[verb]} {rest}", f"nilijaribu ku{stem}"]
    assert not wrong(wishes, "B")
    intents = [f"{start} ku{stem}" for start in ("nimeamua", "nimepanga", "naenda", "niko tayari")]
    intents += [f"nita{stem}", f"nta{stem}", f"leo na{stem}", f"nataka ku{stem} leo usiku"]
    assert not wrong(intents, "A")


@pytest.mark.parametrize("stem", ENDINGS)
def test_an_ending_that_is_denied_or_somebody_elses_has_no_tier(stem):
    theirs = stem.replace("yangu", "yake").replace("wangu", "wake")
    others = [f"ata{theirs}", f"anataka ku{theirs}", f"rafiki yangu amejaribu ku{theirs}"]
    denied = [f"sitaki ku{stem}", f"sita{stem}", f"sijawahi kutaka ku{stem}"]
    assert not wrong([*others, *denied], "none")
    assert all(lexicon().screen(text).third_party_concern for text in others)


@pytest.mark.parametrize("thing", ["kazi yangu", "shule", "tiketi", "safari yangu", "barabara", "mkutano"])
def test_what_else_is_ended_or_cut_short_is_none(thing):
    starts = ("nataka kumaliza", "nitamaliza", "nataka kukatisha", "nimeamua kukatiza", "leo nasitisha")
    assert not wrong([f"{start} {thing}" for start in starts], "none")
