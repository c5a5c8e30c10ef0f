"""Every long form has a target that runs it, and a bench that misses an aim ends red where make runs it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench import bench_audit
from bench import kept as kept_figures
from tests.stores import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
# What reads the variable for tests that are elsewhere, by the test that it is read for.
READ_FOR = {"tests/walk/rounds.py": "tests/test_urls.py"}


def recipe(target: str) -> str:
    """Return the lines of a target, joined."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, flags=re.MULTILINE)
    assert found, target
    return found.group(1).replace("\\\n", " ")


def long_forms() -> list[str]:
    """Return every file of tests that asks whether it is run in its long form."""
    paths = sorted((ROOT / "tests").rglob("*.py"))
    named = [str(path.relative_to(ROOT)) for path in paths if "CORTEX_EXPLORE" in path.read_text()]
    here = str(Path(__file__).relative_to(ROOT))
    # The first file of all tests asks for the others: their examples vary in a long form alone.
    return sorted({READ_FOR.get(name, name) for name in named} - {here, "tests/conftest.py"})


def test_every_long_form_is_run_by_proof() -> None:
    asked = [
        word for target in ("proof-tests", "proof-schema")
        for word in recipe(target).split() if word.startswith("tests/")
    ]  # fmt: skip
    assert [one for one in long_forms() if not one.startswith(tuple(asked))] == []
    assert len(long_forms()) > 10


def test_a_bench_that_can_end_red_for_an_aim_does() -> None:
    able = [path.name for path in (ROOT / "bench").glob("bench_*.py") if '"--strict"' in path.read_text()]
    assert able
    lines = [line for line in MAKEFILE.splitlines() if line.startswith("\t")]
    for name in able:
        (line,) = [line for line in lines if name in line]
        assert "--strict" in line, name


def test_a_bench_keeps_its_figures_and_where_they_are_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_figures, "machine", lambda: {"cpus": 2, "commit": "abc"})
    figures = [bench_audit.timed("verified", 100, 0.0)]
    found = {"rows": 100, "right": True, "verdict": "holds", "figures": figures}
    path = kept_figures.keep("audit", found, tmp_path)
    kept = json.loads(path.read_text())
    assert path.name == "audit.json" and kept["machine"]["commit"] == "abc"
    assert (kept["rows"], kept["right"], len(kept["figures"])) == (100, True, 1)
