"""`python -m tests.sabotage`: a copy of HEAD, one safeguard less at a time; each must end in a failing test.

First the same tests run in the copy as it is, and pass. A change that no longer fits, a run in which nothing
failed by what a test expects, and one in which anything broke in another way (reports.py) are failures of
this script. It writes report.md beside itself; exit status 1 when a safeguard can be taken out unnoticed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sabotage import reports
from tests.sabotage.cases import CASES, Sabotage
from tests.sabotage.reports import Outcome

ROOT = Path(__file__).resolve().parents[2]
REPORT = Path(__file__).with_name("report.md")
HEAD = """# What notices when a safeguard is gone

Written by `make sabotage`: in a copy of the commit as it is, the tests that `cases.py` names pass. Then one
safeguard is taken out at a time: at least one of them must fail by what it expects, and nothing may break in
another way (`reports.py`). `python -m tests.sabotage WORD` renews the rows whose names hold the word. The
last column names the commit, and the file as it was then: `git log --find-object=` finds it in any history.

| without it | changed | noticed by (the first three) | at |
|---|---|---|---|
"""
SECONDS = 420
ALL_SECONDS = 3600


def main(names: list[str]) -> int:
    """Run the cases whose name holds one of the words (all without any), and write the report."""
    chosen = [case for case in CASES if not names or any(word in case.name for word in names)]
    with copy_of_head() as folder:
        tests = tuple(dict.fromkeys(test for case in chosen for test in case.tests))
        clean = run(folder, tests, ALL_SECONDS)
        print(f"as it is: {clean.ran} tests, {len(clean.failed)} failed ({clean.seconds:.0f} s)", flush=True)
        if clean.failed or clean.broken or not clean.ran:
            print("\n".join(clean.failed + clean.broken) or "nothing ran")
            return 1
        rows, bad, at = {}, 0, of_git("rev-parse", "--short", "HEAD")
        for case in chosen:
            said, verdict = attempt(folder, case)
            bad += verdict != "caught"
            rows[case.name] = f"| {case.name} | `{case.file}` | {said} | {at}, {blob(case.file)} |"
            print(f"{verdict if verdict == 'caught' else verdict.upper()}: {case.name}: {said}", flush=True)
    write_report(rows)
    return 1 if bad else 0


def attempt(folder: Path, case: Sabotage) -> tuple[str, str]:
    """Take one safeguard out, run its tests, and put it back."""
    path = folder / case.file
    source = path.read_text(encoding="utf-8")
    if source.count(case.old) != 1:
        return f"the change fits {source.count(case.old)} times", "unfit"
    path.write_text(source.replace(case.old, case.new), encoding="utf-8")
    try:
        found = run(folder, case.tests, raises=case.raises)
    finally:
        path.write_text(source, encoding="utf-8")
    if found.broken:
        told = "; ".join(found.broken[:3]).replace("|", "/").replace("\n", " ")
        return f"broken: {told}", found.verdict
    said = "<br>".join(f"`{name}`" for name in found.failed[:3])
    return said or f"{found.ran} tests ran, none failed", found.verdict


def run(
    folder: Path, tests: tuple[str, ...], seconds: int = SECONDS, raises: tuple[str, ...] = ()
) -> Outcome:
    """Run tests in the copy and return what their report says."""
    began = time.monotonic()
    result = folder / "result.xml"
    result.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={result}", *tests]
    own = os.environ | {"CORTEX_TEST_SLOT": "sabotage", "PYTHONPATH": str(folder)}
    try:
        done = subprocess.run(
            command, cwd=folder, env=own, capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return Outcome(broken=["it never ended"], seconds=time.monotonic() - began)
    if not result.exists():
        return Outcome(broken=[(done.stdout + done.stderr)[-500:]], seconds=time.monotonic() - began)
    found = reports.read(result, raises)
    found.seconds = time.monotonic() - began
    return found


@contextmanager
def copy_of_head() -> Iterator[Path]:
    """What is committed, in a folder of its own, with this environment's packages."""
    with tempfile.TemporaryDirectory(prefix="cortex-sabotage-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", name], input=archive.stdout, check=True)
        yield folder


def write_report(rows: dict[str, str]) -> None:
    """Keep what each case came to; a run of some cases renews their rows, and drops those of cases gone."""
    known = {line.split(" | ")[0].removeprefix("| "): line for line in REPORT.read_text("utf-8").splitlines()}
    lines = [rows.get(case.name) or known.get(case.name, f"| {case.name} | `{case.file}` | not run | |")
             for case in CASES]  # fmt: skip
    REPORT.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def blob(file: str) -> str:
    """Return the name under which git knows this file as it is committed."""
    return of_git("rev-parse", f"HEAD:{file}")[:12]


def of_git(*asked: str) -> str:
    """Return what git answers."""
    done = subprocess.run(["git", *asked], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
