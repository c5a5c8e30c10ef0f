"""What the live bench says of its runs: buckets, void ratios, and what turns it red."""

from __future__ import annotations

from typing import Any

import pytest

from bench import live_figures

GOOD: dict[str, Any] = {
    "sockets": 1000, "processes": 2, "lost": 0, "doubled": 0, "skipped": 0, "reloads": 0, "closed": 0,
    "board_lost": 0, "source_failures": 0, "checks_least": 2, "claims": 10, "claims_wanted": 10,
    "stalled": 50, "slow_closes": 50,
    "groups": [{"group": "web 1, reading, claims", "offered": 10, "sent": 10, "received": 10}],
}  # fmt: skip


def test_a_bucket_holds_its_value_and_is_six_percent_wide_at_most() -> None:
    for micros in [*range(5000), 99_999, 1_234_567]:
        edge = live_figures.bucket(micros)
        assert micros <= edge <= micros * 1.0626
        assert live_figures.bucket(edge) == edge
        assert live_figures.bucket(edge + 1) > edge


def test_a_good_run_is_not_red() -> None:
    assert live_figures.faults(GOOD) == []


@pytest.mark.parametrize(
    "change",
    [
        {"lost": 1}, {"doubled": 1}, {"skipped": 1}, {"reloads": 1}, {"closed": 1}, {"board_lost": 1},
        {"source_failures": 1}, {"checks_least": 0}, {"claims": 9}, {"slow_closes": 0},
        {"groups": [{"group": "web 1, reading, claims", "offered": 0, "sent": 0, "received": 0}]},
        {"groups": [{"group": "web 1, reading", "offered": 10, "sent": 10, "received": 9}]},
        {"storm": {"whole": 999}},
    ],
    ids=str,
)  # fmt: skip
def test_a_run_that_lost_doubled_or_left_something_out_is_red(change: dict[str, Any]) -> None:
    assert len(live_figures.faults(GOOD | change)) == 1


@pytest.mark.parametrize(
    ("p50", "p99", "void"), [(260, 549, False), (520, 1098, False), (521, 549, True), (260, 1099, True)]
)
def test_a_ratio_is_void_when_stock_did_more_than_twice_worse_than_elsewhere(
    p50: float, p99: float, void: bool
) -> None:
    stock = {"p50": p50, "p99": p99, "received_share": 1.0}
    hub = {"sockets": 1000, "processes": 2, "p50": 10.0, "p99": 20.0, "design": "hub"}
    found = live_figures.ratio(hub, stock)
    assert found["void"] is void
    assert live_figures.aims([hub], [found]) is (not void and p99 >= 500)
