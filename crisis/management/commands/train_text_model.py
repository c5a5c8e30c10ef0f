"""`manage.py train_text_model`: fits the text model on files that the data manifest vouches for."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crisis.risk import modelcard, training
from crisis.risk.corpora import BadData, sources
from crisis.risk.lexicon import lexicon
from crisis.risk.linear import FOLDER


class Command(BaseCommand):
    """Writes the array, the card and the checksums; the same files and seed give the same bytes."""

    help = "Train the text model on the files of a folder with a MANIFEST.csv and write it with its card."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folders."""
        parser.add_argument("--data", type=Path, required=True, help="folder with MANIFEST.csv and the files")
        parser.add_argument("--out", type=Path, default=FOLDER, help="where to write (the package's model)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check the files, train, write."""
        began = time.monotonic()
        words = lexicon()
        try:
            found = sources(options["data"], training.FILES)
            read = training.read_all(options["data"], words, self.stdout.write)
        except BadData as error:
            raise CommandError(str(error)) from error
        trained = training.train(read, words, self.stdout.write)
        version = modelcard.write(options["out"], trained, found)
        self.stdout.write((options["out"] / modelcard.PAGE).read_text("utf-8"))
        self.stdout.write(f"{version} in {options['out']}, {time.monotonic() - began:.0f} s")
