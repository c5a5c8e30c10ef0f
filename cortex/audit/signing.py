"""The private key that signs the heads of the chain, and the public ones that this house was told of."""

from __future__ import annotations

import base64
import functools

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from cortex.audit import publickeys


@functools.cache
def private_key() -> Ed25519PrivateKey:
    """Return the signing key (32 bytes, base64, in CORTEX_AUDIT_SIGNING_KEY)."""
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.CORTEX_AUDIT_SIGNING_KEY))
    except ValueError as error:
        raise ImproperlyConfigured("CORTEX_AUDIT_SIGNING_KEY must be 32 bytes in base64") from error


def sign(head: bytes) -> tuple[bytes, str]:
    """Return the signature over a head and the name of its key."""
    key = private_key()
    return key.sign(head), publickeys.key_id(key.public_key())


def public_keys() -> publickeys.Keys:
    """Return the keys of CORTEX_AUDIT_PUBLIC_KEYS; a house that lists none has never exchanged its own."""
    try:
        listed = publickeys.parse(settings.CORTEX_AUDIT_PUBLIC_KEYS)
    except ValueError as error:
        raise ImproperlyConfigured(f"CORTEX_AUDIT_PUBLIC_KEYS: {error}") from error
    return listed or publickeys.parse(publickeys.line_of(private_key().public_key()))
