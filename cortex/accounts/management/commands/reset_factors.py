"""The last resort: takes the second factors of somebody whom nobody else here may help."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cortex.accounts import queries
from cortex.accounts.choices import FactorReset
from cortex.accounts.factors.actions import reset_factors
from cortex.accounts.factors.queries import has_factor
from cortex.audit import system

ACTOR = system("reset_factors")


class Command(BaseCommand):
    """manage.py reset_factors EMAIL --reason lost|broken|replaced|stolen"""

    help = (
        "Take a person's second factors, end their sessions and mail them; they set up a new one next time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the person and why."""
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, choices=FactorReset.values)

    def handle(self, *args: Any, **options: Any) -> None:
        """Reset, or say that there is nothing to reset."""
        user = queries.user_by_email(options["email"])
        if user is None:
            raise CommandError("Nobody here has this e-mail address.")
        if not has_factor(user.pk):
            raise CommandError(f"{user.email} has no second factor.")
        address = settings.CORTEX_PUBLIC_URL
        reset_factors(actor=ACTOR, user_id=user.pk, reason=options["reason"], base_url=address)
        self.stdout.write(f"The second factors of {user.email} are gone, and their sessions have ended.")
