"""A trainee's addendum waits for the supervisor of the team, as a trainee's note does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from clinical.notes.actions import cosign_note, label_note, sign_note
from clinical.notes.addenda.actions import cosign_addendum, sign_addendum, write_addendum
from clinical.notes.models import PROCESS, NoteAddendum
from clinical.notes.queries import AnyNote
from clinical.notes.reminders.queries import TO_COSIGN_WAITS, late
from cortex.accounts.models import StaffProfile, User
from cortex.audit import NotFound, RuleBroken
from cortex.audit.models import AuditLog
from cortex.ids import uuid7
from cortex.ops.models import Notification
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.notes.test_notes import join, signed, written
from tests.unit.notes.test_pages import as_user, url

pytestmark = pytest.mark.django_db
WAITS = "waits for co-signature"


def train(cast: Cast, user: User) -> None:
    StaffProfile.objects.create(organization=cast.home, user=user, is_trainee=True)


def add(cast: Cast, note: AnyNote, user: User, text: str = "She rang.") -> Any:
    where: dict[str, Any] = {"actor": staff(user), "patient_id": cast.patient.pk, "note_id": note.pk}
    kept = write_addendum(text=text, spell=uuid7(), **where)
    return sign_addendum(version=kept.addendum.version, **where)


def cosign(cast: Cast, row: Any, user: User) -> Any:
    return cosign_addendum(
        actor=staff(user), patient_id=cast.patient.pk, note_id=row.note_id, addendum_id=row.pk
    )


def page(cast: Cast, user: User, name: str, *ids: Any) -> str:
    makers.scope_all()
    return as_user(user).get(url(name, cast, *ids)).content.decode()


def test_a_trainee_s_addendum_waits_for_the_supervisor_of_the_team(cast: Cast) -> None:
    note = signed(cast)
    join(cast, cast.bob)
    train(cast, cast.bob)
    row = add(cast, note, cast.bob)
    assert row.waits_for_cosign
    for user in (cast.alice, cast.bob):
        with pytest.raises(RuleBroken, match="supervisor"):
            cosign(cast, row, user)
    for user in (cast.sam, cast.charlie):
        with pytest.raises(NotFound):
            cosign(cast, row, user)
    join(cast, cast.sam, "supervisor")
    with pytest.raises(NotFound):
        cosign(cast, NoteAddendum(pk=uuid7(), note_id=note.pk), cast.sam)
    done = cosign(cast, row, cast.sam)
    assert (done.cosigned_by, done.waits_for_cosign) == (cast.sam, False)
    with pytest.raises(RuleBroken, match="no other signature"):
        cosign(cast, row, cast.sam)
    said = AuditLog.objects.get(event_type="note.addendum_cosigned")
    assert (said.object_id, said.codes) == (row.pk, {"note": str(note.pk)})


@pytest.mark.parametrize("in_training", [True, False])
def test_whether_a_note_waits_is_asked_when_it_is_signed(cast: Cast, in_training: bool) -> None:
    train(cast, cast.alice)
    join(cast, cast.sam, "supervisor")
    StaffProfile.objects.update(is_trainee=not in_training)
    note = written(cast)
    StaffProfile.objects.update(is_trainee=in_training)
    row = sign_note(
        actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, version=note.version
    )
    makers.scope_all()
    row.refresh_from_db()
    assert (row.needs_cosign, row.waits_for_cosign) == (in_training, in_training)
    assert AuditLog.objects.get(event_type="note.signed").codes["needs_cosign"] is in_training
    told = Notification.objects.filter(recipient=cast.sam, object_id=note.pk)
    assert told.exists() is in_training
    assert (WAITS in page(cast, cast.alice, "note_page", note.pk)) is in_training


@pytest.mark.parametrize("kind", ["session_note", "supervision", PROCESS])
def test_every_type_but_a_process_note_waits(cast: Cast, kind: str) -> None:
    note = written(cast, kind)
    train(cast, cast.alice)
    row: Any = sign_note(
        actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, version=note.version
    )
    assert row.waits_for_cosign is (kind != PROCESS)


def test_what_was_signed_stays_and_a_co_signature_is_given_once(cast: Cast) -> None:
    note = signed(cast)
    join(cast, cast.bob)
    train(cast, cast.bob)
    row = add(cast, note, cast.bob)
    join(cast, cast.sam, "supervisor")

    def refused(change: str, match: str = "keeps what was signed") -> None:
        with pytest.raises(DatabaseError, match=match), transaction.atomic():
            connection.cursor().execute(f"UPDATE clinical_noteaddendum SET {change}")  # noqa: S608

    refused("needs_cosign = false")
    refused("cosigned_at = now(), cosigned_by_id = author_id", "addendum_cosigned_by_another")
    refused("cosigned_at = now()", "addendum_cosigned_when_signed")
    cosign(cast, row, cast.sam)
    refused("cosigned_at = NULL, cosigned_by_id = NULL")
    refused("cosigned_at = now() + interval '1 day'")
    refused("text = NULL")


def test_the_chart_the_page_and_the_paper_say_that_it_waits_and_then_who_signed_too(cast: Cast) -> None:
    note = signed(cast)
    join(cast, cast.bob)
    join(cast, cast.sam, "supervisor")
    train(cast, cast.bob)
    row = add(cast, note, cast.bob)
    assert f"addendum {WAITS}" in page(cast, cast.alice, "notes")
    for name in ("note_page", "note_print"):
        assert WAITS in page(cast, cast.alice, name, note.pk), name
    assert "Sign the addendum too" not in page(cast, cast.bob, "note_page", note.pk)
    assert f'name="addendum" value="{row.pk}"' in page(cast, cast.sam, "note_page", note.pk)
    asked = as_user(cast.sam, recent=False).post(url("note_cosign", cast, note.pk), {"addendum": str(row.pk)})
    assert "/reauthenticate/" in asked["Location"]
    makers.scope_all()
    assert NoteAddendum.objects.get().cosigned_at is None
    client = as_user(cast.sam)
    assert client.post(url("note_cosign", cast, note.pk), {"addendum": "x"}).status_code == 422
    done = client.post(url("note_cosign", cast, note.pk), {"addendum": str(row.pk)}, follow=True)
    assert "co-signed by Sam Simiyu" in done.content.decode()
    for name in ("note_page", "note_print"):
        text = page(cast, cast.alice, name, note.pk)
        assert "co-signed by Sam Simiyu" in text and WAITS not in text, name
    assert WAITS not in page(cast, cast.alice, "notes")


def test_a_file_says_what_of_it_waits_for_a_co_signature(cast: Cast) -> None:
    note = signed(cast)
    train(cast, cast.alice)
    add(cast, note, cast.alice)
    makers.scope_all()
    answer = as_user(cast.alice).post(url("note_export", cast), {"reason": "person"})
    assert answer.content.decode().count("waits for a co-signature") == 1


def test_it_stands_on_the_supervisor_s_list_and_after_a_week_on_the_late_one(cast: Cast) -> None:
    note = signed(cast)
    join(cast, cast.bob)
    join(cast, cast.sam, "supervisor")
    train(cast, cast.bob)
    row = add(cast, note, cast.bob)
    makers.scope_all()
    desk = as_user(cast.sam).get(reverse("clinical:note_desk")).content.decode()
    assert "Addendum to SOAP note" in desk and "Zawadi Planted" in desk and WAITS in desk
    assert f"{url('note_page', cast, note.pk)}#addendum" in desk
    assert "Addendum to" not in as_user(cast.bob).get(reverse("clinical:note_desk")).content.decode()
    makers.scope_all()
    week = makers.now() + timedelta(days=7, minutes=1)
    assert late([cast.home.pk], makers.now()).added_to_cosign == []
    assert late([cast.elsewhere.pk], week).added_to_cosign == []
    assert late([cast.home.pk], week).added_to_cosign == [row]
    cosign(cast, row, cast.sam)
    makers.scope_all()
    assert late([cast.home.pk], week).added_to_cosign == []
    assert "Addendum to" not in as_user(cast.sam).get(reverse("clinical:note_desk")).content.decode()


def test_what_waits_opens_to_who_signs_it_too_whatever_the_note_is_labelled(cast: Cast) -> None:
    """The supervisor who came after the one who signed the note could sign nothing otherwise."""
    note = signed(cast)
    label_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, labels=["V"])
    train(cast, cast.alice)
    join(cast, cast.sam, "supervisor")
    join(cast, cast.bob)
    assert as_user(cast.sam).get(url("note_page", cast, note.pk)).status_code == 404
    makers.scope_all()
    row = add(cast, note, cast.alice)
    assert "Sign the addendum too" in page(cast, cast.sam, "note_page", note.pk)
    assert as_user(cast.bob).get(url("note_page", cast, note.pk)).status_code == 404
    makers.scope_all()
    cosign(cast, row, cast.sam)
    assert "co-signed by Sam Simiyu" in page(cast, cast.sam, "note_page", note.pk)


def test_who_is_in_no_training_and_process_notes_need_no_other_signature(cast: Cast) -> None:
    note, process = signed(cast), signed(cast, PROCESS)
    assert not add(cast, note, cast.alice).waits_for_cosign
    train(cast, cast.alice)
    assert not add(cast, process, cast.alice).waits_for_cosign
    join(cast, cast.sam, "supervisor")
    with pytest.raises(RuleBroken, match="no other signature"):
        cosign(cast, NoteAddendum.objects.get(), cast.sam)


def test_the_supervisor_of_the_team_is_told_with_a_link_until_it_is_co_signed(cast: Cast) -> None:
    train(cast, cast.bob)
    join(cast, cast.bob)
    signed(cast)
    assert not Notification.objects.filter(code=TO_COSIGN_WAITS).exists(), "nobody trains its author"
    join(cast, cast.sam, "supervisor")
    note = signed(cast, user=cast.bob)
    assert [one.recipient_id for one in Notification.objects.filter(code=TO_COSIGN_WAITS)] == [cast.sam.pk]
    makers.scope_all()
    ways = as_user(cast.sam).get(reverse("clinical:ways")).content.decode()
    line = ways.split("waits for your signature too.")[1].split("</p>")[0]
    assert f'href="{url("note_page", cast, note.pk)}"' in line
    makers.scope_all()
    row = add(cast, note, cast.bob)
    ways = as_user(cast.sam).get(reverse("clinical:ways")).content.decode()
    line = ways.split("waits for your signature too.")[1].split("</p>")[0]
    assert f'href="{reverse("clinical:note_desk")}"' in line, "of several: where all of them stand"
    makers.scope_all()
    cosign_note(actor=staff(cast.sam), patient_id=cast.patient.pk, note_id=note.pk)
    unread = Notification.objects.filter(code=TO_COSIGN_WAITS, read_at=None)
    assert [one.object_id for one in unread] == [row.pk]
    cosign(cast, row, cast.sam)
    assert not unread.all().exists()


def test_who_is_in_training_neither_reads_labelled_notes_of_others_nor_signs_them(cast: Cast) -> None:
    train(cast, cast.alice)
    note = signed(cast)
    where = {"patient_id": cast.patient.pk, "note_id": note.pk}
    row = add(cast, note, cast.alice)
    join(cast, cast.bob, "supervisor")
    train(cast, cast.bob)
    with pytest.raises(RuleBroken, match="supervisor"):
        cosign_note(actor=staff(cast.bob), **where)
    with pytest.raises(RuleBroken, match="supervisor"):
        cosign(cast, row, cast.bob)
    label_note(actor=staff(cast.alice), labels=["V"], **where)
    with pytest.raises(NotFound):
        cosign_note(actor=staff(cast.bob), **where)
