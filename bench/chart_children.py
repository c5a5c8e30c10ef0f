"""What the chart's bench asks of Django, each in a process of its own: prepare, count, explain."""

from __future__ import annotations

import json
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.board_children import LARGE, SQL_ROWS, client, planned, scanned

LOOKS = ("chart", "caseload", "timeline")
ASKED = 10


def prepare() -> dict[str, Any]:
    """Sign the therapist of the long caseload in; return their session and their people (system role)."""
    from django.conf import settings

    from patients.care.models import CareTeamMember

    user = _therapist()
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.create()
    long, short = _people(user)
    mine = CareTeamMember.objects.filter(user=user, ends_at__isnull=True).order_by("pk")
    people = [str(pk) for pk in mine.values_list("patient_id", flat=True)]
    return {"cookie": session.session_key, "long": long, "short": short, "people": people}


def _therapist() -> Any:
    from clinical.backoffice.synth import queries

    return queries.treating(queries.organization_ids()[0])


def _people(user: Any) -> tuple[list[str], list[str]]:
    """Return some with ten years on record, and some with one."""
    from datetime import timedelta

    from cortex.clock import clock
    from patients.care.models import CareTeamMember
    from patients.sessions.models import Session

    mine = CareTeamMember.objects.filter(user=user, ends_at__isnull=True).values("patient_id")
    old = Session.objects.filter(patient_id__in=mine, started_at__lt=clock() - timedelta(days=3_000))
    long = {str(pk) for pk in old.values_list("patient_id", flat=True).distinct()}
    every = {str(pk) for pk in mine.values_list("patient_id", flat=True)}
    return sorted(long)[:20], sorted(every - long)[:20]


def count() -> int:
    """Return how many access rows of the therapist's pages there are (system role)."""
    from cortex.audit.models import PhiAccessLog

    return PhiAccessLog.objects.filter(data_type__in=LOOKS).count()


def explain() -> dict[str, Any]:
    """Ask each page once with its statements' plans, as the application, planner settings untouched."""
    from django.db import connection

    from cortex.access.context import scoped
    from cortex.audit.actors import actor_of_user

    with connection.cursor() as cursor:
        cursor.execute(SQL_ROWS, [LARGE])
        large = {name: int(rows) for name, rows in cursor.fetchall()}
    user = _therapist()
    with scoped(actor_of_user(user)):
        long, short = _people(user)
    browser = client(user)
    # Several people each: somebody without an alert costs no question about its steps, however old.
    pages = {
        "overview, ten years": [f"/charts/{one}/" for one in long[:ASKED]],
        "overview, one year": [f"/charts/{one}/" for one in short[:ASKED]],
        "timeline, ten years": [f"/charts/{one}/timeline/" for one in long[:ASKED]],
        "timeline, one year": [f"/charts/{one}/timeline/" for one in short[:ASKED]],
        "caseload": ["/caseload/"],
    }
    found: dict[str, Any] = {"large": large, "statements": {}, "scans": []}
    for paths in pages.values():
        browser.get(paths[0])
    for name, paths in pages.items():
        found["statements"][name] = max(_asked(browser, name, path, found) for path in paths)
    return found


def _asked(browser: Any, name: str, path: str, found: dict[str, Any]) -> int:
    """Ask for a page; note plans that read a large table whole; return how many statements it took."""
    answer, plans = planned(partial(browser.get, path))
    if answer.status_code != 200:
        raise SystemExit(f"{name}: {answer.status_code}")
    for sql, plan in plans:
        for table in sorted(scanned(plan) & found["large"].keys()):
            found["scans"].append({"page": name, "table": table, "sql": sql[:2000]})
    return len(plans)


if __name__ == "__main__":
    import django

    django.setup()
    task, *arguments = sys.argv[1:]
    print(json.dumps(globals()[task](*arguments)))
