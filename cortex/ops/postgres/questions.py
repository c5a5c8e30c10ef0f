"""Queries whose SQL Django makes once and whose plan a connection keeps: afterwards only values are sent.

For the statements of a page, making the SQL takes Django longer than answering takes PostgreSQL, and planning
takes PostgreSQL as long as answering. What varies from call to call (ids, times, words that say so, lists of
ids or of such words) is an argument; every other argument is part of the question, and each of its values
gets SQL of its own. Not for questions with a free number of parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError
from django.utils.timezone import get_current_timezone
from psycopg import sql as psql

from cortex.ops.postgres.planned import planned_cursor

Row = TypeVar("Row")
# Values that stand for the arguments while the SQL is made; none is a value that anybody asks with.
UUIDS = [UUID(int=2**127 + 4241 + number) for number in range(8)]
TIMES = [datetime(1907, 3, 5, 7, 11, 13, 171_717 + number, tzinfo=UTC) for number in range(8)]
DAYS = [date(1907, 6, 1 + number) for number in range(8)]
NO_TIME = datetime(1950, 1, 1, tzinfo=UTC)


class Word(str):
    """A text that varies from call to call, such as a pseudonym; a plain one is part of the question.

    Lists of them are asked for by `among`, which is one array where Django's `in` grows with each.
    """

    __slots__ = ()


WORDS = [Word(f"\ue000{number}\ue001") for number in range(8)]


@dataclass(frozen=True, slots=True)
class Shape:
    """One question as Django made it: its SQL, its values, and which of them are whose argument."""

    queryset: QuerySet[Any, Any]
    compiler: Any
    using: str
    sql: str
    values: tuple[Any, ...]
    places: tuple[tuple[int, int], ...]
    # The same for a cursor that plans once: what varies by number, in the order of `numbers`; all else is
    # written out, so that a plan for any value still knows which partial indexes fit.
    planned: str
    numbers: tuple[int, ...]
    # How each column is read; Django would ask every field anew with each statement.
    converters: dict[int, Any]

    def filled(self, arguments: tuple[Any, ...]) -> list[Any]:
        """Return the values of the statement for these arguments."""
        values = list(self.values)
        for place, number in self.places:
            values[place] = _sent(arguments[number])
        return values

    def rows(self, arguments: tuple[Any, ...], *, each_time: bool = False) -> list[Any]:
        """Ask, and return what the queryset would: instances with what is joined or prefetched, or values.

        Planned once, or `each_time` for the values, which then stand in the statement.
        Raise TransactionManagementError for a lock that nothing would hold.
        """
        if self.queryset.query.select_for_update and not connections[self.using].in_atomic_block:
            raise TransactionManagementError("A lock is held by a transaction, and there is none.")
        query, compiler = _twin(self.queryset.query), _twin(self.compiler)
        compiler.query, compiler.connection = query, connections[self.using]
        if each_time:
            asked = (self.sql, self.filled(arguments))
        else:
            asked = (self.planned, [_sent(arguments[number]) for number in self.numbers])
            compiler.connection = Planning(compiler.connection)
        compiler.as_sql = lambda *given, **named: asked
        compiler.get_converters = lambda columns: self.converters
        query.get_compiler = lambda *given, **named: compiler
        queryset = _twin(self.queryset)
        queryset._query, queryset._result_cache, queryset._prefetch_done = query, None, False
        return list(queryset)


class Planning:
    """A connection of Django's whose cursors plan once."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def cursor(self) -> Any:
        """Return such a cursor."""
        return planned_cursor(self.connection)


