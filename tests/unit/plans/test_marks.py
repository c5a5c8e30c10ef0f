"""Marks on a measure's course, and the cut-off that is drawn: alerts and plans, and an adolescent's own."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from clinical.assessments.actions import finish_assessment
from clinical.assessments.definitions import packaged
from clinical.assessments.drawing import BOTTOM, TOP, Scale
from clinical.plans.actions import change_plan, sign_plan
from clinical.plans.models import PlanVersion
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.plans.conftest import Planned
from tests.unit.plans.test_pages import as_user, text

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
PHQ9 = packaged()["phq9"]


def take(cast: Cast, days: float, who: Patient | None = None) -> None:
    answers: dict[str, int | None] = {f"q{number}": 1 for number in range(1, 9)} | {"q9": 0}
    finish_assessment(
        actor=staff(cast.alice), patient_id=(who or cast.patient).pk, key="phq9", answers=answers,
        administered_at=makers.now() - days * DAY,
    )  # fmt: skip
    makers.scope_all()


def page(cast: Cast, name: str, *ids: object, who: Patient | None = None) -> str:
    where = reverse(f"clinical:{name}", args=[(who or cast.patient).pk, *ids])
    found = " ".join(text(as_user(cast.alice), where).split())
    makers.scope_all()
    return found


def planned_again(planned: Planned) -> None:
    """The plan signed 20 days ago, and changed 3 days ago."""
    today = makers.now().date()
    sign_plan(actor=planned.alice, patient_id=planned.who, patient_agreed=True, at=makers.now() - 20 * DAY)
    change_plan(
        actor=planned.alice, patient_id=planned.who, presenting_problem="Better by day.",
        start=today - 45 * DAY, target_end=today + 45 * DAY,
    )  # fmt: skip
    sign_plan(actor=planned.alice, patient_id=planned.who, patient_agreed=True, at=makers.now() - 3 * DAY)
    makers.scope_all()


@pytest.mark.parametrize(("name", "ids"), [("measures", ()), ("measure_print", ("phq9",)), ("chart", ())])
def test_changes_of_the_plan_and_alerts_are_marks_on_the_course(
    planned: Planned, name: str, ids: tuple[str, ...]
) -> None:
    cast = planned.cast
    take(cast, 25)
    planned_again(planned)
    makers.make_alert(cast.patient, "high")
    take(cast, 0)
    shown = page(cast, name, *ids)
    signed = [one.signed_at for one in PlanVersion.objects.order_by("version")]
    assert len(signed) == 2
    assert shown.count('class="tick tick-plan"') == 2 and shown.count('class="tick"') == 1
    for at, words in zip(signed, ("plan signed", "plan changed, version 2"), strict=True):
        day = at.astimezone(ZoneInfo(cast.home.default_timezone))
        assert f"<title>{day:%-d %b %Y}: {words}</title>" in shown
        assert re.search(rf"Marks: .*{words}", shown) is not None, "a reader of the words learns it too"
    assert re.search(r"<title>[^<]*: alert, high</title>", shown) is not None


def test_a_picture_names_the_days_of_its_table(cast: Cast) -> None:
    """What was answered at ten in the evening by UTC was answered on the next day in the house's zone."""
    night = (makers.now() - 20 * DAY).replace(hour=22)
    take(cast, (makers.now() - night) / DAY)
    shown = page(cast, "measures")
    day = f"{night.astimezone(ZoneInfo(cast.home.default_timezone)):%-d %b %Y}"
    assert f'text-anchor="start">{day}</text>' in shown and f">{day}</a>" in shown
    assert f"{day}: 8" in shown


def test_a_plan_of_another_person_is_no_mark_here(planned: Planned) -> None:
    planned_again(planned)
    who = makers.make_patient(planned.cast.home, team=[planned.cast.alice])
    take(planned.cast, 25, who)
    take(planned.cast, 1, who)
    assert "tick-plan" not in page(planned.cast, "measures", who=who)


def drawn_cutoff(shown: str) -> float:
    """The total at which the first cut-off of a page is drawn."""
    found = re.search(r'class="cut" x1="0" x2="100%" y1="([\d.]+)"', shown)
    assert found is not None
    scale = Scale(0, PHQ9.highest, BOTTOM, TOP)
    return min(range(PHQ9.highest + 1), key=lambda total: abs(scale(total) - float(found[1])))


@pytest.mark.parametrize(("years", "cutoff"), [(9, 10), (10, 9), (19, 9), (20, 10)])
def test_the_cut_off_is_drawn_where_scoring_has_it(cast: Cast, years: int, cutoff: int) -> None:
    born = makers.now().date() - timedelta(days=years * 366 + 100)  # months from a birthday, in any zone
    who = makers.make_patient(cast.home, team=[cast.alice], date_of_birth=born)
    take(cast, 0, who)
    for name, ids in (("measures", ()), ("measure_print", ("phq9",)), ("chart", ())):
        assert drawn_cutoff(page(cast, name, *ids, who=who)) == cutoff, name


def test_without_a_birthday_the_age_band_says_which_cut_off_holds(cast: Cast) -> None:
    take(cast, 1)
    assert drawn_cutoff(page(cast, "measures")) == PHQ9.cutoff == 10
    Patient.objects.filter(pk=cast.patient.pk).update(age_band="13_17")
    assert drawn_cutoff(page(cast, "measures")) == PHQ9.cutoff_adolescent == 9
