"""What takes a signature off a plan and what doesn't: nothing changed, and an end that is asked about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clinical.plans.goals.actions import save_goal
from clinical.plans.interventions.actions import end_intervention, resume_intervention, save_intervention
from clinical.plans.models import TreatmentPlan
from cortex.audit import RuleBroken
from tests import makers
from tests.unit.plans.conftest import SMART, Planned
from tests.unit.plans.forms import shown
from tests.unit.plans.test_pages import as_user, text, url

pytestmark = pytest.mark.django_db


def signed(plan: TreatmentPlan) -> tuple[int, bool, bool]:
    return plan.version, plan.is_signed, plan.patient_agreed


@pytest.mark.parametrize("name", ["mood", "walks", "work", "intervention"])
def test_saving_a_form_that_nobody_touched_keeps_the_signature(planned: Planned, name: str) -> None:
    planned.sign()
    makers.scope_all()
    client = as_user(planned.cast.alice)
    row: Any = planned.plan.interventions.get() if name == "intervention" else getattr(planned, name)
    where = url(planned, "intervention_edit" if name == "intervention" else "goal_edit", row.pk)
    assert client.post(where, shown(client, where)).status_code == 303
    makers.scope_all()
    assert signed(planned.fresh()) == (1, True, True)


def test_a_step_that_is_added_changes_the_plan(planned: Planned) -> None:
    planned.sign()
    due = makers.now().date() + timedelta(days=45)
    steps = [("Call", 1), ("Visit", 1), ("One day", 1), ("All days", 2)]
    fields = {"specific": "Back to work.", "measure_type": "milestone", "weight": 1, "due_date": due}
    save_goal(
        actor=planned.alice, patient_id=planned.who, goal_id=planned.work.pk, fields=SMART | fields,
        steps=steps,
    )  # fmt: skip
    assert signed(planned.fresh()) == (2, False, False)


def test_ending_an_intervention_is_asked_about_and_can_be_taken_back(planned: Planned) -> None:
    planned.sign()
    makers.scope_all()
    client, row = as_user(planned.cast.alice), planned.plan.interventions.get()
    where, move = url(planned, "intervention_end", row.pk), url(planned, "intervention_move", row.pk)
    assert client.post(move, {"move": "end"}).status_code == 422, "no press alone ends it"
    asked = text(client, where)
    assert "version 1 stands until you sign again" in asked and "Cognitive behavioural therapy" in asked
    makers.scope_all()
    assert signed(planned.fresh()) == (1, True, True)
    assert client.post(where).status_code == 303
    assert "Take up again" in text(client, url(planned, "plan"))
    makers.scope_all()
    assert signed(planned.fresh()) == (2, False, False)
    assert client.post(move, {"move": "resume"}).status_code == 303
    makers.scope_all()
    row.refresh_from_db()
    assert row.ended_on is None


def test_what_was_ended_is_not_taken_up_beside_another_of_its_kind(planned: Planned) -> None:
    alice, who, row = planned.alice, planned.who, planned.plan.interventions.get()
    end_intervention(actor=alice, patient_id=who, intervention_id=row.pk)
    save_intervention(actor=alice, patient_id=who, code="CBT", frequency="daily", evidence_level="A")
    with pytest.raises(RuleBroken, match="again already"):
        resume_intervention(actor=alice, patient_id=who, intervention_id=row.pk)
    makers.scope_all()
    page = text(as_user(planned.cast.alice), url(planned, "plan"))
    assert "Take up again" not in page
