"""What the board and its lists show, read from what the person may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse

from cortex.access.context import AccessContext
from cortex.accounts.models import Role, User
from cortex.live.feed import topic_of
from cortex.ops.postgres.figures import count_of
from cortex.ops.postgres.questions import kept
from crisis.alerts import access
from crisis.alerts import queries as alert_queries
from crisis.alerts.cards import cards, counted_row
from crisis.alerts.models import Disposition, RiskAlert
from crisis.alerts.wording import review_words, spans_words
from crisis.casework.evidence_words import missing_words, signal_rows
from crisis.casework.queries import told_to
from crisis.desk.facts import desk_of
from crisis.desk.lateness import late_part
from crisis.desk.shifts import desk_phone, own_duty, own_organizations, shift_rows
from crisis.desk.showing import Filters, Shown, counts, lists, shown_as, tiles
from crisis.escalation.queries import clocks_of
from crisis.reviews import queries as reviews
from crisis.reviews.actions import MISSED
from crisis.reviews.models import (
    ALARM_BUDGET,
    PLAN_REVIEW,
    RISK_REVIEWS,
    WELFARE,
    ReviewItem,
    SecondReview,
)
from crisis.risk.queries import latest_assessment
from crisis.welfare.queries import next_contact

LONGEST_LIST = 200
RAIL = ("waiting", "mine", "followups", "reviews")
LEVELS = {"critical": "critical", "high": "high", "waiting": "waiting person"}


def board(ctx: AccessContext, *, user: User, filters: Filters, at: datetime) -> dict[str, Any]:
    """Return everything that the board shows, in a fixed number of queries."""
    organizations = sorted(access.desk_organizations(user))
    topics = alert_queries.topics(organizations)
    around_it = around(ctx, user, organizations, at)
    alerts = (
        RiskAlert.objects.open()
        .filter(organization_id__in=organizations)
        .for_cards()
        .urgent_first()[:LONGEST_LIST]
    )
    shown = [shown_as(one) for one in alerts]
    due = reviews.follow_ups(user, organizations, at + timedelta(hours=24))
    figures = replace(counts(shown, user, at), follow_ups=len(due), ended=ended(user, at).count())
    return (
        around_it
        | lists(shown, filters, user)
        | {
            "tiles": tiles(figures),
            "topics": topics,
            "server_now": at,
            "filters": filters,
            "targets": targets(organizations),
        }
    )


def around(
    ctx: AccessContext, user: User, organizations: list[UUID], at: datetime, *, phones: bool = True
) -> dict[str, Any]:
    """Return what stands around the lists of alerts; without `phones` nobody's is opened."""
    marks = alert_queries.marks(organizations, at)
    roster = organizations or own_organizations(user)
    items, waiting = _due_today(organizations, at), reviews.waiting_for(user, organizations)
    if items:
        ctx.saw("review.list", object_type="reviews", subjects=subjects_of(items))
    if waiting:
        ctx.saw("alert.list", object_type="second_readings", subjects=_asked_about(waiting))
    return {
        "review_today": [review_row(item) for item in items],
        "today_marks": _marks_of("today", marks),
        "second_readings": [_second_reading(one) for one in waiting],
        "reading_marks": _marks_of("readings", marks),
        "shift": shift_rows(ctx, user, roster, at, phones=phones),
        "shift_marks": _marks_of("shift", marks),
        "desk_phone": desk_phone(user),
        "late": late_part(user, map(topic_of, organizations), at),
        "duty": own_duty(user, at),
    }


def shown_cards(ids: Iterable[UUID]) -> list[Shown]:
    """Return these alerts as the board shows them now, in no order."""
    return [shown_as(one) for one in RiskAlert.objects.for_cards().filter(pk__in=list(ids))]


def targets(organizations: Iterable[UUID]) -> dict[str, str]:
    """Return the targets of a claim and of the first contact in words, by the clocks that hold here."""
    clocks = clocks_of(organizations)
    rows = [(words, found) for level, words in LEVELS.items() if (found := clocks.get(level))]
    return {
        "claim": ", ".join(
            f"{one} {spans_words(c.acknowledge_seconds for c in found)}" for one, found in rows
        ),
        "contact": ", ".join(f"{one} {spans_words(c.contact_seconds for c in found)}" for one, found in rows),
    }


