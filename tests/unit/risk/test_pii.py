"""Which texts hold contact data; all of it is made up."""

from __future__ import annotations

import pytest

from crisis.risk.pii import pii_present
from tests.growth import assert_linear


@pytest.mark.parametrize(
    "text",
    [
        "call me on 0712 345 678", "0112345678", "+254 712 345678", "254712345678", "nipigie 0722-000-111",
        "+44 20 7946 0958", "(555) 010-9999 is mine", "555-010-9999", "write to amina.w@example.org please",
        "amina [at] example [dot] org", "P.O. Box 123 Kisumu", "I live at 12 Moi Avenue",
        "naishi Umoja estate",
        "house no 14", "Flat no. B7", "I stay in Green Park apartments",
        "john at gmail dot com", "njeri at students dot uonbi dot ac dot ke", "naishi Kibera",
        "naishi kibera", "ninaishi huko Mathare", "I live in Kayole", "nakaa Rongai", "Kenyatta avenue 12",
        "07 12 34 56 78", "0712 34 56 78", "+254 7 12 34 56 78",
        "zero seven one two three four five six seven eight",
    ],
)  # fmt: skip
def test_contact_data_is_seen(text):
    assert pii_present(text)


@pytest.mark.parametrize(
    "text",
    [
        "I slept 4 hours", "it was 2024 when it began", "I owe 12,000 shillings", "niko sawa",
        "10/10 bad day",
        "I took 20 tablets", "my score was 3.14159", "way to go", "meet @ noon", "I live in fear",
        "1 000 000 shillings", "on the road again", "naishi na mama yangu", "naishi vizuri",
        "naishi peke yangu",
        "I live with my aunt", "I work at google", "I walked Moi road 12 times", "07 12 34 points",
        "one two three four five six seven eight nine ten", "we met at noon", "nakaa kama mjinga",
    ],
)  # fmt: skip
def test_ordinary_numbers_and_words_are_not_contact_data(text):
    assert not pii_present(text)


@pytest.mark.parametrize(
    "text",
    ["1" * 50_000, "+1 " * 17_000, "a" * 50_000, "a.a@" * 12_500, "1 aa " * 10_000, "house no " * 5_500,
     "i live at a " * 4_100, "07 " * 17_000, "(1" * 25_000, "a [at] " * 7_000, "p.o. box " * 5_500,
     "@" * 50_000, "a at " * 12_500, "at a dot " * 5_500, "naishi huko " * 4_500, "Aa road " * 6_250,
     "zero one " * 5_500, "07 12 34 56 " * 4_100],
)  # fmt: skip
def test_hostile_texts_of_50000_characters_cost_no_more_than_their_length(text):
    assert_linear(pii_present, text)
