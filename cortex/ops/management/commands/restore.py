"""`manage.py restore --from FOLDER`: puts a proven backup of the main database back, whole or not at all."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError

from cortex.ops.backups import house
from cortex.ops.backups.alone import alone
from cortex.ops.backups.folders import MAIN, BackupRefused
from cortex.ops.processes import StartRefused


class Command(BaseCommand):
    """Every byte is checked before anything is touched; a database with tables needs explicit words."""

    help = "Restores the main database from a backup, or from the newest one in a folder. Keys come first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the backup, and the words that give up what is there."""
        parser.add_argument("--from", dest="source", type=Path, required=True, metavar="FOLDER")
        parser.add_argument(
            "--replace", default="", metavar="DATABASE", help="name the database whose content is given up"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore, compare and say what was lost."""
        try:
            with alone():
                house.restore(MAIN, options["source"], replace=options["replace"], say=self.stdout.write)
        except (BackupRefused, StartRefused, psycopg.Error, OSError) as refusal:
            raise CommandError(str(refusal)) from refusal
