"""`manage.py sbom`: the bill of materials of what is installed here, as CycloneDX JSON."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cortex.ops.inventory.bom import BomRefused, bill


class Command(BaseCommand):
    """Write the bill, or print it; it holds no time and no random number, so that two can be compared."""

    help = "Write a CycloneDX 1.6 bill of materials: installed packages that are pinned, and vendored files."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where it goes, and which files pin what was installed."""
        parser.add_argument("--to", type=Path, metavar="FILE", help="else it is printed")
        parser.add_argument(
            "--requirements", type=Path, nargs="+", default=[settings.BASE_DIR / "requirements.txt"]
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the bill; refuse when what is installed isn't what is pinned."""
        try:
            made = bill(settings.BASE_DIR, options["requirements"])
        except BomRefused as refusal:
            raise CommandError(str(refusal)) from None
        text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
        if options["to"] is None:
            self.stdout.write(text, ending="")
        else:
            options["to"].parent.mkdir(parents=True, exist_ok=True)
            options["to"].write_text(text, encoding="utf-8")
            self.stdout.write(f"{len(made['components'])} components in {options['to'].name}.")
