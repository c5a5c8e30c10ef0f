"""The machines' pages: alive, ready part by part, and figures behind a token."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from redis import RedisError

from cortex.audit import SYSTEM
from cortex.clock import clock
from cortex.ops import actions, health, metrics, queries
from cortex.ops.models import ServiceHeartbeat

pytestmark = pytest.mark.django_db


def ready(client: Client) -> tuple[int, dict]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def test_alive_needs_no_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "answers", fail(OperationalError))
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_everything_running_is_ready(client: Client) -> None:
    actions.note_round(actor=SYSTEM, name=health.SWEEPER, detail={"steps": 3})
    actions.note_round(actor=SYSTEM, name=health.TRAIL, detail={"holds": True})
    status, body = ready(client)
    assert (status, body["status"]) == (200, "ready")
    parts = {"database", "keys", "migrations", "redis", "sweeper", "trail", "queue", "months"}
    assert set(body["parts"]) == parts
    assert all(part["state"] == "ok" for part in body["parts"].values())


def test_without_a_database_it_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "answers", fail(OperationalError))
    status, body = ready(client)
    assert (status, body["status"]) == (503, "not ready")
    assert body["parts"]["database"]["state"] == "down"
    assert body["parts"]["database"]["error"] == "OperationalError"
    assert "secret detail" not in str(body)


def test_an_unapplied_migration_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_applied", set())
    monkeypatch.setattr(queries, "unapplied_migrations", lambda alias: 2)
    status, body = ready(client)
    assert status == 503
    assert body["parts"]["migrations"]["unapplied"] == 4


def test_a_trail_that_nobody_verified_for_a_day_is_degraded_and_a_broken_one_is_down(client: Client) -> None:
    assert ready(client)[1]["parts"]["trail"]["state"] == "degraded"
    actions.note_round(actor=SYSTEM, name=health.TRAIL, detail={"holds": True})
    assert ready(client)[1]["parts"]["trail"]["state"] == "ok"
    ServiceHeartbeat.objects.filter(name=health.TRAIL).update(last_run_at=clock() - timedelta(hours=27))
    assert ready(client)[1]["parts"]["trail"]["state"] == "degraded"
    detail = {"holds": False, "link": 7, "reason": "the row is gone"}
    actions.note_round(actor=SYSTEM, name=health.TRAIL, detail=detail)
    status, body = ready(client)
    assert (status, body["parts"]["trail"]["state"], body["parts"]["trail"]["link"]) == (200, "down", 7)
    assert metrics.trail_holds._value.get() == 0


def test_without_redis_people_are_still_served(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_redis", fail(RedisError))
    status, body = ready(client)
    assert (status, body["status"]) == (200, "degraded")
    assert body["parts"]["redis"]["state"] == "down"
    assert body["parts"]["queue"]["waiting"] == "unknown"


def test_a_standing_sweeper_shows(client: Client) -> None:
    actions.note_round(actor=SYSTEM, name=health.SWEEPER)
    beat = ServiceHeartbeat.objects.get(name=health.SWEEPER)
    beat.last_run_at -= timedelta(seconds=40)
    beat.save()
    status, body = ready(client)
    assert (status, body["parts"]["sweeper"]["state"]) == (200, "degraded")
    assert body["parts"]["sweeper"]["seconds_since_last_run"] >= 40


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic {token}", "Bearer {token}x"])
def test_figures_need_the_token(client: Client, settings, header: str) -> None:
    header = header.format(token=settings.CORTEX_METRICS_TOKEN)
    assert client.get("/metrics", headers={"authorization": header}).status_code == 401


def test_without_a_configured_token_nobody_reads_figures(client: Client, settings) -> None:
    settings.CORTEX_METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 401


def test_figures_hold_routes_and_parts(client: Client, settings) -> None:
    client.get("/healthz")
    header = {"authorization": f"Bearer {settings.CORTEX_METRICS_TOKEN}"}
    text = client.get("/metrics", headers=header).content.decode()
    assert 'cortex_requests_total{method="GET",route="healthz",status="200"}' in text
    assert 'cortex_ready{part="database"} 1.0' in text


def test_machines_only_read(client: Client) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert client.post(path).status_code == 405


def fail(kind: type[Exception]):
    def raise_it(*args: object) -> None:
        raise kind("a secret detail")

    return raise_it
