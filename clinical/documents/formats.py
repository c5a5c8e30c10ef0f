"""What a document's bytes are, by the bytes alone; pure. No name and no header is asked.

No scanner for viruses looks at them: one would be asked in `media_type_of`, before anything is kept. What is
refused here is what pretends: one file that two programs read as two different things.
"""

from __future__ import annotations

import re
import struct
import unicodedata
import zipfile
import zlib
from io import BytesIO

from clinical.documents.models import MediaType

TAKES = "Cortex keeps PDF, PNG, JPEG and plain text (UTF-8)."
# Browsers and PDF readers look so far for what a file might be besides.
LOOKED_AT = 1024
MARKUP = re.compile(
    rb"<\s*(?:!doctype|html|head|body|script|svg|iframe|object|embed|img|meta|link|style)\b|<\?(?:xml|php)",
    re.I,
)
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
JPEG_HEAD = b"\xff\xd8\xff"
MOST_SIDE, MOST_PIXELS = 20_000, 100_000_000
SIDES = "This picture says that it has more than 100 million points. Save it smaller and choose it again."
# What people choose by mistake, and what helps.
OTHERS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"PK(?:\x03\x04|\x05\x06|\x07\x08)"),
     "This is a Word, Excel or zip file. Save the document as PDF and choose that."),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "This is an old Word or Excel file. Save it as PDF and choose that."),
    (re.compile(rb"\{\\rtf"), "This is a rich text file. Save it as PDF and choose that."),
    (re.compile(rb"....ftyp(?:heic|heix|hevc|mif1|msf1|avif)", re.S),
     "This is a HEIC picture, as telephones take them. Save it as JPEG and choose that."),
    (re.compile(rb"GIF8[79]a|BM.{4}\0{4}|II\*\0|MM\0\*|RIFF....WEBP", re.S),
     "Cortex keeps no pictures of this type. Save it as PNG or JPEG and choose that."),
    (re.compile(rb"\xff\xfe|\xfe\xff"), "This text is not in UTF-8. Save it as UTF-8 and choose it again."),
)  # fmt: skip


class Refused(ValueError):
    """Bytes that are not kept; its text says what to do."""


def media_type_of(data: bytes) -> MediaType:
    """Return what these bytes are; raise Refused with a sentence for everything that isn't kept."""
    if not data:
        raise Refused("This file is empty. Choose the one that holds the document.")
    found = _claimed(data)
    _refuse_double(data)
    return found


def _claimed(data: bytes) -> MediaType:
    if data.startswith(b"%PDF-"):
        _check_pdf(data)
        return MediaType.PDF
    if data.startswith(PNG_HEAD):
        _check_png(data)
        return MediaType.PNG
    if data.startswith(JPEG_HEAD):
        _check_jpeg(data)
        return MediaType.JPEG
    for pattern, words in OTHERS:
        if pattern.match(data):
            raise Refused(words)
    _check_text(data)
    return MediaType.TEXT


def _refuse_double(data: bytes) -> None:
    """Refuse what another program would read as something else: a page, a zip, a second PDF."""
    head = data[:LOOKED_AT]
    if MARKUP.search(head):
        raise Refused("This file holds the code of a web page or a drawing. Save it as PDF and choose that.")
    if b"%PDF-" in head[1:]:
        raise Refused("This file hides a PDF behind other data. Save the PDF itself anew and choose that.")
    if zipfile.is_zipfile(BytesIO(data)):
        raise Refused("This file hides a zip file. Print the document to PDF anew and choose that.")


def _check_pdf(data: bytes) -> None:
    if not re.match(rb"%PDF-[12]\.\d", data) or not data.rstrip(b"\r\n\t \0").endswith(b"%%EOF"):
        raise Refused("This PDF is cut off or has other data behind it. Save it anew and choose that.")


def _check_png(data: bytes) -> None:
    """Walk the blocks of a PNG: each whole, the first one its size, nothing behind the last one."""
    broken = Refused("This picture is cut off or has other data behind it. Save it anew and choose that.")
    at, first = len(PNG_HEAD), True
    while True:
        if at + 12 > len(data):
            raise broken
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data) or first != (name == b"IHDR"):
            raise broken
        if zlib.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise broken
        if first:
            if length != 13:
                raise broken
            _check_sides(*struct.unpack_from(">II", data, at + 8))
        if name == b"IEND":
            break
        at, first = end, False
    if end != len(data):
        raise broken


def _check_jpeg(data: bytes) -> None:
    """Walk the segments of a JPEG up to its picture, and look for the picture's end.

    Telephones put more behind that end (a smaller copy, a depth map), so what follows is no fault by itself.
    """
    broken = Refused("This picture is cut off. Save it anew as JPEG and choose that.")
    at, sized = 2, False
    while True:
        if at + 4 > len(data) or data[at] != 0xFF:
            raise broken
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in (0x00, 0xD8, 0xD9) or length < 2 or at + 2 + length > len(data):
            raise broken
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if length < 8:
                raise broken
            height, width = struct.unpack_from(">HH", data, at + 5)
            # A height of 0 comes later in the file; nothing that people take does so.
            _check_sides(width, height)
            sized = True
        at += 2 + length
        if marker == 0xDA:
            break
    if not sized or data.find(b"\xff\xd9", at) < 0:
        raise broken


def _check_sides(width: int, height: int) -> None:
    if not width or not height or max(width, height) > MOST_SIDE or width * height > MOST_PIXELS:
        raise Refused(SIDES)


def _check_text(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Refused(f"{TAKES} This file is none of these.") from None
    if any(unicodedata.category(sign) == "Cc" and sign not in "\t\n\r\f" for sign in set(text)):
        raise Refused(f"{TAKES} This file is none of these.")


EXTENSIONS = {MediaType.PDF: "pdf", MediaType.PNG: "png", MediaType.JPEG: "jpg", MediaType.TEXT: "txt"}
