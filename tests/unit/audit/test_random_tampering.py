"""Fourteen kinds of tampering at random places of a longer trail: each is found, a clean one is never blamed.

`CORTEX_EXPLORE=300 pytest …` tries 300 places of each kind in 1,000 rows instead of a few in 60. One place of
each kind is found by the auditor's own program too, which shares no process and no connection with the house.
"""

# ruff: noqa: S608 - the statements are attacks, built from the test's own ids
from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from cortex.access.context import reading
from cortex.audit import anchors as kept
from cortex.audit import publickeys, signing
from cortex.audit import sequencer as chain
from cortex.audit.canonical import COLUMNS, link_hash, microseconds
from cortex.audit.models import AuditLink, AuditLog, PhiAccessLog
from cortex.ids import uuid7
from tests.cast import Cast
from tests.makers import scope_all, staff
from tests.unit.audit.chains import (
    copies,
    cut_after,
    link_all,
    own_key,
    put_back,
    relink,
    tamper,
    verdict,
)
from tests.unit.audit.test_keys import audit
from tests.unit.audit.test_trail import rename

pytestmark = pytest.mark.django_db
TRIES = int(os.environ.get("CORTEX_EXPLORE", "0")) or 4
ROWS = 1000 if TRIES > 4 else 60
FORGED = ("actor_label", "event_type", "outcome", "purpose")
FORGED_ACCESS = ("actor_label", "data_type", "purpose", "relationship")
OTHER = ", ".join(column for column in COLUMNS["audit"] if column != "id")
OTHER_ACCESS = ", ".join(column for column in COLUMNS["access"] if column != "id")


@dataclass
class Trail:
    """The rows by their place, what was looked at between them, the anchors, and the chance of this try."""

    rows: list[AuditLog]
    looks: list[PhiAccessLog]
    anchors: Path
    chance: random.Random

    def place(self, *, before_end: int = 0) -> int:
        """Return a random place, so many rows before the end at least."""
        return self.chance.randrange(len(self.rows) - before_end)

    def look(self) -> PhiAccessLog:
        """Return a random row of who looked at what."""
        return self.chance.choice(self.looks)

    def link(self, place: int) -> AuditLink:
        """Return the link of the row at a place."""
        return AuditLink.objects.get(row_id=self.rows[place].pk)


Rows = tuple[list[AuditLog], list[PhiAccessLog]]


def write_trail(cast: Cast) -> Rows:
    """Write rows of both kinds in signed batches of changing size, the last head anchored."""
    chance = random.Random(7)
    for number in range(ROWS):
        rename(actor=staff(cast.sam), organization=cast.home, name=f"Name {number}")
        if chance.random() < 0.3:
            with reading(staff(cast.sam), purpose="test") as context:
                context.saw("board", organization_id=cast.home.pk, number_from=number)
        if chance.random() < 0.1:
            link_all()
    link_all()
    assert chain.anchor_head()
    scope_all()
    places = dict(AuditLink.objects.values_list("row_id", "number"))
    done = sorted(AuditLog.objects.filter(event_type="organization.renamed"), key=lambda row: places[row.pk])
    looks = sorted(PhiAccessLog.objects.filter(purpose="test"), key=lambda row: places[row.pk])
    assert len(done) == ROWS and len(looks) > ROWS / 10
    return done, looks


@pytest.fixture
def long_trail(cast: Cast, anchors: Path) -> Rows:
    """The rows of one test, by their place in the chain."""
    return write_trail(cast)


def edit(trail: Trail) -> None:
    column = trail.chance.choice(FORGED)
    row = trail.rows[trail.place()]
    tamper(f"UPDATE audit_auditlog SET {column} = '{uuid7().hex[:8]}' WHERE id = '{row.pk}'")


def delete(trail: Trail) -> None:
    remove(trail, trail.rows[trail.place()])


def remove(trail: Trail, row: AuditLog | PhiAccessLog) -> None:
    """Delete a row, now and then with its link."""
    statements = [f"DELETE FROM {row._meta.db_table} WHERE id = '{row.pk}'"]
    if trail.chance.random() < 0.5:
        statements.append(f"DELETE FROM audit_auditlink WHERE row_id = '{row.pk}'")
    tamper(*statements)


def insert(trail: Trail) -> None:
    repeat(trail.rows[trail.place()], OTHER)


def repeat(row: AuditLog | PhiAccessLog, columns: str) -> None:
    """Insert a copy of a row under an id of its own."""
    table = row._meta.db_table
    copied = f"SELECT '{uuid7()}', {columns} FROM {table} WHERE id = '{row.pk}'"
    tamper(f"INSERT INTO {table} (id, {columns}) {copied}")


def swap(trail: Trail) -> None:
    one = trail.place(before_end=1)
    change_places(trail.link(one).number, trail.link(trail.chance.randrange(one + 1, len(trail.rows))).number)


def change_places(*pair: int) -> None:
    """Give each of two links the number of the other."""
    tamper(
        f"UPDATE audit_auditlink SET number = -1 WHERE number = {pair[0]}",
        f"UPDATE audit_auditlink SET number = {pair[0]} WHERE number = {pair[1]}",
        f"UPDATE audit_auditlink SET number = {pair[1]} WHERE number = -1",
    )


def edit_access(trail: Trail) -> None:
    column = trail.chance.choice(FORGED_ACCESS)
    tamper(f"UPDATE audit_phiaccesslog SET {column} = '{uuid7().hex[:8]}' WHERE id = '{trail.look().pk}'")


