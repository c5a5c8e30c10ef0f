"""The public halves of the keys that signed heads of the chain, by name; needs no settings and no Django."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Keys = Mapping[str, Ed25519PublicKey]


def key_id(public: Ed25519PublicKey) -> str:
    """Return the short name of a public key: the start of its digest, so that no other key can bear it."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def line_of(public: Ed25519PublicKey) -> str:
    """Return how a key is handed to an auditor: its name, a colon, 32 bytes as base64."""
    return f"{key_id(public)}:{base64.b64encode(public.public_bytes_raw()).decode()}"


def parse(text: str) -> dict[str, Ed25519PublicKey]:
    """Read keys as `line_of` writes them, by commas or lines; `#` begins a remark. Raises ValueError."""
    bare = "\n".join(line.partition("#")[0] for line in text.splitlines())
    found = {}
    for number, part in enumerate(bare.replace(",", "\n").split(), 1):
        name, _, encoded = part.partition(":")
        try:
            public = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded, validate=True))
        except ValueError:
            raise ValueError(f"public key {number} is not 32 bytes in base64") from None
        if key_id(public) != name:
            raise ValueError(f"public key {number} does not bear its own name")
        found[name] = public
    return found


def is_signed(head: bytes, signature: bytes, name: str, keys: Keys) -> bool:
    """Whether a head carries the good signature of the listed key of this name."""
    try:
        keys[name].verify(signature, head)
    except (KeyError, InvalidSignature):
        return False
    return True
