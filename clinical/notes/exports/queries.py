"""Reads of what may leave as a file: labels are enforced as for the team, without an author's privilege."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from clinical.notes.linked import Links
from clinical.notes.models import Note
from clinical.notes.queries import WITH, AnyNote, Reader
from patients.codes import ConsentType
from patients.labels.rules import PART2
from patients.privacy.models import Consent
from patients.privacy.queries import consent_given

# Consent to treatment, payment and operations opens no Part 2 record to proceedings against the person
# (domain 7.4): that asks for a consent or an order of its own, which nothing here keeps.
AUTHORITY = "authority"


def kept_back(who: Reader, reason: str) -> frozenset[str]:
    """Return the labels of which nothing leaves for a reason."""
    return who.closed | {PART2} if reason == AUTHORITY else who.closed


def exportable(who: Reader, reason: str = "") -> tuple[list[Note], int]:
    """Return the signed notes that may leave for a reason, oldest first, and how many labels keep back.

    What a label shuts to the team stays, the reader's own notes too: a file is for somebody else. Process
    notes leave with none, and Part 2 ones not for an authority, whatever the person agreed to.
    """
    rows = Note.objects.signed().filter(patient_id__in=who.ids)
    free = rows.exclude(sensitivity_labels__overlap=sorted(kept_back(who, reason)))
    found = list(free.select_related(*WITH, "cosigned_by").order_by("occurred_at", "pk"))
    return found, rows.count() - len(found)


def is_part2(notes: Iterable[AnyNote], about: Iterable[Links]) -> bool:
    """Whether notes, or a diagnosis that is shown with them, are records of Part 2."""
    labelled = [*notes, *(one for links in about for one in links.shown)]
    return any(PART2 in one.sensitivity_labels for one in labelled)


def part2_consent(who: Reader, at: datetime) -> Consent | None:
    """Return the consent under which Part 2 records of a person are disclosed, or None."""
    return consent_given(who.patient.person_id, ConsentType.PART2_TPO, at)
