"""The package asks for FIELD_ENCRYPTION_KEY at import; nothing of ours may ever use it."""

from __future__ import annotations

from typing import NoReturn
from uuid import UUID

import encrypted_model_fields.fields as stock
import pytest
from cryptography.fernet import Fernet

from cortex.access.context import AccessContext
from tests.unit.crypto.letters import Letter, column, sealed

pytestmark = pytest.mark.django_db


def test_nothing_uses_the_package_key(
    tables: None, context: AccessContext, patient: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used(*args: object) -> NoReturn:
        raise AssertionError("the stock key was used")

    for name in ("encrypt_str", "decrypt_str", "get_crypter"):
        monkeypatch.setattr(stock, name, used)
    monkeypatch.setattr(stock, "CRYPTER", None)
    monkeypatch.setattr(Fernet, "encrypt", used)
    monkeypatch.setattr(Fernet, "decrypt", used)
    row = Letter.objects.create(patient_id=patient, note="words", count=1, data={"a": 1}, flag=True)
    found = Letter.objects.get(pk=row.pk)
    assert (found.note, found.count, found.data, found.flag) == ("words", 1, {"a": 1}, True)
    assert sealed("note").clean(column(row, "note").hex(), row)
    assert sealed("note").formfield().clean("words") == "words"


def test_the_package_key_is_new_in_every_process() -> None:
    # The settings make it at random: whatever had been sealed with it would be lost at the next start.
    from django.conf import settings

    assert len(settings.FIELD_ENCRYPTION_KEY) == 44  # type: ignore[misc]
