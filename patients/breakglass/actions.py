"""Writes of opened charts: break the glass, end it, confirm once more, judge it, close its incident."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from cortex.access.context import opening
from cortex.accounts.choices import Role
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.ops.notices.actions import notify
from patients.breakglass import queries
from patients.breakglass.models import BreakGlassGrant
from patients.care.actions import end_grant, grant_access
from patients.codes import GlassReason, GlassVerdict, GrantReason
from patients.registry import access
from patients.registry.predicate import CHART

# Clinicians; a counselor reaches people by claims, the office not at all (domain 1.2, decision 38).
BREAKERS = frozenset({Role.THERAPIST, Role.PSYCHIATRIST, Role.SUPERVISOR})
HOURS, MOST_HOURS = 4, 12
REVIEW_WITHIN = timedelta(hours=72)
# Whoever asks for nobody so often within an hour guesses.
MOST_MISSES, MISSES_WITHIN = 5, timedelta(hours=1)
SHORTEST_WORDS = 10


@action
def break_glass(
    *, actor: Actor, asked: str, reason_code: str, reason: str, hours: int = HOURS, at: datetime | None = None
) -> BreakGlassGrant | None:
    """Open the chart of the one person whom `asked` (pseudonym, telephone, e-mail) names exactly.

    None when it names nobody, or more than one: both are the same answer, and counted. Nobody is looked for
    before the reason holds. Raises NotFound for a role that may not, InputRefused with the field,
    RuleBroken `too_many_misses`, or `already_open` with `patient_id` when the chart is open to them anyway.
    """
    if actor.role not in BREAKERS:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    _check(reason_code, reason, hours)
    at = clock(at)
    user = actor.person
    queries.take_turn(user.pk)
    if queries.misses(user.pk, at - MISSES_WITHIN) >= MOST_MISSES:
        raise RuleBroken(
            "You asked for nobody five times within an hour. Ask your supervisor.", "too_many_misses"
        )
    patient = queries.exactly(user, asked)
    if patient is None:
        record(actor, queries.MISSED, None, codes={"reason": reason_code})
        return None
    if access.relations(actor, {patient.pk}, CHART, at):
        raise RuleBroken("This chart is open to you already.", "already_open", patient_id=str(patient.pk))
    grant = grant_access(
        actor=actor, patient_id=patient.pk, user_id=user.pk, reason_code=GrantReason.BREAK_GLASS,
        ends_at=at + timedelta(hours=hours), permission=CHART, reason=reason.strip(), at=at,
    )  # fmt: skip
    one = BreakGlassGrant.objects.create(
        pk=grant.pk, organization_id=patient.organization_id, patient=patient, user=user, grant=grant,
        reason_code=reason_code, review_due_at=at + REVIEW_WITHIN,
    )  # fmt: skip
    notify(
        actor=actor, organization_id=patient.organization_id, user_ids=queries.to_tell(patient, at),
        code="break_glass", object_type="patients.BreakGlassGrant", object_id=one.pk,
        codes={"patient": str(patient.pk), "reason": reason_code, "by": str(user.pk)},
    )  # fmt: skip
    codes = {"reason": reason_code, "hours": hours}
    record(actor, "break_glass.opened", one, subject=patient.pk, codes=codes)
    return one


def _check(reason_code: str, reason: str, hours: int) -> None:
    if reason_code not in GlassReason.values:
        raise InputRefused("Choose the reason.", "required", field="reason_code")
    if len(reason.strip()) < SHORTEST_WORDS:
        raise InputRefused("Say in a sentence why it can't wait: it is reviewed.", "required", field="reason")
    if not 1 <= hours <= MOST_HOURS:
        raise InputRefused(f"One to {MOST_HOURS} hours.", "hours_range", field="hours")


@action
def end_break_glass(*, actor: Actor, patient_id: UUID, at: datetime | None = None) -> BreakGlassGrant:
    """Close a chart again before its time; NotFound when the actor has none open."""
    at = clock(at)
    one = queries.running_of(actor.person, patient_id, at)
    if one is None:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    one.grant = end_grant(actor=actor, grant_id=one.grant_id, at=at)
    record(actor, "break_glass.ended", one, subject=one.patient_id)
    return one


@action
def confirm_protected(*, actor: Actor, patient_id: UUID, at: datetime | None = None) -> BreakGlassGrant:
    """Confirm a second time that this emergency needs psychotherapy and Part 2 notes as well (7.4)."""
    at = clock(at)
    one = queries.running_of(actor.person, patient_id, at)
    if one is None:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    if one.protected_at is not None:
        return Unchanged(one)  # type: ignore[return-value]
    one.protected_at = at
    one.save(update_fields=["protected_at", "updated_at"])
    record(actor, "break_glass.protected_confirmed", one, subject=one.patient_id)
    return one


@action
def review_break_glass(
    *, actor: Actor, glass_id: UUID, verdict: str, note: str, at: datetime | None = None
) -> BreakGlassGrant:
    """Judge an opened chart; an inappropriate one is an incident, and its user's supervisors are told.

    Raises NotFound, InputRefused with the field, RuleBroken `already_done`.
    """
    one = _for_compliance(actor, glass_id)
    if verdict not in GlassVerdict.values:
        raise InputRefused("Say whether it was appropriate.", "required", field="verdict")
    if not note.strip():
        raise InputRefused("Say what you found.", "required", field="note")
    if one.reviewed_at is not None:
        raise RuleBroken("Somebody has judged this already.", "already_done")
    at = clock(at)
    one.verdict, one.reviewed_at, one.reviewed_by = verdict, at, actor.user
    with opening(actor, purpose="break_glass") as context:
        context.load_keys([one.patient_id])
        one.review_note = note.strip()
        one.save(update_fields=["verdict", "reviewed_at", "reviewed_by", "review_note", "updated_at"])
    record(actor, "break_glass.reviewed", one, fields=["verdict", "review_note"], codes={"verdict": verdict})
    if verdict == GlassVerdict.INAPPROPRIATE:
        end_grant(actor=actor, grant_id=one.grant_id, at=at)
        _open_incident(actor, one)
    return one


def _open_incident(actor: Actor, one: BreakGlassGrant) -> None:
    leads = queries.active_users(organization_id=one.organization_id, roles=[Role.SUPERVISOR, Role.ADMIN])
    notify(
        actor=actor, organization_id=one.organization_id, code="break_glass_incident",
        user_ids=set(leads.values_list("pk", flat=True)) - {one.user_id},
        object_type="patients.BreakGlassGrant", object_id=one.pk, codes={"by": str(one.user_id)},
    )  # fmt: skip
    record(actor, "incident.opened", one, codes={"kind": "break_glass", "user": str(one.user_id)})


@action
def close_incident(*, actor: Actor, glass_id: UUID, note: str, at: datetime | None = None) -> BreakGlassGrant:
    """Write what was done about an inappropriate opening; NotFound, InputRefused, RuleBroken as above."""
    one = _for_compliance(actor, glass_id)
    if not note.strip():
        raise InputRefused("Say what was done.", "required", field="note")
    if not one.is_open_incident:
        raise RuleBroken("There is no open incident here.", "already_done")
    one.incident_closed_at = clock(at)
    with opening(actor, purpose="break_glass") as context:
        context.load_keys([one.patient_id])
        one.incident_note = note.strip()
        one.save(update_fields=["incident_closed_at", "incident_note", "updated_at"])
    record(actor, "incident.closed", one, fields=["incident_note"], codes={"kind": "break_glass"})
    return one


def _for_compliance(actor: Actor, glass_id: UUID) -> BreakGlassGrant:
    """Lock one of the actor's organization; nobody judges their own."""
    one = queries.locked(glass_id, actor.organization_id) if actor.role == Role.COMPLIANCE else None
    if one is None or one.user_id == actor.id:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    return one
