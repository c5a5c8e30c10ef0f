"""A human's look at a person's level: it ends floors, sets a level, and says who did (domain 4.3, H4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cortex.accounts.models import User
from cortex.audit import InputRefused, NotFound, RuleBroken, system
from cortex.audit.models import AuditLog
from cortex.ids import uuid7
from crisis.alerts.models import RiskAlert
from crisis.decisions.actions import finish_risk_review
from crisis.reviews.actions import finish_item, make_item
from crisis.reviews.models import ReviewItem
from crisis.risk.actions import evaluate_patients
from crisis.risk.models import Evidence, RiskAssessment
from tests import makers
from tests.cast import Cast
from tests.makers import now, staff

pytestmark = pytest.mark.django_db


def said(cast: Cast, tier: str, *, days: float = 1) -> None:
    """Words of a tier, said some days ago, and the evaluation that followed."""
    Evidence.objects.create(
        organization=cast.home, patient=cast.patient, code=f"TEXT_{tier}", domain="text", tier=tier,
        source_type="message", source_id=uuid7(), observed_at=now() - timedelta(days=days),
        received_at=now() - timedelta(days=days),
    )  # fmt: skip
    evaluate_patients(actor=system("test"), patient_ids=[cast.patient.pk])


def review(cast: Cast, **fields: Any) -> ReviewItem:
    cast.on_duty()
    values = {"reason_code": "risk_review", "patient": cast.patient} | fields
    return make_item(actor=system("test"), organization_id=cast.home.pk, **values)


def finish(
    cast: Cast, item: ReviewItem, level: str = "", outcome: str = "reviewed", note: str = "",
    by: User | None = None,
) -> Any:  # fmt: skip
    return finish_risk_review(
        actor=staff(by or cast.alice), item_id=item.pk, outcome=outcome, level=level, note=note
    )


def newest(cast: Cast) -> RiskAssessment:
    return RiskAssessment.objects.filter(patient=cast.patient).latest("computed_at")


@pytest.mark.parametrize(("tier", "rule"), [("B", "H11"), ("C", "H15")])
def test_a_review_ends_the_floors_that_a_review_ends(cast: Cast, tier: str, rule: str) -> None:
    said(cast, tier)
    assert rule in newest(cast).rules_fired
    finish(cast, review(cast), "same")
    assert rule not in newest(cast).rules_fired
    row = Evidence.objects.get(code="CLINICIAN_REVIEW")
    assert (row.patient_id, row.source_type) == (cast.patient.pk, "clinician")
    reviewed = AuditLog.objects.get(event_type="risk.reviewed")
    assert (reviewed.actor_id, reviewed.codes["level"]) == (cast.alice.pk, "same")


def test_a_counselor_s_look_ends_no_floor_and_lowers_nothing_but_raises(cast: Cast) -> None:
    said(cast, "B")
    finish(cast, review(cast), "same", by=cast.cleo)
    assert "H11" in newest(cast).rules_fired
    assert not Evidence.objects.filter(code="CLINICIAN_REVIEW").exists()
    again = make_item(
        actor=system("test"), organization_id=cast.home.pk, reason_code="risk_review", patient=cast.patient
    )
    with pytest.raises(RuleBroken) as refused:
        finish(cast, again, "medium", note="Calmer now", by=cast.cleo)
    assert refused.value.code == "clinician_needed"
    makers.scope_all()
    finish(cast, again, "critical", by=cast.cleo)
    assert newest(cast).level == "critical"


def test_words_that_come_after_the_review_count_again(cast: Cast) -> None:
    said(cast, "B")
    finish(cast, review(cast), "same")
    said(cast, "B", days=0)
    assert "H11" in newest(cast).rules_fired


def test_a_level_that_was_raised_stays_and_raises_an_alert(cast: Cast) -> None:
    said(cast, "C")
    finish(cast, review(cast), "high")
    assert (newest(cast).level, newest(cast).level_source) == ("high", "clinician")
    alert = RiskAlert.objects.get(patient=cast.patient)
    assert (alert.level, alert.rules_fired, alert.reason_code) == ("high", ["H4"], "H4")


def test_a_level_is_lowered_by_one_step_and_with_a_reason(cast: Cast) -> None:
    said(cast, "B")
    assert newest(cast).level == "high"
    item = review(cast, reason_code="level_stands_after_end")
    with pytest.raises(InputRefused, match="Say why"):
        finish(cast, item, "medium")
    with pytest.raises(InputRefused, match="one step"):
        finish(cast, item, "low", note="Seen today")
    finish(cast, item, "medium", note="Seen today, has a plan")
    assert (newest(cast).level, newest(cast).level_source) == ("medium", "clinician")
    assert Evidence.objects.get(code="CLINICIAN_LEVEL").tier == "lower"


def test_a_lower_level_counts_at_once_where_only_an_old_one_is_held(cast: Cast) -> None:
    said(cast, "B", days=40)
    assert newest(cast).level == "high"
    finish(cast, review(cast), "medium", note="Seen today, has a plan")
    assert (newest(cast).level, newest(cast).engine_level, newest(cast).is_held) == ("medium", "low", True)


def test_a_critical_level_is_not_lowered_by_one_person(cast: Cast) -> None:
    said(cast, "A")
    assert newest(cast).level == "critical"
    item = review(cast)
    with pytest.raises(RuleBroken) as refused:
        finish(cast, item, "high", note="Seen today")
    assert refused.value.code == "second_reader_needed"
    item.refresh_from_db()
    assert (item.done_at, Evidence.objects.filter(domain="review").count()) == (None, 0)
    finish(cast, item, "same")
    assert newest(cast).level == "critical"


def test_a_risk_review_is_not_reviewed_without_a_word_on_the_level(cast: Cast) -> None:
    item = review(cast)
    for run in (finish, lambda *_: finish_item(actor=staff(cast.cleo), item_id=item.pk, outcome="reviewed")):
        with pytest.raises(InputRefused):
            run(cast, item)
    finish(cast, item, outcome="contacted")
    assert not Evidence.objects.filter(domain="review").exists()


def test_another_task_sets_no_level(cast: Cast) -> None:
    item = review(cast, reason_code="safeguarding")
    with pytest.raises(NotFound):
        finish(cast, item, "low")


def test_the_form_asks_for_the_level_in_plain_words(cast: Cast) -> None:
    said(cast, "B")
    item = review(cast)
    client = Client()
    client.force_login(cast.alice)
    page = client.get(reverse("crisis:review_detail", args=[item.pk])).content.decode()
    assert "leave it to the signals" in page
    assert "High" in page
    address = reverse("crisis:review_done", args=[item.pk])
    for data, words in (
        ({"outcome": "reviewed"}, "Say whether the level is right."),
        ({"outcome": "reviewed", "level": "medium"}, "Say why it is lower"),
    ):
        answer = client.post(address, data)
        assert (answer.status_code, words in answer.content.decode()) == (422, True)
    data = {"outcome": "reviewed", "level": "medium", "note": "Seen today"}
    assert client.post(address, data).status_code == 303
    assert newest(cast).level == "medium"


def test_a_counselor_s_form_offers_no_lower_level(cast: Cast) -> None:
    said(cast, "B")
    item = review(cast)
    client = Client()
    client.force_login(cast.cleo)
    page = client.get(reverse("crisis:review_detail", args=[item.pk])).content.decode()
    assert "Leave it as it is" in page
    assert 'value="low"' not in page
    assert "Only a clinician says that it is lower." in page
    answer = client.post(
        reverse("crisis:review_done", args=[item.pk]), {"outcome": "reviewed", "level": "low", "note": "Calm"}
    )
    assert answer.status_code == 422
    assert "Calm" in answer.content.decode()
