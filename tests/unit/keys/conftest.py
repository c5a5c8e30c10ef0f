"""Every test of the key store begins with an empty cache."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cortex.keys.cache import cache


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.forget()
    yield
    cache.forget()
