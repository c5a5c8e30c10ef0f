"""Two officers of compliance."""

from __future__ import annotations

import pytest

from cortex.accounts.models import User
from tests import makers
from tests.cast import Cast


@pytest.fixture
def cora(cast: Cast) -> User:
    return makers.make_user("compliance", cast.home)


@pytest.fixture
def odo(cast: Cast) -> User:
    return makers.make_user("compliance", cast.home)
