"""The first measures of care: those of the domain that are offered here and have a text."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinical.assessments.actions import correct_assessment, finish_assessment
from clinical.assessments.queries import LOOK_BACK
from clinical.caseload.queries import caseload
from clinical.pathway.queries import first_steps
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.assessments.test_results import install_screener, taken
from tests.unit.plans.test_switches import switch

pytestmark = pytest.mark.django_db


def measures(cast: Cast) -> dict[str, bool]:
    makers.scope_all()
    who = Patient.objects.select_related("organization").get(pk=cast.patient.pk)
    return {one.title: one.done for one in first_steps(who, makers.now()) if one.key.startswith("measure:")}


def test_the_first_measures_are_those_that_can_be_asked_here(cast: Cast) -> None:
    assert measures(cast) == {"PHQ-9": False, "GAD-7": False}
    install_screener(cast)
    switch(cast, "who5", True)
    switch(cast, "gad7", False)
    assert list(measures(cast)) == ["PHQ-9", "WHO-5", "C-SSRS screener"]
    taken(cast, 0, "cssrs")
    assert measures(cast) == {"PHQ-9": False, "WHO-5": False, "C-SSRS screener": True}


def test_what_was_broken_off_or_put_right_to_nothing_is_no_first_measure(cast: Cast) -> None:
    """As on the caseload, which asks for it still."""
    install_screener(cast)
    alice, who = staff(cast.alice), cast.patient.pk
    finish_assessment(actor=alice, patient_id=who, key="cssrs", answers={"q1": 0})
    some: dict[str, int | None] = {f"q{number}": 1 for number in range(4, 10)}
    finish_assessment(actor=alice, patient_id=who, key="phq9", answers=some)
    assert measures(cast) == {"PHQ-9": False, "GAD-7": False, "C-SSRS screener": False}
    whole = taken(cast, 0)
    assert measures(cast)["PHQ-9"] is True
    wrong, _ = correct_assessment(actor=alice, patient_id=who, assessment_id=whole.pk, answers=some)
    assert not wrong.is_valid and measures(cast)["PHQ-9"] is False
    missing = {title for title, done in measures(cast).items() if not done}
    (case,) = caseload(cast.alice, makers.now())
    assert set(case.first_measures) == missing == {"PHQ-9", "GAD-7", "C-SSRS screener"}


def test_either_form_of_a_measure_is_its_first_and_what_is_years_ago_is_none(cast: Cast) -> None:
    install_screener(cast)
    install_screener(cast, "cssrs_since")
    answers: dict[str, int | None] = {"q1": 0, "q2": 0, "q6_since": 0}
    finish_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key="cssrs_since", answers=answers)
    finish_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key="gad7",
        answers={f"q{number}": 0 for number in range(1, 8)},
        administered_at=makers.now() - LOOK_BACK - timedelta(days=1),
    )  # fmt: skip
    found = measures(cast)
    assert found == {"PHQ-9": False, "GAD-7": False, "C-SSRS screener": True}
    (case,) = caseload(cast.alice, makers.now())
    assert set(case.first_measures) == {"PHQ-9", "GAD-7"}
