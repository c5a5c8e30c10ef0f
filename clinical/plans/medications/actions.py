"""Writes of what a person takes; recorded only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from clinical.notes.wording import LABELS
from clinical.plans.allergies.matching import shares_name
from clinical.plans.allergies.models import Allergy
from clinical.plans.allergies.queries import allergies_of
from clinical.plans.labels import Shut, shut_to
from clinical.plans.medications import queries
from clinical.plans.medications.means import is_dangerous
from clinical.plans.medications.models import Medication, MedicationStatus
from clinical.plans.queries import own_id, treated_to_write, written_once
from clinical.plans.seen import refuse_changed
from cortex.access.context import AccessContext, opening
from cortex.access.unreadable import readable
from cortex.accounts.models import Role
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.horizon import refuse_far
from cortex.records import version_of
from patients.registry.models import Patient
from patients.registry.queries import local_day, rows_of

PLAIN = (
    "code_system", "code", "unit", "route", "prn", "start", "stop", "status", "adherence", "source",
)  # fmt: skip
STILL = "This day has come. Say that it is stopped, or leave the day empty while it is taken."
IN_ERROR = "This was entered in error. Undo that before you change it."
PRESCRIBING = frozenset({Role.PSYCHIATRIST})
WORDS = ("name", "dose", "frequency", "prescriber", "indication", "side_effects")


@action
def save_medication(
    *, actor: Actor, patient_id: UUID, fields: Mapping[str, Any], medication_id: UUID | None = None,
    told: Collection[UUID] = (), seen: str | None = None, once: UUID | None = None,
    at: datetime | None = None,
) -> Medication:  # fmt: skip
    """Record a medication, or change one; `fields` are those of the model.

    What is dangerous in overdose is flagged by the list of classes, and by whoever ticks it: the list never
    takes a tick away. `labels` among the fields are its sensitivity labels, from whoever recorded it or
    prescribes; left out, they stay as they are.

    RuleBroken, with the ids as `asked`, when its name is that of an allergy that stands: `told` are those of
    which whoever saves has been told. What was on the list under this name before isn't asked about again.
    RuleBroken `changed_meanwhile` when the row isn't the one that the form has `seen`.
    `once` is the new row's id: a button that is pressed twice adds one.
    """
    at = clock(at)
    patient = treated_to_write(actor, patient_id, at)
    shut = shut_to(actor, patient, at)
    given = dict(fields)
    if bool(given.get("code")) != bool(given.get("code_system")):
        raise InputRefused("A code needs its system, and a system its code.", "half_a_code", field="code")
    start, stop = given.get("start"), given.get("stop")
    refuse_far(at, start=start, stop=stop)
    if start and stop and stop < start:
        raise InputRefused("It stops after it starts.", "stops_before_start", field="stop")
    if medication_id is None:
        done, once = written_once(Medication, once, patient, lambda row: not row.is_in_error)
        if done:
            return Unchanged(done)  # type: ignore[return-value]
        row = Medication(
            **own_id(once), organization_id=patient.organization_id, patient=patient, recorded_by=actor.user
        )
    else:
        row = queries.locked_medication(patient, medication_id, shut)
        if row.is_in_error:
            raise RuleBroken(IN_ERROR, "in_error")
    codes = _label(actor, row, given.pop("labels", None), shut)
    today = local_day(patient, at)
    if stop and given.get("status") == MedicationStatus.ACTIVE and stop <= today:
        raise InputRefused(STILL, "stopped_already", field="stop")
    with opening(actor, purpose="treatment") as context:
        context.load_keys([patient.pk], create=True)
        context.open([row])
        wanted = _wanted(given)
        changed = [name for name, value in wanted.items() if getattr(row, name) != value]
        if medication_id is not None:
            if not changed and not codes:
                return Unchanged(row)  # type: ignore[return-value]
            refuse_changed(version_of(row), seen)
        asks = medication_id is None or row.is_over(today) or "name" in changed
        for name in changed:
            setattr(row, name, wanted[name])
        against = _allergies(context, patient, given["name"], told) if asks and not row.is_over(today) else []
        row.save()
    verb = "medication.added" if medication_id is None else "medication.changed"
    codes |= {"allergies": [str(one.pk) for one in against]} if against else {}
    record(actor, verb, row, codes=codes | {"status": row.status, "means": row.lethal_quantity})
    return row


@action
def mark_error(
    *, actor: Actor, patient_id: UUID, medication_id: UUID, at: datetime | None = None
) -> Medication:
    """Mark a medication as entered in error: nobody takes it for taken, and it stays on record."""
    row = _locked(actor, patient_id, medication_id, clock(at))
    if row.is_in_error:
        return Unchanged(row)  # type: ignore[return-value]
    row.save(update_fields=row.mark_error(MedicationStatus.STOPPED))
    record(actor, "medication.entered_in_error", row, codes={"before": row.status_before})
    return row


@action
def undo_error(
    *, actor: Actor, patient_id: UUID, medication_id: UUID, at: datetime | None = None
) -> Medication:
    """Take the mark of an error away: it stands as it stood."""
    row = _locked(actor, patient_id, medication_id, clock(at))
    if not row.is_in_error:
        return Unchanged(row)  # type: ignore[return-value]
    row.save(update_fields=row.undo_error())
    record(actor, "medication.error_undone", row, codes={"status": row.status})
    return row


def _locked(actor: Actor, patient_id: UUID, medication_id: UUID, at: datetime) -> Medication:
    patient = treated_to_write(actor, patient_id, at)
    return queries.locked_medication(patient, medication_id, shut_to(actor, patient, at))


def _wanted(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of a medication as it is kept."""
    listed = is_dangerous(given["name"], given["code_system"], given["code"])
    return (
        {name: given[name] for name in PLAIN}
        | {name: given[name] or None for name in WORDS}
        | {"lethal_quantity": bool(given.get("lethal_quantity")) or listed}
    )


