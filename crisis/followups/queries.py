"""Reads of promised contacts: the desk's list, one contact with what is asked in it, the answers before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse

from cortex.access.context import AccessContext, holds
from cortex.accounts.models import User
from cortex.audit import Actor
from crisis.alerts import access
from crisis.alerts.wording import follow_up_words
from crisis.followups import screeners, showing
from crisis.followups.models import FollowUpCheck, MeansCheck
from crisis.reviews import queries as reviews
from crisis.reviews.models import FollowUp
from crisis.risk.models import Evidence
from crisis.risk.queries import screeners_since
from crisis.safetyplans import queries as safetyplans
from crisis.welfare.queries import next_contact
from patients.registry.access import VIEW, relations
from patients.registry.models import Patient
from patients.registry.queries import patient, rows_of

TODAY = timedelta(hours=24)
WEEK = timedelta(days=7)
SAID = (MeansCheck.SAFE, MeansCheck.UNSAFE)


@dataclass(slots=True)
class Asked:
    """What the form of one contact is built from: the screeners since the last one, and the plan in force."""

    row: FollowUp
    person: Patient
    screeners: list[Evidence]
    plan_of: datetime | None


def groups(ctx: AccessContext, user: User, at: datetime) -> list[dict[str, Any]]:
    """Return the person's own follow-ups and their desk's, in the groups overdue, today and this week."""
    rows = reviews.follow_ups(user, sorted(access.desk_organizations(user)), at + WEEK)
    ctx.saw("follow_up.list", object_type="followups", subjects=list({row.patient_id for row in rows}))
    unsafe = unsafe_means(row.patient_id for row in rows)
    found: dict[str, list[dict[str, Any]]] = {"Overdue": [], "Within 24 hours": [], "This week": []}
    for row in rows:
        name = (
            "Overdue" if row.due_at <= at else "Within 24 hours" if row.due_at <= at + TODAY else "This week"
        )
        found[name].append(showing.row_of(row) | {"unsafe": row.patient_id in unsafe})
    return [
        {"label": label, "rows": lines, "alarm": label == "Overdue"}
        for label, lines in found.items()
        if lines
    ]


def promised(ctx: AccessContext, alert_id: UUID, *, opens: bool) -> list[dict[str, Any]]:
    """Return what an alert's end promised, with the answers; their words where the person `opens`."""
    rows = reviews.follow_ups_of(alert_id)
    if opens:
        open_words(ctx, rows)
    return [
        {
            "label": follow_up_words(row.label),
            "detail": row.get_status_display(),
            "due_at": row.due_at,
            "checks": showing.answers_of(row, with_words=opens),
        }
        for row in rows
    ]


def open_words(ctx: AccessContext, rows: Iterable[FollowUp]) -> None:
    """Open what was said of the means in contacts that were read with their answers."""
    answers = [found for row in rows if (found := showing.checks_of(row)) is not None]
    ctx.open([found for found in answers if holds(found, "means_note")], ["means_note"])


def unsafe_means(patient_ids: Iterable[UUID]) -> set[UUID]:
    """Return of whom it was said last that the means are within reach; one query."""
    rows = FollowUpCheck.objects.filter(patient_id__in=set(patient_ids), means__in=SAID)
    newest = rows.order_by("patient_id", "-answered_at").distinct("patient_id")
    return {pk for pk, means in newest.values_list("patient_id", "means") if means == MeansCheck.UNSAFE}


def asked_in(user: User, follow_up_id: UUID) -> Asked:
    """Return one contact of the person's desk or own with what is asked in it; NotFound otherwise."""
    row = reviews.follow_up_of_desk(access.desk_organizations(user), user, follow_up_id)
    person = row.patient
    if person.merged_into_id is not None:
        person = patient(person.merged_into_id) or person
    ids = rows_of(person)
    plan = safetyplans.current(ids)
    since = max(filter(None, (row.alert.raised_at, last_reached(ids))))
    return Asked(row, person, screeners_since(ids, since), plan.finished_at if plan is not None else None)


def last_reached(ids: Iterable[UUID]) -> datetime | None:
    """Return when a promised contact of a person was made last."""
    rows = FollowUp.objects.filter(patient_id__in=list(ids), outcome="reached")
    return rows.order_by("-done_at").values_list("done_at", flat=True).first()


def page(ctx: AccessContext, asked: Asked, at: datetime) -> dict[str, Any]:
    """Return one contact as its page shows it: what comes next, where to ask, what was said before.

    What was said of the means in words, and the way to the plan, are for whom the person is open to, by more
    than a question to a second reader.
    """
    row, person = asked.row, asked.person
    found = relations(ctx.actor, {person.pk}, VIEW, at).get(person.pk)
    opens = found is not None and found.name not in access.QUESTIONS
    before = last_checks(rows_of(person))
    if before is not None and opens and holds(before, "means_note"):
        ctx.open([before], ["means_note"])
    line = showing.row_of(row)
    return line | {
        "next_step": next_contact(row.patient, at) if line["missed"] or line["tries"] else "",
        "plan_url": reverse("crisis:safety_plan", args=[person.pk]) if opens else "",
        "screener_url": screeners.address(ctx.actor, person, at),
        "before": showing.lines_of(before, with_words=opens) if before else [],
        "before_at": before.answered_at if before else None,
        "before_by": before.answered_by.full_name if before and before.answered_by else "",
    }


def last_checks(ids: Iterable[UUID]) -> FollowUpCheck | None:
    """Return what was answered in the person's contact before."""
    rows = FollowUpCheck.objects.filter(patient_id__in=list(ids)).select_related("answered_by")
    return rows.order_by("-answered_at", "-pk").first()


def last_means(ids: Iterable[UUID]) -> FollowUpCheck | None:
    """Return the newest contact in which somebody said whether the means are safe."""
    rows = FollowUpCheck.objects.filter(patient_id__in=list(ids), means__in=SAID)
    return rows.order_by("-answered_at", "-pk").first()


def screener(ids: Iterable[UUID], source_id: UUID, since: datetime) -> Evidence | None:
    """Return the screener of an administration of this person; None for anybody else's, or an older one."""
    return next((one for one in screeners_since(ids, since) if one.source_id == source_id), None)


def may_write_plan(actor: Actor, person: Patient, at: datetime) -> bool:
    """Whether an actor may say that they went through the person's plan."""
    found = relations(actor, {person.pk}, VIEW, at).get(person.pk)
    return found is not None and safetyplans.writes(actor, found.name)
