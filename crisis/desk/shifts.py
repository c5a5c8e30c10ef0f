"""What the desk shows of shifts: one's own, who else is on, and the duty page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.utils import timezone

from cortex.access.context import KEYS_DOWN, AccessContext
from cortex.access.unreadable import UNREADABLE, readable
from cortex.accounts.models import User
from cortex.ui.context_processors import initials_of
from crisis.alerts import access
from crisis.alerts import queries as alert_queries
from crisis.alerts.states import Status
from crisis.alerts.wording import span_words, spans_words
from crisis.duty import queries as duty
from crisis.duty.models import SLIP, DutyRole, DutyShift, DutyStatus

log = structlog.get_logger("cortex.desk")


def desk_phone(user: User) -> str:
    """Return the number of the person's own desk, for when the live connection is lost."""
    return str(user.organization.settings.get("desk_phone", "")) if user.organization_id else ""


def own_organizations(user: User) -> set[UUID]:
    """Return the person's own organization, as a set."""
    return {user.organization_id} if user.organization_id else set()


def own_duty(user: User, at: datetime) -> dict[str, Any]:
    """Return the person's own shift as the pages show it."""
    shift = duty.running_shift(user.pk)
    if shift is None:
        return {"state": "none", "text": "You are not on shift", "muted": duty.muted_seconds(user, at)}
    paused = shift.status == DutyStatus.PAUSED
    end = shift.paused_until if paused and shift.paused_until else shift.planned_end
    until = f"until {timezone.localtime(end):%H:%M}"
    word = "On a break" if paused else "On shift"
    return {
        "state": shift.status,
        "text": f"{word}, {until}",
        "since": shift.started_at,
        "until": shift.planned_end,
        "paused_until": shift.paused_until,
        "shift": shift,
        "muted": duty.muted_seconds(shift, at),
    }


def shift_rows(
    ctx: AccessContext, user: User, organizations: Iterable[UUID], at: datetime, *, phones: bool = True
) -> list[dict[str, Any]]:
    """Return who is on shift; the phone of whoever is on call opens, since somebody may have to ring it."""
    shifts = duty.roster(organizations)
    on_call = [shift for shift in shifts if phones and shift.role == DutyRole.ON_CALL]
    opened = _phones(ctx, on_call)
    return [shift_row(shift, user, opened.get(shift.pk, ""), at) for shift in shifts]


def _phones(ctx: AccessContext, shifts: list[DutyShift]) -> dict[UUID, str]:
    """Return the phones of people on call, since the board goes on whatever becomes of them.

    None when the keys can't be had; of one that doesn't open it is said that it can't be read.
    """
    try:
        ctx.open(shifts, ["phone"])
        return {shift.pk: readable(shift, "phone", UNREADABLE) for shift in shifts}
    except KEYS_DOWN as error:
        log.error("phones stay closed", kind=type(error).__name__)
        return {}


def shift_row(shift: DutyShift, user: User, phone: str, at: datetime) -> dict[str, Any]:
    """Return one line of "on shift"; a break that ran over and a start without a plan are called so."""
    paused = shift.status == DutyStatus.PAUSED
    state = _break_words(shift) if paused else "Available"
    if shift.is_break_over(at):
        state = "Break is over"
    return {
        "id": str(shift.user_id),
        "name": shift.user.full_name,
        "initials": initials_of(shift.user.full_name),
        "role": DutyRole(shift.role).label + ("" if shift.is_planned else ", not planned"),
        "state": "paused" if paused else "available",
        "state_label": state,
        "icon": "clock" if paused else "circle-check",
        "phone": phone,
        "load": f"{shift.open_cases} open" if shift.open_cases else "No open case",  # type: ignore[attr-defined]
        "you": shift.user_id == user.pk,
    }


def _break_words(shift: DutyShift) -> str:
    return (
        f"Break until {timezone.localtime(shift.paused_until):%H:%M}" if shift.paused_until else "On a break"
    )


def _span(shift: DutyShift) -> str:
    start, end = timezone.localtime(shift.planned_start), timezone.localtime(shift.planned_end)
    return f"{start:%d %b %H:%M} to {end:%H:%M}"


def duty_page(ctx: AccessContext, user: User, at: datetime) -> dict[str, Any]:
    """Return the duty page: own shift, what is planned, who else is on."""
    organizations = access.desk_organizations(user) | own_organizations(user)
    own = own_duty(user, at)
    shift: DutyShift | None = own.get("shift")
    planned = duty.planned_shifts(user.pk, at)
    own |= {
        "can_start": shift is None,
        "just_ended": duty.just_ended_shift(user.pk, at) if shift is None else None,
        "slip": span_words(SLIP),
        "covers": ", ".join(alert_queries.organization_names(shift.covers)) if shift else "",
        "claims": open_claims(user),
        "choices": [{"id": str(one.pk), "label": _span(one)} for one in planned if one.may_start(at)],
        "next": planned[0].planned_start if planned else None,
    }
    return {
        "duty": own,
        "planned": [
            {"start": one.planned_start, "end": one.planned_end, "role": DutyRole(one.role).label}
            for one in planned
        ],
        "shift": shift_rows(ctx, user, organizations, at),
        "desk_phone": desk_phone(user),
    }


def end_page(user: User, at: datetime) -> dict[str, Any]:
    """Return what somebody should know before they end their shift."""
    return {
        "duty": own_duty(user, at),
        "claims": open_claims(user),
        "slip": span_words(SLIP),
        "hears_on": duty.hears_off_shift(user),
    }


def open_claims(user: User) -> dict[str, Any]:
    """Return how many alerts the person owns, and what becomes of them when they leave the desk, and when."""
    owned = alert_queries.owned(user)
    seconds = [alert.policy["owner_gone_seconds"] for alert in owned]
    unreached = sum(alert.status == Status.ACKNOWLEDGED for alert in owned)
    return {
        "count": len(owned),
        "unreached": unreached,
        "reached": len(owned) - unreached,
        "after": spans_words(seconds) if owned else "",
    }