def _allergies(context: AccessContext, patient: Patient, name: str, told: Collection[UUID]) -> list[Allergy]:
    """Return the allergies that stand and share their name with a medication.

    Raise RuleBroken, with their ids as `asked`, when whoever saves has not been told of all of them.
    """
    standing = [one for one in allergies_of(rows_of(patient)) if one.stands]
    context.open(standing, ("substance",))
    found = [one for one in standing if shares_name(readable(one, "substance"), name)]
    if asked := [one.pk for one in found if one.pk not in told]:
        raise RuleBroken("This has the name of an active allergy.", "allergy_matches", asked=asked)
    return found


def _label(actor: Actor, row: Medication, labels: Collection[str] | None, shut: Shut) -> dict[str, Any]:
    """Set the labels of a medication that is saved afterwards; return what changed, for the trail."""
    before = sorted(row.sensitivity_labels)
    # The form offers no label of psychotherapy notes: one that came by an import stays.
    kept = {"PSYTHPN"} & set(before)
    wanted = before if labels is None else sorted((set(labels) | kept) - {"N"})
    if wanted == before:
        return {}
    if set(wanted) - LABELS.keys() or ("PSYTHPN" in wanted and "PSYTHPN" not in before):
        raise InputRefused("Choose labels from the list.", "label_unknown", field="labels")
    user_id = actor.person.pk if actor.kind == "user" else None
    prescribes = actor.kind != "user" or actor.role in PRESCRIBING
    if not row.is_labelled_by(user_id, prescribes=prescribes):
        raise RuleBroken("Who recorded a medication, or prescribes, sets its labels.", "not_yours")
    row.sensitivity_labels = wanted
    if not shut.opens(row):
        raise InputRefused("With this label you would not see it yourself.", "shuts_out", field="labels")
    return {"labels_before": before, "labels_after": wanted}
