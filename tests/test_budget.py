"""A skip or an expected failure without a reason, and a folder without seconds, fail a run that was green."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.budget import BUDGET, faults_of, is_long, pytest_collection_modifyitems
from tests.stores import ROOT

SEEN = {"seconds": {"unit": 1}, "skips": {"tests/unit/test_x.py::test_a": "needs a camera"}}


def test_what_is_named_with_a_reason_passes() -> None:
    assert faults_of({"tests/unit/test_x.py::test_a"}, {"unit"}, SEEN) == []


@pytest.mark.parametrize("why", ["", "  "])
def test_a_name_without_a_reason_does_not_count(why: str) -> None:
    budget = {"seconds": {"unit": 1}, "skips": {"x::y": why}}
    assert faults_of({"x::y"}, {"unit"}, budget) == [
        "skipped or expected to fail without a reason in budget.json: x::y"
    ]


def test_a_folder_without_seconds_is_named() -> None:
    assert faults_of(set(), {"unit", "new"}, SEEN) == ["no seconds in budget.json for the folder new"]


def test_every_folder_with_tests_has_its_seconds_and_none_is_left_over() -> None:
    folders = {path.relative_to(ROOT).parts[1] for path in (ROOT / "tests").rglob("test_*.py")}
    folders = {"top" if name.endswith(".py") else name for name in folders}
    assert folders == set(json.loads(BUDGET.read_text())["seconds"])


def test_whatever_is_left_to_the_long_run_is_there_and_says_what_a_short_one_has_instead() -> None:
    budget = json.loads(BUDGET.read_text())
    for name, instead in [*budget["long"].items(), *budget["proof"].items()]:
        path, *function = name.split("::")
        assert instead.strip(), name
        named = re.findall(r"tests/[\w/]+(?:\.py)?", instead)
        assert all((ROOT / one).exists() for one in named), f"{name}: {instead}"
        assert (ROOT / path).exists(), name
        assert all(f"def {one.split('[')[0]}(" in (ROOT / path).read_text() for one in function), name


@pytest.mark.parametrize(
    ("nodeid", "takes_long"),
    [("tests/a/test_x.py::test_one", True), ("tests/test_y.py::test_one[long-1]", True),
     ("tests/test_y.py::test_one_more", False), ("tests/a/test_xy.py::test_one", False)],
)  # fmt: skip
def test_a_file_a_function_and_a_case_can_be_long(nodeid: str, *, takes_long: bool) -> None:
    assert is_long(nodeid, ("tests/a/test_x.py", "tests/test_y.py::test_one")) is takes_long


def test_a_short_run_and_a_long_one_are_together_everything_but_what_the_proof_alone_runs() -> None:
    budget = json.loads(BUDGET.read_text())
    names = [f"{next(iter(budget[kind]))}::test_a" for kind in ("long", "proof")]
    everything = [SimpleNamespace(nodeid=name) for name in [*names, "tests/x.py::test_b"]]
    ran = {}
    for forms in ("all", "short", "long"):
        left: list[object] = []
        hook = SimpleNamespace(pytest_deselected=lambda items, left=left: left.extend(items))
        ran[forms] = list(everything)
        config = SimpleNamespace(getoption=lambda name, forms=forms: forms, hook=hook)
        pytest_collection_modifyitems(config, ran[forms])  # type: ignore[arg-type]
        assert [one for one in everything if one not in ran[forms]] == left
    assert ran == {"all": everything, "short": everything[2:], "long": everything[:1]}


@pytest.mark.parametrize(
    ("body", "is_green"),
    [
        ("def test_a(): pass", True),
        ("import pytest\ndef test_a(): pytest.skip('later')", False),
        ("import pytest\n@pytest.mark.skip\ndef test_a(): pass", False),
        ("import pytest\n@pytest.mark.xfail\ndef test_a(): assert False", False),
        ("import pytest\n@pytest.mark.xfail\ndef test_a(): pass", False),
        ("import pytest\npytest.skip('all', allow_module_level=True)\ndef test_a(): pass", False),
    ],
)
def test_a_real_run_ends_red_for_it(body: str, is_green: bool, tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(body + "\ndef test_b(): pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.budget", "-c", "/dev/null",
         "--rootdir", str(tmp_path), str(tmp_path / "test_x.py")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # no other plugin is part of it
    )  # fmt: skip
    assert (done.returncode == 0) == is_green, done.stdout + done.stderr
