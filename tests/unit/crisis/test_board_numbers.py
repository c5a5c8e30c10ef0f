"""A commit between two reads of a page: nothing is skipped for good, no card stands under a wrong number."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from threading import Thread
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from crisis.alerts import queries
from crisis.alerts.board_source import BoardSource
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.desk import boards
from crisis.ownership.actions import claim_alert, release_alert
from tests import makers
from tests.cast import Cast
from tests.scopes import every_organization

pytestmark = pytest.mark.django_db(transaction=True)


def raised(cast: Cast, level: str = "critical") -> RiskAlert:
    return makers.make_alert(makers.make_patient(cast.home), level=level)


@contextmanager
def after_statement(number: int, meddle: Callable[[], object]) -> Iterator[list[int]]:
    """Run `meddle` elsewhere behind the n-th statement; yields a list that holds how many there were."""
    count = [0]
    failed: list[BaseException] = []

    def elsewhere() -> None:
        try:
            with every_organization():
                meddle()
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    def wrapper(execute: Any, *arguments: Any) -> Any:
        done = execute(*arguments)
        count[0] += 1
        if count[0] == number:
            other = Thread(target=elsewhere)
            other.start()
            other.join()
            if failed:
                raise failed[0]
        return done

    with connection.execute_wrapper(wrapper):
        yield count


def client_of(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.cleo)
    return client


LISTS = re.compile(r'id="lists"[^>]* data-topics="([^"]*)" data-open="([^"]*)"')
FRAME = re.compile(r'<body[^>]* data-topics="([^"]*)"')


def told(page: Any) -> tuple[dict[str, int], list[str]]:
    """Return where a page says that its feeds stand, and which alerts it shows; a board by its very text."""
    if page.context and "waiting" in page.context and "board" not in page.context:
        return page.context["topics"], [one["id"] for one in page.context["waiting"]]
    text = page.content.decode()
    topics, opened = (json.loads(unescape(one)) for one in LISTS.findall(text)[0])
    assert json.loads(unescape(FRAME.findall(text)[0])) == topics
    return topics, [one["id"] for one in opened]


@pytest.mark.parametrize(("address", "least"), [("/board/", 10), ("/board/?level=", 5), ("/alerts/{}/", 10)])
def test_an_alert_committed_while_a_page_is_made_is_on_it_or_replayed_to_it(
    cast: Cast, address: str, least: int
) -> None:
    """The first board is made anew each time, the second one of what is kept."""
    cast.on_duty()
    first = raised(cast)
    client, address = client_of(cast), address.format(first.pk)
    number, statements = 0, 1
    while number < statements:
        number += 1
        if address == "/board/":
            boards.forget()
        late: list[RiskAlert] = []
        with after_statement(number, lambda: late.append(raised(cast))) as count:  # noqa: B023
            page = client.get(address)
        statements = count[0]
        if not late:
            break
        topics, shown = told(page)
        [joined_after] = topics.values()
        last = AlertEvent.objects.filter(alert=late[0]).latest("feed_number").feed_number
        assert str(late[0].pk) in shown or last > joined_after, f"skipped behind statement {number}"
    assert number > least


def test_a_card_is_never_rendered_under_the_number_of_a_newer_state(cast: Cast) -> None:
    cast.on_duty()
    alert, cleo = raised(cast), makers.staff(cast.cleo)

    def move() -> None:
        if RiskAlert.objects.get(pk=alert.pk).is_owned:
            release_alert(actor=cleo, alert_id=alert.pk, reason="Back to the queue.")
        else:
            claim_alert(actor=cleo, alert_id=alert.pk)

    source, key = BoardSource(), str(cast.home.pk)
    for number in range(1, 5):
        with after_statement(number, move):
            events = source.events_after(key, 0, 500) or []
        assert events
        for one in queries.alerts_of(queries.events_after(key, 0, 500)):
            said = AlertEvent.objects.get(organization=cast.home, feed_number=one.version)  # type: ignore[attr-defined]
            assert one.status == said.status
        html = (source.events_after(key, 0, 500) or [])[-1].payload.decode()
        state = RiskAlert.objects.get(pk=alert.pk).status
        assert f'data-state=\\"{state}\\"' in html
