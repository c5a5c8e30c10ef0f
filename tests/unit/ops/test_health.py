"""The machines' pages: alive, ready part by part, and figures behind a token."""

import base64
from datetime import timedelta
from math import isnan
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from prometheus_client import Gauge
from redis import RedisError

from cortex.audit import SYSTEM
from cortex.clock import clock
from cortex.ids import uuid7
from cortex.keys.store import ensure_keys
from cortex.ops import actions, health, metrics, queries, tasks
from cortex.ops.models import ServiceHeartbeat
from cortex.settings.env import email_settings

pytestmark = pytest.mark.django_db


def ready(client: Client) -> tuple[int, dict]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def test_alive_needs_no_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "answers", fail(OperationalError))
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize("host", ["172.18.0.5:8000", "[fd00::5]:8000", "pages:8000", "evil.example"])
def test_machines_ask_by_an_address_and_nothing_else_is_answered_there(client: Client, host: str) -> None:
    """Prometheus and load balancers find a process by its address, which no list of names holds."""
    token = {"Authorization": f"Bearer {settings.CORTEX_METRICS_TOKEN}"}
    assert client.get("/healthz", headers={"host": host}).status_code == 200
    assert client.get("/readyz", headers={"host": host}).json()["parts"]["database"]["state"] == "ok"
    assert client.get("/metrics", headers={"host": host}).status_code == 401
    assert client.get("/metrics", headers={"host": host} | token).status_code == 200
    for path in ("/", "/accounts/login/", "/healthz/", "/readyz.json", "/metrics/x", "/api/v1/intake"):
        assert client.get(path, headers={"host": host}).status_code == 400, path


def test_everything_running_is_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "used_share", lambda _: 0.5)
    for name in (*health.MACHINES, health.BEAT, *health.BACKUPS.values(), health.DRILLED):
        actions.note_round(actor=SYSTEM, name=name, detail={"steps": 3})
    for name in (health.VERIFIED, health.WATCHDOG):
        actions.note_round(actor=SYSTEM, name=name, detail={"holds": True})
    status, body = ready(client)
    assert (status, body["status"]) == (200, "ready")
    machines = {
        *health.MACHINES,
        health.WATCHDOG,
        "queue",
        "audit",
        "main backup",
        "keys backup",
        "restore drill",
    }
    others = {"database", "keys", "keys database", "migrations", "redis", "months", "text model", "lexicon"}
    others |= {"slots", "dead letters", "disks", "mail"}
    assert set(body["parts"]) == others | machines
    assert all(part["state"] == "ok" for part in body["parts"].values())


def test_without_a_database_it_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "answers", fail(OperationalError))
    status, body = ready(client)
    assert (status, body["status"]) == (503, "not ready")
    assert body["parts"]["database"]["state"] == "down"
    assert body["parts"]["database"]["error"] == "OperationalError"
    assert body["parts"]["sweeper"]["error"] == "database", "nobody asks a dead database seven times"
    assert isnan(figure(metrics.heartbeat_age.labels("sweeper")))
    assert "secret detail" not in str(body)


