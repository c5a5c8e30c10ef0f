"""Reads of the chain for the back office; verifying it stands in `verifier`."""

from __future__ import annotations

from uuid import UUID

from cortex.audit.models import AuditLink


def link_of(row_id: UUID) -> AuditLink | None:
    """Return the link of a row of either trail, or None while it waits for the sequencer."""
    return AuditLink.objects.filter(row_id=row_id).first()
