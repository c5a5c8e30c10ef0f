"""The file of anchors: signed heads of the chain, kept away from the database; needs no Django."""

from __future__ import annotations

import base64
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TAIL = 64 * 1024


@dataclass(frozen=True, slots=True)
class Anchor:
    """One signed head: the number and hash of a link, its signature, the key's name and when it was made."""

    number: int
    hash: bytes
    signature: bytes
    key_id: str
    at: str


def append(path: Path, anchor: Anchor) -> None:
    """Add a head, safe on the disk when this returns."""
    line = {
        "number": anchor.number,
        "hash": base64.b64encode(anchor.hash).decode(),
        "signature": base64.b64encode(anchor.signature).decode(),
        "key_id": anchor.key_id,
        "at": anchor.at,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    before = _tail(path)
    # A line that a crash tore must not swallow this one.
    torn = "" if not before or before.endswith(b"\n") else "\n"
    with path.open("a") as out:
        out.write(torn + json.dumps(line) + "\n")
        out.flush()
        os.fsync(out.fileno())


def last(path: Path) -> Anchor | None:
    """Return the newest whole anchor, or None; a crash may tear the last line."""
    for line in reversed(_tail(path).splitlines()):
        found = _read(line)
        if found is not None:
            return found
    return None


def highest(path: Path) -> Anchor | None:
    """Return the anchor of the highest number in the whole file: an old one appended again hides nothing."""
    found: Anchor | None = None
    with suppress(FileNotFoundError), path.open("rb") as lines:
        for line in lines:
            anchor = _read(line)
            if anchor is not None and (found is None or anchor.number > found.number):
                found = anchor
    return found


def _tail(path: Path) -> bytes:
    with suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        return file.read()
    return b""


def _read(line: bytes) -> Anchor | None:
    with suppress(ValueError, KeyError, TypeError):
        told = json.loads(line)
        return Anchor(
            int(told["number"]), base64.b64decode(told["hash"]), base64.b64decode(told["signature"]),
            str(told["key_id"]), str(told["at"]),
        )  # fmt: skip
    return None
