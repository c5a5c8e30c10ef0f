"""Which code so many minutes suggest, what is warned of, and cells that no spreadsheet computes."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest

from clinical.scheduling.billing.coding import Code, is_second, suggest, warning_words, warnings_of
from clinical.scheduling.billing.public import raw_codes
from clinical.scheduling.billing.sheets import cell, sheet

DAY = date(2026, 11, 26)


def codes() -> list[Code]:
    return [
        Code(
            code=raw["code"], service=raw["service"], least=raw["min_minutes"], most=raw["max_minutes"],
            unit_minutes=raw["unit_minutes"], is_addon=raw["is_addon"], requires=tuple(raw["requires"]),
            active_from=date.fromisoformat(raw["active_from"]),
        )
        for raw in raw_codes()
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "minutes", "expected"),
    [
        ("psychotherapy", 15, []),
        ("psychotherapy", 16, [("90832", 1)]),
        ("psychotherapy", 37, [("90832", 1)]),
        ("psychotherapy", 38, [("90834", 1)]),
        ("psychotherapy", 52, [("90834", 1)]),
        ("psychotherapy", 53, [("90837", 1)]),
        ("psychotherapy", 120, [("90837", 1)]),
        ("crisis", 29, []),
        ("crisis", 30, [("90839", 1)]),
        ("crisis", 74, [("90839", 1)]),
        ("crisis", 75, [("90839", 1), ("90840", 1)]),
        ("crisis", 105, [("90839", 1), ("90840", 2)]),
        ("intake", 60, [("90791", 1)]),
        ("family", 25, []),
        ("family", 26, [("90847", 1)]),
        ("group", 90, [("90853", 1)]),
        ("no_show", 0, [("MISSED", 1)]),
        ("wellness", 50, []),
    ],
)
def test_the_actual_minutes_suggest_a_code(
    service: str, minutes: int, expected: list[tuple[str, int]]
) -> None:
    found = suggest(service, minutes, codes(), DAY)
    assert [(one.code.code, one.units) for one in found] == expected


def test_a_code_that_no_longer_holds_is_not_suggested() -> None:
    old = Code("X", "psychotherapy", active_from=date(2020, 1, 1), active_to=date(2025, 12, 31))
    assert suggest("psychotherapy", 50, [old], DAY) == []
    assert suggest("psychotherapy", 50, [old], date(2025, 12, 31)) != []


@pytest.mark.parametrize(
    ("code", "minutes", "others", "expected"),
    [
        ("90839", 40, ["90834"], ["Not together with 90834 on one day"]),
        ("90834", 45, ["90839", "90840"], ["Not together with 90839 on one day",
                                           "Not together with 90840 on one day"]),
        ("90834", 45, ["90834"], []),
        ("90840", 80, [], ["Needs 90839 on the same day"]),
        ("90840", 80, ["90839"], []),
        ("90837", 50, [], ["Fewer minutes than the code asks for"]),
        ("90832", 50, [], ["More minutes than the code covers"]),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_warned_of(
    code: str, minutes: int, others: list[str], expected: list[str]
) -> None:
    row = next(one for one in codes() if one.code == code)
    assert [warning_words(one) for one in warnings_of(row, minutes, others)] == expected


@pytest.mark.parametrize(
    ("code", "there", "second"),
    [
        ("90834", "90834", True),
        ("90837", "90834", True),
        ("90840", "90839", False),
        ("90840", "90840", True),
        ("90785", "90834", False),
        ("90834", "90785", False),
        ("90847", "90834", False),
        ("96127", "96130", False),
        ("96127", "96127", True),
        ("G0544", "G0560", False),
    ],
)
def test_one_sitting_has_one_base_code_of_a_kind(code: str, there: str, second: bool) -> None:
    rows = {one.code: one for one in codes()}
    assert is_second(rows[code], rows[there]) is second


def test_labels_are_our_own_and_every_public_number_is_there_once() -> None:
    found = [raw["code"] for raw in raw_codes()]
    assert len(found) == len(set(found)) == 31
    assert all(len(raw["own_label"]) <= 80 for raw in raw_codes())
    assert {raw["code"] for raw in raw_codes() if raw["system"] == "hcpcs"} == {"G0560", "G0544", "H2011"}


@pytest.mark.parametrize(
    "bad", ["=1+1", "+254700", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =cmd|' /C calc'!A0", "\u00a0=1"]
)
def test_no_cell_begins_as_a_formula(bad: str) -> None:
    assert cell(bad) == f"'{bad}"
    row = next(csv.reader(io.StringIO(sheet(["A"], [[bad]]).partition("\r\n")[2], newline="")))
    assert row == [f"'{bad}"]


@pytest.mark.parametrize(("value", "text"), [(None, ""), (90834, "90834"), ("A, b", "A, b"), ("", "")])
def test_ordinary_cells_stay_as_they_are(value: object, text: str) -> None:
    assert cell(value) == text
