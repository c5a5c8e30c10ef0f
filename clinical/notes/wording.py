"""The sections of each type of note and of addenda, and what labels are called; nothing a person wrote."""

from __future__ import annotations

from dataclasses import dataclass

from clinical.notes.models import ADDENDUM, PROCESS, NoteType


@dataclass(frozen=True, slots=True)
class Section:
    """One text of a note."""

    name: str
    label: str
    hint: str = ""
    rows: int = 5


RISK = Section("risk_statement", "Risk statement", "Needed when the level is medium or above.", 3)
FREE = "free_text"
SHAPES: dict[str, tuple[Section, ...]] = {
    NoteType.SOAP: (
        Section("subjective", "Subjective", "What the person says, in their words."),
        Section("objective", "Objective", "Presentation, mental state, measures."),
        Section("assessment", "Assessment", "Formulation: how you understand it."),
        RISK,
        Section("plan", "Plan", "Next step and homework."),
    ),
    NoteType.PROGRESS: (
        Section(FREE, "What happened"),
        Section("assessment", "Assessment", "Progress towards the goals."),
        RISK,
        Section("plan", "Plan", "Next step and homework."),
    ),
    NoteType.CRISIS: (
        Section(FREE, "What happened and what was done"),
        Section("assessment", "Assessment", "What made it worse, what holds."),
        RISK,
        Section("plan", "Plan", "Who does what until when."),
    ),
    NoteType.SESSION: (Section(FREE, "Session", rows=10), RISK),
    NoteType.SUPERVISION: (Section(FREE, "Supervision", rows=10),),
    PROCESS: (
        Section(FREE, "Process note", "Opened by you alone, in no export and no search of others.", 12),
    ),
    ADDENDUM: (
        Section(
            "text",
            "Addendum",
            "It stands below the note with your name and the time; the note itself stays as it is.",
            6,
        ),
    ),
}
TYPES = {**dict(NoteType.choices), PROCESS: "Psychotherapy (only you)"}
# What a risk statement and a date of the next contact are asked of (domain 6.2).
ASKS_RISK = frozenset(kind for kind, shape in SHAPES.items() if RISK in shape)
ASKS_FOLLOW_UP = frozenset({NoteType.SOAP, NoteType.PROGRESS, NoteType.CRISIS})
# Times and measures may be pulled in here alone: never into what somebody says or thinks (domain 6.2).
FILLED: dict[str, str] = {
    NoteType.SOAP: "objective",
    NoteType.PROGRESS: FREE,
    NoteType.CRISIS: FREE,
    NoteType.SESSION: FREE,
}
# What a template or a phrase may stand in.
TEMPLATED = ("objective", "plan", FREE)
# The headings of a mental state, for the section for facts: what was found is always written new.
MENTAL_STATE = (
    "Appearance", "Behaviour", "Speech", "Mood", "Affect", "Thought process", "Thought content",
    "Perception", "Cognition", "Insight and judgement",
)  # fmt: skip
# Why signed notes leave as a file.
EXPORTED_FOR = {
    "person": "The person asked for their record",
    "care": "Another service goes on with the care",
    "authority": "A court or an authority ordered it",
}
LABELS = {
    "N": "Normal",
    "R": "Restricted",
    "V": "Very restricted",
    "PSYTHPN": "Psychotherapy",
    "SUD_PART2": "Substance use (Part 2)",
    "HIV": "HIV",
    "GBV": "Gender-based violence",
    "MINOR": "Minor's confidence",
}


def names_of(note_type: str) -> tuple[str, ...]:
    """Return the fields that a type of note, or an addendum, writes, in their order."""
    return tuple(section.name for section in SHAPES[note_type])


def takes_blocks(note_type: str) -> tuple[str, ...]:
    """Return the sections of a type of note that templates and phrases may fill, in their order."""
    return tuple(name for name in names_of(note_type) if name in TEMPLATED)


def called(kind: str) -> str:
    """Return what a note of this kind is called: "Progress note", and "Session note" as it is."""
    return kind if kind.endswith(" note") else f"{kind} note"


def label_words(labels: list[str]) -> list[str]:
    """Return what these labels are called; the one that changes nothing is left out."""
    return [LABELS.get(one, one) for one in labels if one != "N"]
