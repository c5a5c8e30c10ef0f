"""Tells an outside service that the watchdog lives and found nothing: silence is what it alarms on."""

from __future__ import annotations

import httpx
import structlog

log = structlog.get_logger(__name__)

SECONDS = 5.0


def call(url: str) -> str:
    """Fetch the URL and return how that went, as a code: called, refused_<status>, or the error's name.

    Nothing is raised, and neither the URL (it is a secret) nor the answer's body is kept.
    """
    try:
        with (
            httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url) as answer,
        ):
            status = answer.status_code
    except Exception as error:  # Whatever it is, the next round must come.
        log.error("deadman_not_called", error=type(error).__name__)
        return type(error).__name__
    if 200 <= status < 300:
        return "called"
    log.error("deadman_not_called", status=status)
    return f"refused_{status}"
