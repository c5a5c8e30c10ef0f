"""A stream sealed in chunks by AES-256-GCM: none can be changed, moved, left out or cut off; no Django here.

A file is `CXB1 | 32 bytes of salt | chunks`. Its own key comes from the backup key, the salt and the kind of
the backup; a chunk's nonce is its number and whether it is the last one. So no nonce repeats under one key,
and a chunk at another place, in another file or of another kind of backup does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Iterator
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"CXB1"
SALT_BYTES = 32
TAG_BYTES = 16
CHUNK_BYTES = 1 << 20
_NONCE = struct.Struct(">3xQB")


class Forged(Exception):
    """A file of a backup is not what the backup key sealed; the message names the file and no content."""


class Digested:
    """A file that knows the digest and the size of what was written to it, or read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> None:
        """Write all of it."""
        self._file.write(data)
        self._note(data)

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end."""
        data = self._file.read(size)
        self._note(data)
        return data

    def _note(self, data: bytes) -> None:
        self.digest.update(data)
        self.size += len(data)


class Sealer:
    """Writes a sealed file; it is whole only after `close`."""

    def __init__(self, target: IO[bytes] | Digested, key: bytes, kind: str) -> None:
        salt = os.urandom(SALT_BYTES)
        self._target, self._header = target, MAGIC + salt
        self._aead = _aead(key, salt, kind)
        self._number, self._waiting = 0, bytearray()
        self.plain_bytes = 0
        target.write(self._header)

    def write(self, data: bytes) -> None:
        """Add plain bytes; they reach the target sealed, a whole chunk at a time."""
        self.plain_bytes += len(data)
        self._waiting += data
        # One byte more than a chunk must be there: only then is it known not to be the last.
        while len(self._waiting) > CHUNK_BYTES:
            self._chunk(bytes(self._waiting[:CHUNK_BYTES]), last=False)
            del self._waiting[:CHUNK_BYTES]

    def close(self) -> None:
        """Seal what is left as the last chunk; the target stays open."""
        self._chunk(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _chunk(self, plain: bytes, *, last: bool) -> None:
        nonce = _NONCE.pack(self._number, last)
        self._target.write(self._aead.encrypt(nonce, plain, self._header))
        self._number += 1


def opened(source: IO[bytes] | Digested, key: bytes, kind: str) -> Iterator[bytes]:
    """Yield the plain chunks of a sealed file; raise Forged at the first one that does not authenticate."""
    header = source.read(len(MAGIC) + SALT_BYTES)
    if len(header) != len(MAGIC) + SALT_BYTES or not header.startswith(MAGIC):
        raise Forged("the file is no sealed backup")
    aead = _aead(key, header[len(MAGIC) :], kind)
    sealed, number = source.read(CHUNK_BYTES + TAG_BYTES), 0
    while True:
        following = source.read(CHUNK_BYTES + TAG_BYTES)
        try:
            yield aead.decrypt(_NONCE.pack(number, not following), sealed, header)
        except (InvalidTag, ValueError):
            raise Forged(f"chunk {number} does not authenticate: changed, cut off, or another key") from None
        if not following:
            return
        sealed, number = following, number + 1


def tag_of(data: bytes, key: bytes, kind: str) -> bytes:
    """Return what authenticates the manifest of a backup, as a line of text."""
    derived = _derived(key, b"", f"manifest {kind}")
    return hmac.digest(derived, data, hashlib.sha256).hex().encode() + b"\n"


def name_of(key: bytes) -> str:
    """Return a short name of a backup key that tells two keys apart and reveals nothing."""
    return hashlib.sha256(_derived(key, b"", "name")).hexdigest()[:12]


def _aead(key: bytes, salt: bytes, kind: str) -> AESGCM:
    return AESGCM(_derived(key, salt, f"chunks {kind}"))


def _derived(key: bytes, salt: bytes, purpose: str) -> bytes:
    info = b"cortex.backup\x00" + purpose.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(key)
