"""Turns years of treatment into rows: nothing in them is sealed, so they need no key; no query."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from clinical.assessments.models import Assessment
from clinical.backoffice.synth.histories import History, history
from clinical.backoffice.synth.people import Person
from clinical.backoffice.synth.plan import Plan
from clinical.backoffice.synth.rows import Home
from clinical.backoffice.synth.tables import Table
from crisis.risk.models import RiskAssessment
from crisis.risk.policy import ENGINE_VERSION
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn

SCORES = {"low": "0.10", "medium": "0.40"}


class Records:
    """The rows of one chunk's treated people by table."""

    def __init__(self, plan: Plan, home: Home) -> None:
        self.plan, self.home = plan, home
        of_house = {"organization_id": home.organization.pk}
        touched = of_house | {"updated_at": plan.at}
        self.sessions = Table(
            Session, "id", "patient_id", "client_ref", "kind", "started_at", "ended_at", "duration_seconds",
            "received_at", status="completed", **touched,
        )  # fmt: skip
        self.days = Table(
            DailyCheckIn, "id", "patient_id", "date", "mood", "sleep_quality", "stress_level", "focus_score",
            "submitted_at", "received_at", **touched,
        )  # fmt: skip
        self.measures = Table(
            Assessment, "id", "patient_id", "instrument_id", "administered_at", "items", "total", "band",
            "scored_by_version", language="en", mode="self", is_valid=True, **of_house,
        )  # fmt: skip
        self.levels = Table(
            RiskAssessment, "id", "patient_id", "level", "engine_level", "score", "score_raw",
            "inputs_digest", "computed_at", "entered_level_at", level_source="score", protective_applied=0,
            engine_version=ENGINE_VERSION, missing_inputs=["cssrs"], **of_house,
        )  # fmt: skip
        self.lines: dict[Table, list[tuple[Any, ...]]] = {
            table: [] for table in vars(self).values() if isinstance(table, Table)
        }

    def add(self, people: Iterable[Person]) -> None:
        """Lay out the years of these people."""
        for one in people:
            self._add(one, history(self.plan, one.number))

    def _add(self, one: Person, found: History) -> None:
        put = self.lines
        put[self.sessions] += [
            self.sessions.line(
                row, one.id, f"years-{one.number}-{at:%Y%m%d}", kind, at, at + timedelta(minutes=minutes),
                minutes * 60, at,
            )
            for row, at, kind, minutes in found.sessions
        ]  # fmt: skip
        put[self.days] += [
            self.days.line(row, one.id, day, *scores, self.plan.at, self.plan.at)
            for row, day, *scores in found.days
        ]
        for given in found.measures:
            instrument, version = self.home.instruments[given.key]
            items = {f"q{number}": value for number, value in enumerate(given.answers, 1)}
            put[self.measures].append(
                self.measures.line(
                    given.id, one.id, instrument, given.at, json.dumps(items), sum(given.answers), given.band,
                    version,
                )
            )  # fmt: skip
        put[self.levels] += [
            self.levels.line(
                row, one.id, level, level, SCORES[level], SCORES[level], row.hex * 2, at, entered
            )
            for row, at, level, entered in found.levels
        ]
