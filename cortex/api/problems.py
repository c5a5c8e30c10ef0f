"""Problem answers (RFC 9457): the one DRF exception handler, and the broken rules it turns into answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions

from cortex.api.strict import BodyRefused
from cortex.audit import RuleBroken

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 5
IN_FLIGHT = "in_flight"
# What an error says of a store that can't be reached.
AWAY = (OperationalError, InterfaceError)
log = logging.getLogger("cortex.api")


class Problem(exceptions.APIException):
    """A refusal that a door raises itself; `extra` is added to the answer as it is."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message, code)
        self.status_code = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.extra = extra


def problem(code: str, message: str, status: int, **extra: Any) -> dict[str, Any]:
    """Return the members of a problem; empty extras are left out."""
    members = {"type": f"urn:cortex:problem:{code}", "title": _title(code), "status": status, "code": code}
    return (
        members
        | {"detail": message}
        | {name: value for name, value in extra.items() if value not in (None, {}, [])}
    )


def encode(members: Mapping[str, Any]) -> bytes:
    """Return the bytes of an answer: the same members always give the same bytes."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def answer(members: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return a problem as a response."""
    return HttpResponse(
        encode(members), status=members["status"], content_type=CONTENT_TYPE, headers=dict(headers or {})
    )


def handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Turn whatever an API view raised into a problem; it never carries content of the request.

    A view may offer `problem_extra(is_away)`, whose members (the support block) are added to every refusal;
    with a store away it asks nobody whom it need not ask.
    """
    members, headers = _members(error)
    members |= _offered(context.get("view"), is_away=isinstance(error, AWAY))
    return answer(members, headers)


def _offered(view: Any, *, is_away: bool) -> dict[str, Any]:
    offer: Callable[..., dict[str, Any]] | None = getattr(view, "problem_extra", None)
    return offer(is_away=is_away) if offer else {}


def _members(error: Exception) -> tuple[dict[str, Any], dict[str, str]]:
    if isinstance(error, Problem):
        return problem(error.code, error.message, error.status_code, **error.extra), error.headers
    if isinstance(error, BodyRefused):
        return of_body(error), {}
    if isinstance(error, RuleBroken):
        wait = {"Retry-After": "1"} if error.code == IN_FLIGHT else {}
        return problem(error.code, error.message, error.status, **error.extra), wait
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, Http404):
        return problem("not_found", "There is nothing here for this key.", 404), {}
    if isinstance(error, PermissionDenied):
        return problem("forbidden", "This key may not use this address.", 403), {}
    return _of_fault(error)


def of_body(error: BodyRefused) -> dict[str, Any]:
    """Return the problem of a body that can't be read, with its place."""
    place = {"line": error.line, "column": error.column} if error.line else None
    return problem(error.code, error.message, error.status, place=place, pointer=error.pointer)


def _of_framework(error: exceptions.APIException) -> tuple[dict[str, Any], dict[str, str]]:
    headers: dict[str, str] = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait) + 1)  # type: ignore[attr-defined]
    code = str(error.get_codes()) if isinstance(error.detail, str) else error.default_code
    return problem(code, str(error.detail), error.status_code), headers


def _of_fault(error: Exception) -> tuple[dict[str, Any], dict[str, str]]:
    # The class and the trace only: a message of the database may quote a value of the row.
    wait = {"Retry-After": str(RETRY_SECONDS)}
    if isinstance(error, AWAY):
        log.error("database unreachable", exc_info=error)
        return problem("unavailable", "The service can't reach its store; send the same again.", 503), wait
    log.error("unexpected %s", type(error).__name__, extra={"place": _place(error)})
    return problem("unexpected", "Something went wrong on our side; send the same again.", 503), wait


def _place(error: Exception) -> list[str]:
    trace, steps = error.__traceback__, []
    while trace is not None:
        steps.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return steps[-6:]


def _title(code: str) -> str:
    return code.replace("_", " ").capitalize()
