"""Backups of the real databases: equal after a restore, refused for one byte, of no use without the keys."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from cortex.accounts.apikeys.actions import create_client
from cortex.audit import sequencer, signing, system
from cortex.audit.models import AuditLog
from cortex.crypto.errors import KeyMissing
from cortex.keys.cache import cache
from cortex.keys.models import SubjectKey
from cortex.ops import health, queries, startup
from cortex.ops.backups import drill, facts, folders, house, manifest, restoring, taking, tools
from cortex.ops.backups.folders import CONTENT, KEYS, MAIN, MANIFEST, TAG, BackupRefused
from cortex.ops.backups.manifest import Manifest
from cortex.ops.backups.sealing import Forged, Sealer
from cortex.ops.backups.tools import Server
from cortex.ops.embedded import superuser_address
from patients.sessions.messages import Message
from tests import makers, stores
from tests.backups import KEY, KEYS_KEY, SCRATCH, USUAL, WORDS, empty, looking_at, server
from tests.cast import make_cast

pytestmark = pytest.mark.django_db(transaction=True)


def schema(where: Server) -> list[str]:
    """Tables, guards, grants and comments of a database as pg_dump writes them; grants come in any order."""
    command = [tools.program("pg_dump", where), f"--dbname={where.conninfo()}", "--schema-only", "--no-owner"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=where.environment())
    lines = (line for line in done.stdout.splitlines() if not line.startswith(("\\", "--")))
    # A check that was read back is written with its casts and brackets elsewhere.
    return sorted(re.sub(r"::(character varying|text)(\[\])?|[()]", "", line) for line in lines)


@pytest.fixture
def message() -> Message:
    """A sealed message of somebody, committed, its trail linked."""
    row = makers.make_message(make_cast().patient, WORDS)
    with stores.role("cortex_system"):
        while sequencer.link_pending():
            pass
    return row


@pytest.fixture
def backups(message: Message, tmp_path: Path) -> dict[str, tuple[Path, Manifest]]:
    """One backup of each kind."""
    return {
        MAIN: taking.take(tmp_path / "main", MAIN, server(MAIN, "system"), KEY),
        KEYS: taking.take(tmp_path / "keys", KEYS, server(KEYS, "system"), KEYS_KEY),
    }


@pytest.fixture
def restored(backups: dict[str, tuple[Path, Manifest]]) -> Iterator[None]:
    """Point this process at the databases that were put back from both backups."""
    for kind, key in ((MAIN, KEY), (KEYS, KEYS_KEY)):
        path, told = backups[kind]
        assert manifest.prove(path, kind, key) == told
        restoring.restore(path, told, empty(kind), key)
    with looking_at(SCRATCH[MAIN], SCRATCH[KEYS]):
        yield


def test_what_is_put_back_has_every_row_and_guard_and_opens_its_words_with_the_keys_alone(
    message: Message, backups: dict[str, tuple[Path, Manifest]], restored: None
) -> None:
    for kind, keys in ((MAIN, signing.public_keys()), (KEYS, None)):
        told = backups[kind][1]
        assert restoring.differences(told, server(kind, "system", SCRATCH[kind]), keys) == []
        assert schema(server(kind, "owner")) == schema(server(kind, "owner", SCRATCH[kind]))
    told = backups[MAIN][1]
    assert told.facts.tables["audit_auditlog"] == AuditLog.objects.count() > 0
    assert told.facts.head is not None and told.facts.head.number > 0
    assert backups[KEYS][1].facts.tables["keys_subjectkey"] == SubjectKey.objects.count() > 0
    with server(MAIN, "owner", SCRATCH[MAIN]).connection() as connection:
        connection.execute("DELETE FROM ops_retentionpolicy WHERE days = 31")
    wrong = restoring.differences(told, server(MAIN, "system", SCRATCH[MAIN]), signing.public_keys())
    assert len(wrong) == 1 and wrong[0].startswith("ops_retentionpolicy:"), "a lost row is said"
    assert makers.opened(Message.objects.get(pk=message.pk), "content") == WORDS
    with server(KEYS, "system", SCRATCH[KEYS]).connection() as connection:
        connection.execute("DELETE FROM keys_subjectkey")
    cache.forget()
    row = Message.objects.get(pk=message.pk)
    assert row.__dict__["content"] is not None, "the sealed bytes are there"
    with pytest.raises(KeyMissing):
        makers.opened(row, "content")


def test_no_word_and_no_row_is_readable_in_the_files(backups: dict[str, tuple[Path, Manifest]]) -> None:
    for path, _ in backups.values():
        content = (path / CONTENT).read_bytes()
        for canary in (WORDS.encode(), b"PGDMP", b"keys_subjectkey", b"amani", b"CREATE TABLE"):
            assert canary not in content


@pytest.mark.parametrize("kind", [MAIN, KEYS])
def test_one_flipped_byte_in_any_file_is_refused_before_anything_changes(
    backups: dict[str, tuple[Path, Manifest]], kind: str
) -> None:
    path, told = backups[kind]
    key, target = (KEY if kind == MAIN else KEYS_KEY), empty(kind)
    for name in (CONTENT, MANIFEST, TAG):
        whole = (path / name).read_bytes()
        for place in sorted({0, 3, 7, len(whole) // 2, len(whole) - 1}):
            changed = bytearray(whole)
            changed[place] ^= 1
            (path / name).write_bytes(bytes(changed))
            with pytest.raises(Forged):
                manifest.prove(path, kind, key)
            if name == CONTENT:
                # Changed between the proof and the restore: the chunk's own tag stops it before the commit.
                with pytest.raises((Forged, BackupRefused)):
                    restoring.restore(path, told, target, key)
        (path / name).write_bytes(whole)
    for cut in (CONTENT, TAG):
        whole = (path / cut).read_bytes()
        (path / cut).write_bytes(whole[:-20])
        with pytest.raises(Forged):
            manifest.prove(path, kind, key)
        (path / cut).write_bytes(whole)
    with target.connection() as connection:
        assert facts.tables_there(connection) == 0
    assert manifest.prove(path, kind, key) == told


def test_a_file_that_the_same_key_sealed_for_another_backup_is_refused(
    backups: dict[str, tuple[Path, Manifest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each chunk of it authenticates and its size is right: only the manifest's digest tells them apart."""
    path, told = backups[MAIN]
    whole = (path / CONTENT).read_bytes()
    plain = b"".join(manifest.chunks(path, told, KEY))
    with (path / CONTENT).open("wb") as file:
        sealer = Sealer(file, KEY, MAIN)
        sealer.write(plain)
        sealer.close()
    try:
        assert (path / CONTENT).stat().st_size == len(whole)
        with pytest.raises(Forged, match="not the one that the manifest names"):
            manifest.prove(path, MAIN, KEY)
        monkeypatch.setattr(house, "backup_key", lambda _: KEY)
        with pytest.raises(BackupRefused, match="nothing was changed"):
            house.restore(MAIN, path, replace="", say=lambda _: pytest.fail("it began to put it back"))
    finally:
        (path / CONTENT).write_bytes(whole)
    assert manifest.prove(path, MAIN, KEY) == told


