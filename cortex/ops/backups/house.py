"""Backups of this house's own databases: its keys, addresses and roles by the settings, and what is noted."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader

from cortex.accounts.sessions.actions import end_every_session
from cortex.audit import anchors, signing, system
from cortex.audit.publickeys import Keys
from cortex.crypto.errors import KeyProviderError
from cortex.crypto.provider import decode_key
from cortex.keys.proof.actions import replay_destructions
from cortex.ops.backups import actions, drill, folders, manifest, restoring, taking
from cortex.ops.backups.folders import KEYS, MAIN, BackupRefused
from cortex.ops.backups.manifest import Manifest
from cortex.ops.backups.sealing import Forged
from cortex.ops.backups.tools import Server

SETTINGS = {MAIN: "CORTEX_BACKUP_KEY", KEYS: "CORTEX_KEYS_BACKUP_KEY"}
ALIASES = {MAIN: "default", KEYS: "keys"}
ACTOR = system("backup")
NEEDED = "openssl rand -base64 32"
Say = Callable[[str], Any]
CAME_BACK = (
    "What was taken away since the backup is back: look at people (disabled, roles, passwords, factors), "
    "grants, API keys, invitations, operators, organizations' cover and consents before anybody works."
)


def backup_key(kind: str) -> bytes:
    """Return the key that seals backups of one kind; raise BackupRefused when it can't be used."""
    name = SETTINGS[kind]
    texts = {one: getattr(settings, setting) for one, setting in SETTINGS.items()}
    if not texts[kind]:
        raise BackupRefused(f"{name} (or {name}_FILE) is not set: make one with `{NEEDED}`.")
    try:
        own = {one: decode_key(text, SETTINGS[one]) for one, text in texts.items() if text}
    except KeyProviderError as error:
        raise BackupRefused(f"{error}.") from error
    if len(set(own.values())) < len(own):
        raise BackupRefused(f"{SETTINGS[MAIN]} and {SETTINGS[KEYS]} must be two keys.")
    return own[kind]


def reader(kind: str) -> Server:
    """Return one database as the system role, which sees every row."""
    if settings.CORTEX_DB_ROLE != "system":
        raise BackupRefused("Backups are read as the system role: set CORTEX_DB_ROLE=system.")
    return Server.of(settings.DATABASES[ALIASES[kind]])


def owner(kind: str) -> Server:
    """Return one database as the role that owns its tables."""
    known = settings.CORTEX_OWNER_DATABASES
    if ALIASES[kind] not in known:
        name = "DATABASE_OWNER_URL" if kind == MAIN else "KEYS_DATABASE_OWNER_URL"
        raise BackupRefused(f"{name} is not set: a restore writes as the owner.")
    return Server.of(known[ALIASES[kind]])


def _target(kind: str) -> tuple[Server, Server]:
    """Return the one database that a restore writes and counts again, as its owner and as the reader."""
    server, wide = owner(kind), reader(kind)
    if server.place != wide.place:
        raise BackupRefused(
            f"The owner's address leads to {server.place}, the system role's to {wide.place}: "
            "a restore needs one and the same database, spelled alike."
        )
    return server, wide


def backup(kind: str, folder: Path) -> str:
    """Take a backup, note it in the main database and return a line about it."""
    key, server, begun = backup_key(kind), reader(kind), time.monotonic()
    path, told = taking.take(folder.absolute(), kind, server, key)
    seconds = time.monotonic() - begun
    try:
        actions.note_backup(actor=ACTOR, manifest=told, seconds=seconds)
    except DatabaseError as error:
        raise BackupRefused(
            f"{path} is finished and whole, but the main database couldn't note it ({type(error).__name__})."
        ) from error
    return f"{path}: {describe(told)}, in {seconds:.1f} s."


def describe(told: Manifest) -> str:
    """Say what a backup holds, with numbers."""
    link = f", the trail up to link {told.facts.head.number}" if told.facts.head else ""
    return (
        f"{told.facts.rows} rows in {len(told.facts.tables)} tables{link}, {told.sealed_bytes / 2**20:.1f} MB"
    )


def proven(kind: str, folder: Path) -> tuple[Path, Manifest]:
    """Return a backup that a person named, or the newest in the folder, after every byte was checked."""
    path = folders.chosen(folder.absolute(), kind)
    try:
        return path, manifest.prove(path, kind, backup_key(kind))
    except Forged as fault:
        raise BackupRefused(f"{path} is refused, and nothing was changed: {fault}.") from fault


