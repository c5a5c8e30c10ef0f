"""Writes of allergies; nothing is deleted, what was wrong is marked as entered in error."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from clinical.plans.allergies import queries
from clinical.plans.allergies.matching import shares_name
from clinical.plans.allergies.models import (
    Allergy,
    AllergySource,
    ClinicalStatus,
    Verification,
)
from clinical.plans.allergies.showing import name_of
from clinical.plans.labels import shut_to
from clinical.plans.medications.models import Medication
from clinical.plans.medications.queries import medications_of
from clinical.plans.queries import treated_to_write
from clinical.plans.seen import refuse_changed
from cortex.access.context import AccessContext, opening
from cortex.access.unreadable import readable
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.horizon import refuse_far
from cortex.records import version_of
from cortex.signs import holds_unseen
from patients.registry.models import Patient
from patients.registry.queries import local_day

PLAIN = ("kind", "category", "criticality", "clinical_status", "verification", "since", "source")
WORDS = ("substance", "reaction")
MOST = 160
UNSEEN = "This name holds signs that nobody sees or that turn its direction. Type it anew."


@action
def save_allergy(
    *, actor: Actor, patient_id: UUID, fields: Mapping[str, Any], allergy_id: UUID | None = None,
    told: Collection[UUID] = (), seen: str | None = None, at: datetime | None = None,
) -> Allergy:  # fmt: skip
    """Record an allergy, or change one; `fields` are those of the model.

    One that holds ends the statement that none is known. A substance stands once: InputRefused for another
    entry of it that isn't marked as an error. RuleBroken, with the ids as `asked`, when one that begins to
    stand has the name of a medication that is taken: `told` are those of which whoever saves has been told.
    RuleBroken `changed_meanwhile` when the row isn't the one that the form has `seen`.
    """
    at = clock(at)
    patient = treated_to_write(actor, patient_id, at)
    given = dict(fields) | {"substance": _named(fields["substance"])}
    given["reaction"] = (given.get("reaction") or "").strip() or None
    if given["verification"] == Verification.ENTERED_IN_ERROR:
        raise InputRefused("An error is marked by its own button.", "not_here", field="verification")
    refuse_far(at, since=given.get("since"))
    if given.get("since") and given["since"] > local_day(patient, at):
        raise InputRefused("This day is still to come.", "in_the_future", field="since")
    rows = queries.locked_allergies(patient)
    if allergy_id is None:
        row = Allergy(organization_id=patient.organization_id, patient=patient, recorded_by=actor.user)
    else:
        row = queries.one_of(rows, allergy_id)
        if row.is_in_error:
            raise RuleBroken("This was entered in error. Undo that before you change it.", "in_error")
    with opening(actor, purpose="treatment") as context:
        context.load_keys([patient.pk], create=True)
        context.open([one for one in rows if not one.is_in_error and not one.none_known], ("substance",))
        context.open([row], WORDS)
        if _stands_twice(rows, given["substance"], row):
            raise InputRefused(
                "This stands on the list already. Change that entry.", "twice", field="substance"
            )
        changed = [name for name in (*PLAIN, *WORDS) if getattr(row, name) != given.get(name)]
        if allergy_id is not None and not changed:
            return Unchanged(row)  # type: ignore[return-value]
        if allergy_id is not None:
            refuse_changed(version_of(row), seen)
        before = {name: getattr(row, name) for name in ("criticality", "clinical_status", "verification")}
        asks = allergy_id is None or not row.stands or "substance" in changed
        for name in changed:
            setattr(row, name, given.get(name))
        against = _taken(context, actor, patient, row, told, at) if asks and row.stands else []
        ended = _end_none_known(rows) if row.stands else 0
        row.save()
    codes: dict[str, Any] = {name: getattr(row, name) for name in before} | {"ended_none_known": ended}
    codes |= {"medications": [str(one.pk) for one in against]} if against else {}
    if allergy_id is None:
        record(actor, "allergy.added", row, codes=codes | {"kind": row.kind, "category": row.category})
    else:
        record(actor, "allergy.changed", row, fields=changed, codes=codes | {"before": before})
    return row


@action
def say_none_known(*, actor: Actor, patient_id: UUID, at: datetime | None = None) -> Allergy:
    """Record that the person knows of no allergy; RuleBroken while one stands."""
    patient = treated_to_write(actor, patient_id, clock(at))
    rows = queries.locked_allergies(patient)
    _refuse_beside_active(rows)
    said = next((one for one in rows if one.says_none), None)
    if said is not None:
        return Unchanged(said)  # type: ignore[return-value]
    row = Allergy(
        organization_id=patient.organization_id, patient=patient, none_known=True, recorded_by=actor.user,
        verification=Verification.CONFIRMED, source=AllergySource.PERSON,
    )  # fmt: skip
    row.save(force_insert=True)
    record(actor, "allergy.none_known", row)
    return row


@action
def mark_error(*, actor: Actor, patient_id: UUID, allergy_id: UUID, at: datetime | None = None) -> Allergy:
    """Mark a row as entered in error: it leaves the banner and stays on record."""
    row, _ = _locked(actor, patient_id, allergy_id, at)
    if row.is_in_error:
        return Unchanged(row)  # type: ignore[return-value]
    row.verification_before, row.verification = row.verification, Verification.ENTERED_IN_ERROR
    _save(row, "verification", "verification_before")
    record(actor, "allergy.entered_in_error", row, codes={"before": row.verification_before})
    return row


@action
def undo_error(*, actor: Actor, patient_id: UUID, allergy_id: UUID, at: datetime | None = None) -> Allergy:
    """Take the mark of an error away; RuleBroken when the list has moved on and it no longer fits."""
    row, rows = _locked(actor, patient_id, allergy_id, at)
    if not row.is_in_error:
        return Unchanged(row)  # type: ignore[return-value]
    others = [one for one in rows if one.pk != row.pk]
    row.verification, row.verification_before = row.verification_before, ""
    if row.says_none:
        _refuse_beside_active(others)
        if any(one.says_none for one in others):
            raise RuleBroken("It is said already that none is known.", "twice")
    elif not row.none_known:
        _refuse_twice(actor, row, others)
    ended = _end_none_known(others) if row.stands else 0
    _save(row, "verification", "verification_before")
    codes = {"verification": row.verification, "ended_none_known": ended}
    record(actor, "allergy.error_undone", row, codes=codes)
    return row


def _locked(
    actor: Actor, patient_id: UUID, allergy_id: UUID, at: datetime | None
) -> tuple[Allergy, list[Allergy]]:
    """Lock a person and all that is on record; return one row and all of them."""
    patient: Patient = treated_to_write(actor, patient_id, clock(at))
    rows = queries.locked_allergies(patient)
    return queries.one_of(rows, allergy_id, with_none=True), rows


def _named(said: str) -> str:
    """Return a substance as it is kept; InputRefused for none, for a long one and for signs nobody sees."""
    name = said.strip()
    if not name:
        raise InputRefused("Say what it is.", "required", field="substance")
    if len(name) > MOST:
        raise InputRefused(f"At most {MOST} signs.", "too_long", field="substance")
    if holds_unseen(name):
        raise InputRefused(UNSEEN, "unseen", field="substance")
    return name


def _taken(
    context: AccessContext, actor: Actor, patient: Patient, row: Allergy, told: Collection[UUID], at: datetime
) -> list[Medication]:
    """Return what is taken and shares its name with a substance, as far as labels leave it open.

    Raise RuleBroken, with their ids as `asked`, when whoever saves has not been told of all of them.
    """
    today = local_day(patient, at)
    rows = [one for one in medications_of(patient) if not one.is_over(today)]
    taken, _ = shut_to(actor, patient, at).open_of(rows)
    context.open(taken, ("name",))
    found = [one for one in taken if shares_name(readable(one, "name"), row.substance or "")]
    if asked := [one.pk for one in found if one.pk not in told]:
        raise RuleBroken(
            "This has the name of a medication that is taken.", "medication_matches", asked=asked
        )
    return found


def _stands_twice(rows: Iterable[Allergy], name: str, row: Allergy) -> bool:
    """Whether another entry, opened, is of the same substance."""
    others = (one for one in rows if one.pk != row.pk and not one.is_in_error and not one.none_known)
    wanted = _plain(name)
    return any(_plain(name_of(one)) == wanted for one in others)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _refuse_twice(actor: Actor, row: Allergy, others: list[Allergy]) -> None:
    """Refuse an entry whose substance was recorded once more meanwhile."""
    with opening(actor, purpose="treatment") as context:
        named = [one for one in others if not one.is_in_error and not one.none_known]
        context.open([row, *named], ("substance",))
        if _stands_twice(named, name_of(row), row):
            raise RuleBroken("Another entry of this stands on the list.", "twice")


def _refuse_beside_active(rows: Iterable[Allergy]) -> None:
    if any(one.stands for one in rows):
        raise RuleBroken("An active allergy stands on the list.", "active_stands")


def _end_none_known(rows: Iterable[Allergy]) -> int:
    """End the statement that none is known; return how many rows said so."""
    said = [one for one in rows if one.says_none]
    for one in said:
        one.clinical_status = ClinicalStatus.INACTIVE
        _save(one, "clinical_status")
    return len(said)


def _save(row: Allergy, *names: str) -> None:
    row.save(update_fields=[*names, "updated_at"])
