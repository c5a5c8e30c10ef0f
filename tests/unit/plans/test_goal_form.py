"""The form of a goal says at once all that is missing, and marks what is needed as needed."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse

from clinical.plans.goals.smart import Scale, gaps
from tests import makers
from tests.unit.plans.conftest import Planned

DAY = date(2026, 5, 4)
GIVEN: dict[str, Any] = {
    "baseline": None, "target": None, "metric": "", "window_days": None, "steps": [], "concerns": [],
    "diagnosis": "", "due_date": DAY,
}  # fmt: skip

NIGHTS: dict[str, Any] = {
    "measure_type": "numeric", "metric": "Nights", "baseline": 3.0, "target": 1.0, "concerns": ["sleep"],
    "due_date": DAY + timedelta(days=1),
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"measure_type": "numeric"}, ["metric", "baseline", "target", "concerns", "due_date"]),
        ({"measure_type": "frequency"}, ["metric", "target", "window_days", "concerns", "due_date"]),
        ({"measure_type": "milestone"}, ["steps", "concerns", "due_date"]),
        (NIGHTS | {"target": 3.0}, ["target"]),
        (NIGHTS | {"concerns": ["magic"]}, ["concerns"]),
        (NIGHTS, []),
    ],
)  # fmt: skip
def test_everything_that_a_goal_lacks_is_named_at_once(given: dict[str, Any], missing: list[str]) -> None:
    assert [one.field for one in gaps(GIVEN | given, [], None, DAY)] == missing


def test_both_numbers_stay_within_the_chosen_measure() -> None:
    given = {"measure_type": "numeric", "baseline": 40.0, "target": -1.0}
    found = gaps(given, [], Scale("PHQ-9", 27), DAY)
    assert [(one.field, one.words) for one in found] == [
        ("baseline", "The PHQ-9 goes from 0 to 27."), ("target", "The PHQ-9 goes from 0 to 27."),
    ]  # fmt: skip


@pytest.mark.django_db
def test_one_round_says_all_of_it_and_keeps_what_was_typed(planned: Planned) -> None:
    client, where = makers.client_of(planned.cast.alice), reverse("clinical:goal_add", args=[planned.who])
    sent = {
        "specific": "Sleep more.",
        "measure_type": "numeric",
        "weight": "3",
        "due_date": planned.plan.start,
    }
    answer = client.post(where, sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "6 things are needed" in page
    assert set(re.findall(r'<a href="#g_(\w+)">', page)) == {
        "metric", "baseline", "target", "achievable_note", "concerns_0", "due_date",
    }  # fmt: skip
    assert "Sleep more." in page
    rest = {"metric": "Hours", "baseline": "4", "target": "7", "achievable_note": "She did.",
            "concerns": ["sleep"], "due_date": planned.plan.target_end}  # fmt: skip
    assert client.post(where, sent | rest).status_code == 303, "the second round is the last"


@pytest.mark.django_db
def test_what_is_needed_is_not_called_optional(planned: Planned) -> None:
    where = reverse("clinical:goal_add", args=[planned.who])
    page = makers.client_of(planned.cast.alice).get(where).content.decode()
    assert "(optional)" not in page.split('class="card ask goal-form"')[1].split("</form>")[0]
