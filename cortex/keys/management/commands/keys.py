"""`manage.py keys backup | restore | verify | rotate`: the care of the keys' own database."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from cortex.audit.actors import system
from cortex.crypto.errors import KeyProviderError
from cortex.keys.actions import rewrap_keys
from cortex.keys.proof import queries
from cortex.keys.store import Rewrapped
from cortex.ops.backups import house
from cortex.ops.backups.alone import alone
from cortex.ops.backups.folders import KEYS, BackupRefused
from cortex.ops.processes import StartRefused

ACTOR = system("keys")
# Keys that another transaction holds are met again after a moment, and not for ever.
PAUSE, TRIES = 0.5, 60
# So many at least don't open when a master key is missing or wrong: no use to try them all.
MOST_UNOPENED = 1000
SHOWN = 20
FAULTS = (KeyProviderError, psycopg.Error, DatabaseError, OSError)
REFUSALS = (BackupRefused, StartRefused, queries.ProofRefused, *FAULTS)


class Command(BaseCommand):
    """Backups of keys lie apart from those of the words, under another backup key."""

    help = "Backs up, restores, verifies and rewraps the data keys."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what is to be done."""
        acts = parser.add_subparsers(dest="act", required=True)
        backup = acts.add_parser("backup", help="write a sealed backup of the keys' database")
        backup.add_argument("--to", type=Path, required=True, metavar="FOLDER")
        restore = acts.add_parser("restore", help="put one back, whole or not at all")
        restore.add_argument("--from", dest="source", type=Path, required=True, metavar="FOLDER")
        restore.add_argument("--replace", default="", metavar="DATABASE", help="what is given up, by name")
        verify = acts.add_parser("verify", help="open every key, and one value of each column by it")
        verify.add_argument("--sample", type=int, default=0, metavar="ROWS", help="newest rows per table")
        rotate = acts.add_parser("rotate", help="wrap every key under the newest master key")
        rotate.add_argument("--batch", type=int, default=500, metavar="KEYS")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and end with a sentence when it can't be done."""
        try:
            getattr(self, options["act"])(options)
        except REFUSALS as refusal:
            raise CommandError(str(refusal)) from refusal

    def backup(self, options: dict[str, Any]) -> None:
        """Take a backup."""
        self.stdout.write(house.backup(KEYS, options["to"]))

    def restore(self, options: dict[str, Any]) -> None:
        """Put one back."""
        with alone():
            house.restore(KEYS, options["source"], replace=options["replace"], say=self.stdout.write)
        self.stdout.write("Now run `manage.py keys verify`.")

    def verify(self, options: dict[str, Any]) -> None:
        """Print what was found; exit status 1 when a word can't be read or an erased one could."""
        proof = queries.prove(options["sample"])
        under = ", ".join(f"{count} under {name}" for name, count in sorted(proof.by_master.items()))
        self.stdout.write(f"{proof.keys} live keys ({under or 'none'}), {proof.tombstones} destroyed.")
        self.stdout.write(
            f"{proof.pairs} pairs of column and key looked up, {proof.erased_rows} of them erased on purpose."
        )
        self._name("keys don't open under the present master keys", proof.unopened)
        self._name("sealed fields name a key that isn't there", proof.keyless)
        self._name("sealed values don't open by their own key", proof.unreadable)
        self._name("destroyed keys are back (`keys restore` replays destructions)", proof.revived)
        self._name("orphans: keys without a subject, swept at night", proof.orphans)
        if not proof.holds:
            raise CommandError("The keys do not fit the sealed rows.")
        self.stdout.write("Every key opens, and with it one value of every column that it seals.")

    def rotate(self, options: dict[str, Any]) -> None:
        """Rewrap in batches until nothing is left on an older master key; each batch stands by itself.

        A key that doesn't open is passed over and named; exit status 1.
        """
        total, waited, begun = 0, 0, time.monotonic()
        skipped: dict[UUID, str] = {}
        while len(skipped) < MOST_UNOPENED:
            made = rewrap_keys(actor=ACTOR, limit=options["batch"], skip=tuple(skipped))
            done, left, unopened = cast("Rewrapped", made)
            total += done
            skipped |= unopened
            if not left:
                break
            waited = 0 if done or unopened else waited + 1
            if waited > TRIES:
                raise CommandError(f"{left} keys are held by other transactions; run it again.")
            time.sleep(0 if done or unopened else PAUSE)
        if len(skipped) >= MOST_UNOPENED:
            self.stdout.write(f"Stopped with {left} left: {len(skipped)} keys didn't open.")
        under = ", ".join(f"{count} under {name}" for name, count in queries.by_master().items())
        self.stdout.write(
            f"{total} keys wrapped anew in {time.monotonic() - begun:.1f} s: {under or 'no keys'}."
        )
        self._name("keys don't open and stay as they are", list(skipped.values()))
        if skipped:
            raise CommandError("Not every key opens: compare the list of master keys, and keep the old ones.")
        self.stdout.write(
            "0 left. A process that still lists the old master key first makes new keys under it: restart "
            "all, then run this once more before the old one is taken off the list."
        )

    def _name(self, what: str, found: list[Any]) -> None:
        if not found:
            return
        self.stdout.write(f"{len(found)} {what}:")
        for one in found[:SHOWN]:
            self.stdout.write(f"  {one}")
        if len(found) > SHOWN:
            self.stdout.write(f"  and {len(found) - SHOWN} more.")
