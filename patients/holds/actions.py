"""Writes of legal holds: compliance issues one, and somebody else of compliance releases it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from cortex.access.context import opening
from cortex.accounts.choices import Role
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from patients.codes import HeldRecords, PatientStatus
from patients.holds import queries
from patients.holds.models import LegalHold
from patients.registry.queries import lock_person, patient

MOST_WORDS, MOST_MATTER, SHORTEST_WORDS = 2000, 80, 10
SEALED = ("reason", "release_reason")
PURPOSE = "legal_hold"


@action
def issue_hold(
    *,
    actor: Actor,
    patient_id: UUID,
    matter: str,
    reason: str,
    covers_from: date | None = None,
    covers_until: date | None = None,
    record_kinds: Collection[str] = (),
    at: datetime | None = None,
) -> LegalHold:
    """Hold a person's records for a matter: those of these kinds (`HeldRecords`; none: all) and days.

    The person on record is held with every row that is linked to them. The same form again answers with the
    hold that it made. Raises NotFound for a role that may not and for a stranger, InputRefused with the
    field, RuleBroken `already_held` when another hold runs for the matter.
    """
    _refuse_others(actor)
    found = patient(patient_id)
    if found is None or found.organization_id not in actor.org_ids or found.status == PatientStatus.DELETED:
        raise NotFound("There is no such person on record.", "patient_unknown")
    person_id = lock_person(patient_id)
    at = clock(at)
    hold = LegalHold(
        organization_id=found.organization_id, patient_id=person_id, matter=_matter(matter),
        covers_from=covers_from, covers_until=covers_until, record_kinds=_kinds(record_kinds),
        issued_by=actor.user, issued_at=at,
    )  # fmt: skip
    words = _words(reason, "reason", "Say in a sentence why these records must be kept.")
    if covers_from and covers_until and covers_until < covers_from:
        raise InputRefused("The last day comes before the first.", "range_order", field="covers_until")
    with opening(actor, purpose=PURPOSE) as context:
        context.load_keys([person_id], create=True)
        standing = queries.running_for(person_id, hold.matter)
        if standing is not None:
            return Unchanged(_the_same(standing, hold))  # type: ignore[return-value]
        hold.reason = words
        hold.save(force_insert=True)
    codes = {
        "matter": hold.matter, "kinds": hold.record_kinds,
        "from": covers_from.isoformat() if covers_from else "",
        "until": covers_until.isoformat() if covers_until else "",
    }  # fmt: skip
    record(actor, "hold.issued", hold, fields=["reason"], codes=codes)
    return hold


def _the_same(standing: LegalHold, asked: LegalHold) -> LegalHold:
    """Return the hold that stands when it is what was asked for, by the same person; else refuse."""
    told = ("issued_by_id", "covers_from", "covers_until", "record_kinds")
    if all(getattr(standing, name) == getattr(asked, name) for name in told):
        return standing
    raise RuleBroken(
        "A hold for this matter keeps this person's records already. Give the new one another reference.",
        "already_held",
    )


@action
def release_hold(*, actor: Actor, hold_id: UUID, reason: str, at: datetime | None = None) -> LegalHold:
    """Release a hold that somebody else issued; what it kept follows its usual rules from then on.

    Who released it hears so again. Raises NotFound, RuleBroken `own_hold` for who issued it and
    `already_released`, InputRefused with the field.
    """
    _refuse_others(actor)
    hold = queries.locked(hold_id, actor.organization_id)
    if hold is None:
        raise NotFound
    if not hold.is_running:
        if hold.released_by_id == actor.id:
            return Unchanged(hold)  # type: ignore[return-value]
        raise RuleBroken("Somebody has released this hold already.", "already_released")
    if hold.issued_by_id == actor.id:
        raise RuleBroken("You issued this hold: somebody else of compliance releases it.", "own_hold")
    words = _words(reason, "reason", "Say in a sentence why it may be released.")
    hold.released_at, hold.released_by = clock(at), actor.user
    with opening(actor, purpose=PURPOSE) as context:
        context.load_keys([hold.patient_id])
        hold.release_reason = words
        hold.save(update_fields=["released_at", "released_by", "release_reason", "updated_at"])
    fields = ["released_at", "released_by", "release_reason"]
    record(actor, "hold.released", hold, fields=fields, codes={"matter": hold.matter})
    return hold


def _refuse_others(actor: Actor) -> None:
    if actor.role != Role.COMPLIANCE or actor.user is None:
        raise NotFound


def _matter(typed: str) -> str:
    matter = typed.strip()
    if not matter or not matter.isprintable():
        raise InputRefused("Give the reference of the matter, in signs that can be read.", "required",
                           field="matter")  # fmt: skip
    if len(matter) > MOST_MATTER:
        raise InputRefused(f"At most {MOST_MATTER} signs.", "too_long", field="matter")
    return matter


def _kinds(named: Collection[str]) -> list[str]:
    if set(named) - set(HeldRecords.values):
        raise InputRefused("There are no records of this kind.", "kind_unknown", field="record_kinds")
    return [kind for kind in HeldRecords.values if kind in named]


def _words(typed: str, field: str, asked: str) -> str:
    words = typed.replace("\x00", "").strip()
    if len(words) < SHORTEST_WORDS:
        raise InputRefused(asked, "required", field=field)
    if len(words) > MOST_WORDS:
        raise InputRefused(f"At most {MOST_WORDS:,} signs.", "too_long", field=field)
    return words
