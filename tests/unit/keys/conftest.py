"""Every test of the key store begins with an empty cache, and knows the installed tables alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cortex.keys.cache import cache
from cortex.keys.proof import queries


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.forget()
    yield
    cache.forget()


@pytest.fixture(autouse=True)
def real_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests of the process may have declared models whose tables are theirs alone."""
    real = [one for one in queries.sealed_models() if one._meta.app_label != "crypto"]
    monkeypatch.setattr(queries, "sealed_models", lambda: real)
