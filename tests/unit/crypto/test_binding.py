"""A sealed value opens in its own table, column, row and patient alone; anything moved or changed raises."""

from __future__ import annotations

import os
import random
from itertools import permutations
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from cortex.access.context import AccessContext
from cortex.crypto import fields
from cortex.crypto.errors import DecryptError, KeyDestroyed, KeyMissing, KeyNotOpened, NoSubject
from cortex.crypto.keys import DataKey
from cortex.crypto.values import Enc
from cortex.ids import uuid7
from tests.unit.crypto.letters import Card, Letter, column, fresh_key, holding, put_column, sealed

pytestmark = pytest.mark.django_db


def read(row: Letter | Card, name: str = "note") -> object:
    """Fetch the row again and open one field of it."""
    return getattr(type(row).objects.get(pk=row.pk), name)


def test_a_value_moved_to_another_row_column_table_or_patient_does_not_open(tables: None) -> None:
    one, two = uuid7(), uuid7()
    # Both patients share the key's material, so that only the associated data can tell them apart.
    material = os.urandom(32)
    with holding(DataKey(one, 1, material), DataKey(two, 1, material)):
        first = Letter.objects.create(patient_id=one, note="first", other="beside")
        again = Letter.objects.create(patient_id=one, note="again")
        third = Letter.objects.create(patient_id=two, note="third")
        card = Card.objects.create(id=first.pk, patient_id=one, note="card")
        places = [(first, "note"), (first, "other"), (again, "note"), (third, "note"), (card, "note")]
        stored = {place: column(*place) for place in places}
        for source, target in permutations(places, 2):
            put_column(*target, stored[source])
            with pytest.raises(DecryptError):
                read(*target)
            put_column(*target, stored[target])
        assert [read(*place) for place in places] == ["first", "beside", "again", "third", "card"]
        Letter.objects.filter(pk=first.pk).update(patient_id=two)
        with pytest.raises(DecryptError):
            read(first)


def test_thousands_of_changes_in_the_database_are_all_refused(
    tables: None, context: AccessContext, patient: UUID
) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    chance = random.Random(seed)
    row = Letter.objects.create(patient_id=patient, note="I can't go on like this", other="beside")
    good, beside = column(row, "note"), column(row, "other")
    tried: set[bytes] = {good}
    for _ in range(3000):
        changed = bytearray(good)
        match chance.randrange(5):
            case 0:
                changed[chance.randrange(len(good))] ^= 1 << chance.randrange(8)
            case 1:
                del changed[chance.randrange(len(good)) :]
            case 2:
                changed += os.urandom(chance.randrange(1, 40))
            case 3:
                changed[2:4] = os.urandom(2)
            case _:
                cut = chance.randrange(len(good))
                changed = bytearray(good[:cut] + beside[cut:])
        if bytes(changed) in tried:
            continue
        tried.add(bytes(changed))
        found = Letter(id=row.pk, patient_id=patient, note=Enc(bytes(changed)))
        with pytest.raises(DecryptError):
            found.note  # noqa: B018
    print(f"\n{len(tried) - 1} different changes refused, 0 accepted (seed {seed})")
    assert len(tried) > 1500
    for content in sorted(tried - {good})[::40]:
        put_column(row, "note", content)
        with pytest.raises(DecryptError):
            read(row)
    put_column(row, "note", good)
    assert read(row) == "I can't go on like this"


@pytest.mark.parametrize("planted", [b"", b"plain words in the column", b"C1", b"C1\x00\x01" + b"\x00" * 28])
def test_planted_plaintext_is_never_shown(
    planted: bytes, tables: None, context: AccessContext, patient: UUID
) -> None:
    row = Letter.objects.create(patient_id=patient, note="words")
    put_column(row, "note", planted)
    with pytest.raises(DecryptError) as caught:
        read(row)
    assert "plain" not in str(caught.value)


def test_an_unreadable_value_is_not_sealed_again_by_a_save(
    tables: None, context: AccessContext, patient: UUID
) -> None:
    row = Letter.objects.create(patient_id=patient, note="words")
    put_column(row, "note", b"damaged")
    found = Letter.objects.get(pk=row.pk)
    found.label = "changed"
    found.save()
    assert column(row, "note") == b"damaged"


