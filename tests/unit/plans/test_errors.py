"""What was recorded for the wrong person: marked as an error, left out everywhere, and undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from clinical.chart.news.showing import diagnosis_lines, medication_lines
from clinical.plans.diagnoses import actions as diagnoses
from clinical.plans.diagnoses.models import Diagnosis
from clinical.plans.medications import actions as medications
from clinical.plans.medications.models import Medication
from cortex.audit import NotFound, RuleBroken
from cortex.audit.models import AuditLog
from tests import makers
from tests.unit.plans.conftest import Planned
from tests.unit.plans.test_pages import as_user, text, url
from tests.walk.plans import MEDICINE

pytestmark = pytest.mark.django_db


@pytest.fixture
def wrong(planned: Planned) -> tuple[Diagnosis, Medication]:
    """A diagnosis and a dangerous medication that somebody else has."""
    own: dict[str, Any] = {"actor": planned.alice, "patient_id": planned.who}
    illness = diagnoses.add_diagnosis(**own, code="F33.1", status="confirmed")
    medicine = medications.save_medication(**own, fields=MEDICINE | {"name": "Lithium"})
    makers.scope_all()
    return illness, medicine


def told(planned: Planned) -> list[str]:
    client = as_user(planned.cast.alice)
    pages = [text(client, url(planned, name)) for name in ("plan", "chart", "timeline")]
    makers.scope_all()
    return pages


def test_what_is_marked_leaves_lists_prompt_timeline_and_signature_and_comes_back(
    planned: Planned, wrong: tuple[Diagnosis, Medication]
) -> None:
    illness, medicine = wrong
    for page in told(planned):
        assert "F33.1" in page and "Lithium" in page
    client = as_user(planned.cast.alice)
    for name, row in (("diagnosis", illness), ("medication", medicine)):
        form = text(client, url(planned, f"{name}_edit", row.pk))
        assert url(planned, f"{name}_error", row.pk) in form
        assert client.post(url(planned, f"{name}_error", row.pk)).status_code == 303
        assert client.get(url(planned, f"{name}_edit", row.pk)).status_code == 409, "undo it first"
        makers.scope_all()
    plan, chart, timeline = told(planned)
    assert plan.count("1 entered in error") == 2 and "Means safety" not in plan
    assert "F33.1" not in chart + timeline and "Lithium" not in chart + timeline
    content = makers.opened(planned.sign(), "content")
    assert (content["diagnoses"], content["medications"]) == ([], [])
    makers.scope_all()
    for name, row in (("diagnosis", illness), ("medication", medicine)):
        assert client.post(url(planned, f"{name}_error_undo", row.pk)).status_code == 303
    makers.scope_all()
    illness.refresh_from_db()
    medicine.refresh_from_db()
    assert (illness.status, medicine.status) == ("confirmed", "active")
    assert "Means safety" in told(planned)[0]
    verbs = set(AuditLog.objects.values_list("event_type", flat=True))
    assert {"diagnosis.entered_in_error", "diagnosis.error_undone", "medication.error_undone"} <= verbs


def test_an_error_is_changed_by_nobody_and_undone_only_where_the_list_allows_it(
    planned: Planned, wrong: tuple[Diagnosis, Medication]
) -> None:
    illness, medicine = wrong
    own: dict[str, Any] = {"actor": planned.alice, "patient_id": planned.who}
    diagnoses.mark_error(**own, diagnosis_id=illness.pk)
    medications.mark_error(**own, medication_id=medicine.pk)
    with pytest.raises(RuleBroken, match="entered in error"):
        diagnoses.change_diagnosis(**own, diagnosis_id=illness.pk, status="remission")
    with pytest.raises(RuleBroken, match="entered in error"):
        medications.save_medication(**own, fields=MEDICINE, medication_id=medicine.pk)
    diagnoses.add_diagnosis(**own, code="F33.1", status="provisional")
    with pytest.raises(RuleBroken, match="Another entry"):
        diagnoses.undo_error(**own, diagnosis_id=illness.pk)
    makers.scope_all()
    stranger = {"actor": makers.staff(planned.cast.charlie), "patient_id": planned.who}
    with pytest.raises(NotFound):
        medications.undo_error(**stranger, medication_id=medicine.pk)
    makers.scope_all()
    for row, name in ((illness, "diagnosis_in_error"), (medicine, "medication_in_error")):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(status=row.status)


def test_the_news_tell_that_something_was_an_error_and_nothing_of_what_came_and_went(
    planned: Planned, wrong: tuple[Diagnosis, Medication]
) -> None:
    illness, medicine = wrong
    own: dict[str, Any] = {"actor": planned.alice, "patient_id": planned.who}
    diagnoses.mark_error(**own, diagnosis_id=illness.pk)
    medications.mark_error(**own, medication_id=medicine.pk)
    row, medicine = Diagnosis.objects.get(pk=illness.pk), Medication.objects.get(pk=medicine.pk)
    before, after = row.created_at - timedelta(days=1), row.created_at + timedelta(microseconds=1)
    makers.opened(medicine, "name")
    (line,) = diagnosis_lines([row], after, "/")
    assert line.words.startswith("Entered in error: F33.1")
    assert [*diagnosis_lines([row], before, "/"), *medication_lines([medicine], before, "/")] == []
