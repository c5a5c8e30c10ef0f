"""Consents: written once, the newest that holds counts, and an expired one counts as withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from cortex.audit.models import AuditLog
from cortex.audit.rules import InputRefused
from patients.privacy.actions import record_consent
from patients.privacy.models import Consent
from patients.privacy.queries import consent_state, decisions_told, has_consent
from patients.privacy.records import ConsentData
from patients.registry.actions import create_provisional, link_provisional
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NOW = makers.now()
DAY = timedelta(days=1)


@pytest.fixture
def patient() -> Patient:
    return makers.make_patient(consents=())


def test_nothing_is_allowed_by_default(patient: Patient) -> None:
    state = consent_state([patient.pk], ["treatment", "research"], NOW)
    assert state == {(patient.pk, "treatment"): False, (patient.pk, "research"): False}


def test_the_newest_decision_counts_whatever_came_in_last(patient: Patient) -> None:
    makers.consent(patient, "treatment", True, recorded_at=NOW - 3 * DAY)
    makers.consent(patient, "treatment", True, recorded_at=NOW - DAY)
    makers.consent(patient, "treatment", False, recorded_at=NOW - 2 * DAY)
    assert has_consent(patient.pk, "treatment", NOW)
    assert not has_consent(patient.pk, "treatment", NOW - 2 * DAY)
    assert has_consent(patient.pk, "treatment", NOW - 3 * DAY)
    assert Consent.objects.filter(patient=patient).count() == 3


def test_a_withdrawal_holds_at_once(patient: Patient) -> None:
    makers.consent(patient, "voice_processing", True, at=NOW - DAY)
    makers.consent(patient, "voice_processing", False, at=NOW)
    assert not has_consent(patient.pk, "voice_processing", NOW)


def test_of_two_decisions_at_one_moment_the_one_written_later_counts(patient: Patient) -> None:
    makers.consent(patient, "treatment", True, at=NOW)
    makers.consent(patient, "treatment", False, at=NOW)
    assert not has_consent(patient.pk, "treatment", NOW)


def test_an_expired_consent_counts_as_withdrawn_and_does_not_revive_an_older_one(patient: Patient) -> None:
    makers.consent(patient, "treatment", True, recorded_at=NOW - 9 * DAY)
    makers.consent(patient, "treatment", True, recorded_at=NOW - 2 * DAY, expires_at=NOW)
    assert has_consent(patient.pk, "treatment", NOW - timedelta(microseconds=1))
    assert not has_consent(patient.pk, "treatment", NOW)


def test_a_decision_from_a_clock_ahead_counts_from_now(patient: Patient) -> None:
    makers.consent(patient, "treatment", True, at=NOW - DAY)
    row = makers.consent(patient, "treatment", False, at=NOW, recorded_at=NOW + 400 * DAY)
    assert row.recorded_at == NOW
    assert not has_consent(patient.pk, "treatment", NOW)


def test_the_state_of_many_people_is_one_query(patient: Patient, django_assert_num_queries) -> None:
    other = makers.make_patient(patient.organization)
    with django_assert_num_queries(1):
        state = consent_state([patient.pk, other.pk], ["treatment", "voice_processing"], makers.now())
    assert state[other.pk, "treatment"] and not state[patient.pk, "treatment"]


def test_the_newest_row_comes_from_the_index(patient: Patient) -> None:
    with connection.cursor() as cursor:
        # On so small a table the planner would as well read it all, or sort what another index found.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    plan = Consent.objects.of([patient.pk], ["treatment"]).newest(NOW).explain()
    assert "consent_newest" in plan


CHANGES = ["UPDATE patients_consent SET granted = true", "DELETE FROM patients_consent"]


@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize("role", ["cortex_app", "cortex_system", "cortex_owner"])
def test_no_role_at_work_changes_a_consent(patient: Patient, statement: str, role: str) -> None:
    makers.consent(patient, "treatment", False)
    refusal = pytest.raises(DatabaseError, match=r"append-only|permission denied")
    with refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
        cursor.execute(statement)
    assert Consent.objects.filter(granted=False).count() == 1


def test_the_owner_can_not_truncate_consents(patient: Patient) -> None:
    refusal = pytest.raises(DatabaseError, match="append-only")
    with refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE cortex_owner")
        cursor.execute("TRUNCATE patients_consent")


def test_a_legal_correction_runs_under_the_role_that_the_trigger_names(patient: Patient) -> None:
    row = makers.consent(patient, "treatment", False)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute("SET LOCAL ROLE cortex_eraser")
        cursor.execute("DELETE FROM patients_consent WHERE id = %s", [row.pk])
        cursor.execute("SET LOCAL ROLE cortex_app")
    assert not Consent.objects.filter(pk=row.pk).exists()


def test_the_audit_row_names_types_and_the_guardian_is_sealed(patient: Patient) -> None:
    row = makers.consent(patient, "treatment", True, guardian="Mama Zawadi", scope={"purposes": ["care"]})
    audit = AuditLog.objects.filter(event_type="consent.recorded").latest("id")
    assert audit.subject == patient.pk
    assert audit.codes == {"granted": ["treatment"], "withdrawn": []}
    fresh = Consent.objects.get(pk=row.pk)
    assert makers.opened(fresh, "guardian") == "Mama Zawadi"


BAD = [
    ({"consent_type": "everything"}, "consent_type"),
    ({"consent_type": "treatment", "method": "guess"}, "method"),
    ({"consent_type": "treatment", "scope": {"purposes": ["I told them my whole story"]}}, "scope"),
    ({"consent_type": "treatment", "expires_at": NOW - DAY}, "expires_at"),
]


@pytest.mark.parametrize(("values", "place"), BAD)
def test_what_does_not_hold_together_is_refused_with_its_place(
    patient: Patient, values: dict, place: str
) -> None:
    with pytest.raises(InputRefused) as caught:
        makers.consent(patient, granted=True, at=NOW, **values)
    assert caught.value.extra["field"] == place


def test_what_is_recorded_of_a_row_that_was_linked_to_somebody_is_the_persons(cast: Cast) -> None:
    actor = makers.machine(cast.home)
    provisional = create_provisional(actor=actor, organization_id=cast.home.pk)
    link_provisional(actor=actor, provisional_id=provisional.pk, patient_id=cast.patient.pk)
    makers.scope_all()
    provisional.refresh_from_db()
    assert has_consent(cast.patient.pk, "treatment", makers.now())
    row = makers.consent(provisional, "treatment", False)
    assert row.patient_id == cast.patient.pk
    assert not has_consent(cast.patient.pk, "treatment", makers.now())


def linked(cast: Cast, provisional: Patient, actor: Any = None) -> None:
    link_provisional(
        actor=actor or makers.machine(cast.home), provisional_id=provisional.pk, patient_id=cast.patient.pk
    )
    makers.scope_all()


def page_states(cast: Cast, person: Patient) -> dict[str, str]:
    """What the chart says of each consent, by label."""
    page = makers.client_of(cast.alice).get(reverse("clinical:chart_consent", args=[person.pk]))
    makers.scope_all()
    return {one["type"]: one["state"] for one in page.context["states"]}


def test_what_a_caller_refused_is_withdrawn_for_whom_they_are_linked_to(cast: Cast) -> None:
    kinds = ("treatment", "voice_processing", "research")
    provisional = create_provisional(actor=makers.machine(cast.home), organization_id=cast.home.pk)
    makers.scope_all()
    for kind in kinds[:2]:
        makers.consent(cast.patient, kind, True, at=NOW - 9 * DAY)
        makers.consent(provisional, kind, False, at=NOW - DAY)
    makers.consent(provisional, "research", True, at=NOW - DAY)
    # Allowed anew on record since: that is the newer word.
    makers.consent(cast.patient, "voice_processing", True, at=NOW - timedelta(hours=1))
    linked(cast, provisional)
    state = consent_state([cast.patient.pk], kinds, makers.now())
    assert [state[cast.patient.pk, kind] for kind in kinds] == [False, True, False]
    assert decisions_told(cast.patient.pk, makers.now())["treatment"].state(makers.now()) == "withdrawn"
    told = AuditLog.objects.filter(event_type="consent.recorded", object_id=cast.patient.pk).latest("id")
    assert told.codes == {"granted": [], "withdrawn": ["treatment"], "from": str(provisional.pk)}
    # The page says what the rule does, of either address.
    for row in (cast.patient, provisional):
        states = page_states(cast, row)
        assert (states["treatment"], states["voice_processing"]) == ("withdrawn", "given")
        assert states["research"] == "never asked"


def test_a_desk_that_covers_the_service_loses_no_refusal_when_it_links(cast: Cast) -> None:
    provisional = create_provisional(actor=makers.machine(cast.home), organization_id=cast.home.pk)
    makers.scope_all()
    makers.consent(cast.patient, "treatment", True, at=NOW - 9 * DAY)
    makers.consent(provisional, "treatment", False, at=NOW - DAY)
    linked(cast, provisional, replace(makers.staff(cast.charlie), covers=(cast.home.pk,)))
    assert not has_consent(cast.patient.pk, "treatment", makers.now())


@pytest.fixture
def child(cast: Cast) -> Patient:
    type(cast.patient).objects.filter(pk=cast.patient.pk).update(age_band="13_17")
    cast.patient.refresh_from_db()
    return cast.patient


def recorded(actor: Any, patient: Patient, kind: str, *, granted: bool = True, guardian: str = "") -> None:
    data = ConsentData(kind, granted=granted, guardian=guardian or None)
    record_consent(actor=actor, patient=patient, consents=[data])
    makers.scope_all()


def test_a_child_s_grant_names_who_gave_it_whoever_records_it_and_a_withdrawal_nobody(
    cast: Cast, child: Patient
) -> None:
    office, app = makers.staff(cast.ada), makers.machine(cast.home)
    for actor, kind in ((office, "telehealth"), (office, "treatment"), (app, "telehealth")):
        with pytest.raises(InputRefused) as refused:
            recorded(actor, child, kind, guardian=" ")
        assert (refused.value.code, refused.value.extra["field"]) == ("guardian_missing", "guardian")
        makers.scope_all()
    # What they write is screened by it: an app may tell it for a child alone.
    recorded(app, child, "treatment")
    recorded(office, child, "telehealth", guardian="Her aunt")
    recorded(office, child, "telehealth", granted=False)
    recorded(app, child, "treatment", granted=False)
    state = consent_state([child.pk], ["telehealth", "treatment"], makers.now())
    assert not any(state.values())
