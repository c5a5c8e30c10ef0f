"""What the board's bench asks of Django, each in a process of its own: prepare, count, explain, profile."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
LARGE = 10_000
SQL_ROWS = """
    SELECT coalesce(p.relname, c.relname), sum(greatest(c.reltuples, 0)) FROM pg_class c
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relkind = 'r' GROUP BY 1 HAVING sum(greatest(c.reltuples, 0)) > %s
"""


def prepare() -> dict[str, Any]:
    """Put the counselors on shift, sign them in, and return their sessions and what waits (system role)."""
    from django.conf import settings

    from clinical.backoffice.synth import queries
    from clinical.backoffice.synth.actions import staff_desk
    from clinical.backoffice.synth.loading import machine
    from cortex.clock import clock
    from crisis.alerts.models import RiskAlert

    ids = queries.organization_ids()
    staff_desk(actor=machine(ids, ids[0]), organization_id=ids[0], at=clock())
    people = []
    for user in queries.counselors(ids[0]):
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session["_auth_user_id"] = str(user.pk)
        session["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
        session["_auth_user_hash"] = user.get_session_auth_hash()
        session.create()
        people.append((session.session_key, str(user.pk)))
    waiting = RiskAlert.objects.waiting().filter(organization_id=ids[0]).order_by("pk")
    opened = RiskAlert.objects.open().filter(organization_id=ids[0]).count()
    return {"people": people, "alerts": [str(pk) for pk in waiting.values_list("pk", flat=True)],
            "cards": opened, "organizations": [str(one) for one in ids]}  # fmt: skip


def count() -> int:
    """Return how many access rows of the board there are (system role)."""
    from cortex.audit.models import PhiAccessLog

    return PhiAccessLog.objects.filter(data_type="board").count()


def client(user: Any) -> Any:
    """Return a browser of Django's own that is signed in as somebody."""
    from django.test import Client

    browser = Client()
    browser.force_login(user)
    return browser


def staff() -> list[Any]:
    """Return the first counselor of the first organization and of another one (application role)."""
    from cortex.accounts.models import User

    emails = ("counselor0@synth-0.example", "counselor0@synth-1.example")
    return [User.objects.get(email=one) for one in emails]


def hot(api_key: str) -> dict[str, Any]:
    """Return the hot requests by name, each as a call."""
    from django.urls import reverse

    from crisis.alerts.models import RiskAlert

    mine, _ = staff()
    desk = client(mine)
    with _scope(mine):
        alert = RiskAlert.objects.open().filter(organization=mine.organization).urgent_first().first()
        assert alert is not None
        assert alert.patient is not None
        pseudonym = alert.patient.anonymous_id
    claim = reverse("crisis:alert_claim", args=[alert.pk])
    release = reverse("crisis:alert_release", args=[alert.pk])
    item = {"id": f"bench-{time.time_ns()}", "kind": "message", "patient": pseudonym, "role": "patient"}
    body = {"items": [item | {"session": "bench", "text": "Leo nimelala vizuri."}]}
    pages = {"board": "board", "my cases": "my_cases", "resolved": "resolved", "follow-ups": "followups",
             "reviews": "review_list", "duty": "duty", "watch": "watch"}  # fmt: skip
    calls: dict[str, Any] = {name: partial(desk.get, reverse(f"crisis:{url}")) for name, url in pages.items()}
    calls["claim"] = lambda: desk.post(claim)
    calls["alert page"] = lambda: desk.get(reverse("crisis:alert_page", args=[alert.pk]))
    calls["alert panel"] = lambda: desk.get(reverse("crisis:alert_preview", args=[alert.pk]))
    calls["release"] = lambda: desk.post(release, {"reason": "The bench gives it back."})
    calls["intake"] = lambda: desk.post(
        "/api/v1/intake", json.dumps(body), content_type="application/json",
        headers={"Authorization": f"Api-Key {api_key}"},
    )  # fmt: skip
    return calls


def _scope(user: Any) -> Any:
    from cortex.access.context import scoped
    from cortex.audit.actors import actor_of_user

    return scoped(actor_of_user(user))


def api_key() -> str:
    """Issue a key of the first organization (system role)."""
    from cortex.accounts.apikeys.actions import create_client, create_key
    from cortex.accounts.choices import Scope
    from cortex.audit import system

    mine, _ = staff()
    home = mine.organization_id
    made = create_client(actor=system("bench", home), organization_id=home, name=f"Bench {time.time_ns()}")
    return create_key(actor=system("bench", home), client_id=made.pk, scopes=list(Scope.values)).raw


