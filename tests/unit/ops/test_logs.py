"""Log lines are JSON with ids and places; what a person wrote never gets in."""

import json
import logging

import pytest
from django.test import Client

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
def test_a_harmless_request_id_is_kept_and_any_other_replaced(client: Client) -> None:
    kept = client.get("/healthz", headers={"x-request-id": "abc-12345678"})
    assert kept["X-Request-Id"] == "abc-12345678"
    made = client.get("/healthz", headers={"x-request-id": "<script>alert(1)</script>"})
    assert len(made["X-Request-Id"]) == 32


@pytest.mark.django_db
@pytest.mark.parametrize("logger", ["django.request", "django.security.csrf"])
def test_a_line_of_django_itself_loses_its_path(logger: str) -> None:
    said = logging.LogRecord(logger, logging.WARNING, __file__, 1, "%s: %s", ("Not Found", f"/{WORDS}"), None)
    assert line_of(said)["event"] == "Not Found"
