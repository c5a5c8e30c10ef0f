"""The first measures of care: those of the domain that are offered here and have a text."""

from __future__ import annotations

import pytest

from clinical.pathway.queries import first_steps
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
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
