"""API keys from the command line: create, rotate, revoke, list; a key is printed once and kept nowhere."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cortex.accounts import queries
from cortex.accounts.apikeys import actions
from cortex.accounts.apikeys.queries import all_keys, client_named, key_by_prefix
from cortex.accounts.choices import Scope
from cortex.accounts.models import ApiClient, ApiKey
from cortex.audit import RuleBroken, system
from cortex.clock import clock

ACTOR = system("apikey")


class Command(BaseCommand):
    """manage.py apikey create|rotate|revoke|list"""

    help = "Create, rotate, revoke and list API keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the four commands."""
        commands = parser.add_subparsers(dest="command", required=True)
        create = commands.add_parser("create", help="Issue a key; the client is created when it is new.")
        create.add_argument("--organization", required=True, help="Slug.")
        create.add_argument("--client", required=True, help="Name of the app.")
        create.add_argument(
            "--scope", action="append", choices=Scope.values, help="May be given several times."
        )
        create.add_argument("--days", type=int, help="Ends after so many days.")
        rotate = commands.add_parser("rotate", help="Issue a successor; the old key works on for a while.")
        rotate.add_argument("prefix")
        rotate.add_argument("--overlap-hours", type=int, default=24)
        rotate.add_argument("--days", type=int, help="Ends after so many days; else lives as long anew.")
        revoke = commands.add_parser("revoke", help="End a key at once.")
        revoke.add_argument("prefix")
        commands.add_parser("list", help="Show all keys without their secrets.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one of the four."""
        try:
            getattr(self, f"_{options['command']}")(options)
        except RuleBroken as broken:
            raise CommandError(broken.message) from broken

    def _create(self, options: dict[str, Any]) -> None:
        client = _client(options["organization"], options["client"])
        ends = _end(options)
        scopes = options["scope"] or [Scope.INTAKE, Scope.PATIENTS]
        self._show(actions.create_key(actor=ACTOR, client_id=client.pk, scopes=scopes, expires_at=ends))

    def _rotate(self, options: dict[str, Any]) -> None:
        overlap = timedelta(hours=options["overlap_hours"])
        key = _key(options["prefix"])
        self._show(actions.rotate_key(actor=ACTOR, key_id=key.pk, overlap=overlap, expires_at=_end(options)))

    def _revoke(self, options: dict[str, Any]) -> None:
        key = actions.revoke_key(actor=ACTOR, key_id=_key(options["prefix"]).pk)
        self.stdout.write(f"{key.prefix} no longer works.")

    def _list(self, options: dict[str, Any]) -> None:
        now = clock()
        for key in all_keys():
            state = "works" if key.works_at(now) else "over"
            used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
            place = f"{key.client.organization.slug}/{key.client.name}"
            self.stdout.write(f"{key.prefix}  {state:5}  {place}  {','.join(key.scopes)}  used {used}")

    def _show(self, issued: actions.IssuedKey) -> None:
        self.stdout.write("This key is shown once. Keep it in a secret store:")
        self.stdout.write(issued.raw)


def _end(options: dict[str, Any]) -> datetime | None:
    return clock() + timedelta(days=options["days"]) if options["days"] else None


def _client(slug: str, name: str) -> ApiClient:
    organization = queries.organization_by_slug(slug)
    if organization is None:
        raise CommandError(f"There is no organization {slug}.")
    found = client_named(organization.pk, name)
    return found or actions.create_client(actor=ACTOR, organization_id=organization.pk, name=name)


def _key(prefix: str) -> ApiKey:
    key = key_by_prefix(prefix.removeprefix("cx_"))
    if key is None:
        raise CommandError(f"There is no key {prefix}.")
    return key
