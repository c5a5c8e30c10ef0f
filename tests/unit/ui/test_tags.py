"""Template tags: levels by shape and word, times that a browser can take over, rows by attribute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone

from cortex.ui.context_processors import initials_of
from cortex.ui.templatetags import ui


def render(text: str, **context: object) -> str:
    return Template("{% load ui %}" + text).render(Context(context))


def test_a_level_is_shown_by_shape_word_and_colour() -> None:
    shown = render("{% risk level %}", level="critical")
    assert 'data-r="4"' in shown
    assert "#risk-4" in shown
    assert "Critical" in shown


def test_a_word_that_is_no_level_is_not_assessed() -> None:
    assert "Not assessed" in render("{% risk level %}", level="severe")
    assert ui.level_number("") == 0


def test_an_icon_without_a_label_is_hidden_from_screen_readers() -> None:
    assert 'aria-hidden="true"' in render('{% icon "x" %}')
    assert 'aria-label="Done"' in render('{% icon "check" 14 "Done" %}')


def test_a_label_is_escaped() -> None:
    assert "<b>" not in render('{% icon "x" 14 label %}', label='"><b>')


def test_a_number_is_dialled_by_its_digits() -> None:
    assert [ui.dial(one) for one in ("ext. 4400", "+44 (0)20 7946 0018")] == ["4400", "+442079460018"]


def test_a_time_carries_its_iso_text_and_its_mode() -> None:
    shown = render('{% when at "since" %}', at=datetime(2026, 11, 19, 3, 9, tzinfo=UTC))
    assert 'data-clock="since"' in shown
    assert 'datetime="2026-11-19T' in shown


def test_a_time_of_another_day_says_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    assert ui.clock_time(now) == timezone.localtime(now).strftime("%H:%M")
    assert len(ui.clock_time(now - timedelta(days=3))) > len("03:09")


def test_iso_text_is_taken_as_a_time() -> None:
    assert ui.iso("2026-11-19T03:09:00+00:00").startswith("2026-11-19T")
    assert ui.iso(None) == ""
    assert render("{% when at %}", at=None) == ""


def test_json_in_an_attribute_is_escaped() -> None:
    shown = render('<b data-x="{{ value|json_data }}">', value={"board:1": 4, "x": '"<'})
    assert "&quot;board:1&quot;:4" in shown
    assert "<<" not in shown


def test_rows_are_told_apart_by_an_attribute() -> None:
    rows = [{"n": 1, "verified": True}, {"n": 2, "verified": False}]
    assert [row["n"] for row in ui.having(rows, "verified")] == [1]
    assert [row["n"] for row in ui.lacking(rows, "verified")] == [2]
    assert ui.having(None, "verified") == []


def test_initials_leave_titles_out() -> None:
    assert initials_of("Dr. Rafael Mbeki") == "RM"
    assert initials_of("Amara") == "A"
    assert initials_of("") == "?"


def test_an_age_band_is_said_in_words() -> None:
    assert ui.age_words("25_34") == "25 to 34"
    assert ui.age_words("65_plus") == "65 and over"
    assert ui.age_words("under_13") == "Under 13"
    assert ui.age_words("unknown") == ui.age_words("") == "Age not known"


@pytest.mark.parametrize(
    ("days", "words"),
    [(-3, "25 Nov"), (20, "18 Dec"), (40, "7 Jan 2027"), (-184, "28 May 2026"), (-400, "24 Oct 2025")],
)
def test_a_day_has_its_year_where_it_would_be_mistaken(
    days: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    monkeypatch.setattr(ui.timezone, "localdate", lambda: timezone.localtime(now).date())
    then = now + timedelta(days=days)
    assert ui.day(then) == words
    assert ui.clock_time(then).startswith(f"{words} ")


def test_what_is_due_at_midnight_is_due_by_the_end_of_the_day_before() -> None:
    midnight = datetime(2031, 11, 29, tzinfo=timezone.get_current_timezone())
    assert ">the end of 28 Nov 2031</time>" in ui.by(midnight)
    assert ">29 Nov 2031 00:01</time>" in ui.by(midnight + timedelta(minutes=1))
    assert ui.by(None) == ""
