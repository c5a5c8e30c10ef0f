"""The stores that the tests run on are the real ones, with the real roles."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection, connections

from cortex.api.throttle import client


@pytest.mark.django_db
def test_the_application_is_no_superuser_and_sees_the_main_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, version()")
        user, version = cursor.fetchone()
    assert user == "cortex_app"
    assert version.startswith("PostgreSQL 18")


@pytest.mark.django_db
def test_keys_live_in_a_cluster_of_their_own() -> None:
    identifiers = []
    for alias in ("default", "keys"):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT system_identifier FROM pg_control_system()")
            identifiers.append(cursor.fetchone()[0])
    assert identifiers[0] != identifiers[1]


@pytest.mark.django_db
def test_the_system_role_can_be_put_on(as_system: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone()[0] == "cortex_system"


@pytest.mark.parametrize("ask", [lambda: cache.get("x"), lambda: cache.add("x", 1)])
def test_djangos_cache_is_used_by_nobody(ask: Callable[[], object]) -> None:
    with pytest.raises(NotImplementedError):
        ask()


def test_redis_answers() -> None:
    client().set("probe", 1, 5)
    assert client().get("probe") == b"1"
