"""Alone in one machine's house: `up`'s own lock, and its stores for as long as a restore takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connections

from cortex.ops import startup
from cortex.ops.embedded import EmbeddedStores, prepare_folder


@contextmanager
def alone() -> Iterator[None]:
    """Keep `up` away, and run the databases that nobody configured; raise StartRefused while `up` runs.

    Its sequencer would write between the restore's commit and the count after it. Production has no `up`.
    """
    clusters = getattr(settings, "CORTEX_EMBEDDED_CLUSTERS", None)
    if clusters is None:
        yield
        return
    folder = Path(settings.CORTEX_DATA_DIR)
    prepare_folder(folder)
    with startup.take_lock(folder):
        startup.end_leftovers(folder)
        stores = EmbeddedStores(folder)
        try:
            stores.start(clusters=clusters, redis=False)
            yield
        finally:
            connections.close_all()
            stores.stop()
