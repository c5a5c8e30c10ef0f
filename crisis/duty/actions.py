"""Writes of shifts: plan, start with a sound test, pause, come back, end, mute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from cortex.access.context import opening
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import User
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock, steady_now
from cortex.horizon import refuse_far
from cortex.live.feed import hint_beside
from crisis.duty import queries
from crisis.duty.models import OVERTIME, DutyRole, DutyShift, DutyStatus

MUTE = timedelta(minutes=5)
LONGEST = timedelta(hours=16)
DEFAULT_LENGTH = timedelta(hours=8)


@action
def plan_shift(
    *,
    actor: Actor,
    user_id: UUID,
    organization_id: UUID,
    role: str,
    planned_start: datetime,
    planned_end: datetime,
    covers: Sequence[UUID] = (),
    agreement: str = "",
    phone: str = "",
) -> DutyShift:
    """Plan a shift for somebody of the desk; covering another organization needs an agreement's reference."""
    if role not in DutyRole.values:
        raise InputRefused("Choose what the person does on this shift.", "required", field="role")
    refuse_far(steady_now(), planned_start=planned_start, planned_end=planned_end)
    if not timedelta(0) < planned_end - planned_start <= LONGEST:
        raise InputRefused(
            "A shift lasts up to 16 hours and ends after it starts.", "bad_length", field="planned_end"
        )
    _refuse_foreign(actor, user_id, organization_id, covers)
    if not queries.may_be(role, queries.role_of(user_id)):
        raise InputRefused(
            "Only a therapist, a psychiatrist or a supervisor is asked as supervisor or clinician on call.",
            "not_their_role",
            field="role",
        )
    covered = list(dict.fromkeys([organization_id, *covers]))
    if len(covered) > 1 and not agreement.strip():
        raise InputRefused(
            "Name the agreement that lets this shift cover others.", "required", field="agreement"
        )
    shift = DutyShift(
        organization_id=organization_id,
        user_id=user_id,
        role=role,
        covers=covered,
        agreement=agreement,
        planned_start=planned_start,
        planned_end=planned_end,
    )
    with opening(actor, purpose="duty") as context:
        if phone.strip():
            context.load_keys([organization_id], create=True)
            shift.phone = phone.strip()
        shift.save(force_insert=True)
    record(actor, "shift.planned", shift, codes=_plan_of(shift) | {"covers": [str(one) for one in covered]})
    return shift


def _plan_of(shift: DutyShift) -> dict[str, str]:
    """Return whose shift it is and when, for the trail: a cancelled one leaves no row."""
    return {
        "role": shift.role,
        "user": str(shift.user_id),
        "from": shift.planned_start.isoformat(),
        "until": shift.planned_end.isoformat(),
    }


def _refuse_foreign(actor: Actor, user_id: UUID, organization_id: UUID, covers: Sequence[UUID]) -> None:
    """Refuse to plan for others' people, or to cover a service that did not agree to it."""
    if actor.is_system:
        return
    if organization_id not in actor.org_ids or not queries.works_for(user_id, organization_id):
        raise RuleBroken("Nobody of your desk has this name.", "not_found", status=404)
    if actor.id == user_id:
        raise RuleBroken("Ask a colleague to plan your own shift, or start one unplanned.", "own_rights")
    if set(covers) - queries.agreeing(organization_id) - {organization_id}:
        raise InputRefused(
            "That service has not agreed to be covered by yours.", "no_agreement", field="covers"
        )


