"""What a run must account for: seconds per folder beside budget.json, and every test that did not count.

A folder that takes too long is only shown, since a busy machine must not make a sound suite red. A skip or
an expected failure that budget.json doesn't name with a reason fails the run, and so does a folder without
seconds.

Tests that take long stand there by the beginning of their node ids, with what a short run has instead:
`--forms short` leaves them out (`make test`), `--forms long` runs them alone (`make test-long`), `.ci/run`
does both. Those under `proof` run in neither: minutes of cut lines, full disks and leaping clocks, for which
`make proof` has its hour. Without `--forms` everything that is named runs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

BUDGET = Path(__file__).with_name("budget.json")
# So many files are named with their seconds: where a run that takes too long takes it.
LISTED = 20
_spent: dict[str, float] = defaultdict(float)
_files: dict[str, float] = defaultdict(float)
_slowest: dict[str, tuple[float, str]] = {}
_left_out: set[str] = set()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say which tests run."""
    parser.addoption("--forms", choices=("all", "short", "long"), default="all", help="see tests/budget.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the short tests or the long ones."""
    forms = config.getoption("--forms")
    if forms == "all":
        return
    budget = json.loads(BUDGET.read_text())
    named, proof = tuple(budget["long"]), tuple(budget["proof"])
    wanted = {
        one.nodeid
        for one in items
        if not is_long(one.nodeid, proof) and is_long(one.nodeid, named) == (forms == "long")
    }
    config.hook.pytest_deselected(items=[one for one in items if one.nodeid not in wanted])
    items[:] = [one for one in items if one.nodeid in wanted]


def is_long(nodeid: str, named: tuple[str, ...]) -> bool:
    """Whether a test is one of those that take long: its folder, file, function or case is named."""
    return any(nodeid == one or nodeid.startswith((f"{one}/", f"{one}::", f"{one}[")) for one in named)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add a phase's time to its folder, and keep who was skipped or expected to fail."""
    folder = folder_of(report.nodeid)
    _spent[folder] += report.duration
    _files[report.nodeid.split("::")[0]] += report.duration
    _slowest[folder] = max(_slowest.get(folder, (0.0, "")), (report.duration, report.nodeid))
    if report.skipped or hasattr(report, "wasxfail"):
        _left_out.add(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Keep a module that was skipped as a whole."""
    if report.skipped:
        _left_out.add(report.nodeid)


def folder_of(nodeid: str) -> str:
    """Return the folder under tests/ that a test lies in; `top` for those beside it."""
    parts = nodeid.split("::")[0].split("/")
    return parts[1] if len(parts) > 2 else "top"


def faults_of(left_out: set[str], folders: set[str], budget: dict[str, Any]) -> list[str]:
    """Return a line for everything that the budget doesn't allow."""
    reasons = {name: why for name, why in budget["skips"].items() if why.strip()}
    unnamed = sorted(left_out - reasons.keys())
    unknown = sorted(folders - budget["seconds"].keys())
    return [f"skipped or expected to fail without a reason in budget.json: {name}" for name in unnamed] + [
        f"no seconds in budget.json for the folder {name}" for name in unknown
    ]


def allowed_of(seconds: dict[str, list[int]], forms: str) -> dict[str, int]:
    """Return what each folder may take in a run of these forms: [short, long] of each, or both."""
    return {
        name: {"short": short, "long": long}.get(forms, short + long)
        for name, (short, long) in seconds.items()
    }


def _faults() -> list[str]:
    return faults_of(_left_out, set(_spent), json.loads(BUDGET.read_text()))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run that would otherwise be green."""
    if hasattr(session.config, "workerinput"):
        return  # whoever handed the tests out knows of all of them
    if exitstatus == pytest.ExitCode.OK and _faults():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of times, the files that took most, and what fails the run."""
    forms = terminalreporter.config.getoption("--forms")
    allowed = allowed_of(json.loads(BUDGET.read_text())["seconds"], forms)
    if _spent:
        terminalreporter.section("time by folder")
    for folder, seconds in sorted(_spent.items(), key=lambda item: -item[1]):
        over = seconds > allowed.get(folder, float("inf"))
        slowest, name = _slowest[folder]
        line = (
            f"{folder:<8} {seconds:6.1f} s of {allowed.get(folder, 0):4.0f} s; slowest {slowest:.1f} s {name}"
        )
        terminalreporter.write_line(f"{line}{'  OVER BUDGET' if over else ''}", yellow=over)
    longest = sorted(_files.items(), key=lambda item: -item[1])[:LISTED]
    if longest:
        named = ", ".join(f"{name} {seconds:.0f}" for name, seconds in longest)
        terminalreporter.write_line(f"longest: {named}")
    for line in _faults():
        terminalreporter.write_line(line, red=True)
