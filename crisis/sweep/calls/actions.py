"""Many due steps of one organization in one transaction: the calls, and whether they were confirmed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cortex.audit import Actor, Unchanged, action, record
from cortex.clock import clock
from crisis.alerts import queries as alert_queries
from crisis.alerts.actions import report_no_cover
from crisis.alerts.models import RiskAlert
from crisis.escalation import actions as escalation
from crisis.escalation import queries as escalation_queries
from crisis.escalation.firing import unconfirmed
from crisis.escalation.models import AlertStep, StepKind
from crisis.sweep.calls import queries

# Whatever else may be due is rare, and runs by itself.
KINDS = (StepKind.CHAIN, StepKind.CONFIRM)


@dataclass(slots=True)
class Sorted:
    """What is to be done with the steps of a batch."""

    calls: list[tuple[RiskAlert, AlertStep]] = field(default_factory=list)
    done: list[tuple[RiskAlert, AlertStep]] = field(default_factory=list)
    unconfirmed: list[tuple[RiskAlert, AlertStep]] = field(default_factory=list)
    left: list[UUID] = field(default_factory=list)


@action
def run_calls(
    *, actor: Actor, organization_id: UUID, step_ids: Iterable[UUID], at: datetime | None = None
) -> tuple[int, list[UUID]]:
    """Run those of these due steps that can run together; return how many ran, and which must run alone.

    It takes the locks that are free and waits for none: whoever works on a person goes on, and a step of
    theirs runs alone. So does one that isn't a call, or that sets off the next one. What another sweeper has
    is left to it. A step that raises an error takes the whole batch back: then each runs alone.
    """
    ids = list(step_ids)
    steps = queries.locked_calls(ids, clock(at))
    alerts = alert_queries.locked_at_once({step.alert_id for step in steps})
    at = clock(at)
    order = {pk: place for place, pk in enumerate(ids)}
    steps.sort(key=lambda step: order[step.pk])
    found = _sort(steps, alerts)
    ran = [*found.done, *found.unconfirmed, *found.calls]
    if not ran:
        return Unchanged((0, found.left))  # type: ignore[return-value]
    for alert, step in found.unconfirmed:
        unconfirmed(actor, alert, step, at)
    escalation.note_unconfirmed(actor=actor, alerts=[alert for alert, _ in found.unconfirmed], at=at)
    uncovered = escalation.advance_chains(
        actor=actor, organization_id=organization_id, calls=found.calls, at=at
    )
    escalation.finish_steps(actor=actor, steps=[step for _, step in ran], at=at)
    fresh = [(alert, step) for alert, step in ran if step.outcome != "stale"]
    for alert, step in fresh:
        codes = {"kind": step.kind, "outcome": step.outcome, "position": step.position}
        record(actor, "step.run", alert, codes=codes)
    if uncovered and not queries.has_incident(organization_id):
        report_no_cover(actor=actor, organization_id=organization_id, at=at)
    answer = (len(ran), found.left)
    return answer if fresh else Unchanged(answer)  # type: ignore[return-value]


def _sort(steps: list[AlertStep], alerts: dict[UUID, RiskAlert]) -> Sorted:
    """Say what happens to each step; once one of an alert must run alone, so do those that follow it."""
    confirmed = escalation_queries.confirmed_of(
        UUID(step.codes["step"]) for step in steps if step.kind == StepKind.CONFIRM
    )
    found, alone = Sorted(), set()
    for step in steps:
        alert = alerts.get(step.alert_id)
        if alert is None or alert.pk in alone:
            found.left.append(step.pk)
        elif step.epoch != alert.epoch:
            step.outcome = "stale"
            found.done.append((alert, step))
        elif step.kind == StepKind.CHAIN:
            found.calls.append((alert, step))
        elif UUID(step.codes["step"]) in confirmed:
            step.outcome = "confirmed"
            found.done.append((alert, step))
        elif alert.chain_position >= len(alert.policy["chain"]):
            # Everybody has been asked: nothing more is set off, it only shows.
            step.outcome = "unconfirmed"
            found.unconfirmed.append((alert, step))
        else:
            alone.add(alert.pk)
            found.left.append(step.pk)
    return found
