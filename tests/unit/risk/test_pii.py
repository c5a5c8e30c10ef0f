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
        "1 000 000 shillings", "on the road again",
    ],
)  # fmt: skip
def test_ordinary_numbers_and_words_are_not_contact_data(text):
    assert not pii_present(text)


@pytest.mark.parametrize(
    "text",
    ["1" * 50_000, "+1 " * 17_000, "a" * 50_000, "a.a@" * 12_500, "1 aa " * 10_000, "house no " * 5_500,
     "i live at a " * 4_100, "07 " * 17_000, "(1" * 25_000, "a [at] " * 7_000, "p.o. box " * 5_500,
     "@" * 50_000],
)  # fmt: skip
def test_hostile_texts_of_50000_characters_cost_no_more_than_their_length(text):
    assert_linear(pii_present, text)
