"""Every package that the product imports is pinned for running, not only for testing."""

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.stores import ROOT

FLOORS = ("cortex", "patients", "crisis", "clinical")


EXTRA = ROOT / "cortex" / "keys" / "awskms"
"""The one place that may use what `requirements-kms.txt` adds."""


def pinned(*files: str) -> set[str]:
    lines = [line for name in files for line in (ROOT / name).read_text().splitlines()]
    names = (line.partition("==")[0].partition("[")[0] for line in lines if "==" in line)
    return {name.lower().replace("_", "-") for name in names}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def missing(sources: list[Path], pins: set[str]) -> set[str]:
    used = set().union(*(imported(path) for path in sources)) - set(sys.stdlib_module_names) - set(FLOORS)
    homes = packages_distributions()
    return {name for name in used if not {d.lower().replace("_", "-") for d in homes.get(name, [])} & pins}


def test_what_is_imported_is_pinned_for_running() -> None:
    sources = [path for floor in FLOORS for path in (ROOT / floor).rglob("*.py") if EXTRA not in path.parents]
    assert not missing(sources, pinned("requirements.txt"))


def test_what_aws_kms_needs_is_pinned_as_its_own_extra() -> None:
    assert not missing(list(EXTRA.glob("*.py")), pinned("requirements.txt", "requirements-kms.txt"))


def test_every_line_names_one_exact_version() -> None:
    for name in ("requirements.txt", "requirements-kms.txt", "requirements-dev.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and line[0] not in "#-"]
        assert all(line.count("==") == 1 and "*" not in line for line in lines)
