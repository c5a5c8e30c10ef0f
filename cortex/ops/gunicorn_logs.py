"""`gunicorn --logger-class=cortex.ops.gunicorn_logs.JsonLogger`: its lines before Django sets up logging."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from cortex.ops.logs import json_formatter


class JsonLogger(Logger):  # type: ignore[misc]
    """Gunicorn's own logger with our formatter, in the parent process too, which never loads the settings."""

    def setup(self, cfg: Any) -> None:
        """Replace the formatter of its handlers."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(json_formatter())
