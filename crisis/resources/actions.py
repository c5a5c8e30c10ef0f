"""Writes of resources: who put a number in, who rang it, who took it out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from crisis.resources.models import CrisisResource

REACHED_BY = ("phone", "sms", "url", "address")


@action
def add_resource(*, actor: Actor, organization_id: UUID | None = None, **values: Any) -> CrisisResource:
    """Put a resource in; people add to their own organization, only the system to a whole jurisdiction."""
    owner = organization_id if actor.is_system else actor.organization_id
    row = CrisisResource(organization_id=owner, **values)
    _check(row)
    row.save(force_insert=True)
    record(actor, "resource.created", row, fields=sorted(values))
    return row


@action
def change_resource(
    *, actor: Actor, resource_id: UUID, **values: Any
) -> CrisisResource | Unchanged[CrisisResource]:
    """Change an own resource; a change of how it is reached ends its verification."""
    row = _locked(actor, resource_id)
    if row.organization_id is None and not actor.is_system:
        raise RuleBroken("Everybody in the country sees this one. Add your own instead.", "shared_resource")
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    if not changed:
        return Unchanged(row)
    for name in changed:
        setattr(row, name, values[name])
    _check(row)
    if set(changed) & set(REACHED_BY):
        row.verified_at = row.verified_by = None
        changed += ["verified_at", "verified_by"]
    row.save(update_fields=[*changed, "updated_at"])
    record(actor, "resource.changed", row, fields=changed)
    return row


@action
def verify_resource(*, actor: Actor, resource_id: UUID, at: datetime | None = None) -> CrisisResource:
    """Note that somebody rang the number and it answered; holds for 90 days."""
    row = _locked(actor, resource_id)
    row.verified_at = clock(at)
    row.verified_by_id = actor.id if actor.kind == "user" else None
    row.save(update_fields=["verified_at", "verified_by", "updated_at"])
    record(actor, "resource.verified", row)
    return row


def _check(row: CrisisResource) -> None:
    if not any(getattr(row, name) for name in REACHED_BY):
        raise InputRefused(
            "Give a telephone, SMS number, web address or place.", "unreachable", field="phone"
        )


def _locked(actor: Actor, resource_id: UUID) -> CrisisResource:
    row = CrisisResource.objects.select_for_update(of=("self",)).filter(pk=resource_id).first()
    is_theirs = row is not None and (row.organization_id is None or row.organization_id in actor.org_ids)
    if row is None or not (actor.is_system or is_theirs):
        raise NotFound("There is no such resource.", "not_found")
    return row
