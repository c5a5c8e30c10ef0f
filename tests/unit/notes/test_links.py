"""Which diagnoses a note is about: chosen while it is written, signed with it, shown where they are open."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from clinical.notes import queries
from clinical.notes.linked import links, signed_words
from clinical.notes.models import Note
from clinical.notes.sealing import is_intact
from clinical.plans.diagnoses.actions import add_diagnosis, change_diagnosis
from clinical.plans.diagnoses.models import Diagnosis
from cortex.audit import InputRefused
from cortex.ids import uuid7
from patients.registry.access import CHART
from patients.registry.actions import create_provisional, link_provisional, unlink_provisional
from patients.registry.queries import local_day
from tests import makers
from tests.cast import Cast
from tests.unit.notes.test_notes import SOAP, begin, join, save, sign, texts_of, written
from tests.unit.notes.test_pages import as_user, form, url

pytestmark = pytest.mark.django_db


def diagnosis(cast: Cast, code: str = "F33.1", labels: tuple[str, ...] = (), **more: Any) -> Diagnosis:
    who = {"actor": makers.staff(cast.alice), "patient_id": cast.patient.pk} | more
    row = add_diagnosis(code=code, status="confirmed", **who)
    if labels:
        Diagnosis.objects.filter(pk=row.pk).update(sensitivity_labels=list(labels))
    return row


def signed_about(cast: Cast, *rows: Diagnosis) -> Note:
    note = written(cast)
    saved = save(
        cast, note, SOAP, note.version, note.spell, 2, follow_up_on=note.follow_up_on,
        diagnoses=[one.pk for one in rows],
    )  # fmt: skip
    done = sign(cast, note, saved.note.version)
    assert isinstance(done, Note)
    return done


def test_what_a_note_is_about_is_chosen_in_the_page_and_stands_on_note_paper_and_diagnosis(
    cast: Cast,
) -> None:
    low, over = diagnosis(cast), diagnosis(cast, "F41.1")
    change_diagnosis(
        actor=makers.staff(cast.alice), patient_id=cast.patient.pk, diagnosis_id=over.pk, status="ruled_out"
    )
    client, note = as_user(cast.alice), begin(cast)
    makers.scope_all()
    page = client.get(url("note_edit", cast, note.pk)).content.decode()
    assert "F33.1 Major depressive disorder" in page and "F41.1" not in page, (
        "what was ruled out is not asked"
    )
    day = f"{local_day(cast.patient, makers.now()):%Y-%m-%d}"
    typed = form() | SOAP | {"follow_up_on": day, "diagnoses": [str(low.pk)], "read": "1"}
    client.post(url("note_save", cast, note.pk), typed)
    makers.scope_all()
    assert Note.objects.get().diagnoses == [low.pk]
    page = client.post(url("note_sign", cast, note.pk), {"version": "2"}, follow=True).content.decode()
    for shown in (page, client.get(url("note_print", cast, note.pk)).content.decode()):
        assert "About</h" in shown and "F33.1</span> Major depressive disorder" in shown
    back = client.get(reverse("clinical:diagnosis_edit", args=[cast.patient.pk, low.pk])).content.decode()
    assert "Notes about it" in back and url("note_page", cast, note.pk) in back


def test_the_signature_covers_what_a_note_is_about_and_nothing_changes_it(cast: Cast) -> None:
    low, other = diagnosis(cast), diagnosis(cast, "F41.1")
    note = signed_about(cast, low)
    texts, named = texts_of(cast, note), signed_words(cast.patient, note)
    assert is_intact(note, texts, named) is True
    assert is_intact(note, texts) is False
    note.diagnoses = [low.pk, other.pk]
    assert is_intact(note, texts, signed_words(cast.patient, note)) is False
    for change in ("'{}'", "diagnoses || id"):
        with pytest.raises(DatabaseError, match="keeps what was signed"), transaction.atomic():
            connection.cursor().execute(
                f"UPDATE clinical_note SET diagnoses = {change} WHERE id = %s",  # noqa: S608
                [note.pk],
            )
    with pytest.raises(DatabaseError, match="note_diagnoses_where_assessed"), transaction.atomic():
        Note.objects.filter(pk=begin(cast, "session_note").pk).update(diagnoses=[low.pk])


def test_a_note_is_about_diagnoses_of_its_own_person_alone(cast: Cast) -> None:
    other = makers.make_patient(cast.home, team=[cast.alice])
    makers.scope_all()
    strange = diagnosis(cast, patient_id=other.pk)
    note = written(cast)
    with pytest.raises(InputRefused, match="of this person"):
        save(cast, note, SOAP, note.version, note.spell, 2, diagnoses=[strange.pk])
    with pytest.raises(InputRefused, match="of this person"):
        save(cast, begin(cast, "session_note"), {}, 1, uuid7(), diagnoses=[diagnosis(cast).pk])


def test_a_diagnosis_that_a_label_shuts_stays_out_and_is_counted(cast: Cast) -> None:
    low = diagnosis(cast)
    kept, part2 = diagnosis(cast, "F43.10", ("V",)), diagnosis(cast, "F10.20", ("SUD_PART2",))
    note = signed_about(cast, low, kept, part2)
    join(cast, cast.bob)
    makers.grant(cast.patient, cast.cleo, permission=CHART)
    makers.scope_all()
    for user, codes, withheld in (
        (cast.alice, {"F33.1", "F43.10", "F10.20"}, 0), (cast.bob, {"F33.1", "F10.20"}, 1),
        (cast.cleo, {"F33.1"}, 2),
    ):  # fmt: skip
        who = queries.reader(makers.staff(user), cast.patient.pk, makers.now())
        found = links(who, [note])[note.pk]
        assert ({one.code for one in found.shown}, found.withheld) == (codes, withheld)
    page = as_user(cast.bob).get(url("note_page", cast, note.pk)).content.decode()
    assert "F43.10" not in page and "1 diagnosis is not shown to you" in page
    assert "This is not the text that was signed" not in page


def test_a_writer_who_cannot_see_a_linked_diagnosis_does_not_take_it_out(cast: Cast) -> None:
    hidden = diagnosis(cast, "F43.10", ("V",))
    Diagnosis.objects.filter(pk=hidden.pk).update(recorded_by=cast.bob)
    note = written(cast)
    Note.objects.filter(pk=note.pk).update(diagnoses=[hidden.pk])
    low = diagnosis(cast)
    saved = save(cast, note, SOAP, note.version, note.spell, 2, diagnoses=[low.pk]).note
    assert isinstance(saved, Note) and set(saved.diagnoses) == {hidden.pk, low.pk}


def test_a_link_that_is_undone_leaves_a_signed_note_as_it_was_signed(cast: Cast) -> None:
    machine = makers.machine(cast.home)
    caller = create_provisional(actor=machine, organization_id=cast.home.pk)
    link_provisional(actor=machine, provisional_id=caller.pk, patient_id=cast.patient.pk)
    makers.scope_all()
    theirs = diagnosis(cast, "F41.1")
    Diagnosis.objects.filter(pk=theirs.pk).update(patient_id=caller.pk)
    note = signed_about(cast, diagnosis(cast), theirs)
    makers.scope_all()
    client = as_user(cast.alice)
    assert "F41.1" in client.get(url("note_page", cast, note.pk)).content.decode()
    makers.scope_all()
    unlink_provisional(actor=machine, provisional_id=caller.pk)
    makers.scope_all()
    page = client.get(url("note_page", cast, note.pk)).content.decode()
    makers.scope_all()
    assert "This is not the text that was signed" not in page
    assert "F41.1" not in page and "1 diagnosis" in page, "what is shown stays the person's own"
    file = client.post(url("note_export", cast), {"reason": "person"}).content.decode()
    assert "does not fit" not in file and "F41.1" not in file
