"""`manage.py simulate`: fictional people's apps go on sending through the real API."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clinical.backoffice.demo import read_file
from clinical.backoffice.simulator import Simulator


class Command(BaseCommand):
    """Runs until it is stopped; keeps at most a dozen alerts open and sends no mail."""

    help = "Keep the demo alive: fictional messages, and now and then one that needs a person."

    def add_arguments(self, parser: Any) -> None:
        """Take the pace."""
        parser.add_argument("--url", default=settings.CORTEX_PUBLIC_URL, help="where the API answers")
        parser.add_argument("--pause", type=float, default=6.0, help="seconds between messages")

    def handle(self, *args: Any, **options: Any) -> None:
        """Send until stopped."""
        path = Path(settings.CORTEX_DATA_DIR) / "demo.json"
        demo = read_file(path)
        if not demo or not demo["complete"]:
            raise CommandError("Load the demo first: python manage.py demo")
        Simulator(options["url"], demo, options["pause"], self.stdout.write).run()
