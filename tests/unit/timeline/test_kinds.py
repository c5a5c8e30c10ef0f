"""Diagnoses, medications, referrals and endings on a timeline: what each says, and whom labels shut out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.plans.diagnoses.actions import add_diagnosis, change_diagnosis
from clinical.plans.diagnoses.models import Diagnosis
from clinical.plans.medications.actions import save_medication
from clinical.plans.medications.models import Medication
from clinical.timeline.actions import pin_entry
from clinical.timeline.queries import PAGE
from clinical.timeline.registry import kinds
from cortex.accounts.choices import Role
from cortex.audit import NotFound
from patients.breakglass.actions import break_glass
from patients.pathway.actions import (
    EndingData,
    ReferralData,
    accept_referral,
    decline_referral,
    make_referral,
    transfer_care,
)
from patients.pathway.models import CareEnding, Referral
from patients.registry.access import CHART
from tests import makers
from tests.cast import Cast
from tests.explained import plan_of
from tests.makers import staff
from tests.unit.timeline.test_timeline import all_pages, look
from tests.walk.plans import MEDICINE

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NEW = ("diagnoses", "medications", "ways")


def diagnosed(cast: Cast, code: str = "F32.1") -> Diagnosis:
    row = add_diagnosis(
        actor=staff(cast.alice), patient_id=cast.patient.pk, code=code, status="provisional",
        note="Words that stay on the plan.",
    )  # fmt: skip
    makers.scope_all()
    return row


def taken(cast: Cast, **fields: Any) -> Medication:
    row = save_medication(
        actor=staff(cast.alice), patient_id=cast.patient.pk, fields=MEDICINE | {"name": "Methadone"} | fields
    )
    makers.scope_all()
    return row


def referred(cast: Cast, **fields: Any) -> Referral:
    said = {"source": "physician", "urgency": "soon", "reason": "Does not sleep.", "asked_id": cast.bob.pk}
    row = make_referral(actor=staff(cast.alice), patient=cast.patient, data=ReferralData(**said | fields))
    makers.scope_all()
    return row


def page_of(user: Any, cast: Cast) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse("clinical:timeline", args=[cast.patient.pk]))
    makers.scope_all()
    assert answer.status_code == 200
    return answer.content.decode()


def told(cast: Cast, **asked: Any) -> list[tuple[str, str, str, str]]:
    return [(one.source, one.title, one.detail, one.by) for one in look(cast, **asked).entries]


def test_a_diagnosis_stands_where_it_was_added_and_where_it_changed_last(cast: Cast) -> None:
    row = diagnosed(cast)
    title = f"F32.1 {row.title}"
    added = ("diagnosis", f"Diagnosis added: {title}", "Provisional.", "Alice Achieng")
    assert told(cast, kinds=["diagnoses"]) == [added]
    Diagnosis.objects.filter(pk=row.pk).update(created_at=makers.now() - 30 * DAY)
    change_diagnosis(
        actor=staff(cast.alice), patient_id=cast.patient.pk, diagnosis_id=row.pk, status="confirmed"
    )
    changed = ("diagnosis_changed", f"Diagnosis changed: {title}", "Now: confirmed.", "")
    assert told(cast, kinds=["diagnoses"]) == [changed, (*added[:2], "", added[3])]
    assert "Words that stay" not in page_of(cast.alice, cast)


def test_a_medication_is_told_on_its_days_by_name_and_dose(cast: Cast) -> None:
    today = makers.now().date()
    taken(cast, start=today - 20 * DAY, stop=today - 3 * DAY, status="stopped", dose="20", unit="mg")
    taken(cast, name="Sertraline", start=None, stop=None, dose="", unit="")
    found = look(cast, kinds=["medications"]).entries
    assert [(one.title, one.is_day) for one in found] == [
        ("Medication recorded: Sertraline", False),
        ("Medication stopped: Methadone 20 mg", True),
        ("Medication begun: Methadone 20 mg", True),
    ]
    assert [one.at.date() for one in found[1:]] == [today - 3 * DAY, today - 20 * DAY]
    assert f'datetime="{today - 20 * DAY:%Y-%m-%d}"' in page_of(cast.alice, cast)
    later = taken(cast, name="Later", start=today + 40 * DAY, stop=None)
    assert later.pk not in {one.id for one in look(cast, kinds=["medications"]).entries}


def test_what_a_label_shuts_neither_appears_nor_is_counted_nor_is_pinned(cast: Cast) -> None:
    illness, medicine = diagnosed(cast), taken(cast, start=None, stop=None)
    Diagnosis.objects.filter(pk=illness.pk).update(
        sensitivity_labels=["R"], created_at=makers.now() - 30 * DAY
    )
    Medication.objects.filter(pk=medicine.pk).update(sensitivity_labels=["R"])
    for name in ("Diagnosis added", "Diagnosis changed", "Methadone"):
        assert name in page_of(cast.alice, cast)
    outside = makers.make_user(Role.PSYCHIATRIST, cast.home)
    makers.grant(cast.patient, outside, reason_code="consultation", permission=CHART)
    bob = staff(cast.bob)
    break_glass(
        actor=bob, asked=cast.patient.anonymous_id, reason_code="imminent_risk", reason="Took it all."
    )
    makers.scope_all()
    pin_entry(
        actor=staff(cast.alice), patient_id=cast.patient.pk, source="diagnosis_changed", item_id=illness.pk
    )
    for user in (outside, cast.bob):
        page = page_of(user, cast)
        assert "Diagnosis" not in page.split("te-page")[1]
        assert "F32.1" not in page
        assert "Methadone" not in page
        assert "not shown to you" not in page
    for source, row in (("diagnosis", illness), ("medication", medicine)):
        with pytest.raises(NotFound):
            pin_entry(actor=staff(outside), patient_id=cast.patient.pk, source=source, item_id=row.pk)
    Medication.objects.filter(pk=medicine.pk).update(sensitivity_labels=[])
    for user in (outside, cast.bob):
        assert "Methadone" in page_of(user, cast)


def test_a_referral_says_who_sent_whom_and_what_was_answered(cast: Cast) -> None:
    row = referred(cast)
    sent = ("referral", "Referral: a physician", "To be seen within a week. Waits for its answer.")
    assert told(cast, kinds=["ways"]) == [(*sent, "Alice Achieng")]
    decline_referral(actor=staff(cast.bob), referral_id=row.pk, code="no_room", note="Full until May.")
    (answer, first) = look(cast, kinds=["ways"]).entries
    assert (answer.title, answer.detail, answer.by) == ("Referral declined", "No room.", "Bob Barasa")
    assert first.detail == "To be seen within a week."
    makers.add_to_team(cast.patient, cast.cleo, role="counselor")
    for user, knows in ((cast.alice, True), (cast.cleo, False)):
        page = page_of(user, cast)
        assert "Referral declined" in page
        assert ("No room." in page) == knows
        assert "Full until May." not in page
        assert "Does not sleep." not in page


def test_a_referral_leads_whoever_answers_it_to_its_page(cast: Cast) -> None:
    row = referred(cast, asked_id=None)
    makers.add_to_team(cast.patient, cast.sam, role="supervisor")
    answers = reverse("clinical:referral", args=[row.pk])
    assert f'href="{answers}"' in page_of(cast.sam, cast)
    page = page_of(cast.alice, cast)
    assert answers not in page
    assert f'href="{reverse("clinical:first_steps", args=[cast.patient.pk])}"' in page


def test_an_ending_is_told_with_its_coded_reason_and_its_summary_stays_on_its_page(cast: Cast) -> None:
    data = EndingData("other_skills", "She knows her early signs.")
    transfer_care(
        actor=staff(cast.alice), patient=cast.patient, from_id=cast.alice.pk, to_id=cast.bob.pk,
        data=EndingData("other_skills", data.summary, days=5),
    )  # fmt: skip
    makers.scope_all()
    (entry,) = look(cast, kinds=["ways"]).entries
    assert entry.id == CareEnding.objects.get().pk
    assert (entry.title, entry.detail) == (
        "Transfer from Alice Achieng to Bob Barasa",
        "Needs somebody with other skills.",
    )
    page = page_of(cast.alice, cast)
    assert data.summary not in page
    assert f'href="{reverse("clinical:chart_people", args=[cast.patient.pk])}"' in page


def test_the_new_kinds_have_filters_pins_search_and_pages_of_their_own(cast: Cast) -> None:
    assert set(NEW) <= set(kinds())
    row, medicine = diagnosed(cast), taken(cast, start=None, stop=None)
    one = referred(cast)
    accept_referral(actor=staff(cast.bob), referral_id=one.pk)
    makers.scope_all()
    Diagnosis.objects.filter(pk=row.pk).update(created_at=makers.now() - 2 * DAY)
    Medication.objects.filter(pk=medicine.pk).update(
        status="stopped", created_at=makers.now() - 2 * DAY, updated_at=makers.now()
    )
    found = look(cast, kinds=NEW).entries
    expected = {"diagnosis", "diagnosis_changed", "medication", "medication_stopped", "referral"}
    assert {one.source for one in found} == expected | {"referral_answer"}
    for entry in found:
        pin_entry(actor=staff(cast.alice), patient_id=cast.patient.pk, source=entry.source, item_id=entry.id)
    pinned = look(cast, only_pinned=True).entries
    assert [(one.source, one.id) for one in pinned] == [(one.source, one.id) for one in found]
    assert {one.source for one in look(cast, words="methadone").entries} == {
        "medication",
        "medication_stopped",
    }


@pytest.mark.parametrize("same_moment", [False, True], ids=["day after day", "all in one moment"])
def test_pages_of_the_new_kinds_hold_every_entry_once(cast: Cast, same_moment: bool) -> None:
    at = makers.now() - DAY
    first = diagnosed(cast)
    count = PAGE + 7
    rows = [
        Diagnosis(
            organization=cast.home, patient=cast.patient, code=f"X{number}", title="Made up",
            status="confirmed", created_at=at if same_moment else at - number * DAY,
        )
        for number in range(count)
    ]  # fmt: skip
    Diagnosis.objects.bulk_create(rows)
    found = all_pages(cast, kinds=["diagnoses"])
    places = [(one.source, one.id) for one in found]
    assert len(places) == len(set(places)) == 2 * count + 1
    assert first.pk in {one.id for one in found}
    assert [one.cursor for one in found] == sorted((one.cursor for one in found), reverse=True)


def test_more_of_them_cost_no_more_statements_and_each_is_found_by_an_index(cast: Cast) -> None:
    def cost() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            look(cast, kinds=NEW)
        return [one["sql"] for one in asked.captured_queries]

    diagnosed(cast)
    taken(cast)
    few = cost()
    for code in ("F41.1", "F40.10", "F33.1"):
        diagnosed(cast, code)
        taken(cast)
    many = cost()
    assert len(many) == len(few)
    tables = ("clinical_diagnosis", "clinical_medication", "patients_referral", "patients_careending")
    asked = [sql for sql in many if sql.startswith("SELECT") and any(f'FROM "{t}"' in sql for t in tables)]
    assert len(asked) == 7
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in asked:
            plan = plan_of(cursor, sql)
            assert not any(f"Seq Scan on {name}" in plan for name in tables), plan
