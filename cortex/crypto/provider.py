"""Where master keys live: the seam for a KMS, and the two providers that need none (environment and file).

A provider wraps and unwraps data keys (32 bytes) and knows nothing else. `CORTEX_KEY_PROVIDER` names the
class by its dotted path; without it AWS KMS wins when CORTEX_KMS_KEYS is set (`cortex.keys.awskms`), then the
file when CORTEX_MASTER_KEY_FILE is set, else the environment. To join Vault transit or Azure Key Vault, write
a class with the two methods of `KeyProvider`:

- `wrap` returns the id of the master key that was used (a key's ARN, "transit:3", …) and an opaque blob; both
  are stored beside each other in `SubjectKey`.
- `unwrap` gets both back. `context` must be bound (Vault's `associated_data` of a derived key; where one call
  per data key is too slow, AES-GCM locally under a wrapped intermediate key), so that a wrapped key moved to
  another subject does not open.
- Every failure raises a subclass of KeyProviderError within seconds, also a time-out, and a second caller
  doesn't wait for it again: callers answer 503 and never fall back to plaintext. Data keys are cached for a
  minute, so a short outage is not felt.
- Instances are shared by threads and made once per process; they must not log material.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import stat
import threading
from pathlib import Path
from typing import Protocol, runtime_checkable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from cortex.crypto.errors import KeyProviderError, UnknownMasterKey, UnwrapError

KEY_BYTES = 32
WRAP_MAGIC = b"W1"
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
KMS = "cortex.keys.awskms.provider.KmsProvider"


@runtime_checkable
class KeyProvider(Protocol):
    """What the key store asks of whoever holds the master keys."""

    def wrap(self, plaintext: bytes, context: bytes) -> tuple[str, bytes]:
        """Return (master key id, wrapped key), bound to `context`."""

    def unwrap(self, key_id: str, blob: bytes, context: bytes) -> bytes:
        """Return the plaintext key; raise KeyProviderError when it can't be had."""


