"""Where backups lie: one folder each, under a name only when it is whole; no Django here."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cortex.ops.disk import free_bytes

MANIFEST, TAG, CONTENT = "manifest.json", "manifest.tag", "database.sealed"
MAIN, KEYS = "main", "keys"
_NAME = re.compile(r"(main|keys)-\d{8}T\d{6}Z(?:-\d+)?")
PARTIAL = ".partial-"
LOCK = ".backup.lock"


class BackupRefused(Exception):
    """A backup can't be taken, taken as whole, or put back; the message is one sentence for a person."""


def complete(folder: Path, kind: str) -> list[Path]:
    """Return the finished backups of one kind, oldest first."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir()]
    return sorted(path for path in found if path.name.startswith(f"{kind}-") and is_complete(path))


def is_complete(path: Path) -> bool:
    """Whether a folder holds every file of a backup under its final name."""
    is_named = not path.name.startswith(PARTIAL)
    return is_named and all((path / name).is_file() for name in (MANIFEST, TAG, CONTENT))


def chosen(folder: Path, kind: str) -> Path:
    """Return the backup that a person means: the folder itself, or the newest one in it."""
    if is_complete(folder):
        return folder
    found = complete(folder, kind)
    if not found:
        raise BackupRefused(f"There is no finished {kind} backup in {folder}.")
    return found[-1]


def require_apart(folder: Path, kind: str) -> None:
    """Refuse the keys' backups beside those of the words that they open, one folder up or down included."""
    other = KEYS if kind == MAIN else MAIN
    for place in (folder, folder.parent, *(path for path in _children(folder) if path.is_dir())):
        if complete(place, other):
            raise BackupRefused(
                f"{place} holds {other} backups: keep keys and words apart, on another disk or host."
            )


def _children(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


@contextmanager
def fresh(folder: Path, kind: str, needed: int) -> Iterator[tuple[Path, Path]]:
    """Give (a folder to write into, the name that it gets); it gets the name when the block ends well.

    `needed` is how many bytes must be free. What an earlier killed backup left is deleted first.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRefused(f"Another backup is being written into {folder}.") from None
        for left in folder.glob(f"{PARTIAL}*"):
            shutil.rmtree(left)
        free = free_bytes(folder)
        if free < needed:
            raise BackupRefused(
                f"The disk of {folder} is too full for this backup: {free >> 20} MB free, "
                f"up to {-(-needed >> 20)} MB are needed."
            )
        final = _free_name(folder, kind)
        partial = folder / f"{PARTIAL}{final.name}"
        partial.mkdir(mode=0o700)
        try:
            yield partial, final
            for path in partial.iterdir():
                _sync(path)
            _sync(partial)
            partial.rename(final)
            _sync(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _free_name(folder: Path, kind: str) -> Path:
    name = f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    path, number = folder / name, 2
    while path.exists():
        path, number = folder / f"{name}-{number}", number + 1
    return path


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
