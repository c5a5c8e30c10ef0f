"""Every rule that the database itself holds on this floor: each is broken once, and the database says no."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from cortex.ids import uuid7
from patients.codes import VOICE_EMOTIONS
from patients.models import (
    CareTeamMember,
    Consent,
    DailyCheckIn,
    EmergencyContact,
    EmotionObservation,
    LastLocation,
    Message,
    Patient,
    PatientPreference,
    PatientUserObjectPermission,
    Session,
    SessionActivity,
    SessionFeature,
    SessionFeedback,
    ToolAction,
    VoiceSession,
)
from tests import makers

pytestmark = pytest.mark.django_db
NOW = makers.now()
BEFORE = NOW - timedelta(hours=1)


def refused(constraint: str, model: Any, **values: Any) -> None:
    """Assert that inserting a row breaks exactly this constraint."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        model.objects.bulk_create([model(**values)])
    assert constraint in str(caught.value), caught.value


@pytest.fixture
def patient() -> Patient:
    return makers.make_patient()


@pytest.fixture
def base(patient: Patient) -> dict[str, Any]:
    return {"organization": patient.organization, "patient": patient}


@pytest.fixture
def session(patient: Patient) -> Session:
    return makers.make_session(patient)


PATIENT = [
    ("patient_status_known", {"status": "asleep"}),
    ("patient_age_band_known", {"age_band": "old"}),
    ("patient_retention_30_365", {"data_retention_days": 29}),
    ("patient_retention_30_365", {"data_retention_days": 366}),
]


@pytest.mark.parametrize(("name", "values"), PATIENT)
def test_a_patient_row_refuses_what_is_out_of_its_lists_and_ranges(
    patient: Patient, name: str, values: dict[str, Any]
) -> None:
    refused(name, Patient, organization=patient.organization, registered_at=NOW, **values)


def test_a_person_is_never_merged_into_themself(patient: Patient) -> None:
    identifier = uuid7()
    values = {"id": identifier, "merged_into_id": identifier, "registered_at": NOW}
    refused("patient_not_merged_into_self", Patient, organization=patient.organization, **values)


def test_a_pseudonym_is_unique_everywhere(patient: Patient) -> None:
    elsewhere = makers.make_organization()
    values = {"anonymous_id": patient.anonymous_id, "registered_at": NOW}
    refused("anonymous_id", Patient, organization=elsewhere, **values)


def test_an_email_is_unique_among_the_active_people_of_one_organization_only(patient: Patient) -> None:
    same = {"email_hash": bytes(patient.email_hash or b""), "registered_at": NOW}
    refused("patient_email_once_if_active", Patient, organization=patient.organization, **same)
    Patient.objects.create(organization=patient.organization, status="suspended", **same)
    Patient.objects.create(organization=makers.make_organization(), **same)


def test_a_phone_may_be_shared_by_a_family(patient: Patient) -> None:
    shared = bytes(patient.phone_hash or b"")
    Patient.objects.create(organization=patient.organization, phone_hash=shared, registered_at=NOW)
    assert Patient.objects.filter(phone_hash=shared).count() == 2


def test_a_key_of_a_source_is_imported_once(patient: Patient) -> None:
    legacy = {"source001.users": "abc"}
    Patient.objects.create(organization=patient.organization, registered_at=NOW, legacy_ids=legacy)
    values = {"registered_at": NOW, "legacy_ids": legacy}
    refused("patient_key_2", Patient, organization=patient.organization, **values)
    other = {"source000.users": "abc"}
    Patient.objects.create(organization=patient.organization, registered_at=NOW, legacy_ids=other)


def test_contacts_and_preferences_stay_in_their_bounds(base: dict[str, Any]) -> None:
    refused("contact_order_1_20", EmergencyContact, **base, order=21)
    refused("preference_minutes_1_240", PatientPreference, **base, preferred_duration_minutes=0)


def test_a_place_never_expires_before_it_was_seen(base: dict[str, Any]) -> None:
    row = LastLocation(**base, seen_at=NOW, expires_at=BEFORE)
    row.__dict__["place"] = None
    with pytest.raises(IntegrityError, match=r"location_expires_after_seen|not-null"), transaction.atomic():
        LastLocation.objects.bulk_create([row])


CARE = [
    ("care_role_known", {"role": "friend"}),
    ("care_ends_not_before_start", {"ends_at": BEFORE}),
    ("care_account_unless_outside", {"user": None}),
]


@pytest.mark.parametrize(("name", "values"), CARE)
def test_a_place_on_a_team_holds_together(base: dict[str, Any], name: str, values: dict[str, Any]) -> None:
    user = makers.make_user("therapist", base["organization"])
    row = {"user": user, "role": "primary_therapist", "starts_at": NOW} | values
    refused(name, CareTeamMember, **base, **row)


