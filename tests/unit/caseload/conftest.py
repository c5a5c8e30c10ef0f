"""A process that keeps nothing yet, and a watch over whom it reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from clinical.caseload import lines
from clinical.caseload.known import queries as known
from clinical.caseload.queries import Case, caseload
from cortex.ops.held import Held
from tests import makers
from tests.cast import Cast


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    known.forget()
    lines.forget()
    yield
    known.forget()
    lines.forget()


def kept(cast: Cast, at: datetime) -> list[Case]:
    makers.scope_all()
    return caseload(cast.alice, at)


def known_of(cast: Cast, at: datetime) -> list[Any]:
    """The list, and what is known behind it: also measures that are due one day, and what labels may shut."""
    cases = kept(cast, at)
    linked = {case.who.pk: case.linked for case in cases}
    read = known.known([(case.who, case.since) for case in cases], linked, cast.home.pk, at)
    behind = [
        (one.level, one.courses, one.off_track, one.due, one.contact._replace(until=None))
        for one in read.values()
    ]
    return [*cases, *behind]


def anew(cast: Cast, at: datetime, look: Any = kept) -> Any:
    """The list as a process makes it that has just begun, whatever this one keeps."""
    own, known.KNOWN = known.KNOWN, Held(100, 100, lambda one: 1)
    try:
        return look(cast, at)
    finally:
        known.KNOWN = own


def known_anew(cast: Cast, at: datetime) -> Any:
    """The same as `known_of`, as such a process makes it."""
    return anew(cast, at, known_of)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every measure can be asked, the screener among them, whose text an operator loads."""
    monkeypatch.setattr(known.planning, "askable", lambda rows: {row.key: row.title for row in rows})


class Reading:
    """Counts how many people are read anew."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.people: list[Any] = []
        read = known._read

        def watched(missing: Any, *rest: Any) -> Any:
            self.people += [one.pk for _, one, _ in missing]
            return read(missing, *rest)

        monkeypatch.setattr(known, "_read", watched)

    def taken(self) -> list[Any]:
        """Return whom, since this was asked last."""
        found, self.people = self.people, []
        return found


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Reading:
    return Reading(monkeypatch)
