"""`manage.py demo`: loads two fictional organizations with their people, once."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clinical.backoffice.demo import Demo


class Command(BaseCommand):
    """Writes the sign-ins to the data folder; refuses to load twice."""

    help = "Load the demo: two fictional organizations, 12 staff, 80 patients and two weeks of their days."

    def add_arguments(self, parser: Any) -> None:
        """Let the sign-ins be shown again."""
        parser.add_argument("--sign-ins", action="store_true", help="only print the sign-ins")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load or show."""
        path = Path(settings.CORTEX_DATA_DIR) / "demo.json"
        if not path.exists() and not options["sign_ins"]:
            Demo(lambda line: self.stdout.write(line)).load(path)
        if not path.exists():
            raise CommandError("The demo was not loaded yet. Run `python manage.py demo` first.")
        self.stdout.write("Everybody here is fictional.")
        for one in json.loads(path.read_text())["sign_ins"]:
            self.stdout.write("{role:<12} {name:<20} {email:<28} {password}  PIN {pin}".format(**one))
