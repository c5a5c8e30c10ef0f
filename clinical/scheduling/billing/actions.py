"""Writes of billing: propose from minutes, confirm, take out, export; keep codes. Nothing is sent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from clinical.scheduling.billing import queries
from clinical.scheduling.billing.coding import (
    SERVICES,
    Code,
    Suggested,
    is_second,
    suggest,
    units_of,
    warnings_of,
)
from clinical.scheduling.billing.models import BillingCode, BillingLine, LineStatus
from clinical.scheduling.billing.queries import Confirmed
from clinical.scheduling.models import Appointment, Status
from clinical.scheduling.queries import locked_appointment
from cortex.access.context import opening
from cortex.accounts.appointments import is_operator
from cortex.accounts.models import Organization
from cortex.audit import HOUSE, Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.places import jurisdiction_of
from cortex.ui.zone import zone_of
from patients.registry import access
from patients.sessions.models import Session

MOST_MINUTES = 1440


@action
def propose_line(
    *, actor: Actor, session_id: UUID, kind: str = "", at: datetime | None = None
) -> BillingLine | None:
    """Propose what may be billed of a session that is over, from its minutes; None when no code fits.

    `kind` is what its appointment was for; without one the session's own kind says which codes fit. Of one
    longer than the longest appointment none is proposed: it was left open, and nobody knows what it took.

    Asked again, the standing proposal is returned. The actor's own if a person asks; a person confirms it.
    """
    at = clock(at)
    one = queries.session(session_id)
    access.treated(actor, one.patient_id, at)
    standing = queries.lines_of_session(one.pk)
    if standing:
        return Unchanged(standing[0])  # type: ignore[return-value]
    minutes = queries.minutes_of(one)
    if minutes is None:
        raise RuleBroken("The session is not over yet.", "not_over")
    if queries.is_too_long(one):
        return Unchanged(None)  # type: ignore[return-value]
    service = SERVICES.get(kind or one.kind, "")
    day = _day(one.started_at, one.organization)
    rows = _propose(actor, one.organization, service, minutes, day, session=one)
    if not rows:
        return Unchanged(None)  # type: ignore[return-value]
    return rows[0]


@action
def bill_appointment(
    *, actor: Actor, appointment_id: UUID, minutes: int | None = None, code: str = "",
    at: datetime | None = None,
) -> list[BillingLine]:  # fmt: skip
    """Propose lines for an appointment that took place or was missed; `code` in place of the suggestion.

    RuleBroken `no_code` when nothing fits: then somebody chooses a code, or nothing is billed.
    """
    at = clock(at)
    row = locked_appointment(actor, appointment_id, at)
    if row.status not in (Status.HELD, Status.NO_SHOW):
        raise RuleBroken("Note first whether it took place.", "not_over")
    spent = row.minutes if minutes is None else minutes
    if not 0 <= spent <= MOST_MINUTES:
        raise InputRefused("Give the minutes that it took.", "bad_minutes", field="minutes")
    organization = row.patient.organization
    day = _day(row.starts_at, organization)
    service = SERVICES.get("no_show" if row.status == Status.NO_SHOW else row.kind, "")
    chosen = _chosen(organization, code, spent, day) if code else None
    rows = _propose(actor, organization, service, spent, day, appointment=row, chosen=chosen)
    if not rows:
        raise RuleBroken(
            f"No code fits {spent} minutes. Choose one, or bill nothing.", "no_code", status=422, field="code"
        )
    return rows


def _chosen(organization: Organization, code: str, minutes: int, day: date) -> list[Suggested]:
    for one in queries.codes(organization, day):
        if one.code == code:
            return [Suggested(one.read(), units_of(one.read(), minutes))]
    raise InputRefused("Choose a code of the list.", "code_unknown", field="code")


def _propose(
    actor: Actor, organization: Organization, service: str, minutes: int, day: date, *,
    session: Session | None = None, appointment: Appointment | None = None,
    chosen: list[Suggested] | None = None,
) -> list[BillingLine]:  # fmt: skip
    about = session or appointment
    if about is None:
        raise ValueError("a line is about a session or an appointment")
    rows = {one.pk: one for one in queries.codes(organization, day)}
    found = (
        chosen if chosen is not None else suggest(service, minutes, queries.read_codes(rows.values()), day)
    )
    provider = _provider(actor, session, appointment)
    if not found or provider is None:
        return []
    others = [one.code for one in queries.same_day(about.patient_id, provider, day)]
    _refuse_twice(appointment, [one.code for one in found])
    made = []
    for one in found:
        line = _line(rows[one.code.key], one, minutes, day, others)  # type: ignore[index]
        line.organization_id, line.patient_id, line.provider_id = organization.pk, about.patient_id, provider
        line.session_id = session.pk if session else appointment.session_id if appointment else None
        line.appointment = appointment
        line.save(force_insert=True)
        others.append(one.code.code)
        made.append(line)
    codes = {"codes": [one.code for one in made], "minutes": minutes, "warnings": sum(map(_count, made))}
    record(actor, "billing.proposed", made[0], subject=about.patient_id, codes=codes)
    return made


def _provider(actor: Actor, session: Session | None, appointment: Appointment | None) -> UUID | None:
    """Return whose sitting it was: the appointment's therapist, who asks, else the primary clinician."""
    if appointment is not None:
        return appointment.therapist_id
    if actor.kind == "user":
        return actor.person.pk
    return session.patient.primary_clinician_id if session is not None else None


