"""Sealed fields in models: every type goes round, and every fault of the stock package is mended."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import FieldError, ValidationError
from django.db import connection, models, transaction
from django.db.models import Case, F, Max, Q, Value, When
from django.db.models.functions import Concat, Upper
from django.test.utils import CaptureQueriesContext

from cortex.access.context import AccessContext
from cortex.crypto import fields
from cortex.crypto.errors import KeyNotOpened, NoAccessContext, NoSubject, NotLoaded
from cortex.crypto.values import Enc
from cortex.ids import uuid7
from tests.unit.crypto.letters import Letter, column, fresh_key, holding, sealed

pytestmark = pytest.mark.django_db

VALUES: list[tuple[str, Any]] = [
    ("note", "Sikia, I can't go on"),
    ("note", ""),
    ("note", "a\x00b"),
    ("note", "💔 العربية \u202e e\u0301 " * 200),
    ("name", "x" * 20),
    ("email", "amina@example.org"),
    ("data", {"a": [1, 2.5, None, True, "é\x00"], "b": {}}),
    ("data", []),
    ("data", 0),
    ("data", False),
    ("born", date(1994, 2, 28)),
    ("born", date(1, 1, 1)),
    ("seen", datetime(2026, 11, 21, 3, 4, 5, 678901, tzinfo=UTC)),
    ("seen", datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=14)))),
    ("count", 0),
    ("count", -(2**63)),
    ("count", 2**63 - 1),
    ("flag", True),
    ("flag", False),
    ("raw", b"\x00\xff" * 50),
    ("raw", b""),
]


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_every_type_goes_round(
    name: str, value: Any, tables: None, context: AccessContext, patient: UUID
) -> None:
    row = Letter.objects.create(patient_id=patient, **{name: value})
    found = Letter.objects.get(pk=row.pk)
    assert getattr(found, name) == getattr(row, name) == value
    assert type(getattr(found, name)) is type(value)
    assert column(row, name)[:4] == b"C1\x00\x01"


def test_what_was_never_set_stays_none_without_any_key(tables: None) -> None:
    row = Letter.objects.create(patient_id=uuid7())
    found = Letter.objects.get(pk=row.pk)
    assert [getattr(found, name) for name, _ in VALUES] == [None] * len(VALUES)


def test_an_assigned_value_reads_back_before_and_after_the_save(
    tables: None, context: AccessContext, patient: UUID
) -> None:
    row = Letter(patient_id=patient, note="before")
    assert row.note == "before"
    row.note = "later"
    row.save()
    assert row.note == "later"
    assert type(row.__dict__["note"]) is Enc
    row.note = None
    row.save()
    assert Letter.objects.filter(note__isnull=True).count() == 1


def test_nothing_opens_without_a_context_and_without_the_key(tables: None, patient: UUID) -> None:
    key = fresh_key(patient)
    with holding(key):
        row = Letter.objects.create(patient_id=patient, note="words")
    with pytest.raises(NoAccessContext):
        row.note  # noqa: B018
    with pytest.raises(NoAccessContext):
        Letter(patient_id=patient, note="x").save()
    with holding(fresh_key(uuid7())), pytest.raises(KeyNotOpened):
        row.note  # noqa: B018
    with holding(key):
        assert row.note == "words"
    with pytest.raises(NoAccessContext):
        row.note  # noqa: B018


def test_a_row_that_was_not_opened_saves_its_sealed_bytes_unchanged(tables: None, patient: UUID) -> None:
    with holding(fresh_key(patient)):
        row = Letter.objects.create(patient_id=patient, note="words")
    before = column(row, "note")
    found = Letter.objects.get(pk=row.pk)
    found.label = "changed"
    found.save()
    assert column(row, "note") == before


def test_reading_does_no_queries(tables: None, context: AccessContext, patient: UUID) -> None:
    row = Letter.objects.get(pk=Letter.objects.create(patient_id=patient, note="words").pk)
    with CaptureQueriesContext(connection) as queries:
        assert row.note == "words"
    assert not queries.captured_queries
    deferred = Letter.objects.defer("note").get(pk=row.pk)
    with CaptureQueriesContext(connection) as queries, pytest.raises(NotLoaded):
        deferred.note  # noqa: B018
    assert not queries.captured_queries
    without_subject = Letter.objects.only("note").get(pk=row.pk)
    with pytest.raises(NoSubject):
        without_subject.note  # noqa: B018


def test_values_lists_and_aggregates_give_sealed_values_only(
    tables: None, context: AccessContext, patient: UUID
) -> None:
    Letter.objects.create(patient_id=patient, note="words", count=3)
    row = Letter.objects.values_list("note", "count").get()
    assert [type(value) for value in row] == [Enc, Enc]
    named = Letter.objects.values("note").get()
    assert str(named) == "{'note': <sealed>}"
    assert type(Letter.objects.annotate(copy=F("note")).get().copy) is Enc
    assert type(Letter.objects.aggregate(top=Max("note"))["top"]) is Enc


def test_a_value_from_a_list_opens_by_its_field(tables: None, context: AccessContext, patient: UUID) -> None:
    Letter.objects.create(patient_id=patient, note="words")
    pk, enc = Letter.objects.values_list("pk", "note").get()
    field = sealed("note")
    assert field.unseal(enc, pk=pk, subject=patient) == "words"


@pytest.mark.parametrize(
    "condition",
    [
        Q(note="words"), Q(note__contains="w"), Q(note__in=["words"]), Q(note__gt=""), Q(note=None),
        Q(flag=False), Q(count=1), Q(count__gte=1), Q(born__year=1994), Q(data__a=1),
        Q(seen__date=date(2026, 1, 1)),
        Q(data__has_key="a"), Q(email__iexact="a@x.org"), Q(raw=b"x"),
    ],
)  # fmt: skip
def test_comparisons_are_refused_and_no_plaintext_reaches_sql(condition: Q, tables: None) -> None:
    with CaptureQueriesContext(connection) as queries, pytest.raises(FieldError):
        list(Letter.objects.filter(condition))
    assert not queries.captured_queries


def test_only_emptiness_can_be_asked(tables: None, context: AccessContext, patient: UUID) -> None:
    Letter.objects.create(patient_id=patient, note="words")
    assert Letter.objects.filter(note__isnull=False, other__isnull=True).count() == 1
    assert Letter.objects.exclude(note__isnull=True).count() == 1


def test_get_or_create_by_a_sealed_value_is_refused(
    tables: None, context: AccessContext, patient: UUID
) -> None:
    with pytest.raises(FieldError):
        Letter.objects.get_or_create(patient_id=patient, note="words")
    row, made = Letter.objects.update_or_create(patient_id=patient, defaults={"note": "words"})
    assert made and Letter.objects.get(pk=row.pk).note == "words"


@pytest.mark.parametrize(
    "change",
    [
        {"note": "plain"}, {"note": Upper(Value("abc"))}, {"note": F("label")}, {"note": Value("abc")},
        {"note": Concat(Value("a"), F("label"))}, {"count": 5}, {"count": F("count") + 1}, {"flag": True},
        {"data": {"a": 1}}, {"born": date(2000, 1, 1)}, {"raw": b"plain"}, {"note": F("other")},
        {"note": Case(When(label="", then=Value("x")), default=F("note"))}, {"note": Value(Enc(b"x" * 40))},
    ],
)  # fmt: skip
def test_update_with_plaintext_or_expressions_is_a_type_error(
    change: dict[str, Any], tables: None, context: AccessContext, patient: UUID
) -> None:
    row = Letter.objects.create(patient_id=patient, note="kept", count=1)
    with CaptureQueriesContext(connection) as queries, pytest.raises(TypeError), transaction.atomic():
        Letter.objects.filter(pk=row.pk).update(**change)
    assert not any("UPDATE" in query["sql"] for query in queries.captured_queries)
    assert Letter.objects.get(pk=row.pk).note == "kept"


def test_update_takes_null_and_sealed_values(tables: None, context: AccessContext, patient: UUID) -> None:
    row = Letter.objects.create(patient_id=patient, note="old", other="gone")
    fresh = sealed("note").seal("new", pk=row.pk, subject=patient)
    Letter.objects.filter(pk=row.pk).update(note=fresh, other=None)
    found = Letter.objects.get(pk=row.pk)
    assert (found.note, found.other) == ("new", None)


def test_bulk_update_refuses_and_bulk_create_seals(
    tables: None, context: AccessContext, patient: UUID
) -> None:
    rows = Letter.objects.bulk_create(Letter(patient_id=patient, note=f"n{n}") for n in range(50))
    assert sorted(row.note for row in Letter.objects.all()) == sorted(row.note for row in rows)
    for row in rows:
        row.note = "changed"
    with pytest.raises(TypeError), transaction.atomic():
        Letter.objects.bulk_update(rows, ["note"])
    assert {row.note for row in Letter.objects.all()} == {f"n{n}" for n in range(50)}


def test_no_plaintext_is_in_any_statement(tables: None, context: AccessContext, patient: UUID) -> None:
    with CaptureQueriesContext(connection) as queries:
        row = Letter.objects.create(patient_id=patient, note="canary-7431", data={"k": "canary-7431"})
        row.note = "canary-7431 again"
        row.save()
        fields.seal_update(Letter.objects.filter(pk=row.pk), other="canary-7431")
        Letter.objects.bulk_create([Letter(patient_id=patient, note="canary-7431")])
    text = " ".join(query["sql"] for query in queries.captured_queries)
    assert len(queries.captured_queries) >= 4
    assert "canary" not in text and b"canary".hex() not in text
    assert "\\x4331" in text or "C1" in text, "the log shows no sealed value: this test is blind"


def test_seal_update_seals_each_row_by_itself(tables: None) -> None:
    one, two = uuid7(), uuid7()
    with holding(fresh_key(one), fresh_key(two)):
        Letter.objects.bulk_create(Letter(patient_id=(one, two)[n % 2], note="x") for n in range(10))
        assert fields.seal_update(Letter.objects.all(), note="same", other=None) == 10
        assert {row.note for row in Letter.objects.all()} == {"same"}
        assert len({enc.blob for enc in Letter.objects.values_list("note", flat=True)}) == 10
        with pytest.raises(TypeError):
            fields.seal_update(Letter.objects.all(), label="plain")
    with holding(fresh_key(one)), pytest.raises(KeyNotOpened):
        fields.seal_update(Letter.objects.all(), note="other")


def test_a_form_is_no_oracle(tables: None, context: AccessContext, patient: UUID) -> None:
    row = Letter.objects.create(patient_id=patient, note="words")
    blob = column(row, "note")
    for leaked in (blob.hex(), blob.decode("latin1"), "\\x" + blob.hex()):
        for name in ("note", "name", "data"):
            field = sealed(name)
            if name == "name":
                assert field.to_python(leaked) == leaked
            else:
                assert field.clean(leaked, row) == leaked
    form_field = sealed("note").formfield()
    assert form_field.clean(blob.hex()) == blob.hex()


def test_length_limits_hold_in_clean_and_at_sealing(
    tables: None, context: AccessContext, patient: UUID
) -> None:
    field = sealed("name")
    with pytest.raises(ValidationError):
        field.clean("x" * 21, None)
    assert field.formfield().max_length == 20
    with pytest.raises(ValueError, match="can't seal") as caught:
        Letter.objects.create(patient_id=patient, name="secretsecretsecretsec")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("note", 5), ("note", b"bytes"), ("note", Upper(Value("a"))), ("note", "\ud800"), ("count", "secret"),
        ("count", 1.5), ("count", 2**63), ("count", Upper(Value("a"))), ("born", "secret"),
        ("flag", "secret"), ("seen", "secret"), ("data", {1, 2}), ("data", float("nan")),
        ("data", F("label")), ("raw", "secret"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_type_is_refused_without_quoting_it(
    name: str, value: Any, tables: None, context: AccessContext, patient: UUID
) -> None:
    with pytest.raises((TypeError, ValueError), match="can't seal") as caught:
        Letter.objects.create(patient_id=patient, **{name: value})
    assert "secret" not in str(caught.value) and caught.value.__cause__ is None


def test_integers_save_on_psycopg_3_and_have_no_database_range(
    tables: None, context: AccessContext, patient: UUID
) -> None:
    field = sealed("count")
    assert field.clean("42", None) == 42
    with pytest.raises(ValidationError):
        field.clean(2**63, None)
    assert Letter.objects.get(pk=Letter.objects.create(patient_id=patient, count="42").pk).count == 42


def test_the_column_is_bytea_without_checks() -> None:
    for field in Letter._meta.concrete_fields:
        if isinstance(field, fields.SealedMixin):
            assert field.db_type(connection) == "bytea" == field.cast_db_type(connection)
            assert field.db_check(connection) is None and field.get_internal_type() == "BinaryField"


def test_a_field_describes_itself_for_migrations() -> None:
    made: list[Any] = [
        fields.SealedCharField(max_length=9, null=True, subject="organization_id", bound_as="old.column"),
        fields.SealedTextField(blank=True),
        fields.SealedIntegerField(null=True),
        fields.SealedEmailField(),
    ]
    for field in made:
        field.set_attributes_from_name("x")
        _, path, args, kwargs = field.deconstruct()
        assert path == f"cortex.crypto.fields.{type(field).__name__}"
        again = type(field)(*args, **kwargs)
        assert again.deconstruct()[1:] == (path, args, kwargs)
    assert made[0].deconstruct()[3] == {
        "max_length": 9, "null": True, "subject": "organization_id", "bound_as": "old.column"
    }  # fmt: skip


@pytest.mark.parametrize("option", [{"auto_now": True}, {"auto_now_add": True}, {"db_default": Value(None)}])
def test_options_that_need_plaintext_in_the_database_are_refused(option: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        fields.SealedDateTimeField(**option)


def test_a_choice_and_a_default_work(tables: None, context: AccessContext, patient: UUID) -> None:
    field = fields.SealedTextField(default="calm", choices=[("calm", "Calm")])
    assert field.get_default() == "calm" and field.clean("calm", None) == "calm"
    with pytest.raises(ValidationError):
        field.clean("other", None)


def test_model_forms_read_and_write_by_the_context(
    tables: None, context: AccessContext, patient: UUID
) -> None:
    from django.forms import modelform_factory

    form_class = modelform_factory(Letter, fields=["note", "count", "born", "flag", "data"])
    row = Letter.objects.create(patient_id=patient, note="words", count=4)
    assert form_class(instance=row).initial["note"] == "words"
    form = form_class(
        {"note": "new", "count": "5", "born": "1990-01-02", "flag": "true", "data": "[1]"}, instance=row
    )
    assert form.is_valid(), form.errors
    form.save()
    found = Letter.objects.get(pk=row.pk)
    assert (found.note, found.count, found.born, found.flag, found.data) == (
        "new",
        5,
        date(1990, 1, 2),
        True,
        [1],
    )


def test_rest_serializers_map_the_fields(tables: None, context: AccessContext, patient: UUID) -> None:
    from rest_framework import serializers

    class LetterSerializer(serializers.ModelSerializer):
        class Meta:
            model = Letter
            fields = ["note", "name", "count", "born"]

    row = Letter.objects.create(patient_id=patient, note="words", count=4, born=date(1990, 1, 2))
    assert LetterSerializer(row).data == {"note": "words", "name": None, "count": 4, "born": "1990-01-02"}
    assert not LetterSerializer(data={"name": "x" * 21}).is_valid()


def test_the_mixin_of_the_package_is_the_base() -> None:
    from encrypted_model_fields.fields import EncryptedMixin

    assert issubclass(fields.SealedMixin, EncryptedMixin)
    assert all(
        issubclass(getattr(fields, name), (EncryptedMixin, models.Field))
        for name in fields.__all__
        if name.endswith("Field")
    )
