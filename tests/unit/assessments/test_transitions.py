"""Whoever begins to care for somebody asks the C-SSRS anew (domain 2.2), by whatever way they came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from clinical.assessments.actions import finish_assessment
from clinical.assessments.instruments import queries as offers
from clinical.assessments.planning import queries
from clinical.assessments.planning.queries import DueMeasure
from clinical.caseload.queries import caseload
from clinical.pathway import actions as ways
from cortex.accounts.models import User
from patients.care.models import CareTeamMember
from patients.covers.actions import plan_absence
from patients.pathway.actions import EndingData, ReferralData, accept_referral, make_referral
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import client_of, staff
from tests.unit.assessments.test_results import install_screener

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SCREENED: dict[str, int | None] = {"q1": 0, "q2": 0, "q6_lifetime": 0}
TITLE = "C-SSRS screener"


@pytest.fixture(autouse=True)
def screener(cast: Cast) -> None:
    install_screener(cast)


def screen(user: User, who: Patient, at: datetime) -> None:
    finish_assessment(actor=staff(user), patient_id=who.pk, key="cssrs", answers=SCREENED, administered_at=at)
    makers.scope_all()


def asked_of(user: User, who: Patient, at: datetime | None = None) -> list[tuple[datetime, str]]:
    """When and why somebody's own list and the daily look ask the screener of a person: the same."""
    makers.scope_all()
    at = at or makers.now()
    offered = offers.instruments(who.organization_id)
    mine = queries.due_measures(queries.own_people(user, at), offered, at)
    everybody = queries.chunk_in_care(who.organization_id, None, at, 10)
    own, daily = (_screeners(one[who.pk]) for one in (mine, queries.due_measures(everybody, offered, at)))
    (case,) = [one for one in caseload(user, at) if one.who.pk == who.pk]
    assert [when for title, when in case.due if title == TITLE] == [when for when, _ in own]
    assert own == daily
    return own


def _screeners(due: list[DueMeasure]) -> list[tuple[datetime, str]]:
    return [(one.at, one.why) for one in due if one.key == "cssrs"]


def shown_to(user: User, who: Patient) -> set[str]:
    """The pages on which the screener is said to be due."""
    client, found = client_of(user), set()
    ask = reverse("clinical:measure_ask", args=[who.pk, "cssrs"])
    if ask in client.get(reverse("clinical:measures_due")).content.decode():
        found.add("due")
    if "who cares for them has changed" in client.get(
        reverse("clinical:measures", args=[who.pk])).content.decode():  # fmt: skip
        found.add("measures")
    chart = client.get(reverse("clinical:chart", args=[who.pk])).content.decode()
    if TITLE in chart.split('id="du"')[1].split("</section>")[0]:
        found.add("chart")
    makers.scope_all()
    return found


def hand_over(cast: Cast, at: datetime, days: int = 0) -> None:
    data = EndingData("person_asked", "Met twice.", days=days)
    ways.transfer(actor=staff(cast.alice), patient_id=cast.patient.pk, to_id=cast.bob.pk, data=data, at=at)


def move(cast: Cast, at: datetime) -> None:
    plan = {cast.patient.pk: cast.bob.pk}
    ways.move_caseload(actor=staff(cast.sam), user_id=cast.alice.pk, plan=plan, at=at)


@pytest.mark.parametrize("way", [hand_over, move])
def test_the_only_therapist_hands_somebody_over_and_the_next_one_asks(
    cast: Cast, way: Callable[[Cast, datetime], None]
) -> None:
    screen(cast.alice, cast.patient, makers.now() - 20 * DAY)
    assert asked_of(cast.alice, cast.patient) == [], "the place began before it"
    assert shown_to(cast.alice, cast.patient) == set()
    at = makers.now()
    way(cast, at)
    assert asked_of(cast.bob, cast.patient) == [(at, "transition")]
    assert shown_to(cast.bob, cast.patient) == {"due", "measures", "chart"}
    screen(cast.bob, cast.patient, makers.now())
    assert asked_of(cast.bob, cast.patient) == []


def test_while_the_former_team_may_still_write_both_are_asked(cast: Cast) -> None:
    screen(cast.alice, cast.patient, makers.now() - 20 * DAY)
    at = makers.now()
    hand_over(cast, at, days=7)
    for user in (cast.alice, cast.bob):
        assert asked_of(user, cast.patient) == [(at, "transition")]
        assert shown_to(user, cast.patient) == {"due", "measures", "chart"}


def test_whoever_stands_in_for_them_is_asked_too(cast: Cast) -> None:
    screen(cast.alice, cast.patient, makers.now() - 20 * DAY)
    at = makers.now()
    hand_over(cast, at)
    makers.scope_all()
    plan_absence(
        actor=staff(cast.bob), user_id=cast.bob.pk, cover_id=cast.alice.pk, starts_at=makers.now(),
        ends_at=makers.now() + 7 * DAY,
    )  # fmt: skip
    assert asked_of(cast.alice, cast.patient) == [(at, "transition")]


def test_a_colleague_who_joins_asks_as_those_who_were_there_do(cast: Cast) -> None:
    screen(cast.alice, cast.patient, makers.now() - 20 * DAY)
    at = makers.now() - 2 * DAY
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist", starts_at=at, at=at)
    for user in (cast.alice, cast.bob):
        assert asked_of(user, cast.patient) == [(at, "transition")]


def test_who_was_discharged_and_comes_again_a_year_later_is_asked_since_they_came(cast: Cast) -> None:
    now = makers.now()
    who = makers.make_patient(cast.home, team=[cast.alice], at=now - 500 * DAY)
    screen(cast.alice, who, now - 400 * DAY)
    data = EndingData("goals_reached", "She sleeps again.")
    ways.discharge(actor=staff(cast.alice), patient_id=who.pk, data=data, at=now - 365 * DAY)
    makers.scope_all()
    who.refresh_from_db()
    sent = ReferralData("self", "routine", "She sleeps badly again.", asked_id=cast.alice.pk)
    one = make_referral(actor=staff(cast.sam), patient=who, data=sent)
    at = makers.now()
    accept_referral(actor=staff(cast.alice), referral_id=one.pk, at=at)
    assert asked_of(cast.alice, who) == [(at, "transition")], "not since the discharge, a year ago"


def test_a_first_beginning_asks_once_and_for_what_was_answered_on_its_day_not_again(cast: Cast) -> None:
    began = CareTeamMember.objects.get(patient=cast.patient).starts_at
    assert asked_of(cast.alice, cast.patient) == [(began, "intake")]
    screen(cast.alice, cast.patient, began - timedelta(hours=3))
    assert asked_of(cast.alice, cast.patient) == [], "the desk asked shortly before"


def test_a_screener_of_the_handing_over_is_not_asked_again_after_it(cast: Cast) -> None:
    """The page of a transfer asks for it first: hours later it is still the one that is meant."""
    at = makers.now()
    screen(cast.alice, cast.patient, at - timedelta(hours=1))
    hand_over(cast, at)
    assert asked_of(cast.bob, cast.patient) == []
