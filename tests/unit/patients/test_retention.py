"""K7: words and full features leave some days after extraction, 14 days after the start at the latest."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.crypto.errors import UnwrapError
from cortex.keys import queries as key_queries
from cortex.ops.models import RetentionRun
from crisis.alerts.models import RiskAlert
from patients.registry.models import Patient
from patients.registry.person import LastLocation
from patients.sessions import retention
from patients.sessions.extraction import scalars
from patients.sessions.models import SessionFeature, VoiceSession
from patients.upkeep.actions import extract_voice, purge_places, purge_voice
from tests import makers

NOW = makers.now()
DAY = timedelta(days=1)

TIMES = [
    (None, 7, 14),  # never extracted: the cap alone
    (0, 7, 7),
    (1, 3, 4),
    (2, 0, 2),
    (10, 7, 14),  # the cap comes first
    (20, 0, 14),  # extracted after the cap
]


@pytest.mark.parametrize(("extracted", "days", "expected"), TIMES)
def test_words_leave_by_the_earlier_of_extraction_and_cap(
    extracted: int | None, days: int, expected: int
) -> None:
    at = None if extracted is None else NOW + extracted * DAY
    assert retention.delete_after(NOW, at, days) == NOW + expected * DAY


DAYS = [({}, 7), ({"voice_retention_days": 3}, 3), ({"voice_retention_days": 0}, 0)]
DAYS += [({"voice_retention_days": 30}, 7), ({"voice_retention_days": -1}, 0)]
DAYS += [({"voice_retention_days": "2"}, 7), ({"voice_retention_days": True}, 7)]


@pytest.mark.parametrize(("settings", "expected"), DAYS)
def test_an_organization_may_keep_words_for_less_but_never_longer(
    settings: dict[str, Any], expected: int
) -> None:
    assert retention.kept_days(settings) == expected


def test_only_sane_scalars_outlive_the_features() -> None:
    features = {
        "pitch_mean": 180, "pitch_std": float("nan"), "pause_ratio": 1.5, "energy_mean": -30.5,
        "speech_rate": True, "speech_seconds": 45, "signal_ok": True, "is_ill": "no", "transcript": "words",
    }  # fmt: skip
    expected = {"pitch_mean": 180.0, "energy_mean": -30.5, "speech_seconds": 45.0, "signal_ok": True}
    assert scalars(features) == expected
    assert scalars(None) == {}


@pytest.fixture
def patient(db: None) -> Patient:
    return makers.make_patient()


def extract(patient: Patient, at: datetime) -> int:
    done = extract_voice(actor=makers.machine(patient.organization_id, "extraction"), at=at)
    makers.scope_all()
    return done


def purge(patient: Patient, at: datetime, **values: Any) -> Any:
    result = purge_voice(actor=makers.machine(patient.organization_id, "retention"), at=at, **values)
    makers.scope_all()
    return result


def test_extraction_copies_scalars_sets_the_times_and_is_logged(patient: Patient) -> None:
    voice = makers.make_voice(patient, received_at=NOW)
    assert voice.delete_after == NOW + 14 * DAY
    assert extract(patient, NOW + timedelta(minutes=1)) == 1
    voice.refresh_from_db()
    assert voice.patterns_extracted and voice.processed
    assert voice.delete_after == NOW + timedelta(minutes=1) + 7 * DAY
    feature = SessionFeature.objects.get(session_id=voice.pk)
    assert (feature.pitch_mean, feature.pause_ratio) == (180.5, 0.2)
    audit = AuditLog.objects.filter(event_type="voice.extracted").latest("id")
    assert audit.codes == {"sessions": [str(voice.pk)]}
    assert PhiAccessLog.objects.filter(data_type="voice_features", subject=patient.pk).exists()
    assert extract(patient, NOW + timedelta(minutes=2)) == 0


def test_new_words_after_the_extraction_are_extracted_again(patient: Patient) -> None:
    from patients.sessions.records import Batch, VoiceData

    voice = makers.make_voice(patient, None, received_at=NOW)
    extract(patient, NOW)
    base = {"patient_id": patient.pk, "organization_id": patient.organization_id, "received_at": NOW}
    late = VoiceData(**base, session_id=voice.pk, started_at=NOW, transcript="late words")
    actor = makers.machine(patient.organization_id)
    makers.store(actor=actor, patient=patient, sessions=[], batch=Batch(voices=[late]))
    voice.refresh_from_db()
    assert not voice.patterns_extracted
    assert extract(patient, NOW + DAY) == 1
    assert SessionFeature.objects.count() == 1


def test_one_unreadable_session_is_marked_and_costs_no_other(patient: Patient) -> None:
    spoilt, good = makers.make_voice(patient, received_at=NOW), makers.make_voice(patient, received_at=NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE patients_voicesession SET voice_features = set_byte(voice_features, 30, "
            "255 - get_byte(voice_features, 30)) WHERE session_id = %s", [spoilt.pk],
        )  # fmt: skip
    assert extract(patient, NOW) == 2
    spoilt.refresh_from_db()
    good.refresh_from_db()
    assert (spoilt.patterns_extracted, spoilt.extraction_error) == (False, "DecryptError")
    assert (good.patterns_extracted, good.extraction_error) == (True, "")
    audit = AuditLog.objects.filter(event_type="voice.extracted").latest("id")
    assert (audit.outcome, audit.codes["unreadable"]) == ("data_loss", [str(spoilt.pk)])
    assert extract(patient, NOW + DAY) == 0
    assert purge(patient, NOW + 15 * DAY).lost == 1


def test_a_session_whose_key_cannot_be_had_now_waits_unmarked(patient: Patient, monkeypatch: Any) -> None:
    other = makers.make_patient(patient.organization)
    waiting, good = makers.make_voice(patient, received_at=NOW), makers.make_voice(other, received_at=NOW)
    real = key_queries.data_keys

    def choosy(subjects: Any) -> Any:
        if patient.pk in subjects:
            raise UnwrapError("no master key")
        return real(subjects)

    monkeypatch.setattr(key_queries, "data_keys", choosy)
    assert extract(patient, NOW) == 1
    waiting.refresh_from_db()
    good.refresh_from_db()
    assert (waiting.patterns_extracted, waiting.extraction_error) == (False, "")
    assert good.patterns_extracted
    monkeypatch.setattr(key_queries, "data_keys", real)
    assert extract(patient, NOW + DAY) == 1


def test_words_stay_until_their_time_and_leave_then_once(patient: Patient) -> None:
    voice = makers.make_voice(patient, received_at=NOW)
    extract(patient, NOW)
    assert purge(patient, NOW + 7 * DAY - timedelta(seconds=1)).deleted == 0
    assert not RetentionRun.objects.exists()
    assert purge(patient, NOW + 7 * DAY).deleted == 1
    voice.refresh_from_db()
    assert voice.__dict__["transcript_encrypted"] is None and voice.__dict__["voice_features"] is None
    assert voice.purged_at == NOW + 7 * DAY and voice.transcript_hash is None
    assert voice.session.status and SessionFeature.objects.filter(session_id=voice.pk).exists()
    assert purge(patient, NOW + 8 * DAY).scanned == 0
    run = RetentionRun.objects.get()
    assert (run.scanned, run.deleted, run.held, run.errors, run.is_dry_run) == (1, 1, 0, 0, False)


def test_an_organization_that_keeps_words_for_no_day_loses_them_at_once(patient: Patient) -> None:
    patient.organization.settings = {"voice_retention_days": 0}
    patient.organization.save()
    makers.make_voice(patient, received_at=NOW)
    extract(patient, NOW)
    assert purge(patient, NOW).deleted == 1


def test_the_cap_holds_when_the_extraction_failed_and_the_loss_is_on_record(patient: Patient) -> None:
    voice = makers.make_voice(patient, received_at=NOW)
    assert purge(patient, NOW + 14 * DAY - timedelta(seconds=1)).deleted == 0
    result = purge(patient, NOW + 14 * DAY)
    assert (result.deleted, result.lost) == (1, 1)
    assert RetentionRun.objects.get().errors == 1
    audit = AuditLog.objects.filter(event_type="voice.purged").latest("id")
    assert audit.outcome == "data_loss" and audit.codes["lost"] == [str(voice.pk)]


def test_a_dry_run_counts_and_leaves_everything(patient: Patient) -> None:
    voice = makers.make_voice(patient, received_at=NOW)
    result = purge(patient, NOW + 15 * DAY, is_dry_run=True)
    assert (result.scanned, result.deleted) == (1, 0)
    assert VoiceSession.objects.holding_words().get() == voice
    run = RetentionRun.objects.get()
    assert run.is_dry_run and run.deleted == 0


def test_a_batch_never_takes_more_than_its_limit_and_says_that_there_is_more(patient: Patient) -> None:
    for _ in range(3):
        makers.make_voice(patient, received_at=NOW)
    first = purge(patient, NOW + 15 * DAY, limit=2)
    assert (first.deleted, first.is_last) == (2, False)
    second = purge(patient, NOW + 15 * DAY, limit=2)
    assert (second.deleted, second.is_last) == (1, True)


def test_a_hold_pauses_the_purge_and_is_counted(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    other = makers.make_patient(patient.organization)
    held = makers.make_voice(patient, received_at=NOW)
    makers.make_voice(other, received_at=NOW)
    holds = {"open_alert": lambda at: Q(patient_id=patient.pk)}
    monkeypatch.setattr("patients.upkeep.actions.HOLDS", holds)
    result = purge(patient, NOW + 20 * DAY)
    assert (result.deleted, result.held) == (1, 1)
    assert VoiceSession.objects.holding_words().get() == held
    assert purge(patient, NOW + 20 * DAY).is_last


def test_words_stay_while_an_alert_about_their_person_is_open_and_leave_after_it(patient: Patient) -> None:
    linked, other = (makers.make_patient(patient.organization) for _ in range(2))
    Patient.objects.filter(pk=linked.pk).update(merged_into=patient)
    words = {one.pk: makers.make_voice(one, received_at=NOW) for one in (patient, linked, other)}
    alert = makers.make_alert(patient, "high")
    result = purge(patient, NOW + 20 * DAY)
    assert (result.deleted, result.held) == (1, 2), "those of the row that was linked to them too"
    kept = set(VoiceSession.objects.holding_words().values_list("pk", flat=True))
    assert kept == {words[patient.pk].pk, words[linked.pk].pk}
    RiskAlert.objects.filter(pk=alert.pk).update(status="resolved", resolved_at=NOW)
    assert purge(patient, NOW + 21 * DAY).deleted == 2


def test_a_purge_locks_nobodys_row_beside_the_words_that_it_takes(patient: Patient) -> None:
    makers.make_voice(patient, received_at=NOW)
    with CaptureQueriesContext(connection) as seen:
        purge(patient, NOW + 20 * DAY)
    (locks,) = [one["sql"] for one in seen if "FOR UPDATE" in one["sql"] and "voicesession" in one["sql"]]
    outer = locks.split("WHERE", 1)[0]
    assert "JOIN" not in outer and "crisis_riskalert" in locks


def test_expired_places_are_deleted(patient: Patient) -> None:
    from patients.sessions.records import Batch, LocationData

    base = {"patient_id": patient.pk, "organization_id": patient.organization_id, "received_at": NOW}
    place = LocationData(**base, place={"text": "Market"}, seen_at=NOW)
    actor = makers.machine(patient.organization_id)
    makers.store(actor=actor, patient=patient, sessions=[], batch=Batch(locations=[place]))
    assert purge_places(actor=actor, at=NOW + DAY - timedelta(seconds=1)) == 0
    assert purge_places(actor=actor, at=NOW + DAY) == 1
    makers.scope_all()
    assert not LastLocation.objects.exists()


def test_a_voice_whose_consent_was_taken_back_is_not_extracted_and_is_no_loss(patient: Patient) -> None:
    voice = makers.make_voice(patient, received_at=NOW)
    makers.consent(patient, "voice_processing", granted=False, at=NOW + timedelta(seconds=30))
    assert extract(patient, NOW + timedelta(minutes=1)) == 1
    voice.refresh_from_db()
    assert (voice.processed, voice.patterns_extracted, voice.extraction_error) == (True, False, "")
    assert voice.delete_after == NOW + timedelta(minutes=1) + 7 * DAY, "nothing waits for its words any more"
    assert not SessionFeature.objects.filter(session_id=voice.pk).exists()
    audit = AuditLog.objects.filter(event_type="voice.extracted").latest("id")
    assert audit.codes == {"sessions": [], "without_consent": [str(voice.pk)]}
    assert extract(patient, NOW + timedelta(minutes=2)) == 0
    assert purge(patient, NOW + 8 * DAY).lost == 0
    voice.refresh_from_db()
    assert voice.purged_at is not None
