"""Writes of resources: who put a number in, who rang it, who took it out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.accounts.appointments import is_operator
from cortex.audit import HOUSE, Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.places import jurisdiction_of
from crisis.resources.models import CrisisResource

REACHED_BY = ("phone", "sms", "url", "address")


@action
def add_resource(*, actor: Actor, organization_id: UUID | None = None, **values: Any) -> CrisisResource:
    """Put a resource in; people add to their own organization, only the system to a whole jurisdiction."""
    owner = organization_id if actor.is_system else actor.organization_id
    row = CrisisResource(organization_id=owner, **_placed(values))
    _check(row)
    row.save(force_insert=True)
    record(actor, "resource.created", row, fields=sorted(values), purpose=_purpose(row))
    return row


@action
def change_resource(
    *, actor: Actor, resource_id: UUID, **values: Any
) -> CrisisResource | Unchanged[CrisisResource]:
    """Change a resource; a change of how it is reached ends its verification."""
    row, values = _locked(actor, resource_id), _placed(values)
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
    record(actor, "resource.changed", row, fields=changed, purpose=_purpose(row))
    return row


@action
def verify_resource(*, actor: Actor, resource_id: UUID, at: datetime | None = None) -> CrisisResource:
    """Note that somebody rang the number and it answered; holds for 90 days."""
    row = _locked(actor, resource_id)
    row.verified_at = clock(at)
    row.verified_by_id = actor.id if actor.kind == "user" else None
    row.save(update_fields=["verified_at", "verified_by", "updated_at"])
    record(actor, "resource.verified", row, purpose=_purpose(row))
    return row


def _placed(values: dict[str, Any]) -> dict[str, Any]:
    """Put the jurisdiction as it is kept: an organization finds its lines by it, letter for letter."""
    if "jurisdiction" not in values:
        return values
    try:
        return values | {"jurisdiction": jurisdiction_of(values["jurisdiction"])}
    except ValueError as error:
        raise InputRefused(str(error), "jurisdiction_unknown", field="jurisdiction") from error


def _check(row: CrisisResource) -> None:
    if not any(getattr(row, name) for name in REACHED_BY):
        raise InputRefused(
            "Give a telephone, SMS number, web address or place.", "unreachable", field="phone"
        )
    _refuse_twice(row)


def _refuse_twice(row: CrisisResource) -> None:
    """Refuse a second resource of this name in one list."""
    same = CrisisResource.objects.filter(  # type: ignore[misc]
        jurisdiction=row.jurisdiction, name=row.name, organization_id=row.organization_id
    )
    if same.exclude(pk=row.pk).exists():
        raise InputRefused("One of this name stands in the list already.", "name_taken", field="name")


def _purpose(row: CrisisResource) -> str:
    return HOUSE if row.organization_id is None else ""


def _locked(actor: Actor, resource_id: UUID) -> CrisisResource:
    """Lock a resource that the actor may change: one's own, or as an operator one that everybody sees."""
    row = CrisisResource.objects.select_for_update(of=("self",)).filter(pk=resource_id).first()
    if row is None or not (actor.is_system or row.organization_id in (None, *actor.org_ids)):
        raise NotFound("There is no such resource.", "not_found")
    if row.organization_id is None and not is_operator(actor):
        raise RuleBroken(
            "Everybody in the country sees this one: an operator keeps it. Add your own instead.",
            "shared_resource",
        )
    return row
