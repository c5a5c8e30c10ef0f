"""The watchdog's own look at everybody's alerts: plain SQL over a connection of its own.

It reads the clocks from the tables by its own reading of domain 3.5 and shares no line with what runs them:
a fault there must not be repeated here.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo

# Later than this, a step counts as missed: the sweeper runs each within a second, or ten after a failure.
GRACE_SECONDS = 15
# A session that says nothing for so long is ended by the server: it may hold the watchdogs' turn.
LIMITS = "-c statement_timeout=10s -c idle_session_timeout=90s -c application_name=cortex_watchdog"
TURN = "SELECT pg_try_advisory_lock(hashtextextended('cortex.watchdog', 0))"
# Words on a timeline that change nothing about who is called next, and when.
SAYS_ONLY = [
    "notified", "note", "evidence_added", "renotified", "source_opened", "step_skipped", "step_unconfirmed",
    "step_failed", "confirmed_late", "claim_warned", "owner_told", "supervisor_told",
]  # fmt: skip
LOOK = """
WITH moment AS MATERIALIZED (
    SELECT coalesce(%(at)s, clock_timestamp()) AS now
), waits AS MATERIALIZED (
    -- Nobody has claimed it, or its owner is away and the chain runs beside them.
    SELECT a.*, jsonb_array_length(a.policy->'chain') AS steps
    FROM crisis_riskalert a
    WHERE a.status IN ('new', 'notified')
       OR (a.chain_beside AND a.status IN ('acknowledged', 'in_contact', 'monitoring'))
), heard AS (
    SELECT w.*,
        (SELECT max(e.occurred_at) FROM crisis_alertevent e
         WHERE e.alert_id = w.id AND e.kind IN ('raised', 'step_fired')) AS called_at,
        (SELECT max(e.occurred_at) FROM crisis_alertevent e
         WHERE e.alert_id = w.id AND NOT e.kind = ANY(%(says_only)s)) AS changed_at
    FROM waits w
), clocks AS (
    SELECT h.*,
        -- The next step of the chain is due at its time on the level's clock; past the end the last one is
        -- repeated. Neither comes before the last thing that set the clocks anew.
        CASE WHEN chain_position < steps
            THEN greatest(
                level_since + make_interval(secs => (policy->'chain'->chain_position->>'after')::int),
                changed_at)
            ELSE changed_at + make_interval(secs => (policy->>'repeat_seconds')::int)
        END AS call_due,
        -- Of a critical alert, and of a person who waits, it is asked after 30 s whether anybody has heard.
        CASE WHEN status = 'new' AND (level = 'critical' OR waiting_person) AND NOT has_unconfirmed_step
                  AND called_at >= level_since
                  AND NOT EXISTS (SELECT 1 FROM crisis_notificationattempt n
                                  WHERE n.alert_id = h.id AND n.state = 'confirmed')
            THEN called_at + make_interval(secs => (policy->>'confirm_seconds')::int)
        END AS confirm_due
    FROM heard h
), judged AS (
    SELECT c.*,
        coalesce(least(call_due, confirm_due) < moment.now - %(grace)s * interval '1 second', true)
            AS is_overdue,
        EXISTS (SELECT 1 FROM crisis_alertstep s WHERE s.alert_id = c.id AND s.kind = 'chain'
                AND s.epoch = c.epoch AND s.done_at IS NULL) AS has_next
    FROM clocks c, moment
)
SELECT
    count(*) FILTER (WHERE is_overdue) AS overdue,
    count(*) FILTER (WHERE NOT has_next) AS stranded,
    count(*) FILTER (WHERE status IN ('new', 'notified')) AS waiting,
    crisis_waiting_alerts() AS waiting_in_truth,
    coalesce(bool_or(id = %(canary)s), false) AS sees_canary,
    (SELECT count(*) FROM crisis_alertstep s, moment WHERE s.done_at IS NULL
        AND s.due_at < moment.now - %(grace)s * interval '1 second') AS late_steps,
    coalesce((SELECT extract(epoch FROM moment.now - b.last_run_at) FROM ops_serviceheartbeat b, moment
        WHERE b.name = 'sweeper') <= %(grace)s, false) AS sweeps
FROM judged
"""


class Blind(Exception):
    """The look doesn't see every alert that waits: what it counts is worth nothing."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found: alerts overdue by their clocks, alerts without a next step, due rows not run."""

    overdue: int
    stranded: int
    late_steps: int
    sweeps: bool

    @property
    def codes(self) -> list[str]:
        """What is wrong, by code."""
        found = {
            "overdue_alerts": self.overdue > 0,
            "no_next_step": self.stranded > 0,
            "late_steps": self.late_steps > 0,
            "sweeper_stopped": not self.sweeps,
        }
        return [code for code, is_wrong in found.items() if is_wrong]


class Eyes:
    """One connection for one round; leaving it gives the turn back."""

    def __init__(self, address: str) -> None:
        self.connection: psycopg.Connection[Any] = psycopg.connect(address, autocommit=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(psycopg.Error):  # the server takes the turn back with the connection, a little later
            self.connection.execute("SELECT pg_advisory_unlock_all()")
        self.connection.close()

    def take_turn(self) -> bool:
        """Whether no other watchdog is in a round now; this one has the turn until it closes its eyes."""
        row = self.connection.execute(TURN).fetchone()
        return row is not None and bool(row[0])

    def look(self, canary: UUID | None) -> Look:
        """Look now; see `look`."""
        return look(self.connection, canary)


def look(connection: psycopg.Connection[Any], canary: UUID | None, at: datetime | None = None) -> Look:
    """Count what is overdue; raise Blind unless every waiting alert is seen, the canary among them.

    Row-level security shows a role nothing rather than refusing it. So the count is held against one that
    the database makes with its owner's rights, and against a row that is known to wait at this moment.
    """
    values = {"grace": GRACE_SECONDS, "canary": canary, "says_only": SAYS_ONLY, "at": at}
    row = connection.execute(LOOK, values).fetchone()
    if row is None:
        raise Blind
    overdue, stranded, waiting, in_truth, sees_canary, late_steps, sweeps = row
    if waiting != in_truth or not sees_canary:
        raise Blind
    return Look(overdue, stranded, late_steps, sweeps)


def address_of(database: dict[str, Any]) -> str:
    """Return the address of a database of the settings, with this look's own limits."""
    options = {name: value for name, value in database["OPTIONS"].items() if isinstance(value, str)}
    own = {"options": f"{options.pop('options', '')} {LIMITS}".strip()}
    return make_conninfo(
        "", **options, **own, host=database["HOST"], port=database["PORT"] or None, dbname=database["NAME"],
        user=database["USER"], password=database["PASSWORD"] or None,
    )  # fmt: skip
