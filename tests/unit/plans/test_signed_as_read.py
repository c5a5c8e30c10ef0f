"""A signature and an agreement stand under what was read, and under nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from clinical.plans.goals.actions import save_goal
from clinical.plans.models import PlanVersion
from crisis.decisions.actions import state_level
from tests import makers
from tests.unit.plans.conftest import SMART, Planned
from tests.unit.plans.forms import fields_of, shown
from tests.unit.plans.test_pages import as_user

pytestmark = pytest.mark.django_db


def change_behind_the_back(planned: Planned) -> None:
    save_goal(
        actor=planned.alice, patient_id=planned.who, fields=SMART | {
            "specific": "Behind the back", "measure_type": "frequency", "metric": "Walks", "target": 5.0,
            "window_days": 7, "due_date": makers.now().date() + timedelta(days=40),
        },
    )  # fmt: skip
    makers.scope_all()


def test_nobody_signs_what_changed_since_they_read_it(planned: Planned) -> None:
    client, where = (
        as_user(planned.cast.alice, recent=True),
        reverse("clinical:plan_sign", args=[planned.who]),
    )
    read = shown(client, where)
    makers.scope_all()
    change_behind_the_back(planned)
    answer = client.post(where, read | {"patient_agreed": "on"})
    makers.scope_all()
    assert answer.status_code == 409
    assert "Behind the back" in answer.content.decode() and not PlanVersion.objects.exists()
    assert "patient_agreed" not in fields_of(answer), "the person agreed to other words"
    assert client.post(where, fields_of(answer) | {"patient_agreed": "on"}).status_code == 303
    makers.scope_all()
    assert "Behind the back" in str(makers.opened(PlanVersion.objects.get(), "content"))


def test_what_is_signed_is_what_the_page_shows_of_the_level_and_of_goals_that_begin(planned: Planned) -> None:
    client, where = (
        as_user(planned.cast.alice, recent=True),
        reverse("clinical:plan_sign", args=[planned.who]),
    )
    state_level(actor=makers.machine(planned.cast.home), patient_id=planned.who, level="medium")
    makers.scope_all()
    answer = client.get(where)
    assert "Level when saved: medium" in answer.content.decode()
    assert {one["status"] for one in answer.context["content"]["goals"]} == {"Active"}
    assert client.post(where, fields_of(answer)).status_code == 303
    makers.scope_all()
    assert makers.opened(PlanVersion.objects.get(), "content")["risk_level"] == "medium"


def test_an_agreement_is_to_the_version_that_was_read(planned: Planned) -> None:
    planned.sign(patient_agreed=False)
    makers.scope_all()
    client = as_user(planned.cast.alice)
    page, where = (reverse(f"clinical:{name}", args=[planned.who]) for name in ("plan", "plan_agree"))
    assert '<input type="hidden" name="version" value="1">' in client.get(page).content.decode()
    makers.scope_all()
    change_behind_the_back(planned)
    planned.sign(patient_agreed=False)
    makers.scope_all()
    assert client.post(where, {"version": "1"}).status_code == 409
    assert client.post(where).status_code == 422
    makers.scope_all()
    assert not planned.fresh().patient_agreed
    assert client.post(where, {"version": "2"}).status_code == 303
    makers.scope_all()
    assert planned.fresh().patient_agreed
