"""From critical to high: one asks, another agrees, every condition holds, and silence lowers nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinical.scheduling.actions import book_appointment
from cortex.accounts.models import User
from cortex.audit import InputRefused, NotFound, RuleBroken, system
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.ops.models import Notification
from crisis.alerts.access import pages_for
from crisis.alerts.models import RiskAlert
from crisis.endings.actions import Ending, resolve_alert
from crisis.followups.actions import finish_follow_up
from crisis.ownership.actions import claim_alert
from crisis.reviews.models import FollowUp
from crisis.risk.actions import append_evidence, evaluate_patients
from crisis.risk.evidence import Origin, from_cssrs
from crisis.risk.models import Evidence, RiskAssessment
from crisis.risk.types import Level
from crisis.safetyplans.models import SafetyPlan
from crisis.safetyplans.queries import reader
from crisis.stepdown.actions import ask_step_down, decide_step_down, withdraw_step_down
from crisis.stepdown.models import StepDown
from tests.cast import Cast
from tests.makers import UNASKED, glass, make_alert, make_user, now, opened, scope_all, staff
from tests.unit.crisis.test_desk_pages import get, text
from tests.unit.crisis.test_risk_reviews import newest, said
from tests.walk.safety import make_safety_plan

pytestmark = pytest.mark.django_db
WHY = "Seen today with her brother"


def ended(cast: Cast, days: float = 3 / 24) -> None:
    """Critical by words of tier A some days ago; the alert ended with a follow-up, and a plan is whole."""
    cast.on_duty()
    said(cast, "A", days=days)
    alert = make_alert(cast.patient)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    ending = Ending(
        "remained_community_with_plan", "Stays with family", "true_crisis",
        follow_up_at=now() + timedelta(hours=20),
    )  # fmt: skip
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    make_safety_plan(cast.alice, cast.patient.pk, "Walks")
    assert newest(cast).level == "critical"


def ask(cast: Cast, user: User | None = None, reason: str = WHY, at: datetime | None = None) -> StepDown:
    return ask_step_down(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, reason=reason, at=at
    )  # fmt: skip


def decide(user: User, row: StepDown, *, agree: bool = True, note: str = "I rang her") -> StepDown:
    return decide_step_down(actor=staff(user), step_down_id=row.pk, agree=agree, note=note)


def looked(cast: Cast, at: datetime) -> RiskAssessment:
    evaluate_patients(actor=system("test"), patient_ids=[cast.patient.pk], at=at)
    return newest(cast)


@pytest.mark.parametrize("days", [3 / 24, 40])
def test_two_people_bring_critical_to_high_whatever_the_engine_says_now(cast: Cast, days: float) -> None:
    ended(cast, days)
    assert looked(cast, now()).level == "critical"
    decide(cast.sam, ask(cast))
    found = newest(cast)
    assert found.level == "high"
    row = Evidence.objects.get(code="CLINICIAN_LEVEL")
    assert (row.tier, row.floor, row.source_id) == ("lower", "high", StepDown.objects.get().pk)
    assert not RiskAlert.objects.open().exists()


def test_from_high_it_comes_down_by_itself(cast: Cast) -> None:
    ended(cast, days=40)
    decide(cast.sam, ask(cast))
    at = now()
    levels = [looked(cast, at + timedelta(hours=hours)).level for hours in (1, 23, 25, 32)]
    assert levels[0] == "high"
    assert levels[-1] in ("medium", "low")


def test_words_that_come_afterwards_are_critical_again(cast: Cast) -> None:
    ended(cast)
    decide(cast.sam, ask(cast))
    said(cast, "A", days=0)
    assert newest(cast).level == "critical"


def _not_critical(cast: Cast) -> None:
    decide(cast.sam, ask(cast))


def _cue(cast: Cast) -> None:
    at = now() - timedelta(minutes=110)
    Evidence.objects.filter(code="TEXT_A").update(observed_at=at, received_at=at)


def _draft(cast: Cast) -> None:
    SafetyPlan.objects.filter(status="current").update(is_complete=False)


def _nothing_booked(cast: Cast) -> None:
    FollowUp.objects.update(due_at=now() - timedelta(minutes=1))


def _floor(cast: Cast) -> None:
    Evidence.objects.filter(code="ALERT_RESOLVED").update(refuted_at=now())


CHANGES: dict[str, Callable[[Cast], Any]] = {
    "not_critical": _not_critical,
    "alert_open": lambda cast: make_alert(cast.patient, "high"),
    "still_critical": _floor,
    "cue_too_new": _cue,
    "plan_incomplete": _draft,
    "no_follow_up": _nothing_booked,
}


@pytest.mark.parametrize("code", CHANGES)
def test_each_condition_is_needed(cast: Cast, code: str) -> None:
    ended(cast)
    CHANGES[code](cast)
    level, before = newest(cast).level, StepDown.objects.count()
    with pytest.raises(RuleBroken) as refused:
        ask(cast)
    assert refused.value.code == code
    assert (newest(cast).level, StepDown.objects.count()) == (level, before)


@pytest.mark.parametrize("code", [one for one in CHANGES if one != "not_critical"])
def test_agreeing_looks_at_each_condition_again(cast: Cast, code: str) -> None:
    ended(cast)
    row = ask(cast)
    CHANGES[code](cast)
    with pytest.raises(RuleBroken) as refused:
        decide(cast.sam, row)
    row.refresh_from_db()
    assert (refused.value.code, row.decided_at, newest(cast).level) == (code, None, "critical")
    decide(cast.sam, row, agree=False)


def test_an_appointment_is_a_follow_up_too(cast: Cast) -> None:
    ended(cast)
    _nothing_booked(cast)
    when = now() + timedelta(days=3)
    book_appointment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, starts=[when], minutes=50,
    )  # fmt: skip
    assert ask(cast).findings["booked"] is True


def test_a_high_screener_needs_the_reason_alone_and_a_reason_is_always_needed(cast: Cast) -> None:
    ended(cast)
    at = now() - timedelta(minutes=5)
    high = from_cssrs(
        "high", Level.CRITICAL, Origin("instrument", at), complete=True, behaviour=0.0, since_contact=False
    )
    append_evidence(actor=system("test"), drafts={cast.patient.pk: [high]}, at=at)
    with pytest.raises(InputRefused, match="Say why high"):
        ask(cast, reason=" ")
    row = ask(cast)
    assert (row.findings["triage"], row.findings["plan_complete"]) == ("high", True)
    decide(cast.sam, row)
    assert newest(cast).level == "high"


def test_who_treats_the_person_asks(cast: Cast) -> None:
    ended(cast)
    for user in (cast.bob, cast.cleo, cast.sam, cast.charlie):
        with pytest.raises(NotFound):
            ask(cast, user)
    with pytest.raises(RuleBroken) as refused:
        ask(cast, glass(cast.patient, cast.bob))
    assert refused.value.code == "read_only"
    ask(cast)
    with pytest.raises(RuleBroken, match="asked already"):
        ask(cast)


def test_another_reader_of_the_house_decides(cast: Cast) -> None:
    ended(cast)
    row = ask(cast)
    with pytest.raises(RuleBroken) as refused:
        decide(cast.alice, row)
    assert refused.value.code == "same_person"
    cast.on_duty(cast.charlie)
    pendo = make_user("psychiatrist", cast.home)
    for user in (cast.bob, cast.cleo, cast.charlie, pendo, cast.ada):
        with pytest.raises(NotFound):
            decide(user, row)
    cast.on_duty(pendo)
    with pytest.raises(InputRefused, match="Write a sentence"):
        decide(pendo, row, note=" ")
    decide(pendo, row)
    with pytest.raises(RuleBroken, match="has been decided"):
        decide(cast.sam, row, agree=False)
    row.refresh_from_db()
    assert (row.agreed, row.decided_by_id, newest(cast).level) == (True, pendo.pk, "high")


def test_the_question_opens_no_other_page_of_the_person(cast: Cast) -> None:
    ended(cast)
    RiskAlert.objects.update(resolved_at=now() - timedelta(hours=30))
    row, at = ask(cast), now()
    assert not pages_for(cast.sam, at).exists()
    with pytest.raises(NotFound):
        reader(staff(cast.sam), cast.patient.pk, at)
    assert get(cast.sam, "step_down_review", row.pk).status_code == 200
    decide(cast.sam, row, agree=False)
    assert get(cast.sam, "step_down_review", row.pk).status_code == 404


def test_the_question_opens_no_words_of_the_contacts_before(cast: Cast) -> None:
    ended(cast)
    first, second, *_ = FollowUp.objects.order_by("due_at", "pk")
    safe = replace(UNASKED, means="safe", means_why="", means_note="Her brother keeps the key")
    finish_follow_up(actor=staff(cast.cleo), follow_up_id=first.pk, checks=safe, outcome="reached")
    scope_all()
    RiskAlert.objects.update(resolved_at=now() - timedelta(hours=30))
    ask(cast)
    page = text(get(cast.sam, "followup_done", second.pk))
    assert "Her brother keeps the key" not in page
    assert reverse("crisis:safety_plan", args=[cast.patient.pk]) not in page


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_reader_who_comes_too_late_hears_that_it_was_decided(cast: Cast, headers: dict[str, str]) -> None:
    """The person is closed to them by then; "not found" would say that they had dreamt it."""
    ended(cast)
    RiskAlert.objects.update(resolved_at=now() - timedelta(hours=30))
    row, client = ask(cast), Client()
    page = reverse("crisis:step_down_review", args=[row.pk])
    client.force_login(cast.sam)
    assert client.get(page).status_code == 200
    pendo = make_user("psychiatrist", cast.home)
    cast.on_duty(pendo)
    decide(pendo, row, agree=False)
    late = client.post(page, {"agreed": "no", "note": "He sounded worse"}, headers=headers)
    assert late.status_code == 409 and "This has been decided" in text(late)
    assert client.get(page).status_code == 404
    client.force_login(cast.charlie)
    stranger = client.post(page, {"agreed": "no", "note": "He sounded worse"}, headers=headers)
    assert stranger.status_code == 404


def test_not_agreeing_says_why_and_lowers_nothing(cast: Cast) -> None:
    ended(cast)
    row = decide(cast.sam, ask(cast), agree=False, note="Her brother is away")
    assert (newest(cast).level, Evidence.objects.filter(code="CLINICIAN_LEVEL").count()) == ("critical", 0)
    scope_all()
    assert opened(StepDown.objects.get(pk=row.pk), "decision_note") == "Her brother is away"
    assert "Her brother is away" in text(get(cast.alice, "step_down", cast.patient.pk))


def test_nobody_s_silence_lowers_anything(cast: Cast) -> None:
    ended(cast)
    row = ask(cast)
    assert row.due_at - row.asked_at == timedelta(minutes=30)
    assert looked(cast, now() + timedelta(hours=15)).level == "critical"
    row.refresh_from_db()
    assert row.is_waiting
    later = now() + timedelta(hours=16)
    decide_step_down(actor=staff(cast.sam), step_down_id=row.pk, agree=True, note="I rang her", at=later)
    assert newest(cast).level == "high"


def test_who_asked_takes_it_back(cast: Cast) -> None:
    ended(cast)
    row = ask(cast)
    with pytest.raises(NotFound):
        withdraw_step_down(actor=staff(cast.sam), step_down_id=row.pk)
    withdraw_step_down(actor=staff(cast.alice), step_down_id=row.pk)
    row.refresh_from_db()
    assert (row.is_withdrawn, row.agreed, newest(cast).level) == (True, False, "critical")
    with pytest.raises(NotFound):
        decide(cast.bob, row)
    ask(cast)


def test_the_trail_and_the_notices_know_it(cast: Cast) -> None:
    ended(cast)
    cast.on_duty(cast.bob)
    row = ask(cast)
    told = Notification.objects.filter(code="step_down_asked")
    assert set(told.values_list("recipient_id", flat=True)) == {cast.sam.pk, cast.bob.pk}
    decide(cast.sam, row)
    assert not told.filter(read_at=None).exists()
    answer = Notification.objects.get(code="step_down_decided")
    assert (answer.recipient_id, answer.codes) == (cast.alice.pk, {"patient": str(cast.patient.pk)})
    asked, decided = (AuditLog.objects.get(event_type=f"step_down.{one}") for one in ("asked", "decided"))
    assert (asked.actor_id, asked.subject, decided.actor_id) == (cast.alice.pk, cast.patient.pk, cast.sam.pk)
    assert asked.codes["hours_since_cue"] >= 3
    assert decided.codes == {"agreed": True}
    stated = AuditLog.objects.get(event_type="risk.stated")
    assert stated.codes == {"level": "high", "before": "critical", "after": "high"}


def test_the_chart_leads_to_the_page_and_the_list_to_the_reader(cast: Cast) -> None:
    ended(cast)
    chart = reverse("clinical:chart_crisis", args=[cast.patient.pk])
    page = reverse("crisis:step_down", args=[cast.patient.pk])
    alice, sam = Client(), Client()
    alice.force_login(cast.alice)
    sam.force_login(cast.sam)
    assert page in alice.get(chart).content.decode()
    answer = alice.get(page)
    assert (answer.status_code, "Safety plan complete" in text(answer)) == (200, True)
    assert alice.post(page, {"reason": ""}).status_code == 422
    assert alice.post(page, {"reason": WHY}).status_code == 303
    assert alice.post(page, {"reason": WHY}).status_code == 409
    assert "Take it back" in text(alice.get(page))
    scope_all()
    review = reverse("crisis:step_down_review", args=[StepDown.objects.get().pk])
    assert review in text(get(cast.sam, "review_list"))
    for user in (cast.alice, cast.bob, cast.charlie, cast.cleo):
        assert review not in text(get(user, "review_list"))
    assert "Somebody else has to decide" in text(
        get(cast.alice, "step_down_review", StepDown.objects.get().pk)
    )
    assert WHY in text(sam.get(review))
    scope_all()
    look = PhiAccessLog.objects.filter(data_type="step_down", actor_id=cast.sam.pk).latest("pk")
    assert (look.subject, look.relationship) == (cast.patient.pk, "supervision")
    assert sam.post(review, {"agreed": "yes", "note": ""}).status_code == 422
    assert sam.post(review, {"agreed": "yes", "note": "I rang her"}).status_code == 303
    scope_all()
    assert newest(cast).level == "high"
    assert page not in alice.get(chart).content.decode()
    assert "agreed" in text(alice.get(page))


def test_the_page_says_what_is_missing(cast: Cast) -> None:
    ended(cast)
    _cue(cast)
    _draft(cast)
    answer = get(cast.alice, "step_down", cast.patient.pk)
    assert text(answer).count(">missing<") == 2
    client = Client()
    client.force_login(cast.alice)
    sent = client.post(reverse("crisis:step_down", args=[cast.patient.pk]), {"reason": WHY})
    assert (sent.status_code, "less than two hours old" in text(sent)) == (409, True)


def test_who_asked_takes_it_back_on_the_page(cast: Cast) -> None:
    ended(cast)
    row = ask(cast)
    client = Client()
    client.force_login(cast.alice)
    address = reverse("crisis:step_down_withdraw", args=[cast.patient.pk, row.pk])
    assert client.post(address).status_code == 303
    row.refresh_from_db()
    assert row.is_withdrawn
