"""Canary words and the eyes that look for them: plain, upper case, hex, UTF-16 and base64."""

from __future__ import annotations

import base64
import mmap
import random
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

LETTERS = "bcdfghjkmnpqrstvwxz"
WAL_PAGE = 8192
WAL_LONG_HEADER = 0x0002


def marker() -> str:
    """Return eight letters that no word, no number and no cipher text is likely to hold."""
    return "".join(random.SystemRandom().choices(LETTERS, k=8))


def phone() -> str:
    """Return a fictional mobile number of Kenya's that is no other run's."""
    return "+2547" + "".join(random.SystemRandom().choices("0123456789", k=8))


def forms(word: str) -> dict[str, bytes]:
    """Return the bytes by which a word shows itself in each coding."""
    plain = word.encode()
    found = {
        "plain": plain,
        "upper": word.upper().encode(),
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "utf-16": word.encode("utf-16-le"),
    }
    return found | {f"base64+{offset}": base64_core(plain, offset) for offset in range(3)}


def base64_core(plain: bytes, offset: int) -> bytes:
    """Return the base64 letters that these bytes alone decide when `offset` bytes stand before them."""
    first, last = -(-8 * offset // 6), 8 * (offset + len(plain)) // 6
    return base64.b64encode(b"\0" * offset + plain)[first:last]


@dataclass
class Eyes:
    """Looks for words (by name) in files and in bytes; keeps (place, word, coding)."""

    words: dict[str, str]
    found: set[tuple[str, str, str]] = field(default_factory=set)
    read: int = 0

    def __post_init__(self) -> None:
        self.needles = [(name, coding, needle) for name, word in self.words.items()
                        for coding, needle in forms(word).items()]  # fmt: skip

    def look(self, place: str, data: bytes | mmap.mmap) -> None:
        """Look at some bytes."""
        self.read += len(data)
        self.found |= {
            (place, name, coding) for name, coding, needle in self.needles if data.find(needle) >= 0
        }

    def look_at_files(self, place: str, files: Iterable[Path]) -> None:
        """Look at whole files."""
        for path in files:
            if path.stat().st_size:
                with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    self.look(place, data)

    def look_at_wal(self, place: str, folder: Path) -> None:
        """Look at a write-ahead log as a reader of its records does: in order, without the page headers.

        A record runs on behind the header of the next page, so a word may stand on both sides of one.
        """
        self.look_at_files(place, files_below(folder))
        self.look(place, b"".join(records(path.read_bytes()) for path in sorted(folder.glob("0*"))))

    def places(self, name: str) -> set[str]:
        """Return where a word was found, in any coding."""
        return {place for place, word, _ in self.found if word == name}

    def codings(self, place: str, name: str) -> set[str]:
        """Return in which codings a word was found at a place."""
        return {coding for where, word, coding in self.found if (where, word) == (place, name)}


def records(segment: bytes) -> bytes:
    """Return what a segment of the log holds between its page headers (24 bytes, 40 on the first page)."""
    kept = bytearray()
    for start in range(0, len(segment), WAL_PAGE):
        (info,) = struct.unpack_from("<H", segment, start + 2)
        kept += segment[start + (40 if info & WAL_LONG_HEADER else 24) : start + WAL_PAGE]
    return bytes(kept)


def files_below(folder: Path) -> Iterator[Path]:
    """Return every plain file below a folder."""
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
