"""Parts that only the test settings name; nothing here runs in production."""

from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache.backends.base import BaseCache


class QuickArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with the smallest cost."""

    time_cost = 1
    memory_cost = 64
    parallelism = 1


class RefusedCache(BaseCache):
    """Django's cache, which nothing here uses: whoever asks it fails, our code and a library alike.

    Each process would have one of its own, so what counts on it (limits, codes used once) would not hold.
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
