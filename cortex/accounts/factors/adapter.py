"""How allauth keeps second factors here: secrets under a data key of the key store, one issuer's name."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from uuid import UUID

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser

from cortex.crypto.errors import DecryptError
from cortex.crypto.keys import version_of
from cortex.keys.actions import ensure_keys
from cortex.keys.models import Purpose
from cortex.keys.queries import data_keys, pick

# The secrets of factors have one data key for the whole house, under a name that is no id. The master key
# wraps it like every other, so that rotating that one leaves no secret behind.
SUBJECT = UUID("5ec0fac7-0000-4000-8000-636f72746578")
PREFIX = "sealed:"
BOUND = b"cortex.accounts.factors"


def existing(subjects: Collection[UUID]) -> set[UUID]:
    """Tell the sweep of orphaned keys that the factors' key belongs to somebody."""
    return {SUBJECT} & set(subjects)


def blob_of(text: str) -> bytes:
    """Return the sealed bytes of a factor's secret; raise DecryptError for anything that isn't sealed."""
    try:
        if text.startswith(PREFIX):
            return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        pass
    raise DecryptError("a factor's secret is not sealed")


def resealed(text: str, version: int) -> str:
    """Return a sealed secret under another version of the house's key; raise DecryptError, KeyDestroyed."""
    blob = blob_of(text)
    keys = {key.version: key for key in data_keys([SUBJECT]).get(SUBJECT, [])}
    plain = pick(keys, SUBJECT, version_of(blob)).unseal(blob, BOUND)
    return PREFIX + base64.b64encode(pick(keys, SUBJECT, version).seal(plain, BOUND)).decode()


class FactorAdapter(DefaultMFAAdapter):
    """Seals secrets, and names this house to authenticator apps and security keys."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "That is not right, or was used already. Wait for the next code and try again.",
    }

    def encrypt(self, text: str) -> str:
        """Return the text sealed by AES-256-GCM, in letters; raise KeyProviderError when keys are away."""
        found = ensure_keys([SUBJECT], purpose=Purpose.ORGANIZATION)[SUBJECT]
        blob = pick({key.version: key for key in found}, SUBJECT).seal(text.encode(), BOUND)
        return PREFIX + base64.b64encode(blob).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the text; raise DecryptError for anything that was not sealed here, plaintext included."""
        blob = blob_of(encrypted_text)
        found = data_keys([SUBJECT]).get(SUBJECT, [])
        keys = {key.version: key for key in found}
        return pick(keys, SUBJECT, version_of(blob)).unseal(blob, BOUND).decode()

    def _get_site_name(self) -> str:
        return "Cortex"

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        """Name a key whose owner gave it no name."""
        return "Security key"
