"""The data key: format, binding, tampering, nonces, and that it never shows itself."""

from __future__ import annotations

import copy
import os
import pickle
import random

import pytest

from cortex.crypto.digest import keyed_digest
from cortex.crypto.errors import DecryptError, KeyDestroyed
from cortex.crypto.keys import OVERHEAD_BYTES, DataKey, version_of
from cortex.crypto.values import Enc, Pending
from cortex.ids import uuid7
from tests.unit.crypto.letters import fresh_key

AAD = b"table|column|row|subject"
# A million in `make proof`.
SEALS = 1_000_000 if os.environ.get("CORTEX_EXPLORE") else 100_000


def test_a_seal_opens_again_and_costs_32_bytes() -> None:
    key = fresh_key(uuid7(), 258)
    blob = key.seal(b"x" * 500, AAD)
    assert key.unseal(blob, AAD) == b"x" * 500
    assert len(blob) == 532 == 500 + OVERHEAD_BYTES
    assert blob[:4] == b"C1\x01\x02"
    assert version_of(blob) == 258


def test_an_empty_value_is_sealed_too() -> None:
    key = fresh_key(uuid7())
    assert key.unseal(key.seal(b"", AAD), AAD) == b""


def test_thousands_of_changed_blobs_are_all_refused() -> None:
    key = fresh_key(uuid7())
    seed = int.from_bytes(os.urandom(4), "big")
    chance = random.Random(seed)
    blob = key.seal(b"I can't go on like this", AAD)
    refused = 0
    for bit in range(len(blob) * 8):
        changed = bytearray(blob)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecryptError):
            key.unseal(bytes(changed), AAD)
        refused += 1
    for length in range(len(blob)):
        with pytest.raises(DecryptError):
            key.unseal(blob[:length], AAD)
        with pytest.raises(DecryptError):
            key.unseal(blob[length + 1 :], AAD)
        refused += 2
    other = key.seal(b"something else entirely", AAD)
    for _ in range(2000):
        changed = bytearray(blob)
        at, width = chance.randrange(len(blob)), chance.randrange(1, 12)
        source = chance.choice([other[at : at + width], os.urandom(width), blob[: width + 1]])
        changed[at : at + width] = source
        if bytes(changed) == blob:
            continue
        with pytest.raises(DecryptError):
            key.unseal(bytes(changed), AAD)
        refused += 1
    for tail in range(1, 40):
        with pytest.raises(DecryptError):
            key.unseal(blob + os.urandom(tail), AAD)
        refused += 1
    print(f"\n{refused} changed blobs refused, 0 accepted (seed {seed})")
    assert refused > 2400


def test_other_associated_data_never_opens() -> None:
    key = fresh_key(uuid7())
    blob = key.seal(b"words", AAD)
    for at in range(len(AAD) * 8):
        changed = bytearray(AAD)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(DecryptError):
            key.unseal(blob, bytes(changed))


def test_another_version_of_the_same_material_does_not_open() -> None:
    subject, material = uuid7(), os.urandom(32)
    one, two = DataKey(subject, 1, material), DataKey(subject, 2, material)
    blob = one.seal(b"words", AAD)
    with pytest.raises(DecryptError):
        two.unseal(blob, AAD)
    with pytest.raises(DecryptError):
        two.unseal(b"C1\x00\x02" + blob[4:], AAD)


def test_another_format_is_refused() -> None:
    key = fresh_key(uuid7())
    blob = key.seal(b"words", AAD)
    for magic in (b"C0", b"C2", b"\x00\x00", b"gA"):
        with pytest.raises(DecryptError):
            key.unseal(magic + blob[2:], AAD)
        with pytest.raises(DecryptError):
            version_of(magic + blob[2:])


def test_no_two_nonces_are_equal() -> None:
    key = fresh_key(uuid7())
    nonces = {key.seal(b"", b"")[4:16] for _ in range(SEALS)}
    assert len(nonces) == SEALS


def test_a_destroyed_key_neither_seals_nor_opens() -> None:
    subject = uuid7()
    blob = fresh_key(subject).seal(b"x", AAD)
    tombstone = DataKey(subject, 1, b"")
    assert tombstone.is_destroyed
    for attempt in (
        lambda: tombstone.seal(b"x", AAD),
        lambda: tombstone.unseal(blob, AAD),
        lambda: keyed_digest(tombstone, "x"),
    ):
        with pytest.raises(KeyDestroyed):
            attempt()


def test_nothing_shows_or_carries_away_key_or_value() -> None:
    material = b"0123456789abcdef0123456789abcdef"
    key = DataKey(uuid7(), 1, material)
    enc, pending = Enc(key.seal(b"words", AAD)), Pending("words")
    for thing in (key, enc, pending):
        shown = f"{thing!r} {thing!s} {[thing]}"
        assert "words" not in shown and "01234567" not in shown and "30313233" not in shown
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError):
                pickle.dumps(thing, protocol)
    assert copy.copy(enc) is copy.deepcopy(enc) is enc
    assert enc == Enc(enc.blob) and len({enc, Enc(enc.blob)}) == 1 and enc != "<sealed>"


@pytest.mark.parametrize("version", [0, -1, 65536])
def test_versions_have_sixteen_bits(version: int) -> None:
    with pytest.raises(ValueError, match=r"1\.\.65535"):
        DataKey(uuid7(), version, os.urandom(32))


def test_digests_are_keyed_by_the_person() -> None:
    one, two = fresh_key(uuid7()), fresh_key(uuid7())
    assert keyed_digest(one, "same words") == keyed_digest(one, "same words")
    assert keyed_digest(one, "same words") != keyed_digest(two, "same words")
    assert keyed_digest(one, "same words") != keyed_digest(one, "same words ")
    assert len(keyed_digest(one, "")) == 32
