"""The watchdog over the real path: its canary at a real socket, and everybody's clocks by its own SQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cortex.accounts.models import Organization
from cortex.audit import SYSTEM
from cortex.ops.actions import note_round
from cortex.settings.env import postgres_settings
from crisis.alerts.models import Kind, RiskAlert
from crisis.watchdog.eyes import address_of
from crisis.watchdog.loop import Watchdog
from tests import stores
from tests.cast import Cast
from tests.live.stage import LiveServer

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


@pytest.fixture
def watchdog(desk: LiveServer, settings: Any) -> Iterator[Watchdog]:
    """A watchdog of this server, in the role of the machines; the sweeper was there a moment ago."""
    settings.CORTEX_PUBLIC_URL = desk.origin
    with stores.role("cortex_system"):
        note_round(actor=SYSTEM, name="sweeper")
        yield Watchdog(address=system_address())


def system_address(role: str = "") -> str:
    """The run's database as a role's process is given it."""
    url = stores.child_environment()[f"DATABASE{role or '_SYSTEM'}_URL"]
    return address_of(postgres_settings("DATABASE_URL", url))


def test_a_canary_reaches_a_real_socket_and_is_ended(watchdog: Watchdog) -> None:
    verdict = watchdog.look_round()
    assert verdict is not None
    assert verdict.codes == []
    assert 0 < (verdict.canary_ms or 0) < 5_000
    canary = RiskAlert.objects.get(kind=Kind.CANARY)
    assert (canary.status, canary.organization.name) == ("resolved", "Canary")

