"""Makes an organization's first administrator by link or password; the first of all becomes the operator."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from cortex.accounts import queries
from cortex.accounts.actions import create_organization, create_user
from cortex.accounts.invitations.actions import invite_person
from cortex.accounts.invitations.links import path_of
from cortex.accounts.models import Organization, Role, User
from cortex.audit import RuleBroken, system

ACTOR = system("create_admin")


class Command(BaseCommand):
    """manage.py create_admin --email … --organization …"""

    help = (
        "Create the first administrator of an organization (which is created too when it is new). "
        "The first one of the house becomes its operator; see `manage.py operator`."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--email", required=True)
        parser.add_argument("--organization", required=True, help="Name or slug.")
        parser.add_argument("--name", default="", help="Full name.")
        parser.add_argument("--password", action="store_true", help="Ask for a password instead of a link.")
        parser.add_argument("--base-url", default="http://localhost:8000", help="Address of the pages.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the administrator or the invitation, and say how to go on."""
        try:
            organization = _organization(options["organization"])
            if options["password"]:
                self._with_password(organization, options)
            else:
                self._with_link(organization, options)
        except RuleBroken as broken:
            raise CommandError(broken.message) from broken

    def _with_link(self, organization: Organization, options: dict[str, Any]) -> None:
        invitation = invite_person(
            actor=ACTOR,
            organization_id=organization.pk,
            email=options["email"],
            full_name=options["name"],
            role=Role.ADMIN,
            is_operator=not queries.has_operator(),
        )
        self.stdout.write(
            f"Open this link once within 7 days to choose a password and a PIN as administrator of "
            f"{organization.name}:"
        )
        self.stdout.write(options["base_url"].rstrip("/") + path_of(invitation))

    def _with_password(self, organization: Organization, options: dict[str, Any]) -> None:
        password = getpass.getpass("Password (at least 15 characters): ")
        if password != getpass.getpass("Password again: "):
            raise CommandError("The two passwords are not the same.")
        try:
            validate_password(password, User(email=options["email"], full_name=options["name"]))
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from refused
        create_user(
            actor=ACTOR,
            organization_id=organization.pk,
            email=options["email"],
            full_name=options["name"],
            role=Role.ADMIN,
            password=password,
            is_verified=True,
            is_operator=not queries.has_operator(),
        )
        self.stdout.write(f"{options['email']} may sign in as administrator of {organization.name}.")


def _organization(name: str) -> Organization:
    found = queries.organization_by_slug(name) or queries.organization_by_name(name)
    return found or create_organization(actor=ACTOR, name=name)
