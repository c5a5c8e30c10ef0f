"""Who runs the whole house: gives and takes the flag that settings, switches and retention ask for."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cortex.accounts import queries
from cortex.accounts.actions import set_operator
from cortex.audit import RuleBroken, system

ACTOR = system("operator")


class Command(BaseCommand):
    """manage.py operator grant|revoke EMAIL, manage.py operator list"""

    help = "Let an administrator change what holds for every organization, or no longer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the three commands."""
        commands = parser.add_subparsers(dest="command", required=True)
        for name, what in (("grant", "Make an administrator an operator."), ("revoke", "Take it back.")):
            commands.add_parser(name, help=what).add_argument("email")
        commands.add_parser("list", help="Show the operators.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Give, take or show."""
        if options["command"] == "list":
            for one in queries.operators():
                self.stdout.write(
                    f"{one.email}  {one.organization.slug}{'' if one.is_active else '  disabled'}"
                )
            return
        user = queries.user_by_email(options["email"])
        if user is None:
            raise CommandError("Nobody here has this e-mail address.")
        is_operator = options["command"] == "grant"
        try:
            set_operator(actor=ACTOR, user_id=user.pk, is_operator=is_operator)
        except RuleBroken as broken:
            raise CommandError(broken.message) from broken
        self.stdout.write(f"{user.email} {'runs the whole house now' if is_operator else 'is no operator'}.")
