"""Which database a model lives in: data keys on the alias `keys`, everything else in the main one."""

from __future__ import annotations

from typing import Any

ALIAS = "keys"
LABEL = "keys"


class KeysRouter:
    """App label `keys` only on alias `keys`, and nothing else there, migrations included."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """Return the alias to read from."""
        return ALIAS if model._meta.app_label == LABEL else None

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        """Return the alias to write to."""
        return ALIAS if model._meta.app_label == LABEL else None

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        """Refuse relations across the two databases."""
        return (one._meta.app_label == LABEL) == (other._meta.app_label == LABEL)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Keep each migration in its own database."""
        return (db == ALIAS) == (app_label == LABEL)
