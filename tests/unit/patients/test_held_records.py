"""What legal holds pause and refuse, that it goes on after the release, and what goes on meanwhile."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from clinical.assessments.actions import begin_assessment, finish_assessment, give_up
from clinical.assessments.models import AssessmentDraft
from clinical.sessions.actions import log_entry, start_session, take_back_entry
from cortex.accounts.models import User
from cortex.audit import RuleBroken
from cortex.ops.models import RetentionRun
from patients.contacts.actions import add_contact, correct_contact, retire_contact
from patients.registry.actions import update_patient
from patients.registry.models import Patient
from patients.registry.person import EmergencyContact, LastLocation
from patients.registry.records import ContactData
from patients.sessions.models import SessionActivity, VoiceSession
from patients.sessions.records import Batch, LocationData
from patients.upkeep.actions import purge_places, purge_voice
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.patients.holding import hold, release, trail

pytestmark = pytest.mark.django_db
NOW = makers.now()
DAY = timedelta(days=1)


# What it pauses


def purge(cast: Cast, at: datetime) -> Any:
    done = purge_voice(actor=makers.machine(cast.home, "retention"), at=at)
    makers.scope_all()
    return done


def test_the_purge_of_words_waits_counts_them_and_goes_on_after_the_release(
    cast: Cast, cora: User, odo: User
) -> None:
    other = makers.make_patient(cast.home)
    kept = makers.make_voice(cast.patient, received_at=NOW)
    makers.make_voice(other, received_at=NOW)
    one = hold(cast, cora)
    done = purge(cast, NOW + 15 * DAY)
    assert (done.scanned, done.deleted, done.held) == (2, 1, 1)
    assert VoiceSession.objects.holding_words().get() == kept
    run = RetentionRun.objects.latest("id")
    assert (run.deleted, run.held) == (1, 1)
    assert trail("voice.purged")[-1].codes["held"] == 1
    release(one, odo)
    done = purge(cast, NOW + 15 * DAY)
    assert (done.deleted, done.held) == (1, 0)
    assert not VoiceSession.objects.holding_words().exists()


def test_the_last_place_stays_and_leaves_after_the_release(cast: Cast, cora: User, odo: User) -> None:
    actor, other = makers.machine(cast.home), makers.make_patient(cast.home)
    for who in (cast.patient, other):
        place = LocationData(who.pk, cast.home.pk, NOW, place={"text": "Market"}, seen_at=NOW)
        makers.store(actor=actor, patient=who, sessions=[], batch=Batch(locations=[place]))
    makers.scope_all()
    one = hold(cast, cora, record_kinds=["person"])
    assert purge_places(actor=actor, at=NOW + 2 * DAY) == 1
    makers.scope_all()
    assert LastLocation.objects.get().patient_id == cast.patient.pk
    assert trail("place.purged")[-1].codes == {"deleted": 1, "held": 1}
    release(one, odo)
    assert purge_places(actor=actor, at=NOW + 2 * DAY) == 1


# What it refuses, and what goes on


def test_answers_under_way_are_not_thrown_away_yet_they_are_finished(
    cast: Cast, cora: User, odo: User
) -> None:
    who: dict[str, Any] = {"actor": staff(cast.alice), "patient_id": cast.patient.pk, "key": "gad7"}
    begin_assessment(**who)
    one = hold(cast, cora, record_kinds=["measures"])
    with pytest.raises(RuleBroken, match="it can't be deleted until it is released") as refused:
        give_up(**who)
    assert refused.value.code == "legal_hold"
    makers.scope_all()
    assert AssessmentDraft.objects.exists() and not trail("measure.given_up")
    finish_assessment(**who, answers={f"q{number}": 0 for number in range(1, 8)})
    begin_assessment(**who)
    release(one, odo)
    assert give_up(**who) == 1


def test_an_entry_of_a_session_is_not_taken_back_yet_more_is_logged(
    cast: Cast, cora: User, odo: User
) -> None:
    actor = staff(cast.alice)
    session = start_session(actor=actor, patient_id=cast.patient.pk, channel="video")
    who: dict[str, Any] = {"actor": actor, "patient_id": cast.patient.pk, "session_id": session.pk}
    slip = log_entry(**who, kind="interaction", text="slip")
    one = hold(cast, cora, record_kinds=["sessions"])
    with pytest.raises(RuleBroken, match="A legal hold keeps this record"):
        take_back_entry(**who, entry_id=slip.pk)
    log_entry(**who, kind="interaction", text="This was a slip.")
    makers.scope_all()
    assert SessionActivity.objects.filter(session=session).count() == 2
    release(one, odo)
    take_back_entry(**who, entry_id=slip.pk)


def change(cast: Cast, **changes: Any) -> Patient:
    done = update_patient(actor=staff(cast.ada), patient_id=cast.patient.pk, changes=changes)
    makers.scope_all()
    return done


def test_who_somebody_is_stays_as_it_is_and_how_to_reach_them_is_put_right(
    cast: Cast, cora: User, odo: User
) -> None:
    change(cast, middle_name=None, phone="+254700000001")
    one = hold(cast, cora, record_kinds=["person"], covers_until=date(2020, 1, 1))
    for lost in ({"given_name": "Other"}, {"family_name": None}, {"phone": ""}, {"email": None}):
        with pytest.raises(RuleBroken, match="A legal hold keeps who this person is"):
            change(cast, **lost)
    makers.scope_all()
    change(cast, middle_name="Filled", phone="+254700000002", timezone="Africa/Kampala")
    assert makers.opened(Patient.objects.get(pk=cast.patient.pk), "phone") == "+254700000002"
    release(one, odo)
    change(cast, given_name="Other")


def test_a_contact_is_not_written_over_yet_retired_and_added_anew(cast: Cast, cora: User, odo: User) -> None:
    row = EmergencyContact.objects.get(patient=cast.patient)
    data = ContactData(name="Somebody else", phone="+254700000001")
    who: dict[str, Any] = {"actor": staff(cast.alice), "patient": cast.patient}
    one = hold(cast, cora, record_kinds=["person"])
    with pytest.raises(RuleBroken, match="Retire it and add the right one"):
        correct_contact(**who, contact_id=row.pk, seen=row.updated_at, data=data, place=1)
    retire_contact(**who, contact_id=row.pk, seen=row.updated_at)
    added = add_contact(**who, data=data)
    makers.scope_all()
    assert makers.opened(EmergencyContact.objects.get(pk=row.pk), "name") != data.name
    release(one, odo)
    correct_contact(
        **who, contact_id=added.pk, seen=added.updated_at, place=1,
        data=ContactData(name="A third", phone="+254700000001"),
    )  # fmt: skip


def test_a_hold_of_other_records_refuses_none_of_it(cast: Cast, cora: User) -> None:
    hold(cast, cora, record_kinds=["documents"])
    who: dict[str, Any] = {"actor": staff(cast.alice), "patient_id": cast.patient.pk, "key": "gad7"}
    begin_assessment(**who)
    assert give_up(**who) == 1
    change(cast, given_name="Other")
