"""Restores by the commands: alone in the house, into the right place, on record whatever comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings

from cortex.audit.actors import system
from cortex.audit.models import AuditLog
from cortex.clock import clock
from cortex.keys.actions import destroy_key
from cortex.keys.models import SubjectKey
from cortex.ops import health, startup
from cortex.ops.actions import note_round
from cortex.ops.backups import drill, facts, house, restoring, taking, tools
from cortex.ops.backups.folders import CONTENT, KEYS, MAIN, BackupRefused
from cortex.ops.backups.tools import Server
from cortex.settings.env import postgres_settings
from tests import makers, stores
from tests.backups import KEY, KEYS_KEY, SCRATCH, USUAL, WORDS, empty, looking_at, server
from tests.cast import make_cast

COMMANDS = (("restore",), ("keys", "restore"))
with_tables = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The house's own restore writes into empty databases beside those of the run."""
    names = {MAIN: (KEY, "owner"), KEYS: (KEYS_KEY, "owner")}
    for kind in names:
        empty(kind)
    monkeypatch.setattr(house, "backup_key", lambda kind: names[kind][0])
    monkeypatch.setattr(house, "owner", lambda kind: server(kind, "owner", SCRATCH[kind]))
    monkeypatch.setattr(house, "reader", lambda kind: server(kind, "system", SCRATCH[kind]))


@pytest.fixture
def as_machine() -> Iterator[None]:
    """Every connection of this process works as the system role, fresh ones included."""
    kept = {alias: connections.databases[alias]["OPTIONS"] for alias in stores.DATABASES}
    for alias, options in kept.items():
        stores.point_at(alias, {"OPTIONS": options | {"options": "-c role=cortex_system"}})
    yield
    for alias, options in kept.items():
        stores.point_at(alias, {"OPTIONS": options})


@pytest.mark.parametrize("command", COMMANDS)
def test_a_restore_is_refused_while_up_runs_and_touches_nothing(
    command: tuple[str, ...], tmp_path: Path, settings: Any
) -> None:
    settings.CORTEX_DATA_DIR = tmp_path
    with startup.take_lock(tmp_path):
        startup.write_state(tmp_path, "http://localhost:8000/", {})
        with pytest.raises(CommandError, match=r"already runs in this folder .*Stop it first"):
            call_command(*command, "--from", str(tmp_path))


