"""The alert desk beyond the worked example, alone and with the engine and the tables."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from cortex.audit import system
from crisis.alerts.models import RiskAlert
from crisis.decisions.actions import apply_decisions
from crisis.reviews.models import ReviewItem
from crisis.risk import actions, evidence
from crisis.risk.desk import Move, OpenAlert, decide
from crisis.risk.evidence import Origin
from crisis.risk.hysteresis import Standing, step
from crisis.risk.lexicon import lexicon
from crisis.risk.types import Kind, Level, Source
from tests.makers import make_patient, now

from . import world as w

ACTOR = system("test")


@pytest.mark.parametrize("level", ["low", "medium"])
def test_below_high_nothing_is_created_and_an_open_alert_gets_the_evidence(level):
    alert = OpenAlert(Level.HIGH, 0.6, {"H11"})
    assert decide(level=Level(level), score=0.4).move is Move.NONE
    assert decide(level=Level(level), score=0.4, rules={"H15"}, open_alert=alert).move is Move.APPEND


def test_a_held_level_never_creates():
    assert decide(level=Level.HIGH, score=0.2, newest_evidence_at=w.NOW, held=True).move is Move.LOG_ONLY


def test_an_alert_never_falls_by_a_lower_evaluation():
    alert = OpenAlert(Level.CRITICAL, 0.9, {"H1"})
    decision = decide(level=Level.HIGH, score=0.6, rules={"H1"}, open_alert=alert)
    assert (decision.move, decision.level) == (Move.APPEND, Level.CRITICAL)


def test_without_evidence_newer_than_the_resolution_nothing_is_created():
    assert decide(level=Level.HIGH, score=0.6, resolved_at=w.NOW).move is Move.LOG_ONLY
    same = decide(level=Level.HIGH, score=0.6, newest_evidence_at=w.NOW, resolved_at=w.NOW)
    assert same.move is Move.LOG_ONLY


def test_any_floor_stops_the_fall():
    calm = Standing(Level.HIGH, w.ago(5), calm_since=w.ago(2))
    assert step(calm, at=w.NOW, score=0.1, has_floor=False).level is Level.MEDIUM
    assert step(calm, at=w.NOW, score=0.3, has_floor=True).level is Level.HIGH


def test_two_looks_within_six_hours_are_not_enough():
    high = Standing(Level.HIGH, w.ago(5))
    once = step(high, at=w.NOW, score=0.1, has_floor=False)
    soon = step(once, at=w.NOW + timedelta(hours=5), score=0.1, has_floor=False)
    later = step(soon, at=w.NOW + timedelta(hours=6), score=0.1, has_floor=False)
    assert (once.level, soon.level, later.level) == (Level.HIGH, Level.HIGH, Level.MEDIUM)


@pytest.mark.django_db
def test_under_an_old_floor_new_words_open_what_they_reach_by_themselves():
    patient, at = make_patient(), now() - timedelta(days=60)

    def hear(text: str, when) -> list[str]:
        drafts = evidence.from_screening(lexicon().screen(text), Origin(Source.MESSAGE, when, uuid4()))
        actions.append_evidence(actor=ACTOR, drafts={patient.pk: drafts}, at=when)
        found = actions.evaluate_patients(actor=ACTOR, patient_ids=[patient.pk], at=when)
        alerts = apply_decisions(actor=ACTOR, evaluations=found, at=when).get(patient.pk, [])
        return [alert.level for alert in alerts]

    def tasks() -> int:
        return ReviewItem.objects.open().filter(patient=patient, reason_code="risk_review").count()

    assert hear("nataka kujiua", at) == ["high"]
    ended = at + timedelta(hours=1)
    RiskAlert.objects.update(status="resolved", resolved_at=ended)
    end = evidence.from_resolution(Kind.SELF_HARM, Origin(Source.ALERT, ended))
    actions.append_evidence(actor=ACTOR, drafts={patient.pk: [end]}, at=ended)
    today = at + timedelta(days=59)
    assert (hear("sina tumaini", today), tasks()) == ([], 0)
    assert (hear("I wish I was dead", today + timedelta(hours=1)), tasks()) == ([], 1)
    ReviewItem.objects.update(done_at=today)
    assert (hear("Habari", today + timedelta(hours=2)), tasks()) == ([], 0)
    assert (hear("I wish I was dead", today + timedelta(hours=3)), tasks()) == ([], 1)
    assert hear("nataka kujiua", today + timedelta(hours=4)) == ["high"]


@pytest.mark.django_db
def test_at_medium_a_new_death_wish_is_a_task_again_after_the_first_was_done():
    patient, at = make_patient(), now()

    def hear(text: str, when) -> int:
        drafts = evidence.from_screening(lexicon().screen(text), Origin(Source.MESSAGE, when, uuid4()))
        actions.append_evidence(actor=ACTOR, drafts={patient.pk: drafts}, at=when)
        found = actions.evaluate_patients(actor=ACTOR, patient_ids=[patient.pk], at=when)
        apply_decisions(actor=ACTOR, evaluations=found, at=when)
        return ReviewItem.objects.open().filter(patient=patient, reason_code="risk_review").count()

    assert hear("I wish I was dead", at) == 1
    ReviewItem.objects.update(done_at=at)
    assert hear("sina tumaini", at + timedelta(hours=1)) == 0
    assert hear("I wish I was dead", at + timedelta(hours=2)) == 1


@pytest.mark.django_db
def test_new_words_after_a_resolution_raise_again_while_the_level_is_still_held():
    patient, at = make_patient(), now()

    def hear(text: str, when) -> list[RiskAlert]:
        drafts = evidence.from_screening(lexicon().screen(text), Origin(Source.MESSAGE, when, uuid4()))
        actions.append_evidence(actor=ACTOR, drafts={patient.pk: drafts}, at=when)
        found = actions.evaluate_patients(actor=ACTOR, patient_ids=[patient.pk], at=when)
        return apply_decisions(actor=ACTOR, evaluations=found, at=when).get(patient.pk, [])

    first = hear("tonight I will kill myself", at)[0]
    ended = at + timedelta(hours=1)
    RiskAlert.objects.filter(pk=first.pk).update(status="resolved", resolved_at=ended)
    end = evidence.from_resolution(Kind.SELF_HARM, Origin(Source.ALERT, ended))
    actions.append_evidence(actor=ACTOR, drafts={patient.pk: [end]}, at=ended)
    later = at + timedelta(days=8)
    found = actions.evaluate_patients(actor=ACTOR, patient_ids=[patient.pk], at=later)
    assert found[patient.pk].assessment.level_source == "held"
    assert apply_decisions(actor=ACTOR, evaluations=found, at=later) == {}
    second = hear("nataka kujiua", later + timedelta(hours=1))
    assert [(alert.level, alert.kind) for alert in second] == [("high", "self_harm")]
    assert second[0].pk != first.pk
