"""Takes a backup: one snapshot, counted and dumped, sealed on its way to the disk; no Django here."""

from __future__ import annotations

from pathlib import Path

import psycopg

from cortex.ops.backups import facts, folders, manifest, sealing, tools
from cortex.ops.backups.folders import CONTENT, BackupRefused
from cortex.ops.backups.manifest import Manifest
from cortex.ops.backups.tools import Server
from cortex.ops.disk import is_full

# The archive is compressed and the sealed words in it don't shrink, so the database's own size is enough.
SPARE_BYTES = 32 << 20


def take(folder: Path, kind: str, server: Server, key: bytes) -> tuple[Path, Manifest]:
    """Write a backup of `server` into `folder` and return where and what; raise BackupRefused in words.

    Until the last byte is on the disk it has a name that nobody takes for a backup.
    """
    folders.require_apart(folder, kind)
    with server.connection() as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            found = facts.gather(connection)
        except psycopg.errors.InsufficientPrivilege as error:
            raise BackupRefused(
                f"The role {server.user} may not read every row ({error.diag.message_primary}): "
                "a backup is read by cortex_system, which has BYPASSRLS."
            ) from error
        if not found.tables:
            raise BackupRefused(f"The database {server.name} is empty: there is nothing to back up.")
        snapshot = facts.one(connection, "SELECT pg_export_snapshot()")[0]
        with folders.fresh(folder, kind, found.database_bytes + SPARE_BYTES) as (partial, final):
            try:
                told = _write(partial, kind, server, key, found, snapshot)
            except OSError as error:
                if not is_full(error):
                    raise
                raise BackupRefused(f"The disk of {folder} ran full: nothing was kept of it.") from error
    return final, told


def _write(
    partial: Path, kind: str, server: Server, key: bytes, found: manifest.Facts, snapshot: str
) -> Manifest:
    with (partial / CONTENT).open("xb") as file:
        (partial / CONTENT).chmod(0o600)
        target = sealing.Digested(file)
        sealer = sealing.Sealer(target, key, kind)
        for block in tools.dump(server, snapshot):
            sealer.write(block)
        sealer.close()
    told = Manifest(
        kind=kind,
        key=sealing.name_of(key),
        facts=found,
        sealed_bytes=target.size,
        sha256=target.digest.hexdigest(),
        plain_bytes=sealer.plain_bytes,
    )
    manifest.write(partial, told, key)
    return told
