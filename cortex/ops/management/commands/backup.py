"""`manage.py backup --to FOLDER`: a sealed backup of the main database, whole or not there."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError

from cortex.ops.backups import house
from cortex.ops.backups.folders import MAIN, BackupRefused


class Command(BaseCommand):
    """Redis holds nothing that must survive, and the keys have a backup of their own (`keys backup`)."""

    help = "Writes a sealed backup of the main database into a folder. Keys: `keys backup`, elsewhere."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder of backups."""
        parser.add_argument("--to", type=Path, required=True, metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take one and say what it holds."""
        try:
            self.stdout.write(house.backup(MAIN, options["to"]))
        except (BackupRefused, psycopg.Error, OSError) as refusal:
            raise CommandError(str(refusal)) from refusal
