"""Writes of a timeline: pin and unpin an entry, and say what one thinks of a machine's finding."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from clinical.timeline import queries
from clinical.timeline.models import FindingReview, TimelinePin, Verdict
from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from patients.registry import access
from patients.registry.queries import rows_of


@action
def pin_entry(
    *, actor: Actor, patient_id: UUID, source: str, item_id: UUID, at: datetime | None = None
) -> TimelinePin:
    """Keep an entry in view for everybody who opens this chart; a pinned one stays as it is."""
    at = clock(at)
    who = access.treated(actor, patient_id, at)
    with opening(actor, purpose="treatment") as context:
        queries.entry(context, who, source, item_id, at)
    existing = queries.locked_pin(rows_of(who), source, item_id)
    if existing is not None:
        return Unchanged(existing)  # type: ignore[return-value]
    if queries.pin_count(rows_of(who)) >= queries.MOST_PINS:
        raise RuleBroken(
            f"{queries.MOST_PINS} entries are pinned already: take one off first.", "too_many_pins"
        )
    pin = TimelinePin.objects.create(
        organization_id=who.organization_id, patient=who, source=source, item_id=item_id,
        pinned_by=actor.person, pinned_at=at,
    )  # fmt: skip
    record(actor, "timeline.pinned", pin, subject=who.pk, codes={"source": source})
    return pin


@action
def unpin_entry(
    *, actor: Actor, patient_id: UUID, source: str, item_id: UUID, at: datetime | None = None
) -> TimelinePin:
    """Take a pin off, whoever set it; NotFound where none holds."""
    at = clock(at)
    who = access.treated(actor, patient_id, at)
    pin = queries.locked_pin(rows_of(who), source, item_id)
    if pin is None:
        raise NotFound("This entry is not pinned any more.", "not_pinned")
    pin.unpinned_by, pin.unpinned_at = actor.person, at
    pin.save(update_fields=["unpinned_by", "unpinned_at", "updated_at"])
    record(actor, "timeline.unpinned", pin, subject=who.pk, codes={"source": source})
    return pin


@action
def review_finding(
    *,
    actor: Actor,
    patient_id: UUID,
    source: str,
    finding_id: UUID,
    verdict: str,
    comment: str = "",
    at: datetime | None = None,
) -> FindingReview:
    """Append what a clinician says of a finding, with what had said it; no level or note changes by it."""
    at = clock(at)
    words = comment.strip()
    if verdict not in Verdict.values:
        raise InputRefused("Say whether you accept it, reject it or only comment.", "required")
    if verdict == Verdict.COMMENTED and not words:
        raise InputRefused("Write the comment first.", "required", field="comment")
    who = access.treated(actor, patient_id, at)
    with opening(actor, purpose="treatment") as context:
        finding = queries.entry(context, who, source, finding_id, at).finding
        if finding is None:
            raise NotFound("This is no finding of a machine.", "no_finding")
        row = FindingReview(
            organization_id=who.organization_id, patient=who, kind=finding.kind, finding_id=finding_id,
            code=finding.code, said_by=finding.said_by, verdict=verdict, reviewed_by=actor.person,
            reviewed_at=at,
        )  # fmt: skip
        if words:
            context.load_keys([who.pk], create=True)
            row.comment = words
        row.save()
    codes = {"kind": finding.kind, "code": finding.code, "said_by": finding.said_by}
    record(actor, f"finding.{verdict}", row, subject=who.pk, codes=codes)
    return row
