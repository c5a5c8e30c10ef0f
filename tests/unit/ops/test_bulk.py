"""Rows by one statement: what differs and what is shared, defaults, conflicts, the database's refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DataError, IntegrityError

from cortex.audit import RuleBroken, action, part, system
from cortex.ops.bulk import insert_columns, insert_rows
from crisis.intake.models import IntakeKey
from crisis.risk.models import Evidence
from patients.sessions.models import SessionFeature
from tests import makers

pytestmark = pytest.mark.django_db


def evidence(patient: Any, code: str, **values: Any) -> Evidence:
    at = makers.now()
    facts = {"domain": "context", "source_type": "message", "observed_at": at, "received_at": at}
    return Evidence(
        patient_id=patient.pk, organization_id=patient.organization_id, code=code, **facts | values
    )


def keys(organization: Any, names: list[str], result: str) -> dict[str, list[Any]]:
    count = len(names)
    return {
        "id": [uuid4() for _ in names], "organization_id": [organization.pk] * count, "key": names,
        "source": ["item"] * count, "sender": ["client:x"] * count, "object_type": [""] * count,
        "result": [result] * count,
        "words": [None, *[b"\x00\xff"] * (count - 1)], "expires_at": [makers.now() + timedelta(1)] * count,
    }  # fmt: skip


def test_rows_come_back_as_the_orm_would_have_written_them() -> None:
    patient = makers.make_patient(makers.make_organization())
    rows = [
        evidence(patient, "A", flags=["one", 'tw"o\\'], legacy_ids={"a": [1]}, value=0.5, tier="A"),
        evidence(patient, "B", expires_at=makers.now() + timedelta(1)),
    ]
    insert_rows(rows)
    for row in rows:
        found = Evidence.objects.get(pk=row.pk)
        for name in (
            "code",
            "flags",
            "legacy_ids",
            "value",
            "tier",
            "expires_at",
            "observed_at",
            "patient_id",
        ):
            assert getattr(found, name) == getattr(row, name), name
        assert found.created_at and found.updated_at
    assert not rows[0]._state.adding


def test_what_stands_already_is_changed_or_left_as_it_was_asked() -> None:
    columns = keys(makers.make_organization(), ["a", "b"], "stored")
    insert_columns(IntakeKey, columns)
    again = columns | {"result": ["told", "told"], "key": ["c", "d"]}
    insert_columns(IntakeKey, again, ignore=True)
    assert set(IntakeKey.objects.values_list("key", "result")) == {("a", "stored"), ("b", "stored")}
    insert_columns(IntakeKey, again, unique=["id"], update=["result"])
    assert set(IntakeKey.objects.values_list("key", "result")) == {("a", "told"), ("b", "told")}


def test_a_text_that_is_too_long_is_refused_and_never_cut() -> None:
    patient = makers.make_patient(makers.make_organization())
    with pytest.raises(DataError):
        insert_rows([evidence(patient, "x" * 41), evidence(patient, "y")])


def test_a_code_in_a_list_that_is_too_long_is_refused_and_never_cut() -> None:
    patient = makers.make_patient(makers.make_organization())
    session = makers.make_session(patient)
    row = SessionFeature(
        session=session, patient=patient, organization=patient.organization, observed_at=makers.now()
    )
    row.topic_codes = ["t" * 64]
    insert_rows([row])
    row.topic_codes = ["work", "t" * 65]
    with pytest.raises(DataError):
        insert_rows([row], unique=["id"], update=["topic_codes"])


def test_a_part_that_fails_fails_what_it_is_a_part_of() -> None:
    home = makers.make_organization()

    @part
    @action
    def inner(*, actor: Any) -> None:
        insert_columns(IntakeKey, keys(home, ["a"], "stored") | {"source": ["other"]})

    @action
    def outer(*, actor: Any) -> None:
        insert_columns(IntakeKey, keys(home, ["b"], "stored"))
        inner(actor=actor)
        raise RuleBroken("Never reached.", "never")

    with pytest.raises(IntegrityError):
        outer(actor=system("test"))
    assert not IntakeKey.objects.exists()