def shift_part(ctx: AccessContext, user: User, at: datetime) -> dict[str, Any]:
    """Return who is on shift, for a board whose list has changed."""
    organizations = sorted(access.desk_organizations(user))
    marks = alert_queries.marks(organizations, at)
    return {
        "shift": shift_rows(ctx, user, organizations or own_organizations(user), at),
        "desk_phone": desk_phone(user),
        "marks": _marks_of("shift", marks),
    }


def readings_part(ctx: AccessContext, user: User, at: datetime) -> dict[str, Any]:
    """Return which second readings wait for this person, for a board whose list has changed."""
    organizations = sorted(access.desk_organizations(user))
    marks = alert_queries.marks(organizations, at)
    waiting = reviews.waiting_for(user, organizations)
    ctx.saw("alert.list", object_type="second_readings", subjects=_asked_about(waiting))
    return {"readings": [_second_reading(one) for one in waiting], "marks": _marks_of("readings", marks)}


def _asked_about(waiting: Iterable[SecondReview]) -> list[UUID]:
    return sorted({one.alert.patient_id for one in waiting if one.alert.patient_id})


def today_part(ctx: AccessContext, user: User, at: datetime) -> dict[str, Any]:
    """Return what is to review today, and the figures that go with it, for a board whose list has changed."""
    organizations = sorted(access.desk_organizations(user))
    marks = alert_queries.marks(organizations, at)
    items = _due_today(organizations, at)
    ctx.saw("review.list", object_type="reviews", subjects=subjects_of(items))
    soon = at + timedelta(hours=24)
    return {
        "items": [review_row(item) for item in items],
        "marks": _marks_of("today", marks),
        "figures": {
            "followups": reviews.due_follow_ups(user.pk, organizations, soon).count(),
            "resolved": ended(user, at).count(),
            "reviews": reviews.due_items_of(user.pk, organizations, soon).count(),
        },
    }


def _due_today(organizations: Iterable[UUID], at: datetime) -> list[ReviewItem]:
    return reviews.due_list(organizations, at + timedelta(hours=24))


def _marks_of(part: str, marks: dict[str, dict[str, str]]) -> dict[str, str]:
    return {f"board:{one}": found[part] for one, found in marks.items()}


def ended(user: User, at: datetime) -> QuerySet[RiskAlert]:
    """Return the alerts of the person's desk that ended within a day, the latest first."""
    return (
        access.cards_for(user)
        .filter(resolved_at__gt=at - timedelta(hours=24))
        .for_cards()
        .order_by("-resolved_at")
    )


def ended_rows(alerts: Iterable[RiskAlert]) -> list[dict[str, Any]]:
    """Return rows of the list of ended alerts."""
    return [_ended_row(alert, one) for alert, one in _with_cards(alerts)]


def _ended_row(alert: RiskAlert, shown: dict[str, Any]) -> dict[str, Any]:
    outcome = Disposition(alert.disposition).label if alert.disposition else shown["state_label"]
    who = alert.assigned_to.full_name if alert.assigned_to else ""
    return shown | {
        "line": f"{outcome} · {who}" if who else outcome,
        "when_label": "Ended",
        "when": alert.resolved_at,
    }


def _with_cards(alerts: Iterable[RiskAlert]) -> list[tuple[RiskAlert, dict[str, Any]]]:
    alerts = list(alerts)
    return list(zip(alerts, cards(alerts), strict=True))


def my_cases(user: User, at: datetime) -> dict[str, Any]:
    """Return the person's open alerts as cards, and those that they ended within a day."""
    mine = RiskAlert.objects.filter(assigned_to=user).for_cards()
    recent = mine.filter(resolved_at__gt=at - timedelta(hours=24)).order_by("-resolved_at")[:50]
    working = list(mine.open().urgent_first()[:LONGEST_LIST])
    ended_lately = list(recent)
    return {
        "cards": cards(working),
        "recent": ended_rows(ended_lately),
        "subjects": subjects_of(working + ended_lately),
    }


def subjects_of(rows: Iterable[Any]) -> list[UUID]:
    """Return whose rows a list shows, for its access row."""
    return sorted({row.patient_id for row in rows if row.patient_id})


