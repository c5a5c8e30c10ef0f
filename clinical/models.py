"""Gathers the models of the clinical floor; each stands in its feature."""

from clinical.assessments.models import Assessment, AssessmentDraft, Instrument, InstrumentText
from clinical.caseload.models import CaseMark
from clinical.notes.models import (
    Note,
    NoteAddendum,
    NoteVersion,
    PsychotherapyNote,
    PsychotherapyNoteAddendum,
    PsychotherapyNoteVersion,
    TextBlock,
)

__all__ = [
    "Assessment", "AssessmentDraft", "CaseMark", "Instrument", "InstrumentText", "Note", "NoteAddendum",
    "NoteVersion", "PsychotherapyNote", "PsychotherapyNoteAddendum", "PsychotherapyNoteVersion", "TextBlock",
]  # fmt: skip
