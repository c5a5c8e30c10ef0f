"""Writing, trying again and setting aside of dead letters."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import F

from cortex.accounts.appointments import refuse_unless_operator
from cortex.audit import HOUSE, Actor, InputRefused, NotFound, RuleBroken, action, quiet, record, system
from cortex.audit.scope import set_scope
from cortex.clock import clock
from cortex.ops.letters import queries
from cortex.ops.letters.models import AsideReason, DeadLetter, LetterKind, LetterState
from cortex.ops.letters.retries import retry_of


@action
def bury_slot(
    *, actor: Actor, job: str, slot: datetime, error_code: str, at: datetime | None = None
) -> DeadLetter:
    """Give up a slot of a job; while its letter is open, later ones are counted on it."""
    return _bury(actor, LetterKind.TASK, job, None, None, error_code, slot, clock(at))


@action
def bury_row(
    *,
    actor: Actor,
    name: str,
    row_id: UUID,
    error_code: str,
    organization_id: UUID | None = None,
    at: datetime | None = None,
) -> DeadLetter:
    """List a row that can't be opened, by model and field; the same one is counted, not doubled."""
    return _bury(actor, LetterKind.ROW, name, row_id, organization_id, error_code, None, clock(at))


@action
def retry_letter(*, actor: Actor, deadletter_id: UUID, at: datetime | None = None) -> DeadLetter:
    """Try again what was given up: a job's slot is due at once, a row is handed back to whoever reads it."""
    letter = _open_letter(actor, deadletter_id)
    retry = retry_of(letter.kind, letter.name)
    if retry is None:
        raise RuleBroken("Nobody reads this row by itself: look at it, then set it aside.", "no_retry")
    now = clock(at)
    if letter.organization_id is not None and letter.organization_id not in actor.reach:
        # An operator hands back a row of any house: that house's rows, and no others, for this action.
        set_scope(system("letters", letter.organization_id))
    _close(actor, letter, LetterState.RETRIED, "", now)
    retry(actor, letter, now)
    _note(actor, "letter.retried", letter)
    return letter


@action
def set_letter_aside(
    *, actor: Actor, deadletter_id: UUID, reason: str = "", at: datetime | None = None
) -> DeadLetter:
    """Close a letter without trying again, for one of the written reasons."""
    letter = _open_letter(actor, deadletter_id)
    if reason not in AsideReason.values:
        raise InputRefused("Say why it is set aside.", "reason_missing", field="reason")
    _close(actor, letter, LetterState.SET_ASIDE, reason, clock(at))
    _note(actor, "letter.set_aside", letter)
    return letter


@quiet("letters that a person closed long ago; what was decided stands in the trail")
def drop_closed(*, actor: Actor, before: datetime) -> int:
    """Delete closed letters that were decided before a time; return how many."""
    closed = DeadLetter.objects.exclude(state=LetterState.OPEN).filter(decided_at__lt=before)
    return closed.delete()[0]


def _bury(
    actor: Actor,
    kind: LetterKind,
    name: str,
    row_id: UUID | None,
    organization_id: UUID | None,
    error_code: str,
    slot: datetime | None,
    now: datetime,
) -> DeadLetter:
    key = {"kind": kind, "name": name, "row_id": row_id}
    fresh = DeadLetter(
        **key, organization_id=organization_id, slot=slot, error_code=error_code[:64], last_at=now
    )
    # Two that give up the same thing at once make one letter.
    DeadLetter.objects.bulk_create([fresh], ignore_conflicts=True)
    letter = DeadLetter.objects.open().select_for_update().get(**key)
    if letter.pk != fresh.pk:
        known = DeadLetter.objects.filter(pk=letter.pk)
        known.update(times=F("times") + 1, last_at=now, error_code=error_code[:64], slot=slot, updated_at=now)
        letter.refresh_from_db()
    _note(actor, "letter.buried", letter, outcome="data_loss")
    return letter


def _open_letter(actor: Actor, letter_id: UUID) -> DeadLetter:
    refuse_unless_operator(actor)
    letter = queries.locked_letter(letter_id)
    if letter is None:
        raise NotFound("There is no such letter.", "no_letter")
    if letter.state != LetterState.OPEN:
        raise RuleBroken("Somebody has already decided about this letter.", "letter_closed")
    return letter


def _close(actor: Actor, letter: DeadLetter, state: LetterState, reason: str, now: datetime) -> None:
    letter.state, letter.reason, letter.decided_at = state, reason, now
    letter.decided_by_id = actor.id if actor.kind == "user" else None
    letter.save(update_fields=["state", "reason", "decided_at", "decided_by", "updated_at"])


def _note(actor: Actor, verb: str, letter: DeadLetter, outcome: str = "done") -> None:
    codes = {"kind": letter.kind, "name": letter.name, "error": letter.error_code, "times": letter.times}
    codes |= {"row": str(letter.row_id)} if letter.row_id else {}
    codes |= {"slot": letter.slot.isoformat()} if letter.slot else {}
    codes |= {"reason": letter.reason} if letter.reason else {}
    purpose = "" if letter.organization_id else HOUSE
    record(actor, verb, letter, codes=codes, outcome=outcome, purpose=purpose)
