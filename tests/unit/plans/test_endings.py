"""How a plan ends and comes back, how a goal is dropped, and what stays of the person's agreement."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinical.pathway.actions import discharge
from clinical.plans.actions import begin_plan, change_plan, record_agreement
from clinical.plans.endings.actions import end_plan, reopen_plan
from clinical.plans.goals.actions import settle_goal
from clinical.plans.models import Goal
from clinical.plans.reviews.actions import hold_review
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog
from cortex.ops.models import Notification
from patients.pathway.actions import EndingData
from tests import makers
from tests.unit.plans.conftest import Planned, setting

pytestmark = pytest.mark.django_db


def own(planned: Planned) -> dict[str, Any]:
    return {"actor": planned.alice, "patient_id": planned.who}


def end(planned: Planned, **more: Any) -> None:
    end_plan(**own(planned), **({"how": "discontinue", "reason": "step_up"} | more))
    makers.scope_all()


def url(planned: Planned, name: str, *ids: Any) -> str:
    return reverse(f"clinical:{name}", args=[planned.who, *ids])


def page(client: Client, where: str) -> str:
    return client.get(where).content.decode()


def test_a_plan_is_ended_on_a_page_that_asks_how_and_why(planned: Planned) -> None:
    planned.sign()
    client = makers.client_of(planned.cast.alice)
    shown = page(client, url(planned, "plan"))
    assert "End the plan" in shown
    assert 'value="discontinue"' not in shown and 'value="complete"' not in shown
    asked = page(client, url(planned, "plan_end"))
    assert "the person agreed to it" in asked and "What follows" in asked
    refused = client.post(url(planned, "plan_end"), {"how": "discontinue"})
    assert refused.status_code == 422
    assert "Choose why it ends." in refused.content.decode()
    makers.scope_all()
    assert planned.fresh().status == "active"
    assert client.post(url(planned, "plan_move"), {"move": "discontinue"}).status_code == 422
    makers.scope_all()
    assert planned.fresh().status == "active", "one press ends nothing"
    done = client.post(url(planned, "plan_end"), {"how": "discontinue", "reason": "step_up"})
    assert done.status_code == 303
    makers.scope_all()
    assert planned.fresh().status == "discontinued"
    row = AuditLog.objects.get(event_type="plan.discontinued")
    assert row.codes == {"version": 1, "reason": "step_up", "from": "active"}


def test_the_page_says_that_it_was_ended_when_by_whom_and_why_and_takes_it_back(planned: Planned) -> None:
    planned.sign()
    end(planned)
    client = makers.client_of(planned.cast.alice)
    shown = page(client, url(planned, "plan"))
    assert "The plan was ended: discontinued" in shown
    assert "Alice Achieng, " in shown and "Why: step up: more care." in shown
    back = url(planned, "plan_reopen", planned.plan.pk)
    assert back in shown
    assert client.post(back).status_code == 303
    makers.scope_all()
    plan = planned.fresh()
    assert (plan.status, plan.ended_at, plan.version, plan.is_signed, plan.patient_agreed) == (
        "active", None, 1, True, True,
    )  # fmt: skip
    assert AuditLog.objects.filter(event_type="plan.reopened", object_id=plan.pk).count() == 1
    assert "The plan was ended" not in page(client, url(planned, "plan"))


def test_only_who_ended_it_takes_it_back_within_a_day_and_the_page_says_why_not(planned: Planned) -> None:
    planned.sign()
    end(planned, how="complete", reason="discharge")
    makers.add_to_team(planned.cast.patient, planned.cast.bob)
    back = url(planned, "plan_reopen", planned.plan.pk)
    with pytest.raises(RuleBroken, match="Alice Achieng ended it"):
        reopen_plan(actor=makers.staff(planned.cast.bob), patient_id=planned.who, plan_id=planned.plan.pk)
    makers.scope_all()
    shown = page(makers.client_of(planned.cast.bob), url(planned, "plan"))
    assert "Alice Achieng ended it and alone can take that back" in shown and back not in shown
    with pytest.raises(RuleBroken, match="for a day"):
        reopen_plan(**own(planned), plan_id=planned.plan.pk, at=makers.now() + timedelta(hours=25))
    makers.scope_all()
    with pytest.raises(NotFound):
        reopen_plan(actor=makers.staff(planned.cast.charlie), patient_id=planned.who, plan_id=planned.plan.pk)
    makers.scope_all()
    today = makers.now().date()
    begin_plan(**own(planned), presenting_problem="Anew.", start=today, target_end=today + timedelta(days=9))
    makers.scope_all()
    with pytest.raises(RuleBroken, match="Another plan has begun"):
        reopen_plan(**own(planned), plan_id=planned.plan.pk)


def test_what_a_review_ended_stays_ended_and_the_page_says_so(planned: Planned) -> None:
    planned.sign()
    hold_review(**own(planned), patient_view="Done.", decision="discharge")
    makers.scope_all()
    shown = page(makers.client_of(planned.cast.alice), url(planned, "plan"))
    assert "in a review" in shown and "a review stays as it was held" in shown
    assert url(planned, "plan_reopen", planned.plan.pk) not in shown
    with pytest.raises(RuleBroken, match="stays as it was held"):
        reopen_plan(**own(planned), plan_id=planned.plan.pk)


def test_a_plan_that_waited_for_a_supervisor_waits_again_when_it_is_taken_back(planned: Planned) -> None:
    setting(planned.cast, plans_need_approval=True)
    makers.add_to_team(planned.cast.patient, planned.cast.sam, role="supervisor")
    planned.sign()
    waiting = Notification.objects.filter(recipient=planned.cast.sam, code="plan_waiting", read_at=None)
    with pytest.raises(RuleBroken, match="never in force"):
        end(planned, how="complete")
    makers.scope_all()
    end(planned)
    assert waiting.count() == 0
    reopen_plan(**own(planned), plan_id=planned.plan.pk)
    makers.scope_all()
    assert (planned.fresh().status, waiting.count()) == ("draft", 1)


@pytest.mark.parametrize("given", [{"how": "stop"}, {"reason": "continue"}, {"reason": ""}])
def test_a_plan_ends_only_for_a_reason_that_ends_one(planned: Planned, given: dict[str, str]) -> None:
    planned.sign()
    with pytest.raises(InputRefused):
        end(planned, **given)
    makers.scope_all()
    assert planned.fresh().status == "active"


def test_a_goal_is_dropped_after_a_question_and_taken_up_again(planned: Planned) -> None:
    planned.sign()
    client = makers.client_of(planned.cast.alice)
    shown = page(client, url(planned, "plan"))
    drop = url(planned, "goal_drop", planned.walks.pk)
    assert drop in shown and 'value="cancelled"' not in shown
    asked = page(client, drop)
    assert "Walk again." in asked and "version 1 stands until you sign again" in asked
    makers.scope_all()
    assert Goal.objects.get(pk=planned.walks.pk).status == "active", "the page alone drops nothing"
    assert client.post(drop).status_code == 303
    makers.scope_all()
    assert Goal.objects.get(pk=planned.walks.pk).status == "cancelled"
    assert planned.fresh().version == 2
    dropped = page(client, url(planned, "plan")).split("1 dropped")[1]
    assert "Walk again." in dropped and "Take up again" in dropped
    client.post(url(planned, "goal_settle", planned.walks.pk), {"status": "active"})
    makers.scope_all()
    assert Goal.objects.get(pk=planned.walks.pk).status == "active"


def test_taking_a_goal_up_again_changes_a_plan_that_was_signed_without_it(planned: Planned) -> None:
    settle_goal(**own(planned), goal_id=planned.walks.pk, status="cancelled")
    settle_goal(**own(planned), goal_id=planned.walks.pk, status="active")
    assert Goal.objects.get(pk=planned.walks.pk).status == "proposed", "nothing is in force yet"
    settle_goal(**own(planned), goal_id=planned.walks.pk, status="cancelled")
    planned.sign()
    settle_goal(**own(planned), goal_id=planned.walks.pk, status="active")
    assert (planned.fresh().version, planned.fresh().is_signed) == (2, False)


@pytest.mark.parametrize("when", ["signing", "later"])
def test_the_agreement_stays_with_the_version_that_it_was_about(planned: Planned, when: str) -> None:
    planned.sign(patient_agreed=when == "signing")
    if when == "later":
        record_agreement(**own(planned))
    client = makers.client_of(planned.cast.alice)
    words = {"presenting_problem": "Another.", "start": planned.plan.start,
             "target_end": planned.plan.target_end}  # fmt: skip
    change_plan(**own(planned), **words)
    makers.scope_all()
    shown = page(client, url(planned, "plan"))
    said = shown.split("<dt>Agreed</dt><dd>")[1].split("</dd>")[0]
    assert said.startswith("version 1, ") and "version 2 is asked when it is signed" in said
    assert "; agreed " in shown.split(">Version 1</a>")[1].split("</li>")[0]
    assert "the person agreed, " in page(client, url(planned, "plan_version", planned.plan.pk, 1))


def test_a_version_without_agreement_says_so(planned: Planned) -> None:
    planned.sign(patient_agreed=False)
    client = makers.client_of(planned.cast.alice)
    assert "is not on record" in page(client, url(planned, "plan_version", planned.plan.pk, 1))


def test_no_plan_is_begun_or_taken_back_after_a_discharge_until_somebody_goes_on(planned: Planned) -> None:
    planned.sign()
    makers.scope_all()
    alice, today = planned.cast.alice, makers.now().date()
    discharge(**own(planned), data=EndingData("moved_away", summary="Gone.", days=3))
    makers.scope_all()
    back, client = url(planned, "plan_reopen", planned.plan.pk), makers.client_of(alice)
    shown = page(client, url(planned, "plan"))
    assert "nobody stays on the team" in shown and back not in shown
    assert client.get(url(planned, "plan_begin")).status_code == 409
    makers.scope_all()
    with pytest.raises(RuleBroken, match="Care has ended"):
        reopen_plan(**own(planned), plan_id=planned.plan.pk)
    makers.scope_all()
    words = {"presenting_problem": "Anew.", "start": today, "target_end": today + timedelta(days=9)}
    with pytest.raises(RuleBroken, match="Care has ended"):
        begin_plan(**own(planned), **words)
    makers.scope_all()
    makers.add_to_team(planned.cast.patient, planned.cast.bob)
    makers.scope_all()
    assert begin_plan(**own(planned), **words).status == "draft"
