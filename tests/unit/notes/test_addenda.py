"""Addenda as they are written: kept at each save, two devices, signed as they were read, empty again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from clinical.notes import queries
from clinical.notes.actions import label_note
from clinical.notes.addenda.actions import Added, sign_addendum, write_addendum
from clinical.notes.addenda.queries import addenda_of, versions_of_own
from clinical.notes.models import PROCESS, NoteAddendum, NoteVersion, PsychotherapyNoteVersion
from clinical.notes.queries import AnyNote
from cortex.access.context import reading
from cortex.accounts.models import User
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog
from cortex.crypto.errors import KeyProviderError
from cortex.ids import uuid7
from patients.registry.access import CHART
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.audit.test_trail import superuser
from tests.unit.notes.test_notes import join, signed, written
from tests.unit.notes.test_pages import FETCH, as_user, url

pytestmark = pytest.mark.django_db


def keep(
    cast: Cast, note: AnyNote, text: str, version: int, spell: UUID, number: int = 1, user: User | None = None
) -> Added:
    return write_addendum(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, note_id=note.pk, text=text,
        version=version, spell=spell, number=number,
    )  # fmt: skip


def sign(cast: Cast, note: AnyNote, version: int) -> Any:
    return sign_addendum(
        actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, version=version
    )


def texts(cast: Cast, note: AnyNote, user: User | None = None) -> list[str]:
    actor = staff(user or cast.alice)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        found = queries.note(queries.reader(actor, cast.patient.pk, makers.now()), note.pk)
        rows = addenda_of(found, actor.person)
        context.open(rows, ["text"])
        return [one.text for one in rows if one.text]


def beside(cast: Cast, note: AnyNote) -> dict[str, str]:
    with reading(staff(cast.alice), purpose="treatment", permission=CHART) as context:
        rows = versions_of_own(note, cast.alice)
        context.open(rows, ["sections"])
        return {row.kind: row.sections["text"] for row in rows}


def form(spell: Any = None, **more: Any) -> dict[str, Any]:
    return {"version": "0", "number": "1", "spell": spell or uuid7(), "text": "She rang."} | more


def test_each_save_takes_the_place_of_the_one_before_and_a_spell_is_recorded_once(cast: Cast) -> None:
    note, spell = signed(cast), uuid7()
    for number in range(1, 6):
        added = keep(cast, note, f"She rang {number} times.", number - 1, spell, number)
    assert (added.outcome, added.addendum.version) == ("saved", 5)
    assert texts(cast, note) == ["She rang 5 times."]
    assert AuditLog.objects.filter(event_type="note.addendum_written").count() == 1
    assert not NoteVersion.objects.filter(addendum__isnull=False).exists()


def test_a_save_that_comes_twice_or_late_changes_nothing(cast: Cast) -> None:
    note, spell = signed(cast), uuid7()
    keep(cast, note, "newer", 0, spell, 2)
    late, again = keep(cast, note, "older", 0, spell, 1), keep(cast, note, "newer", 0, spell, 2)
    assert (late.outcome, again.outcome, again.addendum.version) == ("known", "known", 1)
    assert texts(cast, note) == ["newer"]


def test_a_page_of_the_version_before_adds_without_naming_what_came_later(cast: Cast) -> None:
    note = signed(cast)
    row = keep(cast, note, "She rang.", 0, uuid7()).addendum
    makers.scope_all()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO clinical_noteaddendum"
            " (id, organization_id, patient_id, note_id, author_id, text, updated_at, legacy_ids)"
            " SELECT %s, organization_id, patient_id, note_id, %s, text, updated_at, legacy_ids"
            " FROM clinical_noteaddendum"
            " WHERE id = %s",
            [uuid7(), cast.bob.pk, row.pk],
        )
    older = NoteAddendum.objects.get(author=cast.bob)
    assert (older.version, older.spell, older.spell_number) == (1, UUID(int=0), 0)


@pytest.mark.parametrize("version", ["-1", "2147483647", "9" * 40, "x"])
def test_a_version_that_no_page_had_is_refused(cast: Cast, version: str) -> None:
    where = url("note_addendum", cast, signed(cast).pk)
    assert as_user(cast.alice).post(where, form(version=version)).status_code == 422


def test_other_words_of_a_page_that_was_gone_back_to_are_kept(cast: Cast) -> None:
    """Without a script a page says the same number each time that it is sent."""
    note, page = signed(cast), uuid7()
    keep(cast, note, "She rang.", 0, page)
    back = keep(cast, note, "She rang twice.", 0, page)
    assert (back.outcome, texts(cast, note)) == ("conflict", ["She rang."])
    sign(cast, note, 1)
    same, other = keep(cast, note, "She rang.", 0, page), keep(cast, note, "She wrote.", 0, page)
    assert (same.outcome, other.outcome, texts(cast, note)) == ("signed", "signed", ["She rang."])
    assert NoteVersion.objects.filter(addendum__isnull=False, kind="conflict").count() == 2


@pytest.mark.parametrize("kind", ["soap", PROCESS])
def test_two_pages_at_once_lose_nothing_and_the_writer_chooses(cast: Cast, kind: str) -> None:
    note, laptop, phone = signed(cast, kind), uuid7(), uuid7()
    keep(cast, note, "from the laptop", 0, laptop)
    for number in (1, 2):
        both = keep(cast, note, "from the phone", 0, phone, number)
        assert both.outcome == "conflict"
    assert texts(cast, note) == ["from the laptop"]
    assert beside(cast, note) == {"conflict": "from the phone"}
    chosen = keep(cast, note, "both", both.addendum.version, phone, 3)
    assert (chosen.outcome, texts(cast, note)) == ("saved", ["both"])
    assert beside(cast, note) == {"conflict": "from the phone", "spell": "from the laptop"}
    table = PsychotherapyNoteVersion if kind == PROCESS else NoteVersion
    assert table.objects.filter(addendum__isnull=False).count() == 2
    assert AuditLog.objects.filter(event_type="note.kept_beside").count() == 1


def test_words_that_come_after_the_signature_are_kept_and_can_become_another_addendum(cast: Cast) -> None:
    note, page = signed(cast), uuid7()
    keep(cast, note, "She rang.", 0, page)
    sign(cast, note, 1)
    for version in (0, 1):
        late = keep(cast, note, f"She rang at {version}.", version, page, 2 + version)
        assert late.outcome == "signed"
    assert texts(cast, note) == ["She rang."]
    assert NoteVersion.objects.filter(kind="conflict", addendum=late.addendum).count() == 2
    another = keep(cast, note, "She rang at noon.", 0, uuid7())
    assert (another.outcome, texts(cast, note)) == ("saved", ["She rang.", "She rang at noon."])


def test_what_was_read_is_signed_and_never_what_was_saved_since(cast: Cast) -> None:
    note, spell = signed(cast), uuid7()
    keep(cast, note, "She rang.", 0, spell)
    keep(cast, note, "She rang twice.", 1, spell, 2)
    with pytest.raises(RuleBroken, match="saved again"):
        sign(cast, note, 1)
    done = sign(cast, note, 2)
    assert len(bytes(done.content_hash)) == 34 and texts(cast, note) == ["She rang twice."]
    row = AuditLog.objects.get(event_type="note.addendum_signed")
    assert row.codes == {"note": str(note.pk), "version": 2, "needs_cosign": False}


def test_what_is_taken_out_again_waits_for_no_signature(cast: Cast) -> None:
    note, spell = signed(cast), uuid7()
    nothing = keep(cast, note, " \n", 0, spell)
    assert (nothing.addendum.version, NoteAddendum.objects.count()) == (0, 0)
    keep(cast, note, "She", 0, spell, 2)
    desk = as_user(cast.alice).get(reverse("clinical:note_desk"))
    assert "Addendum to" in desk.content.decode()
    keep(cast, note, "", 1, spell, 3)
    desk = as_user(cast.alice).get(reverse("clinical:note_desk"))
    assert "Addendum to" not in desk.content.decode()
    with pytest.raises(InputRefused, match="Write what"):
        sign(cast, note, 2)
    with pytest.raises(DatabaseError, match="addendum_signed_says_something"), transaction.atomic():
        signs = "UPDATE clinical_noteaddendum SET signed_at = now(), content_hash = 'x'"
        connection.cursor().execute(signs)
    assert keep(cast, note, "She rang.", 2, uuid7()).addendum.version == 3
    assert as_user(cast.alice).get(url("notes", cast)).content.decode().count("1 addendum") == 0
    sign(cast, note, 3)
    assert as_user(cast.alice).get(url("notes", cast)).content.decode().count("1 addendum") == 1


def test_an_unsigned_addendum_and_its_earlier_texts_are_its_writer_s_alone(cast: Cast) -> None:
    join(cast, cast.bob)
    note = signed(cast)
    keep(cast, note, "Alice, unfinished", 0, uuid7())
    keep(cast, note, "Alice, elsewhere", 0, uuid7())
    mine = keep(cast, note, "Bob, unfinished", 0, uuid7(), user=cast.bob)
    assert mine.outcome == "saved"
    assert (texts(cast, note), texts(cast, note, cast.bob)) == (["Alice, unfinished"], ["Bob, unfinished"])
    for name in ("note_page", "note_versions", "note_print", "note_addendum_sign"):
        page = as_user(cast.bob).get(url(name, cast, note.pk)).content.decode()
        assert "Alice, " not in page, name
    versions = as_user(cast.alice).get(url("note_versions", cast, note.pk)).content.decode()
    assert "Your addendum, version 1</h3>" in versions and "<del>elsewhere</del>" in versions
    with pytest.raises(NotFound):
        keep(cast, note, "Charlie", 0, uuid7(), user=cast.charlie)
    with pytest.raises(NotFound):
        keep(cast, written(cast, "session_note"), "To a draft", 0, uuid7())


def test_a_script_hears_the_version_and_both_texts_in_a_conflict(cast: Cast) -> None:
    note, client, spell = signed(cast), as_user(cast.alice), uuid7()
    where = url("note_addendum", cast, note.pk)
    assert client.post(where, form(spell), headers=FETCH).json()["version"] == 1
    other = client.post(where, form(text="<b>From the phone</b>"), headers=FETCH)
    text = other.content.decode()
    assert other.status_code == 409 and 'data-version="1"' in text
    assert "&lt;b&gt;From the phone" in text and "She rang." in text and "Take this one" in text
    plain = client.post(where, form(text="From a third")).content.decode()
    assert "From a third" in plain and 'name="version" value="1"' in plain
    sign(cast, note, 1)
    late = client.post(where, form(spell, number="2", text="And again."), headers=FETCH).content.decode()
    assert "This addendum was signed meanwhile" in late and 'data-version="0"' in late
    assert "Take this one" not in late


def test_an_addendum_is_kept_without_a_script_and_signed_as_it_was_read(cast: Cast) -> None:
    note, client = signed(cast), as_user(cast.alice)
    where = url("note_addendum", cast, note.pk)
    kept = client.post(where, form(keep="1"), follow=True).content.decode()
    assert "She rang." in kept and ", to be signed</p>" in kept and 'name="version" value="1"' in kept
    read = client.get(url("note_addendum_sign", cast, note.pk)).content.decode()
    assert "Yours is kept, not signed yet" in read and "<textarea" not in read
    makers.scope_all()
    keep(cast, note, "She rang twice.", 1, uuid7())
    refused = client.post(url("note_addendum_sign", cast, note.pk), {"version": "1"})
    assert refused.status_code == 409 and "Read it once more" in refused.content.decode()
    makers.scope_all()
    assert NoteAddendum.objects.get().signed_at is None
    done = client.post(where, form(version="2", text="She rang thrice."), follow=True).content.decode()
    assert "She rang thrice." in done and ", to be signed</p>" not in done
    pressed = {"text": "Pressed twice.", "spell": uuid7()}
    for _ in range(2):
        page = client.post(where, pressed, follow=True)
    assert page.status_code == 200 and page.content.decode().count("Pressed twice.") == 1
    empty = client.post(where, form(text=" "))
    assert empty.status_code == 422 and "Write what is to be added." in empty.content.decode()


def test_a_save_that_fails_gives_the_words_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    note, client = signed(cast), as_user(cast.alice)
    where = url("note_addendum", cast, note.pk)
    long = client.post(where, form(text="x" * 60_001), headers=FETCH)
    assert (long.status_code, "At most 60,000" in long.json()["message"]) == (422, True)

    def away(**_: object) -> None:
        raise KeyProviderError("the keys are away")

    monkeypatch.setattr("clinical.notes.addenda.views.actions.write_addendum", away)
    answer = client.post(where, form(text="Must not be lost."))
    assert (answer.status_code, "Must not be lost." in answer.content.decode()) == (503, True)
    assert client.post(where, form(), headers=FETCH).status_code == 503
    assert client.post(where, form(version="x"), headers=FETCH).status_code == 422


def test_an_addendum_or_a_note_that_was_altered_is_told_on_page_paper_and_in_the_export(cast: Cast) -> None:
    note, told = signed(cast), "not the text that was signed"
    keep(cast, note, "She rang.", 0, uuid7())
    added = sign(cast, note, 1)
    client = as_user(cast.alice)
    places = [url("note_page", cast, note.pk), url("note_print", cast, note.pk)]

    def found() -> list[int]:
        makers.scope_all()
        pages = [client.get(place).content.decode() for place in places]
        makers.scope_all()
        file = client.post(url("note_export", cast), {"reason": "person"})
        assert file.status_code == 200
        return [page.count(told) for page in [*pages, file.content.decode()]]

    assert found() == [0, 0, 0]
    for row, count in ((added, 1), (note, 2)):
        with superuser() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(
                f"UPDATE {row._meta.db_table} SET content_hash = set_byte(content_hash, 9,"  # noqa: S608
                " 255 - get_byte(content_hash, 9)) WHERE id = %s", [row.pk],
            )  # fmt: skip
        assert found() == [count] * 3


def test_words_to_a_note_that_a_label_shut_since_stay_their_writer_s_to_sign_or_to_put_away(
    cast: Cast,
) -> None:
    join(cast, cast.bob)
    kept, put_away = signed(cast, subjective="ALICES-WORDS"), signed(cast, subjective="ALICES-WORDS")
    for one in (kept, put_away):
        keep(cast, one, "bobs own words", 0, uuid7(), user=cast.bob)
        label_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=one.pk, labels=["V"])
    bob = as_user(cast.bob)
    page = bob.get(url("note_page", cast, kept.pk))
    text = page.content.decode()
    assert page.status_code == 200 and "bobs own words" in text and "Put it away" in text
    assert "ALICES-WORDS" not in text and "Very restricted" not in text
    assert "Very restricted" not in bob.get(reverse("clinical:note_desk")).content.decode()
    makers.scope_all()
    # What was typed on goes on being kept, and is signed as it was read.
    mine = form(text="bobs own words, and more", version="1", keep="1")
    again = bob.post(url("note_addendum", cast, kept.pk), mine, follow=True)
    assert again.status_code == 200 and "and more" in again.content.decode()
    makers.scope_all()
    signs = bob.post(url("note_addendum_sign", cast, kept.pk), {"version": "2"}, follow=True)
    assert signs.status_code == 200 and signs.redirect_chain[-1][0] == url("notes", cast)
    makers.scope_all()
    assert NoteAddendum.objects.get(note=kept).signed_at is not None
    away = bob.post(url("note_addendum", cast, put_away.pk), {"away": "1"}, follow=True)
    assert away.status_code == 200 and away.redirect_chain[-1][0] == url("notes", cast)
    makers.scope_all()
    assert NoteAddendum.objects.get(note=put_away).text is None


def test_a_note_that_a_label_shut_begins_no_new_addendum_and_opens_to_nobody_by_another_s(cast: Cast) -> None:
    join(cast, cast.bob)
    note = signed(cast)
    keep(cast, note, "alices own", 0, uuid7())
    label_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, labels=["V"])
    assert as_user(cast.bob).get(url("note_page", cast, note.pk)).status_code == 404
    makers.scope_all()
    with pytest.raises(NotFound):
        keep(cast, note, "late", 0, uuid7(), user=cast.bob)
