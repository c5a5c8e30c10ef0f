"""Writes of review items and follow-ups: make, do, escalate, plan, sweep."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from cortex.access.context import opening
from cortex.accounts.models import Role
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.ui.zone import zone_of
from crisis.alerts.models import Disposition, RiskAlert
from crisis.duty.queries import READERS
from crisis.reviews import queries
from crisis.reviews.contacts import by_day
from crisis.reviews.models import (
    ALARM_BUDGET,
    FIRST_CONTACT,
    PAPERS,
    PLAN_REVIEW,
    RISK_REVIEWS,
    STANDING,
    VERIFY_LINES,
    WELFARE,
    FollowUp,
    FollowUpStatus,
    ReviewItem,
    SecondReview,
)
from patients.contacts.actions import mark_read
from patients.registry.models import Patient
from patients.registry.queries import rows_of

# [P] product policy, domain 3.5 (medium) and 3.9 (series of contacts after an alert).
MEDIUM_DUE = timedelta(hours=24)
ESCALATE_EVERY = timedelta(hours=24)
# How long after an alert's end somebody looks whether the level still stands (domain 4.5).
LOOK_AGAIN = timedelta(hours=24)
SERIES = {
    "critical": {"24h": 24, "72h": 72, "7d": 168, "14d": 336, "30d": 720, "60d": 1440, "90d": 2160},
    "high": {"48h": 48, "7d": 168, "30d": 720},
}
# After an emergency department or a hospital they are called within a day and within three, at any level.
AFTER_HOSPITAL = {"24h": 24, "72h": 72, "7d": 168}
HOSPITALS = frozenset({
    Disposition.EMERGENCY_DEPARTMENT, Disposition.ADMITTED_VOLUNTARY, Disposition.ADMITTED_INVOLUNTARY,
})  # fmt: skip
# A contact of the series this close to the agreed first one is that first one.
SAME_CONTACT = timedelta(hours=12)
# An exception from the consent emergency_contact (domain 7.1), read by somebody else within a day.
CONTACTS_OPENED = "contacts_opened"
# Checks of what colleagues did, who don't tick them off for each other, and what supervisors alone may read.
CALLER_LINKED = "caller_linked"
SUPERVISORS_OWN = frozenset({CALLER_LINKED, "postvention", CONTACTS_OPENED, ALARM_BUDGET})
# Done without a second reader, so a clinician who didn't do it reads it afterwards (domain 3.7).
AFTER_THE_FACT = "after_the_fact_review"
OUTCOMES = ("reviewed", "contacted", "measure_offered", "raised_alert", "no_action_needed")
# Of a first contact a try that nobody answered counts (domain 3.5: first contact attempt).
CONTACT_OUTCOMES = ("contacted", "tried", "raised_alert", "no_action_needed")
MISSED = "follow_up_missed"


@action
def make_item(
    *,
    actor: Actor,
    organization_id: UUID,
    patient: Patient | None,
    reason_code: str,
    source_type: str = "",
    source_id: UUID | None = None,
    due_at: datetime | None = None,
    owner_id: UUID | None = None,
    at: datetime | None = None,
) -> ReviewItem:
    """Make one task for the primary clinician, else the desk; an open one of the same reason stands."""
    at = clock(at)
    existing = (
        ReviewItem.objects.open()
        .filter(organization_id=organization_id, patient=patient, reason_code=reason_code)
        .first()
    )
    if existing is not None:
        return Unchanged(existing)  # type: ignore[return-value]
    due = due_at or at + MEDIUM_DUE
    item = ReviewItem.objects.create(
        organization_id=organization_id,
        patient=patient,
        reason_code=reason_code,
        source_type=source_type,
        source_id=source_id,
        due_at=due,
        next_escalation_at=due,
        owner_id=owner_id or (patient.primary_clinician_id if patient else None),
    )
    record(actor, "review.opened", item, codes={"reason": reason_code})
    return item


@action
def finish_item(
    *, actor: Actor, item_id: UUID, outcome: str, note: str = "", level: str = "", at: datetime | None = None
) -> ReviewItem:
    """Mark a task as done, with what came of it.

    `level` is what the reader of a risk review stated; `crisis.decisions` puts it into the ledger.
    """
    item = queries.locked_item(item_id)
    at = clock(at)
    queries.refuse_stranger(actor, item)
    if item is None or item.done_at is not None:
        raise RuleBroken("Somebody has done this already.", "already_done")
    _refuse_outcome(item, outcome, note)
    if outcome == "reviewed" and item.reason_code in RISK_REVIEWS and not level:
        raise InputRefused("Say whether the level is right.", "required", field="level")
    if outcome == "reviewed" and item.reason_code == PLAN_REVIEW:
        raise InputRefused("Say so on the plan's page: that ends this task.", "on_its_page", field="outcome")
    if item.reason_code in SUPERVISORS_OWN and actor.role != Role.SUPERVISOR:
        raise RuleBroken("A supervisor has to do this one.", "supervisor_needed")
    if item.reason_code == CALLER_LINKED and queries.linked_by(actor.id, item):
        raise RuleBroken("You said who this is: another supervisor looks at it.", "own_deed")
    if item.reason_code == AFTER_THE_FACT:
        _refuse_own_deed(actor, item)
    if item.reason_code == CONTACTS_OPENED and item.patient is not None:
        mark_read(actor=actor, person_id=item.patient.person_id, at=at)
    item.done_at, item.done_by, item.outcome = at, actor.user, outcome
    item.next_escalation_at = None
    with opening(actor, purpose="review") as context:
        if note.strip():
            context.load_keys([item.sealed_for], create=True)  # type: ignore[list-item]
            item.outcome_note = note.strip()
        item.save()
    codes = {"outcome": outcome} | ({"level": level} if level else {})
    record(actor, "review.done", item, fields=["done_at", "outcome"], codes=codes)
    if item.reason_code in RISK_REVIEWS and (outcome == "contacted" or level == "low"):
        ended = "contacted" if outcome == "contacted" else "no_action_needed"
        close_first_contact(actor=actor, patient=item.patient, outcome=ended, at=at)
    return item


def _refuse_outcome(item: ReviewItem, outcome: str, note: str) -> None:
    is_contact = item.reason_code == FIRST_CONTACT
    if outcome not in (CONTACT_OUTCOMES if is_contact else OUTCOMES):
        raise InputRefused("Choose what came of it.", "required", field="outcome")
    if item.reason_code == WELFARE:
        raise InputRefused("A supervisor decides this on its page.", "on_its_page", field="outcome")
    if is_contact and outcome == "no_action_needed" and not note.strip():
        raise InputRefused("Say why nobody has to be reached.", "required", field="note")


@action
def close_first_contact(
    *, actor: Actor, patient: Patient | None, outcome: str, at: datetime
) -> ReviewItem | None:
    """Stop the clock of the first contact at medium: somebody reached the person, or tried (`tried`)."""
    if patient is None:
        return Unchanged(None)  # type: ignore[return-value]
    done = close_item(
        actor=actor, patient_id=patient.person_id, reason_code=FIRST_CONTACT, outcome=outcome, at=at
    )
    return Unchanged(done)  # type: ignore[return-value]


@action
def note_reached(*, actor: Actor, patient: Patient | None, at: datetime) -> None:
    """Put away what was asked because nobody had reached a locked person, by whatever way they were reached.

    That is the first contact at medium, the missed contacts, and the welfare check that unanswered tries
    asked for; the one that an alert's end asks for stays.
    """
    if patient is None:
        return Unchanged(None)  # type: ignore[return-value]
    ids = rows_of(patient)
    close_first_contact(actor=actor, patient=patient, outcome="contacted", at=at)
    FollowUp.objects.filter(patient_id__in=ids, supervisor_at__isnull=False).update(supervisor_at=None)
    for patient_id in ids:
        close_missed(actor=actor, patient_id=patient_id, outcome="contacted", at=at)
        asked = queries.open_item_of(patient_id, WELFARE)
        if asked is not None and asked.source_type == "follow_up":
            close_item(actor=actor, patient_id=patient_id, reason_code=WELFARE, outcome="contacted", at=at)
    return Unchanged(None)  # type: ignore[return-value]


def _refuse_own_deed(actor: Actor, item: ReviewItem) -> None:
    if actor.role not in READERS:
        raise RuleBroken("A therapist, psychiatrist or supervisor has to do this one.", "clinician_needed")
    if item.source_id is not None and queries.alert_ended_by(item.source_id) == actor.id:
        raise RuleBroken("You ended this alert: somebody else reads what was done.", "own_deed")


@action
def hand_over(*, actor: Actor, patient_ids: Iterable[UUID], from_id: UUID | None, to_id: UUID | None) -> int:
    """Give the open tasks and promised contacts of these people to somebody else (None: the desk).

    `from_id` None takes them from whoever has them. Papers stay with who wrote them: nobody else can sign
    what a task of theirs is about. Return how many moved.
    """
    people = list(patient_ids)
    tasks = ReviewItem.objects.open().filter(patient_id__in=people, owner__isnull=False)
    tasks = tasks.exclude(reason_code__in=PAPERS)
    contacts = FollowUp.objects.filter(patient_id__in=people, status__in=STANDING, owner__isnull=False)
    if from_id is not None:
        tasks, contacts = tasks.filter(owner=from_id), contacts.filter(owner=from_id)
    count = tasks.update(owner=to_id) + contacts.update(owner=to_id)
    if not count:
        return Unchanged(0)  # type: ignore[return-value]
    codes = {"from": str(from_id or ""), "to": str(to_id or ""), "count": count}
    record(actor, "review.handed_over", None, subject=people[0] if len(people) == 1 else None, codes=codes)
    return count


@action
def escalate_item(
    *, actor: Actor, item_id: UUID, every: timedelta = ESCALATE_EVERY, at: datetime | None = None
) -> ReviewItem | None:
    """Mark an overdue task, and again after `every` until somebody does it; None when none is due."""
    item = queries.locked_item(item_id)
    at = clock(at)
    if item is None or item.next_escalation_at is None or item.next_escalation_at > at:
        return Unchanged(None)  # type: ignore[return-value]
    item.escalations += 1
    item.next_escalation_at = at + every
    item.save(update_fields=["escalations", "next_escalation_at", "updated_at"])
    record(actor, "review.escalated", item, codes={"times": item.escalations, "reason": item.reason_code})
    return item


@action
def withdraw_review(*, actor: Actor, alert: RiskAlert, why: str, at: datetime) -> SecondReview | None:
    """Close the pending second review of a locked alert that has changed since it was asked, undecided.

    `why` is level_raised, released or taken_over. Return None when none was pending.
    """
    review = queries.pending_of(alert.pk)
    if review is None:
        return Unchanged(None)  # type: ignore[return-value]
    review.decided_at, review.agreed = at, False
    review.save(update_fields=["decided_at", "agreed", "updated_at"])
    record(actor, "review.withdrawn", review, subject=alert.patient_id, codes={"why": why})
    close_welfare_question(actor=actor, alert=alert, at=at)
    return review


@action
def close_welfare_question(*, actor: Actor, alert: RiskAlert, at: datetime) -> ReviewItem | None:
    """Put away the question about a welfare check that an alert's end asked: it doesn't end so now."""
    if alert.patient_id is None:
        return Unchanged(None)  # type: ignore[return-value]
    done = close_item(
        actor=actor, patient_id=alert.patient_id, reason_code=WELFARE, outcome="no_action_needed", at=at,
        source_id=alert.pk,
    )  # fmt: skip
    return Unchanged(done)  # type: ignore[return-value]


@action
def plan_follow_ups(
    *, actor: Actor, alert: RiskAlert, first: datetime | None, at: datetime
) -> list[FollowUp]:
    """Write the contacts that an alert's end promises: the agreed first one, then the level's series.

    The series falls into the day where the service is; the first one stands as it was agreed, and takes the
    place of the one that it is near to, by the hour that was promised or by the day that it was moved into.
    """
    if first is None or alert.patient_id is None:
        return Unchanged([])  # type: ignore[return-value]
    dates, zone = {"first": first}, zone_of(alert.organization.default_timezone)
    series = SERIES[alert.level] | (AFTER_HOSPITAL if alert.disposition in HOSPITALS else {})
    for label, hours in series.items():
        promised = at + timedelta(hours=hours)
        due = by_day(promised, zone)
        if min(abs(due - first), abs(promised - first)) > SAME_CONTACT:
            dates[label] = due
    rows = FollowUp.objects.bulk_create(
        FollowUp(
            organization_id=alert.organization_id,
            alert=alert,
            patient_id=alert.patient_id,
            due_at=due,
            label=label,
            owner_id=alert.assigned_to_id,
        )
        for label, due in dates.items()
    )
    record(actor, "follow_up.planned", alert, codes={"count": len(rows)})
    return rows


@action
def cancel_follow_ups(
    *, actor: Actor, alert: RiskAlert, cause: RiskAlert | None = None, at: datetime | None = None
) -> int:
    """Cancel the contacts of an end that was taken back; the next end promises its own.

    Of another alert's contacts `cause` is whose end cancels them: they come back when that is taken back.
    """
    standing = FollowUp.objects.filter(alert=alert, status__in=STANDING)
    if cause is None:  # what another alert's end had cancelled of this end doesn't come back either
        FollowUp.objects.filter(alert=alert, cancelled_for__isnull=False).update(cancelled_for=None)
    count = standing.update(status=FollowUpStatus.CANCELLED, cancelled_for=cause.pk if cause else None)
    if not count:
        return Unchanged(0)  # type: ignore[return-value]
    record(actor, "follow_up.cancelled", alert, codes={"count": count})
    at = clock(at)
    close_missed(actor=actor, patient_id=alert.patient_id, outcome="no_action_needed", at=at)
    asked_by = queries.welfare_asked_by(alert.pk)
    if alert.patient_id is not None and asked_by is not None:
        close_item(
            actor=actor, patient_id=alert.patient_id, reason_code=WELFARE, outcome="no_action_needed", at=at,
            source_id=asked_by,
        )  # fmt: skip
    return count


@action
def restore_follow_ups(*, actor: Actor, cause: RiskAlert) -> int:
    """Promise again what this alert's end cancelled of others; what is late by now is swept anew."""
    rows = FollowUp.objects.filter(
        patient__person_id=cause.person_id, cancelled_for=cause.pk, status=FollowUpStatus.CANCELLED
    )
    count = rows.update(status=FollowUpStatus.DUE, cancelled_for=None, swept_at=None)
    if not count:
        return Unchanged(0)  # type: ignore[return-value]
    record(actor, "follow_up.restored", cause, codes={"count": count})
    return count


