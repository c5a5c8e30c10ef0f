"""The system checks: each bad model and each missing key is an error with its own number."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test.utils import isolate_apps
from encrypted_model_fields import fields as stock

from cortex.crypto import checks, fields
from cortex.crypto.sealed import SealedMixin
from cortex.ids import uuid7


class _Config:
    """Stands for an app with one model."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model

    def get_models(self, **kwargs: Any) -> list[type[models.Model]]:
        return [self.model]


def codes(model: type[models.Model]) -> list[str]:
    found = checks.check_fields([_Config(model)])  # type: ignore[list-item]
    return [message.id.rpartition(".")[2] for message in found if message.id]


@isolate_apps("cortex.crypto")
def test_each_bad_model_is_refused() -> None:
    class Stock(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid7)
        name = stock.EncryptedCharField(max_length=10)

        class Meta:
            app_label = "crypto"

    class Nobodys(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid7)
        name = fields.SealedTextField()

        class Meta:
            app_label = "crypto"

    class Counted(models.Model):
        patient_id = models.UUIDField()
        name = fields.SealedTextField()

        class Meta:
            app_label = "crypto"

    class Unique(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid7)
        patient_id = models.UUIDField()
        one = fields.SealedTextField(unique=True)
        two = fields.SealedTextField(db_index=True)
        three = fields.SealedTextField()
        four = fields.SealedTextField()
        five = fields.SealedTextField()

        class Meta:
            app_label = "crypto"
            indexes = [models.Index(fields=["-three"], name="by_three")]
            constraints = [models.UniqueConstraint(fields=["patient_id", "four"], name="one_four")]

    assert codes(Stock) == ["E001"]
    assert codes(Nobodys) == ["E002"]
    assert codes(Counted) == ["E005"]
    assert codes(Unique) == ["E004"] * 4


@isolate_apps("cortex.crypto")
def test_good_models_pass() -> None:
    class Owner(models.Model):
        sealed_subject = "id"
        id = models.UUIDField(primary_key=True, default=uuid7)
        name = fields.SealedTextField()

        class Meta:
            app_label = "crypto"

    class Owned(models.Model):
        sealed_subject = "owner.pk"
        owner = models.OneToOneField(Owner, on_delete=models.PROTECT, primary_key=True)
        name = fields.SealedTextField()
        other = fields.SealedTextField(subject="owner_id")
        third = fields.SealedTextField(subject=lambda row: row.owner_id)

        class Meta:
            app_label = "crypto"

    class Wrong(models.Model):
        sealed_subject = "name.pk"
        id = models.UUIDField(primary_key=True, default=uuid7)
        name = fields.SealedTextField()

        class Meta:
            app_label = "crypto"

    assert codes(Owner) == codes(Owned) == []
    assert codes(Wrong) == ["E002"]


def test_every_installed_model_passes() -> None:
    assert checks.check_fields() == []
    sealed = [
        field
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SealedMixin)
    ]
    assert sealed, "no sealed field is installed: this test is blind"


def test_missing_keys_are_errors(settings: Any) -> None:
    settings.CORTEX_MASTER_KEYS = settings.CORTEX_MASTER_KEY_FILE = settings.CORTEX_INDEX_KEY = ""
    assert [message.id for message in checks.check_keys()] == ["cortex.crypto.E003", "cortex.crypto.E006"]


def test_the_checks_are_registered() -> None:
    from django.core.checks.registry import registry

    assert {checks.check_fields, checks.check_keys} <= set(registry.registered_checks)


@pytest.mark.django_db
def test_the_keys_of_the_test_run_are_good() -> None:
    assert checks.check_keys() == []
