"""Writes of resources: who put a number in, who rang it, who took it out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.audit import Actor, InputRefused, NotFound, Unchanged, action, record
from cortex.clock import clock
from crisis.resources.models import CrisisResource

EDITABLE = (
    "jurisdiction", "region", "name", "kind", "phone", "sms", "url", "address", "hours", "languages",
    "priority",
    "is_active",
)  # fmt: skip
REACHED_BY = ("phone", "sms", "url", "address")


@action
def save_resource(
    *, actor: Actor, resource_id: UUID | None, values: dict[str, Any], organization_id: UUID | None = None
) -> CrisisResource | Unchanged[CrisisResource]:
    """Create a resource, or change one; a change of how it is reached ends its verification."""
    if resource_id is None:
        row = CrisisResource(organization_id=organization_id, **_known(values))
        _check(row)
        row.save(force_insert=True)
        record(actor, "resource.created", row, fields=sorted(values))
        return row
    row = _locked(resource_id)
    changed = [name for name, value in _known(values).items() if getattr(row, name) != value]
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
    row = _locked(resource_id)
    row.verified_at = clock(at)
    row.verified_by_id = actor.id if actor.kind == "user" else None
    row.save(update_fields=["verified_at", "verified_by", "updated_at"])
    record(actor, "resource.verified", row)
    return row


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in EDITABLE}


def _check(row: CrisisResource) -> None:
    if not any(getattr(row, name) for name in REACHED_BY):
        raise InputRefused(
            "Give a telephone, SMS number, web address or place.", "unreachable", field="phone"
        )


def _locked(resource_id: UUID) -> CrisisResource:
    row = CrisisResource.objects.select_for_update().filter(pk=resource_id).first()
    if row is None:
        raise NotFound("There is no such resource.", "not_found")
    return row
