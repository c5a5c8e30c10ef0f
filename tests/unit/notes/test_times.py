"""The times that a note says: kept within what can be read again, whatever clocks do, and never ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clinical.notes.models import Note
from cortex.audit import InputRefused
from cortex.ids import uuid7
from tests import makers
from tests.cast import Cast
from tests.unit.notes.test_notes import SOAP, begin, save, sign, texts_of
from tests.unit.notes.test_pages import FETCH, as_user, form, url

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("when", ["9999-12-31T23:30", "0001-01-01T00:30"])
@pytest.mark.parametrize("zone", ["America/New_York", "Africa/Nairobi"])
def test_a_time_that_can_t_be_read_again_is_told_at_its_field_and_the_words_are_kept(
    cast: Cast, when: str, zone: str
) -> None:
    type(cast.home).objects.filter(pk=cast.home.pk).update(default_timezone=zone)
    note, client = begin(cast, "session_note"), as_user(cast.alice)
    before = note.occurred_at
    makers.scope_all()
    spell = uuid7()
    answer = client.post(
        url("note_save", cast, note.pk), form(spell, occurred_at=when, free_text="He slept."), headers=FETCH
    )
    told = answer.json()
    assert answer.status_code == 422 and "within a hundred years" in told["message"]
    assert told["message"].startswith("Your words are saved.") and told["version"] == 2
    makers.scope_all()
    assert texts_of(cast, note)["free_text"] == "He slept."
    note.refresh_from_db()
    assert note.occurred_at == before
    # Without a script the page comes back, goes on from what is kept, and the editor opens as before.
    page = client.post(
        url("note_save", cast, note.pk), form(spell, number="2", occurred_at=when, free_text="He slept well.")
    )
    assert page.status_code == 422 and "Your words are saved." in page.content.decode()
    typed = page.context["form"]
    assert (typed["version"].value(), typed["number"].value()) == ("3", "3")
    makers.scope_all()
    assert client.get(url("note_edit", cast, note.pk)).status_code == 200
    makers.scope_all()
    assert texts_of(cast, note)["free_text"] == "He slept well."


def test_a_day_that_can_t_be_read_leaves_the_one_that_stands(cast: Cast) -> None:
    note = begin(cast)
    day = (makers.now() + timedelta(days=7)).date()
    save(cast, note, SOAP, 1, uuid7(), follow_up_on=day)
    answer = as_user(cast.alice).post(
        url("note_save", cast, note.pk), form(version="2", follow_up_on="9999-12-31") | SOAP, headers=FETCH
    )
    assert answer.status_code == 422
    makers.scope_all()
    assert (Note.objects.get().follow_up_on, Note.objects.get().version) == (day, 3)


def test_the_action_refuses_them_too(cast: Cast) -> None:
    with pytest.raises(InputRefused) as refused:
        save(cast, begin(cast), SOAP, 1, uuid7(), occurred_at=datetime(9999, 12, 31, 23, tzinfo=UTC))
    assert refused.value.extra["field"] == "occurred_at"


def test_a_contact_that_lies_ahead_is_not_signed(cast: Cast) -> None:
    note: Any = begin(cast, "session_note")
    ahead = makers.now() + timedelta(hours=2)
    note = save(cast, note, {"free_text": "To come."}, 1, uuid7(), occurred_at=ahead).note
    with pytest.raises(InputRefused, match="lies ahead"):
        sign(cast, note, note.version)
    makers.scope_all()
    page = as_user(cast.alice).get(url("note_page", cast, note.pk)).content.decode()
    assert "The contact lies ahead." in page and "#n_occurred_at" in page
    makers.scope_all()
    note = save(cast, note, {"free_text": "Was."}, note.version, uuid7(), occurred_at=makers.now()).note
    assert sign(cast, note, note.version).signed_at


def test_a_draft_that_said_such_a_year_already_opens(cast: Cast) -> None:
    note = begin(cast, "session_note")
    Note.objects.filter(pk=note.pk).update(occurred_at=datetime(9999, 12, 31, 20, tzinfo=UTC))
    assert as_user(cast.alice).get(url("note_edit", cast, note.pk)).status_code == 200


def test_in_the_hour_that_comes_twice_every_save_is_taken_and_the_moment_stays(cast: Cast) -> None:
    type(cast.home).objects.filter(pk=cast.home.pk).update(default_timezone="America/New_York")
    note = begin(cast, "session_note")
    second = datetime(2026, 11, 1, 6, 30, 12, tzinfo=UTC)
    Note.objects.filter(pk=note.pk).update(occurred_at=second)
    makers.scope_all()
    client, spell = as_user(cast.alice), uuid7()
    for number, words in enumerate(("one", "two"), 1):
        answer = client.post(
            url("note_save", cast, note.pk),
            form(spell, number=str(number), free_text=words, occurred_at="2026-11-01T01:30"), headers=FETCH,
        )  # fmt: skip
        assert answer.status_code == 200, answer.content
        makers.scope_all()
        assert texts_of(cast, note)["free_text"] == words
        assert Note.objects.get().occurred_at == second
