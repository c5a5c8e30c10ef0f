"""Ways out of a sealed row that must be shut: serializers, pickles, copies, refreshes, repr; late seals."""

from __future__ import annotations

import copy
import json
import pickle
from io import StringIO
from uuid import UUID

import pytest
from django.apps import apps
from django.core import serializers
from django.core.management import CommandError, call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cortex.access.context import AccessContext
from cortex.crypto import fields
from cortex.crypto.errors import NoAccessContext, SealedError
from cortex.crypto.values import Enc, Pending
from tests.unit.crypto import letters
from tests.unit.crypto.letters import Letter, fresh_key, holding

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("style", ["json", "jsonl", "python", "xml"])
def test_serializers_are_refused(style: str, tables: None, context: AccessContext, patient: UUID) -> None:
    Letter.objects.create(patient_id=patient, note="words")
    with pytest.raises(TypeError, match="never serialized"):
        serializers.serialize(style, Letter.objects.all())


def test_dumpdata_is_refused_and_writes_nothing(
    tables: None, patient: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    # dumpdata passes by an app without a models module.
    monkeypatch.setattr(apps.get_app_config("crypto"), "models_module", letters)
    with holding(fresh_key(patient)):
        Letter.objects.create(patient_id=patient, note="canary", count=5)
    out = StringIO()
    with pytest.raises(CommandError, match="outside of an access context"):
        call_command("dumpdata", "crypto.Letter", stdout=out)
    assert "canary" not in out.getvalue()


def test_loaddata_can_not_plant_plaintext(tables: None, context: AccessContext, patient: UUID) -> None:
    document = [
        {"model": "crypto.letter", "pk": str(patient), "fields": {"patient_id": str(patient), "note": "x"}}
    ]
    (loaded,) = serializers.deserialize("python", document)
    with pytest.raises(TypeError), transaction.atomic():
        loaded.save()


def test_a_row_with_sealed_values_is_never_pickled(
    tables: None, context: AccessContext, patient: UUID
) -> None:
    row = Letter.objects.create(patient_id=patient, note="canary")
    for thing in (row, Letter.objects.get(pk=row.pk), Letter(patient_id=patient, note="canary")):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
    with pytest.raises(TypeError):
        pickle.dumps(Letter.objects.values_list("note", flat=True))
    with pytest.raises(TypeError):
        json.dumps(list(Letter.objects.values("note")), cls=DjangoJSONEncoder)


def test_copies_in_memory_work(tables: None, context: AccessContext, patient: UUID) -> None:
    row = Letter.objects.create(patient_id=patient, note="words")
    assert copy.copy(row).note == copy.deepcopy(row).note == "words"
    waiting = Letter(patient_id=patient, data={"a": [1]})
    twin = copy.deepcopy(waiting)
    twin.data["a"].append(2)
    assert waiting.data == {"a": [1]}


def test_nothing_in_a_row_shows_its_words(tables: None, context: AccessContext, patient: UUID) -> None:
    row = Letter(patient_id=patient, note="canary")
    assert "canary" not in repr(row.__dict__) and "canary" not in repr(row)
    row.save()
    assert "canary" not in repr(row.__dict__)


def test_a_refresh_carries_sealed_values_without_opening_them(tables: None, patient: UUID) -> None:
    with holding(fresh_key(patient)) as context:
        row = Letter.objects.create(patient_id=patient, note="old", label="old")
        other = Letter.objects.get(pk=row.pk)
        other.note, other.label = "new", "new"
        other.save()
        context._touched.clear()
        keys = dict(context._keys)
    row.refresh_from_db()
    assert type(row.__dict__["note"]) is Enc and row.label == "new"
    with pytest.raises(NoAccessContext):
        row.note  # noqa: B018
    with holding(keys[patient][1]):
        assert row.note == "new"
        row.note = "unsaved"
        row.refresh_from_db(fields=["note"])
        assert row.note == "new"
        deferred = Letter.objects.defer("note").get(pk=row.pk)
        deferred.refresh_from_db()
        assert "note" not in deferred.__dict__
        deferred.refresh_from_db(fields=["note", "label"])
        assert deferred.note == "new"


def test_a_row_sealed_ahead_is_saved_after_the_context(tables: None, patient: UUID) -> None:
    key = fresh_key(patient)
    row = Letter(patient_id=patient, note="words")
    with pytest.raises(NoAccessContext):
        fields.seal_now(row)
    with holding(key):
        fields.seal_now(row)
    row.save()
    with holding(key):
        assert Letter.objects.get(pk=row.pk).note == "words"


def test_saving_only_other_columns_needs_no_key(tables: None, patient: UUID) -> None:
    with holding(fresh_key(patient)):
        row = Letter.objects.create(patient_id=patient, note="words")
    row.note = "not saved"
    row.save(update_fields=["label"])
    assert type(row.__dict__["note"]) is Pending


def test_deletes_need_no_key(tables: None, patient: UUID) -> None:
    with holding(fresh_key(patient)):
        Letter.objects.create(patient_id=patient, note="words")
    with CaptureQueriesContext(connection):
        assert Letter.objects.all().delete()[0] == 1


def test_every_refusal_is_one_family() -> None:
    from cortex.crypto import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 10 and all(issubclass(kind, SealedError) for kind in kinds)
