"""With the keys' PostgreSQL stopped for real: intake answers 503 with a way back, and the board goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from cortex.keys.cache import cache
from cortex.ops import health
from crisis.alerts.models import RiskAlert
from patients.sessions.messages import Message
from tests import makers, stores
from tests.api.conftest import TIER_A, Api, assert_helped_without_keys, item, message, results
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def keys_stopped(cast: Cast, api: Api) -> Iterator[Any]:
    """Stop the cluster; the returned function starts it again, as does the end of the test."""
    cluster = stores._state["stores"].clusters["keys"]
    health.readiness()

    def start() -> None:
        if cluster.process is None:
            cluster.start()
            cluster.wait_ready()
            connections["keys"].close()

    connections["keys"].close()
    cache.forget()
    cluster.stop()
    try:
        yield start
    finally:
        start()


def test_intake_answers_503_with_support_and_the_board_shows_the_alert(
    api: Api, cast: Cast, keys_stopped: Any
) -> None:
    cast.on_duty()
    one = message(cast.patient, TIER_A)
    answer = api.send(one, item("sos", cast.patient), key="k-1")
    assert_helped_without_keys(answer)
    refused = api.post("patients", {"pseudonym": "new-person-1", "given_name": "Amina"}, key="p-1")
    assert (refused.status_code, refused["Content-Type"]) == (503, "application/problem+json")
    assert refused.json()["support"]["emergency_number"] == cast.home.emergency_number

    desk = Client()
    desk.force_login(cast.cleo)
    board = desk.get(reverse("crisis:board"))
    assert board.status_code == 200
    kinds = set(RiskAlert.objects.exclude(kind="no_cover").values_list("kind", flat=True))
    assert {"self_harm", "could_not_store"} <= kinds
    alert = RiskAlert.objects.get(kind="self_harm")
    assert str(alert.pk) in board.content.decode()
    claimed = desk.post(reverse("crisis:alert_claim", args=[alert.pk]), {"next": "board"})
    assert claimed.status_code == 303
    alert.refresh_from_db()
    assert alert.assigned_to_id == cast.cleo.pk

    body = Client().get("/readyz").json()
    assert body["status"] == "degraded"
    assert body["parts"]["keys database"]["state"] == "down" and body["parts"]["keys"]["state"] == "degraded"

    keys_stopped()
    again = api.send(one, item("sos", cast.patient), key="k-1")
    assert results(again)[0] == "stored"
    assert makers.opened(Message.objects.get(), "content") == TIER_A
