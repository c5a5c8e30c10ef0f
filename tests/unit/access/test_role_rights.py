"""What the roles of the running processes can't do in either database, by PostgreSQL's own catalogue."""

from __future__ import annotations

import pytest
from django.db import connections

pytestmark = pytest.mark.django_db
ALIASES = ("default", "keys")
ROLES = ("cortex_app", "cortex_system")


def ask(alias: str, sql: str, *values: object) -> list[tuple[object, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("role", ROLES)
def test_no_process_changes_the_schema_or_empties_a_table(alias: str, role: str) -> None:
    assert ask(alias, "SELECT has_schema_privilege(%s, 'public', 'CREATE')", role) == [(False,)]
    more = ask(alias, "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles "
                      "WHERE rolname = %s", role)  # fmt: skip
    assert more == [(False, False, False, False)]
    tables = "FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    assert ask(alias, f"SELECT relname {tables} AND has_table_privilege(%s, oid, 'TRUNCATE')", role) == []
    assert ask(alias, f"SELECT relname {tables} AND pg_get_userbyid(relowner) = %s", role) == []
    assert ask(alias, f"SELECT count(*) > 1 {tables}") == [(True,)]


@pytest.mark.parametrize("role", ROLES)
def test_the_list_of_migrations_is_nobodys_to_write(role: str) -> None:
    for right in ("INSERT", "UPDATE", "DELETE"):
        rows = ask("default", "SELECT has_table_privilege(%s, 'django_migrations', %s)", role, right)
        assert rows == [(False,)], right


def test_the_application_is_bound_by_row_level_security() -> None:
    assert ask("default", "SELECT rolbypassrls FROM pg_roles WHERE rolname = 'cortex_app'") == [(False,)]