def test_a_cover_has_an_end_and_is_of_somebody_else(base: dict[str, Any]) -> None:
    user = makers.make_user("therapist", base["organization"])
    place = makers.add_to_team(base["patient"], user)
    cover = base | {"user": user, "role": "primary_therapist", "starts_at": NOW}
    refused("care_cover_has_an_end", CareTeamMember, **cover, cover_for=place)
    identifier = uuid7()
    own = {"id": identifier, "cover_for_id": identifier, "ends_at": NOW + timedelta(days=1)}
    refused("care_cover_of_another", CareTeamMember, **cover, **own)


def test_an_open_place_is_held_once_and_free_again_after_its_end(base: dict[str, Any]) -> None:
    user = makers.make_user("therapist", base["organization"])
    place = makers.add_to_team(base["patient"], user)
    again = base | {"user": user, "role": place.role, "starts_at": NOW}
    refused("care_place_once_while_open", CareTeamMember, **again)
    CareTeamMember.objects.filter(pk=place.pk).update(ends_at=NOW + timedelta(days=9))
    CareTeamMember.objects.create(**again)


def test_a_grant_has_a_known_reason_and_ends_after_it_starts(patient: Patient) -> None:
    user = makers.make_user("therapist", patient.organization)
    row = makers.grant(patient, user)
    same = {
        "organization": patient.organization, "user": user, "permission": row.permission,
        "content_object": patient,
    }  # fmt: skip
    later = {"starts_at": NOW, "ends_at": NOW + timedelta(hours=1)}
    refused("grant_reason_known", PatientUserObjectPermission, **same, **later, reason_code="curiosity")
    early = {"starts_at": NOW, "ends_at": BEFORE, "reason_code": "consultation"}
    refused("grant_ends_not_before_start", PatientUserObjectPermission, **same, **early)
    twin = {"starts_at": row.starts_at, "ends_at": row.ends_at, "reason_code": "consultation"}
    refused("grant_once_per_start", PatientUserObjectPermission, **same, **twin)


CONSENT = [
    ("consent_type_known", {"consent_type": "everything"}),
    ("consent_method_known", {"method": "guess"}),
    ("consent_expires_after_record", {"expires_at": BEFORE}),
]


@pytest.mark.parametrize(("name", "values"), CONSENT)
def test_a_consent_holds_together(base: dict[str, Any], name: str, values: dict[str, Any]) -> None:
    row = {"consent_type": "treatment", "granted": True, "recorded_at": NOW} | values
    refused(name, Consent, **base, **row)


SESSION = [
    ("session_kind_known", {"kind": "party"}),
    ("session_channel_known", {"channel": "pigeon"}),
    ("session_status_known", {"status": "paused"}),
    ("session_ends_not_before_start", {"ended_at": BEFORE}),
    ("session_labels_known", {"sensitivity_labels": ["SECRET"]}),
]


@pytest.mark.parametrize(("name", "values"), SESSION)
def test_a_session_holds_together(base: dict[str, Any], name: str, values: dict[str, Any]) -> None:
    row = {"kind": "chat", "started_at": NOW, "received_at": NOW} | values
    refused(name, Session, **base, **row)


def test_the_apps_own_name_of_a_session_is_unique_per_person(base: dict[str, Any], session: Session) -> None:
    row = {"kind": "chat", "started_at": NOW, "received_at": NOW}
    refused("session_ref_once", Session, **base, **row, client_ref=session.client_ref)
    other = makers.make_patient(base["organization"])
    twin = {"organization": other.organization, "patient": other, "client_ref": session.client_ref}
    Session.objects.create(**twin, **row)
    Session.objects.bulk_create([Session(**base, **row), Session(**base, **row)])


def test_a_voice_row_can_not_claim_what_did_not_happen(base: dict[str, Any], session: Session) -> None:
    row = base | {"session": session, "received_at": NOW, "delete_after": NOW}
    refused("voice_extracted_has_a_time", VoiceSession, **row, patterns_extracted=True)
    voice = makers.make_voice(base["patient"])
    with pytest.raises(IntegrityError, match="voice_purged_is_empty"), transaction.atomic():
        VoiceSession.objects.filter(pk=voice.pk).update(purged_at=NOW)


FEATURE = [
    ("feature_shares_0_1", {"pause_ratio": 1.01}),
    ("feature_shares_0_1", {"voice_confidence": -0.01}),
    ("feature_shares_0_1", {"dissonance_score": float("nan")}),
    ("feature_valences_1_1", {"stated_valence": 1.5}),
    ("feature_gap_2_2", {"dissonance_gap": 2.5}),
    ("feature_speech_seconds", {"speech_seconds": -1}),
    ("feature_voice_emotion_known", {"voice_emotion": "trust"}),
    ("feature_text_emotion_known", {"text_emotion": "meh"}),
    ("feature_stated_emotion_known", {"stated_emotion": "meh"}),
    ("feature_dissonance_known", {"dissonance_type": "odd"}),
]


@pytest.mark.parametrize(("name", "values"), FEATURE)
def test_features_stay_in_their_ranges(
    base: dict[str, Any], session: Session, name: str, values: dict[str, Any]
) -> None:
    refused(name, SessionFeature, **base, session=session, observed_at=NOW, **values)


