"""Structured logs: one JSON object per line with codes and ids, never content."""

from __future__ import annotations

import logging
import logging.config
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

# Exception texts may quote a value that a person typed, so a log line carries the type and the places only.
Event = MutableMapping[str, Any]

OURS = ("cortex", "patients", "crisis", "clinical")
# What our own lines may carry beside their text; all of it is codes.
FIELDS = ("code", "place")
# A library's finished sentence is kept up to the first sign that could begin a value: a quote, a colon.
WORDS = re.compile(r"[A-Za-z0-9_ ,.-]*")


LIBRARIES = ("django", "celery")
TALKATIVE = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


def configure(settings: dict[str, Any]) -> None:
    """Set up the standard library's logging and structlog on top of it."""
    logging.config.dictConfig(settings)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logging_settings(level: str) -> dict[str, Any]:
    """Return Django's LOGGING: everything to standard error as JSON lines."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": json_formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # The libraries' own handlers are taken away: each would print plain text, tracebacks in full.
            **{name: {"handlers": [], "level": level, "propagate": True} for name in LIBRARIES},
            # These would repeat each request or socket with its full path, or quote SQL with its values.
            **{name: {"handlers": [], "level": "WARNING", "propagate": True} for name in TALKATIVE},
            "django.server": {"handlers": [], "level": "ERROR", "propagate": True},
            "django.db.backends": {"level": "ERROR"},
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
        },
    }


def json_formatter() -> logging.Formatter:
    """Return the formatter of every line, ours and the libraries'."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(allow=FIELDS),
            without_values,
        ],
        pass_foreign_args=True,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            places_only,
            structlog.processors.JSONRenderer(),
        ],
    )


def without_values(logger: Any, name: str, event: Event) -> Event:
    """Keep a library's words and drop the values that it put into them: they may be content or an address.

    Where it spoke is kept, so that the line can be found in its source.
    """
    arguments = event.pop("positional_args", None)
    record: logging.LogRecord = event["_record"]
    if record.name.partition(".")[0] in OURS:
        return event
    event.pop("code", None)
    event["event"] = _words(record, event["event"])
    event["place"] = f"{record.filename}:{record.lineno}:{record.funcName}"
    if record.name.startswith("celery.") and isinstance(arguments, Mapping):
        event.update({f"task_{key}": str(arguments[key]) for key in ("name", "id") if key in arguments})
    return event


def _words(record: logging.LogRecord, message: str) -> str:
    if not isinstance(record.msg, str):
        return type(record.msg).__name__
    if record.name == "django.request" and record.msg == "%s: %s":
        # "Not Found: /…"
        return message.partition(": /")[0]
    if record.name == "py.warnings":
        # "/there/source.py:7: SomeWarning: …"
        return message.partition("Warning: ")[0].rpartition("/")[2] + "Warning"
    if record.msg != message:
        return record.msg
    found = WORDS.match(message)
    return found[0].strip() if found else ""


def places_only(logger: Any, name: str, event: Event) -> Event:
    """Replace a traceback by the exception's type and the code places that it passed."""
    error = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if isinstance(error, tuple) and error[0] is not None:
        event["error"], trace = error[0].__name__, error[2]
    elif isinstance(error, BaseException):
        event["error"], trace = type(error).__name__, error.__traceback__
    else:
        return event
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}:{code.co_name}")
        trace = trace.tb_next
    event["places"] = places[-8:]
    return event
