"""Diagnoses, favourites and medications: what is refused, labelled, sealed and flagged."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from clinical.plans.diagnoses.actions import add_diagnosis, change_diagnosis, mark_favourite
from clinical.plans.diagnoses.models import Diagnosis
from clinical.plans.diagnoses.queries import favourites
from clinical.plans.labels import shut_by
from clinical.plans.medications.actions import save_medication
from clinical.plans.medications.models import Medication
from cortex.audit import InputRefused, RuleBroken
from cortex.audit.models import AuditLog
from tests import makers
from tests.cast import Cast
from tests.unit.plans.conftest import setting
from tests.walk.plans import MEDICINE

pytestmark = pytest.mark.django_db


def test_a_code_that_is_not_billable_or_not_there_is_refused(cast: Cast) -> None:
    for code in ("Z91.5", "Z59.7", "F32", "X99.99", "nonsense", ""):
        with pytest.raises(InputRefused) as refused:
            add_diagnosis(
                actor=makers.staff(cast.alice), patient_id=cast.patient.pk, code=code, status="confirmed"
            )
        assert refused.value.extra["field"] == "code"
    assert not Diagnosis.objects.exists()


def test_a_diagnosis_stands_once_and_may_come_back_after_it_was_ruled_out(cast: Cast) -> None:
    alice, who = makers.staff(cast.alice), cast.patient.pk
    first = add_diagnosis(actor=alice, patient_id=who, code="f331", status="provisional", note="Watch.")
    assert (first.code, first.sensitivity_labels) == ("F33.1", [])
    with pytest.raises(InputRefused, match="stands already"):
        add_diagnosis(actor=alice, patient_id=who, code="F33.1", status="confirmed")
    change_diagnosis(actor=alice, patient_id=who, diagnosis_id=first.pk, status="ruled_out")
    add_diagnosis(actor=alice, patient_id=who, code="F33.1", status="confirmed")
    with pytest.raises(RuleBroken, match="Another entry"):
        change_diagnosis(actor=alice, patient_id=who, diagnosis_id=first.pk, status="provisional")
    with pytest.raises(IntegrityError, match="diagnosis_code_once"), transaction.atomic():
        Diagnosis.objects.filter(pk=first.pk).update(status="provisional")
    assert "F33.1" not in str(list(AuditLog.objects.values_list("codes", flat=True)))


def test_only_therapists_and_psychiatrists_record_diagnoses(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.cleo, role="counselor")
    with pytest.raises(RuleBroken, match="Therapists and psychiatrists"):
        add_diagnosis(
            actor=makers.staff(cast.cleo), patient_id=cast.patient.pk, code="F33.1", status="confirmed"
        )


def test_in_a_part_2_program_substance_use_is_labelled_and_break_glass_sees_a_number(cast: Cast) -> None:
    alice, who = makers.staff(cast.alice), cast.patient.pk
    setting(cast, part2_program=True)
    rows = [
        add_diagnosis(actor=alice, patient_id=who, code=code, status="confirmed")
        for code in ("F10.20", "F17.210", "F33.1")
    ]
    assert [one.sensitivity_labels for one in rows] == [["SUD_PART2"], [], []]
    assert shut_by(cast.bob.pk, ("grant:break_glass", False)).open_of(rows) == (rows[1:], 1)
    assert shut_by(cast.bob.pk, ("grant:break_glass", True)).open_of(rows) == (rows, 0)
    assert shut_by(cast.bob.pk, ("care_team", False)).open_of(rows) == (rows, 0)


def test_favourites_are_the_starters_and_one_s_own(cast: Cast) -> None:
    alice = makers.staff(cast.alice)
    mark_favourite(actor=alice, code="F40.01", keep=True)
    mark_favourite(actor=alice, code="F32.0", keep=False)
    mine = favourites(cast.alice.pk)
    assert (mine[0], "F32.0" in mine, len(mine)) == ("F40.01", False, 64)
    assert len(favourites(cast.bob.pk)) == 64


def test_what_people_take_is_sealed_and_the_flag_is_set_by_class_or_by_hand(cast: Cast) -> None:
    alice, who = makers.staff(cast.alice), cast.patient.pk
    calm = save_medication(actor=alice, patient_id=who, fields=MEDICINE)
    listed = save_medication(actor=alice, patient_id=who, fields=MEDICINE | {"name": "Lithium"})
    ticked = save_medication(actor=alice, patient_id=who, fields=MEDICINE | {"lethal_quantity": True})
    assert [one.lethal_quantity for one in (calm, listed, ticked)] == [False, True, True]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name::text FROM clinical_medication")
        assert not any("Lithium" in name or "ertraline" in name for (name,) in cursor.fetchall())
    with pytest.raises(IntegrityError, match="medication_code_has_a_system"), transaction.atomic():
        Medication.objects.filter(pk=calm.pk).update(code="N06AB06")