@action
def start_shift(
    *, actor: Actor, shift_id: UUID | None, sound_tested: bool, at: datetime | None = None
) -> DutyShift:
    """Start a planned shift, or an unplanned one for one's own organization; the sound is tested first.

    Only the desk's own roles: a shift opens cards and lets its person hear alerts.
    """
    if actor.person.role not in DESK_ROLES:
        raise NotFound("Shifts are for people who work at the desk.", "not_of_the_desk")
    if not sound_tested:
        raise InputRefused(
            "Play the test tone first: a silent board misses alerts.", "sound_not_tested", field="sound"
        )
    at = clock(at)
    running = _running(actor)
    if running is not None:
        return Unchanged(running)  # type: ignore[return-value]
    shift = _planned(actor, shift_id, at) if shift_id else _unplanned(actor, at)
    # A service that has taken its agreement back since the shift was planned is not covered by it.
    agreed = {shift.organization_id, *queries.agreeing(shift.organization_id)}
    shift.covers = [one for one in shift.covers if one in agreed]
    shift.status, shift.started_at, shift.sound_tested_at = DutyStatus.ACTIVE, at, at
    # Whose role has changed since the plan is at the desk all the same, as what they may be.
    if not queries.may_be(shift.role, actor.person.role):
        shift.role = DutyRole.COUNSELOR
    shift.save()
    record(actor, "shift.started", shift, codes={"role": shift.role, "planned": shift.is_planned})
    hint_beside(shift.covers)
    return shift


def _planned(actor: Actor, shift_id: UUID, at: datetime) -> DutyShift:
    shift = (
        DutyShift.objects.select_for_update()
        .filter(pk=shift_id, user=actor.person, status=DutyStatus.PLANNED)
        .first()
    )
    if shift is None:
        raise RuleBroken("This shift is not planned for you.", "not_found", status=404)
    if not shift.may_start(at):
        raise RuleBroken(
            "A planned shift starts two hours before its time at the earliest, and before it ends.",
            "not_its_time",
        )
    return shift


def _unplanned(actor: Actor, at: datetime) -> DutyShift:
    """A shift that starts now because somebody is needed; the supervisors are told (decision 15)."""
    if actor.organization_id is None:
        raise RuleBroken("You belong to no organization.", "no_organization")
    roles = {"supervisor": DutyRole.SUPERVISOR, "counselor": DutyRole.COUNSELOR}
    if actor.role not in roles and not queries.lets_clinicians_start(actor.organization_id):
        raise RuleBroken(
            "A shift of yours has to be planned first. Ask a supervisor or an administrator.", "not_planned"
        )
    return DutyShift(
        organization_id=actor.organization_id,
        user=actor.person,
        covers=[actor.organization_id],
        role=roles.get(actor.role, DutyRole.ON_CALL),
        planned_start=at,
        planned_end=at + DEFAULT_LENGTH,
        is_planned=False,
    )


@action
def pause_shift(*, actor: Actor, minutes: int, at: datetime | None = None) -> DutyShift:
    """Take a break of 5 to 60 minutes: the desk goes on without this person, claims stay theirs."""
    if not 5 <= minutes <= 60:
        raise InputRefused("A break lasts 5 to 60 minutes.", "out_of_range", field="minutes")
    shift = _needs_running(actor)
    at = clock(at)
    shift.status, shift.paused_at, shift.paused_until = DutyStatus.PAUSED, at, at + timedelta(minutes=minutes)
    shift.break_told_at = None
    shift.save(update_fields=["status", "paused_at", "paused_until", "break_told_at", "updated_at"])
    record(actor, "shift.paused", shift, codes={"minutes": minutes})
    hint_beside(shift.covers)
    return shift


@action
def resume_shift(*, actor: Actor, at: datetime | None = None) -> DutyShift:
    """Come back from a break, or from an end that was a slip (`models.SLIP`)."""
    at = clock(at)
    shift = _running(actor) or _just_ended(actor, at)
    if shift is None:
        raise RuleBroken("You are not on shift.", "not_on_shift")
    if shift.status == DutyStatus.ACTIVE:
        return Unchanged(shift)  # type: ignore[return-value]
    shift.status, shift.ended_at = DutyStatus.ACTIVE, None
    shift.paused_at = shift.paused_until = None
    shift.save(update_fields=["status", "ended_at", "paused_at", "paused_until", "updated_at"])
    record(actor, "shift.resumed", shift)
    hint_beside(shift.covers)
    return shift


