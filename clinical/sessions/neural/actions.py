"""Writes of neural audio: the check, the profile, the assignment, and proposals with their decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from clinical.sessions.labels import reach
from clinical.sessions.neural import queries
from clinical.sessions.neural.contraindications import ANSWERS, QUESTIONS, reasons_against
from clinical.sessions.neural.proposals import proposals
from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import lock_with_record, person_ids, rows_of
from patients.registry.queries import locked as lock_patients
from patients.registry.queries import patient as patient_row
from patients.sessions.neural import USUAL_HZ, Band, NeuralProfile, NeuralProfileProposal, ProposalStatus

HZ = tuple(f"{band}_{end}_hz" for band in USUAL_HZ for end in ("min", "max"))
SETTABLE = ("sensitivity_level", "volume_level", "preferred_hz", "optimal_transition_seconds", *HZ)


@action
def check_contraindications(
    *, actor: Actor, patient_id: UUID, answers: Mapping[str, str], at: datetime | None = None
) -> NeuralProfile:
    """Keep what the person was asked, sealed; an assignment that it forbids ends at once."""
    known = {value for value, _ in ANSWERS}
    if set(answers) != QUESTIONS.keys() or not set(answers.values()) <= known:
        raise InputRefused("Answer each question.", "answers_incomplete")
    profile, who, at = _locked(actor, patient_id, at)
    against = reasons_against(answers, queries.factors_of(who, at))
    with opening(actor, purpose="treatment") as context:
        context.load_keys([profile.patient_id], create=True)
        profile.contraindications = dict(answers)
        profile.checked_at, profile.checked_by = at, actor.person
        ends = bool(against and profile.assigned_band)
        if ends:
            profile.assigned_band, profile.assigned_at, profile.assigned_by = "", None, None
        profile.save()
    codes = {"forbidden": bool(against), "assignment_ended": ends}
    record(actor, "neural.checked", profile, subject=profile.patient_id, codes=codes)
    return profile


@action
def assign_band(*, actor: Actor, patient_id: UUID, band: str, at: datetime | None = None) -> NeuralProfile:
    """Assign neural audio at one band; RuleBroken names what forbids it (domain 6.1)."""
    if band not in Band.values:
        raise InputRefused("Choose a band.", "band_unknown", field="band")
    profile, who, at = _locked(actor, patient_id, at)
    if profile.checked_at is None:
        raise RuleBroken("Ask what forbids it first.", "not_checked")
    with opening(actor, purpose="treatment") as context:
        context.open([profile], ["contraindications"])
        against = reasons_against(profile.contraindications, queries.factors_of(who, at))
    if against:
        raise RuleBroken(f"Neural audio can't be assigned. {' '.join(against)}", "contraindicated")
    if band in profile.paused_bands:
        raise RuleBroken(f"{Band(band).label} is paused for this person. Choose another.", "band_paused")
    if profile.assigned_band == band:
        return Unchanged(profile)  # type: ignore[return-value]
    profile.assigned_band, profile.assigned_at, profile.assigned_by = band, at, actor.person
    profile.save(update_fields=["assigned_band", "assigned_at", "assigned_by", "updated_at"])
    record(actor, "neural.assigned", profile, subject=profile.patient_id, codes={"band": band})
    return profile


@action
def end_assignment(*, actor: Actor, patient_id: UUID, at: datetime | None = None) -> NeuralProfile:
    """End the assignment."""
    profile, _, at = _locked(actor, patient_id, at)
    if not profile.assigned_band:
        return Unchanged(profile)  # type: ignore[return-value]
    record(actor, "neural.unassigned", profile, subject=profile.patient_id)
    profile.assigned_band, profile.assigned_at, profile.assigned_by = "", None, None
    profile.save(update_fields=["assigned_band", "assigned_at", "assigned_by", "updated_at"])
    return profile


@action
def set_profile(
    *, actor: Actor, patient_id: UUID, values: Mapping[str, Any], at: datetime | None = None
) -> NeuralProfile:
    """Set levels and bounds by hand; bounds outside of the usual are taken, and the page warns."""
    profile, _, at = _locked(actor, patient_id, at)
    named = [name for name in SETTABLE if name in values]
    for band in USUAL_HZ:
        low, high = values.get(f"{band}_min_hz"), values.get(f"{band}_max_hz")
        if (low is None) != (high is None):
            raise InputRefused("Give both bounds or none.", "bounds_incomplete", field=f"{band}_min_hz")
        if low is not None and high is not None and low >= high:
            raise InputRefused("The lower bound comes first.", "bounds_order", field=f"{band}_min_hz")
    changed = [name for name in named if getattr(profile, name) != values[name]]
    if not changed and not profile._state.adding:
        return Unchanged(profile)  # type: ignore[return-value]
    for name in changed:
        setattr(profile, name, values[name])
    profile.save()
    record(actor, "neural.profile_set", profile, subject=profile.patient_id, fields=changed)
    return profile


@action
def propose_changes(*, actor: Actor, patient_id: UUID, at: datetime | None = None) -> int:
    """Write what the rules propose for one person; return how many are new.

    What is new may be feedback, side effects, or how a session with either of them was set.

    Nothing is applied, and nothing is asked again on sessions that a proposal stood on already.
    """
    person_id = person_ids([patient_id]).get(patient_id)
    who = patient_row(person_id) if person_id is not None else None
    if who is None:
        return Unchanged(0)  # type: ignore[return-value]
    lock_patients([who.pk])
    at = clock(at)
    ids = rows_of(who)
    profile = queries.profile_of(ids)
    with opening(actor, purpose="neural_proposals") as context:
        heard = queries.heard_of(context, ids, profile, at)
    told = queries.told_before(ids)
    news = [
        one
        for one in proposals(queries.standing_of(profile), heard)
        if (one.field, one.band) not in told or one.newest_at > told[one.field, one.band]
    ]
    made = _write(who, news)
    if not made:
        return Unchanged(0)  # type: ignore[return-value]
    codes = {"proposals": [f"{one.field}:{one.band}:{one.reason_code}" for one in made]}
    record(actor, "neural.proposed", profile, subject=who.pk, codes=codes)
    return len(made)


def _write(who: Patient, news: list[Any]) -> list[NeuralProfileProposal]:
    """Write new proposals; one that waits already on the same field and band stays as it is."""
    waiting = queries.waiting_fields(rows_of(who))
    rows = [
        NeuralProfileProposal(
            organization_id=who.organization_id, patient=who, field=one.field, band=one.band,
            from_value=one.from_value, to_value=one.to_value, reason_code=one.reason,
            evidence_n=one.evidence_n, newest_at=one.newest_at,
        )
        for one in news
        if (one.field, one.band) not in waiting
    ]  # fmt: skip
    return NeuralProfileProposal.objects.bulk_create(rows)


@action
def decide_proposal(
    *, actor: Actor, patient_id: UUID, proposal_id: UUID, accept: bool, at: datetime | None = None
) -> NeuralProfileProposal:
    """Accept a proposal, which changes the profile, or refuse it; NotFound for one that a label shuts."""
    profile, who, at = _locked(actor, patient_id, at)
    row = queries.locked_proposal(rows_of(who), reach(actor, who, at), proposal_id)
    if row.status != ProposalStatus.OPEN:
        raise RuleBroken("This was decided already.", "decided")
    if accept:
        _apply(profile, row)
    row.status = ProposalStatus.ACCEPTED if accept else ProposalStatus.REFUSED
    row.decided_by, row.decided_at = actor.person, at
    row.save(update_fields=["status", "decided_by", "decided_at", "updated_at"])
    codes = {"field": row.field, "band": row.band, "status": str(row.status)}
    record(actor, "neural.decided", row, subject=row.patient_id, codes=codes)
    return row


def _apply(profile: NeuralProfile, row: NeuralProfileProposal) -> None:
    if row.field == "paused_bands":
        profile.paused_bands = sorted({*profile.paused_bands, row.band})
        if profile.assigned_band == row.band:
            profile.assigned_band, profile.assigned_at, profile.assigned_by = "", None, None
    elif row.to_value is None or getattr(profile, row.field) != row.from_value:
        raise RuleBroken(
            "The profile has changed since. Refuse this one; what still holds comes again.", "stale"
        )
    else:
        kind = float if row.field == "preferred_hz" else int
        setattr(profile, row.field, kind(row.to_value))
    profile.save()


def _locked(actor: Actor, patient_id: UUID, at: datetime | None) -> tuple[NeuralProfile, Patient, datetime]:
    """Lock the person and their profile, and ask whether the actor may write here."""
    lock_with_record(patient_id)
    at = clock(at)
    who = access.treated(actor, patient_id, at)
    return queries.locked_profile(who, rows_of(who)), who, at
