"""Pages of notes: begun, saved, in conflict, signed after the password, searched, printed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinical.notes.actions import label_note
from clinical.notes.models import PROCESS, Note, NoteAddendum, PsychotherapyNote
from cortex.audit.models import PhiAccessLog
from cortex.crypto.errors import KeyProviderError
from cortex.ids import uuid7
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.notes.test_notes import backdate, begin, join, save, signed, written

pytestmark = pytest.mark.django_db
FETCH = {"HX-Request": "true", "Sec-Fetch-Mode": "cors"}


def as_user(user: Any, *, recent: bool = True) -> Client:
    return makers.client_of(user, makers.now() - timedelta(hours=0 if recent else 1))


def url(name: str, cast: Cast, *ids: Any) -> str:
    return reverse(f"clinical:{name}", args=[cast.patient.pk, *ids])


def form(spell: Any = None, **more: Any) -> dict[str, Any]:
    given = {"version": "1", "number": "1", "spell": spell or uuid7(), "free_text": "We talked."}
    return given | more


def test_a_note_is_written_saved_signed_and_added_to_without_a_script(cast: Cast) -> None:
    client = as_user(cast.alice)
    begun = client.post(url("note_begin", cast), {"note_type": "session_note"}, follow=True)
    assert "Saved" in begun.content.decode()
    makers.scope_all()
    note = Note.objects.get()
    read = client.post(url("note_save", cast, note.pk), form() | {"read": "1"}, follow=True).content.decode()
    assert "We talked." in read and "Sign" in read
    page = client.post(url("note_sign", cast, note.pk), {"version": "2"}, follow=True).content.decode()
    assert "signed" in page and "Go on writing" not in page
    page = client.post(
        url("note_addendum", cast, note.pk), {"text": "She rang."}, follow=True
    ).content.decode()
    assert "She rang." in page and "not signed yet" not in page


def test_signing_asks_for_the_password_and_keeps_no_word_in_the_session(cast: Cast) -> None:
    note = written(cast)
    client = as_user(cast.alice, recent=False)
    asked = client.post(url("note_sign", cast, note.pk), {"version": str(note.version)})
    assert "/reauthenticate/" in asked["Location"]
    makers.scope_all()
    assert Note.objects.get().signed_at is None
    done = client.post(asked["Location"], {"password": makers.PASSWORD}, follow=True)
    assert "Signed" in done.content.decode()


def test_whoever_changes_their_mind_before_the_password_finds_the_way_back_to_the_note(cast: Cast) -> None:
    note, client = written(cast), as_user(cast.alice, recent=False)
    own = url("note_page", cast, note.pk)
    where, version = url("note_sign", cast, note.pk), {"version": str(note.version)}
    asked = client.post(where, version, headers={"Referer": f"http://testserver{own}"})
    back = f'href="{own}">Cancel</a>'
    assert back in client.get(asked["Location"]).content.decode()
    again = client.post(asked["Location"], {"password": "wrong", "next": where}).content.decode()
    assert back in again, "after a wrong password too"
    assert client.get(own).status_code == 200
    asked = client.post(where, version, headers={"Referer": "https://elsewhere.example/charts/"})
    assert "elsewhere.example" not in client.get(asked["Location"]).content.decode()


def test_an_addendum_without_a_recent_password_is_kept_and_waits(cast: Cast) -> None:
    note = signed(cast)
    client = as_user(cast.alice, recent=False)
    page = client.post(
        url("note_addendum", cast, note.pk), {"text": "Late word."}, follow=True
    ).content.decode()
    assert "Yours is kept, not signed yet" in page
    asked = client.post(url("note_addendum_sign", cast, note.pk), {"version": "1"})
    assert "/reauthenticate/" in asked["Location"]
    client.post(asked["Location"], {"password": makers.PASSWORD}, follow=True)
    makers.scope_all()
    assert NoteAddendum.objects.get().signed_at is not None


def test_a_script_hears_the_version_and_both_texts_in_a_conflict(cast: Cast) -> None:
    note, client, spell = begin(cast, "session_note"), as_user(cast.alice), uuid7()
    where = url("note_save", cast, note.pk)
    first = client.post(where, form(spell), headers=FETCH)
    assert first.json()["version"] == 2
    other = client.post(where, form(free_text="<b>From the phone</b>"), headers=FETCH)
    text = other.content.decode()
    assert other.status_code == 409
    assert "&lt;b&gt;From the phone" in text and "We talked." in text
    plain = client.post(where, form(free_text="From a third"))
    assert plain.status_code == 409
    assert "From a third" in plain.content.decode()


def test_a_save_that_fails_gives_the_words_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    note, client = begin(cast, "session_note"), as_user(cast.alice)
    long = client.post(url("note_save", cast, note.pk), form(free_text="x" * 60_001), headers=FETCH)
    assert (long.status_code, "At most 60,000" in long.json()["message"]) == (422, True)

    def away(**_: object) -> None:
        raise KeyProviderError("the keys are away")

    monkeypatch.setattr("clinical.notes.writing.actions.save_draft", away)
    where = url("note_save", cast, note.pk)
    answer = client.post(where, form(free_text="Must not be lost."))
    assert (answer.status_code, "Must not be lost." in answer.content.decode()) == (503, True)
    assert client.post(where, form(), headers=FETCH).status_code == 503
    assert client.post(where, form(version="x"), headers=FETCH).status_code == 422


def test_the_list_puts_the_unsigned_first_and_counts_what_is_withheld(cast: Cast) -> None:
    join(cast, cast.bob)
    done = signed(cast)
    label_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=done.pk, labels=["V"])
    draft = written(cast, "session_note")
    mine = as_user(cast.alice).get(url("notes", cast)).content.decode()
    assert mine.index("Draft") < mine.index("Very restricted")
    theirs = as_user(cast.bob).get(url("notes", cast)).content.decode()
    assert "1 note of this person is not shown to you" in theirs
    assert str(draft.pk) not in theirs and "Alice Achieng" in theirs
    assert as_user(cast.bob).get(url("note_print", cast, done.pk)).status_code == 404
    row = PhiAccessLog.objects.filter(data_type="notes", actor_id=cast.bob.pk).latest("id")
    assert row.subject == cast.patient.pk


def test_a_search_finds_one_s_caseload_s_notes_and_never_others_drafts_or_process_notes(cast: Cast) -> None:
    join(cast, cast.bob)
    signed(cast, plan="Buy a Kalimba today.")
    signed(cast, PROCESS, free_text="The kalimba annoys me.")
    written(cast, "session_note", free_text="kalimba, unfinished")
    other = makers.make_patient(cast.home, team=[cast.bob])
    makers.scope_all()
    where = reverse("clinical:note_search")
    mine = as_user(cast.alice).post(where, {"q": "KALIMBA"}).content.decode()
    assert mine.count("<mark>") == 3
    theirs = as_user(cast.bob).post(where, {"q": "kalimba"}).content.decode()
    assert theirs.count("<mark>") == 1 and "annoys" not in theirs and "unfinished" not in theirs
    chart = as_user(cast.bob).post(where, {"q": "kalimba", "patient": other.pk}).content.decode()
    assert "Nothing found" in chart
    assert as_user(cast.alice).post(where, {"q": "kalimba", "patient": other.pk}).status_code == 404
    assert "<mark>" not in as_user(cast.charlie).post(where, {"q": "kalimba"}).content.decode()
    assert "kalimba" not in "".join(str(row.__dict__) for row in PhiAccessLog.objects.all()).lower()


def test_a_search_says_how_far_back_it_looked(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinical.notes.search.BOUND", 2)
    for _ in range(3):
        signed(cast, plan="A kalimba.")
    client, where = as_user(cast.alice), reverse("clinical:note_search")
    page = client.post(where, {"q": "kalimba"})
    assert page.content.decode().count("<mark>") == 2
    oldest = page.content.decode().split('name="before" value="')[1].split('"')[0]
    assert client.post(where, {"q": "kalimba", "before": oldest}).content.decode().count("<mark>") == 1


@pytest.mark.parametrize("bound", ["BOUND", "MOST_HITS"])
def test_a_search_that_goes_on_skips_no_note_of_the_same_minute(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(f"clinical.notes.search.{bound}", 2)
    at = makers.now().replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=1)
    for number, kind in enumerate(("soap", "soap", "soap", PROCESS, PROCESS, "soap")):
        note = begin(cast, kind, anew=True)
        texts = {"plan" if kind == "soap" else "free_text": f"Kalimba of hers {number}."}
        save(cast, note, texts, note.version, uuid7(), occurred_at=at - timedelta(days=number == 5))
    client, where, found, sent = as_user(cast.alice), reverse("clinical:note_search"), [], {"q": "kalimba"}
    for _ in range(6):
        page = client.post(where, sent).content.decode()
        found.append([int(one) for one in re.findall(r"of hers (\d)", page)])
        if "Look further back" not in page:
            break
        sent["before"] = page.split('name="before" value="')[1].split('"')[0]
    assert sorted(one for some in found for one in some) == [0, 1, 2, 3, 4, 5], found
    assert [some[-1:] for some in found if some][-1] == [5], "the older one comes last"


@pytest.mark.parametrize("strange", ["", "yesterday", "2026-03-02T10:00:00+00:00", "2026-03-02T10:00:00 x"])
def test_a_search_from_nowhere_begins_with_the_newest(cast: Cast, strange: str) -> None:
    signed(cast, plan="A kalimba.")
    where = reverse("clinical:note_search")
    page = as_user(cast.alice).post(where, {"q": "kalimba", "before": strange}).content.decode()
    assert page.count("<mark>") == 1


def test_what_waits_is_on_the_desk_and_late_on_the_supervisor_s_page_without_a_word(cast: Cast) -> None:
    note = written(cast)
    backdate(note, days=8)
    label_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, labels=["HIV"])
    makers.scope_all()
    written(cast, PROCESS)
    desk = as_user(cast.alice).get(reverse("clinical:note_desk")).content.decode()
    assert "unsigned for 8 days" in desk and "Zawadi Planted" in desk and "Psychotherapy" in desk
    late = as_user(cast.sam).get(reverse("clinical:note_late")).content.decode()
    assert cast.patient.anonymous_id in late and "Zawadi" not in late and "Psychotherapy" not in late
    assert "HIV" in desk and "HIV" not in late, "which label a note bears says what it is about"
    assert as_user(cast.alice).get(reverse("clinical:note_late")).status_code == 403


def test_a_template_fills_what_is_no_one_s_thought(cast: Cast) -> None:
    client, where = as_user(cast.alice), reverse("clinical:text_blocks")
    block = {"title": "First", "note_type": "soap", "section": "objective", "text": "Speech:"}
    assert client.post(where, block).status_code == 303
    assert client.post(where, block | {"section": "free_text"}).status_code == 422
    makers.scope_all()
    chosen = client.get(url("notes", cast)).content.decode().split('<option value="')
    template = next(one for one in chosen if "First (SOAP)" in one).split('"')[0]
    page = client.post(url("note_begin", cast), {"note_type": "soap", "template": template}, follow=True)
    assert "Speech:" in page.content.decode()


def test_versions_show_what_changed_and_paper_says_who_printed(cast: Cast) -> None:
    note, client = begin(cast, "session_note"), as_user(cast.alice)
    where = url("note_save", cast, note.pk)
    client.post(where, form(free_text="She slept badly."))
    client.post(where, form(free_text="She slept well.", version="2"))
    versions = client.get(url("note_versions", cast, note.pk)).content.decode()
    assert "<del>badly.</del>" in versions and "<ins>well.</ins>" in versions
    paper = client.get(url("note_print", cast, note.pk)).content.decode()
    assert "Draft: not signed." in paper and "Printed by Alice Achieng" in paper
    assert "Session note</h1>" in paper and "Versions: Session note of" in versions  # not "Session note note"
    assert "print" in PhiAccessLog.objects.filter(data_type="note").latest("id").sections


def test_a_process_note_is_nowhere_on_anybody_else_s_pages(cast: Cast) -> None:
    join(cast, cast.bob)
    note = signed(cast, PROCESS)
    client = as_user(cast.bob)
    assert str(note.pk) not in client.get(url("notes", cast)).content.decode()
    for name in ("note_page", "note_edit", "note_versions", "note_print"):
        assert client.get(url(name, cast, note.pk)).status_code == 404
    assert PsychotherapyNote.objects.get().signed_at is not None


def test_the_editor_offers_the_headings_of_a_mental_state_and_says_where_blocks_may_stand(cast: Cast) -> None:
    client = as_user(cast.alice)
    page = client.post(url("note_begin", cast), {"note_type": "soap"}, follow=True).content.decode()
    assert 'data-fills="objective" data-takes="objective plan"' in page
    assert "Appearance: \nBehaviour: \nSpeech: \n" in page and "Insight and judgement: \n" in page
    page = client.post(url("note_begin", cast), {"note_type": PROCESS}, follow=True).content.decode()
    assert "Appearance: " not in page


def test_nobody_but_its_author_learns_from_the_access_page_that_a_process_note_was_looked_at(
    cast: Cast,
) -> None:
    join(cast, cast.bob)
    process, soap = written(cast, PROCESS), written(cast)
    for note in (process, soap):
        for name in ("note_page", "note_edit", "note_versions"):
            assert as_user(cast.alice).get(url(name, cast, note.pk)).status_code == 200
            makers.scope_all()

    def lines(user: Any) -> list[dict[str, Any]]:
        page = as_user(user).get(url("chart_access", cast))
        makers.scope_all()
        return [one for one in page.context["rows"] if one["who"] == cast.alice.full_name]

    for mine in (PROCESS, "soap"):
        assert any(mine in one["parts"] for one in lines(cast.alice)), mine
    theirs = lines(cast.bob)
    assert any(one["what"] == "note" and "versions" in one["parts"] for one in theirs)
    assert not any(word in one["parts"] for one in theirs for word in (PROCESS, "soap"))
