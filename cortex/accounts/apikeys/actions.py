"""Writes of API clients and keys: a key leaves here once, in the clear, and never again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cortex.accounts.apikeys.material import NewKey, make
from cortex.accounts.apikeys.models import ApiClient, ApiKey
from cortex.accounts.choices import Scope
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock

OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key's row, and the key itself: show it once."""

    key: ApiKey
    raw: str


@action
def create_client(*, actor: Actor, organization_id: UUID, name: str) -> ApiClient:
    """Create an app that may send for an organization; names are unique there."""
    name = name.strip()
    if not (actor.is_system or organization_id in actor.org_ids):
        raise NotFound("There is no such organization.", "no_such_organization")
    _refuse_taken_name(organization_id, name)
    client = ApiClient.objects.create(organization_id=organization_id, name=name)
    record(actor, "api_client.created", client, fields=["name"])
    return client


@action
def update_client(
    *, actor: Actor, client_id: UUID, name: str | None = None, is_active: bool | None = None
) -> ApiClient:
    """Rename a client, or stop and restart all of its keys."""
    client = _client(actor, client_id)
    wanted = {"name": name.strip() if name else None, "is_active": is_active}
    changed = [field for field, value in wanted.items() if value not in (None, getattr(client, field))]
    if not changed:
        return Unchanged(client)  # type: ignore[return-value]
    if "name" in changed:
        _refuse_taken_name(client.organization_id, str(wanted["name"]))
    for field in changed:
        setattr(client, field, wanted[field])
    client.save(update_fields=[*changed, "updated_at"])
    record(actor, "api_client.changed", client, fields=changed, codes={"active": client.is_active})
    return client


@action
def create_key(
    *,
    actor: Actor,
    client_id: UUID,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
    at: datetime | None = None,
) -> IssuedKey:
    """Issue a key with these scopes; without an end it works until it is revoked."""
    client = _client(actor, client_id)
    at = clock(at)
    if not client.is_active:
        raise RuleBroken("This client is switched off. Switch it on first.", "client_inactive")
    if not scopes or set(scopes) - set(Scope.values):
        raise InputRefused("Choose at least one of the known scopes.", "unknown_scope", field="scopes")
    if expires_at is not None and expires_at <= at:
        raise InputRefused("The end must lie ahead.", "expires_in_past", field="expires_at")
    issued = _issue(actor, client, scopes, expires_at)
    record(
        actor, "api_key.created", issued.key, codes={"scopes": sorted(scopes), "prefix": issued.key.prefix}
    )
    return issued


@action
def rotate_key(
    *,
    actor: Actor,
    key_id: UUID,
    overlap: timedelta = OVERLAP,
    expires_at: datetime | None = None,
    at: datetime | None = None,
) -> IssuedKey:
    """Issue a successor with the same scopes; the old key works on for `overlap` (default 24 h).

    Without `expires_at` the successor lives from now as long as the old key was made to live: a key that is
    about to end is replaced by one that isn't. The old key keeps its own end.
    """
    key = _key(actor, key_id)
    at = clock(at)
    if not key.works_at(at):
        raise RuleBroken("This key no longer works. Create a new one.", "key_over")
    if ApiKey.objects.filter(rotated_from=key).exists():
        raise RuleBroken("This key was rotated already. Rotate its successor.", "already_rotated")
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise InputRefused("The overlap is at most 30 days.", "overlap_too_long", field="overlap")
    if expires_at is not None and expires_at <= at:
        raise InputRefused("The end must lie ahead.", "expires_in_past", field="expires_at")
    if expires_at is None and key.expires_at is not None:
        expires_at = at + (key.expires_at - key.created_at)
    issued = _issue(actor, key.client, key.scopes, expires_at, rotated_from=key)
    key.overlap_until = at + overlap
    key.save(update_fields=["overlap_until", "updated_at"])
    codes = {"prefix": issued.key.prefix, "from": key.prefix, "overlap_seconds": int(overlap.total_seconds())}
    record(actor, "api_key.rotated", issued.key, codes=codes)
    return issued


@action
def revoke_key(*, actor: Actor, key_id: UUID, at: datetime | None = None) -> ApiKey:
    """End a key at once."""
    key = _key(actor, key_id)
    if key.revoked_at is not None:
        return Unchanged(key)  # type: ignore[return-value]
    key.revoked_at = clock(at)
    key.save(update_fields=["revoked_at", "updated_at"])
    record(actor, "api_key.revoked", key, codes={"prefix": key.prefix})
    return key


@quiet("the last use of a key is a lease, at most once a minute")
def note_key_use(*, key_id: UUID, at: datetime) -> None:
    """Note when a key was used."""
    ApiKey.objects.filter(pk=key_id).update(last_used_at=at)


def _refuse_taken_name(organization_id: UUID, name: str) -> None:
    if not name or ApiClient.objects.filter(organization_id=organization_id, name=name).exists():
        raise InputRefused("Give the client a name that no other one has.", "name_taken", field="name")


def _issue(
    actor: Actor,
    client: ApiClient,
    scopes: Sequence[str],
    expires_at: datetime | None,
    *,
    rotated_from: ApiKey | None = None,
) -> IssuedKey:
    new: NewKey = make()
    key = ApiKey.objects.create(
        client=client,
        prefix=new.prefix,
        key_hash=new.digest,
        scopes=sorted(scopes),
        expires_at=expires_at,
        rotated_from=rotated_from,
        created_by_id=actor.id if actor.kind == "user" else None,
    )
    return IssuedKey(key, new.raw)


def _client(actor: Actor, client_id: UUID) -> ApiClient:
    client = ApiClient.objects.select_for_update().filter(pk=client_id).first()
    if client is None or not (actor.is_system or client.organization_id in actor.org_ids):
        raise NotFound("There is no such client.", "no_such_client")
    return client


def _key(actor: Actor, key_id: UUID) -> ApiKey:
    rows = ApiKey.objects.select_for_update(of=("self",)).select_related("client")
    key = rows.filter(pk=key_id).first()
    if key is None or not (actor.is_system or key.client.organization_id in actor.org_ids):
        raise NotFound("There is no such key.", "no_such_key")
    return key
