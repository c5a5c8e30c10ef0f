"""Where embedded stores lie, who runs them, what keeps them from starting, and secrets that are made once."""

import errno
import json
import os
from pathlib import Path

import psycopg
import pytest
from django.core.management.base import CommandError
from django.db import OperationalError

from cortex.ops import disk, embedded, local_secrets, processes
from cortex.ops.embedded_postgres import SETTINGS
from cortex.ops.management.commands import up
from cortex.ops.processes import LONGEST_PAUSE, Pause, StartRefused, StoreUser


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    first = local_secrets.load_or_make(tmp_path)
    assert local_secrets.load_or_make(tmp_path) == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert local_secrets.fresh_secrets()["secret_key"] != first["secret_key"]


def test_a_new_secret_is_added_beside_the_old_ones(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(json.dumps({"secret_key": "old"}))
    assert local_secrets.load_or_make(tmp_path)["secret_key"] == "old"
    assert "index_key" in local_secrets.load_or_make(tmp_path)


def test_addresses_do_not_change_between_calls(tmp_path: Path) -> None:
    assert embedded.addresses(tmp_path) == embedded.addresses(tmp_path)
    assert embedded.addresses(tmp_path)["DATABASE_URL"].startswith("postgresql://cortex_app:")


def test_a_long_path_gets_a_short_socket_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    home, sockets = embedded.places(deep, StoreUser(os.geteuid(), os.getegid()))
    assert home == deep / "stores"
    assert len(str(sockets / ".s.PGSQL.5433.lock")) < 100


def test_roots_private_folder_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    other = StoreUser(65534, 65534, "nobody")
    assert not processes.may_enter(other, tmp_path / "x")
    home, _ = embedded.places(tmp_path / "x", other)
    assert home.parent == Path("/var/lib/cortex")
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_root_runs_stores_as_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("CORTEX_STORES_USER", "nobody")
    user = processes.store_user()
    assert user.name == "nobody"
    assert user.popen_arguments()["user"] == user.uid != 0


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 5 * 2**20

    monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: Usage)
    with pytest.raises(StartRefused, match=r"is full: 5 MB free, 600 MB are needed\."):
        embedded.EmbeddedStores(tmp_path).start()


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EACCES, "No permission to write"), (errno.EROFS, "No permission to write"),
     (errno.ENOSPC, "is full"), (errno.EDQUOT, "is full")],
)  # fmt: skip
def test_what_the_system_refuses_is_explained(number: int, words: str) -> None:
    assert words in disk.explain(OSError(number, "x", "/data/f"), Path("/data"))


def test_postgres_writes_no_words_of_people_into_its_log() -> None:
    assert SETTINGS["log_min_error_statement"] == "panic"
    assert SETTINGS["log_parameter_max_length"] == SETTINGS["log_parameter_max_length_on_error"] == "0"
    assert SETTINGS["log_min_duration_statement"] == "-1"


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "x"), psycopg.errors.DiskFull(), OSError(errno.EDQUOT, "x")]
)
def test_a_disk_that_fills_up_during_the_start_is_said_in_a_sentence(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: up.House) -> None:
        # As Django hands it on: its own class, PostgreSQL's as the cause.
        raise (error if isinstance(error, OSError) else OperationalError("no room")) from error

    monkeypatch.setattr(up.House, "run", refuse)
    with pytest.raises(CommandError, match=r"The disk of .* is full: make room"):
        up.Command().handle(host="127.0.0.1", port=1, demo=False)


def test_another_fault_of_the_database_is_not_called_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: up.House) -> None:
        raise OperationalError("something else")

    monkeypatch.setattr(up.House, "run", refuse)
    with pytest.raises(OperationalError):
        up.Command().handle(host="127.0.0.1", port=1, demo=False)


def test_a_cluster_of_other_secrets_is_refused_before_it_starts(tmp_path: Path) -> None:
    old, new = local_secrets.fresh_secrets(), local_secrets.fresh_secrets()
    embedded.marker_of(tmp_path, "main").write_text(embedded.fingerprint(old))
    embedded.refuse_strange(tmp_path, "main", old, tmp_path)
    with pytest.raises(StartRefused) as refused:
        embedded.refuse_strange(tmp_path, "main", new, Path("/data"))
    assert f"The databases in {tmp_path} were made with other secrets than those in /data" in str(
        refused.value
    )
    assert "make clean-data" in str(refused.value)


def test_what_is_cleaned_is_ours_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "may_enter", lambda user, folder: True)
    (tmp_path / "stores" / "run").mkdir(parents=True)
    (tmp_path / "test-main").mkdir()
    (tmp_path / "secrets.json").touch()
    assert set(embedded.own_paths(tmp_path)) == {tmp_path / "stores", tmp_path / "secrets.json"}


def test_a_pause_doubles_until_a_run_was_steady() -> None:
    pause = Pause()
    assert [pause.after(1.0) for _ in range(3)] == [0.25, 0.5, 1.0]
    assert max(pause.after(1.0) for _ in range(10)) == LONGEST_PAUSE
    assert pause.after(61.0) == 0.25
