"""The chain that the tests attack, and a place for its anchors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cortex.access.context import reading
from cortex.audit.models import AuditLog
from tests.cast import Cast
from tests.makers import scope_all, staff
from tests.unit.audit.chains import link_all, number_of
from tests.unit.audit.test_trail import rename


@pytest.fixture
def anchors(tmp_path: Path, settings: Any) -> Path:
    """A place for anchors of this test's own."""
    settings.CORTEX_AUDIT_ANCHOR_FILE = str(tmp_path / "anchors.jsonl")
    return tmp_path / "anchors.jsonl"


@pytest.fixture
def trail(cast: Cast, anchors: Path) -> list[AuditLog]:
    """What making the cast wrote and eight rows more, linked in two signed batches and not anchored."""
    link_all()
    for number in range(4):
        rename(actor=staff(cast.sam), organization=cast.home, name=f"Name {number}")
    link_all()
    for number in range(4, 8):
        rename(actor=staff(cast.sam), organization=cast.home, name=f"Name {number}")
    with reading(staff(cast.sam), purpose="test") as context:
        context.saw("board", organization_id=cast.home.pk)
    link_all()
    scope_all()
    # Rows of one millisecond have ids in any order, so the order is that of the links.
    return sorted(AuditLog.objects.filter(event_type="organization.renamed"), key=number_of)
