"""A plan measures with what its organization offers; and where a goal may stand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from clinical.assessments.actions import install_text
from clinical.assessments.models import Assessment, Instrument
from clinical.assessments.planning.actions import switch_instrument
from clinical.plans.goals.actions import save_goal
from clinical.plans.models import Goal
from cortex.audit import NotFound
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.plans.conftest import SMART, Planned
from tests.unit.plans.test_pages import as_user, text, url

pytestmark = pytest.mark.django_db


def switch(cast: Cast, key: str, on: bool) -> Instrument:
    row = Instrument.objects.get(key=key)
    if on:
        items, answers = row.definition["items"], row.definition["answers"]
        texts = {
            "stem": "", "items": {one["key"]: "?" for one in items},
            "answers": {str(one["value"]): "?" for one in answers},
        }  # fmt: skip
        install_text(
            actor=makers.machine(cast.home), key=key, version=row.version, language="en", texts=texts
        )
        makers.scope_all()
    switch_instrument(actor=staff(cast.ada), instrument_id=row.pk, is_offered=on)
    makers.scope_all()
    return row


def form(planned: Planned, key: str, baseline: str, target: str) -> dict[str, object]:
    return {
        "specific": "Feel better.", "measure_type": "numeric", "instrument": key, "baseline": baseline,
        "target": target, "achievable_note": "They did before.", "concerns": ["depression"], "weight": "2",
        "due_date": f"{makers.now() + timedelta(days=30):%Y-%m-%d}",
    }  # fmt: skip


def choices(client: Client, where: str) -> str:
    return text(client, where).split('name="instrument"')[1].split("</select>")[0]


def test_what_the_house_switched_on_measures_a_goal_and_what_it_switched_off_does_not(
    planned: Planned,
) -> None:
    client, add = as_user(planned.cast.alice), url(planned, "goal_add")
    assert 'value="phq9"' in choices(client, add) and 'value="who5"' not in choices(client, add)
    who5 = switch(planned.cast, "who5", True)
    switch(planned.cast, "phq9", False)
    assert 'value="phq9"' not in choices(client, add) and 'value="who5"' in choices(client, add)
    assert client.post(add, form(planned, "who5", "30", "60")).status_code == 303
    makers.scope_all()
    assert Goal.objects.get(instrument__isnull=False).instrument_id == who5.pk
    fields = SMART | {
        "specific": "x", "measure_type": "numeric", "instrument": "phq9", "baseline": 18.0, "target": 9.0,
        "due_date": planned.plan.target_end,
    }  # fmt: skip
    with pytest.raises(NotFound):
        save_goal(actor=planned.alice, patient_id=planned.who, fields=fields)


def test_a_goal_keeps_its_measure_when_the_house_offers_it_no_more(planned: Planned) -> None:
    client = as_user(planned.cast.alice)
    client.post(url(planned, "goal_add"), form(planned, "phq9", "18", "9"))
    makers.scope_all()
    goal = Goal.objects.get(instrument__isnull=False)
    switch(planned.cast, "phq9", False)
    edit = url(planned, "goal_edit", goal.pk)
    assert "PHQ-9, no longer offered" in choices(client, edit)
    assert client.post(edit, form(planned, "phq9", "18", "7")).status_code == 303
    makers.scope_all()
    goal.refresh_from_db()
    assert (goal.target, goal.instrument.key if goal.instrument else "") == (7, "phq9")


def test_a_review_shows_the_totals_of_what_the_house_offers(planned: Planned) -> None:
    client, review = as_user(planned.cast.alice), url(planned, "plan_review")
    for row, total in ((switch(planned.cast, "who5", True), 77), (switch(planned.cast, "phq9", False), 13)):
        Assessment.objects.create(
            organization=planned.cast.home, patient=planned.cast.patient, instrument=row, language="en",
            items={}, mode="paper", administered_at=makers.now(), total=total, is_valid=True, band="",
            scored_by_version="1",
        )  # fmt: skip
    page = text(client, review)
    assert "WHO-5" in page and "77" in page
    assert "PHQ-9" not in page


def test_a_goal_that_was_reached_in_part_is_said_to_be_by_a_button(planned: Planned) -> None:
    client = as_user(planned.cast.alice)
    page = text(client, url(planned, "plan"))
    assert page.count('name="status" value="partially_achieved"') == 3
    answer = client.post(url(planned, "goal_settle", planned.mood.pk), {"status": "partially_achieved"})
    assert answer.status_code == 303
    makers.scope_all()
    assert Goal.objects.get(pk=planned.mood.pk).status == "partially_achieved"
    page = text(client, url(planned, "plan"))
    assert page.count('name="status" value="partially_achieved"') == 2
    assert "partially achieved" in page
    client.post(url(planned, "goal_settle", planned.mood.pk), {"status": "active"})
    makers.scope_all()
    assert Goal.objects.get(pk=planned.mood.pk).status == "active"
