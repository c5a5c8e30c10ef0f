"""`manage.py inventory`: the kinds of keys that the house has; with --write it writes docs/KEYS.md anew."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cortex.ops.inventory.keypage import page, unnamed
from cortex.ops.inventory.scanning import uses


class Command(BaseCommand):
    """Print the page, or write it; a use of cryptography that no entry names is an error."""

    help = "Print what keys the house has, by its code; no key is read."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whether to write the page."""
        parser.add_argument("--write", action="store_true", help="write docs/KEYS.md")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or print."""
        if missing := unnamed(uses(settings.BASE_DIR)):
            raise CommandError(f"In no entry of cortex/ops/inventory/kinds.py: {', '.join(sorted(missing))}.")
        text = page(settings.BASE_DIR)
        if options["write"]:
            place = settings.BASE_DIR / "docs" / "KEYS.md"
            place.write_text(text, encoding="utf-8")
            self.stdout.write("docs/KEYS.md is written.")
        else:
            self.stdout.write(text, ending="")
