"""With a trail that takes no row nobody sees and nothing is done: every door that leaves one, once more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.apps import apps
from django.db import connection
from psycopg import sql

from tests.walk.addresses import addresses
from tests.walk.doors import TRAIL, USE, Answer, Doors, undone
from tests.walk.locked import Knock
from tests.walk.pairs import admin_pairs, page_pairs
from tests.walk.rounds import CALLS, ROLES
from tests.walk.world import World

# A key that was made for somebody who then was not kept opens nothing: the keys' own tables are not compared.
MAIN = {
    model._meta.db_table
    for model in apps.get_models(include_auto_created=True)
    if model._meta.app_label != "keys"
}


@dataclass(frozen=True)
class Written:
    """A knock that was served, by which tables it wrote."""

    knock: Knock
    tables: frozenset[str]
    headers: dict[str, str]


def walk_unwritten(world: World, doors: Doors) -> tuple[int, int, list[str]]:
    """Return how many looks and how many commands were tried, and what was shown, done or answered wrongly.

    Asked first is who is let in where; what left a row then is asked again while neither the log of what was
    done nor the one of who looked takes any: 503, no planted word, and each table as it was.
    """
    served = [one for one in _served(world, doors) if one.tables & TRAIL]
    faults = []
    with undone():
        _break_trail()
        for one in served:
            with undone():
                faults += unlike_refused(world, doors, one)
    looks = sum(one.knock.method == "GET" for one in served)
    return looks, len(served) - looks, faults


def _served(world: World, doors: Doors) -> Iterator[Written]:
    for knock in _knocks(world):
        headers = {"Authorization": world.credentials[knock.who]} if knock.address.is_api else {}
        who = "nobody" if knock.address.is_api else knock.who
        answer = doors.ask(who, knock.method, knock.path, knock.data, **headers)
        if answer.is_good or answer.status in (302, 303):
            yield Written(replace(knock, who=who), answer.written, headers)


def _knocks(world: World) -> Iterator[Knock]:
    """Yield who is let in where and by what: rows and their commands, pages of each role, the API's calls."""
    by_name = page_pairs(world)
    for address in addresses():
        if address.access is None:
            continue
        if address.is_api:
            call = CALLS[address.name](world)
            yield Knock(address, call.first[0], call.method, address.path(**call.ids), call.body)
        elif not address.ids:
            for who in ROLES:
                if address.access.how == "roles" and str(world.people[who].role) in address.access.roles:
                    yield Knock(address, who, "GET", address.path(), {})
        elif address.access.how == "roles":
            for pair in admin_pairs(world, address) if address.is_admin else [by_name[address.name]]:
                for method in pair.methods if pair.first else ():
                    data = pair.data if method == "POST" else {}
                    yield Knock(address, pair.first, method, address.path(**pair.ids), data)


def unlike_refused(world: World, doors: Doors, one: Written) -> list[str]:
    """Return what a door showed or did while no row could be written."""
    knock = one.knock
    tables = (one.tables - TRAIL - USE) & MAIN
    with as_it_was(tables) as changed:
        answer = doors.ask(knock.who, knock.method, knock.path, knock.data, **one.headers)
    what = f"{knock.who} {knock.method} /{knock.address.pattern}"
    return [
        f"{what}: {fault}" for fault in (*_answered(world, answer), *(f"changed {name}" for name in changed))
    ]


def _answered(world: World, answer: Answer) -> Iterable[str]:
    if answer.status != 503:
        yield f"{answer.status}, expected 503"
    if "retry-after" not in answer.headers:
        yield "says no time to try again"
    text = answer.body.decode("utf-8", "replace")
    yield from (f"shows {word!r}" for word in world.planted if word in text)


@contextmanager
def as_it_was(tables: Iterable[str]) -> Iterator[list[str]]:
    """Compare each table's rows before and after what happens inside; names those that changed."""
    changed: list[str] = []
    before = {name: _digest(name) for name in sorted(tables)}
    yield changed
    changed += [name for name, digest in before.items() if _digest(name) != digest]


def _digest(table: str) -> str:
    rows = "SELECT md5(string_agg(one::text, chr(10) ORDER BY one::text)) FROM {} one"
    with _superuser() as cursor:
        cursor.execute(sql.SQL(rows).format(sql.Identifier(table)).as_string())
        return str(cursor.fetchone()[0])


def _break_trail() -> None:
    with _superuser() as cursor:
        for table in sorted(TRAIL):
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK (id IS NULL) NOT VALID")


@contextmanager
def _superuser() -> Iterator[Any]:
    """Work below row security, for a moment."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        yield cursor
        cursor.execute("SET LOCAL ROLE cortex_app")
