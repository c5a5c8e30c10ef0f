"""Reads of the calibration report (domain 4.7): counted by PostgreSQL, in six statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from cortex.accounts.models import Organization
from cortex.ui.zone import zone_of
from crisis.alerts.models import Source, Verdict
from crisis.alerts.states import OPEN, Status
from crisis.calibration.figures import Key, Missed, Override, Report, Row, SecondReadings, Shadow, Tally
from crisis.reviews.models import ALARM_BUDGET, ReviewItem
from crisis.risk import codes
from crisis.risk.switches import SWITCHABLE
from patients.registry.models import Patient

JUDGED = {
    "crisis": [Verdict.TRUE_CRISIS],
    "distress": [Verdict.ELEVATED],
    "false": [Verdict.NOT_RISK_LANGUAGE, Verdict.WRONG_PERSON, Verdict.VOICE_ERROR],
    "aside": [Verdict.ALREADY_KNOWN, Verdict.DUPLICATE, Verdict.UNSURE],
}

# The alerts of the period. One that was merged counts with the one it went into; what Cortex raised about
# itself (a message that it could not read) has no rule to judge. A verdict counts while its end stands: one
# of an alert that was reopened was taken back.
ALERTS = """
WITH alerts AS MATERIALIZED (
    SELECT a.id, a.level, a.source, a.kind, a.score, a.rules_fired, a.evidence, a.raised_at,
           p.person_id, p.age_band, split_part(lower(p.language), '-', 1) AS language,
           coalesce(s.engine_version, '') AS engine, coalesce(s.lexicon_version, '') AS lexicon,
           a.status = ANY(%(open)s) AS is_open, f.verdict,
           (a.raised_at AT TIME ZONE %(zone)s)::date AS day,
           extract(epoch FROM a.acknowledged_at - a.raised_at)::float8 AS claim,
           extract(epoch FROM a.contact_at - a.raised_at)::float8 AS contact
    FROM "crisis_riskalert" a
    JOIN "patients_patient" p ON p.id = a.patient_id
    LEFT JOIN "crisis_riskassessment" s ON s.id = a.assessment_id
    LEFT JOIN LATERAL (
        SELECT g.verdict FROM "crisis_alertfeedback" g WHERE g.alert_id = a.id
        ORDER BY g.given_at DESC, g.id DESC LIMIT 1
    ) f ON a.status = ANY(%(ended)s)
    WHERE a.organization_id = %(organization)s AND a.raised_at >= %(since)s AND a.raised_at < %(until)s
      AND a.status <> 'merged' AND a.source <> 'system'
)
"""

# An alert stands in every row that it belongs to: of each rule that fired, of each tier that it rests on.
FACTS = """, told AS MATERIALIZED (
    SELECT a.id, e.code, e.tier, e.lexicon_version, e.source_id
    FROM alerts a CROSS JOIN LATERAL unnest(a.evidence) AS one(id) JOIN "crisis_evidence" e ON e.id = one.id
), facets AS (
    SELECT id, 'everything' AS facet, '' AS one, '' AS two FROM alerts
    UNION ALL SELECT id, 'levels', level, source FROM alerts
    UNION ALL SELECT a.id, 'rules', rule, '' FROM alerts a CROSS JOIN LATERAL unnest(a.rules_fired) AS rule
    UNION ALL SELECT id, 'rules', '', '' FROM alerts WHERE source = 'engine' AND rules_fired = '{}'
    UNION ALL SELECT DISTINCT id, 'tiers', lexicon_version, CASE WHEN code = %(model)s THEN code ELSE tier END
        FROM told WHERE code = ANY(%(texts)s)
    UNION ALL SELECT id, 'versions', engine, lexicon FROM alerts WHERE engine <> ''
    UNION ALL SELECT id, 'bins', least(floor(score * 10), 9)::int::text, '' FROM alerts
        WHERE source = 'engine' AND kind = 'self_harm' AND score IS NOT NULL
    UNION ALL SELECT id, 'languages', language, '' FROM alerts
    UNION ALL SELECT id, 'ages', age_band, '' FROM alerts
    UNION ALL SELECT DISTINCT t.id, 'shadows', x.code, x.lexicon_version FROM told t
        JOIN "crisis_evidence" x ON x.source_id = t.source_id AND x.code = ANY(%(shadows)s)
)
SELECT facet, one, two, count(*), count(DISTINCT person_id), count(DISTINCT (person_id, day)),
       count(*) FILTER (WHERE verdict = ANY(%(crisis)s)), count(*) FILTER (WHERE verdict = ANY(%(distress)s)),
       count(*) FILTER (WHERE verdict = ANY(%(false)s)), count(*) FILTER (WHERE verdict = ANY(%(aside)s)),
       count(*) FILTER (WHERE is_open), count(*) FILTER (WHERE claim IS NULL),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY claim), percentile_cont(0.9) WITHIN GROUP (ORDER BY claim),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY contact),
       avg(power(score::float8 - (verdict = ANY(%(crisis)s))::int, 2))
           FILTER (WHERE verdict = ANY(%(judged)s) AND kind = 'self_harm' AND source = 'engine')
