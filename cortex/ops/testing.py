"""Parts that only the test settings name; nothing here runs in production."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with the smallest cost."""

    time_cost = 1
    memory_cost = 64
    parallelism = 1
