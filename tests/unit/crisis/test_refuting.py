"""A false alarm takes back what it was raised on: all of it, and nothing of another kind's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cortex.audit import Actor, action, record, system
from cortex.ids import uuid7
from crisis.alerts.models import RiskAlert
from crisis.decisions.actions import apply_decisions
from crisis.endings.actions import Ending, decide_review, mark_false_alarm, resolve_alert
from crisis.ownership.actions import claim_alert
from crisis.reopening.actions import reopen_alert
from crisis.reviews.models import SecondReview
from crisis.risk.actions import append_evidence, evaluate_patients
from crisis.risk.codes import ATTEMPT_NOW, HARM_TO_OTHERS, text_code
from crisis.risk.evidence import Origin, draft, from_factor
from crisis.risk.models import Evidence
from tests.cast import Cast
from tests.makers import now, scope_all, staff

pytestmark = pytest.mark.django_db


@action
def comes_in(*, actor: Actor, cast: Cast, drafts: list[Any]) -> None:
    """What intake does once the words are coded."""
    append_evidence(actor=actor, drafts={cast.patient.pk: drafts})
    evaluations = evaluate_patients(actor=actor, patient_ids=[cast.patient.pk])
    apply_decisions(actor=actor, evaluations=evaluations)
    record(actor, "test.came_in")


def observed(*drafts: Any, cast: Cast) -> None:
    comes_in(actor=system("test"), cast=cast, drafts=list(drafts))
    scope_all()


def origin(**extra: Any) -> Origin:
    return Origin("message", now(), source_id=uuid7(), **extra)


def words(tier: str) -> Any:
    return draft(origin().item(text_code(tier), "text", tier=tier))


def threat() -> Any:
    return draft(origin().item(HARM_TO_OTHERS, "others"))


def overdose() -> Any:
    return draft(origin().item(ATTEMPT_NOW, "warning"))


def alert_of(cast: Cast, kind: str) -> RiskAlert:
    return RiskAlert.objects.get(patient=cast.patient, kind=kind, status__in=["new", "acknowledged"])


def false_alarm(cast: Cast, kind: str) -> RiskAlert:
    alert = alert_of(cast, kind)
    if alert.status == "new":
        claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    ending = Ending(verdict="not_risk_language", notes="A song")
    mark_false_alarm(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    review = SecondReview.objects.filter(alert=alert, decided_at=None).first()
    if review is not None:
        decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=True, note="A song")
    alert.refresh_from_db()
    assert alert.status == "false_alarm"
    return alert


def refuted() -> set[str]:
    return set(Evidence.objects.filter(refuted_at__isnull=False).values_list("code", flat=True))


@pytest.fixture
def desk(cast: Cast) -> Cast:
    cast.on_duty()
    return cast


def test_a_false_medical_alarm_takes_nothing_from_the_alert_about_self_harm(desk: Cast) -> None:
    observed(words("A"), overdose(), cast=desk)
    medical, own = alert_of(desk, "medical"), alert_of(desk, "self_harm")
    assert [one["code"] for one in medical.factors] == [ATTEMPT_NOW]
    assert len(medical.evidence) == 1
    assert set(medical.evidence) < set(own.evidence)
    false_alarm(desk, "medical")
    # The overdose is behind the open alert about self-harm as well: that one decides.
    assert refuted() == set()
    false_alarm(desk, "self_harm")
    assert refuted() == {"TEXT_A", ATTEMPT_NOW}


def test_a_false_alarm_about_others_refutes_the_threat_and_only_it(desk: Cast) -> None:
    observed(words("B"), threat(), cast=desk)
    alert = alert_of(desk, "harm_to_others")
    assert [one["code"] for one in alert.factors] == [HARM_TO_OTHERS]
    false_alarm(desk, "harm_to_others")
    assert refuted() == {HARM_TO_OTHERS}


def test_a_false_alarm_refutes_every_item_of_its_kind_and_not_the_top_one_alone(desk: Cast) -> None:
    observed(words("B"), words("C"), words("B"), cast=desk)
    alert = false_alarm(desk, "self_harm")
    assert refuted() == {"TEXT_B", "TEXT_C"}
    assert Evidence.objects.filter(refuted_by_alert=alert.pk).count() == 3
    reopen_alert(actor=staff(desk.cleo), alert_id=alert.pk, reason="She means it")
    assert refuted() == {"ALERT_RESOLVED"}


def test_what_an_earlier_alert_was_resolved_on_still_happened(desk: Cast) -> None:
    observed(words("B"), cast=desk)
    first = alert_of(desk, "self_harm")
    claim_alert(actor=staff(desk.cleo), alert_id=first.pk)
    ending = Ending("emergency_department", "Taken in", "true_crisis", follow_up_at=now() + timedelta(days=1))
    resolve_alert(actor=staff(desk.cleo), alert_id=first.pk, ending=ending)
    observed(words("B"), cast=desk)
    second = false_alarm(desk, "self_harm")
    assert len(second.evidence) == 2
    assert Evidence.objects.filter(code="TEXT_B", refuted_at=None).count() == 1


def test_no_alarm_takes_back_what_a_clinician_put_on_record(desk: Cast) -> None:
    known = from_factor("RF_ATTEMPT_12M", Origin("clinician", now(), source_id=uuid7()))
    observed(words("B"), known, cast=desk)
    false_alarm(desk, "self_harm")
    assert refuted() == {"TEXT_B"}
