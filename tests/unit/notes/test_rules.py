"""What a note needs before it is signed, how texts differ, and what a search matches: pure."""

from __future__ import annotations

from datetime import date

import pytest

from clinical.notes.differences import changed, differences
from clinical.notes.forms import BlockForm
from clinical.notes.matching import excerpt, folded, wanted
from clinical.notes.models import PROCESS
from clinical.notes.rules import missing
from clinical.notes.wording import FILLED, MENTAL_STATE, SHAPES, takes_blocks
from patients.labels.rules import closed_to

DAY = date(2026, 11, 26)


def fields(note_type: str, level: str = "low", follow_up: date | None = DAY, **texts: str) -> list[str]:
    found = missing(note_type, texts, level=level, follow_up_on=follow_up, occurred_on=DAY)
    return [name for name, _ in found]


@pytest.mark.parametrize("level", ["medium", "high", "critical"])
def test_from_medium_on_a_note_states_the_risk(level: str) -> None:
    assert fields("soap", level, plan="Next week.") == ["risk_statement"]
    assert fields("soap", level, plan="Next week.", risk_statement="No plan, agreed to call.") == []
    assert fields("supervision", level, free_text="We looked at the case.") == []


def test_a_level_below_medium_or_none_asks_for_no_statement() -> None:
    assert fields("session_note", "low", free_text="We talked.") == []
    assert fields("session_note", "", free_text="We talked.") == []


def test_soap_progress_and_crisis_name_the_next_contact_and_not_one_that_is_over() -> None:
    for kind in ("soap", "progress", "crisis"):
        assert fields(kind, follow_up=None, plan="Homework.") == ["follow_up_on"]
        assert fields(kind, follow_up=date(2026, 11, 25), plan="Homework.") == ["follow_up_on"]
        assert fields(kind, plan="Homework.") == []
    assert fields(PROCESS, follow_up=None, free_text="A thought.") == []


def test_an_empty_note_is_not_signed_and_spaces_are_nothing() -> None:
    assert fields("session_note", free_text="  \n") == ["free_text"]
    assert fields("session_note", risk_statement="None.") == ["free_text"]


def test_differences_lead_from_one_text_to_the_other() -> None:
    before, after = "She slept badly.\nNo plan.", "She slept well.\nNo plan."
    pieces = differences(before, after)
    assert "".join(text for kind, text in pieces if kind != "new") == before
    assert "".join(text for kind, text in pieces if kind != "gone") == after
    assert ("gone", "badly.") in pieces
    assert differences("", "") == []
    assert changed({"plan": "a", "objective": "b"}, {"plan": "a", "objective": "c"}).keys() == {"objective"}


def test_a_search_folds_case_and_accents_and_wants_every_word() -> None:
    text = "Anaïs says: the CAFÉ was too loud."
    found = excerpt(text, wanted("cafe anais"))
    assert found is not None
    assert found[1] == (True, "Anaïs")
    assert excerpt(text, wanted("cafe quiet")) is None
    assert excerpt(text, wanted("  ")) is None
    assert len(folded("Straße İstanbul ﬁne")) == len("Straße İstanbul ﬁne")


def test_labels_shut_single_grants_out_and_part_2_waits_for_consent() -> None:
    assert closed_to("care_team", part2=True) == {"V", "PSYTHPN"}
    assert closed_to("cover", part2=False) == {"V", "PSYTHPN", "SUD_PART2"}
    assert closed_to("grant:break_glass", part2=False) == {
        "R",
        "HIV",
        "GBV",
        "MINOR",
        "SUD_PART2",
        "V",
        "PSYTHPN",
    }
    assert "SUD_PART2" in closed_to("grant:consultation", part2=True)
    confirmed = closed_to("grant:break_glass", part2=True)
    assert confirmed == {"R", "HIV", "GBV", "MINOR", "V", "PSYTHPN"}


def test_no_template_puts_words_into_what_people_say_or_think() -> None:
    typed = {"title": "Made", "note_type": "soap", "text": "Says that", "section": "subjective"}
    assert "section" in BlockForm(typed).errors
    assert "section" in BlockForm(typed | {"section": "free_text"}).errors
    assert BlockForm(typed | {"section": "plan"}).is_valid()


def test_no_block_and_no_fact_has_a_place_in_what_somebody_says_or_thinks() -> None:
    thought = {"subjective", "assessment", "risk_statement"}
    for kind in SHAPES:
        assert not thought & {*takes_blocks(kind), FILLED.get(kind, "")}, kind
    assert takes_blocks("soap") == ("objective", "plan")
    assert all(":" not in one and "\n" not in one for one in MENTAL_STATE)