def delete_access(trail: Trail) -> None:
    remove(trail, trail.look())


def insert_access(trail: Trail) -> None:
    repeat(trail.look(), OTHER_ACCESS)


def swap_access(trail: Trail) -> None:
    """Two looks change places in the chain, or one of them with something that was done."""
    one, other = trail.chance.sample(trail.looks, 2)
    row: AuditLog | PhiAccessLog = other if trail.chance.random() < 0.5 else trail.chance.choice(trail.rows)
    change_places(*(AuditLink.objects.get(row_id=which.pk).number for which in (one, row)))


def cut_the_tail(trail: Trail) -> None:
    """At a place where no head was signed, as a crash of the attacker's own would leave it."""
    unsigned = AuditLink.objects.filter(signature=None).values_list("number", flat=True)
    cut_after(trail.chance.choice(list(unsigned)))


def roll_back(trail: Trail) -> None:
    """To a signed head: an earlier, honest state of the house."""
    heads = AuditLink.objects.exclude(signature=None).order_by("number").values_list("number", flat=True)
    cut_after(trail.chance.choice(list(heads)[:-1]))


def fork(trail: Trail) -> None:
    """Roll back and go on with other rows, signed by the house's own stolen key."""
    roll_back(trail)
    row = AuditLog.objects.get(pk=AuditLink.objects.filter(trail="audit").latest("number").row_id)
    head = kept.last(trail.anchors)
    assert head is not None
    count = head.number + 1 - AuditLink.objects.count() if trail.chance.random() < 0.5 else 3
    for _ in range(max(count, 1)):
        tamper(
            f"INSERT INTO audit_auditlog (id, {OTHER}) SELECT '{uuid7()}', {OTHER} FROM audit_auditlog"
            f" WHERE id = '{row.pk}'",
        )
    known = AuditLink.objects.values("row_id")
    for new in AuditLog.objects.exclude(pk__in=known):
        tamper(f"INSERT INTO audit_auditinbox (trail, row_id) VALUES ('audit', '{new.pk}')")
    link_all()


def turn_the_clock(trail: Trail) -> None:
    """Date one link back and make its hash and signature fit; the next link already holds the old hash."""
    link = trail.link(trail.place())
    at = link.linked_at - timedelta(seconds=trail.chance.randrange(1, 10**6))
    value = link_hash(
        link.number, link.trail, link.row_id.bytes, bytes(link.row_digest), bytes(link.previous_hash),
        microseconds(at),
    )  # fmt: skip
    signature, key_id = signing.sign(value)
    tamper(
        f"UPDATE audit_auditlink SET linked_at = '{at.isoformat()}', hash = '\\x{value.hex()}',"
        f" signature = '\\x{signature.hex()}', key_id = '{key_id}' WHERE number = {link.number}"
    )


def rewrite(trail: Trail) -> None:
    """Change a row and write everything behind it again, signed with the stolen key."""
    row = trail.rows[trail.place()]
    tamper(f"UPDATE audit_auditlog SET actor_label = 'Nobody' WHERE id = '{row.pk}'")
    tamper(*relink(row, lambda value: signing.sign(value)[0]))


def exchange_the_key(trail: Trail) -> None:
    """Sign the whole chain again with a key of one's own under the name of ours."""
    own = Ed25519PrivateKey.generate()
    row = AuditLog.objects.get(pk=trail.rows[trail.place()].pk)
    tamper(*relink(row, own.sign))


KINDS: tuple[Callable[[Trail], None], ...] = (
    edit, delete, insert, swap, edit_access, delete_access, insert_access, swap_access,
    cut_the_tail, roll_back, fork, turn_the_clock, rewrite, exchange_the_key,
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_it_is_found_wherever_it_was_done(
    kind: Callable[[Trail], None], long_trail: Rows, anchors: Path
) -> None:
    missed = []
    for seed in range(TRIES):
        with transaction.atomic():
            kind(Trail(*long_trail, anchors, random.Random(seed)))
            found = verdict(anchors)
            if found.holds:
                missed.append(seed)
            transaction.set_rollback(True)
        assert verdict(anchors).holds, f"the trail as it was is blamed after {seed}"
    assert missed == []


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
def test_the_auditors_own_program_finds_one_of_each_kind(
    cast: Cast, anchors: Path, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    rows = write_trail(cast)
    keys = tmp_path / "keys.txt"
    keys.write_text(f"{own_key()}\n")
    database = child_environment["DATABASE_SYSTEM_URL"]
    before = copies()
    missed = {}
    for kind in KINDS:
        with transaction.atomic():
            kind(Trail(*rows, anchors, random.Random(kind.__name__)))
        told = audit(database, keys, anchors)
        if told.returncode != 1 or "does NOT hold" not in told.stderr:
            missed[kind.__name__] = (told.returncode, told.stdout, told.stderr)
        put_back(before)
    assert missed == {}
    clean = audit(database, keys, anchors)
    assert (clean.returncode, clean.stderr) == (0, "")


def test_the_list_of_keys_is_what_decides(long_trail: Rows, anchors: Path, settings: Any) -> None:
    strange = publickeys.line_of(Ed25519PrivateKey.generate().public_key())
    assert verdict(anchors, keys=own_key()).holds
    assert "not on the list" in verdict(anchors, keys=strange).reason
