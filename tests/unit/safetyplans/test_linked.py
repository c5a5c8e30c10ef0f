"""A person whose caller's row was linked, and who had a safety plan on both."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crisis.ownership.actions import claim_alert
from crisis.safetyplans import queries
from crisis.safetyplans.actions import finish_plan, retire_plan
from crisis.safetyplans.models import SafetyPlan
from patients.registry.queries import rows_of
from tests.cast import Cast
from tests.makers import scope_all, staff
from tests.unit.crisis.test_linking import desk, link  # noqa: F401 - a fixture
from tests.unit.crisis.test_raised_by_hand import told
from tests.unit.safetyplans.plans import WHOLE, finish, written

pytestmark = pytest.mark.django_db


def plans_on_both(cast: Cast) -> tuple[SafetyPlan, SafetyPlan]:
    """The person's own plan, and the one that a counselor made with the caller before they were linked."""
    own, alert = finish(cast), told(cast)
    scope_all()
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    scope_all()
    callers = finish_plan(
        actor=staff(cast.cleo), patient_id=alert.patient_id, seen="",  # type: ignore[arg-type]
        written=written(lines=WHOLE | {"self_coping": [("sing", "")]}),
    )  # fmt: skip
    scope_all()
    link(cast, alert)
    scope_all()
    return own, callers


def statuses(*plans: SafetyPlan) -> list[str]:
    kept = dict(SafetyPlan.objects.values_list("pk", "status"))
    return [kept[one.pk] for one in plans]


def test_a_new_plan_of_somebody_linked_is_finished_and_replaces_both(desk: Cast) -> None:  # noqa: F811
    own, callers = plans_on_both(desk)
    held = queries.held(rows_of(desk.patient))
    assert held.current == callers
    new = finish_plan(
        actor=staff(desk.alice), patient_id=desk.patient.pk, seen=held.token,
        written=written(lines=WHOLE | {"self_coping": [("dance", "")]}),
    )  # fmt: skip
    scope_all()
    assert statuses(own, callers, new) == ["superseded", "superseded", "current"]


def test_retiring_the_plan_of_somebody_linked_brings_no_older_one_back(desk: Cast) -> None:  # noqa: F811
    own, callers = plans_on_both(desk)
    retire_plan(actor=staff(desk.alice), patient_id=desk.patient.pk, plan_id=callers.pk, reason="declined")
    scope_all()
    assert queries.held(rows_of(desk.patient)).current is None
    assert statuses(own, callers) == ["superseded", "retired"]


def test_nobody_is_asked_to_go_through_what_another_row_s_plan_took_the_place_of(desk: Cast) -> None:  # noqa: F811
    own, callers = plans_on_both(desk)
    at = callers.finished_at + timedelta(days=31)
    SafetyPlan.objects.filter(pk__in=[own.pk, callers.pk]).update(means_review_on=at.date())
    assert [one.pk for one, _ in queries.due_for_review(at + timedelta(days=1))] == [callers.pk]
