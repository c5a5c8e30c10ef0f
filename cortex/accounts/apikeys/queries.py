"""Reads of API clients and keys."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from cortex.accounts.apikeys.models import ApiClient, ApiKey
from cortex.ops.postgres.questions import Word, kept


def key_by_prefix(prefix: str) -> ApiKey | None:
    """Return a key with its client and organization, whether or not it still works."""
    return next(iter(_by_prefix(Word(prefix))), None)


@kept
def _by_prefix(prefix: Word) -> QuerySet[ApiKey]:
    return ApiKey.objects.select_related("client__organization").filter(prefix=prefix).order_by()


def key_by_id(key_id: UUID) -> ApiKey | None:
    """Return a key with its client and organization, whether or not it still works."""
    return ApiKey.objects.select_related("client__organization").filter(pk=key_id).first()


def all_keys() -> QuerySet[ApiKey]:
    """Return every key, for the command line."""
    return ApiKey.objects.select_related("client__organization").order_by("client__name", "-created_at")


def client_named(organization_id: UUID, name: str) -> ApiClient | None:
    """Return an organization's client by name."""
    return ApiClient.objects.filter(organization_id=organization_id, name=name).first()