def _count(line: BillingLine) -> int:
    return len(line.warnings)


def _refuse_twice(appointment: Appointment | None, codes: list[Code]) -> None:
    """Refuse a second line of one sitting that says the same; a session that has one is not asked again."""
    if appointment is None:
        return
    lines = queries.locked_standing(appointment)
    there = [replace(one.billing_code.read(), code=one.code) for one in lines]
    if any(is_second(one, other) for one in codes for other in there):
        raise RuleBroken("This is proposed already. Take that line out first.", "already_billed")


def _line(row: BillingCode, one: Suggested, minutes: int, day: date, others: list[str]) -> BillingLine:
    code: Code = one.code
    amount = row.amount_cents * one.units if row.amount_cents is not None else None
    return BillingLine(
        billing_code=row, code=row.code, system=row.system, own_label=row.own_label, service_date=day,
        minutes=minutes, units=one.units, amount_cents=amount, currency=row.currency,
        warnings=warnings_of(code, minutes, others),
    )  # fmt: skip


def _day(moment: datetime, organization: Organization) -> date:
    return moment.astimezone(zone_of(organization.default_timezone)).date()


@action
def confirm_line(*, actor: Actor, line_id: UUID, at: datetime | None = None) -> BillingLine:
    """Say that a proposed line is right; only then is it exported."""
    row = _undecided(actor, line_id)
    row.status, row.decided_at, row.decided_by = LineStatus.CONFIRMED, clock(at), actor.user
    row.save(update_fields=["status", "decided_at", "decided_by", "updated_at"])
    record(actor, "billing.confirmed", row, subject=row.patient_id, codes={"code": row.code})
    return row


@action
def confirm_lines(*, actor: Actor, line_ids: Collection[UUID], at: datetime | None = None) -> Confirmed:
    """Say of several proposed lines at once that they are right; a row of the trail for each.

    One with a warning is left out: somebody looks at it by itself. So is what was decided meanwhile.
    """
    if not line_ids:
        raise InputRefused("Tick the lines that are right first.", "required", field="line")
    at, rows = clock(at), queries.locked_lines(actor, line_ids)
    proposed = [one for one in rows if one.status == LineStatus.PROPOSED]
    right = [one for one in proposed if not one.warnings]
    done = Confirmed(len(right), len(proposed) - len(right), len(rows) - len(proposed))
    if not right:
        return Unchanged(done)  # type: ignore[return-value]
    for row in right:
        row.status, row.decided_at, row.decided_by = LineStatus.CONFIRMED, at, actor.user
        row.save(update_fields=["status", "decided_at", "decided_by", "updated_at"])
        record(actor, "billing.confirmed", row, subject=row.patient_id, codes={"code": row.code})
    return done


@action
def void_line(*, actor: Actor, line_id: UUID, at: datetime | None = None) -> BillingLine:
    """Take a line out; it stays on record. One that was exported is corrected where it was sent."""
    row = queries.locked_line(actor, line_id)
    if row.status == LineStatus.VOID:
        return Unchanged(row)  # type: ignore[return-value]
    if row.exported_at is not None:
        raise RuleBroken("This line was exported. Correct it where it was sent.", "exported")
    _void(actor, row, clock(at))
    return row


def _void(actor: Actor, row: BillingLine, at: datetime) -> None:
    row.status, row.decided_at, row.decided_by = LineStatus.VOID, at, actor.user
    row.save(update_fields=["status", "decided_at", "decided_by", "updated_at"])
    record(actor, "billing.voided", row, subject=row.patient_id, codes={"code": row.code})