def explain(key: str) -> dict[str, Any]:
    """Ask each hot request once, with its statements' plans; return what reads a large table whole.

    As the application, under its row security, planner settings untouched.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(SQL_ROWS, [LARGE])
        large = {name: int(rows) for name, rows in cursor.fetchall()}
    found: dict[str, Any] = {"large": large, "statements": {}, "scans": []}
    for name, call in hot(key).items():
        answer, plans = planned(call)
        if answer.status_code not in (200, 303):
            raise SystemExit(f"{name}: {answer.status_code}")
        found["statements"][name] = len(plans)
        for sql, plan in plans:
            for table in sorted(scanned(plan) & large.keys()):
                found["scans"].append({"request": name, "table": table, "sql": sql[:2000]})
    return found


def planned(call: Callable[[], Any]) -> tuple[Any, list[tuple[str, Any]]]:
    """Ask once; return the answer and each statement with the plan that it ran by."""
    from django.db import connection

    plans: list[tuple[str, Any]] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not many and sql.lstrip()[:6].upper() in ("SELECT", "UPDATE", "DELETE", "INSERT"):
            raw = context["connection"].connection
            # A statement that is planned once names its values by number, and its plan is that for any value.
            how, values = ("GENERIC_PLAN, ", None) if "$1" in sql else ("", params)
            with raw.cursor() as cursor:
                rows = cursor.execute(f"EXPLAIN ({how}FORMAT JSON) {sql}", values).fetchone()
                assert rows is not None
                plans.append((sql, rows[0][0]["Plan"]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        return call(), plans


def scanned(plan: dict[str, Any]) -> set[str]:
    """Return the tables that a plan reads from one end to the other."""
    found = {plan["Relation Name"].partition("_20")[0]} if plan["Node Type"].endswith("Seq Scan") else set()
    for inner in plan.get("Plans", ()):
        found |= scanned(inner)
    return found


def queries() -> dict[str, int]:
    """Return how many statements the board costs where 50 alerts wait, and where none does."""
    from django.db import connection

    counts = {}
    for name, user in zip(("busy", "quiet"), staff(), strict=True):
        browser = client(user)
        browser.get("/board/")
        asked: list[str] = []

        def look(execute: Any, sql: str, params: Any, many: bool, context: Any, asked: Any = asked) -> Any:
            asked.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(look):
            browser.get("/board/")
        counts[name] = len(asked)
    return counts


def profile() -> None:
    """Print where the board's time goes in one thread: by function, and each statement with its time."""
    import cProfile
    import logging
    import pstats

    from django.db import connection

    mine, _ = staff()
    browser = client(mine)
    logging.disable(logging.INFO)
    for _ in range(20):
        browser.get("/board/")
    asked: list[tuple[float, str]] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            asked.append((time.perf_counter() - begun, sql))

    with connection.execute_wrapper(look):
        browser.get("/board/")
    for took, sql in asked:
        print(f"{took * 1000:6.2f} ms  {sql[:160]}")
    begun, cpu = time.perf_counter(), time.process_time()
    for _ in range(100):
        browser.get("/board/")
    print(
        f"{(time.perf_counter() - begun) * 10:.2f} ms a page, CPU {(time.process_time() - cpu) * 10:.2f} ms"
    )
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(100):
        browser.get("/board/")
    profiler.disable()
    shown = pstats.Stats(profiler)
    shown.sort_stats("cumulative").print_stats(90)
    shown.sort_stats("tottime").print_stats(40)


def serve(port: int) -> None:
    """Serve as `manage.py up` does: one uvicorn for pages and sockets."""
    import socket

    from django.db import connections

    from cortex.ops.children import WEB_POOL, put_on_role, web

    # `up` has made them before it forks.
    for alias in connections:
        connections[alias]
    put_on_role("app", WEB_POOL)
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    web(listener).run()


if __name__ == "__main__":
    import django

    django.setup()
    task, *arguments = sys.argv[1:]
    if task == "serve":
        serve(int(arguments[0]))
    elif task == "profile":
        profile()
    else:
        print(json.dumps(globals()[task](*arguments)))
