"""The list of reviews: one's own people by name and level, and by how many days each review is late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinical.plans.models import TreatmentPlan
from clinical.plans.showing import late_words
from cortex.audit.models import PhiAccessLog
from tests import makers
from tests.unit.plans.conftest import Planned

pytestmark = pytest.mark.django_db


def due_since(planned: Planned, days: int) -> None:
    planned.sign()
    TreatmentPlan.objects.filter(pk=planned.plan.pk).update(
        next_review_at=makers.now() - timedelta(days=days, minutes=1)
    )


def queue(planned: Planned) -> str:
    return makers.client_of(planned.cast.alice).get("/plan-reviews/").content.decode()


def test_own_people_stand_by_name_with_level_and_days_and_the_look_is_noted(planned: Planned) -> None:
    makers.make_alert(planned.cast.patient, "high")
    due_since(planned, 6)
    shown = queue(planned).split('aria-labelledby="rv"')[1].split("</ul>")[0]
    assert "Zawadi Planted" in shown and planned.cast.patient.anonymous_id in shown
    assert "6 days late" in shown and ">due<" not in shown
    assert "rk" in shown or "risk" in shown
    day = (makers.now() - timedelta(days=6, minutes=1)).strftime("%b %Y")
    assert day in shown and "<time" not in shown, "a day has no clock time"
    makers.scope_all()
    row = PhiAccessLog.objects.get(data_type="plan.reviews")
    assert (row.subject, row.relationship) == (planned.cast.patient.pk, "care_team")


def test_a_supervisor_reads_pseudonyms_alone_and_how_late_it_is(planned: Planned) -> None:
    due_since(planned, 9)
    shown = makers.client_of(planned.cast.sam).get("/plan-reviews/").content.decode()
    assert planned.cast.patient.anonymous_id in shown and "9 days late" in shown
    assert "Zawadi" not in shown


@pytest.mark.parametrize(("days", "words"), [(0, "due today"), (1, "1 day late"), (6, "6 days late")])
def test_lateness_is_said_in_days(days: int, words: str) -> None:
    assert late_words(days) == words