class LocalProvider:
    """AES-256-GCM under master keys held in this process; the first is current, the others only unwrap."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        if not keys:
            raise KeyProviderError("no master key is configured")
        self._keys = {key_id: AESGCM(material) for key_id, material in keys.items()}
        self.current = next(iter(keys))

    def wrap(self, plaintext: bytes, context: bytes) -> tuple[str, bytes]:
        """Wrap by the current master key."""
        nonce = os.urandom(12)
        sealed = self._keys[self.current].encrypt(nonce, plaintext, _bound(self.current, context))
        return self.current, WRAP_MAGIC + nonce + sealed

    def unwrap(self, key_id: str, blob: bytes, context: bytes) -> bytes:
        """Unwrap by the master key that is named; raise UnknownMasterKey or UnwrapError."""
        master = self._keys.get(key_id)
        if master is None:
            raise UnknownMasterKey(f"master key {key_id!r} is not configured")
        if len(blob) < 30 or blob[:2] != WRAP_MAGIC:
            raise UnwrapError("a stored data key is not wrapped as this provider wraps")
        try:
            return master.decrypt(blob[2:14], blob[14:], _bound(key_id, context))
        except InvalidTag:
            raise UnwrapError(f"master key {key_id!r} does not open a stored data key") from None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(self._keys)}>"


class EnvProvider(LocalProvider):
    """Master keys from CORTEX_MASTER_KEYS="v2:<base64>,v1:<base64>"; the first is current."""

    def __init__(self) -> None:
        text = getattr(settings, "CORTEX_MASTER_KEYS", "")
        if not text:
            raise KeyProviderError("CORTEX_MASTER_KEYS is empty: set it to <id>:<32 bytes as base64>")
        super().__init__(parse_keys(text, "CORTEX_MASTER_KEYS"))


class FileProvider(LocalProvider):
    """Master keys from CORTEX_MASTER_KEY_FILE: {"current": "v2", "keys": {"v2": "<base64>"}}."""

    def __init__(self) -> None:
        name = getattr(settings, "CORTEX_MASTER_KEY_FILE", "")
        if not name:
            raise KeyProviderError("CORTEX_MASTER_KEY_FILE is empty")
        super().__init__(_read_file(Path(name)))


def parse_keys(text: str, name: str) -> dict[str, bytes]:
    """Return {id: 32 bytes} in the order of "id:base64,id:base64"; raise KeyProviderError, naming no key."""
    keys: dict[str, bytes] = {}
    for number, part in enumerate(text.split(","), start=1):
        key_id, colon, material = part.strip().partition(":")
        if not colon or not _KEY_ID.fullmatch(key_id):
            raise KeyProviderError(f"{name}: entry {number} is not <id>:<base64>")
        if key_id in keys:
            raise KeyProviderError(f"{name}: id {key_id!r} stands twice")
        keys[key_id] = decode_key(material, f"{name}: {key_id!r}")
    return keys


def decode_key(text: str, name: str) -> bytes:
    """Return 32 bytes of standard or URL-safe base64; raise KeyProviderError without the text."""
    try:
        material = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise KeyProviderError(f"{name} is not base64") from None
    if len(material) != KEY_BYTES:
        raise KeyProviderError(f"{name} has {len(material)} bytes, {KEY_BYTES} are needed")
    if len(set(material)) == 1:
        raise KeyProviderError(f"{name} is no random key")
    return material


def _read_file(path: Path) -> dict[str, bytes]:
    try:
        with path.open("rb") as handle:
            mode = os.fstat(handle.fileno())
            content = handle.read()
    except OSError as fault:
        raise KeyProviderError(f"CORTEX_MASTER_KEY_FILE can't be read: {fault.strerror}") from None
    if not stat.S_ISREG(mode.st_mode) or stat.S_IMODE(mode.st_mode) & 0o077:
        raise KeyProviderError("CORTEX_MASTER_KEY_FILE may be read by its owner alone: chmod 600")
    try:
        document = json.loads(content)
        current, entries = str(document["current"]), dict(document["keys"])
        keys = {current: entries.pop(current)} | entries
    except (ValueError, TypeError, KeyError):
        raise KeyProviderError(
            "CORTEX_MASTER_KEY_FILE does not hold what it must (see FileProvider)"
        ) from None
    return {key_id: decode_key(str(text), f"master key {key_id!r}") for key_id, text in keys.items()}


def _bound(key_id: str, context: bytes) -> bytes:
    return b"cortex.wrap\x00" + key_id.encode() + b"\x00" + context


_lock = threading.Lock()
_provider: KeyProvider | None = None


def get_provider() -> KeyProvider:
    """Return the process's provider, made on first use; raise KeyProviderError when it can't be made."""
    global _provider
    if _provider is None:
        with _lock:
            if _provider is None:
                _provider = _make_provider()
    return _provider


def reset_provider() -> None:
    """Forget the provider, so that the next use reads the settings again (rotation, tests)."""
    global _provider
    _provider = None


def local_provider() -> LocalProvider:
    """Return a provider of the file's master keys, else of the environment's; raise KeyProviderError."""
    return FileProvider() if getattr(settings, "CORTEX_MASTER_KEY_FILE", "") else EnvProvider()


def _make_provider() -> KeyProvider:
    by_kms = bool(getattr(settings, "CORTEX_KMS_KEYS", ""))
    name = getattr(settings, "CORTEX_KEY_PROVIDER", "") or (KMS if by_kms else "")
    if not name:
        return local_provider()
    try:
        provider = import_string(name)()
    except ImportError as fault:
        raise KeyProviderError(f"CORTEX_KEY_PROVIDER {name!r} can't be imported") from fault
    if not isinstance(provider, KeyProvider):
        raise KeyProviderError(f"CORTEX_KEY_PROVIDER {name!r} has no wrap() and unwrap()")
    return provider


_READ = {
    "CORTEX_MASTER_KEYS", "CORTEX_MASTER_KEY_FILE", "CORTEX_KEY_PROVIDER", "CORTEX_KMS_KEYS",
    "CORTEX_KMS_ENDPOINT",
}  # fmt: skip


def _forget_on_change(*, setting: str, **_: object) -> None:
    if setting in _READ:
        reset_provider()


setting_changed.connect(_forget_on_change)
