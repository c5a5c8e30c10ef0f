"""`manage.py backup_drill --from FOLDER`: puts the newest backup into a scratch cluster and times it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError

from cortex.ops.backups import house
from cortex.ops.backups.folders import BackupRefused
from cortex.ops.processes import StartRefused


class Command(BaseCommand):
    """A backup that was never put back is a hope; the scratch cluster is gone afterwards."""

    help = "Restores the newest main backup elsewhere, compares it, prints RTO and RPO, and deletes the copy."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the backup or the folder of backups."""
        parser.add_argument("--from", dest="source", type=Path, required=True, metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what it took and what would be lost; exit status 1 when the copy isn't equal."""
        try:
            done = house.drilled(options["source"])
        except (BackupRefused, StartRefused, psycopg.Error, OSError) as refusal:
            raise CommandError(str(refusal)) from refusal
        steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in done.seconds.items())
        self.stdout.write(f"Restored {house.describe(done.told)}.")
        self.stdout.write(f"RTO {done.rto_seconds:.1f} s ({steps}).")
        self.stdout.write(
            f"RPO {done.rpo_seconds:.1f} s: {done.missing_rows} rows came after the snapshot. "
            f"The backup is {done.age_seconds:.0f} s old."
        )
        if done.differences:
            raise CommandError("The copy is not equal: " + "; ".join(done.differences))
        self.stdout.write("The copy has every row, its trail holds to the last link; it is deleted again.")