class Kept(Generic[Row]):
    """A function that builds a queryset from what varies (see above), called for its rows.

    One that asks `partly` may leave arguments out where others, which are part of the question, say so. One
    that is planned `each_time` keeps its SQL alone: where some values have ten rows and others ten thousand.
    """

    def __init__(
        self, build: Callable[..., QuerySet[Any, Row]], *, partly: bool = False, each_time: bool = False
    ) -> None:
        self.build, self.partly, self.each_time = build, partly, each_time
        self.shapes: dict[tuple[Any, ...], Shape | None] = {}

    def __call__(self, *arguments: Any) -> list[Row]:
        """Return the rows; TypeError when `build` reckons with an argument instead of passing it on."""
        shape = self.shape_of(arguments)
        return [] if shape is None else shape.rows(arguments, each_time=self.each_time)

    def shape_of(self, arguments: tuple[Any, ...]) -> Shape | None:
        """Return what these arguments ask, made when it is first asked; None where nobody is asked."""
        # The zone of the moment stands in the SQL of every day that is taken from a time.
        key = (get_current_timezone(), *map(_kind, arguments))
        if key not in self.shapes:
            self.shapes[key] = self._make(arguments)
        return self.shapes[key]

    def _make(self, arguments: tuple[Any, ...]) -> Shape | None:
        standing = [_stand_in(one, number) for number, one in enumerate(arguments)]
        queryset = self.build(*standing)
        compiler = queryset.query.get_compiler(queryset.db)
        try:
            sql, values = compiler.as_sql()
        except EmptyResultSet:
            return None  # an empty list, or a question that nothing answers: nobody is asked
        places = []
        for place, value in enumerate(values):
            whose = [number for number, one in enumerate(standing) if _is_same(value, one, arguments[number])]
            places += [(place, number) for number in whose[:1]]
            if not whose and _is_reckoned(value):
                raise TypeError(f"{self.build.__qualname__} reckons with an argument; pass what comes of it.")
        missing = {n for n, one in enumerate(arguments) if _varies(one)} - {n for _, n in places}
        if missing and not self.partly:
            raise TypeError(f"{self.build.__qualname__} doesn't ask with its arguments {sorted(missing)}.")
        planned, numbers = _written_out(sql, values, dict(places), connections[queryset.db])
        columns = [column for column, _, _ in compiler.select[: compiler.col_count]]
        return Shape(
            queryset, compiler, queryset.db, sql, tuple(values), tuple(places), planned, numbers,
            compiler.get_converters(columns),
        )  # fmt: skip


def kept(
    build: Callable[..., QuerySet[Any, Row]], *, partly: bool = False, each_time: bool = False
) -> Kept[Row]:
    """Keep the SQL of a function that builds a queryset; calling it then returns the rows."""
    return Kept(build, partly=partly, each_time=each_time)


def _written_out(
    sql: str, values: Sequence[Any], whose: dict[int, int], connection: Any
) -> tuple[str, tuple[int, ...]]:
    """Return a statement with $1, $2, … for the arguments and all else written out, and whose those are."""
    numbers = tuple(dict.fromkeys(whose[place] for place in sorted(whose)))
    connection.ensure_connection()
    place = -1

    def put(found: re.Match[str]) -> str:
        nonlocal place
        if found[0] == "%%":
            return "%"
        place += 1
        if place in whose:
            return f"${numbers.index(whose[place]) + 1}"
        return psql.Literal(values[place]).as_string(connection.connection)

    return re.sub("%[%s]", put, sql), numbers


def _sent(argument: Any) -> Any:
    """Return an argument as it is sent: one value, or a list without repeats."""
    if isinstance(argument, Word):
        return str(argument)
    if isinstance(argument, (UUID, date)):
        return argument
    return [str(one) if isinstance(one, Word) else one for one in dict.fromkeys(argument)]


def _varies(argument: Any) -> bool:
    return isinstance(argument, (UUID, date, Word)) or _is_listed(argument)


def _is_listed(argument: Any) -> bool:
    return (
        isinstance(argument, Collection)
        and not isinstance(argument, str)
        and bool(argument)
        and isinstance(next(iter(argument)), (UUID, Word))
    )


def _kind(argument: Any) -> Any:
    """Return what of an argument is part of the question."""
    if isinstance(argument, (UUID, date, Word)):
        return type(argument)
    if _is_listed(argument):
        return list, type(next(iter(argument)))
    if isinstance(argument, Iterator):
        raise TypeError("An argument is asked with more than once; pass a list.")
    listed = isinstance(argument, Collection) and not isinstance(argument, (str, bytes, dict))
    return tuple(argument) if listed else argument


def _stand_in(argument: Any, number: int) -> Any:
    if isinstance(argument, datetime):
        return TIMES[number]
    if isinstance(argument, date):
        return DAYS[number]
    if isinstance(argument, UUID):
        return UUIDS[number]
    if isinstance(argument, Word):
        return WORDS[number]
    if not _is_listed(argument):
        return argument
    return [UUIDS[number] if isinstance(next(iter(argument)), UUID) else WORDS[number]]


def _is_same(value: Any, standing: Any, argument: Any) -> bool:
    return _varies(argument) and type(value) is type(standing) and bool(value == standing)


def _is_reckoned(value: Any) -> bool:
    """Whether a value of the statement was made from one that stands for an argument."""
    if isinstance(value, datetime):
        return value < NO_TIME
    if isinstance(value, date):
        return value < NO_TIME.date()
    if isinstance(value, timedelta):
        return abs(value) > timedelta(days=365 * 50)
    text = str(value)
    return any(one.hex in text.replace("-", "") for one in UUIDS) or any(one in text for one in WORDS)


def _twin(one: Any) -> Any:
    """Return a copy that shares everything; Django's own way of copying would ask the database first."""
    other = object.__new__(type(one))
    other.__dict__.update(one.__dict__)
    return other
