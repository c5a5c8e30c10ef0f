"""Tables and keys of the sealing tests."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from cortex.access.context import AccessContext
from cortex.ids import uuid7
from tests.unit.crypto.letters import fresh_key, holding, make_tables


@pytest.fixture
def tables(db: None) -> None:
    """The two tables of `letters`."""
    make_tables()


@pytest.fixture
def patient() -> UUID:
    """Somebody's id."""
    return uuid7()


@pytest.fixture
def context(patient: UUID) -> Iterator[AccessContext]:
    """An open context that holds the patient's key."""
    with holding(fresh_key(patient)) as opened:
        yield opened
