"""Where embedded stores lie, who runs them, what keeps them from starting, and secrets that are made once."""

import errno
import json
import os
from pathlib import Path

import pytest

from cortex.ops import embedded, local_secrets, processes
from cortex.ops.embedded_postgres import SETTINGS
from cortex.ops.processes import StartRefused, StoreUser


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

    monkeypatch.setattr(embedded.shutil, "disk_usage", lambda folder: Usage)
    with pytest.raises(StartRefused, match=r"is full: 5 MB free, 200 MB are needed\."):
        embedded.EmbeddedStores(tmp_path).start()


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EACCES, "No permission to write"), (errno.EROFS, "No permission to write"),
     (errno.ENOSPC, "is full"), (errno.EDQUOT, "is full")],
)  # fmt: skip
def test_what_the_system_refuses_is_explained(number: int, words: str) -> None:
    assert words in embedded.explain(OSError(number, "x", "/data/f"), Path("/data"))


def test_postgres_writes_no_words_of_people_into_its_log() -> None:
    assert SETTINGS["log_min_error_statement"] == "panic"
    assert SETTINGS["log_parameter_max_length"] == SETTINGS["log_parameter_max_length_on_error"] == "0"
    assert SETTINGS["log_min_duration_statement"] == "-1"
