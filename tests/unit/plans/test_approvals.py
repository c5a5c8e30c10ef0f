"""Plans that wait for a supervisor: on whose list they stand, who is told, and what the author hears."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.plans.actions import change_plan, decide_approval, sign_plan
from clinical.plans.approvals.queries import approvers_of, waiting_for
from clinical.plans.endings.actions import end_plan
from clinical.plans.wording import waits_words
from cortex.accounts.models import User
from cortex.audit.models import PhiAccessLog
from cortex.ops.models import Notification
from patients.registry.access import CHART
from tests import makers
from tests.cast import Cast
from tests.explained import plan_of
from tests.unit.plans.conftest import Planned, setting
from tests.walk.plans import begin

pytestmark = pytest.mark.django_db
QUEUE = "/plan-reviews/"
TOLD = "A plan waits for your approval."


@pytest.fixture
def supervised(planned: Planned) -> Planned:
    """The plan of a service that asks for approval; Sam is on the person's team."""
    setting(planned.cast, plans_need_approval=True)
    makers.add_to_team(planned.cast.patient, planned.cast.sam, role="supervisor")
    return planned


def seen(user: User, where: str = QUEUE) -> str:
    answer = makers.client_of(user).get(where)
    assert answer.status_code == 200, answer.status_code
    makers.scope_all()
    return answer.content.decode()


def notices(user: User, code: str) -> Any:
    return Notification.objects.filter(recipient=user, code=code, read_at__isnull=True)


def waits(cast: Cast, words: str = "Another") -> Any:
    """One more person of Alice's and Sam's whose plan waits."""
    one = makers.make_patient(cast.home, team=[cast.alice])
    makers.add_to_team(one, cast.sam, role="supervisor")
    begin(makers.staff(cast.alice), one.pk, words)
    sign_plan(actor=makers.staff(cast.alice), patient_id=one.pk, patient_agreed=True)
    makers.scope_all()
    return one


def test_a_signed_plan_stands_on_the_supervisors_list_until_the_word_is_given(supervised: Planned) -> None:
    cast, name = supervised.cast, supervised.cast.patient.anonymous_id
    assert "No plan waits for you" in seen(cast.sam)
    supervised.sign()
    page = seen(cast.sam)
    assert (name in page, "Zawadi" in page, TOLD in page) == (True, False, True)
    where = reverse("clinical:plan_approve", args=[supervised.who, 1])
    assert f'href="{where}"' in page
    assert PhiAccessLog.objects.filter(data_type="plan.reviews", subject=supervised.who).count() == 1
    assert TOLD in seen(cast.sam, "/ways/")
    done = makers.client_of(cast.sam).post(where, {"approved": "yes", "note": ""})
    assert done.status_code == 303
    makers.scope_all()
    assert not notices(cast.sam, "plan_waiting").exists()
    page = seen(cast.sam)
    assert (name in page, TOLD in page) == (False, False)
    assert "A plan was approved." in seen(cast.alice, "/caseload/")


def test_the_author_is_told_what_is_missing_and_by_a_link_of_its_own(supervised: Planned) -> None:
    cast, sam = supervised.cast, makers.staff(supervised.cast.sam)
    supervised.sign()
    decide_approval(
        actor=sam, patient_id=supervised.who, version=1, approved=False, note="Say how sleep is meant."
    )
    makers.scope_all()
    assert not notices(cast.sam, "plan_waiting").exists()
    page = seen(cast.alice, "/caseload/")
    plan = reverse("clinical:plan", args=[supervised.who])
    told = page.split("A plan was given back: read what is missing.")[1].split("</div>")[0]
    assert f'href="{plan}"' in told
    assert "Say how sleep is meant." not in page, "the reason is sealed: it stands on the plan alone"
    assert "Say how sleep is meant." in seen(cast.alice, plan)
    supervised.sign()
    makers.scope_all()
    assert notices(cast.sam, "plan_waiting").count() == 1


