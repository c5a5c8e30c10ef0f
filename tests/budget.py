"""Where the suite's time goes: seconds per folder beside what budget.json allows; it reports only."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

BUDGET = Path(__file__).with_name("budget.json")
_spent: dict[str, float] = defaultdict(float)
_slowest: dict[str, tuple[float, str]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add a phase's time to its folder."""
    parts = report.nodeid.split("::")[0].split("/")
    folder = parts[1] if len(parts) > 2 else "top"
    _spent[folder] += report.duration
    _slowest[folder] = max(_slowest.get(folder, (0.0, "")), (report.duration, report.nodeid))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table; a slow machine must not make a sound suite red."""
    if not _spent:
        return
    allowed = json.loads(BUDGET.read_text())["seconds"]
    terminalreporter.section("time by folder")
    for folder, seconds in sorted(_spent.items(), key=lambda item: -item[1]):
        over = seconds > allowed.get(folder, float("inf"))
        slowest, name = _slowest[folder]
        line = (
            f"{folder:<8} {seconds:6.1f} s of {allowed.get(folder, 0):4.0f} s; slowest {slowest:.1f} s {name}"
        )
        terminalreporter.write_line(f"{line}{'  OVER BUDGET' if over else ''}", yellow=over)
