"""A walk takes as long as a machine needs: no clock of a person at a screen runs out meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from cortex.accounts import keys, limits
from cortex.accounts.sessions import clocks
from cortex.accounts.signin import recent

DAY = timedelta(days=1)


@contextmanager
def unhurried() -> Iterator[None]:
    """Let everybody have typed their password just now, and been at work since."""
    patch = pytest.MonkeyPatch()
    patch.setattr(recent, "RECENT", DAY)
    patch.setattr(clocks, "_limits", (time.monotonic() + DAY.total_seconds(), clocks.Limits(DAY, DAY)))
    # Input and the use of a key are noted once a minute: a minute that ends between a refusal and its ghost's
    # would tell them apart.
    patch.setattr(limits, "NOTED_EVERY", timedelta.max)
    patch.setattr(keys, "USE_NOTED_EVERY", timedelta.max)
    try:
        yield
    finally:
        patch.undo()
