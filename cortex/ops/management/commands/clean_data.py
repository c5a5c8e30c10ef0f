"""`manage.py clean_data --yes`: deletes what `up` keeps for this data folder, wherever it lies."""

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cortex.ops import embedded, startup
from cortex.ops.processes import StartRefused


class Command(BaseCommand):
    """Databases and secrets leave together: one without the other is of no use."""

    help = "Deletes the embedded databases, their secrets and the demo's sign-ins of this data folder."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Ask for a yes."""
        parser.add_argument("--yes", action="store_true", help="yes, delete everything in them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, unless `up` runs in this folder or nobody said yes."""
        if not hasattr(settings, "CORTEX_EMBEDDED_CLUSTERS"):
            raise CommandError("This deletes the data of `up` on one machine; production has none of it.")
        data_dir = Path(settings.CORTEX_DATA_DIR)
        paths = embedded.own_paths(data_dir)
        if not options["yes"]:
            raise CommandError(f"With --yes this deletes {', '.join(map(str, paths))}.")
        try:
            with startup.take_lock(data_dir):
                for path in paths:
                    self.stdout.write(f"deleting {path}")
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        except StartRefused as refusal:
            raise CommandError(str(refusal)) from refusal
