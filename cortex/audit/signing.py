"""The Ed25519 key that signs the heads of the chain; reads it from the settings, keeps nothing else."""

from __future__ import annotations

import base64
import functools
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@functools.cache
def private_key() -> Ed25519PrivateKey:
    """Return the signing key (32 bytes, base64, in CORTEX_AUDIT_SIGNING_KEY)."""
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.CORTEX_AUDIT_SIGNING_KEY))
    except ValueError as error:
        raise ImproperlyConfigured("CORTEX_AUDIT_SIGNING_KEY must be 32 bytes in base64") from error


def key_id(public: Ed25519PublicKey) -> str:
    """Return the short name of a public key."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def sign(head: bytes) -> tuple[bytes, str]:
    """Return the signature over a head and the name of its key."""
    key = private_key()
    return key.sign(head), key_id(key.public_key())


def is_signed(head: bytes, signature: bytes, public: Ed25519PublicKey) -> bool:
    """Whether the signature over a head is good."""
    try:
        public.verify(signature, head)
    except InvalidSignature:
        return False
    return True
