"""Notes from their first word to their addenda: what is kept, what stays shut, what can't be changed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from clinical.assessments.actions import finish_assessment
from clinical.notes import queries
from clinical.notes.actions import (
    Saved,
    begin_note,
    cosign_note,
    discard_draft,
    label_note,
    save_block,
    save_draft,
    sign_note,
)
from clinical.notes.addenda.actions import sign_addendum, write_addendum
from clinical.notes.models import PROCESS, Note, NoteVersion, PsychotherapyNote
from clinical.notes.queries import AnyNote
from clinical.notes.reminders.actions import remind_author
from clinical.notes.reminders.queries import late
from clinical.notes.sealing import is_intact
from clinical.notes.tasks import remind_unsigned
from cortex.access.context import reading
from cortex.accounts.models import StaffProfile, User
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.ids import uuid7
from crisis.reviews.models import ReviewItem
from patients.registry.access import CHART
from tests import makers
from tests.cast import Cast
from tests.makers import staff

pytestmark = pytest.mark.django_db
SOAP = {
    "subjective": "Says the nights are long.", "objective": "Calm, slow speech.",
    "assessment": "Grief, not depression.", "plan": "A walk each day.", "risk_statement": "",
}  # fmt: skip


def begin(cast: Cast, note_type: str = "soap", user: User | None = None, **more: Any) -> AnyNote:
    return begin_note(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, note_type=note_type, **more
    )


def save(
    cast: Cast, note: AnyNote, texts: dict[str, str], version: int, spell: UUID, number: int = 1,
    user: User | None = None, **more: Any,
) -> Saved:  # fmt: skip
    return save_draft(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, note_id=note.pk, version=version,
        spell=spell, number=number, sections=texts, **more,
    )  # fmt: skip


def sign(cast: Cast, note: AnyNote, version: int, user: User | None = None) -> AnyNote:
    return sign_note(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, note_id=note.pk, version=version
    )


def written(cast: Cast, note_type: str = "soap", user: User | None = None, **texts: str) -> AnyNote:
    note = begin(cast, note_type, user)
    follow_up = makers.now().date() + timedelta(days=7)
    return save(
        cast, note, (SOAP if note_type == "soap" else {"free_text": "We talked."}) | texts, note.version,
        uuid7(), user=user, follow_up_on=follow_up,
    ).note  # fmt: skip


def signed(cast: Cast, note_type: str = "soap", user: User | None = None, **texts: str) -> AnyNote:
    note = written(cast, note_type, user, **texts)
    return sign(cast, note, note.version, user)


def texts_of(cast: Cast, note: AnyNote, user: User | None = None) -> dict[str, str]:
    actor = staff(user or cast.alice)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        found = queries.note(queries.reader(actor, cast.patient.pk, makers.now()), note.pk)
        return queries.opened(context, found)


def join(cast: Cast, user: User, role: str = "case_manager") -> None:
    makers.add_to_team(cast.patient, user, role=role, starts_at=makers.now() - timedelta(minutes=1))


def test_a_save_is_sealed_numbered_and_recorded_once_per_spell(cast: Cast) -> None:
    note, spell = begin(cast), uuid7()
    for number in range(1, 6):
        save(cast, note, SOAP | {"plan": f"Step {number}"}, 1, spell, number)
    assert texts_of(cast, note)["plan"] == "Step 5"
    assert AuditLog.objects.filter(event_type="note.edited", object_id=note.pk).count() == 1
    assert not NoteVersion.objects.exists()


def test_a_save_that_comes_twice_or_late_changes_nothing(cast: Cast) -> None:
    note, spell = begin(cast), uuid7()
    save(cast, note, SOAP | {"plan": "newer"}, 1, spell, 2)
    late = save(cast, note, SOAP | {"plan": "older"}, 1, spell, 1)
    again = save(cast, note, SOAP | {"plan": "newer"}, 1, spell, 2)
    assert (late.outcome, again.outcome) == ("known", "known")
    assert texts_of(cast, note)["plan"] == "newer"


def test_what_a_page_that_was_gone_back_to_says_anew_is_kept(cast: Cast) -> None:
    """Without a script a page says the same number each time that it is sent."""
    note, page = begin(cast), uuid7()
    save(cast, note, SOAP | {"plan": "one"}, 1, page)
    other = save(cast, note, SOAP | {"plan": "two"}, 1, page)
    assert (other.outcome, texts_of(cast, note)["plan"]) == ("conflict", "one")
    assert NoteVersion.objects.get().kind == "conflict"
    earlier = note.occurred_at - timedelta(hours=2)
    moved = save(cast, note, SOAP | {"plan": "one"}, 1, page, occurred_at=earlier)
    assert (moved.outcome, moved.note.occurred_at) == ("saved", earlier)
    assert moved.note.version == other.note.version + 1


def test_two_pages_at_once_lose_nothing_and_the_writer_chooses(cast: Cast) -> None:
    note, laptop, phone = begin(cast), uuid7(), uuid7()
    save(cast, note, SOAP | {"plan": "from the laptop"}, 1, laptop)
    both = save(cast, note, SOAP | {"plan": "from the phone"}, 1, phone)
    assert both.outcome == "conflict"
    assert texts_of(cast, note)["plan"] == "from the laptop"
    save(cast, note, SOAP | {"plan": "from the phone"}, 1, phone, 2)
    kept = NoteVersion.objects.get()
    assert kept.kind == "conflict"
    chosen = save(cast, note, SOAP | {"plan": "both"}, both.note.version, phone, 3)
    assert chosen.outcome == "saved"
    assert texts_of(cast, note)["plan"] == "both"
    actor = staff(cast.alice)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        rows = queries.versions_of(Note.objects.get())
        context.open(rows, ["sections"])
        plans = {row.kind: row.sections["plan"] for row in rows}
    assert plans == {"spell": "from the laptop", "conflict": "from the phone"}


def test_words_that_come_after_the_signature_are_kept_beside_the_note(cast: Cast) -> None:
    note = written(cast)
    sign(cast, note, note.version)
    late = save(cast, note, SOAP | {"plan": "typed on the train"}, note.version, uuid7())
    assert late.outcome == "signed"
    assert NoteVersion.objects.filter(kind="conflict").count() == 1
    assert texts_of(cast, note)["plan"] == SOAP["plan"]


def test_a_note_is_signed_as_it_was_read_and_never_incomplete(cast: Cast) -> None:
    note = begin(cast)
    first = save(cast, note, SOAP, 1, uuid7()).note
    with pytest.raises(InputRefused, match="date of the next contact"):
        sign(cast, note, first.version)
    ready = save(cast, note, SOAP, first.version, uuid7(), follow_up_on=date(2099, 1, 1)).note
    with pytest.raises(RuleBroken, match="saved again"):
        sign(cast, note, first.version)
    done = sign(cast, note, ready.version)
    assert done.signed_at is not None and len(bytes(done.content_hash or b"")) == 34
    assert AuditLog.objects.filter(event_type="note.signed", object_id=note.pk).exists()
    assert is_intact(Note.objects.get(), texts_of(cast, note)) is True
    assert is_intact(Note.objects.get(), SOAP | {"plan": "another"}) is False


def test_at_medium_and_above_the_risk_is_stated_and_the_level_kept(cast: Cast) -> None:
    finish_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9",
        answers={f"q{number}": 3 for number in range(1, 10)},
    )  # fmt: skip
    note = written(cast)
    with pytest.raises(InputRefused, match="state the risk"):
        sign(cast, note, note.version)
    done = signed(cast, risk_statement="Thoughts, no plan, no means.")
    assert isinstance(done, Note) and done.level_at_signing in ("medium", "high", "critical")


@pytest.mark.parametrize(
    "change",
    ["plan = NULL", "follow_up_on = now()", "signed_at = now()", "status = 'draft', signed_at = NULL,"
     " content_hash = NULL", "author_id = author_id, note_type = 'crisis'", "content_hash = '\\x00'"],
)  # fmt: skip
def test_no_sql_of_the_application_changes_a_signed_note(cast: Cast, change: str) -> None:
    note = signed(cast)
    with pytest.raises(DatabaseError, match="keeps what was signed"), transaction.atomic():
        connection.cursor().execute(f"UPDATE clinical_note SET {change} WHERE id = %s", [note.pk])  # noqa: S608
    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute("DELETE FROM clinical_note WHERE id = %s", [note.pk])


def test_addenda_and_process_notes_are_as_fixed_once_they_are_signed(cast: Cast) -> None:
    note, process = signed(cast), signed(cast, PROCESS)
    actor, where = staff(cast.alice), {"patient_id": cast.patient.pk, "note_id": note.pk}
    write_addendum(actor=actor, text="The sister called.", **where)
    write_addendum(actor=actor, text="The sister called at noon.", version=1, **where)
    added = sign_addendum(actor=actor, version=2, **where)
    for table, row in (("noteaddendum", added), ("psychotherapynote", process)):
        with pytest.raises(DatabaseError, match="keeps what was signed"), transaction.atomic():
            connection.cursor().execute(
                f"UPDATE clinical_{table} SET signed_at = now() WHERE id = %s",  # noqa: S608
                [row.pk],
            )
    with pytest.raises(RuleBroken, match="no addendum"):
        sign_addendum(actor=actor, version=2, **where)


def test_others_see_that_there_is_a_draft_and_not_a_word_of_it(cast: Cast) -> None:
    join(cast, cast.bob)
    note = written(cast)
    actor = staff(cast.bob)
    with reading(actor, purpose="treatment", permission=CHART):
        who = queries.reader(actor, cast.patient.pk, makers.now())
        assert [one.pk for one in queries.listed(who).notes] == [note.pk]
        with pytest.raises(NotFound):
            queries.note(who, note.pk)
    with pytest.raises(NotFound):
        save(cast, note, SOAP, note.version, uuid7(), user=cast.bob)
    with pytest.raises(NotFound):
        sign(cast, note, note.version, user=cast.bob)


def test_a_process_note_is_there_for_its_author_and_for_nobody_else(cast: Cast) -> None:
    join(cast, cast.bob)
    join(cast, cast.sam, "supervisor")
    note = signed(cast, PROCESS, free_text="Countertransference.")
    assert isinstance(note, PsychotherapyNote) and note.sensitivity_labels == ["PSYTHPN"]
    assert texts_of(cast, note)["free_text"] == "Countertransference."
    for user in (cast.bob, cast.sam):
        actor = staff(user)
        with reading(actor, purpose="treatment", permission=CHART):
            who = queries.reader(actor, cast.patient.pk, makers.now())
            found = queries.listed(who)
            assert (found.notes, found.withheld) == ([], 0)
            with pytest.raises(NotFound):
                queries.note(who, note.pk)
        with pytest.raises(NotFound):
            write_addendum(actor=actor, patient_id=cast.patient.pk, note_id=note.pk, text="Mine.")


@pytest.mark.parametrize(
    ("label", "team_reads"), [("R", True), ("HIV", True), ("GBV", True), ("V", False), ("SUD_PART2", False)]
)
def test_labels_decide_who_of_the_team_reads_a_note(cast: Cast, label: str, *, team_reads: bool) -> None:
    join(cast, cast.bob)
    note = signed(cast)
    label_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, labels=[label])
    actor = staff(cast.bob)
    with reading(actor, purpose="treatment", permission=CHART):
        who = queries.reader(actor, cast.patient.pk, makers.now())
        found = queries.listed(who)
        assert (len(found.notes), found.withheld) == ((1, 0) if team_reads else (0, 1))
    assert texts_of(cast, note)["plan"] == SOAP["plan"]


def test_part_2_opens_to_the_team_when_the_person_agreed_and_shuts_when_they_take_it_back(cast: Cast) -> None:
    join(cast, cast.bob)
    note = signed(cast)
    label_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, labels=["SUD_PART2"])
    for granted in (True, False):
        makers.consent(cast.patient, "part2_tpo", granted=granted)
        actor = staff(cast.bob)
        with reading(actor, purpose="treatment", permission=CHART):
            who = queries.reader(actor, cast.patient.pk, makers.now())
            assert len(queries.listed(who).notes) == granted


def test_a_consultation_opens_no_labelled_note(cast: Cast) -> None:
    plain, restricted = signed(cast), signed(cast, "session_note")
    label_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=restricted.pk, labels=["R"])
    makers.grant(cast.patient, cast.bob, permission=CHART)
    actor = staff(cast.bob)
    with reading(actor, purpose="treatment", permission=CHART):
        found = queries.listed(queries.reader(actor, cast.patient.pk, makers.now()))
    assert ([one.pk for one in found.notes], found.withheld) == ([plain.pk], 1)


def test_a_trainee_s_note_waits_for_the_supervisor_of_the_team(cast: Cast) -> None:
    StaffProfile.objects.create(organization=cast.home, user=cast.alice, is_trainee=True)
    note = signed(cast)
    assert isinstance(note, Note) and note.waits_for_cosign
    where = {"patient_id": cast.patient.pk, "note_id": note.pk}
    with pytest.raises(RuleBroken, match="supervisor"):
        cosign_note(actor=staff(cast.alice), **where)
    with pytest.raises(NotFound):
        cosign_note(actor=staff(cast.sam), **where)
    join(cast, cast.sam, "supervisor")
    label_note(actor=staff(cast.alice), labels=["V"], **where)
    with reading(staff(cast.sam), purpose="treatment", permission=CHART):
        assert [one.pk for one in queries.desk(staff(cast.sam), makers.now()).to_cosign] == [note.pk]
    done = cosign_note(actor=staff(cast.sam), **where)
    assert done.cosigned_by == cast.sam
    with pytest.raises(DatabaseError, match="keeps what was signed"), transaction.atomic():
        connection.cursor().execute("UPDATE clinical_note SET cosigned_at = now()")
    with pytest.raises(RuleBroken, match="no other signature"):
        cosign_note(actor=staff(cast.sam), **where)


def test_three_days_unsigned_is_a_task_of_the_author_and_signing_ends_it(cast: Cast) -> None:
    note = written(cast)
    backdate(note, days=4)
    remind_unsigned()
    remind_unsigned()
    item = ReviewItem.objects.get(reason_code="note_unsigned")
    assert (item.owner_id, item.source_id, item.done_at) == (cast.alice.pk, note.pk, None)
    assert remind_author(actor=makers.machine(cast.home), row_id=note.pk) is None
    sign(cast, note, note.version)
    item.refresh_from_db()
    assert item.done_at is not None


def backdate(note: AnyNote, *, days: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE clinical_note SET created_at = now() - %s * interval '1 day' WHERE id = %s",
            [days, note.pk],
        )


def test_after_seven_days_a_supervisor_sees_that_it_waits_and_not_what_it_says(cast: Cast) -> None:
    young, old = written(cast), written(cast, "session_note")
    backdate(young, days=6)
    backdate(old, days=8)
    found = late([cast.home.pk], makers.now())
    assert [one.pk for one in found.unsigned] == [old.pk]
    assert late([cast.elsewhere.pk], makers.now()).unsigned == []


def test_a_note_about_a_session_begins_with_its_times_and_measures_and_nothing_thought(cast: Cast) -> None:
    at = makers.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)
    session = makers.make_session(
        cast.patient,
        kind="therapy",
        started_at=at,
        ended_at=at + timedelta(minutes=50),
        duration_seconds=3000,
        channel="in_person",
    )
    finish_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key="gad7",
        answers={f"q{number}": 1 for number in range(1, 8)}, administered_at=at - timedelta(days=2),
    )  # fmt: skip
    note = begin(cast, session_id=session.pk)
    texts = texts_of(cast, note)
    assert "(50 min)" in texts["objective"] and "GAD-7 7 of 21 (mild)" in texts["objective"]
    assert (texts["subjective"], texts["assessment"], texts["plan"]) == ("", "", "")
    assert note.occurred_at == at
    assert begin(cast, session_id=session.pk).pk == note.pk
    with pytest.raises(NotFound):
        begin(cast, session_id=uuid7())


def test_a_discarded_draft_asks_for_nothing_any_more(cast: Cast) -> None:
    note = written(cast)
    discard_draft(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk)
    with pytest.raises(RuleBroken, match="no draft"):
        sign(cast, note, note.version)
    with reading(staff(cast.alice), purpose="treatment", permission=CHART):
        assert queries.desk(staff(cast.alice), makers.now()).own == []
    assert begin(cast).pk != note.pk


def test_shared_texts_are_a_supervisor_s_and_one_s_own_are_one_s_own(cast: Cast) -> None:
    phrase = {"title": "Safety net", "note_type": "", "sections": {"text": "Knows the crisis line."}}
    save_block(actor=staff(cast.alice), **phrase)  # type: ignore[arg-type]
    with pytest.raises(InputRefused, match="supervisor"):
        save_block(actor=staff(cast.alice), is_shared=True, **phrase)  # type: ignore[arg-type]
    save_block(actor=staff(cast.sam), is_shared=True, **phrase)  # type: ignore[arg-type]
    with pytest.raises(InputRefused, match="say or think"):
        save_block(actor=staff(cast.sam), title="No", note_type="soap", sections={"assessment": "Always."})
    assert len(queries.blocks(cast.alice)) == 2
    assert len(queries.blocks(cast.bob)) == 1


def test_a_save_opens_nothing_and_a_reading_leaves_its_row(cast: Cast) -> None:
    note, spell = begin(cast), uuid7()
    save(cast, note, SOAP, 1, spell)
    before = PhiAccessLog.objects.count()
    save(cast, note, SOAP | {"plan": "More."}, 2, spell, 2)
    assert PhiAccessLog.objects.count() == before
    texts_of(cast, note)
    assert PhiAccessLog.objects.count() == before + 1


def test_a_stranger_can_neither_begin_nor_find_a_note(cast: Cast) -> None:
    with pytest.raises(NotFound):
        begin(cast, user=cast.bob)