def test_another_key_or_kind_is_refused_by_name(
    backups: dict[str, tuple[Path, Manifest]],
) -> None:
    with pytest.raises(Forged, match="another backup key"):
        manifest.prove(backups[MAIN][0], MAIN, KEYS_KEY)
    with pytest.raises(Forged, match="no keys backup"):
        manifest.prove(backups[MAIN][0], KEYS, KEY)


def test_a_full_database_is_replaced_only_by_its_name_and_stays_as_it_was_when_that_fails(
    message: Message, backups: dict[str, tuple[Path, Manifest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, told = backups[KEYS]
    target = empty(KEYS)
    restoring.restore(path, told, target, KEYS_KEY)
    with pytest.raises(BackupRefused, match="--replace cortex_keys_scratch"):
        restoring.restore(path, told, target, KEYS_KEY)
    with pytest.raises(BackupRefused, match="the database is"):
        restoring.restore(path, told, target, KEYS_KEY, replace="cortex")
    with target.connection() as connection:
        connection.execute("CREATE TABLE later (id int)")
    with server(KEYS, "system", SCRATCH[KEYS]).connection() as reader:
        # Somebody still reads: the restore gives up and what is there stays, the newer table included.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM keys_subjectkey")
        monkeypatch.setattr(tools, "PREAMBLE", tools.PREAMBLE.replace(b"'10s'", b"'300ms'"))
        with pytest.raises(BackupRefused, match="is as it was"):
            restoring.restore(path, told, target, KEYS_KEY, replace=SCRATCH[KEYS])
    with target.connection() as connection:
        assert facts.counts(connection) == told.facts.tables | {"later": 0}
    restoring.restore(path, told, target, KEYS_KEY, replace=SCRATCH[KEYS])
    assert restoring.differences(told, server(KEYS, "system", SCRATCH[KEYS]), None) == []
    assert schema(server(KEYS, "owner")) == schema(target)


def test_rows_that_come_while_the_backup_runs_are_not_in_it_and_it_stays_consistent(
    message: Message, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tools.dump

    def late(where: Server, snapshot: str) -> Iterator[bytes]:
        with server(MAIN, "owner").connection() as connection:
            connection.execute("INSERT INTO ops_serviceheartbeat VALUES ('late', now(), '{}')")
        yield from real(where, snapshot)

    monkeypatch.setattr(tools, "dump", late)
    path, told = taking.take(tmp_path, MAIN, server(MAIN, "system"), KEY)
    stores.recreate(MAIN, SCRATCH[MAIN], stores.template_of(USUAL[MAIN]))
    restoring.restore(path, told, server(MAIN, "owner", SCRATCH[MAIN]), KEY, replace=SCRATCH[MAIN])
    assert restoring.differences(told, server(MAIN, "system", SCRATCH[MAIN]), signing.public_keys()) == []
    assert queries.seconds_since("late") is not None, "the live database has it"


def test_a_backup_is_refused_on_a_short_disk_and_beside_the_other_kind(
    backups: dict[str, tuple[Path, Manifest]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for beside in (tmp_path / "main", tmp_path, tmp_path / "main" / "deeper"):
        with pytest.raises(BackupRefused, match="keep keys and words apart"):
            taking.take(beside, KEYS, server(KEYS, "system"), KEYS_KEY)
    nearly = type("Usage", (), {"free": 1 << 20})()
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda _: nearly)
    with pytest.raises(BackupRefused, match="too full"):
        taking.take(tmp_path / "main", MAIN, server(MAIN, "system"), KEY)
    assert [path.name for path in folders.complete(tmp_path / "main", MAIN)] == [backups[MAIN][0].name]


def test_a_disk_that_fills_up_meanwhile_leaves_nothing(
    message: Message, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Iterator[bytes]:
        yield b"some"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tools, "dump", full)
    with pytest.raises(BackupRefused, match="ran full"):
        taking.take(tmp_path, MAIN, server(MAIN, "system"), KEY)
    assert not folders.complete(tmp_path, MAIN) and not list(tmp_path.glob(".partial-*"))


@pytest.fixture
def narrow() -> Iterator[Server]:
    """A role that may read every table and is held to the rows of the organizations that it names."""
    postgres = superuser_address(stores.DATA_DIR, MAIN, "postgres")
    wide = server(MAIN, "system")
    make = "CREATE ROLE cortex_narrow LOGIN NOBYPASSRLS PASSWORD {} IN ROLE pg_read_all_data"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS cortex_narrow")
        connection.execute(sql.SQL(make).format(sql.Literal(wide.password)))
        yield Server(wide.parameters | {"user": "cortex_narrow"}, wide.password)
        connection.execute("DROP ROLE cortex_narrow")


def test_a_role_that_row_level_security_holds_takes_no_part_of_a_backup(
    message: Message, narrow: Server, tmp_path: Path
) -> None:
    with pytest.raises(BackupRefused, match=r"cortex_narrow may not read every row .*row-level security"):
        taking.take(tmp_path, MAIN, narrow, KEY)
    assert list(tmp_path.iterdir()) == []
    with server(MAIN, "system").connection() as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = facts.one(connection, "SELECT pg_export_snapshot()")[0]
        with pytest.raises(BackupRefused, match=r"pg_dump failed: .*row-level security"):
            list(tools.dump(narrow, snapshot))
    told = taking.take(tmp_path, MAIN, server(MAIN, "system"), KEY)[1]
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        restoring.differences(told, narrow, signing.public_keys())


def command(*arguments: str, **more: Any) -> subprocess.Popen[str]:
    """Start a command of manage.py on this run's databases with the real roles."""
    environment = stores.child_environment() | more
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments], cwd=stores.ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_killed_backup_leaves_nothing_that_a_restore_would_take(message: Message, tmp_path: Path) -> None:
    with server(MAIN, "owner").connection() as holding:
        # pg_dump waits for the parent of the months, with its file already open; counting them does not.
        holding.execute("BEGIN")
        holding.execute("LOCK TABLE ONLY ops_servicemetric IN ACCESS EXCLUSIVE MODE")
        running = command("backup", "--to", str(tmp_path))
        deadline = time.monotonic() + 180
        while not list(tmp_path.glob(".partial-*/database.sealed")):
            assert time.monotonic() < deadline and running.poll() is None
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        running.communicate()
    assert list(tmp_path.glob(".partial-*")), "it was killed in the middle"
    for place in (tmp_path, next(tmp_path.glob(".partial-*"))):
        with pytest.raises(BackupRefused, match="no finished main backup"):
            folders.chosen(place, MAIN)
    taking.take(tmp_path, MAIN, server(MAIN, "system"), KEY)
    assert len(folders.complete(tmp_path, MAIN)) == 1 and not list(tmp_path.glob(".partial-*"))


def test_a_missing_a_poor_and_a_shared_backup_key_are_refused_by_name(settings: Any) -> None:
    settings.CORTEX_BACKUP_KEY = ""
    with pytest.raises(BackupRefused, match=r"CORTEX_BACKUP_KEY .* is not set"):
        house.backup_key(MAIN)
    settings.CORTEX_BACKUP_KEY = "A" * 43 + "="
    with pytest.raises(BackupRefused, match="CORTEX_BACKUP_KEY is no random key"):
        house.backup_key(MAIN)
    settings.CORTEX_BACKUP_KEY = settings.CORTEX_KEYS_BACKUP_KEY
    with pytest.raises(BackupRefused, match="must be two keys"):
        house.backup_key(KEYS)


def test_the_commands_note_what_they_took_where_readiness_and_trail_show_it(
    message: Message, tmp_path: Path
) -> None:
    assert health.check_backup(health.BACKUPS[MAIN], 60).state == "degraded"
    assert len(startup.missing_backups()) == 2, "`up` warns until both exist"
    taken = [
        command("backup", "--to", str(tmp_path / "main")),
        command("keys", "backup", "--to", str(tmp_path / "keys")),
    ]
    for one in taken:
        out, errors = one.communicate(timeout=180)
        assert one.returncode == 0, errors
        assert " rows in " in out
    for name in health.BACKUPS.values():
        part = health.check_backup(name, 600)
        assert part.state == "ok" and 0 < part.detail["age_seconds"] < 600
        assert health.check_backup(name, 0).state == "degraded"
    kinds = {row.codes["kind"] for row in AuditLog.objects.filter(event_type="backup.taken")}
    assert kinds == {MAIN, KEYS}
    assert startup.missing_backups() == []


def test_a_drill_compares_times_and_removes_its_copy(
    backups: dict[str, tuple[Path, Manifest]], tmp_path: Path
) -> None:
    before = {path.name for path in (stores.DATA_DIR / "stores").iterdir()}
    after = makers.make_organization(name="After the snapshot", slug="after")
    # What a restore would lose is reckoned by the trail, where every write leaves a row.
    create_client(actor=system("test"), organization_id=after.pk, name="After the snapshot")
    live = server(MAIN, "system")
    done = drill.run(backups[MAIN][0], live, KEY, stores.DATA_DIR, signing.public_keys())
    assert done.differences == []
    assert done.missing_rows >= 1
    assert 0 < done.rto_seconds < 60 and set(done.seconds) == {"prove", "cluster", "restore", "compare"}
    assert 0 < done.rpo_seconds <= done.age_seconds
    assert {path.name for path in (stores.DATA_DIR / "stores").iterdir()} - before <= {"drill.lock"}
