"""Digests of a person's words: always keyed with that person's key, never a bare hash."""

from __future__ import annotations

from cortex.crypto.keys import DataKey


def keyed_digest(key: DataKey, text: str) -> bytes:
    """Return 32 bytes of HMAC-SHA-256 of the text under a key derived from the person's data key.

    Equal texts of one person under one key version agree, those of two people never do; after the key is
    destroyed nobody can try out guesses. Raise KeyDestroyed.
    """
    return key.mac(b"content", text.encode(errors="surrogatepass"))
