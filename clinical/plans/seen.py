"""What a form has seen of a row, and the number that lets a button which is pressed twice write once."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from uuid import UUID

from django.core.signing import BadSignature, Signer

from cortex.audit import RuleBroken
from cortex.ids import uuid7

CHANGED = (
    "Somebody changed this meanwhile, and nothing of yours is saved yet. What you typed stands below, beside "
    "what stands there now. Save again to put yours in its place."
)


def refuse_changed(now: str, seen: str | None) -> None:
    """Refuse (409) what was written in view of another version than stands now; None: nothing was shown."""
    if seen is not None and seen != now:
        raise RuleBroken(CHANGED, "changed_meanwhile")


def once_for(patient_id: UUID) -> str:
    """Return a new number for one showing of a form about a person; nobody else can make one."""
    return _signer(patient_id).sign(str(uuid7()))


def once_of(patient_id: UUID, told: str, said: Iterable[tuple[str, str]] = ()) -> UUID | None:
    """Return the id of the row that a form writes, by its number and what is typed; None without one.

    Pressed twice, a button says the same under the same number: that is one row. Who goes back to the form
    and types something else writes another. The digest is keyed with the number, which nobody keeps.
    """
    try:
        number = UUID(_signer(patient_id).unsign(told))
    except (BadSignature, ValueError):
        return None
    return _beside(number, json.dumps(sorted(said)).encode())


def next_after(once: UUID) -> UUID:
    """Return the id of the row that follows one which no longer stands: of the same time, always the same."""
    return _beside(once, b"again")


def _beside(number: UUID, words: bytes) -> UUID:
    chance = int.from_bytes(hmac.digest(number.bytes, words, "sha256")[:16], "big")
    # The time, and the places of version and variant, stay those of the number.
    own = 0xFFFF_FFFF_FFFF << 80 | 0xF << 76 | 0x3 << 62
    return UUID(int=number.int & own | chance & ~own & ((1 << 128) - 1))


def _signer(patient_id: UUID) -> Signer:
    return Signer(salt=f"clinical.plans.once.{patient_id}")
