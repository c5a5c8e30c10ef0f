"""Attempts to sign in; no password and no address in clear."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from cortex.accounts.choices import Attempt, Lock
from cortex.ids import uuid7


class LoginAttempt(models.Model):
    """One attempt to sign in: account, network and device are keyed digests."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField(db_default=Now())
    account_hash = models.CharField(max_length=24)
    network_hash = models.CharField(max_length=24, blank=True)
    device_hash = models.CharField(
        max_length=24, blank=True, help_text="Only of a device that signed in before."
    )
    outcome = models.CharField(max_length=12, choices=Attempt.choices)
    locks = models.CharField(max_length=12, choices=Lock.choices, blank=True, default=Lock.NONE)

    class Meta:
        ordering = ["-at"]
        verbose_name = "sign-in attempt"
        indexes = [
            models.Index(fields=["account_hash", "-at"], name="attempt_account"),
            models.Index(fields=["network_hash", "-at"], name="attempt_network"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} at {self.at:%Y-%m-%d %H:%M}"
