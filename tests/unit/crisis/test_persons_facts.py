"""What floors above tell on an alert's page: allergies, to whom the person is open, logged."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinical.plans.allergies.actions import save_allergy, say_none_known
from cortex.audit.models import PhiAccessLog
from crisis.alerts.models import RiskAlert
from crisis.casework import facts
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.unit.crisis.test_desk_pages import get
from tests.walk.plans import ALLERGY

pytestmark = pytest.mark.django_db
FACT = re.compile(r'<dt>Allergies</dt><dd class="([^"]*)">(.*?)</dd>', re.S)


@pytest.fixture
def claimed(cast: Cast) -> RiskAlert:
    """A critical alert that Cleo claimed just now."""
    return cast.claimed_alert()


def add(cast: Cast, substance: str, patient: Patient | None = None, **fields: Any) -> None:
    save_allergy(
        actor=makers.staff(cast.alice), patient_id=(patient or cast.patient).pk,
        fields=ALLERGY | {"substance": substance} | fields,
    )  # fmt: skip
    makers.scope_all()


def shown(user: Any, alert: RiskAlert) -> tuple[str, str] | None:
    """What the page says of allergies: (css, words), or None."""
    answer = get(user, "alert_page", alert.pk)
    makers.scope_all()
    assert answer.status_code == 200
    found = FACT.search(answer.content.decode())
    return None if found is None else (found[1], unescape(found[2]))


def test_whoever_has_the_alert_reads_them_in_one_line_severe_first(cast: Cast, claimed: RiskAlert) -> None:
    assert shown(cast.cleo, claimed) is None, "nobody asked"
    say_none_known(actor=makers.staff(cast.alice), patient_id=cast.patient.pk)
    makers.scope_all()
    assert shown(cast.cleo, claimed) == ("wrap-any", "None known")
    add(cast, "Pollen", category="environment")
    add(cast, "Lactose", kind="intolerance", category="food")
    assert shown(cast.cleo, claimed) == ("wrap-any", "Pollen, Lactose (intolerance)")
    add(cast, "<b>Penicillin</b>", criticality="high")
    add(cast, "Old", clinical_status="resolved")
    add(cast, "Doubted", verification="refuted")
    words = "<b>Penicillin</b> (severe), Pollen, Lactose (intolerance)"
    assert shown(cast.cleo, claimed) == ("wrap-any critc", words)
    looks = PhiAccessLog.objects.filter(actor_id=cast.cleo.pk, object_type="clinical.Allergy")
    seen = looks.latest("id")
    assert (seen.subject, seen.purpose, seen.relationship, seen.sections) == (
        cast.patient.pk, "alert_review", "claim", ["allergies"],
    )  # fmt: skip
    assert looks.count() == 3, "one row for each page that said something"


def test_nobody_reads_them_to_whom_the_person_is_closed(cast: Cast) -> None:
    alert = makers.make_alert(cast.patient)
    add(cast, "Penicillin", criticality="high")
    cast.on_duty()
    for name in ("alert_page", "alert_preview"):
        page = get(cast.cleo, name, alert.pk)
        assert page.status_code == 200 and b"Penicillin" not in page.content, name
        makers.scope_all()
    assert b"Penicillin" not in get(cast.cleo, "board").content
    makers.scope_all()
    assert not PhiAccessLog.objects.filter(actor_id=cast.cleo.pk, object_type="clinical.Allergy").exists()


def test_rows_that_were_linked_are_told_too_and_more_cost_no_more(cast: Cast, claimed: RiskAlert) -> None:
    other = makers.make_patient(organization=cast.home)
    makers.add_to_team(other, cast.alice)
    add(cast, "Iodine", other)
    Patient.objects.filter(pk=other.pk).update(merged_into=cast.patient)

    def cost() -> tuple[int, int]:
        before = PhiAccessLog.objects.count()
        with CaptureQueriesContext(connection) as asked:
            shown(cast.cleo, claimed)
        return len(asked), PhiAccessLog.objects.count() - before

    assert shown(cast.cleo, claimed) == ("wrap-any", "Iodine")
    few = cost()
    for number in range(9):
        add(cast, f"Number {number}")
    assert cost() == few
    found = shown(cast.cleo, claimed)
    assert found is not None and found[1].count("Number") == 9


def test_a_name_that_does_not_open_does_not_shut_the_page(cast: Cast, claimed: RiskAlert) -> None:
    add(cast, "Latex")
    other = makers.make_patient(organization=cast.home)
    makers.add_to_team(other, cast.alice)
    add(cast, "Iodine", other)
    with connection.cursor() as cursor:
        cursor.execute("SELECT substance FROM clinical_allergy WHERE patient_id = %s", [other.pk])
        (sealed,) = cursor.fetchone()
        cursor.execute(
            "UPDATE clinical_allergy SET substance = %s WHERE patient_id = %s", [sealed, cast.patient.pk]
        )
    assert shown(cast.cleo, claimed) == ("wrap-any", "one that can't be read")


def test_a_teller_is_asked_once_however_often_it_is_added() -> None:
    before = list(facts._tellers)
    for teller in before:
        facts.register(teller)
    assert facts._tellers == before and before