def test_nobody_waits_for_a_word_on_what_was_changed_or_ended_since(supervised: Planned) -> None:
    cast = supervised.cast
    for end in (True, False):
        supervised.sign()
        makers.scope_all()
        assert len(waiting_for(cast.sam, makers.now())) == 1
        if end:
            day = supervised.plan.start
            change_plan(
                actor=supervised.alice, patient_id=supervised.who, presenting_problem="Other words.",
                start=day, target_end=day + timedelta(days=99),
            )  # fmt: skip
        else:
            end_plan(actor=supervised.alice, patient_id=supervised.who, how="discontinue", reason="change")
        makers.scope_all()
        assert waiting_for(cast.sam, makers.now()) == []
        assert not notices(cast.sam, "plan_waiting").exists()


def test_the_list_holds_what_the_approving_action_takes_and_nothing_else(supervised: Planned) -> None:
    cast, at = supervised.cast, makers.now()
    other = makers.make_user("supervisor", cast.home, full_name="Otto Other")
    supervised.sign()
    makers.scope_all()
    assert [len(waiting_for(one, at)) for one in (cast.sam, other, cast.alice, cast.ada)] == [1, 0, 0, 0]
    assert not notices(other, "plan_waiting").exists()
    makers.grant(
        cast.patient, other, reason_code="break_glass", reason="Nobody answers.", permission=CHART,
        ends_at=at + timedelta(hours=2),
    )  # fmt: skip
    assert waiting_for(other, makers.now()) == [], "break-glass reads"
    assert [one.full_name for one in approvers_of(cast.patient, makers.now())] == ["Sam Simiyu"]
    makers.add_to_team(cast.patient, other, role="supervisor")
    assert len(waiting_for(other, makers.now())) == 1
    # A later version waits too, though the one before is in force.
    decide_approval(actor=makers.staff(other), patient_id=supervised.who, version=1, approved=True)
    day = supervised.plan.start
    change_plan(
        actor=supervised.alice, patient_id=supervised.who, presenting_problem="Other words.", start=day,
        target_end=day + timedelta(days=99),
    )  # fmt: skip
    supervised.sign()
    makers.scope_all()
    assert supervised.fresh().status == "active"
    assert [one.version for one in waiting_for(cast.sam, makers.now())] == [2]


def test_the_plan_says_who_may_approve_it_or_that_nobody_can(planned: Planned) -> None:
    setting(planned.cast, plans_need_approval=True)
    planned.sign()
    where = reverse("clinical:plan", args=[planned.who])
    assert "no supervisor is on the care team" in seen(planned.cast.alice, where)
    makers.add_to_team(planned.cast.patient, planned.cast.sam, role="supervisor")
    page = seen(planned.cast.alice, where)
    assert "Sam Simiyu may give it" in page
    assert "Look and approve" not in page
    assert "Look and approve" in seen(planned.cast.sam, where)


def test_the_longest_waiting_comes_first_by_as_many_queries_for_one_as_for_many(supervised: Planned) -> None:
    cast = supervised.cast
    supervised.sign()
    makers.scope_all()
    with CaptureQueriesContext(connection) as few:
        waiting_for(cast.sam, makers.now())
    later = [waits(cast) for _ in range(3)]
    with CaptureQueriesContext(connection) as many:
        found = waiting_for(cast.sam, makers.now())
    assert [one.patient_id for one in found] == [cast.patient.pk, *(one.pk for one in later)]
    assert len(few) == len(many) == 3
    (asked,) = [one["sql"] for one in many.captured_queries if "needs_approval" in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = plan_of(cursor, asked)
    assert "Seq Scan" not in plan, plan


def test_a_wait_is_said_in_hours_then_in_days() -> None:
    at = makers.now()
    spans = [timedelta(minutes=59), timedelta(hours=1), timedelta(hours=23), timedelta(days=1, hours=5)]
    assert [waits_words(at - one, at) for one in [*spans, timedelta(days=2)]] == [
        "less than an hour", "1 hour", "23 hours", "1 day", "2 days"
    ]  # fmt: skip
