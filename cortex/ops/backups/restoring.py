"""Puts a proven backup back and compares what is there then with what was counted; no Django here."""

from __future__ import annotations

from pathlib import Path

from cortex.audit import verifier
from cortex.audit.publickeys import Keys
from cortex.ops.backups import facts, manifest, tools
from cortex.ops.backups.folders import BackupRefused
from cortex.ops.backups.manifest import Manifest
from cortex.ops.backups.tools import Server


def restore(folder: Path, told: Manifest, owner: Server, key: bytes, *, replace: str = "") -> None:
    """Put a backup that `manifest.prove` returned into the database of its owner, whole or not at all.

    A database with tables in it is refused unless `replace` is its name. Raise BackupRefused or Forged.
    """
    with owner.connection() as connection:
        there = facts.tables_there(connection)
    if replace and replace != owner.name:
        raise BackupRefused(f"--replace names {replace!r}, but the database is {owner.place}.")
    if there and not replace:
        raise BackupRefused(
            f"The database {owner.place} has {there} tables. Stop every process that uses it, and say "
            f"--replace {owner.name} to lose what is in it."
        )
    tools.put_back(owner, manifest.chunks(folder, told, key))


def differences(told: Manifest, reader: Server, keys: Keys | None) -> list[str]:
    """Return in what a restored database differs from its backup: rows, migrations, the trail; [] is well.

    `reader` must see every row (the system role); `keys` are the public keys of the trail, for the main one.
    """
    with reader.connection() as connection:
        found = facts.counts(connection)
        wrong = [
            f"{name}: {found.get(name, 0)} rows, {told.facts.tables.get(name, 0)} in the backup"
            for name in sorted(found.keys() | told.facts.tables.keys())
            if found.get(name) != told.facts.tables.get(name)
        ]
        if facts.migrations(connection) != told.facts.migrations:
            wrong.append("the applied migrations differ")
        if keys is None:
            return wrong
        if facts.head(connection) != told.facts.head:
            wrong.append("the last link of the trail is another one")
        with connection.cursor() as cursor:
            verdict = verifier.verify(cursor, keys)
        return wrong if verdict.holds else [*wrong, str(verdict)]
