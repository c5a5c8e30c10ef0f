"""The clocks of a medium level: a look within a day, a first try to reach the person within three."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinical.sessions.actions import start_session
from cortex.audit import InputRefused, system
from cortex.audit.models import AuditLog
from cortex.ids import uuid7
from crisis.alerts.models import RiskAlert
from crisis.casework.actions import log_attempt, log_contact
from crisis.decisions.actions import apply_decisions, finish_risk_review
from crisis.escalation.models import NotificationAttempt, SlaPolicy
from crisis.followups.actions import finish_follow_up
from crisis.ownership.actions import claim_alert
from crisis.policies.actions import change_policy
from crisis.reviews.actions import finish_item
from crisis.reviews.models import FIRST_CONTACT, ReviewItem
from crisis.risk.actions import evaluate_patients
from crisis.risk.models import Evidence, RiskAssessment
from crisis.sweep import loop
from crisis.sweep.overdue.actions import escalate_task
from patients.registry.models import Patient
from tests.cast import Cast
from tests.makers import client_of, make_alert, now, scope_all, staff
from tests.unit.crisis.test_desk_pages import get, text
from tests.unit.crisis.test_follow_ups import ended, series

pytestmark = pytest.mark.django_db
SWEEPER = system("sweeper")


def medium(cast: Cast) -> None:
    """A death wish in words: medium by itself, and no alert."""
    told(cast, "TEXT_C", "text", tier="C")


def told(cast: Cast, code: str, domain: str, **fields: Any) -> None:
    """One sign of the person, and what follows of it."""
    Evidence.objects.create(
        organization=cast.home, patient=cast.patient, code=code, domain=domain, source_id=uuid7(),
        observed_at=now(), received_at=now(), **({"source_type": "message"} | fields),
    )  # fmt: skip
    found = evaluate_patients(actor=system("test"), patient_ids=[cast.patient.pk])
    apply_decisions(actor=system("test"), evaluations=found)
    scope_all()


def task(reason: str = FIRST_CONTACT) -> ReviewItem:
    return ReviewItem.objects.get(reason_code=reason)


def hours(item: ReviewItem) -> float:
    return round((item.due_at - item.created_at).total_seconds() / 3600, 1)


def test_signals_at_medium_start_both_clocks(cast: Cast) -> None:
    medium(cast)
    assert not RiskAlert.objects.exists()
    assert (hours(task("risk_review")), hours(task())) == (24.0, 72.0)
    assert task().owner_id == cast.patient.primary_clinician_id
    medium(cast)
    assert ReviewItem.objects.count() == 2


def test_a_look_is_told_to_the_supervisors_at_48_hours_and_a_missing_contact_at_72(cast: Cast) -> None:
    medium(cast)
    mails = NotificationAttempt.objects.filter(user=cast.sam, channel="email")
    look, contact, second = task("risk_review"), task(), timedelta(seconds=1)
    escalate_task(actor=SWEEPER, item_id=look.pk, at=look.due_at + second)
    assert not mails.exists()
    escalate_task(actor=SWEEPER, item_id=look.pk, at=look.due_at + timedelta(hours=24) + 2 * second)
    assert mails.filter(item=look).count() == 1
    ReviewItem.objects.filter(pk=contact.pk).update(due_at=now(), next_escalation_at=now())
    loop.run_chores()
    scope_all()
    assert mails.filter(item=contact).count() == 1
    assert task().supervisors_told
    cast.on_duty()
    page = text(get(cast.cleo, "review_list"))
    assert "A first contact is due" in page
    assert "supervisors told" in page


def test_what_comes_in_while_an_old_medium_level_is_only_held_there_starts_both_clocks(cast: Cast) -> None:
    told(cast, "RF_ATTEMPT_LIFETIME", "history", source_type="clinician")
    held = RiskAssessment.objects.get()
    held.pk, held.level, held.level_source, held.computed_at = uuid7(), "medium", "held", now()
    held.save(force_insert=True)
    assert held.engine_level == "low" and not ReviewItem.objects.exists()
    told(cast, "TEXT_D", "text", tier="D")
    newest = RiskAssessment.objects.latest("computed_at")
    assert (newest.engine_level, newest.rules_fired) == ("medium", []), "by its score, by no floor"
    assert (hours(task("risk_review")), hours(task())) == (24.0, 72.0)
    told(cast, "TEXT_D", "text", tier="D")
    assert ReviewItem.objects.count() == 2, "a score that stays had its task"


def test_an_organization_has_clocks_of_its_own(cast: Cast) -> None:
    default = SlaPolicy.objects.get(organization=None, level="medium")
    change_policy(
        actor=staff(cast.ada), policy_id=default.pk, contact_seconds=7200, acknowledge_seconds=3600,
        repeat_seconds=1800,
    )  # fmt: skip
    scope_all()
    medium(cast)
    assert (hours(task("risk_review")), hours(task())) == (1.0, 2.0)
    look = task("risk_review")
    escalate_task(actor=SWEEPER, item_id=look.pk, at=look.due_at + timedelta(seconds=1))
    look.refresh_from_db()
    assert look.next_escalation_at == look.due_at + timedelta(minutes=30, seconds=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("contact_seconds", 432001), ("contact_seconds", 0), ("acknowledge_seconds", 172801),
        ("repeat_seconds", 86401), ("chain", []), ("disposition_seconds", 60),
    ],
)  # fmt: skip
def test_no_clock_of_medium_is_set_away(cast: Cast, name: str, value: Any) -> None:
    default = SlaPolicy.objects.get(organization=None, level="medium")
    if name == "chain":
        value = [{"after": 0, "who": "on_duty"}, {"after": 60, "who": "lead"}]
    with pytest.raises(InputRefused) as refused:
        change_policy(actor=staff(cast.ada), policy_id=default.pk, **{name: value})
    assert refused.value.extra["field"] == name


def test_the_back_office_shows_the_clocks_that_medium_has(cast: Cast) -> None:
    default = SlaPolicy.objects.get(organization=None, level="medium")
    client, address = client_of(cast.ada), reverse("admin:crisis_slapolicy_change", args=[default.pk])
    page = client.get(address).content.decode()
    assert 'name="contact_seconds"' in page
    assert 'name="disposition_seconds"' not in page
    assert 'name="chain_0"' not in page
    sent = client.post(
        address, {"acknowledge_seconds": 86400, "contact_seconds": 172800, "repeat_seconds": 86400}
    )
    assert sent.status_code == 302, sent.content.decode()[:2000]
    scope_all()
    assert SlaPolicy.objects.get(organization=cast.home, level="medium").contact_seconds == 172800


def by_review(cast: Cast) -> str:
    finish_risk_review(actor=staff(cast.alice), item_id=task("risk_review").pk, outcome="contacted")
    return "contacted"


def by_lowering(cast: Cast) -> str:
    finish_risk_review(
        actor=staff(cast.alice),
        item_id=task("risk_review").pk,
        outcome="reviewed",
        level="low",
        note="A song",
    )
    return "no_action_needed"


def by_an_alert_s_try(cast: Cast) -> str:
    alert = make_alert(cast.patient)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    log_attempt(actor=staff(cast.cleo), alert_id=alert.pk)
    return "tried"


def by_an_alert_s_contact(cast: Cast) -> str:
    alert = make_alert(cast.patient)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    log_contact(actor=staff(cast.cleo), alert_id=alert.pk)
    return "contacted"


def by_a_follow_up(cast: Cast) -> str:
    first, *_ = series(ended(cast))
    finish_follow_up(actor=staff(cast.cleo), follow_up_id=first.pk, outcome="no_answer", channel="sms")
    return "tried"


def by_a_session(cast: Cast) -> str:
    start_session(actor=staff(cast.alice), patient_id=cast.patient.pk, channel="in_person")
    return "contacted"


@pytest.mark.parametrize(
    "how",
    [by_review, by_lowering, by_an_alert_s_try, by_an_alert_s_contact, by_a_follow_up, by_a_session],
)
def test_whatever_reaches_the_person_stops_the_clock(cast: Cast, how: Any) -> None:
    if how is not by_a_follow_up:
        cast.on_duty()
    medium(cast)
    assert task().done_at is None
    outcome = how(cast)
    scope_all()
    assert (task().outcome, task().next_escalation_at) == (outcome, None)
    assert task().done_at is not None


def test_a_look_alone_reaches_nobody(cast: Cast) -> None:
    medium(cast)
    cast.on_duty(cast.alice)
    finish_risk_review(
        actor=staff(cast.alice), item_id=task("risk_review").pk, outcome="reviewed", level="same"
    )
    assert task().done_at is None


def test_who_tried_says_so_and_nobody_is_left_out_without_a_reason(cast: Cast) -> None:
    medium(cast)
    cast.on_duty()
    client, item = Client(), task()
    client.force_login(cast.cleo)
    page = text(get(cast.cleo, "review_detail", item.pk))
    assert "Tried, nobody answered" in page
    bare = client.post(reverse("crisis:review_done", args=[item.pk]), {"outcome": "no_action_needed"})
    assert (bare.status_code, "Say why nobody has to be reached" in text(bare)) == (422, True)
    scope_all()
    for outcome in ("reviewed", "no_action_needed"):
        with pytest.raises(InputRefused):
            finish_item(actor=staff(cast.cleo), item_id=item.pk, outcome=outcome)
    finish_item(actor=staff(cast.cleo), item_id=item.pk, outcome="tried")
    done = AuditLog.objects.get(event_type="review.done", object_id=item.pk)
    assert done.codes == {"outcome": "tried"}


def test_an_open_alert_has_a_clock_of_its_own(cast: Cast) -> None:
    make_alert(cast.patient, kind="medical")
    medium(cast)
    assert ReviewItem.objects.filter(reason_code="risk_review").exists()
    assert not ReviewItem.objects.filter(reason_code=FIRST_CONTACT).exists()


def test_the_reason_on_a_card_is_that_of_the_rule_which_its_level_comes_from(cast: Cast) -> None:
    cast.on_duty()
    told(cast, "SOS_TALK", "sos", source_type="sos")
    assert RiskAlert.objects.get().reason_code == "H13"
    told(cast, "TEXT_A", "text", tier="A")
    assert (RiskAlert.objects.get().level, RiskAlert.objects.get().reason_code) == ("critical", "H1")


def test_a_safeguarding_task_that_was_done_comes_back_for_new_words_alone(cast: Cast) -> None:
    Patient.objects.filter(pk=cast.patient.pk).update(age_band="13_17")
    told(cast, "TEXT_B", "text", tier="B")
    finish_item(actor=staff(cast.alice), item_id=task("safeguarding").pk, outcome="reviewed")
    told(cast, "RF_NSSI", "history", source_type="clinician")
    assert ReviewItem.objects.filter(reason_code="safeguarding").count() == 1
    told(cast, "TEXT_B", "text", tier="B")
    assert ReviewItem.objects.filter(reason_code="safeguarding").count() == 2
