"""Reads of billing: codes that hold, what a provider billed, and what stands on the same day."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from clinical.scheduling.billing.coding import Code
from clinical.scheduling.billing.models import BillingCode, BillingLine, LineStatus
from clinical.scheduling.models import LONGEST, Appointment
from cortex.accounts.choices import Role
from cortex.accounts.models import Organization, User
from cortex.audit import Actor, NotFound
from patients.sessions.models import Session

MOST_EXPORTED = 10_000


def codes_like(row: BillingCode) -> QuerySet[BillingCode]:
    """Return other codes that could not be told from this one: same owner, place and first day."""
    same = BillingCode.objects.filter(  # type: ignore[misc]
        organization_id=row.organization_id, code=row.code, jurisdiction=row.jurisdiction,
        active_from=row.active_from,
    )  # fmt: skip
    return same.exclude(pk=row.pk)


def codes(organization: Organization, day: date) -> list[BillingCode]:
    """Return the codes that an organization may use on a day: common ones of its law, and its own."""
    law = Q(jurisdiction="") | Q(jurisdiction=organization.jurisdiction)
    rows = BillingCode.objects.filter(law, Q(organization__isnull=True) | Q(organization=organization))
    running = rows.filter(active_from__lte=day).filter(Q(active_to__isnull=True) | Q(active_to__gte=day))
    return list(running.order_by("system", "code"))


def read_codes(rows: Iterable[BillingCode]) -> list[Code]:
    """Return codes as the rules see them; where an organization has its own tariffs, its own come alone."""
    found = list(rows)
    own = {one.service for one in found if one.organization_id is not None}
    return [one.read() for one in found if one.organization_id is not None or one.service not in own]


def same_day(patient_id: UUID, provider_id: UUID, day: date) -> list[BillingLine]:
    """Return the standing lines of one person by one provider on a day."""
    rows = BillingLine.objects.filter(patient_id=patient_id, provider_id=provider_id, service_date=day)
    return list(rows.exclude(status=LineStatus.VOID))


def session(session_id: UUID) -> Session:
    """Return a session with its person and organization; NotFound without one."""
    found = Session.objects.select_related("patient", "organization").filter(pk=session_id).first()
    if found is None:
        raise NotFound
    return found


def lines_of_session(session_id: UUID) -> list[BillingLine]:
    """Return the standing lines of a session, its base first."""
    rows = BillingLine.objects.filter(session_id=session_id).exclude(status=LineStatus.VOID)
    return list(rows.order_by("billing_code__is_addon", "code"))


def locked_standing(row: Appointment) -> list[BillingLine]:
    """Lock and return the standing lines of an appointment and of its sitting, with their codes."""
    rows = BillingLine.objects.filter(_about(row)).exclude(status=LineStatus.VOID).order_by("pk")
    return list(rows.select_related("billing_code").select_for_update(of=("self",)))


def _about(row: Appointment) -> Q:
    return Q(appointment=row) | Q(session=row.session_id) if row.session_id else Q(appointment=row)


def lines_of_appointment(row: Appointment) -> list[BillingLine]:
    """Return every line of an appointment and of the sitting that it was, those taken out too."""
    return list(BillingLine.objects.filter(_about(row)).order_by("pk"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of lines is narrowed to; every part may be empty."""

    since: date | None = None
    until: date | None = None
    status: str = ""
    code: str = ""
    only_new: bool = False


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of several lines: confirmed, left out for a warning, decided before."""

    count: int
    warned: int
    decided: int


def lines(user: User, wanted: Wanted) -> QuerySet[BillingLine]:
    """Return a provider's own lines, or (for an administrator) those of their organization."""
    rows = BillingLine.objects.select_related("patient", "provider")
    if user.role == Role.ADMIN:
        rows = rows.filter(organization_id=user.organization_id)
    else:
        rows = rows.filter(provider=user)
    if wanted.since:
        rows = rows.filter(service_date__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(service_date__lte=wanted.until)
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.code:
        rows = rows.filter(code=wanted.code)
    if wanted.only_new:
        rows = rows.filter(exported_at__isnull=True)
    return rows.order_by("-service_date", "-pk")


def exported(user: User, wanted: Wanted, at: datetime) -> list[BillingLine]:
    """Return the lines of a choice that left with the file of a moment, oldest first.

    What was exported for the first time is new no more: of such a choice they are those of that very file.
    """
    rows = lines(user, replace(wanted, only_new=False)).filter(status=LineStatus.CONFIRMED)
    rows = rows.filter(exported_at=at) if wanted.only_new else rows.filter(exported_at__lte=at)
    return list(rows.order_by("service_date", "pk")[:MOST_EXPORTED])


def locked_lines(actor: Actor, line_ids: Collection[UUID]) -> list[BillingLine]:
    """Lock and return lines of one's own, or of an administrator's organization; NotFound if one isn't."""
    rows = lines(actor.person, Wanted()).select_for_update(of=("self",))
    found = list(rows.filter(pk__in=list(line_ids)).order_by("pk"))
    if len(found) != len(set(line_ids)):
        raise NotFound
    return found


def locked_line(actor: Actor, line_id: UUID) -> BillingLine:
    """Lock and return a line of one's own, or of an administrator's organization; NotFound otherwise."""
    rows = lines(actor.person, Wanted()).select_for_update(of=("self",))
    found = rows.filter(pk=line_id).first()
    if found is None:
        raise NotFound
    return found


def locked_code(code_id: UUID) -> BillingCode:
    """Lock and return a code; NotFound without one."""
    found = BillingCode.objects.select_for_update().filter(pk=code_id).first()
    if found is None:
        raise NotFound
    return found


def minutes_of(one: Session) -> int | None:
    """Return the whole minutes that a session took; a begun one doesn't count."""
    if one.duration_seconds is not None:
        return one.duration_seconds // 60
    if one.ended_at is not None:
        return int((one.ended_at - one.started_at).total_seconds() // 60)
    return None


def is_too_long(one: Session) -> bool:
    """Whether a session took longer than any appointment may, so that no line is proposed of it."""
    minutes = minutes_of(one)
    return minutes is not None and timedelta(minutes=minutes) > LONGEST