FROM facets JOIN alerts USING (id) GROUP BY facet, one, two
"""

# What the engine had said of whom staff or the person raised an alert for, before that very moment.
MISSED = """SELECT a.source, coalesce(s.engine_level, ''), count(*),
       count(*) FILTER (WHERE verdict = ANY(%(crisis)s)), count(*) FILTER (WHERE verdict = ANY(%(judged)s))
FROM alerts a LEFT JOIN LATERAL (
    SELECT r.engine_level FROM "crisis_riskassessment" r
    WHERE r.patient_id = a.person_id AND r.computed_at < a.raised_at
      AND r.computed_at >= a.raised_at - interval '72 hours'
    ORDER BY r.computed_at DESC, r.id DESC LIMIT 1
) s ON true
WHERE a.source = ANY(%(by_hand)s) GROUP BY 1, 2
"""

SECOND = """SELECT r.kind, count(*), count(*) FILTER (WHERE r.agreed),
       count(*) FILTER (WHERE NOT r.agreed AND r.decided_by_id IS NOT NULL),
       count(*) FILTER (WHERE NOT r.agreed AND r.decided_by_id IS NULL)
FROM alerts a JOIN "crisis_secondreview" r ON r.alert_id = a.id GROUP BY r.kind ORDER BY r.kind
"""

# What clinicians made of a level, by what had stood before them: the newest evaluation before their word.
OVERRIDES = """
WITH looks AS MATERIALIZED (
    SELECT e.id, CASE WHEN e.code = %(reviewed)s THEN 'same' ELSE e.tier END AS said,
           coalesce(s.engine_level, '') AS level, coalesce(s.rules_fired, '{}') AS rules,
           coalesce(s.factors, '[]'::jsonb) AS factors, coalesce(s.lexicon_version, '') AS lexicon
    FROM "crisis_evidence" e JOIN "patients_patient" p ON p.id = e.patient_id
    LEFT JOIN LATERAL (
        SELECT r.engine_level, r.rules_fired, r.factors, r.lexicon_version FROM "crisis_riskassessment" r
        WHERE r.patient_id = p.person_id AND r.computed_at < e.observed_at
        ORDER BY r.computed_at DESC, r.id DESC LIMIT 1
    ) s ON true
    WHERE e.organization_id = %(organization)s AND e.code = ANY(%(looks)s)
      AND e.observed_at >= %(since)s AND e.observed_at < %(until)s
), facets AS (
    SELECT id, said, 'levels' AS facet, level AS one, '' AS two FROM looks
    UNION ALL SELECT l.id, said, 'rules', rule, '' FROM looks l CROSS JOIN LATERAL unnest(l.rules) AS rule
    UNION ALL SELECT DISTINCT l.id, said, 'tiers', lexicon, substr(f->>'code', 6)
        FROM looks l CROSS JOIN LATERAL jsonb_array_elements(l.factors) AS f
        WHERE f->>'code' = ANY(%(tiers)s)
)
SELECT facet, one, two, count(*) FILTER (WHERE said = %(lower)s), count(*) FILTER (WHERE said = %(raise)s),
       count(*) FILTER (WHERE said = 'same')
FROM facets GROUP BY facet, one, two
"""

SHADOWS = """
SELECT e.code, e.lexicon_version, count(*), count(DISTINCT p.person_id)
FROM "crisis_evidence" e JOIN "patients_patient" p ON p.id = e.patient_id
WHERE e.organization_id = %(organization)s AND e.code = ANY(%(shadows)s)
  AND e.observed_at >= %(since)s AND e.observed_at < %(until)s
