"""The C-SSRS since the last contact: asked once the first form was answered, on the course of both."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from clinical.assessments import queries
from clinical.assessments.actions import begin_assessment, finish_assessment
from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Assessment, AssessmentDraft, Instrument, InstrumentText
from clinical.assessments.planning.models import InstrumentSwitch
from clinical.assessments.planning.queries import due_measures, own_people
from clinical.caseload.known.queries import known
from clinical.plans.queries import totals_of
from cortex.audit import NotFound, RuleBroken
from crisis.alerts.models import RiskAlert
from crisis.reviews.models import ReviewItem
from patients.care.queries import treated
from patients.registry.models import Patient
from patients.registry.queries import rows_of
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.assessments.test_results import install_screener, page_of

pytestmark = pytest.mark.django_db
FIRST, SINCE = "cssrs", "cssrs_since"
LONG_AGO = {"q1": 0, "q2": 0, "q6_lifetime": 1, "q6_3m": 0}
NOTHING = {"q1": 0, "q2": 0, "q6_since": 0}


@pytest.fixture
def both(cast: Cast) -> Cast:
    install_screener(cast)
    install_screener(cast, SINCE)
    return cast


def give(cast: Cast, key: str, answers: dict[str, int | None], days: float = 0) -> Assessment:
    at = makers.now() - timedelta(days=days)
    one, _ = finish_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key=key, answers=answers, administered_at=at
    )
    makers.scope_all()
    return one


def ask(cast: Cast, key: str = FIRST, **begun: str) -> Any:
    client = Client()
    client.force_login(cast.alice)
    url = reverse("clinical:measure_ask", args=[cast.patient.pk, key])
    answer = client.post(url, begun, follow=True) if begun else client.get(url, follow=True)
    makers.scope_all()
    assert answer.status_code == 200
    return answer


def course_of(cast: Cast) -> queries.Course:
    found = queries.courses(
        queries.standing(rows_of(cast.patient)), offers.instruments(cast.patient.organization_id)
    )
    return found[FIRST]


def test_the_first_time_there_is_one_form_and_later_the_one_since_then_comes_first(both: Cast) -> None:
    assert "begin_form" not in ask(both).content.decode()
    give(both, FIRST, {"q1": 0})  # declined: nothing that a later form could go on from
    assert "begin_form" not in ask(both).content.decode()
    one = give(both, FIRST, LONG_AGO, days=3)
    day = f"{one.administered_at.astimezone(ZoneInfo(both.home.default_timezone)):%-d %b %Y}"
    found = ask(both)
    assert [key for key, _ in found.context["begin"].fields["form"].choices] == [SINCE, FIRST]
    assert f"Answered last on {day}." in found.content.decode()
    page = ask(both, form=SINCE, mode="interviewer")
    assert f"Answered last on <b>{day}</b>" in page.content.decode()
    assert page.redirect_chain[-1][0].endswith(f"/{SINCE}/")
    assert b'data-item="q6_since"' in page.content and b"q6_lifetime" not in page.content
    # Whoever comes by the other address goes on with the answers that are under way.
    assert ask(both, FIRST).redirect_chain[-1][0].endswith(f"/{SINCE}/")
    ask(both, form=FIRST, mode="phone")
    assert [one.instrument.key for one in AssessmentDraft.objects.select_related("instrument")] == [SINCE]


def test_without_its_wording_or_where_it_is_not_offered_the_first_form_goes_on(cast: Cast) -> None:
    def asked() -> str:
        later = queries.later_of(cast.patient, offers.instrument(FIRST, cast.home.pk), makers.now())
        return later.form.key if later is not None else FIRST

    install_screener(cast)
    give(cast, FIRST, LONG_AGO)
    assert asked() == FIRST
    install_screener(cast, SINCE)
    assert asked() == SINCE
    Instrument.objects.filter(key=SINCE).update(is_enabled=False)
    assert asked() == FIRST
    Instrument.objects.filter(key=SINCE).update(is_enabled=True)
    # Somebody who is asked in Kiswahili isn't asked the later form in English instead.
    install_screener(cast, FIRST, "sw")
    Patient.objects.filter(pk=cast.patient.pk).update(language="sw")
    cast.patient.refresh_from_db()
    assert asked() == FIRST
    install_screener(cast, SINCE, "sw")
    assert asked() == SINCE


def test_without_a_first_form_there_is_nothing_to_go_on_from(both: Cast) -> None:
    with pytest.raises(RuleBroken, match="first"):
        begin_assessment(actor=staff(both.alice), patient_id=both.patient.pk, key=SINCE)
    makers.scope_all()
    assert ask(both, SINCE).redirect_chain[-1][0].endswith(f"/{FIRST}/")
    # What an app sends is taken, and the first form is asked all the same.
    give(both, SINCE, NOTHING)
    assert queries.later_of(both.patient, offers.instrument(FIRST, both.home.pk), makers.now()) is None
    give(both, FIRST, LONG_AGO, days=800)
    assert "begin_form" not in ask(both).content.decode(), "longer ago than a course looks back"


def test_where_one_form_is_switched_off_the_measure_can_be_asked_and_what_was_under_way_ends(
    both: Cast,
) -> None:
    give(both, FIRST, LONG_AGO, days=9)
    ask(both, form=SINCE, mode="interviewer")
    since = Instrument.objects.get(key=SINCE)
    InstrumentSwitch.objects.create(organization=both.home, instrument=since, is_offered=False)
    assert "Begin" in ask(both).content.decode()
    ask(both, form=FIRST, mode="interviewer")
    give(both, FIRST, LONG_AGO)
    assert not AssessmentDraft.objects.exists()
    with pytest.raises(NotFound):
        begin_assessment(actor=staff(both.alice), patient_id=both.patient.pk, key=SINCE)
    makers.scope_all()
    InstrumentSwitch.objects.update(is_offered=True)
    InstrumentSwitch.objects.create(
        organization=both.home, instrument=Instrument.objects.get(key=FIRST), is_offered=False
    )
    with pytest.raises(NotFound):
        begin_assessment(actor=staff(both.alice), patient_id=both.patient.pk, key=SINCE)


def test_answers_of_an_older_version_stand_in_nobodys_way(both: Cast) -> None:
    begin_assessment(actor=staff(both.alice), patient_id=both.patient.pk, key="phq9")
    makers.scope_all()
    old = Instrument.objects.get(key="phq9")
    Instrument.objects.filter(pk=old.pk).update(is_enabled=False)
    new = Instrument.objects.create(
        key="phq9", version="2", title=old.title, definition=old.definition, is_enabled=True
    )
    InstrumentText.objects.create(instrument=new, language="en", texts=old.texts.get(language="en").texts)
    assert "Begin" in ask(both, "phq9").content.decode()


def test_both_forms_are_one_measure_with_one_course(both: Cast) -> None:
    assert SINCE not in {one.key for one in offers.instruments(both.home.pk)}
    give(both, FIRST, LONG_AGO, days=9)
    give(both, SINCE, NOTHING, days=2)
    course = course_of(both)
    assert [(one.total, one.band) for one in course.points] == [(2, "moderate"), (0, "none")]
    assert course.since_last() is not None and not course.since_last().is_deterioration  # type: ignore[union-attr]
    assert totals_of(both.patient)[FIRST] == 0
    (person,) = own_people(both.alice, makers.now())
    assert [one.total for one in person.courses[FIRST].points] == [2, 0]
    (who,) = treated(both.alice, makers.now(), 10)
    kept = known([(who, who.since)], {}, both.home.pk, makers.now())[both.patient.pk]
    assert [one.total for one in kept.courses[FIRST].points] == [2, 0]
    client = Client()
    client.force_login(both.alice)
    page = client.get(reverse("clinical:measures", args=[both.patient.pk])).content.decode()
    assert f"/measures/{FIRST}/" in page and f"/measures/{SINCE}/" not in page
    printed = client.get(reverse("clinical:measure_print", args=[both.patient.pk, SINCE])).content.decode()
    assert "Moderate" in printed and "None" in printed


def test_a_step_up_in_the_later_form_is_a_step_up(both: Cast) -> None:
    give(both, FIRST, {"q1": 0, "q2": 0, "q6_lifetime": 0}, days=5)
    assert not ReviewItem.objects.filter(reason_code="measure_worse").exists()
    one = give(both, SINCE, NOTHING | {"q1": 1})
    assert ReviewItem.objects.get(reason_code="measure_worse").source_id == one.pk
    assert "C-SSRS screener since last contact: low" in page_of(both, one)


def test_what_the_later_form_says_reaches_a_counselor_in_the_same_transaction(both: Cast) -> None:
    both.on_duty()
    give(both, FIRST, LONG_AGO, days=5)
    one = give(both, SINCE, NOTHING | {"q6_since": 1})
    assert (one.band, one.total) == ("high", 3)
    assert RiskAlert.objects.get().level in ("high", "critical")
    page = page_of(both, one)
    assert "Stay with the person" in page


def test_it_answers_when_the_screener_is_due(both: Cast) -> None:
    def due() -> set[str]:
        at = makers.now()
        found = due_measures(own_people(both.alice, at), offers.instruments(both.home.pk), at)
        return {one.key for one in found[both.patient.pk]}

    assert FIRST in due()
    give(both, FIRST, LONG_AGO, days=3)
    assert FIRST not in due()
    give(both, "phq9", {f"q{number}": 1 for number in range(1, 10)}, days=1)
    assert FIRST in due()
    give(both, SINCE, NOTHING)
    assert due().isdisjoint({FIRST, SINCE})


def test_nobody_else_can_ask_or_answer_it(both: Cast) -> None:
    for stranger in (both.bob, both.charlie, both.ada):
        with pytest.raises(NotFound):
            finish_assessment(
                actor=staff(stranger), patient_id=UUID(str(both.patient.pk)), key=SINCE, answers=NOTHING
            )
