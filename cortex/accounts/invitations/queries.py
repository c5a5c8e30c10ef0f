"""Reads of invitations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from cortex.accounts.invitations.models import Invitation


def invitation(invitation_id: UUID | str) -> Invitation | None:
    """Return one invitation with its organization, whether or not it is still open."""
    return Invitation.objects.select_related("organization", "invited_by").filter(pk=invitation_id).first()


def open_invitations(org_ids: Iterable[UUID], at: datetime) -> QuerySet[Invitation]:
    """Return the invitations of these organizations that still work at `at`, the newest first."""
    rows = Invitation.objects.filter(organization_id__in=list(org_ids), expires_at__gt=at)
    return rows.filter(accepted_at=None, revoked_at=None).select_related("invited_by").order_by("-created_at")