@action
def close_missed(*, actor: Actor, patient_id: UUID | None, outcome: str, at: datetime) -> ReviewItem | None:
    """Close the task about missed contacts once none stands any more; the person is locked."""
    if patient_id is None or queries.has_missed(patient_id):
        return Unchanged(None)  # type: ignore[return-value]
    done = close_item(actor=actor, patient_id=patient_id, reason_code=MISSED, outcome=outcome, at=at)
    return Unchanged(done)  # type: ignore[return-value]


@action
def close_item(
    *, actor: Actor, patient_id: UUID, reason_code: str, outcome: str, at: datetime,
    source_id: UUID | None = None,
) -> ReviewItem | None:  # fmt: skip
    """Close the open task of a person for a reason, since what it asked for was done; None without one.

    With a `source_id` only the task that came of that row: what something else asked for stays.
    """
    item = queries.open_item_of(patient_id, reason_code)
    if item is None or source_id not in (None, item.source_id):
        return Unchanged(None)  # type: ignore[return-value]
    item.done_at, item.done_by, item.outcome = at, actor.user, outcome
    item.next_escalation_at = None
    item.save(update_fields=["done_at", "done_by", "outcome", "next_escalation_at", "updated_at"])
    record(actor, "review.done", item, fields=["done_at", "outcome"], codes={"outcome": outcome})
    return item


