"""Whose words a request opened and whose rows it loaded, as the lowest layers saw it, below every query."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

from django.db.models import Model

from cortex.crypto.keys import DataKey
from patients.care.queries import Treated
from patients.registry.models import Patient

# Pages that load rows of people whom they don't show, with the reason: reviewed, and each must still be one.
QUIET = dict(
    line.split(": ", 1) for line in (Path(__file__).parents[1] / "quiet_looks.txt").read_text().splitlines()
)


@dataclass
class Reads:
    """Subjects by what happened: `opened` had sealed words turned into text, `loaded` which rows or lines."""

    opened: set[UUID] = field(default_factory=set)
    loaded: dict[UUID, set[str]] = field(default_factory=dict)


@contextmanager
def reads() -> Iterator[Reads]:
    """Gather what is read inside: each value that a data key opens, each instance that a query makes.

    The subject is taken from the associated data that the value was sealed with, its last sixteen bytes,
    and not from the access context, whose book-keeping is what is being tested.
    """
    found, unseal, from_db = Reads(), DataKey.unseal, Model.from_db.__func__
    listed = Treated.__init__

    def opening(key: DataKey, blob: bytes, aad: bytes) -> bytes:
        found.opened.add(UUID(bytes=aad[-16:]))
        return unseal(key, blob, aad)

    def loading(cls: type[Model], db: str, names: Any, values: Any) -> Any:
        row = from_db(cls, db, names, values)
        one = row.pk if cls is Patient else row.__dict__.get("patient_id")
        if isinstance(one, UUID):
            found.loaded.setdefault(one, set()).add(cls._meta.label)
        return row

    def listing(one: Treated, pk: UUID, *values: Any) -> None:
        found.loaded.setdefault(pk, set()).add("Treated")
        listed(one, pk, *values)

    with (
        mock.patch.object(Treated, "__init__", listing),
        mock.patch.object(DataKey, "unseal", opening),
        mock.patch.object(Model, "from_db", classmethod(loading)),
    ):
        yield found


def unmatched(read: Reads, named: set[UUID], people: set[UUID]) -> list[str]:
    """Return what doesn't match between the people who were read and those whom the access rows name."""
    silent = (read.opened & people) - named
    empty = (named & people) - read.opened - read.loaded.keys()
    return [f"opened words of {one}, whom no access row names" for one in sorted(silent)] + [
        f"has an access row about {one}, of whom nothing was read" for one in sorted(empty)
    ]


def unnamed(read: Reads, named: set[UUID], people: set[UUID]) -> list[str]:
    """Return of whom rows were loaded for an answer, no sealed word opened, and no access row names them."""
    silent = (read.loaded.keys() & people) - read.opened - named
    return [
        f"loaded {' '.join(sorted(read.loaded[one]))} of {one}, whom no access row names"
        for one in sorted(silent)
    ]
