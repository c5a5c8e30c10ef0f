"""Gathers the tasks of the features, where Celery looks for them."""

from cortex.accounts.invitations.tasks import send_invitation_mail
from cortex.accounts.sessions.tasks import sweep_out
from cortex.accounts.signin.tasks import send_reset_mail

__all__ = ["send_invitation_mail", "send_reset_mail", "sweep_out"]
