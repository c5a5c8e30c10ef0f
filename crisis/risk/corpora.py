"""Reads labelled texts from CSV files and checks them against the data manifest; prints no text."""

from __future__ import annotations

import csv
import gzip
import hashlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "MANIFEST.csv"


class BadData(Exception):
    """A file that can't be used, with the reason in a sentence; never a word of its texts."""


@dataclass(frozen=True, slots=True)
class Source:
    """A data file that the manifest vouches for."""

    path: str
    sha256: str
    licence: str
    origin: str
    rows: int


def sources(folder: Path, wanted: Mapping[str, str]) -> dict[str, Source]:
    """The wanted files (role to path) as the folder's manifest describes them.

    Raises BadData for a missing manifest or file, a path without a line, or another checksum.
    """
    try:
        with (folder / MANIFEST).open(encoding="utf-8", newline="") as lines:
            listed = {row["path"]: row for row in csv.DictReader(lines)}
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise BadData(f"{folder} has no readable {MANIFEST}.") from error
    found = {}
    for role, path in wanted.items():
        row = listed.get(path)
        if row is None:
            raise BadData(
                f"{MANIFEST} does not list {path}: nothing is trained on a file that it does not vouch for."
            )
        actual = checksum(folder / path)
        if actual != row.get("sha256"):
            raise BadData(f"{path} is not the file that {MANIFEST} lists: its SHA-256 is {actual}.")
        found[role] = Source(
            path, actual, row.get("licence") or "", row.get("source") or "", int(row.get("rows") or 0)
        )
    return found


def checksum(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal. Raises BadData when it can't be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BadData(f"{path} can't be read: {error.strerror}.") from error


def rows_of(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, plain or gzipped, that has the needed columns.

    Raises BadData for a file that is none, has no such column, or a row with more or fewer fields.
    """
    csv.field_size_limit(sys.maxsize)
    if path.is_dir():
        raise BadData(f"{path} is a folder; name a CSV file.")
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            missing = [name for name in needed if name not in (reader.fieldnames or ())]
            if missing:
                there = ", ".join(reader.fieldnames or ()) or "none"
                raise BadData(f"{path.name} has no column {', '.join(missing)}; its columns: {there[:200]}.")
            for row in reader:
                if None in row or None in row.values():
                    raise BadData(f"{path.name}, line {reader.line_num}: not as many fields as columns.")
                yield row
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise BadData(f"{path.name} can't be read as CSV in UTF-8: {type(error).__name__}.") from error
