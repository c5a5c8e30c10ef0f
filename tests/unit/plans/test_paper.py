"""The person's own paper: no day that has passed, no draft that passes for a plan, numbers in full."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinical.plans.goals.actions import save_goal
from clinical.plans.models import TreatmentPlan
from clinical.plans.versions import readable
from clinical.plans.wording import number
from tests import makers
from tests.unit.plans.conftest import SMART, Planned
from tests.unit.plans.test_pages import as_user, text, url

pytestmark = pytest.mark.django_db


def paper(planned: Planned) -> str:
    found = text(as_user(planned.cast.alice), url(planned, "plan_print"))
    makers.scope_all()
    return found.split('class="sheet-b"')[1].split("</article>")[0]


def test_a_review_that_is_late_is_soon(planned: Planned) -> None:
    planned.sign()
    makers.scope_all()
    coming = makers.now() + timedelta(days=30)
    assert f"{coming:%-d %B %Y}. You can ask" in paper(planned)
    TreatmentPlan.objects.filter(pk=planned.plan.pk).update(next_review_at=makers.now() - timedelta(days=40))
    assert "Soon. You can ask" in paper(planned)


def test_what_nobody_signed_says_that_it_is_a_draft(planned: Planned) -> None:
    assert "My plan: a draft" in paper(planned) and "not signed yet" in paper(planned)
    planned.sign()
    makers.scope_all()
    assert "draft" not in paper(planned)
    goal = {"specific": "Save.", "measure_type": "numeric", "metric": "Shillings saved", "baseline": 0.0,
            "target": 1_000_000.0, "due_date": planned.plan.target_end}  # fmt: skip
    save_goal(actor=planned.alice, patient_id=planned.who, fields=SMART | goal)
    makers.scope_all()
    changed = paper(planned)
    assert "My plan: a draft" in changed and "holds until the new one is signed" in changed
    assert "from 0 to 1000000." in changed


@pytest.mark.parametrize(("value", "words"), [
    (1_000_000.0, "1000000"), (123_456.5, "123456.5"), (0.1 + 0.2, "0.3"), (-0.0, "0"), (10.0, "10"),
    (7, "7"), (-2.5, "-2.5"),
])  # fmt: skip
def test_numbers_are_said_in_all_their_figures(value: float, words: str) -> None:
    assert number(value) == words
    assert readable(float(value)) == words
