"""Small files of every type that is kept, made here: valid ones to begin with, to be broken by tests."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from zipfile import ZipFile

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
TEXT = b"Barua ya rufaa: analala vibaya, anakula kidogo.\nDr. Ouma\n"
# The test file of EICAR: every scanner calls it a virus, and it does nothing.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def block(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int = 1, height: int = 1, more: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0\xff")
    return b"\x89PNG\r\n\x1a\n" + block(b"IHDR", head) + more + block(b"IDAT", rows) + block(b"IEND", b"")


def jpeg(width: int = 8, height: int = 8, comment: bytes = b"", after: bytes = b"") -> bytes:
    said = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment if comment else b""
    sized = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\1\1\0\0\x3f\0" + b"\x2a" * 9
    return b"\xff\xd8" + said + sized + scan + b"\xff\xd9" + after


def zipped(name: str = "letter.txt", body: bytes = b"Hello.") -> bytes:
    held = BytesIO()
    with ZipFile(held, "w") as archive:
        archive.writestr(name, body)
    return held.getvalue()


def pdf_of(size: int, letter: bytes = b"x") -> bytes:
    """A PDF of exactly so many bytes."""
    end = b"\n%%EOF\n"
    head = b"%PDF-1.4\n% "
    return head + letter * (size - len(head) - len(end)) + end
