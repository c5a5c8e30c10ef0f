"""What a file is, by its bytes; what is refused, with words that say what to do; what titles may hold."""

from __future__ import annotations

import gzip
import os
import random
import re
import struct
from urllib.parse import unquote

import pytest

from clinical.documents.formats import Refused, media_type_of
from clinical.documents.naming import attachment, file_name, title_of
from clinical.documents.wording import size_words
from cortex.signs import holds_unseen
from tests.unit.documents.files import EICAR, PDF, TEXT, block, jpeg, pdf_of, png, zipped

HTML = b"<!DOCTYPE html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
XMP = b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"/>'


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (PDF, "application/pdf"),
        (PDF.replace(b"1.4", b"2.0") + b"\r\n", "application/pdf"),
        (png(), "image/png"),
        (png(more=block(b"iTXt", b"XML:com.adobe.xmp\0" + XMP)), "image/png"),
        (jpeg(), "image/jpeg"),
        (jpeg(comment=XMP), "image/jpeg"),
        (jpeg(after=jpeg()), "image/jpeg"),  # a telephone's smaller copy behind the picture
        (TEXT, "text/plain"),
        (b"\xef\xbb\xbfWith a mark of order.", "text/plain"),
        ("مرحبا بالعالم\n".encode(), "text/plain"),
        (b"BMI 27.3, weight < 80 kg\n", "text/plain"),
        (b"x", "text/plain"),
        (EICAR, "text/plain"),  # no scanner looks: it is kept as the text that it is
    ],
)
def test_what_a_file_is_its_bytes_say(data: bytes, found: str) -> None:
    assert media_type_of(data) == found


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\0", "none of these"),
        (b"\xff\xfeT\0e\0x\0t\0", "UTF-8"),
        ("Zoë".encode("latin-1"), "none of these"),
        (b"bell\x07", "none of these"),
        (zipped(), "zip file"),
        (zipped("../../etc/passwd"), "zip file"),
        (gzip.compress(b"0" * 100_000), "none of these"),
        (b"PK\x05\x06" + bytes(18), "zip file"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "old Word"),
        (rb"{\rtf1\ansi Hello.}", "rich text"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC"),
        (b"GIF89a" + bytes(40), "PNG or JPEG"),
        (b"MZ" + bytes(100), "none of these"),
        (b"\x7fELF" + bytes(100), "none of these"),
        # Code of pages and drawings, plain and behind a claim.
        (HTML, "web page"),
        (SVG, "web page"),
        (b'<?xml version="1.0"?>\n' + SVG, "web page"),
        (b" \r\n\t<ScRiPt>alert(1)</script>", "web page"),
        (b"A letter.\n<iframe src=//x.example>", "web page"),
        (b"%PDF-1.4\n%" + HTML + PDF[9:], "web page"),
        (png(more=block(b"tEXt", b"Comment\0" + HTML)), "web page"),
        (jpeg(comment=HTML), "web page"),
        (jpeg(comment=b"<?php system($_GET[0]); ?>"), "web page"),
        # Two files in one.
        (PDF + zipped(), "other data behind"),
        (b"%PDF-1.4\n" + zipped() + b"\n%%EOF", "zip file"),
        (png() + zipped(), "other data behind"),
        (png() + PDF, "other data behind"),
        (png(more=block(b"tEXt", b"Comment\0" + PDF)), "hides a PDF"),
        (jpeg(after=zipped()), "zip file"),
        (jpeg(comment=PDF), "hides a PDF"),
        (b"A letter.\n" + PDF, "hides a PDF"),
        (b"\n" + PDF, "hides a PDF"),
        # Cut, broken, or claiming what isn't there.
        (PDF[:-6], "cut off"),
        (b"%PDF-9.x\n%%EOF", "cut off"),
        (png()[:-1], "cut off"),
        (png()[:30], "cut off"),
        (png()[:8], "cut off"),
        (png().replace(b"IDAT", b"IDAX"), "cut off"),
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31) + b"IHDR" + bytes(17), "cut off"),
        (b"\x89PNG\r\n\x1a\n" + block(b"IDAT", b"x") + block(b"IEND", b""), "cut off"),
        (png(2**31 - 1, 2**31 - 1), "100 million"),
        (png(0, 5), "100 million"),
        (png(20_000, 20_000), "100 million"),
        (jpeg(65_535, 65_535), "100 million"),
        (jpeg()[:-2], "cut off"),
        (jpeg()[:6], "cut off"),
        (b"\xff\xd8\xff", "cut off"),
        (b"\xff\xd8\xff" + bytes(200), "cut off"),
        (b"\xff\xd8\xff\xe0\xff\xff" + bytes(50), "cut off"),
        (b"\xff\xd8" + b"\xff" * 5_000, "cut off"),
    ],
)
def test_what_pretends_or_is_something_else_is_refused_with_what_to_do(data: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        media_type_of(data)


def test_no_body_however_broken_ends_in_anything_but_an_answer() -> None:
    chance = random.Random(20_261_126)
    sources = [PDF, png(), jpeg(), TEXT, zipped(), EICAR, HTML, pdf_of(5_000)]
    for _ in range(3_000):
        data = bytearray(chance.choice(sources))
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(data) + 1)
            turn = chance.randrange(4)
            if turn == 0:
                data[at:at] = chance.randbytes(chance.randint(1, 40))
            elif turn == 1:
                del data[at : at + chance.randint(1, 40)]
            elif turn == 2:
                data[at : at + 4] = struct.pack(">I", chance.choice((0, 2**31, 2**32 - 1)))
            else:
                data[at:at] = chance.choice(sources)
        try:
            media_type_of(bytes(data))
        except Refused as error:
            assert str(error).endswith(".")


