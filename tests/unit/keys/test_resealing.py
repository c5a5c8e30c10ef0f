"""People's rows move to a newer version of their key while the desk works; the empty old one ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from cortex.access.context import opening, reading
from cortex.audit.actors import system
from cortex.audit.machine import action, record
from cortex.audit.models import AuditLog
from cortex.crypto.errors import KeyDestroyed
from cortex.crypto.keys import DataKey
from cortex.keys import store
from cortex.keys.cache import cache
from cortex.keys.models import SubjectKey
from cortex.keys.proof.queries import prove
from cortex.keys.queries import data_keys, pick
from cortex.keys.resealing import actions, queries, rounds
from cortex.keys.resealing.actions import Resealed, ResealRefused
from crisis.alerts.models import AlertEvent
from crisis.casework.actions import add_note
from patients.privacy.models import Consent
from patients.registry.models import Patient
from patients.sessions.messages import Message
from patients.sessions.records import Batch, MessageData
from tests import makers, stores
from tests.cast import Cast

ACTOR = system("keys")
GUARDIAN = "Mother Fictional"
APPEND_ONLY = {
    "clinical.Document", "clinical.DocumentChunk", "clinical.FindingReview", "clinical.Note",
    "clinical.NoteAddendum", "clinical.NoteVersion", "clinical.PlanApproval", "clinical.PlanReview",
    "clinical.PlanVersion", "clinical.PsychotherapyNote", "clinical.PsychotherapyNoteAddendum",
    "clinical.PsychotherapyNoteVersion", "crisis.AlertEvent", "crisis.FollowUpAttempt",
    "crisis.FollowUpCheck", "crisis.SafetyPlanItem", "crisis.WelfareDecision", "patients.CareEnding",
    "patients.Consent", "patients.LegalHold",
}  # fmt: skip


def let_settle(_: float = 0) -> None:
    """Make every version old enough for every process to have met it."""
    SubjectKey.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    cache.forget()


@pytest.fixture
def rested(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it when the hour without a change is over."""

    def rest() -> None:
        monkeypatch.setattr(queries, "REST", timedelta(0))

    return rest


def walk(
    *people: UUID, again: bool = False, destroy: bool = True, said: Callable[[str], object] = lambda _: None
) -> rounds.Walk:
    """Walk as the system role; `again` only goes on."""
    age = None if again else timedelta(0)
    with stores.role("cortex_system"):
        return rounds.walk(
            actor=ACTOR, people=people, older_than=age, destroy=destroy, batch=5, say=said, sleep=let_settle
        )


def left(*people: UUID) -> dict[str, int]:
    with stores.role("cortex_system"):
        return queries.left(people, 2)


def versions(subject: UUID) -> dict[int, bool]:
    """Whether each version of somebody's key lives."""
    rows = SubjectKey.objects.filter(subject=subject).values_list("version", "destroyed_at")
    return {version: destroyed is None for version, destroyed in rows}


def key_of(subject: UUID, version: int) -> DataKey:
    return pick({key.version: key for key in data_keys([subject])[subject]}, subject, version)


@pytest.fixture
def busy_person(cast: Cast) -> Patient:
    """A person with rows of every kind of guard: messages, a note on an alert, a guardian's name."""
    alert = cast.claimed_alert()
    add_note(actor=makers.staff(cast.cleo), alert_id=alert.pk, note="She sounds tired.")
    makers.consent(cast.patient, "research", guardian=GUARDIAN)
    for number in range(8):
        makers.make_message(cast.patient, f"words {number}")
    return cast.patient


def test_every_sealed_table_says_by_a_column_whose_rows_it_holds(cast: Cast) -> None:
    guards = {place.label: place.guard for place in queries.places()}
    assert guards["patients.Message"] == "" and guards["audit.AuditLog"] == "kept"
    assert {label for label, guard in guards.items() if guard == "erasable"} == APPEND_ONLY
    for place in queries.places():
        assert queries.behind(place, [cast.patient.pk], 1).count() == 0


