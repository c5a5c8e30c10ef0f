"""Full-text search of notes: opened and matched in memory, up to a bound; no index holds a word."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from clinical.notes import queries
from clinical.notes.addenda.queries import signed_addenda
from clinical.notes.matching import excerpt, wanted
from clinical.notes.queries import TABLES, AnyNote, Cut
from clinical.notes.wording import names_of
from cortex.access.context import AccessContext
from cortex.audit import Actor
from patients.registry.queries import NAMES

# So many notes are opened at once; older ones are looked at when that is asked for.
BOUND = 1_500
MOST_HITS = 50


@dataclass(slots=True)
class Hit:
    """One note that holds the words; `pieces` are (is it the word, text)."""

    note: AnyNote
    pieces: list[tuple[bool, str]]


@dataclass(slots=True)
class Found:
    """What a search found and where it broke off; `cut` is None when nothing older is left."""

    hits: list[Hit] = field(default_factory=list)
    looked: int = 0
    cut: Cut | None = None


def search(
    context: AccessContext, actor: Actor, asked: str, at: datetime, *, patient_id: UUID | None = None,
    after: Cut | None = None,
) -> Found:  # fmt: skip
    """Return the notes that hold every word: of one's own caseload, or of one open chart.

    It goes on behind `after`, where another one broke off. Others' drafts, others' process notes and what
    labels shut are not looked at. Everybody whose note was opened stands in the access row, not only who was
    found.
    """
    words = wanted(asked)
    found = Found()
    if not words:
        return found
    rows = queries.searchable(actor, at, patient_id, after, BOUND + 1)
    if len(rows) > BOUND:
        rows = rows[:BOUND]
        found.cut = _cut(rows[-1])
    added = _open(context, rows)
    found.looked = len(rows)
    for row in rows:
        text = "\n".join([*(getattr(row, name) or "" for name in names_of(row.note_type)), *added[row.pk]])
        pieces = excerpt(text, words)
        if pieces is not None:
            found.hits.append(Hit(row, pieces))
        if len(found.hits) == MOST_HITS:
            found.cut = _cut(row)
            break
    people = list({hit.note.patient_id: hit.note.patient for hit in found.hits}.values())
    context.open(people, NAMES)
    context.saw("note_search", subjects=sorted({row.patient_id for row in rows}), object_type="clinical.Note")
    return found


def _cut(row: AnyNote) -> Cut:
    return Cut(row.occurred_at, row.pk)


def _open(context: AccessContext, rows: list[AnyNote]) -> dict[UUID, list[str]]:
    """Open the texts of these notes and of their signed addenda; return the latter by note."""
    added: dict[UUID, list[str]] = {row.pk: [] for row in rows}
    for table in TABLES:
        own = [row for row in rows if isinstance(row, table)]
        context.open(own, [one.name for one in table._meta.concrete_fields if one.name in SEARCHED])
        addenda = signed_addenda(table, own)
        context.open(addenda, ["text"])
        for one in addenda:
            added[one.note_id].append(one.text)
    return added


SEARCHED = frozenset({"free_text", "subjective", "objective", "assessment", "risk_statement", "plan"})