def _second_reading(review: SecondReview) -> dict[str, Any]:
    """Return one second reading that waits for a reader as a line of the board."""
    patient = review.alert.patient
    return {
        "kind": review.get_kind_display(),
        "pseudonym": patient.anonymous_id if patient else "",
        "asked_by": review.asked_by.full_name,
        "due_at": review.due_at,
        "url": reverse("crisis:alert_page", args=[review.alert_id]),
    }


def review_row(item: ReviewItem) -> dict[str, Any]:
    """Return one review item as a line; it names nobody but by pseudonym."""
    title, detail = review_words(item.reason_code)
    source_url, source_label = _source_of(item)
    return {
        "id": item.pk,
        "reason": title,
        "detail": detail,
        "pseudonym": item.patient.anonymous_id if item.patient else "",
        "due_at": item.due_at,
        "created_at": item.created_at,
        "owner": item.owner.full_name if item.owner else "",
        "url": reverse("crisis:review_detail", args=[item.pk]),
        "source_url": source_url,
        "source_label": source_label,
        "done_at": item.done_at,
        "outcome": item.outcome.replace("_", " "),
        "escalated": item.escalations,
        "told": item.supervisors_told,
    }


def _source_of(item: ReviewItem) -> tuple[str, str]:
    """Return where a task leads, and what its link says."""
    if item.reason_code == PLAN_REVIEW and item.patient_id:
        return reverse("crisis:safety_plan", args=[item.patient_id]), "Open the safety plan"
    if item.source_type == "alert" and item.source_id:
        return reverse("crisis:alert_page", args=[item.source_id]), "Open the alert"
    return "", ""


def review_page(item: ReviewItem, user: User, at: datetime) -> dict[str, Any]:
    """Return one review item as its page shows it: what comes next, or the level that it asks about.

    With a level come the signals that it was made of, as coded as on an alert's panel.
    """
    shown = review_row(item)
    if item.reason_code in RISK_REVIEWS and item.patient is not None:
        assessed = latest_assessment(item.patient.person_id)
        shown["level"] = assessed.level if assessed else ""
        if assessed is not None:
            shown["factors"] = signal_rows(told_to(user, item.patient, assessed.factors, at), at)
            shown["missing"] = missing_words(assessed.missing_inputs)
    if item.reason_code == MISSED and item.patient and item.done_at is None:
        shown["detail"] += " " + next_contact(item.patient, at)
    if item.reason_code == ALARM_BUDGET and user.role == Role.SUPERVISOR:
        shown |= {"source_url": f"{reverse('crisis:calibration')}?days=7", "source_label": "Open Calibration"}
    if item.reason_code == WELFARE:
        decide = reverse("crisis:welfare_check", args=[item.pk]) if user.role == Role.SUPERVISOR else ""
        shown |= {"is_welfare": True, "decide_url": decide}
    return shown | {"done_by": item.done_by.full_name if item.done_by else ""}


def rail_counts(user: User, at: datetime) -> dict[str, int]:
    """Return the figures beside the main navigation, in one query."""
    [found] = _rail(user.pk, desk_of(user), at + timedelta(hours=24))
    return dict(zip(RAIL, found, strict=True))


@kept
def _rail(user_id: UUID, organizations: list[UUID], soon: datetime) -> QuerySet[User, Any]:
    counted: list[QuerySet[Any]] = [
        RiskAlert.objects.waiting().filter(organization_id__in=organizations),
        RiskAlert.objects.owned().filter(assigned_to_id=user_id),
        reviews.due_follow_ups(user_id, organizations, soon),
        reviews.due_items_of(user_id, organizations, soon),
    ]
    return User.objects.filter(pk=user_id).values_list(*map(count_of, counted))


def watched(user: User, at: datetime) -> dict[str, Any]:
    """Return what a page beside the board tells of critical alerts, without a name; empty without a desk.

    Supervisors and leads have the desk of their own service off shift, too.
    """
    organizations = desk_of(user)
    if not organizations:
        return {}
    topics = alert_queries.topics(organizations)
    waiting = alert_queries.waiting_ids(organizations)
    return {
        "topics": topics,
        "waiting": [counted_row(pk, organization_id) for pk, organization_id in waiting],
        "muted": own_duty(user, at)["muted"],
    }