def test_without_a_mail_server_it_is_degraded(client: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = email_settings("EMAIL_URL", "none")["EMAIL_BACKEND"]
    assert ready(client)[1]["parts"]["mail"]["state"] == "degraded"


def test_an_unapplied_migration_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_applied", set())
    monkeypatch.setattr(queries, "unapplied_migrations", lambda alias: 2)
    status, body = ready(client)
    assert status == 503
    assert body["parts"]["migrations"]["unapplied"] == 4


def test_a_trail_that_nobody_verified_for_a_day_is_degraded_and_a_broken_one_is_down(client: Client) -> None:
    assert ready(client)[1]["parts"]["audit"]["state"] == "degraded"
    actions.note_round(actor=SYSTEM, name=health.VERIFIED, detail={"holds": True})
    assert ready(client)[1]["parts"]["audit"]["state"] == "ok"
    ServiceHeartbeat.objects.filter(name=health.VERIFIED).update(last_run_at=clock() - timedelta(hours=27))
    assert ready(client)[1]["parts"]["audit"]["state"] == "degraded"
    detail = {"holds": False, "link": 7, "reason": "the row is gone"}
    actions.note_round(actor=SYSTEM, name=health.VERIFIED, detail=detail)
    status, body = ready(client)
    assert (status, body["parts"]["audit"]["state"], body["parts"]["audit"]["link"]) == (200, "down", 7)
    assert metrics.trail_holds._value.get() == 0


def test_a_watchdog_that_found_something_or_fell_silent_is_degraded_and_takes_nothing_out(
    client: Client,
) -> None:
    def watched() -> dict[str, Any]:
        status, body = ready(client)
        assert status == 200
        return body["parts"]["watchdog"]

    assert (watched()["state"], watched()["codes"]) == ("degraded", ["not_watched"])
    detail = {"holds": True, "codes": [], "overdue": 0, "canary_ms": 42}
    actions.note_round(actor=SYSTEM, name=health.WATCHDOG, detail=detail)
    assert (watched()["state"], watched()["canary_ms"]) == ("ok", 42)
    assert [figure(one) for one in (metrics.watchdog_holds, metrics.canary_seconds)] == [1, 0.042]
    actions.note_round(actor=SYSTEM, name=health.WATCHDOG, detail=detail, ago=timedelta(seconds=151))
    assert (watched()["state"], watched()["codes"]) == ("degraded", ["late"])
    assert figure(metrics.heartbeat_age.labels("watchdog")) >= 151
    found = {"holds": False, "codes": ["overdue_alerts"], "overdue": 3, "canary_ms": None}
    actions.note_round(actor=SYSTEM, name=health.WATCHDOG, detail=found)
    assert (watched()["state"], watched()["codes"]) == ("degraded", ["overdue_alerts"])
    assert [figure(one) for one in (metrics.watchdog_holds, metrics.overdue_alerts)] == [0, 3]
    assert isnan(figure(metrics.canary_seconds))


def test_without_redis_people_are_still_served(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_redis", fail(RedisError))
    status, body = ready(client)
    assert (status, body["status"]) == (200, "degraded")
    assert body["parts"]["redis"]["state"] == "down"
    assert body["parts"]["queue"]["state"] == "degraded"
    assert isnan(figure(metrics.queue_length)), "what nobody could count is not the last number known"


@pytest.mark.parametrize(("share", "state"), [(0.79, "ok"), (0.8, "degraded"), (1.0, "degraded")])
def test_a_disk_is_said_to_fill_up_before_it_is_full(
    share: float, state: str, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CORTEX_WATCHED_FOLDERS = ["/srv/wal"]
    monkeypatch.setattr(health, "used_share", lambda folder: share if str(folder) == "/srv/wal" else 0.1)
    status, body = ready(client)
    told = body["parts"]["disks"]
    assert (status, told["state"]) == (200, state)
    assert told["used_percent"] == {"data": 10, "anchors": 10, "watched 1": round(100 * share)}
    assert metrics.disk_used.labels("watched 1")._value.get() == share


def test_a_disk_that_is_not_there_is_no_disk_that_has_room(client: Client, settings: Any) -> None:
    settings.CORTEX_WATCHED_FOLDERS = ["/srv/nowhere"]
    told = ready(client)[1]["parts"]["disks"]
    assert (told["state"], told["used_percent"]["watched 1"]) == ("degraded", None)
    assert isnan(metrics.disk_used.labels("watched 1")._value.get())


def figure(gauge: Gauge) -> float:
    return next(iter(gauge.collect())).samples[0].value


@pytest.mark.parametrize("name", [*health.MACHINES, health.BEAT])
def test_a_standing_machine_shows(client: Client, name: str) -> None:
    for machine in (*health.MACHINES, health.BEAT, *health.BACKUPS.values(), health.DRILLED):
        actions.note_round(actor=SYSTEM, name=machine)
    for watcher in (health.VERIFIED, health.WATCHDOG):
        actions.note_round(actor=SYSTEM, name=watcher, detail={"holds": True})
    beat = ServiceHeartbeat.objects.get(name=name)
    beat.last_run_at -= timedelta(seconds=200)
    beat.save()
    status, body = ready(client)
    part = body["parts"]["queue" if name == health.BEAT else name]
    assert (status, part["state"]) == (200, "degraded")
    assert [other for other, one in body["parts"].items() if one["state"] != "ok"] == [
        "queue" if name == health.BEAT else name
    ]
    if name == health.BEAT:
        assert 140 <= part["lag_seconds"] < part["seconds_since_beat"]
    else:
        assert part["seconds_since_last_run"] >= 200
    assert figure(metrics.heartbeat_age.labels(name)) >= 200


def test_a_message_that_nobody_takes_is_a_lag_although_the_queue_is_short(client: Client) -> None:
    status, body = ready(client)
    assert (status, body["parts"]["queue"]["state"]) == (200, "degraded"), "no worker has ever run a task"
    tasks.record_metrics()
    assert ready(client)[1]["parts"]["queue"]["state"] == "ok"


@pytest.mark.parametrize("stored", [False, True])
def test_a_wrong_master_key_serves_nobody(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any, stored: bool
) -> None:
    monkeypatch.setattr(health, "_opened", set())
    if stored:
        ensure_keys([uuid7()])
    assert ready(client)[1]["parts"]["keys"]["state"] == "ok"
    monkeypatch.setattr(health, "_opened", set())
    settings.CORTEX_MASTER_KEYS = f"other:{base64.b64encode(bytes(range(32))).decode()}" if stored else ""
    settings.CORTEX_MASTER_KEY_FILE = ""
    status, body = ready(client)
    assert (status, body["parts"]["keys"]["state"]) == (503, "down")


def test_keys_that_go_away_leave_the_desk_at_work(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ready(client)[1]["parts"]["keys"]["state"] == "ok"
    monkeypatch.setattr(health, "prove_keys", fail(OperationalError))
    status, body = ready(client)
    assert (status, body["status"], body["parts"]["keys"]["state"]) == (200, "degraded", "degraded")


@pytest.mark.parametrize("name", ["main backup", "keys backup", "restore drill"])
def test_an_old_or_missing_backup_and_an_overdue_drill_show(client: Client, settings: Any, name: str) -> None:
    header = {"authorization": f"Bearer {settings.CORTEX_METRICS_TOKEN}"}
    assert ready(client)[1]["parts"][name] | {"milliseconds": 0} == {
        "state": "degraded", "last_run": "never", "milliseconds": 0
    }  # fmt: skip
    assert (
        f'cortex_heartbeat_age_seconds{{name="{name}"}} NaN'
        in client.get("/metrics", headers=header).content.decode()
    )
    actions.note_round(actor=SYSTEM, name=name, ago=timedelta(hours=25))
    assert ready(client)[1]["parts"][name]["state"] == "ok"
    actions.note_round(actor=SYSTEM, name=name, ago=timedelta(days=36))
    status, body = ready(client)
    assert (status, body["parts"][name]["state"]) == (200, "degraded")
    assert figure(metrics.heartbeat_age.labels(name)) > 35 * 86400
    assert f'cortex_ready{{part="{name}"}} 0.0' in client.get("/metrics", headers=header).content.decode()
    actions.note_round(actor=SYSTEM, name=name, detail={"holds": False})
    assert ready(client)[1]["parts"][name]["state"] == "degraded", "a drill that found a difference"


def test_the_keys_database_is_a_part_of_its_own(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    real = queries.answers

    def only_main(alias: str) -> bool:
        return real(alias) if alias == "default" else fail(OperationalError)()

    monkeypatch.setattr(queries, "answers", only_main)
    status, body = ready(client)
    assert (status, body["parts"]["keys database"]["state"]) == (200, "down")
    assert body["parts"]["database"]["state"] == "ok"


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
