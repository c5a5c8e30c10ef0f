"""Knocks at one address as one person, undoes what came of it, and checks the answer."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.test import Client
from django.urls import resolve

from cortex.access.context import set_scope
from cortex.audit.models import AuditLog, PhiAccessLog
from patients.registry.models import Patient
from tests import makers
from tests.walk.reads import QUIET, Reads, reads, unmatched, unnamed
from tests.walk.world import World

CSP = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "font-src 'self'",
    "connect-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
    "manifest-src 'none'", "report-uri /csp-reports", "report-to csp",
}  # fmt: skip
# A file that leaves as an attachment may do nothing at all.
FILE_CSP = {"default-src 'none'", "sandbox"}
WRITES = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE)
RENEW_SECONDS = 240
TRAIL = frozenset({"audit_phiaccesslog", "audit_auditlog"})
# Sessions, when a key was last used, and when somebody last opened whose chart.
USE = frozenset(
    {"django_session", "accounts_sessionstate", "usersessions_usersession", "accounts_apikey",
     "clinical_casemark"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and what the request wrote."""

    status: int
    body: bytes
    location: str
    written: frozenset[str]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether the page was given: 2xx, a form's 422, or a redirect that follows a command."""
        return 200 <= self.status < 300 or self.status == 422


class Knocker(Client):
    """Django's client that keeps nothing of a page's templates: thousands of contexts would be copied."""

    def request(self, **request: Any) -> Any:
        """Send one request through all middleware and return the answer."""
        return self.handler(self._base_environ(**request))


class Doors:
    """Asks for addresses; checks each answer for headers, leaks and writes; faults gather in `faults`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults: list[str] = []
        self.asked = 0
        self.compared = 0
        self.quiet: set[str] = set()
        self.everybody = set(Patient.objects.values_list("pk", flat=True))
        # Just typed; whoever walks lets that count to the end, and what asks again has its own tests.
        self.cookies = {name: makers.session_of(user) for name, user in world.people.items()}
        self.client = Knocker()
        self.renewed_at = float("-inf")
        self.renew()
        self.known = set(PhiAccessLog.objects.values_list("pk", flat=True))
        self.told = set(AuditLog.objects.values_list("pk", flat=True))

    def renew(self) -> None:
        """Let nobody's session grow idle: what each request did to its clocks is undone."""
        if time.monotonic() - self.renewed_at < RENEW_SECONDS:
            return
        for cookie in self.cookies.values():
            self.client.cookies[settings.SESSION_COOKIE_NAME] = cookie
            self.client.get("/me/")
        self.renewed_at = time.monotonic()

    def ask(self, who: str, method: str, path: str, data: Any = None, **headers: str) -> Answer:
        """Send one request as this person ("nobody": signed out) and undo everything that it wrote."""
        self.renew()
        client = self.client
        client.cookies.clear()
        if who in self.cookies:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.cookies[who]
        self.asked += 1
        with undone(), written() as tables:
            set_scope(None)
            with reads() as read:
                response = client.generic(method, path, **_body(method, data), headers=headers)
            rows = self._access_rows() if "audit_phiaccesslog" in tables else []
            done = self._done_to() if method == "POST" and "audit_auditlog" in tables else set()
        answer = Answer(
            response.status_code, response.content, response.get("Location", ""), frozenset(tables),
            {name.lower(): value for name, value in response.items()},
        )  # fmt: skip
        self.check(f"{who} {method} {path}", answer, rows)
        if answer.is_good or (method, answer.status) == ("POST", 303):
            self.compare(f"{who} {method} {path}", read, named_by(rows), done)
        if answer.is_good and answer.body:
            self.compare_loaded(who, method, path, unnamed(read, named_by(rows), self.everybody - done))
        return answer

    def compare(self, what: str, read: Reads, named: set[UUID], done: Set[UUID] = frozenset()) -> None:
        """Note whom a page read without saying so, and whom it named without having read anything.

        What a command opened of those to whom it did something (`done`) stands in the trail by its own row.
        """
        self.faults += [f"{what}: {fault}" for fault in unmatched(read, named, self.everybody - done)]
        self.compared += bool(read.opened & self.everybody)

    def compare_loaded(self, who: str, method: str, path: str, found: list[str]) -> None:
        """Note of whom a page loaded rows without naming them, but where that was reviewed (QUIET)."""
        door = f"{method} /{resolve(path.partition('?')[0]).route}"
        if found and door in QUIET:
            self.quiet.add(door)
        elif found:
            self.faults += [f"{who} {method} {path}: {one}" for one in found]

    def _done_to(self) -> set[UUID]:
        """Return about whom this request left rows of the trail."""
        rows = AuditLog.objects.order_by("-pk").values_list("pk", "subject")[:50]
        return {subject for pk, subject in rows if pk not in self.told and subject is not None}

    def _access_rows(self) -> list[PhiAccessLog]:
        """Return what this request wrote: everything else was there before, since each one is undone."""
        return [row for row in PhiAccessLog.objects.order_by("-pk")[:20] if row.pk not in self.known]

    def check(self, what: str, answer: Answer, rows: list[PhiAccessLog]) -> None:
        """Note every fault of an answer."""
        if answer.status >= 500:
            self.faults.append(f"{what}: {answer.status}")
        self.faults += [f"{what}: {fault}" for fault in header_faults(answer)]
        self.faults += [f"{what}: {fault}" for fault in leaks(self.world.planted, answer.body, rows)]
        method = what.split()[1]
        allowed = TRAIL | USE
        if method == "GET" and answer.written - allowed:
            self.faults.append(f"{what}: a GET wrote {sorted(answer.written - allowed)}")
        if answer.status in (401, 403, 404) and answer.written - allowed:
            self.faults.append(f"{what}: a refused request wrote {sorted(answer.written - allowed)}")


