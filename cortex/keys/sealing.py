"""The key that seals a person's rows now: for writes that open nothing, which leave no access row."""

from __future__ import annotations

from uuid import UUID

from cortex.crypto.keys import DataKey
from cortex.keys.actions import ensure_keys
from cortex.keys.queries import pick


def key_of(patient_id: UUID) -> DataKey:
    """Return a person's newest key, made where there is none."""
    versions = {key.version: key for key in ensure_keys([patient_id])[patient_id]}
    return pick(versions, patient_id, None)
