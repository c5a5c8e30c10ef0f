"""The document of the walk's world, in one piece, and the pairs of its addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from clinical.documents.actions import DocumentData, upload_document
from cortex.accounts.models import User
from cortex.ids import uuid7
from tests import makers

LETTER = b"Wanapendekeza matibabu ya mbuyuni3."


def bring_letter(user: User, patient_id: UUID, title: str = "mbuyuni3") -> str:
    """Keep a letter in a person's chart; return its id."""
    said = DocumentData(kind="referral_letter", title=title)
    row = upload_document(
        actor=makers.staff(user), patient_id=patient_id, upload_id=uuid7(), data=said, content=LETTER
    )
    makers.scope_all()
    return str(row.pk)


def document_pairs(document_id: str, chart: Callable[..., Any]) -> dict[str, Any]:
    """Return the pairs of a chart's documents."""
    one = {"document_id": document_id}
    return {
        "clinical:documents": chart("GET"),
        "clinical:document_new": chart("GET", "POST", data={"kind": "report"}),
        "clinical:document_page": chart("GET", ids=one),
        "clinical:document_file": chart("GET", ids=one),
        "clinical:document_label": chart("POST", ids=one, data={"labels": "R"}),
        "clinical:document_error": chart("POST", ids=one, data={"reason": "Of somebody else."}),
    }
