"""Draws a QR code as one path of SVG, so that a template shows it without a picture or a style; pure."""

from __future__ import annotations

from dataclasses import dataclass

import qrcode

# White around the code, in modules: readers want four.
QUIET = 4


@dataclass(frozen=True, slots=True)
class QrCode:
    """The path of all dark modules, and how many modules the picture is wide."""

    path: str
    size: int


def drawn(text: str) -> QrCode:
    """Return the QR code of a text, dark runs of a row as one rectangle each."""
    code = qrcode.QRCode(border=0)
    code.add_data(text)
    rows = code.get_matrix()
    parts = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                parts.append(f"M{x + QUIET} {y + QUIET}h{end - x}v1h-{end - x}z")
            x = max(end, x + 1)
    return QrCode("".join(parts), len(rows) + 2 * QUIET)
