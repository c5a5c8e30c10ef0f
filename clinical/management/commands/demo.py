"""`manage.py demo`: loads two fictional organizations with their people, or what is still missing of them."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clinical.backoffice.demo import Demo, read_file


class Command(BaseCommand):
    """Keeps the sign-ins in the data folder; a second run loads nothing twice and renews the shifts."""

    help = "Load the demo: two fictional organizations, 12 staff, 80 patients and two weeks of their days."

    def add_arguments(self, parser: Any) -> None:
        """Let the sign-ins be shown again."""
        parser.add_argument("--sign-ins", action="store_true", help="only print the sign-ins")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load or show."""
        path = Path(settings.CORTEX_DATA_DIR) / "demo.json"
        if not options["sign_ins"]:
            Demo(path, self.stdout.write).load()
        kept = read_file(path)
        if not kept:
            raise CommandError("The demo was not loaded yet. Run `python manage.py demo` first.")
        self.stdout.write(
            "Everybody here is fictional. The demo asks for no second factor; a real service does."
        )
        for one in kept["sign_ins"]:
            self.stdout.write("{role:<12} {name:<20} {email:<28} {password}  PIN {pin}".format(**one))
