"""A chain to attack: rows linked in signed batches, and the hands of somebody who has the whole cluster."""

# ruff: noqa: S608 - the statements are attacks, built from the tests' own ids
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import psycopg
from django.db import connection

from cortex.audit import publickeys, queries, signing
from cortex.audit import sequencer as chain
from cortex.audit.canonical import GENESIS, VERSION, digest, link_hash, microseconds, rows
from cortex.audit.models import AuditLink, AuditLog
from cortex.audit.verifier import Verdict
from cortex.ops.embedded import superuser_address
from tests import stores
from tests.unit.audit.test_trail import superuser

TABLES = ("audit_auditlog", "audit_phiaccesslog", "audit_auditlink")


def link_all() -> None:
    """Link as the sweeper does: by the one role that may."""
    with stores.role("cortex_system"):
        while chain.link_pending():
            pass


def own_key() -> str:
    """The line that an auditor was handed."""
    return publickeys.line_of(signing.private_key().public_key())


def verdict(anchors: Path | None = None, keys: str = "") -> Verdict:
    """Verify with public keys alone: those of the list, by default the house's own."""
    with stores.role("cortex_system"):
        return queries.verdict(publickeys.parse(keys or own_key()), anchors)


def number_of(row: AuditLog) -> int:
    return AuditLink.objects.get(row_id=row.pk).number


def tamper(*statements: str) -> None:
    """Do what only somebody with the whole cluster in hand can: change rows past the triggers."""
    with superuser() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)


def copies() -> dict[str, bytes]:
    """Return the rows of the trail as they are committed."""
    with _whole_cluster() as cluster:
        found = {}
        for table in (*TABLES, "audit_auditinbox"):
            with cluster.cursor().copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as copy:  # type: ignore[arg-type]
                found[table] = b"".join(copy)
        return found


def put_back(rows: dict[str, bytes]) -> None:
    """Make the trail what it was when its rows were copied."""
    with _whole_cluster() as cluster:
        cluster.execute("SET LOCAL session_replication_role = replica")
        for table, data in rows.items():
            cluster.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]
            with cluster.cursor().copy(f"COPY {table} FROM STDIN") as copy:  # type: ignore[arg-type]
                copy.write(data)


def _whole_cluster() -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(superuser_address(stores.DATA_DIR, "main", "cortex_test"))


def cut_after(number: int) -> None:
    """Take every row and link after a number away."""
    tamper(
        *(
            f"DELETE FROM {table} WHERE id IN (SELECT row_id FROM audit_auditlink WHERE number > {number})"
            for table in TABLES[:2]
        ),
        f"DELETE FROM audit_auditlink WHERE number > {number}",
    )


def digest_now(trail: str, row_id: UUID, version: int = VERSION) -> bytes:
    """The digest of a row as it stands."""
    with connection.cursor() as cursor:
        ((_, _, row),) = rows(cursor, [(trail, row_id)])
    return digest(trail, row, version)


def relink(row: AuditLog, sign: Callable[[bytes], bytes | None], version: int = VERSION) -> list[str]:
    """Write the chain again from a changed row on, as somebody would who knows how it is made."""
    first = number_of(row)
    before = AuditLink.objects.filter(number=first - 1).first()
    previous = bytes(before.hash) if before else GENESIS
    statements = []
    for link in AuditLink.objects.filter(number__gte=first).order_by("number"):
        row_digest = digest_now(link.trail, link.row_id, version)
        at = microseconds(link.linked_at)
        value = link_hash(link.number, link.trail, link.row_id.bytes, row_digest, previous, at)
        signature = sign(value) if link.signature is not None else None
        seal = "NULL" if signature is None else f"'\\x{signature.hex()}'"
        statements.append(
            f"UPDATE audit_auditlink SET row_digest = '\\x{row_digest.hex()}', hash = '\\x{value.hex()}',"
            f" previous_hash = '\\x{previous.hex()}', signature = {seal} WHERE number = {link.number}"
        )
        previous = value
    return statements
