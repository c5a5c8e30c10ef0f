"""Signed notes of one person leave as one file: what is in it, what stays, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinical.notes.actions import label_note
from clinical.notes.addenda.actions import sign_addendum, write_addendum
from clinical.notes.exports.actions import export_notes
from clinical.notes.models import PROCESS, Note
from cortex.audit import RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from patients.registry.access import CHART
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.notes.test_links import diagnosis, signed_about
from tests.unit.notes.test_notes import join, signed, written
from tests.unit.notes.test_pages import as_user, url

pytestmark = pytest.mark.django_db
ASKED = {"reason": "person"}


def label(cast: Cast, note: Note, *labels: str) -> None:
    label_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, labels=labels)
    makers.scope_all()


def test_one_file_holds_the_signed_notes_and_says_how_many_were_withheld(cast: Cast) -> None:
    first = signed_about(cast, diagnosis(cast))
    where = {"actor": staff(cast.alice), "patient_id": cast.patient.pk, "note_id": first.pk}
    write_addendum(text="The <b>sister</b> rang.", **where)
    sign_addendum(version=1, **where)
    for text, labels in (("Kept close.", ["V"]), ("Of the program.", ["SUD_PART2"])):
        note = signed(cast, "session_note", free_text=text)
        assert isinstance(note, Note)
        label(cast, note, *labels)
    signed(cast, PROCESS, free_text="Mine alone.")
    written(cast, "progress", free_text="Still a draft.")
    makers.scope_all()
    client, page = as_user(cast.alice), url("note_export", cast)
    assert page in client.get(url("notes", cast)).content.decode()
    shown = client.get(page).content.decode()
    assert "1 signed note with its" in shown and "2 signed notes are withheld" in shown
    looks, trail = PhiAccessLog.objects.count(), AuditLog.objects.count()
    answer = client.post(page, ASKED)
    text = answer.content.decode()
    assert answer.headers["Content-Disposition"].startswith(
        f'attachment; filename="notes-{cast.patient.anonymous_id}'
    )
    assert "no-store" in answer.headers["Cache-Control"]
    for part in ("Zawadi Planted", "Grief, not depression.", "F33.1 Major", "&lt;b&gt;sister&lt;/b&gt; rang.",
                 "2 further signed notes are withheld", "The person asked for their record"):  # fmt: skip
        assert part in text, part
    for part in ("Kept close", "Of the program", "Mine alone", "Still a draft", "does not fit", "<script"):
        assert part not in text, part
    makers.scope_all()
    row = PhiAccessLog.objects.latest("id")
    assert PhiAccessLog.objects.count() == looks + 1 and AuditLog.objects.count() == trail + 1
    assert (row.data_type, row.subject, row.purpose) == ("note_export", cast.patient.pk, "disclosure")
    kept = AuditLog.objects.get(event_type="note.exported")
    assert kept.codes == {"reason": "person", "notes": 1, "withheld": 2}


def test_part_2_notes_leave_once_the_person_agreed(cast: Cast) -> None:
    note = signed(cast)
    assert isinstance(note, Note)
    label(cast, note, "SUD_PART2")
    makers.consent(cast.patient, "part2_tpo")
    text = as_user(cast.alice).post(url("note_export", cast), ASKED).content.decode()
    assert "Grief, not depression." in text and "42 CFR Part 2 prohibits" in text


def test_part_2_leaves_to_no_authority_whatever_the_person_agreed_to(cast: Cast) -> None:
    drinking = diagnosis(cast, "F10.20", labels=("SUD_PART2",))
    signed_about(cast, drinking)
    other = signed(cast, "session_note", free_text="Of the program.")
    assert isinstance(other, Note)
    label(cast, other, "SUD_PART2")
    makers.consent(cast.patient, "part2_tpo")
    client, page = as_user(cast.alice), url("note_export", cast)
    assert "Part 2 leaves to no court or authority: 1 note" in client.get(page).content.decode()
    text = client.post(page, {"reason": "authority"}).content.decode()
    for part in ("Of the program", "F10.20", "42 CFR"):
        assert part not in text, part
    assert "1 further signed note is withheld" in text and "<li>1 withheld</li>" in text
    makers.scope_all()
    kept = AuditLog.objects.get(event_type="note.exported")
    assert kept.codes == {"reason": "authority", "notes": 1, "withheld": 1}


def test_a_diagnosis_of_part_2_brings_the_notice_and_the_scope_of_the_consent(cast: Cast) -> None:
    note = signed_about(cast, diagnosis(cast, "F10.20", labels=("SUD_PART2",)))
    client = as_user(cast.alice)
    paper = client.get(url("note_print", cast, note.pk)).content.decode()
    assert "42 CFR Part 2 prohibits" in paper and "No consent to pass them on is on record." in paper
    makers.scope_all()
    assert "42 CFR" not in client.post(url("note_export", cast), ASKED).content.decode()
    makers.scope_all()
    now = makers.now()
    makers.consent(
        cast.patient, "part2_tpo", expires_at=now + timedelta(days=30),
        scope={"purposes": ["care"], "recipients": ["care_team"]},
    )  # fmt: skip
    text = client.post(url("note_export", cast), ASKED).content.decode()
    paper = client.get(url("note_print", cast, note.pk)).content.decode()
    for shown in (text, paper):
        assert "42 CFR Part 2 prohibits" in shown
        assert f"consent of {now:%-d %b %Y}: only for care; only towards" in shown
        assert f"until {now + timedelta(days=30):%-d %b %Y}." in shown


def test_an_export_asks_for_the_reason_and_the_password_and_for_a_place_on_the_team(cast: Cast) -> None:
    signed(cast)
    page = url("note_export", cast)
    refused = as_user(cast.alice).post(page, {})
    assert refused.status_code == 422 and "Say why they leave." in refused.content.decode()
    # Asked before the reason is: the file then comes to its own page, not to that of the password.
    first = as_user(cast.alice, recent=False).get(page)
    assert first.status_code == 302 and "reauthenticate" in first.headers["Location"]
    asked = as_user(cast.alice, recent=False).post(page, ASKED)
    assert asked.status_code == 302 and "reauthenticate" in asked.headers["Location"]
    assert as_user(cast.bob).get(page).status_code == 404
    assert as_user(cast.bob).post(page, ASKED).status_code == 404
    assert as_user(cast.ada).get(page).status_code == 403
    makers.scope_all()
    assert not AuditLog.objects.filter(event_type="note.exported").exists()


def test_break_glass_reads_and_takes_nothing_out(cast: Cast) -> None:
    signed(cast)
    makers.grant(
        cast.patient, cast.bob, permission=CHART, reason_code="break_glass", reason="Her team rings out.",
        ends_at=makers.now() + timedelta(hours=4),
    )  # fmt: skip
    with pytest.raises(RuleBroken, match="for reading"):
        export_notes(actor=staff(cast.bob), patient_id=cast.patient.pk, reason="care")
    assert "Export signed notes" not in as_user(cast.bob).get(url("notes", cast)).content.decode()


def test_who_sees_the_person_for_a_while_takes_nothing_out(cast: Cast) -> None:
    signed(cast)
    makers.grant(cast.patient, cast.bob, permission=CHART)
    page = url("note_export", cast)
    assert "Export signed notes" not in as_user(cast.bob).get(url("notes", cast)).content.decode()
    assert as_user(cast.bob).get(page).status_code == 409
    assert as_user(cast.bob).post(page, ASKED).status_code == 409
    makers.scope_all()
    assert not AuditLog.objects.filter(event_type="note.exported").exists()


def test_nothing_signed_is_nothing_to_take_out(cast: Cast) -> None:
    written(cast)
    join(cast, cast.bob)
    page = as_user(cast.bob).get(url("note_export", cast)).content.decode()
    assert "There is no signed note that may leave." in page
    refused = as_user(cast.bob).post(url("note_export", cast), ASKED)
    assert refused.status_code == 409