def test_old_versions_open_after_a_rotation_and_a_reseal_moves_on(tables: None, patient: UUID) -> None:
    old, new = fresh_key(patient), fresh_key(patient, 2)
    with holding(old):
        row = Letter.objects.create(patient_id=patient, note="words", count=3)
    with holding(old, new):
        found = Letter.objects.get(pk=row.pk)
        assert found.note == "words"
        assert fields.reseal(found) == ["note", "count"]
        found.save()
        assert column(row, "note")[2:4] == b"\x00\x02"
    with holding(new):
        again = Letter.objects.get(pk=row.pk)
        assert (again.note, again.count) == ("words", 3)
    # One version's bytes under the other's number do not open either.
    with holding(old, new):
        blob = column(row, "note")
        put_column(row, "note", blob[:2] + b"\x00\x01" + blob[4:])
        with pytest.raises(DecryptError):
            read(row)


def test_a_destroyed_and_a_missing_key_say_so(tables: None, patient: UUID) -> None:
    with holding(fresh_key(patient)):
        row = Letter.objects.create(patient_id=patient, note="words")
    with holding(DataKey(patient, 1, b"")):
        with pytest.raises(KeyDestroyed):
            read(row)
        with pytest.raises(KeyDestroyed), transaction.atomic():
            Letter.objects.create(patient_id=patient, note="more")
    with holding(fresh_key(patient)) as context:
        context._keys[patient] = {}
        with pytest.raises(KeyMissing):
            read(row)
    with holding(fresh_key(patient)), pytest.raises(DecryptError):
        read(row)


def test_a_sealed_value_can_not_be_copied_to_a_new_row(
    tables: None, context: AccessContext, patient: UUID
) -> None:
    row = Letter.objects.create(patient_id=patient, note="words")
    copy = Letter.objects.get(pk=row.pk)
    copy.pk, copy._state.adding = uuid7(), True
    with pytest.raises(TypeError, match="another row"), transaction.atomic():
        copy.save()
    row.patient_id = uuid7()
    with pytest.raises(TypeError, match="another row"), transaction.atomic():
        row.save()
    row.patient_id = patient
    row.note = row.note
    row.save()
    assert read(row) == "words"


def test_a_row_moves_to_another_person_only_by_being_sealed_again(tables: None) -> None:
    one, two = uuid7(), uuid7()
    with holding(fresh_key(one), fresh_key(two)):
        row = Letter.objects.get(pk=Letter.objects.create(patient_id=one, note="words", count=1).pk)
        fields.reseal(row)
        row.patient_id = two
        row.save()
    with holding(fresh_key(one)), pytest.raises(KeyNotOpened):
        read(row)
    assert Letter.objects.get(pk=row.pk).patient_id == two


def test_a_failed_insert_may_be_tried_again(tables: None, context: AccessContext, patient: UUID) -> None:
    first = Letter.objects.create(patient_id=patient, note="first")
    second = Letter(id=first.pk, patient_id=patient, note="second")
    with pytest.raises(IntegrityError), transaction.atomic():
        second.save(force_insert=True)
    first.delete()
    second.save(force_insert=True)
    assert read(second) == "second"


def test_a_row_without_subject_or_key_is_refused(tables: None, context: AccessContext, patient: UUID) -> None:
    with pytest.raises(NoSubject):
        Letter(patient_id=None, note="words").save()
    with pytest.raises(NoSubject):
        sealed("note").seal("words", pk=None, subject=patient)


def test_a_pinned_binding_survives_a_new_name(patient: UUID) -> None:
    key, pk = fresh_key(patient), uuid7()
    old = sealed("note").seal("words", pk=pk, subject=patient, key=key)
    pinned = fields.SealedTextField(bound_as="crypto_letter.note")
    pinned.set_attributes_from_name("renamed")
    pinned.model = Card
    assert pinned.unseal(old, pk=pk, subject=patient, key=key) == "words"
