"""What row-level security costs: with the policies as without them, hot reads go by their indexes."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cortex.access.context import scoped
from tests import stores
from tests.cast import Cast
from tests.makers import make_alert, scope_all, staff
from tests.unit.access.test_rows import rows

pytestmark = pytest.mark.django_db
LARGE = {"crisis_riskalert", "patients_patient"}


def multiply(table: str, source: Any, many: int, **values: str) -> None:
    """Copy a row so many times; `values` are SQL over `g`, the copy's number."""
    written = rows("SELECT column_name FROM information_schema.columns WHERE table_name = %s "
                   "AND is_generated = 'NEVER'", table)  # fmt: skip
    names = [name for (name,) in written]
    wanted = ", ".join(values.get(name, f'r."{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    copies = f'SELECT {wanted} FROM "{table}" r, generate_series(1, {many}) g WHERE r.id = %s'  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{table}" ({columns}) {copies}', [source])


def reads_of(sql: str, values: Any = None) -> tuple[set[str], set[str]]:
    """Return the indexes by which a statement reads the large tables, and which it reads from end to end.

    `values` are those of a statement that names them by number, since its plan stays with the connection.
    """
    # By what it reads the small ones beside them is the planner's choice among equals.
    named = rows("SELECT indexname FROM pg_indexes WHERE tablename = ANY(%s)", sorted(LARGE))
    theirs = {name for (name,) in named}
    found: set[str] = set()
    whole: set[str] = set()

    def walk(node: dict[str, Any]) -> None:
        if node.get("Index Name") in theirs:
            found.add(node["Index Name"])
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in LARGE:
            whole.add(node["Relation Name"])
        for part in node.get("Plans", []):
            walk(part)

    explained = f"EXPLAIN (FORMAT JSON) {sql}"
    if values is None:
        answer = rows(explained)
    else:
        with psycopg.RawCursor(connection.connection) as cursor:
            answer = cursor.execute(explained, values).fetchall()
    walk(answer[0][0][0]["Plan"])
    return found, whole


def test_the_board_and_the_look_for_a_person_use_their_indexes_as_without_policies(cast: Cast) -> None:
    alert = make_alert(cast.patient)
    cast.on_duty()
    with stores.role("cortex_system"):
        multiply("patients_patient", cast.patient.pk, 8000, id="gen_random_uuid()", anonymous_id="'T-' || g",
                     email_hash="NULL", mrn_hash="NULL")  # fmt: skip
        multiply("crisis_riskalert", alert.pk, 16000, id="gen_random_uuid()", status="'resolved'",
                     resolved_at="now() - interval '9 days'", organization_id=f"CASE WHEN mod(g, 2) = 0 THEN "
                     f"'{cast.elsewhere.pk}'::uuid ELSE r.organization_id END")  # fmt: skip
    with stores.role("cortex_owner"):
        rows_changed("ANALYZE")  # the small ones too: a table that is not known counts as ten pages
    client = Client()
    client.force_login(cast.cleo)
    numbered: dict[str, Any] = {}

    def note(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        if "$1" in sql:
            numbered[sql] = values
        return execute(sql, values, many, context)

    with CaptureQueriesContext(connection) as asked, connection.execute_wrapper(note):
        assert client.get(reverse("crisis:board")).status_code == 200
    told = [q["sql"] for q in asked]
    (board,) = [one for one in numbered if "ORDER BY place" in one]  # `crisis/desk/facts.py`
    (cards,) = [one for one in told if "level_since" in one and 'FROM "crisis_riskalert"' in one]
    look = f"SELECT * FROM patients_patient WHERE id = '{cast.patient.pk}'"  # noqa: S608
    name = "SELECT * FROM patients_patient WHERE anonymous_id = 'T-7'"
    # For a pseudonym there are two, of which either serves.
    needed = {board: ("alert_open", "alert_resolved"), cards: ("crisis_riskalert_pkey",),
              look: ("patients_patient_pkey",), name: ("patients_patient_anonymous_id",)}  # fmt: skip
    for sql, indexes in needed.items():
        with scoped(staff(cast.cleo)):
            found, whole = reads_of(sql, numbered.get(sql))
        with stores.role("cortex_system"):
            found_without, whole_without = reads_of(sql, numbered.get(sql))
        for used in (found, found_without):
            assert all(any(index.startswith(one) for index in used) for one in indexes), (used, sql)
        assert (whole, whole_without) == (set(), set()), sql
    scope_all()


def rows_changed(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
