"""Which Chromium the browser tests drive: one rule for all of them, the same as the Makefile's."""

from __future__ import annotations

import os
import shutil

# The shell is the same engine without the windows that nobody sees here: a quarter less to compute.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def chromium_program() -> str | None:
    """Return CORTEX_CHROMIUM, else the system's; None lets Playwright take its own, or fail without one."""
    chosen = os.environ.get("CORTEX_CHROMIUM")
    return chosen or next((path for name in NAMES if (path := shutil.which(name))), None)
