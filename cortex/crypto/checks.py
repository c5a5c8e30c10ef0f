"""System checks: stock encrypted fields, sealed fields that could not work, and missing master keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core import checks
from django.db import models
from encrypted_model_fields.fields import EncryptedMixin

from cortex.crypto.blind import index_key_fault
from cortex.crypto.errors import KeyProviderError
from cortex.crypto.provider import get_provider
from cortex.crypto.sealed import SealedMixin
from cortex.crypto.subjects import path_fault, subject_spec


def register_all() -> None:
    """Register every check of this module."""
    checks.register(check_fields, checks.Tags.models)
    checks.register(check_keys, checks.Tags.security)
    checks.register(check_provider, checks.Tags.security, deploy=True)


def check_fields(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Look at every model of the given apps (default: all installed)."""
    found: list[checks.CheckMessage] = []
    for model in _models(app_configs):
        for field in model._meta.local_fields:
            if isinstance(field, SealedMixin):
                found += faults_of(model, field)
            elif isinstance(field, EncryptedMixin):
                found.append(
                    checks.Error(
                        "a stock field of encrypted_model_fields shows what does not authenticate",
                        hint="Use the field of the same kind in cortex.crypto.fields.",
                        obj=field,
                        id="cortex.crypto.E001",
                    )
                )
    return found


def faults_of(model: type[models.Model], field: Any) -> list[checks.CheckMessage]:
    """Return what would make one sealed field unreadable or useless."""
    found: list[checks.CheckMessage] = []
    fault = path_fault(model, subject_spec(model, field.subject))
    if fault:
        hint = "Set sealed_subject on the model (or subject on the field) to the column of the subject."
        found.append(checks.Error(f"whose key? {fault}", hint=hint, obj=field, id="cortex.crypto.E002"))
    if field.unique or field.db_index or field.name in _indexed_names(model):
        hint = "Every sealing differs. Put a blind index (cortex.crypto.blind) beside the field."
        found.append(
            checks.Error(
                "a sealed field can't be unique or indexed", hint=hint, obj=field, id="cortex.crypto.E004"
            )
        )
    if isinstance(model._meta.pk, models.AutoField):
        hint = "The row's key is bound into the seal before the insert: use a UUID."
        found.append(
            checks.Error(
                "a sealed row needs its key before the insert", hint=hint, obj=field, id="cortex.crypto.E005"
            )
        )
    return found


def check_keys(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Ask for master and index keys: without them nothing can be sealed, opened or looked up."""
    found: list[checks.CheckMessage] = []
    try:
        get_provider()
    except KeyProviderError as fault:
        hint = "Set CORTEX_MASTER_KEYS, CORTEX_MASTER_KEY_FILE or CORTEX_KMS_KEYS."
        found.append(checks.Error(f"no master key: {fault}", hint=hint, id="cortex.crypto.E003"))
    fault_of_index = index_key_fault()
    if fault_of_index:
        hint = "Set CORTEX_INDEX_KEY to 32 random bytes as base64."
        found.append(checks.Error(f"no index key: {fault_of_index}", hint=hint, id="cortex.crypto.E006"))
    return found


def check_provider(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Before a release: ask a provider elsewhere whether it does what it must, with this process's rights."""
    try:
        prove = getattr(get_provider(), "prove", None)
    except KeyProviderError:
        return []  # said by `check_keys`
    try:
        if prove is not None:
            prove()
    except KeyProviderError as fault:
        hint = "Without it no key is made and, after a minute, none opens."
        return [checks.Error(str(fault), hint=hint, id="cortex.crypto.E007")]
    return []


def _models(app_configs: Sequence[AppConfig] | None) -> Iterator[type[models.Model]]:
    for config in apps.get_app_configs() if app_configs is None else app_configs:
        yield from config.get_models(include_auto_created=True)


def _indexed_names(model: type[models.Model]) -> set[str]:
    names: set[str] = set()
    for group in model._meta.unique_together:
        names |= set(group)
    for index in model._meta.indexes:
        names |= {name.lstrip("-") for name, _ in index.fields_orders}
    for constraint in model._meta.constraints:
        names |= set(getattr(constraint, "fields", ()))
    return names
