"""`make sabotage` takes minutes; that its changes fit, and what it counts as noticed, is seen at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from tests.sabotage import reports
from tests.sabotage.cases import CASES, Sabotage
from tests.stores import ROOT


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_a_sabotage_fits_its_source_once_and_names_tests_that_exist(case: Sabotage) -> None:
    assert (ROOT / case.file).read_text("utf-8").count(case.old) == 1
    assert [name for name in case.tests if not (ROOT / name.split("::")[0]).exists()] == []


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_no_sabotage_counts_a_defect_of_its_own_change_as_noticed(case: Sabotage) -> None:
    defects = ("NameError", "ImportError", "ModuleNotFoundError", "AttributeError", "SyntaxError",
               "UnboundLocalError", "TypeError", "Exception")  # fmt: skip
    assert not {name.rpartition(".")[2] for name in case.raises} & set(defects)


def forged(folder: Path, *troubles: tuple[str, str] | None) -> Path:
    """A report with one test for each: passed (None), or its kind of trouble and the message."""
    rows = [f'<testcase classname="tests.unit.test_x" name="test_{n}">'
            + (f"<{one[0]} message={quoteattr(one[1])}>at line 7</{one[0]}>" if one else "") + "</testcase>"
            for n, one in enumerate(troubles)]  # fmt: skip
    path = folder / "result.xml"
    path.write_text(f"<testsuites><testsuite>{''.join(rows)}</testsuite></testsuites>", encoding="utf-8")
    return path


NOTICED = [
    "assert 3 == 4\n +  where 3 = len([1, 2, 3])",
    "AssertionError: waited in vain\nassert (12.0 - 2.0) < 10.0",
    "AssertionError",
    "Failed: DID NOT RAISE <class 'cortex.audit.rules.AuditMissing'>",
]
BROKEN = [
    "NameError: name 'step' is not defined",
    "ImportError: cannot import name 'send' from 'crisis.sweep'",
    "AttributeError: 'NoneType' object has no attribute 'epoch'",
    "django.db.utils.IntegrityError: duplicate key",
    "assertive.Error: no assertion of ours",
    "FailedHealthCheck: too slow",
    "",
]


@pytest.mark.parametrize("message", NOTICED)
def test_whoever_fails_by_what_it_expects_has_noticed(tmp_path: Path, message: str) -> None:
    found = reports.read(forged(tmp_path, None, ("failure", message), ("skipped", "")))
    assert (found.verdict, found.ran) == ("caught", 2)
    assert (found.failed, found.broken) == (["tests/unit/test_x.py::test_1"], [])


@pytest.mark.parametrize("message", BROKEN)
def test_an_exception_that_nobody_expected_is_broken_also_beside_one_that_noticed(
    tmp_path: Path, message: str
) -> None:
    found = reports.read(forged(tmp_path, ("failure", message)))
    assert (found.verdict, found.failed, len(found.broken)) == ("broken", [], 1)
    found = reports.read(forged(tmp_path, ("failure", NOTICED[0]), ("failure", message)))
    assert (found.verdict, len(found.failed), len(found.broken)) == ("broken", 1, 1)
    assert message.splitlines()[:1] == [found.broken[0].partition(": ")[2]] or not message


@pytest.mark.parametrize("message", ["collection failure", 'failed on setup with "AssertionError"'])
def test_what_fails_outside_of_a_test_is_broken_whatever_it_says(tmp_path: Path, message: str) -> None:
    found = reports.read(forged(tmp_path, ("failure", NOTICED[0]), ("error", message)))
    assert found.verdict == "broken"
    assert reports.read(forged(tmp_path, ("error", NOTICED[1]))).verdict == "broken"


def test_an_exception_that_the_case_names_is_noticed_and_no_other_one(tmp_path: Path) -> None:
    report = forged(tmp_path, ("failure", "TimeoutError"), ("failure", "x.y.Gone: nobody there"))
    assert reports.read(report).verdict == "broken"
    assert reports.read(report, ["TimeoutError"]).verdict == "broken"
    assert reports.read(report, ["TimeoutError", "x.y.Gone"]).verdict == "caught"
    assert reports.read(report, ["TimeoutError", "x.y.Go"]).verdict == "broken"


def test_a_run_in_which_all_passed_or_were_skipped_has_noticed_nothing(tmp_path: Path) -> None:
    assert reports.read(forged(tmp_path, None, None)).verdict == "unnoticed"
    assert reports.read(forged(tmp_path, ("skipped", "no browser"))).ran == 0


def test_real_reports_read_as_the_forged_ones_do(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "import pytest\n"
        "def test_compares(): assert 1 == 2\n"
        "def test_says_why(): assert 1 == 2, 'why'\n"
        "def test_fails(): pytest.fail('so')\n"
        "def test_waits_for_an_error():\n    with pytest.raises(KeyError): pass\n"
        "def test_has_a_defect(): nowhere()\n"
        "def test_meets_another_error():\n    with pytest.raises(KeyError): raise ValueError('x')\n"
        "@pytest.fixture\ndef bad(): assert 1 == 2\n"
        "def test_never_begins(bad): pass\n"
    )
    report = tmp_path / "result.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", tmp_path,
         f"--junitxml={report}", tmp_path / "test_x.py"],
        cwd=tmp_path, capture_output=True, check=False, timeout=60,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    found = reports.read(report)
    named = [name.rpartition("::")[2] for name in found.failed]
    assert named == ["test_compares", "test_says_why", "test_fails", "test_waits_for_an_error"]
    assert [one.partition("::")[2].partition(":")[0] for one in found.broken] == [
        "test_has_a_defect", "test_meets_another_error", "test_never_begins",
    ]  # fmt: skip


def test_what_a_test_that_noticed_leaves_behind_is_no_break_of_its_own(tmp_path: Path) -> None:
    left = ("error", 'failed on teardown with "ExceptionGroup: 4 threads"')
    path = forged(tmp_path, ("failure", NOTICED[0]), left)
    path.write_text(path.read_text().replace("test_1", "test_0"), encoding="utf-8")
    assert reports.read(path).verdict == "caught"
    assert reports.read(forged(tmp_path, ("failure", NOTICED[0]), left)).verdict == "broken"
    assert reports.read(forged(tmp_path, left)).verdict == "broken"
