"""Walks the chain and names the first row that does not hold; with public keys alone, and without Django.

`python -m cortex.audit.verifier --database … --keys … --anchors …` is the auditor's own program: it needs a
database role that may read the four tables of the trail, the file of public keys (`manage.py audit_key`
prints them) and a copy of the anchors; no secret of the house, none of its settings. It changes nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cortex.audit import anchors, canonical, publickeys
from cortex.audit.canonical import GENESIS, microseconds

CHUNK = 5000
BEFORE_ALL = -(2**63)
LINKS = """
    SELECT number, trail, row_id, row_digest, previous_hash, hash, signature, key_id, linked_at
    FROM audit_auditlink WHERE number > %s ORDER BY number LIMIT %s
"""
UNLINKED = """
    SELECT id FROM {table} AS row
    WHERE NOT EXISTS (SELECT 1 FROM audit_auditlink WHERE row_id = row.id AND trail = %s)
      AND NOT EXISTS (SELECT 1 FROM audit_auditinbox WHERE row_id = row.id AND trail = %s)
    LIMIT 1
"""
IS_OLD = """
    SELECT linked_at < clock_timestamp() - interval '10 minutes'
    FROM audit_auditlink ORDER BY number LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the walk found: rows linked, rows still waiting, and the first bad place with its reason."""

    links: int
    waiting: int
    bad_number: int | None = None
    bad_row: str = ""
    reason: str = ""

    @property
    def holds(self) -> bool:
        """Whether everything up to the last link is as it was written."""
        return not self.reason

    def __str__(self) -> str:
        if self.holds:
            return (
                f"The trail holds: {self.links} rows linked, {self.waiting} waiting for the next second. "
                "The waiting ones are guarded by grants and triggers alone."
            )
        return f"The trail does NOT hold at link {self.bad_number} ({self.bad_row}): {self.reason}."


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the chain's table."""

    number: int
    trail: str
    row_id: UUID
    row_digest: bytes
    previous_hash: bytes
    hash: bytes
    signature: bytes | None
    key_id: str
    linked_at: Any


def verify(cursor: Any, keys: publickeys.Keys, path: Path | None = None) -> Verdict:
    """Check numbers, links, digests, signatures, times and the highest anchor, in that order.

    `cursor` is any cursor of psycopg or of Django, in UTC; `path` is the file of anchors.
    """
    # Before the walk: the chain only grows, so it must hold whatever was anchored by now.
    anchor = anchors.highest(path) if path is not None else None
    walk = _Walk(cursor, keys, anchor)
    start = BEFORE_ALL
    while links := _links(cursor, start):
        if reason := walk.chunk(links):
            return walk.verdict(reason)
        start = links[-1].number
    return walk.verdict(walk.tail() or walk.unlinked() or walk.against_anchor(expected=path is not None))