FEEDBACK = [
    ("feedback_satisfaction_1_5", {"satisfaction_raw": 6}),
    ("feedback_satisfaction_1_5", {"satisfaction_raw": 0}),
    ("feedback_satisfaction_1_5", {"satisfaction_raw": 3, "satisfaction_scale": 10}),
    ("feedback_effectiveness_in_scale", {"effectiveness_raw": 6, "effectiveness_scale": 5}),
    ("feedback_effectiveness_in_scale", {"effectiveness_raw": 0}),
    ("feedback_scale_5_or_10", {"effectiveness_scale": 7}),
    ("feedback_author_known", {"author": "robot"}),
]


@pytest.mark.parametrize(("name", "values"), FEEDBACK)
def test_feedback_keeps_to_its_scale(
    base: dict[str, Any], session: Session, name: str, values: dict[str, Any]
) -> None:
    refused(name, SessionFeedback, **base, session=session, given_at=NOW, received_at=NOW, **values)


def test_an_activity_has_an_outcome_of_0_to_1_and_no_end_before_its_start(
    base: dict[str, Any], session: Session
) -> None:
    row = base | {"session": session, "activity_type": "breathing", "started_at": NOW, "received_at": NOW}
    refused("activity_outcome_0_1", SessionActivity, **row, outcome_score=9.99)
    refused("activity_completed_not_before_start", SessionActivity, **row, completed_at=BEFORE)


CHECK_IN = [{"mood": 0}, {"sleep_quality": 11}, {"stress_level": 11}, {"focus_score": 0}]


@pytest.mark.parametrize("values", CHECK_IN)
def test_a_check_in_scores_1_to_10(base: dict[str, Any], values: dict[str, Any]) -> None:
    row = base | {"date": NOW.date(), "submitted_at": NOW, "received_at": NOW}
    refused("checkin_scores_1_10", DailyCheckIn, **row, **values)


def test_a_day_has_one_check_in(base: dict[str, Any]) -> None:
    row = base | {"date": NOW.date(), "submitted_at": NOW, "received_at": NOW}
    DailyCheckIn.objects.create(**row, mood=5)
    refused("checkin_once_a_day", DailyCheckIn, **row, mood=6)


def test_a_tool_call_has_a_known_status_and_no_end_before_its_start(base: dict[str, Any]) -> None:
    row = base | {"tool_name": "search", "started_at": NOW, "received_at": NOW}
    refused("tool_status_known", ToolAction, **row, status="lost")
    refused("tool_finished_not_before_start", ToolAction, **row, status="failed", finished_at=BEFORE)


def test_a_message_has_a_known_role_and_known_labels(base: dict[str, Any], session: Session) -> None:
    row = base | {"session": session, "sent_at": NOW, "received_at": NOW, "expires_at": NOW}
    refused("message_role_known", Message, **row, role="bystander")
    refused("message_labels_known", Message, **row, role="patient", sensitivity_labels=["X"])


EMOTION = [
    ("emotion_of_one_thing", {"message_id": uuid7()}),
    ("emotion_of_one_thing", {"session": None}),
    ("emotion_source_known", {"source": "rumour"}),
    ("emotion_label_known", {"label": "meh", "source": "text"}),
    ("emotion_voice_label_known", {"label": "anticipation"}),
    ("emotion_axes_1_1", {"valence": -1.1}),
    ("emotion_axes_1_1", {"arousal": 1.1}),
    ("emotion_confidence_0_1", {"confidence": 1.1}),
    ("emotion_severity_known", {"clinical_severity": "bad"}),
    ("emotion_corrected_label_known", {"corrected_label": "meh"}),
    ("emotion_review_has_a_reader", {"review_status": "confirmed"}),
    ("emotion_labels_known", {"sensitivity_labels": ["X"]}),
]


@pytest.mark.parametrize(("name", "values"), EMOTION)
def test_an_emotion_holds_together(
    base: dict[str, Any], session: Session, name: str, values: dict[str, Any]
) -> None:
    row: dict[str, Any] = {"session": session, "source": "voice", "confidence": 0.5}
    row |= {"observed_at": NOW, "received_at": NOW, "expires_at": NOW} | values
    refused(name, EmotionObservation, **base, **row)


def test_a_correction_names_the_right_label(base: dict[str, Any], session: Session) -> None:
    row = base | {"session": session, "source": "voice", "confidence": 0.5, "observed_at": NOW}
    row |= {"received_at": NOW, "expires_at": NOW, "reviewed_at": NOW}
    row["reviewed_by"] = makers.make_user("therapist", base["organization"])
    refused("emotion_correction_has_label", EmotionObservation, **row, review_status="corrected")
    refused("emotion_review_known", EmotionObservation, **row, review_status="maybe")


def test_voice_knows_the_ten_labels_of_its_source() -> None:
    assert len(VOICE_EMOTIONS) == 10
    assert {"hopeless", "resigned", "numb"} < set(VOICE_EMOTIONS)


def test_nothing_cascades_from_a_patient(base: dict[str, Any]) -> None:
    from django.db.models import ProtectedError

    with pytest.raises(ProtectedError):
        base["patient"].delete()
