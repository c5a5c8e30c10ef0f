"""A hundred thousand changed and moved sealed values: not one opens."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from uuid import UUID

from cortex.crypto.errors import DecryptError
from cortex.crypto.keys import HEADER_BYTES, DataKey
from cortex.ids import uuid7
from tests.unit.crypto.letters import Card, Letter

TRIES = 100_000
SEED = 20261126
NOTE, OTHER, CARD = (
    Letter._meta.get_field("note"), Letter._meta.get_field("other"), Card._meta.get_field("note")
)  # fmt: skip


class Sealed:
    """One value in its place: the key's material, the row, the person, the blob."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.material = dice, os.urandom(32)
        self.subject, self.pk, self.version = uuid7(), uuid7(), dice.randint(1, 60_000)
        self.key = DataKey(self.subject, self.version, self.material)
        self.blob = self.key.seal(os.urandom(dice.randint(0, 80)), NOTE.aad(self.pk, self.subject))

    def opens(
        self, *, blob: bytes | None = None, key: DataKey | None = None, field: object = NOTE,
        pk: UUID | None = None, subject: UUID | None = None,
    ) -> bool:  # fmt: skip
        """Whether it opens with these parts exchanged."""
        aad = field.aad(pk or self.pk, subject or self.subject)  # type: ignore[attr-defined]
        try:
            (key or self.key).unseal(self.blob if blob is None else blob, aad)
        except DecryptError:
            return False
        return True

    def flipped(self) -> bytes:
        """The blob with one bit changed, anywhere."""
        changed = bytearray(self.blob)
        changed[self.dice.randrange(len(changed))] ^= 1 << self.dice.randrange(8)
        return bytes(changed)

    def as_version(self, version: int) -> bytes:
        """The blob that claims another key version."""
        return self.blob[:2] + version.to_bytes(2, "big") + self.blob[HEADER_BYTES:]

    def next_key(self) -> DataKey:
        """The same material under the next version: only the header tells them apart."""
        return DataKey(self.subject, self.version + 1, self.material)


VARIANTS: dict[str, Callable[[Sealed], bool]] = {
    "row swap": lambda one: one.opens(pk=uuid7()),
    "column swap": lambda one: one.opens(field=OTHER),
    "table swap": lambda one: one.opens(field=CARD),
    "other patient, moved row": lambda one: one.opens(subject=uuid7()),
    "other patient, other key": lambda one: one.opens(
        key=DataKey(one.subject, one.version, os.urandom(32)), subject=one.subject
    ),
    "bit flip": lambda one: one.opens(blob=one.flipped()),
    "truncation": lambda one: one.opens(blob=one.blob[: one.dice.randrange(len(one.blob))]),
    "extension": lambda one: one.opens(blob=one.blob + os.urandom(one.dice.randint(1, 20))),
    "version swap in the row": lambda one: one.opens(blob=one.as_version(one.version + 1)),
    "version swap of the key": lambda one: one.opens(
        blob=one.as_version(one.version + 1), key=one.next_key()
    ),
}


def test_no_changed_or_moved_value_opens() -> None:
    dice, accepted, tried = random.Random(SEED), Counter[str](), Counter[str]()
    while tried.total() < TRIES:
        one = Sealed(dice)
        assert one.opens(), "in its own place it opens"
        for name, variant in VARIANTS.items():
            tried[name] += 1
            accepted[name] += variant(one)
    assert accepted.total() == 0, dict(accepted)
    assert min(tried.values()) >= TRIES // len(VARIANTS)