@pytest.mark.django_db
def test_all_rows_of_a_person_move_append_only_ones_too_and_the_old_version_ends_when_it_is_empty(
    busy_person: Patient, cast: Cast, rested: Callable[[], None]
) -> None:
    person = busy_person.pk
    assert left(person)["crisis.AlertEvent"] == 1 and left(person)["patients.Consent"] == 1
    before = {row.pk: bytes(row.__dict__["content"].blob) for row in Message.objects.filter(patient=person)}
    found = walk(person)
    assert found.begun == 1 and not found.unopened and not found.held
    assert found.rows["patients.Message"] == 8 and found.rows["crisis.AlertEvent"] == 1
    assert left(person) == {} and versions(person) == {1: True, 2: True}
    told = AuditLog.objects.filter(event_type="key.resealed", subject=person)
    assert sum(row.codes["rows"] for row in told) == sum(found.rows.values())
    # Nobody else's key or row was touched.
    assert versions(cast.stranger.pk) == {1: True}

    # Not before the hour is over.
    assert walk(again=True).retired == 0 and versions(person)[1]
    rested()
    # Only when asked to.
    assert walk(again=True, destroy=False).resting == 1 and versions(person)[1]
    again = walk(again=True)
    assert again.retired == 1 and again.resting == 0 and not again.rows
    assert versions(person) == {1: False, 2: True}
    codes = AuditLog.objects.get(event_type="key.versions_destroyed", subject=person).codes
    assert codes == {"older_than": 2}
    cache.forget()
    makers.scope_all()
    with stores.role("cortex_system"):
        assert prove().holds
        rows = list(Message.objects.filter(patient=person).order_by("pk"))
    assert all(bytes(row.__dict__["content"].blob) != before[row.pk] for row in rows)
    assert [makers.opened(row, "content") for row in rows] == [f"words {number}" for number in range(8)]
    with transaction.atomic():
        makers.scope_all()
        note = AlertEvent.objects.get(note__isnull=False, sealed_for=person)
        consent = Consent.objects.get(guardian__isnull=False)
    assert makers.opened(note, "note") == "She sounds tired."
    assert makers.opened(consent, "guardian") == GUARDIAN
    # What was sealed before opens by nothing any more: rows of an old backup are named.
    with pytest.raises(KeyDestroyed):
        key_of(person, 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE patients_message SET content = %s WHERE id = %s", [before[rows[0].pk], rows[0].pk]
        )
    with stores.role("cortex_system"):
        proof = prove()
    assert not proof.holds and proof.keyless == [f"patients.Message.content: version 1 of subject {person}"]


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_holds_is_passed_over_and_its_newer_value_stays(
    busy_person: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = busy_person.pk
    monkeypatch.setattr(rounds, "TRIES", 1)
    with stores.role("cortex_system"):
        row = Message.objects.filter(patient=person).first()
    assert row is not None
    field: Any = Message._meta.get_field("content")
    old = key_of(person, 1)
    locked, go = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with stores.role("cortex_system"), transaction.atomic():
                held = Message.objects.select_for_update().get(pk=row.pk)
                locked.set()
                go.wait(60)
                sealed = field.seal("newer words", pk=held.pk, subject=person, key=old)
                Message.objects.filter(pk=held.pk).update(content=sealed)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(30)
    try:
        found = walk(person)
        assert found.held == {"patients.Message": 1} and found.rows["patients.Message"] == 7
        assert left(person) == {"patients.Message": 1}
    finally:
        go.set()
        holder.join()
    assert walk(again=True).rows == {"patients.Message": 1} and left(person) == {}
    with stores.role("cortex_system"):
        row = Message.objects.get(pk=row.pk)
    assert makers.opened(row, "content") == "newer words"


@pytest.mark.django_db
def test_a_row_written_back_by_its_old_bytes_keeps_the_old_version_alive_until_it_is_met_again(
    busy_person: Patient, rested: Callable[[], None]
) -> None:
    person = busy_person.pk
    with stores.role("cortex_system"):
        stale = Message.objects.filter(patient=person).first()
        assert stale is not None
    walk(person)
    with stores.role("cortex_system"):
        stale.save(update_fields=["content"])
        assert left(person) == {"patients.Message": 1}
        rested()
        with stores.role("cortex_system"):
            assert actions.retire_versions(actor=ACTOR, subjects=[person], version=2) == 0
    assert versions(person)[1]
    found = walk(again=True)
    assert found.rows == {"patients.Message": 1} and found.retired == 1


@pytest.mark.django_db
def test_a_value_that_does_not_open_is_named_and_keeps_the_old_version(
    busy_person: Patient, as_system: None, rested: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = busy_person.pk
    broken = Message.objects.filter(patient=person).first()
    assert broken is not None
    blob = broken.__dict__["content"].blob
    with connection.cursor() as cursor:
        changed = blob[:-1] + bytes([blob[-1] ^ 1])
        cursor.execute("UPDATE patients_message SET content = %s WHERE id = %s", [changed, broken.pk])
    rested()
    monkeypatch.setattr(rounds.walk, "__kwdefaults__", {"sleep": let_settle})
    out = StringIO()
    with pytest.raises(CommandError, match="the old ones stay"):
        call_command("keys", "reseal", "--patient", str(person), stdout=out)
    assert f"patients.Message {broken.pk}: " in out.getvalue()
    assert versions(person) == {1: True, 2: True} and queries.left([person], 2) == {"patients.Message": 1}
    with connection.cursor() as cursor:
        cursor.execute("UPDATE patients_message SET content = %s WHERE id = %s", [blob, broken.pk])
    out = StringIO()
    call_command("keys", "reseal", "--destroy", stdout=out)
    assert "1 rows sealed anew" in out.getvalue() and "0 left" in out.getvalue()
    assert versions(person) == {1: False, 2: True}


@pytest.mark.django_db
def test_who_does_not_see_every_row_ends_no_version(cast: Cast) -> None:
    with pytest.raises(ResealRefused):
        actions.retire_versions(actor=ACTOR, subjects=[cast.patient.pk], version=2)
    with pytest.raises(CommandError, match="sees every row"):
        call_command("keys", "reseal", "--patient", str(cast.patient.pk), stdout=StringIO())


@pytest.mark.django_db
def test_age_chooses_and_nobody_gets_two_versions_at_once(cast: Cast, as_system: None) -> None:
    SubjectKey.objects.filter(subject=cast.patient.pk).update(created_at=timezone.now() - timedelta(days=400))
    assert list(queries.with_one_version(older_than=timedelta(days=365))) == [cast.patient.pk]
    assert actions.begin_version(actor=ACTOR, subject_id=cast.patient.pk) == 2
    assert actions.begin_version(actor=ACTOR, subject_id=cast.patient.pk) == 0
    assert [one.subject for one in queries.waiting()] == [cast.patient.pk]
    store.erase_material(cast.patient.pk)
    assert queries.waiting() == [] and cast.patient.pk not in queries.with_one_version()


@pytest.mark.django_db(transaction=True)
def test_a_killed_run_goes_on_where_it_was_by_the_same_command(
    cast: Cast, child_environment: dict[str, str], tmp_path: Path
) -> None:
    session = makers.make_session(cast.patient)
    for number in range(50):
        makers.make_message(cast.patient, f"words {number}", session=session)
    with stores.role("cortex_system"):
        actions.begin_version(actor=ACTOR, subject_id=cast.patient.pk)
        let_settle()
    command = [sys.executable, "manage.py", "keys", "reseal", "--batch", "1"]
    settings = {"env": child_environment | {"CORTEX_DB_ROLE": "system"}, "cwd": stores.ROOT}
    with (tmp_path / "out").open("w") as out:
        child = subprocess.Popen(command, stdout=out, stderr=out, **settings)  # type: ignore[call-overload]
        while not AuditLog.objects.filter(codes__table="patients.Message").count() > 3:
            assert child.poll() is None, (tmp_path / "out").read_text()
            time.sleep(0.01)
        child.kill()
    assert child.wait() == -9
    rest = left(cast.patient.pk)["patients.Message"]
    assert 0 < rest <= 50
    done = subprocess.run(command, capture_output=True, text=True, **settings)  # type: ignore[call-overload]
    assert done.returncode == 0 and f"{rest} patients.Message" in done.stdout, done.stdout + done.stderr
    assert left(cast.patient.pk) == {}


@action
def write_note(*, actor: Any, patient_id: UUID, text: str) -> None:
    """Change a sealed value as the desk does: read the row, open it, write it."""
    patient = Patient.objects.select_for_update().get(pk=patient_id)
    with opening(actor, purpose="care") as context:
        context.open([patient], ["risk_notes"])
        assert patient.risk_notes is None or int(patient.risk_notes) < int(text)
        patient.risk_notes = text
        patient.save(update_fields=["risk_notes"])
    record(actor, "test.noted", patient, fields=["risk_notes"])


@pytest.fixture
def people(cast: Cast) -> Iterator[list[tuple[Patient, UUID]]]:
    """Some people with messages, and a session of each to send more in."""
    found = []
    for number in range(6):
        patient = makers.make_patient(cast.home)
        session = makers.make_session(patient)
        for _ in range(int(os.environ.get("CORTEX_EXPLORE", "8"))):
            makers.make_message(patient, f"words of {number}", session=session)
        found.append((patient, session.pk))
    yield found


@pytest.mark.django_db(transaction=True)
def test_under_load_nothing_fails_nothing_is_overwritten_and_nothing_is_left_on_the_old_version(
    cast: Cast, people: list[tuple[Patient, UUID]], rested: Callable[[], None]
) -> None:
    actor = makers.machine(cast.home)
    stop, faults, did = threading.Event(), [], Counter[str]()

    def work(job: Callable[[int], None]) -> None:
        try:
            turn = 0
            while not stop.is_set():
                job(turn)
                turn += 1
                time.sleep(0.02)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    def read(turn: int) -> None:
        patient, _ = people[turn % len(people)]
        with reading(actor, purpose="care") as look:
            rows = list(Message.objects.filter(patient=patient))
            look.open(rows, ["content"])
            assert {row.content for row in rows} == {f"words of {turn % len(people)}"}
        did["read"] += 1

    def send(turn: int) -> None:
        patient, session = people[turn % len(people)]
        at = makers.now()
        data = MessageData(
            patient.pk, patient.organization_id, at, session_id=session, role="patient", sent_at=at,
            content=f"words of {turn % len(people)}",
        )  # fmt: skip
        makers.store(actor=actor, patient=patient, sessions=[], batch=Batch(messages=[data]))
        did["sent"] += 1

    def note(turn: int) -> None:
        write_note(actor=actor, patient_id=people[turn % len(people)][0].pk, text=str(turn))
        did["noted"] = turn

    ids = [patient.pk for patient, _ in people]
    threads = [threading.Thread(target=work, args=[job]) for job in (read, send, note)]
    for one in threads:
        one.start()
    try:
        with stores.role("cortex_system"):
            # A run that was stopped after its first batch.
            for subject in ids[:3]:
                assert actions.begin_version(actor=ACTOR, subject_id=subject) == 2
            let_settle()
            made = actions.reseal_rows(actor=ACTOR, model=Message, subjects=ids[:3], version=2, limit=5)
            assert isinstance(made, Resealed) and made.done == 5
        first = walk(*ids)
        assert first.begun == 3 and sum(first.rows.values()) > 40 and not first.unopened and not first.held
        walk(*ids, again=True)
    finally:
        stop.set()
        for one in threads:
            one.join()
    assert not faults and min(did["read"], did["sent"], did["noted"]) > 3
    # Whoever sealed by the old version in the moment of the change committed since.
    walk(*ids, again=True)
    assert left(*ids) == {}
    rested()
    assert walk(*ids, again=True).retired == 6
    assert all(versions(subject) == {1: False, 2: True} for subject in ids)
    cache.forget()
    with stores.role("cortex_system"):
        assert prove().holds
        rows = list(Patient.objects.filter(pk__in=ids))
        written = list(Message.objects.filter(patient__in=ids))
    notes = [int(makers.opened(row, "risk_notes")) for row in rows]
    last = did["noted"]
    assert sorted(notes) == list(range(last - 5, last + 1))
    assert all(makers.opened(row, "content").startswith("words of ") for row in written)
