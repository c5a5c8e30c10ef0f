"""How an API key is checked; making and ending keys stands in `apikeys`."""

from __future__ import annotations

import hmac
from datetime import timedelta

from cortex.accounts.apikeys.actions import note_key_use
from cortex.accounts.apikeys.material import digest_of, prefix_of
from cortex.accounts.apikeys.models import ApiKey
from cortex.accounts.apikeys.queries import key_by_prefix
from cortex.clock import steady_now

USE_NOTED_EVERY = timedelta(minutes=1)
NO_DIGEST = "0" * 64


def authenticate_key(raw: str) -> ApiKey | None:
    """Return the working key for what was sent (client and organization loaded), else None.

    An unknown prefix is compared too, so that it takes as long as a wrong secret. The last use is noted at
    most once a minute.
    """
    prefix = prefix_of(raw)
    key = key_by_prefix(prefix) if prefix else None
    is_right = hmac.compare_digest(digest_of(raw), key.key_hash if key else NO_DIGEST)
    now = steady_now()
    if key is None or not is_right or not key.opens_at(now):
        return None
    if key.last_used_at is None or now - key.last_used_at > USE_NOTED_EVERY:
        note_key_use(key_id=key.pk, at=now)
    return key
