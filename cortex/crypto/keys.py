"""The data key of one person (or organization): seals and opens values, and never shows its material."""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cortex.crypto.errors import DecryptError, KeyDestroyed

MAGIC = b"C1"
"""Format 1: AES-256-GCM. Another algorithm gets another magic, so that a blob says what opens it."""
HEADER_BYTES = 4
NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD_BYTES = HEADER_BYTES + NONCE_BYTES + TAG_BYTES
MATERIAL_BYTES = 32
MAX_VERSION = 0xFFFF

_HEADER = struct.Struct(">2sH")


class DataKey:
    """One version of a subject's data key; with empty material it is the tombstone of a destroyed one."""

    __slots__ = (
        "_aead", "_derived", "_header", "_material", "created_at", "subject_id", "unconfirmed_since",
        "version",
    )  # fmt: skip

    def __init__(
        self,
        subject_id: UUID,
        version: int,
        material: bytes,
        created_at: datetime | None = None,
        unconfirmed_since: datetime | None = None,
    ) -> None:
        if not 1 <= version <= MAX_VERSION:
            raise ValueError("a key version is 1..65535")
        if material and len(material) != MATERIAL_BYTES:
            raise ValueError("a data key has 32 bytes")
        self.subject_id = subject_id
        self.version = version
        self.created_at = created_at
        self.unconfirmed_since = unconfirmed_since
        self._material = material
        self._derived: dict[bytes, bytes] = {}
        self._header = _HEADER.pack(MAGIC, version)
        self._aead = AESGCM(material) if material else None

    @property
    def is_destroyed(self) -> bool:
        """Tell whether only the tombstone is left."""
        return self._aead is None

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Return magic | version | nonce | ciphertext | tag, bound to `aad` and to its own header."""
        if self._aead is None:
            raise KeyDestroyed(f"the key of subject {self.subject_id} was destroyed")
        # Random 96-bit nonces stay safe up to 2**32 seals of one key (NIST SP 800-38D 8.3): each person has a
        # key of their own, and nobody's record holds a millionth of that.
        nonce = os.urandom(NONCE_BYTES)
        return self._header + nonce + self._aead.encrypt(nonce, plaintext, self._header + aad)

    def unseal(self, blob: bytes, aad: bytes) -> bytes:
        """Return the plaintext; raise DecryptError for anything that was not sealed so by this key."""
        if self._aead is None:
            raise KeyDestroyed(f"the key of subject {self.subject_id} was destroyed")
        if len(blob) < OVERHEAD_BYTES or blob[:HEADER_BYTES] != self._header:
            raise DecryptError("this is not a value sealed by this key")
        try:
            return self._aead.decrypt(blob[4:16], blob[16:], self._header + aad)
        except InvalidTag:
            raise DecryptError("a sealed value did not authenticate") from None

    def mac(self, label: bytes, message: bytes) -> bytes:
        """Return HMAC-SHA-256 of `message` under a key derived from this one for `label`."""
        if self._aead is None:
            raise KeyDestroyed(f"the key of subject {self.subject_id} was destroyed")
        derived = self._derived.get(label)
        if derived is None:
            # A batch asks for the digests of many texts; the labels are few.
            derived = hmac.digest(self._material, b"cortex.derive\x00" + label, hashlib.sha256)
            self._derived[label] = derived
        return hmac.digest(derived, message, hashlib.sha256)

    def __repr__(self) -> str:
        state = ", destroyed" if self.is_destroyed else ""
        return f"<DataKey {self.subject_id} v{self.version}{state}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a data key never leaves the process")


def version_of(blob: bytes) -> int:
    """Return the key version that a sealed blob names; raise DecryptError when it is no sealed blob."""
    if len(blob) < OVERHEAD_BYTES or blob[:2] != MAGIC:
        raise DecryptError("a stored value is not sealed")
    return blob[2] << 8 | blob[3]
