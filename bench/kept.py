"""Figures that last: each run's beside what it was measured on, in `bench/results/`."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
# The load as the run begins, before it adds its own.
LOAD = round(os.getloadavg()[0], 2)


def machine() -> dict[str, Any]:
    """Return what figures were measured on; the commit says `-dirty` where other code than its own ran."""
    return {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "commit": _git("describe", "--always") + ("-dirty" if is_changed() else ""),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def is_changed() -> bool:
    """Whether the files differ from the commit's, other than by figures that a bench before this one kept."""
    return bool(_git("status", "--porcelain", "--", ".", ":!bench/results"))


def keep(name: str, found: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write figures with machine, commit and load to `<name>.json`; return where."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), "load_before": LOAD} | found, indent=1) + "\n")
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    print(f"kept in {shown}" + (", of code that no commit holds" if is_changed() else ""))
    return path


def _git(*asked: str) -> str:
    done = subprocess.run(["git", *asked], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()
