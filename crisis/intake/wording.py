"""Tells whether an item says the same as before: keyed digests of its words, never the words; no query."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection
from uuid import UUID

from cortex.crypto.digest import keyed_digest
from cortex.crypto.errors import SealedError
from cortex.crypto.keys import DataKey

VERSION_BYTES = 2


class Wording:
    """Digests under the keys of one batch's people: the key's version in two bytes, then the HMAC.

    Where a key can't be had nothing can be said, and who asks must take the words for new.
    """

    def __init__(self, key_for: Callable[[UUID, int | None], DataKey], closed: Collection[UUID]) -> None:
        self._key_for = key_for
        self._closed = closed

    def digest(self, patient_id: UUID | None, words: str) -> bytes | None:
        """Return the digest of a person's words under the key that seals now, or None."""
        return self._digest(patient_id, words, None)

    def same(self, patient_id: UUID | None, words: str, known: bytes | None) -> bool | None:
        """Whether a digest that was kept is of these words; None when that can't be said."""
        if known is None:
            return None
        found = self._digest(patient_id, words, int.from_bytes(known[:VERSION_BYTES], "big"))
        return None if found is None else hmac.compare_digest(found, known)

    def _digest(self, patient_id: UUID | None, words: str, version: int | None) -> bytes | None:
        if patient_id is None or patient_id in self._closed:
            return None
        try:
            key = self._key_for(patient_id, version)
            return key.version.to_bytes(VERSION_BYTES, "big") + keyed_digest(key, words)
        except SealedError:
            return None
