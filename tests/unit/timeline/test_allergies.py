"""Allergies on a timeline: recorded, changed, wrong, and that none is known; filter, pins, search, cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinical.plans.allergies.actions import mark_error, save_allergy, say_none_known
from clinical.plans.allergies.models import Allergy
from clinical.timeline.actions import pin_entry
from clinical.timeline.queries import PAGE
from clinical.timeline.registry import kinds
from cortex.audit.models import PhiAccessLog
from patients.breakglass.actions import break_glass
from tests import makers
from tests.cast import Cast
from tests.explained import plan_of
from tests.makers import staff
from tests.unit.timeline.test_kinds import page_of, told
from tests.unit.timeline.test_timeline import all_pages, look
from tests.walk.plans import ALLERGY

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
ALONE: dict[str, Any] = {"kinds": ["allergies"]}


def recorded(cast: Cast, substance: str = "Penicillin", days: int = 30, **fields: Any) -> Allergy:
    """An allergy that was recorded so many days ago and not touched since."""
    row = save_allergy(
        actor=staff(cast.alice), patient_id=cast.patient.pk,
        fields=ALLERGY | {"substance": substance} | fields,
    )  # fmt: skip
    makers.scope_all()
    aged(row, days)
    return row


def aged(row: Allergy, days: int) -> None:
    at = makers.now() - days * DAY
    Allergy.objects.filter(pk=row.pk).update(created_at=at, updated_at=at)


def change(cast: Cast, row: Allergy, **fields: Any) -> None:
    save_allergy(
        actor=staff(cast.alice), patient_id=cast.patient.pk, allergy_id=row.pk, fields=ALLERGY | fields
    )
    makers.scope_all()


def titles(cast: Cast) -> list[str]:
    return [title for _, title, _, _ in told(cast, **ALONE)]


def test_an_allergy_stands_where_it_was_recorded_and_where_it_changed_last(cast: Cast) -> None:
    day = (makers.now() - 900 * DAY).date()
    row = recorded(cast, since=day, reaction="Hives that stay on the plan.")
    (entry,) = told(cast, **ALONE)
    since = f"{day:%-d %b %Y}"
    assert entry == (
        "allergy", "Allergy recorded: Penicillin",
        f"Medication. Said by the person. Unconfirmed. Since {since}.", "Alice Achieng",
    )  # fmt: skip
    for fields, words in (
        ({"criticality": "high"}, "severe"),
        ({"clinical_status": "resolved"}, "resolved"),
        ({"clinical_status": "inactive"}, "inactive"),
        ({"verification": "refuted"}, "refuted"),
    ):
        change(cast, row, **fields)
        assert titles(cast) == [
            f"Allergy changed: Penicillin, {words}", f"Allergy recorded: Penicillin, {words}"
        ], fields  # fmt: skip
    page = page_of(cast.alice, cast)
    assert "Allergy changed: Penicillin, refuted" in page and "stay on the plan" not in page
    assert f"/charts/{cast.patient.pk}/plan/#allergies" in page and "#alert-triangle" in page


def test_an_error_is_told_when_it_was_marked_and_the_old_line_no_longer_warns(cast: Cast) -> None:
    row = recorded(cast, kind="intolerance")
    mark_error(actor=staff(cast.alice), patient_id=cast.patient.pk, allergy_id=row.pk)
    makers.scope_all()
    assert titles(cast) == [
        "Intolerance was entered in error: Penicillin",
        "Intolerance recorded: Penicillin, entered in error",
    ]


def test_that_none_is_known_is_said_and_says_when_it_no_longer_holds(cast: Cast) -> None:
    said = say_none_known(actor=staff(cast.alice), patient_id=cast.patient.pk)
    makers.scope_all()
    aged(said, 30)
    assert titles(cast) == ["Said: no known allergies"]
    recorded(cast, days=2)
    assert titles(cast) == ["Allergy recorded: Penicillin", "Said: no known allergies, no longer"]
    again = Allergy.objects.filter(pk=said.pk)
    again.update(verification="entered-in-error", verification_before="confirmed", updated_at=makers.now())
    assert titles(cast)[0] == "No known allergies was entered in error"


def test_they_have_a_filter_pins_and_search_and_the_look_is_on_record(cast: Cast) -> None:
    assert kinds()["allergies"] == "Allergies"
    row = recorded(cast)
    recorded(cast, "Latex", days=3)
    change(cast, row, criticality="high")
    found = look(cast, **ALONE).entries
    assert [one.source for one in found] == ["allergy_changed", "allergy", "allergy"]
    for one in found:
        pin_entry(actor=staff(cast.alice), patient_id=cast.patient.pk, source=one.source, item_id=one.id)
    pinned = look(cast, only_pinned=True).entries
    assert [(one.source, one.id) for one in pinned] == [(one.source, one.id) for one in found]
    assert {one.title for one in look(cast, words="LATEX").entries} == {"Allergy recorded: Latex"}
    assert 'name="kind" value="allergies"' in page_of(cast.alice, cast)
    seen = PhiAccessLog.objects.filter(data_type="timeline", actor_id=cast.alice.pk).latest("id")
    assert seen.subject == cast.patient.pk


def test_break_glass_reads_them_too_and_a_name_that_does_not_open_shuts_nothing(
    cast: Cast,
) -> None:
    recorded(cast, criticality="high")
    break_glass(
        actor=staff(cast.bob),
        asked=cast.patient.anonymous_id,
        reason_code="imminent_risk",
        reason="She does not answer.",
    )
    makers.scope_all()
    assert "Allergy recorded: Penicillin, severe" in page_of(cast.bob, cast)
    other = makers.make_patient(organization=cast.home)
    makers.add_to_team(other, cast.alice)
    strange = save_allergy(actor=staff(cast.alice), patient_id=other.pk, fields=ALLERGY)
    makers.scope_all()
    with connection.cursor() as cursor:
        cursor.execute("SELECT substance FROM clinical_allergy WHERE id = %s", [strange.pk])
        (sealed,) = cursor.fetchone()
        cursor.execute("UPDATE clinical_allergy SET substance = %s WHERE id <> %s", [sealed, strange.pk])
    assert "Allergy recorded: one that can&#x27;t be read, severe" in page_of(cast.alice, cast)


@pytest.mark.parametrize("same_moment", [False, True], ids=["day after day", "all in one moment"])
def test_pages_hold_every_entry_once(cast: Cast, same_moment: bool) -> None:
    at, count = makers.now() - DAY, PAGE + 7
    said: dict[str, Any] = {"none_known": True, "verification": "confirmed", "source": "person"}
    rows = [
        Allergy(
            organization=cast.home, patient=cast.patient, clinical_status="inactive",
            created_at=at if same_moment else at - number * DAY, **said,
        )
        for number in range(count)
    ]  # fmt: skip
    Allergy.objects.bulk_create(rows)
    found = all_pages(cast, **ALONE)
    assert [one.id for one in found] == list(dict.fromkeys(one.id for one in found))
    assert len(found) == count


def test_more_of_them_cost_no_more_statements_and_each_is_found_by_an_index(cast: Cast) -> None:
    def cost() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            look(cast, **ALONE)
        return [one["sql"] for one in asked.captured_queries]

    row = recorded(cast)
    change(cast, row, criticality="high")
    few = cost()
    for name in ("Latex", "Nuts", "Eggs"):
        change(cast, recorded(cast, name), substance=name, criticality="high")
    many = cost()
    assert len(many) == len(few)
    asked = [one for one in many if one.startswith("SELECT") and 'FROM "clinical_allergy"' in one]
    assert len(asked) == 2
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in asked:
            plan = plan_of(cursor, sql)
            assert "Seq Scan on clinical_allergy" not in plan, plan
