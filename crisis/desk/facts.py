"""What a board rests on, read as versions of rows by one statement; what they show is read elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.accounts.models import User
from cortex.ops.postgres.planned import planned_cursor
from cortex.ops.watched import WATCHDOG, late_by
from crisis.alerts import access
from crisis.alerts.states import OPEN, OWNED, WAITING, in_sql
from crisis.duty import queries as duty
from crisis.duty.models import OVERTIME

# `xmin` is the transaction that wrote a row last, and `ctid` the place of that version: with every change, by
# whomever and however, at least one of them is another.
# The moment is one for the whole statement, and stable, so that it bounds an index.
# Each fingerprint is over more rows than its list shows rather than fewer, so that none changes unnoticed.
FACTS = """
WITH shift AS (
    SELECT s.id, concat(s.xmin, s.ctid) AS version, concat(u.xmin, u.ctid) AS person, s.user_id, s.role, s.phone IS NOT NULL AS has_phone,
           s.paused_until <= statement_timestamp() AS is_back, s.planned_end > statement_timestamp() - $3 AS counts,
           s.muted_until > statement_timestamp() AS is_muted
    FROM crisis_dutyshift s JOIN accounts_user u ON u.id = s.user_id
    WHERE s.status IN ('active', 'paused')
      AND (s.covers && $1::uuid[] OR s.organization_id = ANY($1::uuid[]) OR s.user_id = $2)
),
task AS (
    SELECT r.id, concat(r.xmin, r.ctid) AS version, concat(p.xmin, p.ctid) AS person, concat(u.xmin, u.ctid) AS owner, r.due_at <= statement_timestamp() + interval '24 hours' AS due
    FROM crisis_reviewitem r LEFT JOIN patients_patient p ON p.id = r.patient_id
    LEFT JOIN accounts_user u ON u.id = r.owner_id
    WHERE r.organization_id = ANY($1::uuid[]) AND r.done_at IS NULL
      AND (r.due_at <= statement_timestamp() + interval '24 hours' OR r.escalations > 0)
),
promise AS (
    SELECT f.id, concat(f.xmin, f.ctid) AS version, f.organization_id FROM crisis_followup f
    WHERE f.status IN ('due', 'missed') AND f.due_at <= statement_timestamp() + interval '24 hours'
      AND (f.organization_id = ANY($1::uuid[]) OR f.owner_id = $2)
),
-- The order is that of `RiskAlertQuerySet.urgent_first`; tests hold the two together.
alert AS (
    SELECT a.id, row_number() OVER (
        ORDER BY CASE WHEN a.level = 'critical' THEN 0 ELSE 1 END, CASE WHEN a.waiting_person THEN 0 ELSE 1 END,
                 a.level_since, a.id
    ) AS place, concat_ws('.', a.xmin, a.ctid, p.xmin, p.ctid, m.xmin, m.ctid, o.xmin, u.xmin, u.ctid,
        (SELECT e.feed_number FROM crisis_alertevent e WHERE e.alert_id = a.id
         ORDER BY e.feed_number DESC LIMIT 1),
        (SELECT concat(s.xmin, s.ctid) FROM crisis_secondreview s
         WHERE s.alert_id = a.id AND s.decided_at IS NULL LIMIT 1)
    ) AS version
    FROM crisis_riskalert a
    JOIN accounts_organization o ON o.id = a.organization_id
    LEFT JOIN patients_patient p ON p.id = a.patient_id
    LEFT JOIN patients_patient m ON m.id = p.merged_into_id
    LEFT JOIN accounts_user u ON u.id = a.assigned_to_id
    WHERE a.organization_id = ANY($1::uuid[]) AND a.status IN ({open})
    ORDER BY place LIMIT $4
),
over AS (
    SELECT a.id FROM crisis_riskalert a
    WHERE a.organization_id = ANY($1::uuid[]) AND a.resolved_at > statement_timestamp() - interval '24 hours'
)
SELECT statement_timestamp(),
    (SELECT jsonb_object_agg(organization_id, number)::text FROM live_feed WHERE organization_id = ANY($1::uuid[])),
    (SELECT coalesce(bool_or(role = 'on_call' AND has_phone), false) FROM shift),
    (SELECT coalesce(bool_or(is_muted), false) FROM shift WHERE user_id = $2),
    (SELECT string_agg(concat(xmin, ctid), ',' ORDER BY id) FROM crisis_slapolicy
     WHERE organization_id IS NULL OR organization_id = ANY($1::uuid[])),
    (SELECT count(*) FROM crisis_riskalert
     WHERE organization_id = ANY($1::uuid[]) AND status IN ({waiting})),
    (SELECT count(*) FROM crisis_riskalert WHERE assigned_to_id = $2 AND status IN ({owned})),
    (SELECT count(*) FROM promise),
    (SELECT count(*) FROM crisis_reviewitem r
     WHERE (r.organization_id = ANY($1::uuid[]) OR r.owner_id = $2) AND r.done_at IS NULL
       AND r.due_at <= statement_timestamp() + interval '24 hours'),
    (SELECT count(*) FROM over),
    ARRAY[
        (SELECT string_agg(concat(xmin, ctid), ',' ORDER BY id) FROM accounts_organization
         WHERE id = ANY($1::uuid[])),
        (SELECT md5(string_agg(concat_ws(':', id, version, person, is_back, counts, crisis_open_cases(user_id)), ','
                               ORDER BY id)) FROM shift),
        (SELECT md5(string_agg(concat_ws(':', id, version, person, owner, due), ',' ORDER BY id)) FROM task),
        (SELECT md5(string_agg(concat_ws(':', id, version), ',' ORDER BY id)) FROM promise),
        (SELECT md5(string_agg(id::text, ',' ORDER BY id)) FROM over),
        (SELECT md5(string_agg(concat_ws(':', s.id, s.xmin, s.ctid, a.xmin, p.xmin, u.xmin), ',' ORDER BY s.id))
         FROM crisis_secondreview s JOIN crisis_riskalert a ON a.id = s.alert_id
         JOIN accounts_user u ON u.id = s.asked_by_id LEFT JOIN patients_patient p ON p.id = a.patient_id
         WHERE s.organization_id = ANY($1::uuid[]) AND s.decided_at IS NULL)
    ],
    (SELECT string_agg(concat(id, ' ', version), ';' ORDER BY place) FROM alert),
    (SELECT jsonb_build_object('at', last_run_at, 'detail', detail)::text FROM ops_serviceheartbeat
     WHERE name = '{watchdog}')
