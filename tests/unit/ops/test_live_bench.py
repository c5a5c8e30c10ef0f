"""What the live bench says of its runs: buckets, void ratios, and what turns it red."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bench import bench_board, bench_live, live_figures

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


CELL = GOOD | {"p99": 12.0, "p50": 3.0, "received_share": 1.0}


class Cells:
    """Stands for the runs: each gives a good cell, and the third is cut."""

    def __init__(self, house: Any, design: str, sockets: int, options: Any) -> None:
        self.cell = CELL | {"design": design, "sockets": sockets}

    async def measure(self, processes: int) -> dict[str, Any]:
        if (self.cell["design"], self.cell["sockets"]) == ("hub", 2000):
            raise KeyboardInterrupt
        return self.cell | {"processes": processes}


def part(folder: Path, monkeypatch: pytest.MonkeyPatch, sockets: list[int]) -> Path:
    """Run these shapes; return where their figures lie."""
    monkeypatch.setattr(bench_live, "Run", Cells)
    monkeypatch.setattr(bench_live, "DATA_DIR", folder)
    monkeypatch.setattr(bench_live, "machine", dict)
    monkeypatch.setattr(live_figures, "show", lambda cell: None)
    options = argparse.Namespace(sockets=sockets, processes=[2], designs=["hub", "stock"], bytes=1500)
    results = bench_live.Results(options, load=0.5)
    try:
        ratios = asyncio.run(bench_live.run_all({}, options, results))
        results.write(complete=True, aims_met=True, ratios=ratios)
    except KeyboardInterrupt:
        pass
    return folder / "part.json"


def test_a_run_that_is_cut_leaves_what_it_had_and_says_that_it_is_not_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = json.loads(part(tmp_path, monkeypatch, [1000, 2000]).read_text())
    assert (kept["complete"], kept["right"], kept["load_before"]) == (False, True, 0.5)
    assert [(one["design"], one["sockets"]) for one in kept["cells"]] == [("hub", 1000), ("stock", 1000)]
    assert "aims_met" not in kept


def test_a_run_that_went_to_its_end_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = json.loads(part(tmp_path, monkeypatch, [1000]).read_text())
    assert (kept["complete"], kept["aims_met"], len(kept["cells"]), len(kept["ratios"])) == (True, True, 2, 1)
    assert kept["peers"] == {"p99": 204.0, "sockets": 200}
    assert [one.name for one in tmp_path.iterdir()] == ["part.json"]


def test_the_known_figures_of_peers_stand_beside_ours() -> None:
    assert live_figures.beside_peers(CELL | {"sockets": 1000}).endswith("12 ms at 1,000: 17.0 times as quick")
    assert "204 ms at 200 sockets" in live_figures.beside_peers(CELL | {"sockets": 100})
    assert "times" not in live_figures.beside_peers(CELL | {"sockets": 100})
    said = bench_board.beside_peers({"rate": 330.0, "cards": 50})
    assert said.startswith("0.6 to 10.0 times the known peers' 33 to 517 requests/s for 20 open items")
    assert said.endswith("50")
