"""Reads of addenda: signed ones go with their note, unsigned and earlier texts are their author's alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from clinical.notes.models import Note, NoteAddendum
from clinical.notes.queries import MOST, AnyAddendum, AnyNote, Reader, absent, locked_signed
from clinical.notes.queries import note as open_note
from cortex.access.context import AccessContext
from cortex.accounts.models import User
from cortex.audit import NotFound


def addenda_of(note: AnyNote, user: User) -> list[AnyAddendum]:
    """Return the signed addenda of a note and one's own unsigned one, oldest first."""
    shown = Q(signed_at__isnull=False) | Q(author=user)
    rows: Any = note.addenda.filter(shown)
    return list(rows.select_related(*_signers(type(note))).order_by("created_at"))


def left_unsigned(who: Reader, note_id: UUID) -> NoteAddendum:
    """Return one's own unsigned words to a note that is shut to them; NotFound where there are none.

    A label or a withdrawn consent may shut a note to whoever has begun to add to it: their own words stay
    theirs, to sign or to put away. The note comes with them, and nothing of it may be shown.
    """
    rows = _own_unsigned(who).filter(note_id=note_id, text__isnull=False)
    found: NoteAddendum | None = rows.select_related("note").first()
    if found is None:
        raise absent()
    return found


def _own_unsigned(who: Reader) -> Any:
    return NoteAddendum.objects.filter(patient_id__in=who.ids, author=who.user, signed_at__isnull=True)


def locked_to_add(who: Reader, note_id: UUID) -> AnyNote:
    """Lock and return a signed note to add to: one that is open, or one with one's own unsigned words."""
    try:
        return locked_signed(who, note_id)
    except NotFound:
        rows = Note.objects.select_for_update(of=("self",)).filter(pk=note_id, patient_id__in=who.ids)
        own = Exists(_own_unsigned(who).filter(note_id=OuterRef("pk")))
        found = rows.filter(own, signed_at__isnull=False).first()
        if found is None:
            raise
        return found


def is_open(who: Reader, note_id: UUID) -> bool:
    """Whether a note has a page for somebody: its own, or that of their unsigned words alone."""
    for find in (open_note, left_unsigned):
        try:
            find(who, note_id)
        except NotFound:
            continue
        return True
    return False


def _signers(table: type[AnyNote]) -> tuple[str, ...]:
    """Return who signs addenda to the notes of one table; nobody signs those to process notes too."""
    return ("author", "cosigned_by") if table is Note else ("author",)


def locked_one(note: AnyNote, addendum_id: UUID) -> AnyAddendum:
    """Lock and return a signed addendum to a note that the caller has locked; NotFound for every other."""
    rows: Any = note.addenda.select_for_update(of=("self",))
    found: AnyAddendum | None = rows.filter(pk=addendum_id, signed_at__isnull=False).first()
    if found is None:
        raise absent()
    return found


def newest_own(note: AnyNote, user: User) -> AnyAddendum | None:
    """Lock and return somebody's unsigned addendum to a note, else the one that they signed last, or None."""
    rows: Any = note.addenda.select_for_update(of=("self",)).filter(author=user)
    found: AnyAddendum | None = rows.order_by(F("signed_at").desc(nulls_first=True)).first()
    return found


def signed_addenda(table: type[AnyNote], notes: list[AnyNote]) -> list[Any]:
    """Return the signed addenda of these notes of one table, in one query."""
    kind: Any = table.addenda.rel.related_model  # type: ignore[union-attr]
    rows = kind.objects.filter(note__in=[row.pk for row in notes], signed_at__isnull=False)
    return list(rows.select_related(*_signers(table)))


def versions_of_own(note: AnyNote, user: User) -> list[Any]:
    """Return the texts that are kept beside somebody's own addenda to a note, newest first."""
    rows: Any = note.versions.filter(addendum__author=user)
    return list(rows.select_related("saved_by").order_by("-saved_at", "-pk")[:MOST])


def opened_own(context: AccessContext, note: AnyNote, user: User) -> dict[UUID | None, dict[str, str]]:
    """Open one's own addenda to a note for a look; return their sections by id."""
    rows = list(note.addenda.filter(author=user))
    context.open(rows, ["text"])
    return {row.pk: {"text": row.text or ""} for row in rows}