def test_ten_megabytes_are_judged_at_once() -> None:
    assert media_type_of(b"%PDF-1.4\n" + os.urandom(10 * 2**20) + b"%%EOF") == "application/pdf"
    with pytest.raises(Refused):
        media_type_of(b"\xff\xd8" + b"\xff" * 10 * 2**20)


NAMES = (
    "letter.pdf", "../../etc/passwd", "..\\..\\boot.ini", "C:\\Users\\x\\Brief.pdf",
    "a\r\nSet-Cookie: x=1.pdf",
    "a\nb.pdf", "a\0b.pdf", "report\u202egpj.exe", "\u2066x\u2069.pdf", '"; filename="evil.exe', "a;b=c.pdf",
    "'; DROP TABLE x;--.pdf", "<img src=x onerror=alert(1)>.png", "%00.pdf", "%0d%0aX: y.pdf", "con.pdf",
    "NUL", "aux.txt", "Überweisung für Zoë.pdf", "紹介状.pdf", "😀.png", "x" * 5_000 + ".pdf", ".htaccess",
    ".pdf", "", " ", "...", "a.pdf.exe", "-rf", "\ud800.pdf", "a\u2028b.txt", "tab\tname.pdf", "ﬁle.pdf",
    "utf-8''x.pdf", "=?utf-8?q?x?=.pdf", "a\x7f.pdf", "a\x85b.pdf", "سيرة.pdf", "e\u0301.pdf", "/", "\\",
)  # fmt: skip

HEADER = re.compile(r"attachment; filename=\"([A-Za-z0-9 ._()-]+)\"; filename\*=UTF-8''(\S+)")


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_every_name_gives_a_title_without_tricks_and_a_safe_header(name: str) -> None:
    title = title_of(name)
    assert len(title) <= 200 and not holds_unseen(title) and "/" not in title
    for given in (title, name.encode(errors="replace").decode()):
        saved = file_name(given, "pdf")
        assert saved.endswith(".pdf") and len(saved) <= 100
        assert not re.search(r'[\\/:*?"<>|\0-\x1f\x7f]', saved) and not saved.startswith((".", " "))
        header = attachment(saved)
        assert header.isascii() and "\r" not in header and "\n" not in header
        found = HEADER.fullmatch(header)
        assert found is not None
        assert found[1].endswith(".pdf") and unquote(found[2]) == saved


def test_titles_come_from_names_as_people_read_them() -> None:
    assert title_of("C:\\Scans\\Referral_letter Dr Ouma.PDF") == "Referral letter Dr Ouma"
    assert file_name("Brief: Zoë / Übung", "pdf") == "Brief Zoë Übung.pdf"
    assert attachment("Zoë.pdf") == "attachment; filename=\"Zoe.pdf\"; filename*=UTF-8''Zo%C3%AB.pdf"
    assert attachment("紹介状.pdf").startswith('attachment; filename="document.pdf"')


def test_sizes_are_said_as_people_read_them() -> None:
    assert [size_words(one) for one in (1, 900, 40_000, 10 * 2**20, 1_300_000)] == [
        "1 byte", "900 bytes", "39 kB", "10 MB", "1.2 MB",
    ]  # fmt: skip