@action
def sweep_follow_up(*, actor: Actor, follow_up_id: UUID, at: datetime | None = None) -> FollowUp | None:
    """Make a task of a follow-up whose time passed: a missed contact is somebody's duty, not silence."""
    row = queries.locked_follow_up(follow_up_id)
    at = clock(at)
    if row is None or row.status != FollowUpStatus.DUE:
        return Unchanged(row)  # type: ignore[return-value]
    row.status, row.swept_at = FollowUpStatus.MISSED, at
    row.save(update_fields=["status", "swept_at", "updated_at"])
    make_item(
        actor=actor,
        organization_id=row.organization_id,
        patient=row.patient,
        reason_code=MISSED,
        source_type="follow_up",
        source_id=row.pk,
        due_at=at,
        at=at,
    )
    record(actor, "follow_up.missed", row)
    return row


@action
def ask_to_verify(*, actor: Actor, at: datetime | None = None) -> list[ReviewItem]:
    """Open one task per organization whose crisis lines are due for a check; the desk rings them."""
    at = clock(at)
    items = [
        make_item(
            actor=actor,
            organization_id=organization_id,
            patient=None,
            reason_code=VERIFY_LINES,
            source_type="resources",
            due_at=at + timedelta(days=7),
            at=at,
        )
        for organization_id in queries.organizations_with_stale_lines(at)
    ]
    return Unchanged(items)  # type: ignore[return-value]
