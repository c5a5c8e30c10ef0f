"""Invitations; the link itself is computed, never kept."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models.functions import Lower

from cortex.accounts.choices import Role
from cortex.records import OrgRecord


class Invitation(OrgRecord):
    """A place that waits for a person: a signed link, good once, until it expires."""

    email = models.EmailField(max_length=254)
    full_name = models.CharField(max_length=160, blank=True)
    role = models.CharField(max_length=16, choices=Role.choices)
    invited_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    is_operator = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The first administrator, invited by `manage.py create_admin`.",
    )
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.OneToOneField(
        "accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="invitation"
    )

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(is_operator=False) | models.Q(role=Role.ADMIN),
                name="invitation_operator_is_admin",
            ),
        ]

    def __str__(self) -> str:
        return f"invitation as {self.role}"

    def is_open(self, at: datetime) -> bool:
        """Whether the link still works at `at`."""
        return self.accepted_at is None and self.revoked_at is None and at < self.expires_at
