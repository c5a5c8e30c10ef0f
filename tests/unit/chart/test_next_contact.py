"""The date of the next contact that a note must give: agreed while it lies ahead, due once it has passed."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from clinical.caseload.queries import local_day
from clinical.notes.actions import label_note
from clinical.notes.queries import AnyNote
from cortex.accounts.models import User
from cortex.ids import uuid7
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.chart.test_overview import opened, session
from tests.unit.notes.test_notes import begin, save, sign

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
AGREED, MISSED = "Next contact by the note of", "No session since the agreed contact is on record"


def written(cast: Cast, ago: float, ahead: float, user: User | None = None, **more: Any) -> AnyNote:
    """A signed progress note of so many days ago, its next contact so many days from now."""
    note = begin(cast, "progress", user, at=makers.now() - ago * DAY)
    words = {"free_text": "We talked."}
    kept = save(cast, note, words, note.version, uuid7(), user=user, follow_up_on=day(cast, ahead)).note
    if not more.get("draft"):
        sign(cast, kept, kept.version, user)
    makers.scope_all()
    return kept


def day(cast: Cast, ahead: float) -> date:
    return local_day(cast.patient, makers.now()) + ahead * DAY


def answer(cast: Cast, which: str, user: User | None = None) -> str:
    """The words of what is agreed (`ag`) or due (`du`)."""
    found = re.search(rf'aria-labelledby="{which}">(.*?)</section>', opened(cast, user))
    assert found is not None
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[1])).split())


def test_a_date_that_lies_ahead_is_agreed_and_leads_to_its_note(cast: Cast) -> None:
    note = written(cast, 3, 4)
    agreed, due = answer(cast, "ag"), answer(cast, "du")
    assert re.search(rf"{AGREED} \d+ \w+ {day(cast, 4):%-d %b}", agreed) is not None
    assert MISSED not in due
    assert reverse("clinical:note_page", args=[cast.patient.pk, note.pk]) in opened(cast)


def test_the_day_itself_is_not_late_and_the_day_after_it_is(cast: Cast) -> None:
    written(cast, 3, 0)
    assert MISSED not in answer(cast, "du")
    written(cast, 2, -1)
    due = answer(cast, "du")
    assert re.search(rf"{MISSED} by the note of .* overdue {day(cast, -1):%-d %b}", due) is not None
    assert AGREED not in answer(cast, "ag"), "what is due stands once"


def test_whoever_met_the_person_on_a_later_day_than_the_notes_owes_nothing(cast: Cast) -> None:
    session(cast, 10)
    written(cast, 10, -3)
    assert MISSED in answer(cast, "du")
    session(cast, 9, kind="chat")
    assert MISSED in answer(cast, "du"), "a chat in the app is no contact with a clinician"
    session(cast, 2)
    assert MISSED not in answer(cast, "du") and AGREED not in answer(cast, "ag")


def test_the_newest_note_counts_and_a_draft_does_not(cast: Cast) -> None:
    written(cast, 20, -10)
    written(cast, 5, 6)
    written(cast, 1, 3, draft=True)
    agreed = answer(cast, "ag")
    assert f"{day(cast, 6):%-d %b}" in agreed and agreed.count(AGREED) == 1
    assert MISSED not in answer(cast, "du")


def test_a_note_that_a_label_shuts_gives_no_date(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist", starts_at=makers.now() - 29 * DAY)
    note = written(cast, 3, 4, cast.bob)
    assert AGREED in answer(cast, "ag")
    label_note(actor=staff(cast.bob), patient_id=cast.patient.pk, note_id=note.pk, labels=["V"])
    makers.scope_all()
    assert AGREED not in answer(cast, "ag")
    assert AGREED in answer(cast, "ag", cast.bob)


def test_the_last_signed_note_stands_among_what_is_agreed_behind_its_date_and_unopened(cast: Cast) -> None:
    assert "Last note" not in answer(cast, "ag")
    written(cast, 9, 4)
    note = written(cast, 3, 4)
    written(cast, 1, 4, draft=True)
    agreed = answer(cast, "ag")
    assert f"Last note, signed {day(cast, 0):%-d %b %Y} its plan says the next step and homework" in agreed
    assert agreed.count("Last note") == 1
    page = opened(cast)
    assert (
        page.split("Last note")[0]
        .rpartition("href=")[2]
        .startswith(f'"{reverse("clinical:note_page", args=[cast.patient.pk, note.pk])}"')
    )
    assert "We talked" not in page


def test_a_note_that_a_label_shuts_is_not_the_last_one_and_supervision_never_is(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist", starts_at=makers.now() - 29 * DAY)
    earlier = written(cast, 9, 4)
    note = written(cast, 3, 4, cast.bob)
    label_note(actor=staff(cast.bob), patient_id=cast.patient.pk, note_id=note.pk, labels=["V"])
    spoken = begin(cast, "supervision", at=makers.now() - DAY)
    kept = save(cast, spoken, {"free_text": "We talked of her."}, spoken.version, uuid7()).note
    sign(cast, kept, kept.version)
    makers.scope_all()

    def led(user: User) -> str:
        return opened(cast, user).split("Last note")[0].rpartition("href=")[2].partition(">")[0]

    assert str(earlier.pk) in led(cast.alice)
    assert str(note.pk) in led(cast.bob)
