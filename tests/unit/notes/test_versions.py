"""Versions of a note: each numbered by its place, with all that changed after it, not words alone."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest

from clinical.notes.actions import label_note
from clinical.notes.models import Note, NoteVersion
from clinical.plans.diagnoses.models import Diagnosis
from cortex.ids import uuid7
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.notes.test_links import diagnosis
from tests.unit.notes.test_notes import SOAP, begin, join, save, sign
from tests.unit.notes.test_pages import as_user, url

pytestmark = pytest.mark.django_db
HEADS = re.compile(r'<h3 id="v\d+">([^<]+)</h3>')


def versions(cast: Cast, note: Any, user: Any = None) -> str:
    makers.scope_all()
    page = as_user(user or cast.alice).get(url("note_versions", cast, note.pk)).content.decode()
    makers.scope_all()
    return " ".join(page.split("<main")[1].split())


def test_a_version_tells_contact_next_contact_diagnoses_and_labels_that_changed(cast: Cast) -> None:
    note, about = begin(cast), diagnosis(cast)
    first = makers.now().replace(second=0, microsecond=0) - timedelta(days=3)
    where: dict[str, Any] = {"follow_up_on": date(2099, 1, 2), "diagnoses": [about.pk]}
    one = save(cast, note, SOAP, 1, uuid7(), occurred_at=first, follow_up_on=date(2099, 1, 1))
    save(cast, note, SOAP, one.note.version, uuid7(), occurred_at=first + timedelta(days=1), **where)
    label_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, labels=["R"])
    page = versions(cast, note)
    assert "<del>1 Jan 2099 </del><ins>2 Jan 2099 </ins>" in page
    assert f"<ins>{about.code} {about.title} </ins>" in page and "<ins>Restricted </ins>" in page
    assert page.count('<h4 class="small">Contact</h4>') == 1
    assert "The same as after it" not in page


def test_a_diagnosis_that_is_shut_to_a_reader_is_no_word_of_a_version(cast: Cast) -> None:
    note, about = begin(cast), diagnosis(cast)
    where: dict[str, Any] = {"follow_up_on": date(2099, 1, 1)}
    one = save(cast, note, SOAP, 1, uuid7(), diagnoses=[about.pk], **where)
    two = save(cast, note, SOAP, one.note.version, uuid7(), diagnoses=[], **where)
    Diagnosis.objects.filter(pk=about.pk).update(sensitivity_labels=["V"])
    sign(cast, note, two.note.version)
    join(cast, cast.bob)
    page = versions(cast, note, cast.bob)
    assert "<del>1 not shown to you </del>" in page and about.title not in page


def test_what_another_page_said_beside_its_words_is_kept_too(cast: Cast) -> None:
    note = begin(cast)
    one = save(cast, note, SOAP, 1, uuid7(), follow_up_on=date(2099, 1, 1))
    phone = uuid7()
    for number, day in ((1, 3), (2, 3), (3, 4)):
        found = save(cast, one.note, SOAP, 1, phone, number, follow_up_on=date(2099, 1, day))
        assert found.outcome == "conflict"
    page = versions(cast, note)
    assert NoteVersion.objects.count() == 2, "the same one is kept once"
    assert "<del>3 Jan 2099 </del><ins>1 Jan 2099 </ins>" in page and "<del>4 Jan 2099 </del>" in page


def test_versions_are_numbered_by_their_place_and_no_number_comes_twice(cast: Cast) -> None:
    note = begin(cast)
    one = save(cast, note, SOAP | {"plan": "one"}, 1, uuid7())
    save(cast, note, SOAP | {"plan": "beside"}, 1, uuid7())
    two = save(cast, note, SOAP | {"plan": "two"}, one.note.version, uuid7())
    save(cast, note, SOAP | {"plan": "three"}, two.note.version, uuid7())
    save(cast, note, SOAP | {"plan": "late"}, one.note.version, uuid7())
    page = versions(cast, note)
    assert HEADS.findall(page) == [
        "Version 5, as it is now", "Version 4", "Version 3", "Version 2", "Version 1",
    ]  # fmt: skip
    assert Note.objects.get().is_draft


def test_a_version_of_before_facts_were_kept_says_nothing_of_them(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = begin(cast)
    monkeypatch.setattr("clinical.notes.sealing.facts_of", lambda row, **_: {})
    one = save(cast, note, SOAP, 1, uuid7(), follow_up_on=date(2099, 1, 1))
    save(cast, note, SOAP | {"plan": "two"}, one.note.version, uuid7(), follow_up_on=date(2099, 1, 2))
    page = versions(cast, note)
    assert "<ins>two</ins>" in page and "2 Jan 2099" in page and "<ins>2 Jan 2099" not in page
