"""A button that is pressed twice writes once; whoever goes back and types something else writes anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clinical.plans.goals import actions as goals
from clinical.plans.medications import actions as medications
from clinical.plans.medications.models import Medication
from clinical.plans.models import Goal, GoalProgress
from clinical.plans.reviews.models import PlanReview
from clinical.plans.seen import once_for, once_of
from cortex.ids import time_of, uuid7
from tests import makers
from tests.unit.plans.conftest import Planned
from tests.unit.plans.forms import shown
from tests.unit.plans.test_pages import as_user, url

pytestmark = pytest.mark.django_db
FORMS: dict[str, tuple[type[Any], dict[str, Any], dict[str, Any]]] = {
    "plan_review": (
        PlanReview, {"patient_view": "Better.", "decision": "continue"}, {"patient_view": "Worse."},
    ),
    "medication_add": (
        Medication,
        {"name": "Sertraline", "source": "prescribed", "status": "active", "adherence": "unknown"},
        {"name": "Mirtazapine"},
    ),
    "goal_add": (
        Goal, {
            "specific": "Read a book.", "measure_type": "frequency", "metric": "Books", "target": "2",
            "window_days": "30", "achievable_note": "They love it.", "concerns": ["grief"], "weight": "2",
            "due_date": f"{makers.now() + timedelta(days=30):%Y-%m-%d}",
        }, {"specific": "Read two."},
    ),
    "goal_progress": (GoalProgress, {"value": "2"}, {"value": "3"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_button_that_is_pressed_twice_writes_once(planned: Planned, name: str) -> None:
    planned.sign()
    makers.scope_all()
    model, typed, other = FORMS[name]
    before, client = model.objects.count(), as_user(planned.cast.alice)
    where = url(planned, name, *([planned.walks.pk] if name == "goal_progress" else []))
    form = shown(client, where) | typed
    assert [client.post(where, form).status_code for _ in range(2)] == [303, 303]
    makers.scope_all()
    assert model.objects.count() == before + 1
    assert client.post(where, form | other).status_code == 303, "they went back and typed something else"
    makers.scope_all()
    assert model.objects.count() == before + 2


@pytest.mark.parametrize("name", ["medication_add", "goal_add", "goal_progress"])
def test_what_was_taken_back_is_no_answer_to_the_same_form(planned: Planned, name: str) -> None:
    planned.sign()
    makers.scope_all()
    model, typed, _ = FORMS[name]
    known, client = set(model.objects.values_list("pk", flat=True)), as_user(planned.cast.alice)
    where = url(planned, name, *([planned.walks.pk] if name == "goal_progress" else []))
    form, told = shown(client, where) | typed, {"actor": planned.alice, "patient_id": planned.who}
    for times in (1, 2, 3):
        assert [client.post(where, form).status_code for _ in range(2)] == [303, 303]
        makers.scope_all()
        [fresh] = set(model.objects.values_list("pk", flat=True)) - known
        known.add(fresh)
        assert fresh.version == 7, times
        if name == "goal_progress":
            goals.take_back_progress(**told, entry_id=fresh)
        elif name == "goal_add":
            goals.settle_goal(**told, goal_id=fresh, status="cancelled")
        else:
            medications.mark_error(**told, medication_id=fresh)
        makers.scope_all()


def test_a_review_that_ends_the_plan_is_pressed_twice_too(planned: Planned) -> None:
    planned.sign()
    makers.scope_all()
    client, where = as_user(planned.cast.alice), url(planned, "plan_review")
    form = shown(client, where) | {"patient_view": "Done.", "decision": "discharge"}
    assert [client.post(where, form).status_code for _ in range(2)] == [303, 303]
    assert client.post(where, form | {"patient_view": "Something else."}).status_code == 409
    makers.scope_all()
    assert PlanReview.objects.count() == 1 and planned.fresh().status == "completed"


def test_a_number_is_of_one_person_and_of_what_is_typed() -> None:
    one, other = uuid7(), uuid7()
    told = once_for(one)
    assert once_of(other, told) is None and once_of(one, "nonsense") is None and once_of(one, "") is None
    found = once_of(one, told, [("a", "1"), ("b", "2")])
    assert found is not None and found == once_of(one, told, [("b", "2"), ("a", "1")])
    assert found != once_of(one, told, [("a", "1"), ("b", "3")])
    assert found.version == 7 and abs(time_of(found) - makers.now()) < timedelta(days=400)
