"""Serves from forks of one process that has loaded the application, so that a test's server starts at once.

Each line of its input is a port; it answers with the id of the process that will listen there.
"""

from __future__ import annotations

import os
import signal
import sys

import uvicorn
from django.template.loader import get_template

from cortex.ops import warming
from tests.stores import ROOT

warming.forks()
from cortex.asgi import application  # noqa: E402


def load() -> None:
    """Load the pages; the addresses with their views are there."""
    for page in (ROOT / "templates").rglob("*.html"):
        get_template(str(page.relative_to(ROOT / "templates")))


def serve(port: int) -> None:
    """Serve until somebody kills this process."""
    os.setsid()
    sys.stdin.close()
    warming.go_on()
    uvicorn.run(application, port=port, log_level="error", ws_per_message_deflate=False, lifespan="off")


def main() -> None:
    """Fork for each port that is asked for, until the input ends."""
    load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended ones are taken away at once
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(int(line))
            os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