def named_by(rows: list[PhiAccessLog]) -> set[UUID]:
    """Return everybody whom these access rows name."""
    return {subject for row in rows for subject in (row.subject, *row.subjects) if subject is not None}


def leaks(planted: dict[str, UUID], body: bytes, rows: list[PhiAccessLog]) -> list[str]:
    """Return the planted words in a body whose owner no access row of this request names."""
    named = named_by(rows)
    text = body.decode("utf-8", "replace")
    return [f"shows {word!r} without an access row" for word, owner in planted.items()
            if word in text and owner not in named]  # fmt: skip


def header_faults(answer: Answer) -> list[str]:
    """Return what is missing from the security headers of an answer."""
    headers, found = answer.headers, []
    policy = {part.strip() for part in headers.get("content-security-policy", "").split(";") if part.strip()}
    is_file = headers.get("content-disposition", "").startswith("attachment")
    if policy != CSP and not (is_file and policy >= FILE_CSP):
        found.append(f"content security policy is {sorted(policy ^ CSP)} off")
    expected = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
    }
    found += [
        f"{name} is {headers.get(name)!r}" for name, value in expected.items() if headers.get(name) != value
    ]
    return found


@contextmanager
def undone() -> Iterator[None]:
    """Roll everything back that happens inside, on both databases."""
    main, keys = transaction.atomic(), transaction.atomic(using="keys")
    main._from_testcase = keys._from_testcase = True  # type: ignore[attr-defined]  # keys commit durably inside
    with main, keys:
        yield
        transaction.set_rollback(True)
        transaction.set_rollback(True, using="keys")


@contextmanager
def written() -> Iterator[set[str]]:
    """Gather the names of tables that statements wrote to."""
    tables: set[str] = set()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = WRITES.match(str(sql))
        if found:
            tables.add(found.group(1))
        return execute(sql, params, many, context)

    with connections["default"].execute_wrapper(watch), connections["keys"].execute_wrapper(watch):
        yield tables


def _body(method: str, data: Any) -> dict[str, Any]:
    if method == "GET":
        return {}
    if isinstance(data, bytes):
        return {"data": data, "content_type": "application/json"}
    from urllib.parse import urlencode

    encoded = urlencode(data or {}, doseq=True)
    return {"data": encoded.encode(), "content_type": "application/x-www-form-urlencoded"}
