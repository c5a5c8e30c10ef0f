"""Who stands in for somebody is there: neither away in that time nor gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from cortex.accounts.actions import disable_user
from cortex.audit import RuleBroken
from patients.covers.actions import cover_newcomers, end_absence, plan_absence
from patients.covers.queries import absences_of, uncovered_counts
from tests import makers
from tests.cast import Cast
from tests.makers import client_of, staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_whoever_stands_in_for_somebody_is_not_away_in_that_time(cast: Cast) -> None:
    third = makers.make_user("therapist", cast.home, full_name="Third One")
    at = makers.now()
    away = {"actor": staff(cast.alice), "user_id": cast.alice.pk, "cover_id": cast.bob.pk}
    planned = plan_absence(**away, starts_at=at + DAY, ends_at=at + 10 * DAY)  # type: ignore[arg-type]
    makers.scope_all()
    bobs = {"user_id": cast.bob.pk, "cover_id": third.pk}
    for who, words in ((cast.bob, "You stand in for Alice Achieng"), (cast.sam, "They stand in for Alice")):
        with pytest.raises(RuleBroken, match=words):
            plan_absence(actor=staff(who), **bobs, starts_at=at + 2 * DAY, ends_at=at + 9 * DAY)  # type: ignore[arg-type]
        makers.scope_all()
    form = {
        "cover": str(third.pk),
        "starts_at": f"{at + 2 * DAY:%Y-%m-%d}",
        "ends_at": f"{at + 5 * DAY:%Y-%m-%d}",
    }
    page = client_of(cast.bob).post(reverse("clinical:absence_new"), form | {"known": "1"})
    assert page.status_code in (409, 422) and "You stand in for Alice Achieng" in page.content.decode()
    makers.scope_all()
    plan_absence(actor=staff(cast.bob), **bobs, starts_at=at + 11 * DAY, ends_at=at + 12 * DAY)  # type: ignore[arg-type]
    makers.scope_all()
    end_absence(actor=staff(cast.alice), absence_id=planned.pk)
    makers.scope_all()
    plan_absence(actor=staff(cast.bob), **bobs, starts_at=at + 2 * DAY, ends_at=at + 9 * DAY)  # type: ignore[arg-type]


def test_a_cover_whose_account_is_closed_covers_nobody_and_every_page_says_so(cast: Cast) -> None:
    at = makers.now()
    away = plan_absence(
        actor=staff(cast.alice), user_id=cast.alice.pk, cover_id=cast.bob.pk, starts_at=at,
        ends_at=at + 9 * DAY,
    )  # fmt: skip
    makers.scope_all()
    alice = client_of(cast.alice)
    chart, ways = reverse("clinical:chart", args=[cast.patient.pk]), reverse("clinical:ways")
    assert "Bob Barasa for Alice Achieng" in alice.get(chart).content.decode()
    makers.scope_all()
    disable_user(actor=staff(cast.ada), user_id=cast.bob.pk)
    makers.scope_all()
    assert uncovered_counts(absences_of(cast.alice, makers.now()), makers.now()) == {away.pk: 1}
    assert "Bob Barasa" not in alice.get(chart).content.decode()
    page = alice.get(ways).content.decode()
    assert "Their account is closed: nobody stands in for 1 person" in page
    assert reverse("clinical:absence_extend", args=[away.pk]) not in page
    makers.scope_all()
    with pytest.raises(RuleBroken, match="The account of Bob Barasa is closed"):
        cover_newcomers(actor=staff(cast.alice), absence_id=away.pk)
