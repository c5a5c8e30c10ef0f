"""Two people in the same form: neither overwrites silently what the other has saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from clinical.plans.allergies.actions import save_allergy
from clinical.plans.allergies.models import Allergy
from clinical.plans.diagnoses.actions import add_diagnosis
from clinical.plans.diagnoses.models import Diagnosis
from clinical.plans.medications.actions import save_medication
from clinical.plans.medications.models import Medication
from clinical.plans.models import Goal, PlannedIntervention, TreatmentPlan
from tests import makers
from tests.unit.plans.conftest import Planned
from tests.unit.plans.forms import fields_of, shown
from tests.unit.plans.test_pages import as_user
from tests.walk.plans import ALLERGY, MEDICINE

pytestmark = pytest.mark.django_db


def allergy(planned: Planned) -> Any:
    return save_allergy(actor=planned.alice, patient_id=planned.who, fields=ALLERGY)


def medication(planned: Planned) -> Any:
    return save_medication(actor=planned.alice, patient_id=planned.who, fields=MEDICINE)


def diagnosis(planned: Planned) -> Any:
    return add_diagnosis(actor=planned.alice, patient_id=planned.who, code="F33.1", status="provisional")


FORMS: dict[str, tuple[type[Any], Callable[[Planned], Any] | None, dict[str, Any], dict[str, Any]]] = {
    "allergy_edit": (Allergy, allergy, {"criticality": "high"}, {"reaction": "Rash."}),
    "medication_edit": (Medication, medication, {"status": "on_hold"}, {"side_effects": "Dizzy."}),
    "diagnosis_edit": (Diagnosis, diagnosis, {"status": "confirmed"}, {"note": "Since the spring."}),
    "goal_edit": (Goal, lambda planned: planned.mood, {"weight": "5"}, {"achievable_note": "Slept at his."}),
    "intervention_edit": (
        PlannedIntervention, lambda planned: planned.plan.interventions.get(), {"frequency": "daily"},
        {"note": "With his wife."},
    ),
    "plan_edit": (TreatmentPlan, None, {"review_interval_days": "14"}, {"formulation": "Grief, not low."}),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_who_saves_later_is_shown_what_changed_and_loses_no_word(planned: Planned, name: str) -> None:
    model, make, first, second = FORMS[name]
    row = make(planned) if make is not None else planned.plan
    makers.scope_all()
    where = reverse(f"clinical:{name}", args=[planned.who, *([row.pk] if make is not None else [])])
    client = as_user(planned.cast.alice)
    form = shown(client, where)
    makers.scope_all()
    assert client.post(where, form | first).status_code == 303
    makers.scope_all()
    ((field, wanted),) = first.items()
    answer = client.post(where, form | second)
    makers.scope_all()
    assert answer.status_code == 409
    page = answer.content.decode()
    assert next(iter(second.values())) in page and "As it stands now" in page
    assert str(getattr(model.objects.get(pk=row.pk), field)) == wanted, "theirs stands"
    again = fields_of(answer)
    assert again["seen"] != form["seen"]
    assert client.post(where, again | {field: wanted}).status_code == 303
    makers.scope_all()
    kept = model.objects.get(pk=row.pk)
    ((word, typed),) = second.items()
    assert (str(getattr(kept, field)), makers.opened(kept, word)) == (wanted, typed)


def test_a_save_that_says_what_stands_is_no_conflict(planned: Planned) -> None:
    row = allergy(planned)
    makers.scope_all()
    where = reverse("clinical:allergy_edit", args=[planned.who, row.pk])
    client = as_user(planned.cast.alice)
    form = shown(client, where) | {"criticality": "high"}
    assert [client.post(where, form).status_code for _ in range(2)] == [303, 303]


def test_a_form_that_is_refused_goes_on_with_what_it_was_shown_with(planned: Planned) -> None:
    row = allergy(planned)
    makers.scope_all()
    where = reverse("clinical:allergy_edit", args=[planned.who, row.pk])
    client = as_user(planned.cast.alice)
    form = shown(client, where)
    assert client.post(where, form | {"criticality": "high"}).status_code == 303
    refused = client.post(where, form | {"substance": ""})
    assert (refused.status_code, fields_of(refused)["seen"]) == (422, form["seen"])
