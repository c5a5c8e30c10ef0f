"""Labels of medications and diagnoses: who sets them, whom they shut out of plan and signature."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from clinical.plans.diagnoses.actions import add_diagnosis, change_diagnosis
from clinical.plans.diagnoses.models import Diagnosis
from clinical.plans.goals.actions import save_goal
from clinical.plans.interventions.actions import save_intervention
from clinical.plans.medications.actions import save_medication
from clinical.plans.medications.models import Medication
from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog
from patients.breakglass.actions import break_glass, confirm_protected
from patients.registry.access import CHART
from tests import makers
from tests.makers import staff
from tests.unit.plans.conftest import SMART, Planned
from tests.unit.plans.test_pages import as_user, text, url
from tests.walk.plans import MEDICINE

pytestmark = pytest.mark.django_db
ONE = "1 medication of this person is not shown to you because of its sensitivity label."
HIDDEN = "1 medication that is not shown to you is dangerous in overdose."
METHADONE: dict[str, Any] = MEDICINE | {"name": "Methadone", "indication": "Opioids"}


def taken(planned: Planned, *labels: str, **more: Any) -> Medication:
    row = save_medication(
        actor=planned.alice, patient_id=planned.who, fields=METHADONE | {"labels": list(labels)}, **more
    )
    makers.scope_all()
    return row


def outsider(planned: Planned) -> User:
    """A psychiatrist who was asked for a second opinion."""
    user = makers.make_user(Role.PSYCHIATRIST, planned.cast.home)
    makers.grant(planned.cast.patient, user, reason_code="consultation", permission=CHART)
    return user


def prescriber(planned: Planned) -> User:
    """The psychiatrist of the team."""
    user = makers.make_user(Role.PSYCHIATRIST, planned.cast.home)
    makers.add_to_team(planned.cast.patient, user, role="psychiatrist")
    return user


def test_a_label_that_no_form_offers_outlives_a_change(planned: Planned) -> None:
    row = taken(planned)
    Medication.objects.filter(pk=row.pk).update(sensitivity_labels=["PSYTHPN"])
    taken(planned, "HIV", medication_id=row.pk)
    assert Medication.objects.get(pk=row.pk).sensitivity_labels == ["HIV", "PSYTHPN"]


def test_a_medication_with_a_label_is_a_number_to_whom_it_shuts_out(planned: Planned) -> None:
    row = taken(planned, "SUD_PART2")
    cast = planned.cast
    makers.add_to_team(cast.patient, cast.cleo, role="counselor")
    places = (url(planned, "plan"), url(planned, "chart"))
    for user in (cast.alice, cast.cleo):
        for place in places:
            assert "Methadone" in text(as_user(user), place)
    assert "Substance use (Part 2)" in text(as_user(cast.cleo), places[0])
    bob = staff(cast.bob)
    break_glass(
        actor=bob, asked=cast.patient.anonymous_id, reason_code="imminent_risk", reason="Took it all."
    )
    makers.scope_all()
    for user in (cast.bob, outsider(planned)):
        for place in places:
            page = text(as_user(user), place)
            assert "Methadone" not in page
            assert ONE in page
            assert "Dangerous in overdose" not in page
        assert HIDDEN in text(as_user(user), places[0])
    confirm_protected(actor=bob, patient_id=planned.who)
    makers.scope_all()
    for place in places:
        assert "Methadone" in text(as_user(cast.bob), place)
    assert Medication.objects.get(pk=row.pk).sensitivity_labels == ["SUD_PART2"]


def test_the_form_sets_the_label_for_who_recorded_it_and_who_prescribes(planned: Planned) -> None:
    row, cast = taken(planned), planned.cast
    makers.add_to_team(cast.patient, cast.bob)
    edit = url(planned, "medication_edit", row.pk)
    typed = {"name": "Methadone", "source": "prescribed", "status": "active", "adherence": "unknown"}
    assert 'name="labels"' in text(as_user(cast.alice), edit)
    answer = as_user(cast.alice).post(edit, typed | {"labels": ["R", "HIV"]})
    assert answer.status_code == 303
    makers.scope_all()
    assert Medication.objects.get().sensitivity_labels == ["HIV", "R"]
    codes = AuditLog.objects.filter(event_type="medication.changed").latest("id").codes
    assert (codes["labels_before"], codes["labels_after"]) == ([], ["HIV", "R"])
    assert 'name="labels"' not in text(as_user(cast.bob), edit)
    assert as_user(cast.bob).post(edit, typed | {"labels": []}).status_code == 303
    makers.scope_all()
    assert Medication.objects.get().sensitivity_labels == ["HIV", "R"], "another therapist's form says none"
    change: dict[str, Any] = {"patient_id": planned.who, "medication_id": row.pk}
    with pytest.raises(RuleBroken, match="Who recorded"):
        save_medication(actor=staff(cast.bob), fields=METHADONE | {"labels": []}, **change)
    doctor = prescriber(planned)
    save_medication(actor=staff(doctor), fields=METHADONE | {"labels": ["SUD_PART2"]}, **change)
    makers.scope_all()
    assert Medication.objects.get().sensitivity_labels == ["SUD_PART2"]
    for labels, why in (
        (["V"], "not see it yourself"),
        (["PSYTHPN"], "from the list"),
        (["X"], "from the list"),
    ):
        with pytest.raises(InputRefused, match=why):
            save_medication(actor=staff(doctor), fields=METHADONE | {"labels": labels}, **change)


def test_what_a_label_shuts_is_changed_by_nobody_whom_it_shuts_out(planned: Planned) -> None:
    row, user = taken(planned, "R"), outsider(planned)
    note = add_diagnosis(actor=planned.alice, patient_id=planned.who, code="F11.20", status="confirmed")
    makers.scope_all()
    Diagnosis.objects.filter(pk=note.pk).update(sensitivity_labels=["HIV"])
    client, who = as_user(user), {"actor": staff(user), "patient_id": planned.who}
    for name, pk in (("medication_edit", row.pk), ("diagnosis_edit", note.pk)):
        assert client.get(url(planned, name, pk)).status_code == 404
        assert as_user(planned.cast.alice).get(url(planned, name, pk)).status_code == 200
    with pytest.raises(NotFound):
        save_medication(**who, fields=METHADONE, medication_id=row.pk)
    with pytest.raises(NotFound):
        change_diagnosis(**who, diagnosis_id=note.pk, status="ruled_out")


def test_a_signed_plan_shows_no_more_than_the_plan(planned: Planned) -> None:
    taken(planned, "R")
    note = add_diagnosis(actor=planned.alice, patient_id=planned.who, code="F11.20", status="confirmed")
    makers.scope_all()
    save_goal(
        actor=planned.alice, patient_id=planned.who,
        fields=SMART | {
            "specific": "Take it at noon.", "measure_type": "numeric", "metric": "Days", "baseline": 1.0,
            "target": 7.0, "due_date": planned.plan.target_end, "diagnosis": note.pk, "concerns": [],
        },
        steps=[],
    )  # fmt: skip
    Diagnosis.objects.filter(pk=note.pk).update(sensitivity_labels=["HIV"])
    planned.sign()
    save_medication(
        actor=planned.alice, patient_id=planned.who, fields=METHADONE | {"labels": ["R"], "dose": "9"}
    )
    save_intervention(
        actor=planned.alice, patient_id=planned.who, code="BEHAVIOURAL_ACTIVATION", frequency="monthly",
        evidence_level="A", goals=[planned.mood.pk],
    )  # fmt: skip
    planned.sign()
    makers.scope_all()
    places = [
        url(planned, "plan"),
        url(planned, "plan_sign"),
        url(planned, "plan_print"),
        url(planned, "goal_add"),
    ]
    places += [url(planned, "plan_version", planned.plan.pk, number) for number in (1, 2)]
    alice, other = as_user(planned.cast.alice), as_user(outsider(planned))
    for place in places:
        page = text(other, place)
        assert "Methadone" not in page, place
        assert "Opioid" not in page, place
    for place in (*places[:2], *places[4:]):
        whole = text(alice, place)
        assert "Methadone" in whole, place
        assert "Opioid" in whole, place
        assert "not shown to you" not in whole
    version = text(other, places[-1])
    assert "3 diagnoses and medications of this person are not shown to you because of their" in version
    assert "a protected entry" in text(other, places[0])


def test_the_number_of_questions_of_a_plan_is_fixed(
    planned: Planned, django_assert_max_num_queries: Any
) -> None:
    client = as_user(outsider(planned))
    counts = []
    for _ in range(2):
        taken(planned, "R")
        client.get(reverse("clinical:plan", args=[planned.who]))
        with django_assert_max_num_queries(80) as asked:
            text(client, url(planned, "plan"))
        counts.append(len(asked))
        for _ in range(4):
            taken(planned, "R")
    assert counts[0] == counts[1]
