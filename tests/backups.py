"""Databases beside those of the run, to put backups back into, and this process pointed at them."""

from __future__ import annotations

import os

from psycopg.conninfo import conninfo_to_dict

from cortex.keys.cache import cache
from cortex.ops.backups.folders import KEYS, MAIN
from cortex.ops.backups.tools import Server
from cortex.ops.embedded import superuser_address
from cortex.ops.local_secrets import load_or_make
from tests import makers, stores

KEY, KEYS_KEY = os.urandom(32), os.urandom(32)
USUAL = {MAIN: "cortex_test", KEYS: "cortex_keys_test"}
SCRATCH = {MAIN: "cortex_scratch", KEYS: "cortex_keys_scratch"}
WORDS = "the kettle sings at four in the morning"


def server(kind: str, role: str, name: str = "") -> Server:
    """A database of this run as one of the real roles."""
    secrets = load_or_make(stores.DATA_DIR)
    place = conninfo_to_dict(superuser_address(stores.DATA_DIR, kind, name or USUAL[kind]))
    given = {"host": place["host"], "port": str(place["port"]), "dbname": place["dbname"]}
    return Server(given | {"user": f"cortex_{role}"}, secrets[f"{role}_password"])


def empty(kind: str) -> Server:
    """A fresh, empty database beside this run's, as its owner."""
    stores.recreate(kind, SCRATCH[kind], None)
    return server(kind, "owner", SCRATCH[kind])


class looking_at:
    """Point both aliases at other databases for a while."""

    def __init__(self, main: str, keys: str) -> None:
        self.now, self.before = (main, keys), (USUAL[MAIN], USUAL[KEYS])

    def __enter__(self) -> None:
        self._point(*self.now)

    def __exit__(self, *_: object) -> None:
        self._point(*self.before)

    def _point(self, main: str, keys: str) -> None:
        stores.point_at("default", {"NAME": main})
        stores.point_at("keys", {"NAME": keys})
        cache.forget()
        makers.scope_all()
