"""Reads of what may leave as a file: labels are enforced as for the team, without an author's privilege."""

from __future__ import annotations

from clinical.notes.models import Note
from clinical.notes.queries import WITH, Reader


def exportable(who: Reader) -> tuple[list[Note], int]:
    """Return the signed notes that may leave with a file, oldest first, and how many labels keep back.

    What a label shuts to the team stays, the reader's own notes too: a file is for somebody else. Process
    notes leave with none.
    """
    rows = Note.objects.signed().filter(patient_id__in=who.ids)
    free = rows.exclude(sensitivity_labels__overlap=sorted(who.closed))
    found = list(free.select_related(*WITH, "cosigned_by").order_by("occurred_at", "pk"))
    return found, rows.count() - len(found)
