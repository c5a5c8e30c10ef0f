"""The secrets of a developer's machine, made once into .cortex/secrets.json; not for production."""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path

FILE = "secrets.json"


def load_or_make(data_dir: Path) -> dict[str, str]:
    """Return the secrets of this folder; missing ones are added, present ones are never changed."""
    path = data_dir / FILE
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    made = {name: value for name, value in fresh_secrets().items() if name not in known}
    if made:
        write_private(path, json.dumps(known | made, indent=1) + "\n")
    return known | made


def fresh_secrets() -> dict[str, str]:
    """Return one new value for every name."""
    return {
        "secret_key": secrets.token_urlsafe(48),
        "master_keys": f"v1:{key_text()}",
        "index_key": key_text(),
        "audit_signing_key": key_text(),
        "metrics_token": secrets.token_urlsafe(24),
        "backup_key": key_text(),
        "keys_backup_key": key_text(),
        "postgres_password": secrets.token_urlsafe(24),
        "owner_password": secrets.token_urlsafe(24),
        "app_password": secrets.token_urlsafe(24),
        "system_password": secrets.token_urlsafe(24),
        "redis_password": secrets.token_urlsafe(24),
    }


def key_text() -> str:
    """Return 32 random bytes as standard base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(path)
