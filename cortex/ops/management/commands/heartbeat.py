"""`manage.py heartbeat NAME`: exit status 0 when a machine did its round lately; for health checks."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cortex.ops import queries


class Command(BaseCommand):
    """Look at one machine's last round."""

    help = "Fails when a machine (sweeper, beat) hasn't done its round within some seconds."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the machine's name and the longest age."""
        parser.add_argument("name")
        parser.add_argument("--within", type=float, default=15.0)

    def handle(self, *args: Any, **options: Any) -> None:
        """Raise when the round is too old or never happened."""
        age = queries.seconds_since(options["name"])
        if age is None or age > options["within"]:
            raise CommandError(
                f"{options['name']}: last round {'never' if age is None else f'{age:.0f} s ago'}."
            )
        self.stdout.write(f"{options['name']}: last round {age:.1f} s ago.")
