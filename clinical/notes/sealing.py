"""Seals what is written without opening what was there, and the keyed digest of what is signed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from clinical.notes.differences import kept_facts
from clinical.notes.linked import linked_ids
from clinical.notes.models import Addendum, Note
from clinical.notes.queries import AnyAddendum, AnyDraft, AnyNote
from clinical.notes.wording import names_of
from cortex.crypto.digest import keyed_digest
from cortex.crypto.errors import SealedError
from cortex.crypto.keys import DataKey
from cortex.keys.queries import data_keys, pick

VERSION_BYTES = 2


def put(row: AnyDraft, key: DataKey, sections: Mapping[str, str]) -> None:
    """Seal the sections of a note or an addendum onto its row; an empty one empties its column."""
    for name in names_of(row.note_type):
        text = sections.get(name, "")
        field: Any = type(row)._meta.get_field(name)
        setattr(row, name, field.seal(text, pk=row.pk, subject=row.patient_id, key=key) if text else None)


def facts_of(row: AnyDraft, **said: Any) -> dict[str, str]:
    """Return what a version keeps beside a note's texts, in place of which a page may have `said` others."""
    if isinstance(row, Addendum):
        return {}
    days = row.follow_up_on if isinstance(row, Note) else None
    stands = {"occurred_at": row.occurred_at, "follow_up_on": days, "diagnoses": linked_ids(row)}
    return kept_facts(**stands | said, labels=row.sensitivity_labels)


def _digest(key: DataKey, parts: Mapping[str, Any]) -> bytes:
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return key.version.to_bytes(VERSION_BYTES, "big") + keyed_digest(key, text)


def _when(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else ""


def note_digest(
    key: DataKey, row: AnyNote, sections: Mapping[str, str], diagnoses: Sequence[str] = ()
) -> bytes:
    """Return the digest of a note as it is signed: who, of whom, when, every word, and what it is about.

    A note without diagnoses has the digest that it had before notes could have any.
    """
    parts: dict[str, Any] = {
        "note": str(row.pk), "patient": str(row.patient_id), "author": str(row.author_id),
        "type": row.note_type, "occurred": _when(row.occurred_at), "signed": _when(row.signed_at),
        "sections": dict(sections),
    }  # fmt: skip
    if isinstance(row, Note):
        parts |= {"follow_up": str(row.follow_up_on or ""), "level": row.level_at_signing}
    if diagnoses:
        parts["diagnoses"] = list(diagnoses)
    return _digest(key, parts)


def addendum_digest(key: DataKey, row: AnyAddendum, text: str) -> bytes:
    """Return the digest of an addendum as it is signed."""
    names = {"addendum": str(row.pk), "note": str(row.note_id), "author": str(row.author_id)}
    return _digest(key, names | {"signed": _when(row.signed_at), "text": text})


def text_digest(key: DataKey, sections: Mapping[str, str]) -> bytes:
    """Return the digest of a text that is kept beside a note, to tell the same one again."""
    return _digest(key, {"sections": dict(sections)})


def is_intact(row: AnyNote, sections: Mapping[str, str], diagnoses: Sequence[str] = ()) -> bool | None:
    """Whether a signed note still holds what was signed; None when the key of that time is gone."""
    return _fits(row, lambda key: note_digest(key, row, sections, diagnoses))


def is_addendum_intact(row: AnyAddendum, text: str) -> bool | None:
    """Whether a signed addendum still holds what was signed; None when the key of that time is gone."""
    return _fits(row, lambda key: addendum_digest(key, row, text))


def _fits(row: AnyDraft, digest: Callable[[DataKey], bytes]) -> bool | None:
    known = bytes(row.content_hash or b"")
    version = int.from_bytes(known[:VERSION_BYTES], "big")
    try:
        versions = {key.version: key for key in data_keys([row.patient_id]).get(row.patient_id, [])}
        found = digest(pick(versions, row.patient_id, version))
    except SealedError:
        return None
    return hmac.compare_digest(found, known)
