"""Two alerts of one kind become one when two rows turn out to be one person; linking is the only door."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.audit import Actor, Unchanged, action, record
from crisis.alerts import moves, queries
from crisis.alerts.actions import raise_alert, withdraw_question
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import WAITING, Move
from crisis.alerts.timeline import append_event
from crisis.escalation import actions as escalation


@action
def merge_alerts(*, actor: Actor, person_id: UUID, linked_id: UUID, at: datetime) -> list[RiskAlert]:
    """Make one of each two open alerts of a kind, after the row `linked_id` was linked to its person.

    Return those that stay. The owned one stays, else the older; of two with owners the one of the record, and
    the other owner is told. The caller holds the person's lock.
    """
    by_kind: dict[str, list[RiskAlert]] = {}
    for alert in queries.locked_open_of(person_id):
        by_kind.setdefault(alert.kind, []).append(alert)
    kept = []
    for alerts in by_kind.values():
        keeper, *others = sorted(
            alerts,
            key=lambda one: (not one.is_owned, one.is_owned and one.patient_id == linked_id, one.raised_at),
        )
        kept += [_merge(actor, keeper, loser, at) for loser in others]
    return kept if kept else Unchanged(kept)  # type: ignore[return-value]


def _merge(actor: Actor, keeper: RiskAlert, loser: RiskAlert, at: datetime) -> RiskAlert:
    """End one alert in another, which takes over what it rests on; a higher level rises there."""
    is_news = _is_news(actor, keeper, loser)
    withdraw_question(actor=actor, alert=loser, why="merged", at=at)
    loser.status = moves.next_state(actor, loser, Move.MERGE)
    loser.merged_into = keeper
    loser.resolved_at, loser.resolved_by = at, actor.user
    loser.owner_gone_at = None
    loser.chain_beside = loser.has_unconfirmed_step = False
    moves.apply(
        actor,
        loser,
        event="merged",
        verb="alert.merged",
        at=at,
        entry=False,
        codes={"into": str(keeper.pk)},
        fields=[
            "status",
            "merged_into",
            "resolved_at",
            "resolved_by",
            "owner_gone_at",
            "chain_beside",
            "has_unconfirmed_step",
        ],
    )
    kept = raise_alert(
        actor=actor,
        organization_id=keeper.organization_id,
        patient_id=keeper.patient_id,
        kind=keeper.kind,
        level=loser.level,
        reason_code=loser.reason_code,
        facts=_merged_facts(keeper, loser),
        waiting=loser.waiting_person,
        renotify=is_news,
        at=at,
    )
    event = append_event(actor, kept, "merged_in", at, codes={"from": str(loser.pk)})
    record(actor, "alert.merged", kept, codes={"from": str(loser.pk)})
    if kept.is_owned and loser.assigned_to is not None and loser.assigned_to_id != kept.assigned_to_id:
        escalation.tell_person(actor=actor, alert=kept, user=loser.assigned_to, event=event, at=at)
    return kept


def _is_news(actor: Actor, keeper: RiskAlert, loser: RiskAlert) -> bool:
    """Whether the owner of the one that stays must hear of the other: nobody has it, or its rules are others.

    Whoever merges them as its owner knows; where nobody owns it, its chain goes on.
    """
    if keeper.assigned_to_id is None or keeper.assigned_to_id == actor.id:
        return False
    return loser.status in WAITING or not {*loser.rules_fired} <= {*keeper.rules_fired}


def _merged_facts(keeper: RiskAlert, loser: RiskAlert) -> dict[str, Any]:
    """Return what an alert rests on once it stands for two: its own factors first, with their shares."""
    return {
        "rules_fired": loser.rules_fired,
        "factors": [*keeper.factors, *(one | {"share": None} for one in loser.factors)],
        "evidence": loser.evidence,
        "third_party": loser.third_party,
    }
