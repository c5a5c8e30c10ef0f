"""API keys in the raw: how they are made, split and digested; pure."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

SHAPE = re.compile(r"cx_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh key: `raw` is shown once and kept nowhere."""

    raw: str
    prefix: str
    digest: str


def make() -> NewKey:
    """Return a new key with a secret of 256 random bits."""
    prefix = "".join(secrets.choice(LETTERS) for _ in range(12))
    raw = f"cx_{prefix}_{secrets.token_urlsafe(32)}"
    return NewKey(raw, prefix, digest_of(raw))


def digest_of(raw: str) -> str:
    """Return the digest that is kept; 256 random bits need no slow hash."""
    return hashlib.sha256(raw.encode()).hexdigest()


def prefix_of(raw: str) -> str:
    """Return the prefix of a well-formed key, else an empty text."""
    found = SHAPE.fullmatch(raw)
    return found.group(1) if found else ""