def restore(kind: str, folder: Path, *, replace: str, say: Say) -> None:
    """Prove a backup, put it back, compare it, and say what was done and lost. Raise BackupRefused.

    After the commit nothing may end it before destroyed keys are destroyed again, sign-ins that came back
    are ended and the restore is on record, a failed comparison least of all.
    """
    path, told = proven(kind, folder)
    unknown = _unknown_migrations(told)
    if unknown:
        raise BackupRefused(f"{path} was taken by newer code, which knows {unknown[0]}: use that code.")
    server, wide = _target(kind)
    # Whatever may fail by settings or files is asked for before anything is written.
    keys = signing.public_keys() if kind == MAIN else None
    lost = _lost_links(told) if kind == MAIN else 0
    say(f"Putting {path} into {server.place}.")
    begun = time.monotonic()
    try:
        restoring.restore(path, told, server, backup_key(kind), replace=replace)
    except Forged as fault:
        raise BackupRefused(f"{path} changed while it was read; nothing was put back: {fault}.") from fault
    wrong = _differences(told, wide, keys)
    connections.close_all()
    signed_out = _signed_out() if kind == MAIN else []
    lines = [*_replayed(), *signed_out, *_noted(told, lost, wrong)]
    if not wrong:
        say(f"{path} is back: {describe(told)}, compared, in {time.monotonic() - begun:.1f} s.")
    if lost:
        say(
            f"The anchors know {lost} links of the trail beyond this backup: those rows are lost. Keep that "
            "file as evidence and name a new one in CORTEX_AUDIT_ANCHOR_FILE, or the trail will not verify."
        )
    for line in lines:
        say(line)
    if wrong:
        raise BackupRefused("What was put back is not what was saved: " + "; ".join(wrong))


def _differences(told: Manifest, wide: Server, keys: Keys | None) -> list[str]:
    try:
        return restoring.differences(told, wide, keys)
    except Exception as error:  # after the commit, a comparison that fails by whatever is a difference
        return [f"it couldn't be compared ({type(error).__name__})"]


def _noted(told: Manifest, lost: int, wrong: list[str]) -> list[str]:
    try:
        actions.note_restore(actor=ACTOR, manifest=told, lost_links=lost, differences=len(wrong))
    except DatabaseError as error:
        return [f"The trail couldn't record it ({type(error).__name__}): write it down, and migrate."]
    return []


def _replayed() -> list[str]:
    """Destroy again what an old backup of the keys brought back; say so, or why it couldn't be done."""
    try:
        count = replay_destructions(actor=ACTOR)
    except DatabaseError as error:
        return [
            f"Which keys were destroyed couldn't be looked up in both databases ({type(error).__name__}): "
            "restore the other one too, and run `manage.py keys verify` before anybody works."
        ]
    return [f"{count} keys that had been destroyed before were destroyed again."] if count else []


def _signed_out() -> list[str]:
    """End the sign-ins that came back, those that were ended since among them; say what else came back."""
    try:
        count = end_every_session(actor=ACTOR, why="restored")
        said = f"{count} sign-in sessions of the backup were ended"
    except DatabaseError as error:
        said = (
            f"The sign-in sessions of the backup couldn't be ended ({type(error).__name__}): "
            "empty django_session before anybody works"
        )
    return [f"{said}. {CAME_BACK}"]


def _unknown_migrations(told: Manifest) -> list[str]:
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    return [name for name in told.facts.migrations if name not in known]


def _lost_links(told: Manifest) -> int:
    anchor = anchors.highest(Path(settings.CORTEX_AUDIT_ANCHOR_FILE))
    number = told.facts.head.number if told.facts.head else 0
    return max(0, anchor.number - number) if anchor is not None else 0


def drilled(folder: Path) -> drill.Drill:
    """Put the newest main backup into a scratch cluster, note what came of it and return it.

    A backup that can't be put back is noted like one that differs, before the refusal is raised.
    """
    path = folders.chosen(folder.absolute(), MAIN)
    live, key = reader(MAIN), backup_key(MAIN)
    try:
        done = drill.run(path, live, key, Path(settings.CORTEX_DATA_DIR), signing.public_keys())
    except drill.DrillRuns:
        raise
    except Exception as fault:
        with suppress(DatabaseError):
            actions.note_failed_drill(actor=ACTOR, fault=fault)
        if isinstance(fault, Forged):
            raise BackupRefused(f"{path} is refused: {fault}.") from fault
        raise
    actions.note_drill(actor=ACTOR, drill=done)
    return done
