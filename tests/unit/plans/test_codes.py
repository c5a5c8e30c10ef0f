"""The table of codes, the search in it, and what is dangerous in overdose."""

from __future__ import annotations

import pytest

from clinical.plans.diagnoses import icd
from clinical.plans.medications.means import is_dangerous


def test_every_starter_is_a_billable_code_of_the_table() -> None:
    assert len(set(icd.STARTERS)) == 64
    assert [code for code in icd.STARTERS if not (icd.table().get(code) and icd.table()[code].billable)] == []


@pytest.mark.parametrize("code", ["Z91.5", "Z59.7", "F32", "F33.4"])
def test_a_code_that_is_too_general_is_there_and_not_billable(code: str) -> None:
    found = icd.entry(code)
    assert found is not None and not found.billable
    assert all(one.billable and one.code.startswith(code) for one in icd.children(code))
    assert code not in [one.code for one in icd.search(code)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [("f33.1", "F33.1"), ("F331", "F33.1"), ("ptsd", "F43.10"), ("generalized anx", "F41.1"),
     ("z91.5", "Z91.51"), ("rec major mod", "F33.1"), ("t1491xa", "T14.91XA")],
)  # fmt: skip
def test_a_search_finds_by_code_by_beginnings_of_words_and_by_what_people_call_it(
    typed: str, first: str
) -> None:
    assert first in [one.code for one in icd.search(typed)][:3]


@pytest.mark.parametrize("typed", ["", "   ", "qqqq", "..", "\x00", "x" * 500, "💥", "a " * 300])
def test_a_search_for_nothing_or_nonsense_finds_nothing_and_breaks_nothing(typed: str) -> None:
    assert len(icd.search(typed)) <= icd.MOST


def test_favourites_come_before_their_equals_and_results_are_few() -> None:
    assert icd.search("depressive disorder recurrent", ("F33.9",))[0].code == "F33.9"
    assert len(icd.search("disorder")) == icd.MOST


@pytest.mark.parametrize(
    ("code", "labelled"),
    [("F10.20", True), ("F19.10", True), ("F17.210", False), ("F32.1", False), ("F20.9", False)],
)
def test_substance_use_is_labelled_and_tobacco_is_not(code: str, labelled: bool) -> None:
    assert icd.is_part2(code) is labelled


@pytest.mark.parametrize(
    ("name", "system", "code", "dangerous"),
    [("Amitriptyline 25", "", "", True), ("Panadol", "", "", True), ("Sertraline", "", "", False),
     ("x", "atc", "N05AN01", True), ("x", "rxnorm", "N05AN01", False), ("LITHIUM carbonate", "", "", True)],
)  # fmt: skip
def test_what_is_dangerous_in_overdose_is_known_by_name_and_by_class(
    name: str, system: str, code: str, dangerous: bool
) -> None:
    assert is_dangerous(name, system, code) is dangerous
