"""Drafts that stand there already: offered before another is begun, taken when empty, discarded, restored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from clinical.notes.actions import discard_draft, save_block
from clinical.notes.drafts.actions import restore_draft
from clinical.notes.models import PROCESS, Note, NoteVersion
from clinical.notes.queries import AnyNote
from clinical.notes.tasks import remind_unsigned
from cortex.audit import NotFound, RuleBroken
from cortex.audit.models import AuditLog
from cortex.ids import uuid7
from crisis.reviews.models import ReviewItem
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.notes.test_notes import SOAP, backdate, begin, join, save, sign, texts_of, written
from tests.unit.notes.test_pages import FETCH, as_user, form, url

pytestmark = pytest.mark.django_db
HEADINGS = {"objective": "Speech:"}


def template(cast: Cast, kind: str = "soap") -> Any:
    return save_block(actor=staff(cast.alice), title="First", note_type=kind, sections=HEADINGS)


def ask(cast: Cast, **more: Any) -> Any:
    makers.scope_all()
    client = as_user(cast.alice)
    answer = client.post(url("note_begin", cast), {"note_type": "soap"} | more, follow=True)
    makers.scope_all()
    return answer


def discard(cast: Cast, note: AnyNote) -> AnyNote:
    return discard_draft(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk)


def test_a_draft_with_words_is_offered_and_another_begins_with_the_template_and_its_own_contact(
    cast: Cast,
) -> None:
    block, first = template(cast), written(cast)
    Note.objects.filter(pk=first.pk).update(occurred_at=makers.now() - timedelta(days=2))
    page = ask(cast, template=str(block.pk)).content.decode()
    assert "You have a draft of SOAP" in page and url("note_edit", cast, first.pk) in page
    assert Note.objects.count() == 1 and texts_of(cast, first)["objective"] == SOAP["objective"]
    assert f'name="template" value="{block.pk}"' in page
    ask(cast, template=str(block.pk), anew="1")
    other = Note.objects.exclude(pk=first.pk).get()
    assert texts_of(cast, other)["objective"] == "Speech:"
    assert makers.now() - other.occurred_at < timedelta(minutes=1)
    assert texts_of(cast, first)["objective"] == SOAP["objective"]


def test_an_empty_draft_takes_the_template_and_the_contact_of_now(cast: Cast) -> None:
    block, empty = template(cast), begin(cast)
    Note.objects.filter(pk=empty.pk).update(occurred_at=makers.now() - timedelta(days=2))
    backdate(empty, days=4)
    remind_unsigned()
    assert "Speech:" in ask(cast, template=str(block.pk)).content.decode()
    row = Note.objects.get()
    assert makers.now() - row.occurred_at < timedelta(minutes=1)
    assert makers.now() - row.created_at < timedelta(minutes=1), "it waits from now on"
    assert ReviewItem.objects.get().done_at is not None
    open_before = save(cast, empty, SOAP, 1, uuid7())
    assert open_before.outcome == "conflict" and texts_of(cast, empty)["objective"] == "Speech:"


def test_a_draft_that_a_page_saved_empty_keeps_its_contact_and_is_offered(cast: Cast) -> None:
    draft, earlier = begin(cast), makers.now() - timedelta(days=2)
    save(cast, draft, {}, 1, uuid7(), occurred_at=earlier)
    assert "You have a draft of SOAP" in ask(cast).content.decode()
    assert Note.objects.get().occurred_at == earlier


def test_a_note_about_a_session_goes_on_without_a_question(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="therapy", started_at=makers.now() - timedelta(hours=1))
    draft = begin(cast, session_id=session.pk)
    page = ask(cast, session=str(session.pk)).content.decode()
    assert "You have a draft" not in page and url("note_save", cast, draft.pk) in page
    page = ask(cast, session=str(session.pk), template=str(template(cast).pk)).content.decode()
    assert "You have a draft of SOAP" in page, "its times stand there, the template would be dropped"


def test_a_template_of_another_type_is_refused_and_never_dropped(cast: Cast) -> None:
    answer = ask(cast, note_type="progress", template=str(template(cast).pk))
    assert answer.status_code in (409, 422)
    assert "First is a template for SOAP notes." in answer.content.decode()
    assert not Note.objects.exists()


def test_the_editor_offers_templates_where_they_fit(cast: Cast) -> None:
    template(cast)
    note, other = begin(cast), begin(cast, "progress")
    client = as_user(cast.alice)
    option = '<option value="Speech:" data-into="objective">First, template for Objective</option>'
    assert option in client.get(url("note_edit", cast, note.pk)).content.decode()
    assert "First, template" not in client.get(url("note_edit", cast, other.pk)).content.decode()


def test_discarding_asks_first_and_names_what_is_lost(cast: Cast) -> None:
    note, client = written(cast), as_user(cast.alice)
    page = client.get(url("note_page", cast, note.pk)).content.decode()
    assert f'href="{url("note_discard", cast, note.pk)}"' in page
    page = client.get(url("note_discard", cast, note.pk)).content.decode()
    assert "Subjective: 5 words" in page and "Plan: 4 words" in page and "you can restore it" in page
    makers.scope_all()
    assert Note.objects.get().is_draft
    page = client.post(url("note_discard", cast, note.pk), follow=True).content.decode()
    assert "This draft was discarded</span> by you" in page and "Restore the draft" in page
    makers.scope_all()
    assert not Note.objects.get().is_draft


def test_its_author_restores_a_discarded_draft_and_nobody_else(cast: Cast) -> None:
    join(cast, cast.bob)
    note = discard(cast, written(cast))
    where = {"patient_id": cast.patient.pk, "note_id": note.pk}
    with pytest.raises(NotFound):
        restore_draft(actor=staff(cast.bob), **where)
    makers.scope_all()
    page = as_user(cast.alice).post(url("note_restore", cast, note.pk), follow=True).content.decode()
    assert "Go on writing" in page and SOAP["plan"] in page and "was discarded" not in page
    makers.scope_all()
    assert AuditLog.objects.filter(event_type="note.restored", object_id=note.pk).count() == 1
    with pytest.raises(RuleBroken, match="isn't discarded"):
        restore_draft(actor=staff(cast.alice), **where)
    assert sign(cast, note, note.version).signed_at is not None
    with pytest.raises(RuleBroken):
        restore_draft(actor=staff(cast.alice), **where)


def test_a_restored_draft_is_reminded_of_again(cast: Cast) -> None:
    note = written(cast)
    backdate(note, days=4)
    remind_unsigned()
    discard(cast, note)
    restore_draft(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk)
    remind_unsigned()
    assert ReviewItem.objects.filter(done_at=None).count() == 1


def test_a_process_note_is_restored_too(cast: Cast) -> None:
    note = discard(cast, written(cast, PROCESS))
    back = restore_draft(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk)
    assert back.is_draft and texts_of(cast, back)["free_text"] == "We talked."


def test_words_typed_into_a_draft_that_was_discarded_elsewhere_are_kept_and_it_says_so(cast: Cast) -> None:
    note = discard(cast, begin(cast, "session_note"))
    client = as_user(cast.alice)
    answer = client.post(url("note_save", cast, note.pk), form(), headers=FETCH)
    text = answer.content.decode()
    assert (answer.status_code, "This note was discarded" in text, "was signed" in text) == (409, True, False)
    makers.scope_all()
    assert NoteVersion.objects.get().kind == "conflict"


def test_the_desk_of_a_supervisor_is_reached_from_the_rail(cast: Cast) -> None:
    page = as_user(cast.sam).get(reverse("clinical:ways")).content.decode()
    rail = page.split("<main")[0]
    assert f'href="{reverse("clinical:note_desk")}"' in rail
