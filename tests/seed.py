"""Does once, beside the types, what each process of a run would do first: migrate, and compile the tests.

`CORTEX_TEST_SLOT=seed pytest tests --collect-only -q -p tests.seed`; whoever starts then copies the clusters.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.plugin import blocking_manager_key

from tests import stores


@pytest.hookimpl(wrapper=True)
def pytest_collection_finish(session: pytest.Session) -> Iterator[None]:
    """Migrate the templates of this slot, once every test was read; thousands of names are not printed."""
    with session.config.stash[blocking_manager_key].unblock():
        stores.build_templates()
    found, session.items[:] = list(session.items), []
    yield
    session.items[:] = found