class _Walk:
    def __init__(self, cursor: Any, keys: publickeys.Keys, anchor: anchors.Anchor | None) -> None:
        self.cursor, self.keys, self.anchor = cursor, keys, anchor
        self.number, self.previous, self.at = 0, GENESIS, 0
        self.signed, self.row = True, ""
        self.anchored: bytes | None = None

    def chunk(self, links: list[Link]) -> str:
        pairs = [(link.trail, link.row_id) for link in links]
        found = {(trail, row_id): row for row_id, trail, row in canonical.rows(self.cursor, pairs)}
        for link in links:
            self.row = f"{link.trail} {link.row_id}"
            reason = self._link(link, found.get((link.trail, link.row_id)))
            if reason:
                return reason
        return ""

    def _link(self, link: Link, row: dict[str, Any] | None) -> str:
        self.number += 1
        at = microseconds(link.linked_at)
        if link.number != self.number:
            return "a link is missing" if link.number > self.number else "a link was put in before the first"
        if row is None:
            return "the row is gone"
        digests = (canonical.digest(link.trail, row, version) for version in canonical.VERSIONS)
        if link.row_digest not in digests:
            return "the row was changed after it was written"
        if link.previous_hash != self.previous:
            return "the chain was cut here"
        value = canonical.link_hash(
            link.number, link.trail, link.row_id.bytes, link.row_digest, self.previous, at
        )
        if value != link.hash:
            return "the link was rewritten"
        if at < self.at:
            return "the clock ran backwards"
        self.signed = link.signature is not None
        if self.signed and link.key_id not in self.keys:
            return "it is signed by a key that is not on the list"
        if self.signed and not publickeys.is_signed(value, link.signature or b"", link.key_id, self.keys):
            return "the signature is not ours"
        if self.anchor is not None and self.anchor.number == link.number:
            self.anchored = value
        self.previous, self.at = value, at
        return ""

    def tail(self) -> str:
        """The head is always signed: an unsigned end was truncated."""
        return "" if self.signed else "the tail was cut off: the last link carries no signature"

    def unlinked(self) -> str:
        """A row that is neither linked nor waiting was put in behind the triggers."""
        for trail, table in canonical.TABLES.items():
            self.cursor.execute(UNLINKED.format(table=table), [trail, trail])
            row = self.cursor.fetchone()
            if row:
                self.row = f"{trail} {row[0]}"
                return "the row was put in behind the trail"
        return ""

    def against_anchor(self, *, expected: bool) -> str:
        """Compare with the highest anchor; a vanished file must not pass as a new house."""
        anchor = self.anchor
        if anchor is None:
            return "the anchors are missing" if expected and self._is_old() else ""
        if not publickeys.is_signed(anchor.hash, anchor.signature, anchor.key_id, self.keys):
            return "the last anchor is not signed by a key on the list"
        if self.anchored is None:
            return "the chain ends before its last anchor: it was rolled back"
        if self.anchored != anchor.hash:
            return "the chain differs from its last anchor: it was rewritten"
        return ""

    def _is_old(self) -> bool:
        self.cursor.execute(IS_OLD)
        found = self.cursor.fetchone()
        return bool(found and found[0])

    def verdict(self, reason: str) -> Verdict:
        self.cursor.execute("SELECT count(*) FROM audit_auditinbox")
        waiting = int(self.cursor.fetchone()[0])
        if not reason:
            return Verdict(self.number, waiting)
        return Verdict(self.number, waiting, self.number, self.row, reason)


def _links(cursor: Any, after: int) -> list[Link]:
    cursor.execute(LINKS, [after, CHUNK])
    return [
        Link(number, trail, row_id, bytes(row_digest), bytes(previous), bytes(value),
             None if signature is None else bytes(signature), key_id, linked_at)
        for number, trail, row_id, row_digest, previous, value, signature, key_id, linked_at
        in cursor.fetchall()
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify over a connection of its own; 0 when the trail holds, 1 when not, 2 when it can't be asked."""
    import psycopg

    parser = argparse.ArgumentParser(prog="python -m cortex.audit.verifier", description=main.__doc__)
    parser.add_argument(
        "--database", default=os.environ.get("DATABASE_URL", ""), help="postgresql://… (or DATABASE_URL)"
    )
    parser.add_argument("--keys", required=True, type=Path, help="The file of public keys.")
    parser.add_argument("--anchors", required=True, type=Path, help="The file of anchors, or a copy.")
    told = parser.parse_args(arguments)
    try:
        keys = publickeys.parse(told.keys.read_text(encoding="utf-8"))
        with psycopg.connect(told.database, options="-c TimeZone=UTC") as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with connection.cursor() as cursor:
                verdict = verify(cursor, keys, told.anchors)
    except (OSError, ValueError, psycopg.Error) as error:
        sys.stderr.write(f"The trail can't be verified: {type(error).__name__}: {error}\n")
        return 2
    (sys.stdout if verdict.holds else sys.stderr).write(f"{verdict}\n")
    return 0 if verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
