"""What sizes and labels of documents are called; nothing that a person wrote."""

from __future__ import annotations

from clinical.notes import wording

# Process notes have a table of their own: no file is one.
LABELS = {code: words for code, words in wording.LABELS.items() if code != "PSYTHPN"}


def size_words(size: int) -> str:
    """Return a number of bytes as people read it: kB below a megabyte, else MB."""
    if size < 1024:
        return f"{size} byte{'' if size == 1 else 's'}"
    if size < 2**20:
        return f"{round(size / 1024)} kB"
    return f"{size / 2**20:.1f}".removesuffix(".0") + " MB"
