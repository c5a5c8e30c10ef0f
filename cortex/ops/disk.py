"""What a full or forbidden disk is called: sentences for a person, and the room that a start needs."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import psycopg

from cortex.ops.processes import StartRefused

# Two fresh clusters, the main one's write-ahead log at its fullest (256 MB), and room for what comes.
NEEDED_MEGABYTES = 600


def require_space(folder: Path) -> None:
    """Refuse to start on a nearly full disk: PostgreSQL stops in the middle of work when it can't write."""
    free = free_bytes(folder) // 2**20
    if free < NEEDED_MEGABYTES:
        raise StartRefused(f"The disk of {folder} is full: {free} MB free, {NEEDED_MEGABYTES} MB are needed.")


def free_bytes(folder: Path) -> int:
    """Return how many bytes may still be written there."""
    return shutil.disk_usage(folder).free


def used_share(folder: Path) -> float:
    """Return how much of a folder's disk is used, from 0 to 1, of what an unprivileged process may use."""
    found = shutil.disk_usage(folder)
    return found.used / max(1, found.used + found.free)


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, is a full disk: the system's own or PostgreSQL's word for it."""
    if error is None:
        return False
    own = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return own or isinstance(error, psycopg.errors.DiskFull) or is_full(error.__cause__)


def full(folder: Path) -> str:
    """Say that nothing more can be written."""
    return f"The disk of {folder} is full: make room ({NEEDED_MEGABYTES} MB are needed) and start again."


def explain(error: OSError, folder: Path) -> str:
    """Say in one sentence what the operating system refused."""
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"No permission to write {error.filename or folder}: choose another folder with CORTEX_DATA_DIR."
        )
    if is_full(error):
        return full(folder)
    return f"The stores in {folder} couldn't start: {error.strerror or error}."
