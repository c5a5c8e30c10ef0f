"""Two tables that only tests have: one column of every sealed type, and the means to open them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection, models
from psycopg import sql

from cortex.access import context as access
from cortex.audit.actors import system
from cortex.crypto import fields
from cortex.crypto.keys import DataKey
from cortex.ids import uuid7


class Letter(models.Model):
    """A row about a person, with every sealed type."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient_id = models.UUIDField()
    label = models.CharField(max_length=40, blank=True)
    note = fields.SealedTextField(null=True, blank=True)
    other = fields.SealedTextField(null=True, blank=True)
    name = fields.SealedCharField(max_length=20, null=True, blank=True)
    email = fields.SealedEmailField(null=True, blank=True)
    data = fields.SealedJSONField(null=True, blank=True)
    born = fields.SealedDateField(null=True, blank=True)
    seen = fields.SealedDateTimeField(null=True, blank=True)
    count = fields.SealedIntegerField(null=True, blank=True)
    flag = fields.SealedBooleanField(null=True, blank=True)
    raw = fields.SealedBytesField(null=True, blank=True)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "crypto"


class Card(models.Model):
    """Another table with a column of the same name."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient_id = models.UUIDField()
    note = fields.SealedTextField(null=True, blank=True)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "crypto"


MODELS = (Letter, Card)


def make_tables() -> None:
    """Create both tables as the owner, inside the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE cortex_owner")
        with connection.schema_editor() as editor:
            for model in MODELS:
                editor.create_model(model)
        for model in MODELS:
            table = model._meta.db_table
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO cortex_app, cortex_system")
        cursor.execute("SET ROLE cortex_app")


def sealed(name: str) -> Any:
    """Return the field of a letter."""
    return Letter._meta.get_field(name)


def fresh_key(subject: UUID, version: int = 1) -> DataKey:
    """Return a random key that no store knows."""
    return DataKey(subject, version, os.urandom(32))


class Unchecked(access.AccessContext):
    """Opens whatever its keys open: these tests are about sealing, not about who may look."""

    def opening_key(self, field: Any, subject: UUID, version: int) -> DataKey:
        """Return the loaded key, whether or not the field was opened."""
        return self.key_for(subject, version)


@contextmanager
def holding(*keys: DataKey) -> Iterator[access.AccessContext]:
    """Open a context that holds these very keys."""
    context = Unchecked(system("tests"), purpose="test")
    for key in keys:
        context._keys.setdefault(key.subject_id, {})[key.version] = key
    with access._entered(context):
        yield context


@contextmanager
def opened(*subjects: UUID) -> Iterator[access.AccessContext]:
    """Open a context with the stored keys of these subjects, made where missing."""
    context = Unchecked(system("tests"), purpose="test")
    context.load_keys(subjects, create=True)
    with access._entered(context):
        yield context


def column(row: models.Model, name: str) -> bytes:
    """Return the stored bytes of one column."""
    with connection.cursor() as cursor:
        statement = sql.SQL("SELECT {} FROM {} WHERE id = %s")
        cursor.execute(statement.format(*_names(name, row)), [row.pk])
        return bytes(cursor.fetchone()[0])


def put_column(row: models.Model, name: str, content: bytes | None) -> None:
    """Overwrite the stored bytes of one column, as somebody with the database's password could."""
    with connection.cursor() as cursor:
        statement = sql.SQL("UPDATE {1} SET {0} = %s WHERE id = %s")
        cursor.execute(statement.format(*_names(name, row)), [content, row.pk])


def _names(name: str, row: models.Model) -> tuple[sql.Identifier, sql.Identifier]:
    return sql.Identifier(name), sql.Identifier(row._meta.db_table)
