"""When a safety plan is complete, when it protects, and what of a form is kept: tables, no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict

from crisis.safetyplans import rules
from crisis.safetyplans.forms import SafetyPlanForm, fault_of, rearranged, typed
from crisis.safetyplans.showing import dials
from crisis.safetyplans.wording import SECTIONS, ago_words, missing_words, reviewed_words

AT = datetime(2026, 11, 19, 9, tzinfo=UTC)
ALL = {one.key: 1 for one in SECTIONS}


@pytest.mark.parametrize(
    ("without", "missing"),
    [
        ((), []),
        (("reasons_for_living",), []),
        (("people_to_ask",), []),
        (("distraction_people_places",), []),
        (("people_to_ask", "distraction_people_places"), ["somebody"]),
        (("warning_signs",), ["warning_signs"]),
        (("self_coping",), ["self_coping"]),
        (("professionals_services",), ["professionals_services"]),
        (("safer_environment",), ["safer_environment"]),
        (
            tuple(ALL),
            ["warning_signs", "self_coping", "somebody", "professionals_services", "safer_environment"],
        ),
        (("warning_signs", "distraction_people_places", "people_to_ask"), ["warning_signs", "somebody"]),
    ],
)
def test_a_plan_is_complete_with_a_line_in_1_2_5_6_and_one_in_3_or_4(
    without: tuple[str, ...], missing: list[str]
) -> None:
    counts = {key: count for key, count in ALL.items() if key not in without}
    assert rules.missing(counts) == missing
    assert rules.is_complete(counts) is not bool(missing)
    assert rules.is_complete(dict.fromkeys(without, 0) | counts) is not bool(missing)


WHOLE = {"in_force": True, "complete": True, "with_patient": True, "reviewed_at": AT, "at": AT}


@pytest.mark.parametrize(
    ("other", "protects"),
    [
        ({}, True),
        ({"in_force": False}, False),
        ({"complete": False}, False),
        ({"with_patient": False}, False),
        ({"reviewed_at": None}, False),
        ({"reviewed_at": AT - timedelta(days=90)}, True),
        ({"reviewed_at": AT - timedelta(days=90, seconds=1)}, False),
    ],
)
def test_a_plan_protects_only_when_whole_made_together_in_force_and_looked_at(
    other: dict[str, Any], protects: bool
) -> None:
    assert rules.protects(**WHOLE | other) is protects


def test_a_task_leaves_a_day_at_least() -> None:
    assert rules.due_after(AT + timedelta(days=2), AT) == AT + timedelta(days=2)
    assert rules.due_after(AT - timedelta(days=2), AT) == AT + timedelta(days=1)


def test_a_look_is_said_as_a_day_and_how_long_ago() -> None:
    assert reviewed_words(AT - timedelta(days=7), AT) == "12 Nov, 7 days ago"
    assert reviewed_words(AT - timedelta(days=400), AT) == "15 Oct 2025, 400 days ago"


def test_every_required_step_has_words() -> None:
    keys = {one.key for one in SECTIONS}
    assert {*rules.NEEDED, *rules.SOMEBODY} < keys
    assert [one.number for one in SECTIONS] == [1, 2, 3, 4, 5, 6, 0]
    assert missing_words(["warning_signs", "somebody", "safer_environment"]) == (
        "warning signs, a person or place, or somebody to ask and making it safer"
    )
    assert (missing_words([]), ago_words(timedelta(days=1)), ago_words(timedelta(days=7))) == (
        "", "yesterday", "7 days ago",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("contact", "is_number"),
    [
        ("0770 090 0318", True), ("ext. 4400", True), ("+254 (0)20 123", True), ("Tobi has the keys", False),
        ("", False), ("Room 12", False), ("999", True), ("Kibandani 1190, left door", False),
    ],
)  # fmt: skip
def test_only_a_number_is_rung(contact: str, is_number: bool) -> None:
    assert dials(contact) is is_number


def data(**rows: list[str]) -> QueryDict:
    sent = QueryDict(mutable=True)
    for name, values in rows.items():
        sent.setlist(name, values)
    return sent


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("up:warning_signs:1", ["b", "a", "c"]),
        ("down:warning_signs:1", ["a", "c", "b"]),
        ("up:warning_signs:0", ["a", "b", "c"]),
        ("down:warning_signs:2", ["a", "b", "c"]),
        ("out:warning_signs:1", ["a", "c"]),
        ("more:warning_signs", ["a", "b", "c", ""]),
        ("up:warning_signs:9", ["a", "b", "c"]),
        ("up:warning_signs:²", ["a", "b", "c"]),
    ],
)
def test_a_row_moves_with_what_stands_beside_it(asked: str, found: list[str]) -> None:
    sent = data(warning_signs_text=["a", "b", "c"], warning_signs_contact=["1", "2", "3"])
    changed = rearranged(sent, asked)
    assert changed is not None
    rows = typed(changed, "warning_signs")
    assert [text for text, _ in rows] == found
    beside = {"a": "1", "b": "2", "c": "3", "": ""}
    assert all(contact == beside[text] for text, contact in rows)


@pytest.mark.parametrize("asked", ["", "up", "up:nothing:1", "drop:warning_signs:1", "up:warning"])
def test_what_names_no_row_moves_none(asked: str) -> None:
    assert rearranged(data(warning_signs_text=["a"]), asked) is None


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([("a", "1"), ("", "")], ""), ([("", "0770")], "say who"), ([("x" * 301, "")], "longer than 300"),
        ([("x", "1" * 121)], "longer than 120"), ([("x", "")] * 13, "12 lines"), ([("x" * 300, "")], ""),
        ([("a\x00", "")], "can't be kept"),
    ],
)  # fmt: skip
def test_what_can_not_be_kept_is_said(rows: list[tuple[str, str]], word: str) -> None:
    found = fault_of(rows)
    assert word in found and bool(found) is bool(word)


def test_a_form_keeps_every_typed_row_also_when_it_is_refused() -> None:
    sent = data(self_coping_text=["  Walk \n out ", "x" * 301], people_to_ask_contact=["0770"])
    form = SafetyPlanForm(sent)
    assert not form.is_valid()
    rows = {block.section.key: [row.text for row in block.rows] for block in form.blocks()}
    assert rows["self_coping"] == ["  Walk \n out ", "x" * 301]
    assert [row.contact for block in form.blocks() for row in block.rows if row.contact] == ["0770"]
    whole = SafetyPlanForm(data(self_coping_text=["  Walk \n out ", ""]))
    assert whole.is_valid() and whole.written().kept() == {"self_coping": [("Walk out", "")]}
