"""Log lines are JSON with ids and places; what a person wrote never gets in."""

import json
import logging
from typing import Any

import pytest
from django.test import Client

from cortex.ops import metrics
from cortex.ops.logs import json_formatter

WORDS = "I can't go on"


def line_of(record: logging.LogRecord) -> dict:
    return json.loads(json_formatter().format(record))


def failure() -> logging.LogRecord:
    logger = logging.getLogger("cortex.test")
    try:
        raise ValueError(WORDS)
    except ValueError as error:
        return logger.makeRecord(
            "cortex.test", logging.ERROR, __file__, 1, "failed", (), (type(error), error, error.__traceback__)
        )


def test_an_exception_leaves_its_type_and_places_but_not_its_text() -> None:
    line = line_of(failure())
    assert line["error"] == "ValueError"
    assert line["places"][-1].startswith("test_logs.py:")
    assert WORDS not in json.dumps(line)


def test_a_line_break_can_not_forge_a_line() -> None:
    record = logging.LogRecord("cortex", logging.INFO, __file__, 1, "a\nb\x1b[31m", (), None)
    text = json_formatter().format(record)
    assert "\n" not in text
    assert "\x1b" not in text


@pytest.mark.django_db
def test_a_request_is_logged_by_its_route_never_by_its_path(client: Client, caplog) -> None:
    with caplog.at_level(logging.INFO, logger="cortex.request"):
        client.get("/healthz?q=I+can%27t+go+on")
        client.get("/no-such/I-cant-go-on")
    lines = [json.dumps(record.msg) for record in caplog.records if record.name == "cortex.request"]
    assert len(lines) == 2
    assert '"route": "healthz"' in lines[0]
    assert '"route": "unmatched"' in lines[1]
    assert "go" not in "".join(lines)


@pytest.mark.django_db
def test_a_proxys_harmless_request_id_is_kept_and_any_other_replaced(client: Client, settings) -> None:
    settings.CORTEX_TRUSTED_PROXIES = 1
    kept = client.get("/healthz", headers={"x-request-id": "abc-12345678"})
    assert kept["X-Request-Id"] == "abc-12345678"
    made = client.get("/healthz", headers={"x-request-id": "<script>alert(1)</script>"})
    assert len(made["X-Request-Id"]) == 32
    settings.CORTEX_TRUSTED_PROXIES = 0
    strangers = client.get("/healthz", headers={"x-request-id": "abc-12345678"})
    assert strangers["X-Request-Id"] != "abc-12345678", "without a proxy anybody could choose it"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("logger", "event"), [("django.request", "Not Found"), ("django.security.csrf", "%s: %s")]
)
def test_a_line_of_django_itself_loses_its_path(logger: str, event: str) -> None:
    said = logging.LogRecord(logger, logging.WARNING, __file__, 1, "%s: %s", ("Not Found", f"/{WORDS}"), None)
    assert line_of(said)["event"] == event
    assert WORDS not in json.dumps(line_of(said))


@pytest.mark.parametrize(
    ("logger", "message", "arguments", "event"),
    [
        (
            "uvicorn.error",
            '%s - "WebSocket %s" 403',
            ("10.0.0.9:4", f"/ws?{WORDS}"),
            '%s - "WebSocket %s" 403',
        ),
        ("uvicorn.error", "Exception in ASGI application\n", (), "Exception in ASGI application"),
        ("some.server", "Error handling request %s", (f"/{WORDS}",), "Error handling request %s"),
        ("some.server", f"Invalid request from ip=10.0.0.9: {WORDS}", (), "Invalid request from ip"),
        (
            "django.security.DisallowedHost",
            f"Invalid HTTP_HOST header: '{WORDS}'.",
            (),
            "Invalid HTTP_HOST header",
        ),
        (
            "celery.app.trace",
            "Task %(name)s: %(exc)s",
            ({"name": "a.task", "exc": WORDS},),
            "Task %(name)s: %(exc)s",
        ),
        ("some.library", ValueError(WORDS), (), "ValueError"),
        ("py.warnings", "%s", (f"/there/a.py:7: UserWarning: {WORDS}\n  warn(x)",), "a.py:7: UserWarning"),
        (
            "asyncio",
            f"Task exception was never retrieved\nfuture: {WORDS}",
            (),
            "Task exception was never retrieved",
        ),
    ],
)
def test_a_library_keeps_its_words_and_loses_its_values(
    logger: str, message: Any, arguments: tuple[Any, ...], event: str
) -> None:
    said = logging.LogRecord(logger, logging.ERROR, "/there/source.py", 7, message, arguments, None, "handle")
    line = line_of(said)
    assert (line["event"], line["place"], line["logger"]) == (event, "source.py:7:handle", logger)
    assert WORDS not in json.dumps(line)
    assert "10.0.0.9" not in json.dumps(line)
    if logger.startswith("celery."):
        assert line["task_name"] == "a.task"


def test_our_own_lines_carry_their_codes_and_nothing_else_beside_them() -> None:
    logger = logging.getLogger("cortex.live.hints")
    extra = {"code": "TimeoutError", "place": "hints.py:1", "words": WORDS}
    record = logger.makeRecord(
        logger.name, logging.WARNING, __file__, 1, "live.hint_failed", (), None, extra=extra
    )
    line = line_of(record)
    assert (line["event"], line["code"], line["place"]) == ("live.hint_failed", "TimeoutError", "hints.py:1")
    assert WORDS not in json.dumps(line)


@pytest.mark.django_db
def test_a_method_that_nobody_knows_makes_no_series_and_no_line_of_its_own(client: Client, caplog) -> None:
    with caplog.at_level(logging.INFO, logger="cortex.request"):
        client.generic("GOON", "/healthz")
    assert "GOON" not in metrics.exposition().decode()
    assert 'cortex_requests_total{method="other",route="healthz"' in metrics.exposition().decode()
    [line] = [record.msg for record in caplog.records if record.name == "cortex.request"]
    assert line["method"] == "other"
