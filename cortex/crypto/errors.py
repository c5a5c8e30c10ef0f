"""What can go wrong with sealed values and keys; no message ever holds content or key material."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands that doesn't open: model and field, the row's key, whose row it is."""

    field: str
    row: Any
    organization_id: UUID | None


class SealedError(Exception):
    """Base of every refusal of the sealing layer.

    `place` says where a value stands that is lost, when it was a row's own attribute that was read.
    """

    place: Place | None = None


class NoAccessContext(SealedError):
    """A sealed value was asked for outside of an access context: a defect in our code."""


class KeyNotOpened(SealedError):
    """The context has not loaded the key of this subject: call `open(rows)` or `load_keys(ids)` first."""


class KeyMissing(KeyNotOpened):
    """There is no key for this subject at all: none was made, or its row was lost."""


class KeyDestroyed(SealedError):
    """The key was destroyed on purpose (erasure); what it sealed can never be read again."""


class DecryptError(SealedError):
    """A stored value does not authenticate: it was changed, moved, truncated, or was never sealed."""


class NotLoaded(SealedError):
    """A deferred sealed field was read; attribute access does no I/O, so ask for it in the query."""


class NoSubject(SealedError):
    """The row does not say whose key seals it (its subject is empty or can't be reached without I/O)."""


class KeyProviderError(SealedError):
    """Master or index keys can't be had: missing, malformed, unknown, or no answer (503)."""


class UnknownMasterKey(KeyProviderError):
    """A data key is wrapped by a master key that is not configured here."""


class UnwrapError(KeyProviderError):
    """The configured master key does not open this wrapped data key: wrong key or changed row."""


class IndexKeyMissing(KeyProviderError):
    """CORTEX_INDEX_KEY is missing or malformed: a lookup must fail, not come back empty."""
