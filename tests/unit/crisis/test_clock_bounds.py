"""Clocks are bounded both ways: none so long that a person waits, none so short that nobody can act."""

from __future__ import annotations

from html import unescape

import pytest

from cortex.audit import InputRefused
from crisis.escalation.models import SlaPolicy
from crisis.escalation.policy import COPIED, DEFAULTS, MEDIUM_ROW, SHARED
from crisis.policies.actions import change_policy
from crisis.policies.bounds import bounds_of
from tests.cast import Cast
from tests.makers import scope_all, staff
from tests.unit.crisis.test_policy_page import Page

pytestmark = pytest.mark.django_db
CLOCKS = [name for name in COPIED if name != "chain"]
MEDIUM_CLOCKS = [name for name in CLOCKS if bounds_of(name, "medium")]


@pytest.mark.parametrize("name", CLOCKS)
@pytest.mark.parametrize("level", ["critical", "high", "waiting", "medium"])
def test_a_clock_is_neither_shorter_nor_longer_than_it_may_be(cast: Cast, level: str, name: str) -> None:
    policy = SlaPolicy.objects.get(organization=None, level=level)
    bounds = bounds_of(name, level)
    if bounds is None:
        assert level == "medium" and name not in MEDIUM_CLOCKS
        return
    low, high = bounds
    assert 10 <= low < high
    for wrong in (low - 1, 1, 0, high + 1):
        with pytest.raises(InputRefused, match=f"Between {low} and {high} seconds") as refused:
            change_policy(actor=staff(cast.ada), policy_id=policy.pk, **{name: wrong})
        assert refused.value.extra["field"] == name
    scope_all()
    assert not SlaPolicy.objects.filter(organization=cast.home).exists()


def test_the_usual_clocks_lie_within_the_bounds() -> None:
    usual = {level: SHARED | row for level, row in DEFAULTS.items()} | {"medium": MEDIUM_ROW}
    for level, row in usual.items():
        for name in CLOCKS:
            bounds = bounds_of(name, level)
            assert bounds is None or bounds[0] <= row[name] <= bounds[1], (level, name)


@pytest.mark.parametrize("level", ["critical", "medium"])
def test_each_clock_of_the_page_says_its_bounds(cast: Cast, level: str) -> None:
    page = unescape(Page(cast, level).read())
    for name in CLOCKS if level == "critical" else MEDIUM_CLOCKS:
        low, high = bounds_of(name, level) or (0, 0)
        assert f"Between {low} and {high} seconds." in page, name
