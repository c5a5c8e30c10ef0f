"""`manage.py keys backup | restore | verify | rotate | reseal`: the care of the keys' own database."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import timedelta
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
from cortex.keys.queries import sees_every_row
from cortex.keys.resealing import queries as queries_of_reseal
from cortex.keys.resealing import rounds
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

        reseal = acts.add_parser("reseal", help="seal rows by a newer version of their key")
        whose = reseal.add_mutually_exclusive_group()
        whose.add_argument(
            "--patient", type=UUID, action="append", default=[], metavar="ID", help="this person"
        )
        whose.add_argument(
            "--organizations", action="store_true", help="every organization, and the second factors"
        )
        whose.add_argument("--older-than", type=int, metavar="DAYS", help="all keys that are so old")
        reseal.add_argument("--destroy", action="store_true", help="end versions that are empty for an hour")
        reseal.add_argument("--batch", type=int, default=200, metavar="ROWS")

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

    def reseal(self, options: dict[str, Any]) -> None:
        """Give keys a new version, seal what they sealed by it, and end empty ones when asked to.

        Without a choice of whose, or an age, it goes on with what is begun. A value that doesn't open, or a
        row that others hold for half a minute, is named; exit status 1.
        """
        if not sees_every_row():
            raise queries.ProofRefused(
                "Only a role that sees every row can do it: set CORTEX_DB_ROLE=system."
            )
        age = timedelta(days=options["older_than"]) if options["older_than"] is not None else None
        begun = time.monotonic()
        whose = queries_of_reseal.houses() if options["organizations"] else options["patient"]
        found = rounds.walk(
            actor=ACTOR,
            people=whose,
            older_than=timedelta(0) if whose else age,
            destroy=options["destroy"],
            batch=options["batch"],
            say=self.stdout.write,
        )
        tables = ", ".join(f"{count} {label}" for label, count in sorted(found.rows.items()) if count)
        self.stdout.write(
            f"{sum(found.rows.values())} rows sealed anew in {time.monotonic() - begun:.1f} s"
            f" ({tables or 'none'}); {found.retired} old versions destroyed."
        )
        if found.begun:
            self.stdout.write("Take a keys backup now: older ones don't hold the new versions.")
        self._name("values don't open and keep their old version", list(found.unopened.values()))
        self._name(
            "tables have rows that others hold", [f"{n} of {label}" for label, n in found.held.items()]
        )
        if found.kept:
            kept = ", ".join(f"{count} {label}" for label, count in found.kept.items())
            self.stdout.write(
                f"Nobody may change the trail: {kept} keep their version, which stays for them."
            )
        if found.unopened or found.held:
            raise CommandError("Not everything is on the newest version: the old ones stay. Run it again.")
        self.stdout.write("0 left: nothing is on an old version.")
        if found.resting:
            self.stdout.write(
                f"{found.resting} old versions stay. An hour after the last row was sealed anew "
                "`keys reseal --destroy` ends them: main backups from before then open with a keys' backup "
                "from before alone."
            )

    def _name(self, what: str, found: list[Any]) -> None:
        if not found:
            return
        self.stdout.write(f"{len(found)} {what}:")
        for one in found[:SHOWN]:
            self.stdout.write(f"  {one}")
        if len(found) > SHOWN:
            self.stdout.write(f"  and {len(found) - SHOWN} more.")
