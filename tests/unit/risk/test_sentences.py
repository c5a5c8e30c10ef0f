"""The lexicon over tables of our own sentences, one per language family; all wrong rows are told at once.

`expected` is the most serious tier or "none", then codes that must be there: a cue, "third_party" (worry
about somebody else) or "past_attempt". Native-speaking clinicians have yet to review tables and lexicon.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from crisis.risk.lexicon import Screening, lexicon

TABLES = Path(__file__).parent / "sentences"


def rows(language: str) -> list[dict[str, str]]:
    with (TABLES / f"{language}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def found_in(screening: Screening) -> set[str]:
    found = {screening.tiers[0] if screening.tiers else "none", *screening.cues}
    found |= {"third_party"} if screening.third_party_concern else set()
    return found | ({"past_attempt"} if screening.past_attempt else set())


@pytest.mark.parametrize("language", ["en", "sw", "sheng"])
def test_every_sentence_of_the_table_reaches_the_tier_that_it_should(language):
    wrong = []
    for row in rows(language):
        expected, found = set(row["expected"].split()), found_in(lexicon().screen(row["sentence"]))
        # Someone who is in no danger raises nothing at all, unless the row says what.
        unasked = found & {"third_party", "past_attempt", "HARM_TO_OTHERS"} if "none" in expected else set()
        if not expected <= found or unasked - expected:
            wrong.append(f"{row['sentence']!r} ({row['why']}): {row['expected']}, found {sorted(found)}")
    assert not wrong, f"{len(wrong)} of {language}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("language", ["en", "sw", "sheng"])
def test_each_table_is_long_and_holds_what_must_be_found_and_what_must_be_left_alone(language):
    table = rows(language)
    alone = sum(row["expected"].startswith("none") for row in table)
    assert len({row["sentence"] for row in table}) == len(table) >= 300
    assert 0.35 < alone / len(table) < 0.65
