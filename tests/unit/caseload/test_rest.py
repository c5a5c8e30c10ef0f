"""A long caseload comes in two parts: the first lines with the page, the others right behind them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from clinical.caseload import showing
from cortex.audit.models import PhiAccessLog
from patients.registry.models import Patient
from patients.registry.queries import local_day
from patients.sessions.observations import DailyCheckIn
from tests import makers
from tests.cast import Cast
from tests.unit.caseload.test_live import client_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def long_list(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Five people where two lines come with the page."""
    monkeypatch.setattr(showing, "LINES", 2)
    for _ in range(4):
        makers.make_patient(cast.home, team=[cast.alice])
    return client_of(cast.alice)


def lines(page: str) -> list[str]:
    return re.findall(r'data-case="([^"]+)"', page)


def rest_url(page: str) -> str:
    return re.findall(r'hx-get="([^"]+)"', page)[0].replace("&amp;", "&")


def test_both_parts_together_show_everybody_once_and_each_names_whom_it_showed(
    cast: Cast, long_list: Client
) -> None:
    page = long_list.get("/caseload/").content.decode()
    rest = long_list.get(rest_url(page), headers={"HX-Request": "true"}).content.decode()
    assert (len(lines(page)), len(lines(rest))) == (2, 3)
    whole = long_list.get("/caseload/?whole=1").content.decode()
    assert lines(whole) == lines(page) + lines(rest)
    assert "hx-get" not in whole.split('id="cases"')[1]
    makers.scope_all()
    rows = PhiAccessLog.objects.filter(data_type="caseload").order_by("id")
    assert [{str(one) for one in row.subjects} for row in rows] == [
        set(lines(page)), set(lines(rest)), set(lines(whole)),
    ]  # fmt: skip


def test_every_line_has_its_moods_in_whichever_part_it_comes(cast: Cast, long_list: Client) -> None:
    people = list(Patient.objects.filter(care_team__user=cast.alice))
    for days, patient in enumerate(people, 1):
        for number in range(days):
            DailyCheckIn.objects.create(
                organization=cast.home, patient=patient, date=local_day(patient, makers.now()) - number * DAY,
                mood=3 + number, submitted_at=makers.now(), received_at=makers.now(),
            )  # fmt: skip
    page = long_list.get("/caseload/").content.decode()
    rest = long_list.get(rest_url(page)).content.decode()
    for shown in (page + rest, long_list.get("/caseload/?whole=1").content.decode()):
        said = dict(re.findall(r'data-case="([^"]+)".*?(\d+) of 14 days', shown, re.DOTALL))
        assert said == {str(patient.pk): str(days) for days, patient in enumerate(people, 1)}


def test_a_group_that_goes_on_has_its_head_and_its_whole_count_once(long_list: Client) -> None:
    page = long_list.get("/caseload/").content.decode()
    rest = long_list.get(rest_url(page)).content.decode()
    heads = re.findall(r'<h3 id="(g-\w+)">.*?class="count">(\d+)</span></h3>', page + rest)
    assert len({key for key, _ in heads}) == len(heads)
    assert sum(int(count) for _, count in heads) == 5
    assert ", continued" in rest


def test_an_order_that_has_moved_says_so_instead_of_leaving_somebody_out(
    cast: Cast, long_list: Client
) -> None:
    page = long_list.get("/caseload/").content.decode()
    hidden = lines(long_list.get(rest_url(page)).content.decode())[-1]
    makers.scope_all()
    makers.make_alert(Patient.objects.get(pk=hidden))
    rest = long_list.get(rest_url(page)).content.decode()
    assert lines(rest) == []
    assert "Show the list anew" in rest


def test_a_search_looks_among_everybody(cast: Cast, long_list: Client) -> None:
    page = long_list.post(reverse("clinical:caseload"), {"q": "Zawadi"}).content.decode()
    assert lines(page) == [str(cast.patient.pk)]
    everybody = long_list.post(reverse("clinical:caseload"), {"q": cast.patient.anonymous_id[:3]})
    assert len(lines(everybody.content.decode())) == 5