@action
def void_proposed(*, actor: Actor, appointment: Appointment, at: datetime | None = None) -> int:
    """Take out what is proposed of a locked appointment, whoever's line it is; return how many lines.

    RuleBroken while a line is confirmed, and once one was exported: what it says was noted must stay then.
    """
    at, rows = clock(at), queries.locked_standing(appointment)
    if not rows:
        return Unchanged(0)  # type: ignore[return-value]
    for row in rows:
        _refuse_decided(actor, row)
    for row in rows:
        _void(actor, row, at)
    return len(rows)


def _refuse_decided(actor: Actor, row: BillingLine) -> None:
    if row.exported_at is not None:
        raise RuleBroken(
            f"A line of it was exported ({row.code}), so it stays. Correct it where it was sent.",
            "line_exported",
        )
    if row.status == LineStatus.CONFIRMED:
        is_own = row.provider_id == actor.id
        who = "Take that line out" if is_own else f"{row.provider.full_name} takes that line out"
        raise RuleBroken(
            f"A line of it is confirmed ({row.code}). {who} first, on the billing page.", "line_confirmed"
        )


def _undecided(actor: Actor, line_id: UUID) -> BillingLine:
    row = queries.locked_line(actor, line_id)
    if row.status != LineStatus.PROPOSED:
        raise RuleBroken(f"This line is {row.get_status_display().lower()} already.", "decided")
    return row


@action
def export_lines(*, actor: Actor, wanted: queries.Wanted, at: datetime | None = None) -> list[BillingLine]:
    """Mark the confirmed lines of a choice as exported and return them, oldest first.

    Whose they are stands in the trail of looks, by name: the row of the export only counts.
    `queries.exported` gives them again for the file.
    """
    at = clock(at)
    rows = queries.lines(actor.person, wanted).filter(status=LineStatus.CONFIRMED)
    found = list(rows.select_for_update(of=("self",)).order_by("service_date", "pk")[: queries.MOST_EXPORTED])
    if not found:
        raise RuleBroken("No confirmed line is in this choice.", "nothing_to_export")
    fresh = [one.pk for one in found if one.exported_at is None]
    BillingLine.objects.filter(pk__in=fresh).update(exported_at=at)
    with opening(actor, purpose="billing") as context:
        people = sorted({one.patient_id for one in found})
        context.saw("billing_export", subjects=people, object_type="clinical.BillingLine")
    codes = {"count": len(found), "first_time": len(fresh)}
    record(actor, "billing.exported", None, purpose="billing", codes=codes)
    return found


@action
def add_code(*, actor: Actor, organization_id: UUID | None = None, **values: Any) -> BillingCode:
    """Put a code into the table: people into their organization's, the system into everybody's."""
    owner = organization_id if actor.is_system else actor.organization_id
    row = BillingCode(organization_id=owner, **values)
    _check_code(row)
    row.save(force_insert=True)
    record(actor, "billing_code.created", row, fields=sorted(values), purpose=_purpose(row))
    return row


@action
def change_code(*, actor: Actor, code_id: UUID, **values: Any) -> BillingCode | Unchanged[BillingCode]:
    """Change a code; lines keep what they were made with."""
    row = queries.locked_code(code_id)
    if row.organization_id is None and not is_operator(actor):
        raise NotFound("This code is everybody's: an operator changes it.", "not_found")
    if row.organization_id is not None and row.organization_id not in actor.org_ids:
        raise NotFound
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    if not changed:
        return Unchanged(row)
    for name in changed:
        setattr(row, name, values[name])
    _check_code(row)
    row.save(update_fields=[*changed, "updated_at"])
    record(actor, "billing_code.changed", row, fields=changed, purpose=_purpose(row))
    return row


def _check_code(row: BillingCode) -> None:
    """Put the jurisdiction as it is kept, and refuse a code that stands there from the same day."""
    if row.jurisdiction:
        try:
            row.jurisdiction = jurisdiction_of(row.jurisdiction)
        except ValueError as error:
            raise InputRefused(str(error), "jurisdiction_unknown", field="jurisdiction") from error
    if queries.codes_like(row).exists():
        raise InputRefused(
            "This code stands in the table already, from the same day.",
            "code_taken",
            field="code",
        )


def _purpose(row: BillingCode) -> str:
    return HOUSE if row.organization_id is None else ""
