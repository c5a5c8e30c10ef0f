"""The ledger in the database: evidence in, one evaluation per person out, stored and never changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test.utils import CaptureQueriesContext

from cortex.audit import system
from cortex.audit.models import AuditLog
from crisis.risk import actions, evidence, queries
from crisis.risk.evaluation import Evaluation
from crisis.risk.evidence import Draft, Origin
from crisis.risk.lexicon import lexicon
from crisis.risk.models import Evidence, Lexicon, LexiconEntry, RiskAssessment, RiskDue
from crisis.risk.textmodel import ModelReading
from crisis.risk.types import Source
from patients.registry.models import Patient
from tests.makers import make_organization, make_patient, now

pytestmark = pytest.mark.django_db
ACTOR = system("test")


def say(patient: Patient, text: str, at: datetime) -> list[Draft]:
    origin = Origin(Source.MESSAGE, at, uuid4(), local_day=at.date())
    drafts = list(evidence.from_screening(lexicon().screen(text), origin))
    actions.append_evidence(actor=ACTOR, drafts={patient.pk: drafts}, at=at)
    return drafts


def look(patient: Patient, at: datetime) -> Evaluation:
    return actions.evaluate_patients(actor=ACTOR, patient_ids=[patient.pk], at=at)[patient.pk]


def test_a_screened_message_becomes_evidence_and_an_assessment_with_its_audit_rows():
    patient, at = make_patient(), now()
    say(patient, "tonight I will kill myself", at)
    evaluation = look(patient, at)
    stored = RiskAssessment.objects.get(patient=patient)
    assert evaluation.previous is None
    assert evaluation.assessment.pk == stored.pk
    assert (stored.level, stored.level_source, "H1" in stored.rules_fired) == ("critical", "floor", True)
    assert stored.lexicon_version == lexicon().version
    assert stored.factors[0]["code"] == "TEXT_A"
    verbs = set(AuditLog.objects.filter(subject=patient.pk).values_list("event_type", flat=True))
    assert {"evidence.added", "risk.assessed"} <= verbs


def test_no_words_are_in_any_column_of_the_ledger_or_the_trail():
    patient, at = make_patient(), now()
    say(patient, "Zipporah, tonight I will kill myself by the jacaranda", at)
    look(patient, at)
    rows = [*Evidence.objects.values(), *RiskAssessment.objects.values(), *AuditLog.objects.values()]
    assert rows
    assert not any(word in str(rows).lower() for word in ("zipporah", "jacaranda", "kill myself"))


def test_what_was_refuted_or_has_ended_counts_no_more():
    patient, at = make_patient(), now()
    say(patient, "I have no future", at - timedelta(days=9))
    say(patient, "tonight I will kill myself", at)
    Evidence.objects.filter(tier__in=["A", "B"]).update(refuted_at=at)
    assert look(patient, at).result.level == "low"


def test_a_level_comes_down_only_by_later_looks_which_are_left_due():
    patient, at = make_patient(), now()
    for code in ("RF_ATTEMPT_LIFETIME", "RF_LEGAL", "RF_JOB_FINANCE"):
        draft = evidence.from_factor(code, Origin(Source.CLINICIAN, at))
        actions.append_evidence(actor=ACTOR, drafts={patient.pk: [draft]}, at=at)
    assert look(patient, at).assessment.level == "medium"
    Evidence.objects.update(refuted_at=at)
    for hours, level in ((6, "medium"), (12, "medium"), (25, "low")):
        due = RiskDue.objects.get(patient=patient, done_at__isnull=True)
        assert due.reason_code == actions.WATCH
        taken = actions.take_due(actor=ACTOR, due_id=due.pk, at=at + timedelta(hours=hours))
        assert taken[patient.pk].assessment.level == level
        assert taken[patient.pk].previous is not None
    assert not RiskDue.objects.filter(done_at__isnull=True).exists()


def test_a_done_evaluation_is_not_taken_twice():
    patient, at = make_patient(), now()
    due = actions.schedule_evaluation(
        actor=ACTOR, patient_id=patient.pk, due_at=at, reason_code="pattern_built"
    )
    assert due is not None
    assert queries.due_evaluations(at) == [due.pk]
    assert actions.take_due(actor=ACTOR, due_id=due.pk, at=at)
    assert actions.take_due(actor=ACTOR, due_id=due.pk, at=at) == {}
    assert queries.due_evaluations(at) == []


def test_one_open_evaluation_per_person_and_reason():
    patient, at = make_patient(), now()
    first = actions.schedule_evaluation(
        actor=ACTOR, patient_id=patient.pk, due_at=at, reason_code="pattern_built"
    )
    again = actions.schedule_evaluation(
        actor=ACTOR, patient_id=patient.pk, due_at=at, reason_code="pattern_built"
    )
    assert first is not None
    assert again is None
    assert RiskDue.objects.count() == 1


def test_a_batch_evaluates_each_person_once_with_the_same_number_of_queries():
    organization, at = make_organization(), now()
    people = [make_patient(organization=organization) for _ in range(5)]
    for patient in people:
        say(patient, "nimechoka na maisha", at)
    with CaptureQueriesContext(transaction.get_connection()) as few:
        actions.evaluate_patients(actor=ACTOR, patient_ids=[people[0].pk], at=at)
    with CaptureQueriesContext(transaction.get_connection()) as many:
        found = actions.evaluate_patients(actor=ACTOR, patient_ids=[p.pk for p in people] * 2, at=at)
    assert len(found) == 5
    assert len(few) == len(many)


def test_the_same_ledger_gives_the_same_digest():
    patient, at = make_patient(), now()
    say(patient, "sina tumaini", at)
    assert look(patient, at).result.inputs_digest == look(patient, at).result.inputs_digest


def test_a_shadow_reading_changes_nothing_of_an_assessment_its_digest_included():
    patient, at = make_patient(), now()
    say(patient, "sina tumaini", at)
    before = look(patient, at).result
    reading = ModelReading(0.95, 1.0, "m-1", is_shadow=True)
    shadow = evidence.from_text_model(reading, Origin(Source.MESSAGE, at, uuid4()))
    actions.append_evidence(actor=ACTOR, drafts={patient.pk: [shadow]}, at=at)
    assert look(patient, at).result == before
    live = evidence.from_text_model(replace(reading, is_shadow=False), Origin(Source.MESSAGE, at, uuid4()))
    actions.append_evidence(actor=ACTOR, drafts={patient.pk: [live]}, at=at)
    assert look(patient, at).result.inputs_digest != before.inputs_digest


def test_a_minor_with_words_of_self_harm_is_high_and_asks_for_safeguarding():
    patient, at = make_patient(), now()
    Patient.objects.filter(pk=patient.pk).update(age_band="13_17")
    say(patient, "I keep cutting myself", at)
    evaluation = look(patient, at)
    assert (evaluation.assessment.level, evaluation.result.reviews) == ("high", ("safeguarding",))


def test_evidence_of_a_merged_record_counts_for_the_person():
    organization, at = make_organization(), now()
    kept, merged = make_patient(organization=organization), make_patient(organization=organization)
    say(merged, "tonight I will kill myself", at)
    Patient.objects.filter(pk=merged.pk).update(merged_into=kept)
    assert look(kept, at).assessment.level == "critical"


def test_a_look_that_is_due_for_a_merged_record_is_a_look_at_the_person():
    organization, at = make_organization(), now()
    kept, merged = make_patient(organization=organization), make_patient(organization=organization)
    say(merged, "tonight I will kill myself", at)
    due = actions.schedule_evaluation(actor=ACTOR, patient_id=merged.pk, due_at=at, reason_code="x")
    Patient.objects.filter(pk=merged.pk).update(merged_into=kept)
    assert due is not None
    found = actions.take_due(actor=ACTOR, due_id=due.pk, at=at)
    assert found[kept.pk].assessment.level == "critical"


def test_nobody_on_record_is_evaluated_as_nobody():
    assert actions.evaluate_patients(actor=ACTOR, patient_ids=[uuid4()], at=now()) == {}
    assert actions.append_evidence(actor=ACTOR, drafts={}, at=now()) == {}


@pytest.mark.parametrize("change", [{"level": "low"}, {"score": 0}])
def test_an_assessment_is_never_changed(change):
    patient, at = make_patient(), now()
    look(patient, at)
    with pytest.raises(DatabaseError), transaction.atomic():
        RiskAssessment.objects.filter(patient=patient).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        RiskAssessment.objects.filter(patient=patient).delete()


@pytest.mark.parametrize(
    "wrong",
    [{"confidence": 1.5}, {"domain": "astrology"}, {"floor": "huge"}, {"status": "maybe"}],
)
def test_the_database_refuses_evidence_that_cannot_be(wrong):
    patient, at = make_patient(), now()
    values = {
        "patient": patient, "organization_id": patient.organization_id, "code": "TEXT_A", "domain": "text",
        "source_type": "message", "observed_at": at, "received_at": at,
    }  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        Evidence.objects.create(**(values | wrong))


def test_the_lexicon_is_installed_once_with_all_its_entries_unsigned():
    first = actions.install_lexicon(actor=ACTOR)
    again = actions.install_lexicon(actor=ACTOR)
    assert first.pk == again.pk
    assert Lexicon.objects.filter(is_active=True).count() == 1
    assert LexiconEntry.objects.filter(lexicon=first).count() == first.entry_count == len(lexicon().entries)
    assert not first.signed
