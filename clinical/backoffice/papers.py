"""What the demo shows of documents: short fictional letters as PDF and as text, made here."""

from __future__ import annotations

from datetime import timedelta
from textwrap import wrap

from clinical.backoffice import queries
from clinical.documents.actions import DocumentData, mark_error, upload_document
from clinical.documents.queries import documented
from cortex.accounts.models import User
from cortex.audit.actors import actor_of_user
from cortex.clock import clock
from cortex.ids import uuid7

PEOPLE = 4
REFERRAL = (
    "Referral (fictional)",
    "Thank you for seeing this person, who has slept badly for three months and has lost interest in work. "
    "No medication so far. Blood pressure and thyroid are normal. I would be glad to hear how you go on.",
    "Dr. A. Ouma, family doctor",
)
SUMMARY = (
    "Discharge summary (fictional)",
    "Five nights on the ward after an acute crisis. Discharged with a safety plan that the family knows, a "
    "follow-up call within 72 hours and an appointment within a week. No thoughts of suicide at discharge.",
    "Ward 3, Kibandani Hospital",
)
LETTER = (
    "Barua kutoka shuleni (ya kubuni)\n\nMwalimu wa darasa anaandika kwamba mahudhurio yameboreka tangu "
    "mwezi uliopita, na kwamba marafiki wawili wanamsaidia.\n"
)
CONSENT = (
    "Consent on paper (fictional)",
    "The person agrees that the care team shares what is needed for treatment. Signed on paper; the original "
    "lies in the cabinet.",
    "Reception",
)
Paper = tuple[DocumentData, bytes]


def pdf(lines: tuple[str, str, str]) -> bytes:
    """Return a PDF of one page: a title, a paragraph, and who signed. The texts are plain ASCII."""
    title, body, signed = lines
    rows = [("F2 14", title), *(("F1 11", line) for line in wrap(body, 84)), ("F1 11", signed)]
    drawn = " ".join(f"/{font} Tf ({_escaped(text)}) Tj 0 -20 Td" for font, text in rows)
    stream = f"BT 60 780 Td {drawn} ET".encode("ascii")
    fonts = "/F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> " + (
        "/F2 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>"
    )
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        + f"/Resources << /Font << {fonts} >> >> >>".encode(),
        b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"\nendstream",
    ]
    return _file(parts)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _file(parts: list[bytes]) -> bytes:
    """Return the objects of a PDF with the table that says where each begins."""
    data, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n" % number + part + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(parts) + 1
    return (
        data + b"xref\n0 %d\n0000000000 65535 f \n" % size + table
        + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(data))
    )  # fmt: skip


def make_papers(staff: list[User]) -> int:
    """Let each fictional therapist bring a few documents of their people, once; return how many."""
    at, made = clock(), 0
    today = at.date()
    papers: list[Paper] = [
        (DocumentData("referral_letter", title="Referral by Dr. Ouma", language="en",
                      received_on=today - timedelta(days=40)), pdf(REFERRAL)),
        (DocumentData("correspondence", title="Barua kutoka shuleni", language="sw",
                      received_on=today - timedelta(days=9)), LETTER.encode()),
        (DocumentData("discharge_summary", title="Discharge summary, Kibandani Hospital, ward 3",
                      language="en", received_on=today - timedelta(days=3), labels=("R",)), pdf(SUMMARY)),
        (DocumentData("consent_form", title="Consent to sharing, on paper", language="en"), pdf(CONSENT)),
    ]  # fmt: skip
    for therapist in (one for one in staff if one.role == "therapist"):
        people = [one.pk for one in queries.treated_by(therapist.pk, at)[:PEOPLE]]
        there = documented(people)
        for turn, patient_id in enumerate(one for one in people if one not in there):
            for data, content in papers[: 4 - turn % 3]:
                row = upload_document(
                    actor=actor_of_user(therapist), patient_id=patient_id, upload_id=uuid7(), data=data,
                    content=content,
                )  # fmt: skip
                made += 1
            if turn == 0:
                mark_error(
                    actor=actor_of_user(therapist), patient_id=patient_id, document_id=row.pk,
                    reason="The form of another person with the same family name.",
                )  # fmt: skip
    return made
