"""Outcomes in the words of their card; no query, nothing is opened here."""

from __future__ import annotations

from typing import Any

from clinical.plans.outcomes.queries import SPAN, Outcomes
from clinical.plans.wording import percent
from clinical.scheduling.models import Status
from cortex.ui.templatetags.ui import day
from crisis.alerts.states import Status as State

# The worst first.
LEVELS = ("critical", "high", "medium", "low")


def outcome_card(found: Outcomes) -> dict[str, Any]:
    """Return what a card says of outcomes: attendance, the days on which nobody came, what else, alerts."""
    held, missed = len(found.beginnings(Status.HELD)), found.beginnings(Status.NO_SHOW)
    off, silent = len(found.beginnings(Status.CANCELLED)), len(found.beginnings(Status.SCHEDULED))
    rest = [_counted(off, "called off"), _counted(silent, "not noted yet")]
    return {
        "days": SPAN.days,
        "attendance": percent(found.attendance),
        "kept": f"{held} of {found.due} took place" if found.due else "",
        "missed": [day(one) for one in missed],
        "rest": ", ".join(filter(None, rest)),
        "alerts": _alert_words(found.alerts),
        "alert_count": len(found.alerts),
    }


def _counted(count: int, words: str) -> str:
    return f"{count} {words}" if count else ""


def _alert_words(alerts: list[tuple[str, str]]) -> str:
    """Return how many alerts of each level there were, and how many of all were false alarms."""
    levels = [level for level, _ in alerts]
    told = [_counted(levels.count(level), level) for level in LEVELS]
    false = sum(status == State.FALSE_ALARM for _, status in alerts)
    told.append(f"{false} of them {'a false alarm' if false == 1 else 'false alarms'}" if false else "")
    return ", ".join(filter(None, told))
