"""Titles and the names of downloads: what may stand in one, and how a header says it; pure."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import quote

from cortex.signs import holds_unseen

UNSEEN = "This title holds signs that nobody sees or that turn its direction. Type it anew."
MOST_SIGNS = 200
# Names that Windows keeps for devices, whatever follows the dot.
DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.I)


def title_of(file_name: str) -> str:
    """Return a title for a document that got none: its file's name without folders, ending and odd signs."""
    last = PurePosixPath(file_name.replace("\\", "/")).name
    stem = last.rpartition(".")[0] or last
    text = "".join(" " if holds_unseen(sign) else sign for sign in stem.replace("_", " "))
    return " ".join(text.split()).strip(". ")[:MOST_SIGNS]


def file_name(title: str, extension: str) -> str:
    """Return what a download is called: the title without signs that file systems refuse."""
    clean = "".join(" " if sign in '\\/:*?"<>|%' or holds_unseen(sign) else sign for sign in title)
    stem = " ".join(clean.split()).strip(". ")[:80].strip(". ")
    return f"{'document ' if DEVICES.match(stem) else ''}{stem or 'document'}.{extension}"


def attachment(name: str) -> str:
    """Return a Content-Disposition (RFC 6266): a name in ASCII, and the real one by RFC 8187."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "", plain).strip(". ")
    stem, _, extension = plain.rpartition(".")
    if not stem.strip():
        plain = f"document.{extension or name.rpartition('.')[2]}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
