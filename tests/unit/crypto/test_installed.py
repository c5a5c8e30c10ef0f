"""The sealed columns that the project really has, and that any value at all goes round."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex.crypto.keys import OVERHEAD_BYTES
from cortex.crypto.sealed import SealedMixin
from cortex.crypto.subjects import subject_spec
from cortex.ids import uuid7
from tests.unit.crypto.letters import fresh_key, sealed

TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def installed() -> list[tuple[Any, Any]]:
    """Return (model, field) of every sealed column of the project's own apps."""
    return [
        (model, field)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SealedMixin) and model._meta.app_label != "crypto"
    ]


@pytest.mark.django_db
def test_every_sealed_column_is_bytea_in_the_database() -> None:
    found: dict[tuple[str, str], str] = {}
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        )
        found = {(table, column): kind for table, column, kind in cursor.fetchall()}
    columns = installed()
    assert len(columns) > 20, "no sealed columns are installed: this test is blind"
    wrong = [
        f"{model._meta.label}.{field.name}: {found.get((model._meta.db_table, field.column))}"
        for model, field in columns
        if found.get((model._meta.db_table, field.column)) != "bytea"
    ]
    assert not wrong, wrong


def test_every_sealed_model_says_whose_key_it_needs() -> None:
    for model, field in installed():
        spec = subject_spec(model, field.subject)
        assert callable(spec) or hasattr(model, spec.partition(".")[0]), model._meta.label


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_any_text_goes_round(value: str) -> None:
    key, pk = fresh_key(uuid7()), uuid7()
    enc = sealed("note").seal(value, pk=pk, subject=key.subject_id, key=key)
    assert sealed("note").unseal(enc, pk=pk, subject=key.subject_id, key=key) == value
    assert len(enc.blob) == len(value.encode()) + OVERHEAD_BYTES


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_goes_round(value: Any) -> None:
    key, pk = fresh_key(uuid7()), uuid7()
    enc = sealed("data").seal(value, pk=pk, subject=key.subject_id, key=key)
    found = sealed("data").unseal(enc, pk=pk, subject=key.subject_id, key=key)
    assert found == value and json.dumps(found) == json.dumps(value)
