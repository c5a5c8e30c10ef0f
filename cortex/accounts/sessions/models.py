"""The state of live sessions beside the session store."""

from __future__ import annotations

from django.db import models


class SessionState(models.Model):
    """What the limits need to know of a live session, by columns so that parallel requests lose nothing."""

    session_key = models.CharField(max_length=40, primary_key=True)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    last_input_at = models.DateTimeField(help_text="Last real input of the person; polling doesn't count.")
    on_board = models.BooleanField(default=False, help_text="Idling covers this page and keeps it alive.")
    locked_at = models.DateTimeField(null=True, blank=True)
    factor_passed_at = models.DateTimeField(
        null=True, blank=True, help_text="When a second factor was given (or set up) in this session."
    )
    pin_failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["user"], name="session_state_user")]

    def __str__(self) -> str:
        return f"session of {self.user_id}"
