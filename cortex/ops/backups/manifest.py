"""What a backup says of itself, and the proof that it is so: tag, digest and every chunk; no Django here."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cortex.ops.backups import sealing
from cortex.ops.backups.folders import CONTENT, MANIFEST, TAG, BackupRefused
from cortex.ops.backups.sealing import Forged

FORMAT = 1


@dataclass(frozen=True)
class Head:
    """The last link of the audit trail: its number, its hash as hex, and when it was linked (ISO)."""

    number: int
    hash: str
    linked_at: str


@dataclass(frozen=True)
class Facts:
    """What one snapshot of a database holds; times are ISO, in UTC."""

    taken_at: str
    server: str
    database_bytes: int
    migrations: list[str]
    tables: dict[str, int]
    head: Head | None = None

    @property
    def rows(self) -> int:
        """How many rows all tables have together."""
        return sum(self.tables.values())


@dataclass(frozen=True)
class Manifest:
    """One backup: what it holds, its file's size and digest, and which key sealed it."""

    kind: str
    key: str
    facts: Facts
    sealed_bytes: int
    sha256: str
    plain_bytes: int
    format: int = field(default=FORMAT)

    @property
    def taken_at(self) -> datetime:
        """When its snapshot was taken: everything committed before is in it, nothing after."""
        return datetime.fromisoformat(self.facts.taken_at)


def write(folder: Path, manifest: Manifest, key: bytes) -> None:
    """Write the manifest and its tag beside the sealed file."""
    data = (json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n").encode()
    (folder / MANIFEST).write_bytes(data)
    (folder / TAG).write_bytes(sealing.tag_of(data, key, manifest.kind))


def read(folder: Path, kind: str, key: bytes) -> Manifest:
    """Return the manifest of a backup after its tag was checked; raise Forged, or BackupRefused in words."""
    try:
        data, tag = (folder / MANIFEST).read_bytes(), (folder / TAG).read_bytes()
    except OSError as error:
        raise BackupRefused(f"The backup {folder} can't be read: {error.strerror}.") from error
    if not hmac.compare_digest(sealing.tag_of(data, key, kind), tag):
        raise Forged(_why(data, kind, key))
    told: dict[str, Any] = json.loads(data)
    if told["format"] != FORMAT:
        raise BackupRefused(f"The backup {folder} has format {told['format']}; this code reads {FORMAT}.")
    facts = told.pop("facts")
    head = facts.pop("head")
    return Manifest(facts=Facts(**facts, head=Head(**head) if head else None), **told)


def _why(data: bytes, kind: str, key: bytes) -> str:
    """Say the likeliest reason, by what an unproven manifest claims; nothing else rests on it."""
    try:
        told = json.loads(data)
        claimed = str(told["kind"]), str(told["key"])
    except (ValueError, KeyError, TypeError):
        return "the manifest was changed after it was written"
    if claimed[0] != kind:
        return f"this is no {kind} backup"
    if claimed[1] != sealing.name_of(key):
        return "it was sealed by another backup key than the one that is configured"
    return "the manifest or its tag was changed after it was written"


def chunks(folder: Path, manifest: Manifest, key: bytes) -> Iterator[bytes]:
    """Yield the plain content, chunk by chunk; raise Forged where it isn't what was sealed."""
    with (folder / CONTENT).open("rb") as source:
        yield from sealing.opened(source, key, manifest.kind)


def prove(folder: Path, kind: str, key: bytes) -> Manifest:
    """Check the manifest's tag, the file's size and digest, and the tag of every chunk; raise Forged."""
    manifest = read(folder, kind, key)
    with (folder / CONTENT).open("rb") as file:
        source = sealing.Digested(file)
        plain = sum(len(chunk) for chunk in sealing.opened(source, key, kind))
    if source.size != manifest.sealed_bytes or source.digest.hexdigest() != manifest.sha256:
        raise Forged("the sealed file is not the one that the manifest names")
    if plain != manifest.plain_bytes:
        raise Forged("the sealed file holds less or more than the manifest says")
    return manifest
