"""What is due on a caseload, what is chased, who switches what, and whose cut-off holds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.assessments.actions import finish_assessment, install_text
from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Assessment, Instrument
from clinical.assessments.planning import actions, queries
from clinical.assessments.planning.models import MeasureChase, MeasurePlan
from clinical.assessments.planning.tasks import chase_overdue_measures
from cortex.accounts.models import User
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.ids import uuid7
from cortex.ops.models import Notification
from crisis.alerts.models import RiskAlert
from crisis.reviews.models import ReviewItem
from patients.care.models import CareTeamMember
from patients.registry.models import Patient
from tests import makers, stores
from tests.cast import Cast
from tests.explained import plan_of
from tests.makers import staff
from tests.unit.access.test_rows_cost import multiply, rows_changed

pytestmark = pytest.mark.django_db


def give(cast: Cast, key: str, days: float, value: int = 1, who: Patient | None = None) -> None:
    items = 7 if key == "gad7" else 9
    answers: dict[str, int | None] = {f"q{number}": value for number in range(1, items + 1)}
    if key == "phq9":
        answers["q9"] = 0
    finish_assessment(
        actor=staff(cast.alice), patient_id=(who or cast.patient).pk, key=key, answers=answers,
        administered_at=makers.now() - timedelta(days=days),
    )  # fmt: skip
    makers.scope_all()


def due_keys(cast: Cast) -> list[str]:
    at = makers.now()
    people = queries.own_people(cast.alice, at)
    offered = offers.instruments(cast.home.pk)
    return [one.key for one in queries.due_measures(people, offered, at)[cast.patient.pk]]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
    return client


def test_a_measure_without_its_text_is_never_due_and_a_pause_is_obeyed_everywhere(cast: Cast) -> None:
    assert due_keys(cast) == ["gad7", "phq9"]
    who = cast.patient.pk
    with pytest.raises(InputRefused):
        actions.set_plan(actor=staff(cast.alice), patient_id=who, key="gad7", reason="burden")
    with pytest.raises(NotFound):
        actions.set_plan(actor=staff(cast.bob), patient_id=who, key="gad7", reason="burden", is_paused=True)
    makers.scope_all()
    actions.set_plan(actor=staff(cast.alice), patient_id=who, key="gad7", reason="burden", is_paused=True)
    makers.scope_all()
    assert due_keys(cast) == ["phq9"]
    client = client_of(cast.alice)
    assert b"GAD-7" not in client.get("/measures/").content
    assert b"GAD-7 due" not in client.get("/caseload/").content
    page = f"/charts/{who}/measures/"
    assert b"paused: too much for now, Alice Achieng" in client.get(page).content
    client.post(f"{page}gad7/plan/clear/")
    makers.scope_all()
    assert due_keys(cast) == ["gad7", "phq9"]


def test_overdue_by_a_week_is_a_task_and_by_three_the_clinician_is_told_each_once(cast: Cast) -> None:
    Patient.objects.filter(pk=cast.patient.pk).update(primary_clinician=cast.alice)
    CareTeamMember.objects.filter(patient=cast.stranger).update(starts_at=makers.now())
    give(cast, "phq9", days=14 + 8)
    give(cast, "gad7", days=14 + 22)
    assert chase_overdue_measures() == 3
    assert chase_overdue_measures() == 0
    makers.scope_all()
    item = ReviewItem.objects.get(reason_code="measure_overdue")
    assert (item.owner_id, item.patient_id) == (cast.alice.pk, cast.patient.pk)
    notice = Notification.objects.get(code="measure.overdue")
    assert (notice.recipient_id, notice.codes) == (cast.alice.pk, {"keys": ["gad7"]})
    assert MeasureChase.objects.filter(tasked_at__isnull=False).count() == 2
    text = client_of(cast.alice).get("/measures/").content.decode()
    assert "More than three weeks late" in text and "22 days late" in text and "Zawadi Planted" in text


def test_what_is_due_costs_the_same_for_one_person_and_for_ten(cast: Cast) -> None:
    counts = []
    for more in (0, 9):
        for _ in range(more):
            makers.make_patient(cast.home, team=[cast.alice])
        at = makers.now()
        with CaptureQueriesContext(connection) as seen:
            people = queries.own_people(cast.alice, at)
            queries.due_measures(people, offers.instruments(cast.home.pk), at)
        counts.append(len(seen))
    assert len(people) == 10
    assert counts[0] == counts[1] <= 14


def test_an_organization_switches_who5_on_for_itself_once_its_text_is_there(cast: Cast) -> None:
    who5, ada = Instrument.objects.get(key="who5"), staff(cast.ada)
    with pytest.raises(RuleBroken, match="is not installed"):
        actions.switch_instrument(actor=ada, instrument_id=who5.pk, is_offered=True)
    makers.scope_all()
    texts: dict[str, Any] = {
        "stem": "", "items": {f"q{number}": "?" for number in range(1, 6)},
        "answers": {str(value): "?" for value in range(6)},
    }  # fmt: skip
    install_text(
        actor=makers.machine(cast.home), key="who5", version=who5.version, language="en", texts=texts
    )
    makers.scope_all()
    actions.switch_instrument(actor=ada, instrument_id=who5.pk, is_offered=True)
    makers.scope_all()
    assert "who5" in {one.key for one in offers.instruments(cast.home.pk)}
    assert "who5" not in {one.key for one in offers.instruments(cast.elsewhere.pk)}
    assert "who5" in due_keys(cast)
    phq9 = Instrument.objects.get(key="phq9")
    actions.switch_instrument(actor=ada, instrument_id=phq9.pk, is_offered=False)
    makers.scope_all()
    assert "phq9" not in due_keys(cast)
    with pytest.raises(NotFound):
        offers.instrument("phq9", cast.home.pk)
    assert offers.instrument("phq9", cast.elsewhere.pk).key == "phq9"
    assert "isi" not in {one.key for one in offers.instruments(cast.home.pk)}


@pytest.mark.parametrize(("years", "flagged"), [(9, False), (10, True), (19, True), (20, False)])
def test_nine_points_are_beyond_the_cut_off_of_those_of_10_to_19_years(
    cast: Cast, years: int, flagged: bool
) -> None:
    # A birthday of months ago: on New Year's Eve by UTC somebody is a year older where they live.
    born = makers.now().date() - timedelta(days=years * 366 + 100)
    who = makers.make_patient(cast.home, team=[cast.alice], date_of_birth=born)
    give(cast, "phq9", days=0, who=who)  # eight ones: 8
    one, _ = finish_assessment(
        actor=staff(cast.alice), patient_id=who.pk, key="phq9",
        answers={f"q{number}": 1 for number in range(1, 8)} | {"q8": 2, "q9": 0},
    )  # fmt: skip
    assert one.total == 9
    assert ("above_cutoff" in one.flags) is flagged


def test_paper_needs_the_day_on_which_it_was_filled_in(cast: Cast) -> None:
    calm: dict[str, int | None] = {f"q{number}": 0 for number in range(1, 8)}
    with pytest.raises(InputRefused, match="when the paper was filled in"):
        finish_assessment(
            actor=staff(cast.alice), patient_id=cast.patient.pk, key="gad7", answers=calm, mode="paper"
        )


def test_missing_visits_break_the_line_and_alerts_are_marks_on_the_sheet(cast: Cast) -> None:
    give(cast, "phq9", days=60)
    give(cast, "phq9", days=1, value=2)
    makers.make_alert(cast.patient, "high")
    text = client_of(cast.alice).get(f"/charts/{cast.patient.pk}/measures/phq9/print/").content.decode()
    assert "visits are missing before it" in text and "PHQ-9: the course" in text
    assert 'class="cut"' in text and "Pfizer" in text
    rows = re.findall(r'<tr[^>]*><th scope="row"[^>]*>(.*?)</tr>', text)
    assert [row.split("</th>")[1] for row in rows] == [
        "<td>16</td><td>Moderately severe</td><td>visits are missing before it</td>",
        "<td>8</td><td>Mild</td><td>baseline</td>",
    ]
    assert "<a " not in "".join(rows), "paper leads nowhere"
    page = client_of(cast.alice).get(f"/charts/{cast.patient.pk}/measures/").content.decode()
    makers.scope_all()
    for one in Assessment.objects.all():
        url = reverse("clinical:measure_result", args=[cast.patient.pk, one.pk])
        assert f'<th scope="row" class="nowrap"><a href="{url}">' in page
    assert client_of(cast.bob).get(f"/charts/{cast.patient.pk}/measures/phq9/print/").status_code == 404


@pytest.mark.parametrize(
    ("every", "days", "missing"),
    [(90, (280, 190, 100, 5), 0), (90, (300, 190, 5), 2), (None, (29, 1), 1), (None, (29, 10), 0)],
    ids=["90 days kept", "90 days missed", "a fortnight missed", "a fortnight kept"],
)
def test_visits_are_missing_by_the_schedule_that_is_the_person_s_on_every_page(
    cast: Cast, every: int | None, days: tuple[int, ...], missing: int
) -> None:
    who = cast.patient.pk
    if every is not None:
        MeasurePlan.objects.create(
            organization=cast.home, patient=cast.patient, key="phq9", interval_days=every, reason="stable",
            set_at=makers.now() - timedelta(days=365),
        )  # fmt: skip
    for one in days:
        give(cast, "phq9", one)
    newest = Assessment.objects.latest("administered_at")
    client = client_of(cast.alice)
    pages = (("chart",), ("measures",), ("measure_print", "phq9"), ("measure_result", newest.pk))
    for page, *more in pages:
        text = client.get(reverse(f"clinical:{page}", args=[who, *more])).content.decode()
        assert text.count("visits are missing before it") == missing, page
        path = re.findall(r'class="ln s1" d="([^"]+)"', text)[-1]
        assert path.count("M") == missing + 1, page
        assert ("broken line: visits are missing" in text) == bool(missing), page


def test_a_picture_says_what_is_what_and_that_the_course_is_ours(cast: Cast) -> None:
    who = cast.patient.pk
    give(cast, "phq9", 28, value=2)
    client = client_of(cast.alice)

    def key() -> str:
        text = client.get(f"/charts/{who}/measures/").content.decode()
        return text.split(">Key: ")[1].split("</p>")[0]

    assert key() == "dotted: cut-off 10."
    give(cast, "phq9", 14, value=2)
    assert key() == "dashed: the course that we expect, our policy and no norm; dotted: cut-off 10."
    makers.make_alert(cast.patient, "high")
    finish_assessment(
        actor=staff(cast.alice), patient_id=who, key="phq9", answers={f"q{n}": 2 for n in range(1, 10)}
    )
    makers.scope_all()
    assert "; ring: item 9 above not at all; " in key() and key().endswith("; dashed upright: alert.")
    text = client.get(f"/charts/{who}/measures/").content.decode()
    assert "where our course expects about" in text
    sheet = client.get(f"/charts/{who}/measures/phq9/print/").content.decode()
    assert "the course that we expect, our policy and no norm" in sheet


def test_measures_with_a_course_stand_first_then_those_that_are_due(cast: Cast) -> None:
    give(cast, "phq9", 3)
    text = client_of(cast.alice).get(f"/charts/{cast.patient.pk}/measures/").content.decode()
    places = [text.index(f"/measures/{key}/") for key in ("phq9", "gad7", "phq2")]
    assert places == sorted(places)


def test_how_many_of_a_caseload_were_measured_twice_in_90_days(cast: Cast) -> None:
    others = [makers.make_patient(cast.home, team=[cast.alice]) for _ in range(3)]
    twice, once, long_ago = others
    give(cast, "phq9", 5)
    give(cast, "gad7", 5)
    give(cast, "phq9", 80, who=twice)
    give(cast, "phq9", 1, who=twice)
    give(cast, "gad7", 2, who=once)
    give(cast, "gad7", 91, who=once)
    give(cast, "phq9", 120, who=long_ago)
    stranger = makers.make_patient(cast.home, team=[cast.bob])
    at = makers.now()
    own = {one.pk: one.pk for one in (cast.patient, *others)}
    assert queries.measured_often(own, at - queries.OFTEN_WITHIN, at) == {cast.patient.pk, twice.pk}
    assert queries.measured_often({}, at - queries.OFTEN_WITHIN, at) == set()
    linked = own | {long_ago.pk: once.pk}
    assert once.pk not in queries.measured_often(linked, at - queries.OFTEN_WITHIN, at)
    give(cast, "phq9", 4, who=long_ago)
    assert once.pk in queries.measured_often(linked, at - queries.OFTEN_WITHIN, at), "one on each row"
    page = client_of(cast.alice).get("/measures/").content.decode()
    assert "2 of 4 people have two measures or more in 90 days (50 %)" in page
    makers.scope_all()
    assert "0 of 1 person has two measures or more" in client_of(cast.bob).get("/measures/").content.decode()
    makers.scope_all()
    assert str(stranger.pk) not in page


def test_a_declined_measure_and_one_that_was_corrected_count_once_or_not_at_all(cast: Cast) -> None:
    give(cast, "gad7", 3)
    one = Assessment.objects.get(patient=cast.patient)
    declined = Assessment.objects.get(pk=one.pk)
    declined.pk, declined.is_valid, declined.total, declined.flags = uuid7(), False, None, ["declined"]
    declined.save(force_insert=True)
    at = makers.now()
    asked = ({cast.patient.pk: cast.patient.pk}, at - queries.OFTEN_WITHIN, at)
    assert queries.measured_often(*asked) == set()
    again = Assessment.objects.get(pk=one.pk)
    again.pk, again.supersedes = uuid7(), one
    again.save(force_insert=True)
    assert queries.measured_often(*asked) == set(), "a correction takes the place of what it corrects"


def test_who_was_measured_often_is_looked_up_by_person(cast: Cast) -> None:
    give(cast, "gad7", 3)
    one = Assessment.objects.get(patient=cast.patient)
    for other in [makers.make_patient(cast.home, team=[cast.alice]) for _ in range(20)]:
        with stores.role("cortex_system"):
            multiply("clinical_assessment", one.pk, 150, id="gen_random_uuid()", patient_id=f"'{other.pk}'")
    with stores.role("cortex_owner"):
        rows_changed("ANALYZE clinical_assessment")
    at = makers.now()
    own = {cast.patient.pk: cast.patient.pk}
    with CaptureQueriesContext(connection) as told:
        assert queries.measured_often(own, at - queries.OFTEN_WITHIN, at) == set()
    (sql,) = [one["sql"] for one in told.captured_queries if "clinical_assessment" in one["sql"]]
    with connection.cursor() as cursor:
        plan = plan_of(cursor, sql)
    assert "Index Cond: ((patient_id" in plan and "Seq Scan on clinical_assessment" not in plan, plan


def critical_at(cast: Cast) -> datetime | None:
    makers.scope_all()
    at = makers.now()
    return queries.reckonings(queries.own_people(cast.alice, at), at)[cast.patient.pk].facts.critical_at


def test_the_screeners_after_a_crisis_count_from_when_the_alert_became_critical(cast: Cast) -> None:
    alert, at = makers.make_alert(cast.patient, "critical"), makers.now()
    became = at - timedelta(days=2)
    RiskAlert.objects.filter(pk=alert.pk).update(raised_at=at - timedelta(days=60), level_since=became)
    assert critical_at(cast) == became


@pytest.mark.parametrize(
    ("status", "counts"), [("resolved", True), ("false_alarm", False), ("merged", False)]
)
def test_an_alert_that_was_none_asks_for_no_screener(cast: Cast, status: str, *, counts: bool) -> None:
    alert = makers.make_alert(cast.patient, "critical")
    assert critical_at(cast) == alert.level_since
    RiskAlert.objects.filter(pk=alert.pk).update(status=status)
    assert (critical_at(cast) is not None) is counts


def test_critical_alerts_are_looked_up_by_person(cast: Cast) -> None:
    alert = makers.make_alert(cast.patient, "critical")
    for other in [makers.make_patient(cast.home, team=[cast.alice]) for _ in range(20)]:
        with stores.role("cortex_system"):
            multiply("crisis_riskalert", alert.pk, 150, id="gen_random_uuid()", patient_id=f"'{other.pk}'",
                     status="'resolved'")  # fmt: skip
    with stores.role("cortex_owner"):
        rows_changed("ANALYZE crisis_riskalert")
    with CaptureQueriesContext(connection) as told:
        list(queries._critical([cast.patient.pk], makers.now() - queries.CRITICAL_COUNTS))
    (sql,) = [one["sql"] for one in told.captured_queries if "crisis_riskalert" in one["sql"]]
    with connection.cursor() as cursor:
        plan = plan_of(cursor, sql)
    assert "Index Cond: (patient_id" in plan and "Seq Scan on crisis_riskalert" not in plan, plan
