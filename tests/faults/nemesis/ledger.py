"""Writes faults.jsonl: one line per thing that happened, as it happened, from whichever thread saw it."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any


class Ledger:
    """An append-only file of JSON lines; `at` is seconds since the epoch of this machine's clock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8", buffering=1)  # a killed run leaves what it saw

    def note(self, row: str, **values: Any) -> None:
        """Write one line."""
        line = json.dumps({"row": row, "at": time.time()} | values, separators=(",", ":"))
        with self._lock:
            self._file.write(line + "\n")

    def fault(self, kind: str, **values: Any) -> None:
        """Write that something was done to the house, and to whom."""
        self.note("fault", kind=kind, **values)

    def close(self) -> None:
        """Flush and close."""
        with self._lock:
            self._file.close()
