"""`manage.py load_instrument_text FILE`: load the official wording of an instrument, unaltered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinical.assessments.actions import install_text
from cortex.audit import RuleBroken, system


class Command(BaseCommand):
    """Loads one file of JSON; `help` says what it holds."""

    help = (
        "Load the wording of an instrument from a JSON file: instrument, version, language, stem, items "
        "{key: question}, answers {value: text}, and optionally item_answers, source and notice. Register "
        "first where the licence asks for it; the text is kept as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load one file, or say what is wrong with it."""
        try:
            raw = json.loads(options["file"].read_text(encoding="utf-8"))
            key, version, language = raw["instrument"], str(raw["version"]), raw["language"]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise CommandError(f"{options['file']} can't be used: {error!r}. See --help.") from error
        try:
            text = install_text(
                actor=system("operator"), key=key, version=version, language=language, texts=raw,
                source=str(raw.get("source", "")), notice=str(raw.get("notice", "")),
            )  # fmt: skip
        except RuleBroken as broken:
            raise CommandError(broken.message) from broken
        self.stdout.write(f"{text} is installed. Offer the instrument in the back office.")
