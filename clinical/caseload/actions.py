"""Writes of a member of staff's own marks: a look, a review, and its undo."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from clinical.caseload import queries
from clinical.caseload.filters import Filters
from clinical.caseload.models import CaseMark, CaseView
from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock
from patients.registry import access

# Opening a chart again within this span of the last time is the same look: what changed stays on the page.
SAME_LOOK = timedelta(minutes=30)
MOST_VIEWS = 12


@quiet("when somebody last looked is their own mark; the look itself stands in the access log")
def note_look(*, actor: Actor, patient_id: UUID, at: datetime | None = None) -> CaseMark:
    """Note that somebody opens a chart, and return their mark: `looked_before` is the look before this.

    `looked_at` moves with each opening: what they saw of the chart then is no news on their caseload.
    """
    at = clock(at)
    mark = _mark(actor, patient_id, at, writes=False)
    if mark.looked_at is not None and at <= mark.looked_at:
        return Unchanged(mark)  # type: ignore[return-value]
    if mark.looked_at is None or at - mark.looked_at >= SAME_LOOK:
        mark.looked_before = mark.looked_at
    mark.looked_at = at
    mark.save(update_fields=["looked_at", "looked_before", "updated_at"])
    return mark


@action
def mark_reviewed(*, actor: Actor, patient_id: UUID, at: datetime | None = None) -> CaseMark:
    """Tick somebody off until something new comes."""
    at = clock(at)
    mark = _mark(actor, patient_id, at)
    mark.reviewed_before, mark.reviewed_at = mark.reviewed_at, at
    mark.save(update_fields=["reviewed_at", "reviewed_before", "updated_at"])
    record(actor, "case.reviewed", mark, subject=patient_id)
    return mark


@action
def take_back_review(*, actor: Actor, patient_id: UUID, at: datetime | None = None) -> CaseMark:
    """Undo the last tick."""
    mark = _mark(actor, patient_id, clock(at))
    if mark.reviewed_at is None:
        return Unchanged(mark)  # type: ignore[return-value]
    mark.reviewed_at, mark.reviewed_before = mark.reviewed_before, None
    mark.save(update_fields=["reviewed_at", "reviewed_before", "updated_at"])
    record(actor, "case.review_taken_back", mark, subject=patient_id)
    return mark


@action
def keep_view(*, actor: Actor, name: str, filters: Filters) -> CaseView:
    """Keep a view of one's own caseload under a name, or change the one of the same filters."""
    words = " ".join(name.split())
    if not words:
        raise InputRefused("Give the view a name.", "required", field="name")
    user = actor.person
    kept = queries.locked_views(user.pk)
    same = next((one for one in kept if Filters.read(one.filters) == filters), None)
    if same is None and len(kept) >= MOST_VIEWS:
        raise RuleBroken(f"You keep {MOST_VIEWS} views already: remove one first.", "too_many_views")
    view = same or CaseView(organization_id=user.organization_id, user=user, filters=filters.codes())
    with opening(actor, purpose="preference") as context:
        context.load_keys([view.organization_id], create=True)
        view.name = words[:60]
        view.save()
    record(actor, "case_view.kept", view, codes=filters.codes())
    return view


@action
def remove_view(*, actor: Actor, view_id: UUID) -> None:
    """Remove one of one's own views; NotFound for anybody else's."""
    view = next((one for one in queries.locked_views(actor.person.pk) if one.pk == view_id), None)
    if view is None:
        raise NotFound("This view does not exist, or it is not yours.", "not_found")
    record(actor, "case_view.removed", view)
    view.delete()


def _mark(actor: Actor, patient_id: UUID, at: datetime, *, writes: bool = True) -> CaseMark:
    who = access.treated(actor, patient_id, at, writes=writes)
    existing = queries.locked_mark(actor.person.pk, patient_id)
    if existing is not None:
        return existing
    found, _ = CaseMark.objects.get_or_create(
        user=actor.person, patient=who, defaults={"organization_id": who.organization_id}
    )
    return found
