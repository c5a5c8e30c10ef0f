"""The key provider of AWS KMS: data keys are wrapped under an intermediate key that only KMS can unwrap.

`CORTEX_KMS_KEYS` lists ARNs, the first wraps and all unwrap; the word `local` in the list stands for the
master keys of environment or file, for the way from there and back.

One call per data key would be too slow (docs/decisions/0023-aws-kms.md), so KMS makes one intermediate key
per KMS key and house, and each wrapped data key carries it in wrapped form: the keys' database and the KMS
key are all that is needed to open it. An unwrapped intermediate key is held for a minute at most and renewed
behind the desk's back from half of it on, so that a short outage of KMS is not felt.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from cortex.crypto import provider as seam
from cortex.crypto.errors import KeyProviderError, UnknownMasterKey, UnwrapError
from cortex.keys.awskms.client import Kms
from cortex.keys.queries import newest_wrapped

MAGIC = b"K1"
LOCAL = "local"
HELD_SECONDS = 60.0
RENEWED_AFTER = 30.0
PAUSE = 2.0
"""Seconds after which a failed key is asked for again, aside; until it answers, failures are said at once."""
FORGOTTEN = 30.0
"""Seconds after which nobody has asked any more, and the next who does waits for a fresh answer."""
_MOST_WRAPPED = 1024


@dataclass(slots=True)
class _Held:
    aead: AESGCM = field(repr=False)
    at: float


class KmsProvider:
    """Wraps under the first key of CORTEX_KMS_KEYS; AWS is first asked at the first wrap or unwrap."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        names = listed(getattr(settings, "CORTEX_KMS_KEYS", ""))
        endpoint = getattr(settings, "CORTEX_KMS_ENDPOINT", "")
        self.current = names[0]
        self._local = seam.local_provider() if LOCAL in names else None
        self._keys = {name: Kms(name, endpoint) for name in names if name != LOCAL}
        self._locks = {name: threading.Lock() for name in self._keys}
        self._now = now
        self._held: dict[bytes, _Held] = {}
        self._failed: dict[tuple[str, bytes], tuple[float, KeyProviderError]] = {}
        self._renewing: set[bytes] = set()
        self._choosing = threading.Lock()
        self._chosen = b""

    def wrap(self, plaintext: bytes, context: bytes) -> tuple[str, bytes]:
        """Wrap by the current key; raise KeyProviderError."""
        if self.current == LOCAL and self._local is not None:
            return self._local.wrap(plaintext, context)
        wrapped = self._chosen or self._choose()
        aead = self._intermediate(self.current, wrapped)
        nonce = os.urandom(12)
        sealed = aead.encrypt(nonce, plaintext, _bound(self.current, context))
        return self.current, MAGIC + len(wrapped).to_bytes(2, "big") + wrapped + nonce + sealed

    def unwrap(self, key_id: str, blob: bytes, context: bytes) -> bytes:
        """Unwrap by the key that is named; raise UnknownMasterKey, UnwrapError or KeyProviderError."""
        if key_id not in self._keys:
            # One that isn't listed is never asked: a changed row could name a key of somebody else's.
            if self._local is None or key_id.startswith("arn:"):
                raise UnknownMasterKey(f"master key {key_id!r} is not listed in CORTEX_KMS_KEYS")
            return self._local.unwrap(key_id, blob, context)
        wrapped, nonce, sealed = parts_of(blob)
        try:
            return self._intermediate(key_id, wrapped).decrypt(nonce, sealed, _bound(key_id, context))
        except InvalidTag:
            raise UnwrapError(f"{key_id} does not open a stored data key") from None

    def prove(self) -> None:
        """Ask the current key for both things that the desk needs of it; raise KeyProviderError."""
        if self.current != LOCAL:
            plain, wrapped = self._keys[self.current].generate()
            if self._keys[self.current].decrypt(wrapped) != plain:
                raise KeyProviderError(f"{self.current} does not give back what it wrapped")

    def _choose(self) -> bytes:
        """Return the house's intermediate key for wrapping: the newest stored one, else a fresh one."""
        with self._choosing:
            if self._chosen:
                return self._chosen
            stored = newest_wrapped(self.current)
            if stored is not None:
                # One damaged row must not keep everybody else's new keys from being made.
                with suppress(UnwrapError):
                    wrapped = parts_of(stored)[0]
                    self._intermediate(self.current, wrapped)
                    self._chosen = wrapped
                    return wrapped
            self._answer_failure(self.current, b"", PAUSE)
            try:
                plain, wrapped = self._keys[self.current].generate()
            except KeyProviderError as fault:
                raise self._remember(self.current, b"", fault) from None
            self._hold(self.current, wrapped, plain)
            self._chosen = wrapped
            return wrapped

    def _intermediate(self, key_id: str, wrapped: bytes) -> AESGCM:
        held = self._young(wrapped)
        if held is not None:
            if self._now() >= held.at + RENEWED_AFTER:
                self._renew_aside(key_id, wrapped)
            return held.aead
        with self._locks[key_id]:
            held = self._young(wrapped)
            if held is not None:
                return held.aead
            if (key_id, wrapped) in self._failed:
                # In an outage one thread asks, aside; nobody holds a transaction open for it.
                self._renew_aside(key_id, wrapped)
                self._answer_failure(key_id, wrapped, FORGOTTEN)
            return self._fetch(key_id, wrapped).aead

    def _young(self, wrapped: bytes) -> _Held | None:
        held = self._held.get(wrapped)
        return held if held is not None and self._now() < held.at + HELD_SECONDS else None

    def _fetch(self, key_id: str, wrapped: bytes) -> _Held:
        try:
            plain = self._keys[key_id].decrypt(wrapped)
        except KeyProviderError as fault:
            raise self._remember(key_id, wrapped, fault) from None
        return self._hold(key_id, wrapped, plain)

    def _hold(self, key_id: str, wrapped: bytes, plain: bytes) -> _Held:
        if len(plain) != seam.KEY_BYTES:
            raise UnwrapError("AWS KMS gave an intermediate key of another length")
        now = self._now()
        held = _Held(AESGCM(plain), now)
        self._held = {key: one for key, one in self._held.items() if now < one.at + HELD_SECONDS} | {
            wrapped: held
        }
        self._failed.pop((key_id, wrapped), None)
        return held

    def _renew_aside(self, key_id: str, wrapped: bytes) -> None:
        """Renew in a thread of its own, one at a time: a slow KMS delays nobody meanwhile."""
        failure = self._failed.get((key_id, wrapped))
        if wrapped in self._renewing or (failure is not None and self._now() < failure[0] + PAUSE):
            return
        self._renewing.add(wrapped)

        def renew() -> None:
            try:
                self._fetch(key_id, wrapped)
            except KeyProviderError:
                # Kept by `_fetch`, tried again after the pause, and told once the held key is too old.
                pass
            finally:
                self._renewing.discard(wrapped)

        threading.Thread(target=renew, name="kms renewal", daemon=True).start()

    def _remember(self, key_id: str, wrapped: bytes, fault: KeyProviderError) -> KeyProviderError:
        now = self._now()
        self._failed = {key: one for key, one in self._failed.items() if now < one[0] + FORGOTTEN} | {
            (key_id, wrapped): (now, fault)
        }
        return fault

    def _answer_failure(self, key_id: str, wrapped: bytes, seconds: float) -> None:
        failure = self._failed.get((key_id, wrapped))
        if failure is not None and self._now() < failure[0] + seconds:
            raise type(failure[1])(*failure[1].args)

    def __repr__(self) -> str:
        return f"<KmsProvider {self.current} of {len(self._keys)}>"


def listed(text: str) -> list[str]:
    """Return the names of CORTEX_KMS_KEYS in order; raise KeyProviderError."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise KeyProviderError("CORTEX_KMS_KEYS is empty: set it to the ARN of a KMS key")
    if len(set(names)) != len(names):
        raise KeyProviderError("CORTEX_KMS_KEYS names a key twice")
    return names


def parts_of(blob: bytes) -> tuple[bytes, bytes, bytes]:
    """Return (wrapped intermediate key, nonce, sealed data key); raise UnwrapError for anything else."""
    size = int.from_bytes(blob[2:4], "big")
    if blob[:2] != MAGIC or not 0 < size <= _MOST_WRAPPED or len(blob) < 4 + size + 28:
        raise UnwrapError("a stored data key is not wrapped as this provider wraps")
    return blob[4 : 4 + size], blob[4 + size : 16 + size], blob[16 + size :]


def _bound(key_id: str, context: bytes) -> bytes:
    return b"cortex.kms-wrap\x00" + key_id.encode() + b"\x00" + context


# A forked child must not share its parent's connections to AWS, nor a lock that a thread of it held.
os.register_at_fork(after_in_child=seam.reset_provider)