"""  # noqa: E501
# Constants, since a plan that is kept for any value could not use an index of the open ones.
FACTS = FACTS.format(waiting=in_sql(WAITING), owned=in_sql(OWNED), open=in_sql(OPEN), watchdog=WATCHDOG)
Row = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """When it was read, where the feeds stand, figures, and fingerprints of alerts and all beside them."""

    at: datetime
    topics: dict[str, int]
    opens_phone: bool
    is_muted: bool
    policies: str
    waiting: int
    mine: int
    follow_ups: int
    reviews: int
    ended: int
    # Since when the watchdog has no good word for it; None when alerts arrive in time.
    late_since: datetime | None
    lists: tuple[str, ...]
    # The open alerts in the board's order, each with a fingerprint of all that its card shows; a key.
    alerts: str

    @property
    def rows(self) -> list[Row]:
        """Return the same apart."""
        pairs = (one.split(" ") for one in self.alerts.split(";") if one)
        return [(UUID(pk), version) for pk, version in pairs]


def desk_of(user: User) -> list[UUID]:
    """Return the organizations of `access.desk_organizations`, sorted, without a query in a request.

    The shift came with the signed-in user's row (`User.objects.reaching`), as did the scope of this look.
    """
    loaded: list[UUID] | None = getattr(user, "covers_by_shift", None)
    if loaded is None:
        return sorted(access.desk_organizations(user))
    covered = set(loaded)
    if user.organization_id is not None and duty.hears_off_shift(user):
        covered.add(user.organization_id)
    return sorted(covered)


def facts_of(user: User, organizations: list[UUID], limit: int) -> Facts:
    """Read all of it, up to `limit` alerts, by one statement, which sees one state of the database."""
    with planned_cursor() as cursor:
        cursor.execute(FACTS, [organizations, user.pk, OVERTIME, limit])
        row = cursor.fetchone()
    at, heads, opens_phone, is_muted, policies, *figures, lists, alerts, round_ = row
    waiting, mine, follow_ups, reviews, ended = figures
    numbers = json.loads(heads or "{}")
    return Facts(
        at=at,
        topics={f"board:{one}": numbers.get(str(one), 0) for one in organizations},
        opens_phone=opens_phone,
        is_muted=is_muted,
        policies=policies or "",
        waiting=waiting,
        mine=mine,
        follow_ups=follow_ups,
        reviews=reviews,
        ended=ended,
        late_since=late_by(_round(round_, at), at),
        lists=tuple(one or "" for one in lists),
        alerts=alerts or "",
    )


def _round(found: str | None, at: datetime) -> tuple[float, dict[str, Any]] | None:
    if found is None:
        return None
    beat = json.loads(found)
    return max(0.0, (at - datetime.fromisoformat(beat["at"])).total_seconds()), beat["detail"]