@with_tables
@pytest.mark.parametrize("fault", ["differs", "fails"])
def test_a_failed_comparison_leaves_destroyed_keys_destroyed_and_is_on_record(
    scratch: None, as_machine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    person = make_cast().patient
    makers.make_message(person, WORDS)
    path, _ = taking.take(tmp_path, KEYS, server(KEYS, "system"), KEYS_KEY)
    destroy_key(actor=system("tests"), subject_id=person.pk, reason="erasure")
    real = restoring.differences

    def compared(*given: Any) -> list[str]:
        assert real(*given) == []
        if fault == "fails":
            raise LookupError("a bug of the comparison")
        return ["a table differs"]

    monkeypatch.setattr(restoring, "differences", compared)
    said: list[str] = []
    with looking_at(USUAL[MAIN], SCRATCH[KEYS]):
        with pytest.raises(BackupRefused, match="not what was saved"):
            house.restore(KEYS, path, replace="", say=said.append)
        assert SubjectKey.objects.get(subject=person.pk).wrapped is None
        row = AuditLog.objects.get(event_type="backup.restored")
    assert (row.outcome, row.codes["holds"], row.codes["kind"]) == ("refused", False, KEYS)
    assert said[1:] == ["1 keys that had been destroyed before were destroyed again."]


def test_an_address_keeps_the_port_that_stands_among_its_options() -> None:
    for url in ("me:word@/cortex_keys?host=/run/keys&port=5433", "me:word@:5433/cortex_keys?host=/run/keys"):
        found = Server.of(postgres_settings("DATABASE_URL", f"postgresql://{url}"))
        assert found.place == "cortex_keys on /run/keys port 5433"


@with_tables
def test_public_keys_and_anchors_that_cannot_be_read_are_said_before_anything_is_written(
    scratch: None, tmp_path: Path
) -> None:
    path, _ = taking.take(tmp_path, MAIN, server(MAIN, "system"), KEY)
    for name, value, fault in (
        ("CORTEX_AUDIT_PUBLIC_KEYS", "no key", ImproperlyConfigured),
        ("CORTEX_AUDIT_ANCHOR_FILE", str(tmp_path), IsADirectoryError),
    ):
        with override_settings(**{name: value}), pytest.raises(fault):
            house.restore(MAIN, path, replace="", say=print)
        with server(MAIN, "owner", SCRATCH[MAIN]).connection() as connection:
            assert facts.tables_there(connection) == 0


@with_tables
def test_no_sign_in_of_the_backup_lives_on_and_what_else_came_back_is_said(
    scratch: None, as_machine: None, tmp_path: Path
) -> None:
    soon = clock() + timedelta(hours=1)
    Session.objects.create(session_key="a" * 32, session_data="somebody", expire_date=soon)
    path, _ = taking.take(tmp_path, MAIN, server(MAIN, "system"), KEY)
    stores.recreate(MAIN, SCRATCH[MAIN], stores.template_of(USUAL[MAIN]))
    said: list[str] = []
    with looking_at(SCRATCH[MAIN], USUAL[KEYS]):
        house.restore(MAIN, path, replace=SCRATCH[MAIN], say=said.append)
        assert not Session.objects.exists()
        row = AuditLog.objects.get(event_type="session.ended")
    assert row.codes == {"why": "restored", "count": 1}
    (line,) = [one for one in said if "sign-in sessions" in one]
    assert line.startswith("1 sign-in sessions of the backup were ended.") and "API keys" in line
    assert Session.objects.exists(), "the database beside it was not touched"


@with_tables
def test_the_target_is_one_database_and_is_named_whole_before_it_is_written(
    scratch: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = taking.take(tmp_path, KEYS, server(KEYS, "system"), KEYS_KEY)
    target, said = server(KEYS, "owner", SCRATCH[KEYS]), list[str]()
    place = f"{target.name} on {target.parameters['host']} port {target.parameters['port']}"

    def put_back(*_: Any) -> None:
        assert said == [f"Putting {path} into {place}."]
        raise BackupRefused("no further")

    monkeypatch.setattr(tools, "put_back", put_back)
    with pytest.raises(BackupRefused, match="no further"):
        house.restore(KEYS, path, replace="", say=said.append)
    for change in ({"host": "/elsewhere"}, {"port": "5999"}, {"dbname": "another"}):
        other = Server(target.parameters | change, target.password)
        monkeypatch.setattr(house, "reader", lambda _, other=other: other)
        with pytest.raises(BackupRefused, match=f"{re.escape(place)}, .*{re.escape(other.place)}"):
            house.restore(KEYS, path, replace="", say=said.append)
    monkeypatch.setattr(house, "reader", lambda _: server(KEYS, "system"))
    monkeypatch.setattr(house, "owner", lambda _: server(KEYS, "owner"))
    with pytest.raises(BackupRefused, match=re.escape(server(KEYS, "owner").place)):
        house.restore(KEYS, path, replace="", say=said.append)


@with_tables
def test_a_drill_of_a_forged_or_unrestorable_backup_ends_the_good_word_of_the_last_one(
    as_machine: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CORTEX_DATA_DIR = stores.DATA_DIR
    monkeypatch.setattr(house, "backup_key", lambda _: KEY)
    monkeypatch.setattr(house, "reader", lambda kind: server(kind, "system"))
    path, _ = taking.take(tmp_path, MAIN, server(MAIN, "system"), KEY)

    def state() -> str:
        return health.check_backup(health.DRILLED, health.DRILL_LATE_SECONDS).state

    def well() -> None:
        note_round(actor=system("tests"), name=health.DRILLED, detail={"holds": True})
        assert state() == "ok"

    well()
    with monkeypatch.context() as patch:
        patch.setattr(drill, "run", lambda *_: (_ for _ in ()).throw(drill.DrillRuns("another")))
        with pytest.raises(BackupRefused, match="another"):
            house.drilled(path)
    assert state() == "ok", "a second drill beside it says nothing of the backup"
    with monkeypatch.context() as patch:
        patch.setattr(restoring, "restore", lambda *_: (_ for _ in ()).throw(BackupRefused("psql failed")))
        with pytest.raises(BackupRefused, match="psql failed"):
            house.drilled(path)
    assert state() == "degraded"
    well()
    content = bytearray((path / CONTENT).read_bytes())
    content[-1] ^= 1
    (path / CONTENT).write_bytes(bytes(content))
    with pytest.raises(BackupRefused, match="is refused"):
        house.drilled(path)
    assert state() == "degraded"
    told = AuditLog.objects.filter(event_type="backup.drilled").order_by("pk")
    assert [(row.outcome, row.codes["error"]) for row in told] == [
        ("refused", "BackupRefused"),
        ("refused", "Forged"),
    ]
