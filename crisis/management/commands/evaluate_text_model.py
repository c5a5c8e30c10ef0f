"""`manage.py evaluate_text_model`: how well the text model does on anybody's labelled texts."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crisis.risk import labelled
from crisis.risk.corpora import BadData, checksum
from crisis.risk.linear import CARD, FOLDER, ModelRefused, load


class Command(BaseCommand):
    """Prints figures only; `--predict` writes scores without texts."""

    help = "Measure the text model on CSV files (plain or .gz) with a text and a label column."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the files, the columns and what counts as positive."""
        add = parser.add_argument
        add("--data", type=Path, action="append", required=True, help="a CSV file; may be given again")
        add("--text", default="text", help="column of the text (text)")
        add("--label", default="severity", help="column of the label (severity); empty ones are left out")
        add("--at-least", type=float, default=4.0, help="numbers from here on are positive (4)")
        add("--positive", default="", help="words that are positive instead, with commas between them")
        add("--group", default="", help="column whose rows belong together within a file: an author, a user")
        add("--source", default="", help="column that names a row's source (else its file)")
        add("--benign", type=Path, action="append", default=[], help="a CSV file of ordinary texts")
        add("--predict", type=Path, help="write file, row, score and flag here")
        add("--model", type=Path, default=FOLDER, help="folder of the model (the package's)")
        add("--seed", type=int, default=1, help="of the bootstrap (1)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Score, print, write."""
        words = frozenset(word.strip() for word in options["positive"].split(",") if word.strip())
        columns = labelled.Columns(
            options["text"], options["label"], options["group"], options["source"], options["at_least"], words
        )
        try:
            model = load(options["model"])
            scored = [labelled.score(path, columns, model) for path in options["data"]]
            for line in labelled.report(scored, model, options["seed"]):
                self.stdout.write(line)
            for path in options["benign"]:
                for line in labelled.benign_report(path, options["text"], model):
                    self.stdout.write(line)
        except (BadData, ModelRefused) as error:
            raise CommandError(str(error)) from error
        for one in scored:
            if one.without_label:
                self.stdout.write(f"{one.name}: {one.without_label} rows without a label left out")
        self._warn([*options["data"], *options["benign"]], options["model"])
        if options["predict"] is not None:
            labelled.write_scores(options["predict"], scored, model)
            self.stdout.write(f"scores in {options['predict']}")

    def _warn(self, paths: list[Path], folder: Path) -> None:
        """Say which files the model was trained on: their figures flatter it."""
        data = json.loads((folder / CARD).read_text("utf-8"))["data"]
        trained = {one["sha256"] for role, one in data.items() if not role.startswith("ordinary_")}
        for path in paths:
            if checksum(path) in trained:
                self.stdout.write(f"{path} TRAINED this model: see its card for figures on unseen rows.")