@action
def end_shift(*, actor: Actor, at: datetime | None = None) -> DutyShift:
    """End the running shift; what happens to open claims is decided by `crisis.sweep`."""
    shift = _needs_running(actor)
    at = clock(at)
    shift.status, shift.ended_at = DutyStatus.ENDED, at
    shift.paused_at = shift.paused_until = None
    shift.save(update_fields=["status", "ended_at", "paused_at", "paused_until", "updated_at"])
    record(actor, "shift.ended", shift)
    hint_beside(shift.covers)
    return shift


@action
def end_forgotten_shift(*, actor: Actor, shift_id: UUID, at: datetime | None = None) -> DutyShift | None:
    """End a shift that ran hours past its plan: nobody should count on who isn't there."""
    shift = DutyShift.objects.select_for_update().running().filter(pk=shift_id).first()
    at = clock(at)
    if shift is None or shift.planned_end > at - OVERTIME:
        return Unchanged(shift)  # type: ignore[return-value]
    shift.status, shift.ended_at = DutyStatus.ENDED, at
    shift.paused_at = shift.paused_until = None
    shift.save(update_fields=["status", "ended_at", "paused_at", "paused_until", "updated_at"])
    record(actor, "shift.forgotten", shift, codes={"role": shift.role})
    hint_beside(shift.covers)
    return shift


@quiet("who was told of it, and when, stands in the notifications")
def note_told(*, actor: Actor, shift: DutyShift, field: str, at: datetime) -> DutyShift:
    """Write when people were told: `field` is start_told_at (no plan) or break_told_at (break overrun)."""
    setattr(shift, field, at)
    shift.save(update_fields=[field, "updated_at"])
    return shift


@action
def mute_sound(*, actor: Actor, at: datetime | None = None) -> DutyShift | User:
    """Mute the alarm sound for five minutes; it comes back by itself, and the trail knows.

    Whoever hears alerts without a shift, a supervisor or a lead, may do so too: their account keeps it.
    """
    listener = _listener(actor)
    _set_mute(listener, clock(at) + MUTE)
    record(actor, "sound.muted", listener, codes={"seconds": int(MUTE.total_seconds())})
    return listener


@action
def unmute_sound(*, actor: Actor, at: datetime | None = None) -> DutyShift | User:
    """Take the mute back before its time."""
    listener = _listener(actor)
    if not queries.muted_seconds(listener, clock(at)):
        return Unchanged(listener)  # type: ignore[return-value]
    _set_mute(listener, None)
    record(actor, "sound.unmuted", listener)
    return listener


def _listener(actor: Actor) -> DutyShift | User:
    shift = _running(actor)
    if shift is not None:
        return shift
    if not queries.desk_organizations(actor.person):
        raise RuleBroken("You hear no alerts now: you are not on shift.", "not_on_shift")
    return User.objects.select_for_update(of=("self",)).get(pk=actor.person.pk)


def _set_mute(listener: DutyShift | User, until: datetime | None) -> None:
    if isinstance(listener, DutyShift):
        listener.muted_until = until
        listener.save(update_fields=["muted_until", "updated_at"])
        return
    listener.preferences = listener.preferences | {"muted_until": until and until.isoformat()}
    listener.save(update_fields=["preferences", "updated_at"])


def _running(actor: Actor) -> DutyShift | None:
    return DutyShift.objects.select_for_update().running().filter(user=actor.person).first()


def _just_ended(actor: Actor, at: datetime) -> DutyShift | None:
    ended = DutyShift.objects.select_for_update().just_ended(at).filter(user=actor.person)
    return ended.order_by("-ended_at").first()


def _needs_running(actor: Actor) -> DutyShift:
    shift = _running(actor)
    if shift is None:
        raise RuleBroken("You are not on shift.", "not_on_shift")
    return shift


@action
def cancel_shift(*, actor: Actor, shift_id: UUID) -> DutyShift:
    """Take a planned shift out of the plan; one that was started stays on record."""
    shift = DutyShift.objects.select_for_update().filter(pk=shift_id, status=DutyStatus.PLANNED).first()
    if shift is None or not (actor.is_system or shift.organization_id in actor.org_ids):
        raise RuleBroken("Only a planned shift can be taken out; this one was started.", "already_started")
    record(actor, "shift.cancelled", shift, codes=_plan_of(shift))
    shift.delete()
    return shift
