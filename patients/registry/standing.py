"""The SQL of one question, made once by Django: which of these people does a relationship open to a user.

Making it takes several times as long as answering it, and every page of a chart asks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet

from cortex.accounts.models import User
from cortex.clock import Moment
from patients.registry.predicate import parts_for

# Values that stand for the real ones while the SQL is made; they occur nowhere else in it.
USER, HOUSE, SUBJECT = (UUID(int=2**127 + number) for number in (11, 12, 13))
AT = datetime(1907, 3, 5, 7, 11, 13, 171_717, tzinfo=UTC)
STANDS_FOR: dict[Any, str] = {USER: "user", HOUSE: "house", AT: "at"}
# Given a user, the subjects, a time and a permission, the queryset whose rows answer.
Question = Callable[[Any, Collection[UUID], Moment, str], "QuerySet[Any, Any]"]


@dataclass(frozen=True, slots=True)
class _Kept:
    """SQL with its values, some of which stand for those of a question; empty SQL: nobody is ever reached."""

    sql: str
    values: tuple[Any, ...]

    def filled(self, **real: Any) -> list[Any]:
        """Return the values with the real ones in their places."""
        return [
            real["subjects"] if one == [SUBJECT] else
            real[STANDS_FOR[one]] if isinstance(one, (UUID, datetime)) and one in STANDS_FOR else one
            for one in self.values
        ]  # fmt: skip


_KEPT: dict[tuple[Any, ...], _Kept] = {}


def answer(
    question: Question, user: User, subjects: Collection[UUID], at: Moment, permission: str
) -> list[tuple[Any, ...]]:
    """Return the rows of `question`; its SQL is kept where all parts of the permission are plain."""
    parts = parts_for(permission)
    if not all(part.plain for part in parts):
        return list(question(user, subjects, at, permission))
    key = (question, permission, user.role, isinstance(at, datetime), *parts)
    kept = _KEPT.get(key)
    if kept is None:
        kept = _KEPT[key] = _made(question, user.role, at, permission)
    if not kept.sql or not subjects:
        return []
    values = kept.filled(user=user.pk, house=user.organization_id, at=at, subjects=list(subjects))
    with connection.cursor() as cursor:
        cursor.execute(kept.sql, values)
        return list(cursor.fetchall())


def _made(question: Question, role: str, at: Moment, permission: str) -> _Kept:
    anybody = User(pk=USER, organization_id=HOUSE, role=role, is_active=True)
    rows = question(anybody, [SUBJECT], AT if isinstance(at, datetime) else at, permission)
    try:
        sql, values = rows.query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
    except EmptyResultSet:
        return _Kept("", ())
    return _Kept(sql, tuple(values))
