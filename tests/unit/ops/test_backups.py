"""Backups of the real databases: equal after a restore, refused when one byte differs, of no use without keys."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from cortex.audit import sequencer, signing
from cortex.ops.backups import facts, folders, manifest, restoring, taking
from cortex.ops.backups.folders import KEYS, MAIN, BackupRefused
from cortex.ops.backups.sealing import Forged
from cortex.ops.backups.tools import Server
from cortex.ops.embedded import superuser_address
from cortex.ops.local_secrets import load_or_make
from tests import stores

pytestmark = pytest.mark.django_db(transaction=True)
KEY, KEYS_KEY = os.urandom(32), os.urandom(32)
SCRATCH = {MAIN: "cortex_backup_scratch", KEYS: "cortex_keys_backup_scratch"}


def server(kind: str, role: str, name: str = "") -> Server:
    """A database of this run as one of the real roles."""
    secrets = load_or_make(stores.DATA_DIR)
    usual = {MAIN: "cortex_test", KEYS: "cortex_keys_test"}[kind]
    place = conninfo_to_dict(superuser_address(stores.DATA_DIR, kind, name or usual))
    given = {"host": place["host"], "port": str(place["port"]), "dbname": place["dbname"]}
    return Server(given | {"user": f"cortex_{role}"}, secrets[f"{role}_password"])


def test_first(tmp_path: Path) -> None:
    with stores.role("cortex_system"):
        sequencer.link_pending()
    path, told = taking.take(tmp_path, MAIN, server(MAIN, "system"), KEY)
    print(told.facts.rows, told.sealed_bytes, told.plain_bytes)
    stores.recreate("main", SCRATCH[MAIN], None)
    assert manifest.prove(path, MAIN, KEY) == told
    restoring.restore(path, told, server(MAIN, "owner", SCRATCH[MAIN]), KEY)
    assert restoring.differences(told, server(MAIN, "system", SCRATCH[MAIN]), signing.public_keys()) == []
    restoring.restore(path, told, server(MAIN, "owner", SCRATCH[MAIN]), KEY, replace=SCRATCH[MAIN])
    assert restoring.differences(told, server(MAIN, "system", SCRATCH[MAIN]), signing.public_keys()) == []