GROUP BY e.code, e.lexicon_version ORDER BY e.lexicon_version, e.code
"""

TIERS = [codes.text_code(tier) for tier in codes.TIERS]
CUES = [
    codes.ATTEMPT_NOW,
    codes.HARM_TO_OTHERS,
    *codes.WARNING,
    *codes.STATE,
    *codes.SITUATION,
    *codes.HISTORY,
]
SHADOW_CODES = [
    codes.TEXT_MODEL_SHADOW,
    *(codes.rule_code(rule) for rule in SWITCHABLE),
    *(codes.shadow(code) for code in (*TIERS, *CUES)),
]


def calibration(organization: Organization, since: datetime, until: datetime) -> Report:
    """Return one organization's report on the alerts raised from `since` until `until`; six queries."""
    values = _values(organization, since, until)
    tallies: dict[str, dict[Key, Tally]] = {}
    for facet, one, two, *counts in _rows(ALERTS + FACTS, values):
        tallies.setdefault(facet, {})[one, two] = Tally(*counts)
    overrides: dict[str, dict[Key, Override]] = {}
    for facet, one, two, *counts in _rows(OVERRIDES, values):
        overrides.setdefault(facet, {})[one, two] = Override(*counts)
    beside = tallies.get("shadows", {})

    def table(name: str) -> list[Row]:
        found = tallies.get(name, {})
        looked = overrides.get(name, {}) if name in ("rules", "tiers") else {}
        keys = sorted(found.keys() | looked.keys())
        return [Row(key, found.get(key, Tally()), looked.get(key, Override())) for key in keys]

    return Report(
        organization=organization.slug,
        since=since,
        until=until,
        days=max((until - max(since, organization.created_at)).total_seconds(), 0) / 86400,
        active_people=Patient.objects.of_organizations([organization.pk]).active().canonical().count(),
        everything=tallies.get("everything", {}).get(("", ""), Tally()),
        levels=table("levels"),
        rules=table("rules"),
        tiers=table("tiers"),
        versions=table("versions"),
        bins=table("bins"),
        languages=table("languages"),
        ages=table("ages"),
        overrides=sorted(
            ((level, found) for (level, _), found in overrides.get("levels", {}).items()), key=itemgetter(0)
        ),
        missed=[Missed(*row) for row in sorted(_rows(ALERTS + MISSED, values))],
        shadows=[
            Shadow(code, version, readings, people, beside.get((code, version), Tally()))
            for code, version, readings, people in _rows(SHADOWS, values)
        ],
        readings=[SecondReadings(*row) for row in _rows(ALERTS + SECOND, values)],
    )


def organizations(slug: str = "") -> list[Organization]:
    """Return the organizations at work by name, or the one with this slug."""
    rows = Organization.objects.filter(is_active=True).order_by("name")
    return list(rows.filter(slug=slug) if slug else rows)


def serving() -> list[Organization]:
    """Return the organizations whose budget is watched: those that answer for people."""
    return list(Organization.objects.serving().order_by("pk"))


def asked_since(organization_id: UUID, since: datetime) -> bool:
    """Whether somebody is still to look at an organization's budget, or was asked to since then."""
    asked = ReviewItem.objects.filter(
        organization_id=organization_id, patient__isnull=True, reason_code=ALARM_BUDGET
    )
    return asked.filter(Q(done_at__isnull=True) | Q(created_at__gt=since)).exists()


def _values(organization: Organization, since: datetime, until: datetime) -> dict[str, Any]:
    verdicts = {name: [str(one) for one in found] for name, found in JUDGED.items()}
    judged = verdicts["crisis"] + verdicts["distress"] + verdicts["false"]
    return verdicts | {
        "judged": judged, "organization": organization.pk, "since": since, "until": until,
        "zone": zone_of(organization.default_timezone).key, "open": [str(one) for one in OPEN],
        "ended": [str(Status.RESOLVED), str(Status.FALSE_ALARM)],
        "by_hand": [str(Source.STAFF), str(Source.SOS)], "model": codes.TEXT_MODEL,
        "shadows": SHADOW_CODES, "texts": [*TIERS, codes.TEXT_MODEL], "tiers": TIERS,
        "looks": [codes.CLINICIAN_LEVEL, codes.CLINICIAN_REVIEW], "reviewed": codes.CLINICIAN_REVIEW,
        "lower": codes.LOWER, "raise": codes.RAISE,
    }  # fmt: skip


def _rows(sql: str, values: Mapping[str, Any]) -> Iterable[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
