"""The public numbers that ship, with labels of our own; read from a file, changed in the back office."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "codes" / "public.json"


def raw_codes() -> list[dict[str, Any]]:
    """Return the codes as rows for the table."""
    found: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
