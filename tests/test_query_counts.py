"""How many queries each list costs: the same at 2 rows and at 10, and the number in query_counts.json."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib import admin
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinical.assessments.actions import finish_assessment
from clinical.caseload import showing
from clinical.caseload.known import queries as known
from clinical.caseload.queries import caseload
from clinical.notes.actions import begin_note, save_block, save_draft, sign_note
from clinical.plans.actions import sign_plan
from clinical.scheduling.models import Appointment
from clinical.scheduling.week import week_name
from cortex.accounts import limits
from cortex.accounts.apikeys.actions import create_client, create_key
from cortex.accounts.choices import Role, Scope
from cortex.accounts.invitations.actions import invite_person
from cortex.accounts.models import User
from cortex.ids import uuid7
from cortex.keys.cache import cache as key_cache
from cortex.ops.models import Notification
from crisis.alerts.cards import RENDERED
from crisis.alerts.models import Disposition, RiskAlert, Verdict
from crisis.casework.actions import log_attempt
from crisis.desk import boards
from crisis.duty.actions import plan_shift
from crisis.endings.actions import Ending, mark_false_alarm, resolve_alert
from crisis.ownership.actions import claim_alert
from crisis.policies.actions import agree_engine_state, set_engine_state
from crisis.resources.models import CrisisResource, ResourceKind
from crisis.reviews.actions import finish_item, make_item
from crisis.risk.actions import append_evidence
from crisis.risk.evidence import Origin, from_text_model
from crisis.risk.textmodel import ModelReading
from patients.care.actions import plan_cover
from patients.care.models import CareTeamMember
from patients.registry.models import Patient
from patients.registry.records import PreferenceData
from tests import makers
from tests.api.conftest import Api, issue_key
from tests.cast import Cast, make_cast
from tests.office_rows import add_rows
from tests.walk.notes import write
from tests.walk.plans import begin
from tests.walk.safety import make_safety_plan

pytestmark = pytest.mark.django_db
BASELINE = Path(__file__).with_name("query_counts.json")
FEW, MANY = 2, 10
OFFICE = tuple(sorted(f"{one._meta.app_label}/{one._meta.model_name}" for one in admin.site._registry))
# Lists whose length doesn't grow with the house: the number of queries is held to its baseline all the same.
SHORT = {
    "access": "a page of looks, full from the beginning",
    "alert panel": "one alert",
    "late notes": "nobody's note is late",
    "measures": "one person",
    "documents": "one person",
    "consent": "one person",
    "crises": "one person",
    "measure result": "one questionnaire",
    "discharge": "one person",
    "first steps": "one person",
    "measure print": "one questionnaire",
    "neural audio": "one person",
    "note": "one note",
    "note print": "one note",
    "note versions": "one note",
    "plan version": "one version",
    "safety plan print": "one person",
    "plan": "one person",
    "session": "one session",
    "safety plan": "one person",
    "safety plan form": "one person",
    "step down": "one person",
    "appointments": "one person",
    "calendar": "one week of one therapist",
    "admin accounts/organization": "an administrator sees their own organization alone",
    "admin crisis/slapolicy": "one row for each level",
}
# Lists that fill their first page at once are narrowed, so that they grow.
# What every made pseudonym begins with.
EVERYBODY = "CX-"
NARROWED = {"audit/auditlog": "?q=review.opened", "crisis/alertstep": "?kind__exact=confirm"}


class House:
    """A house that grows: so many alerts of each kind, so many rows of everything that hangs on them."""

    def __init__(self) -> None:
        self.cast: Cast = make_cast()
        self.cast.on_duty()
        self.reader = makers.make_user(Role.COMPLIANCE, self.cast.home)
        self.operator = makers.make_user(Role.ADMIN, self.cast.home, is_operator=True)
        self.app = Api(f"Api-Key {issue_key(self.cast.home)[1]}")
        self.rows = 0
        self.busy: RiskAlert | None = None
        # Pages of one thing in the busy person's chart: name in the baseline, address within the chart.
        self.single: dict[str, str] = {}
        self.cover: User | None = None
        self.lent = ""

    def grow(self, rows: int) -> None:
        """Add rows until there are so many."""
        for _ in range(self.rows, rows):
            self._add()
        self.rows = rows
        # News of opened charts stands above every page of a chart until it is put away.
        Notification.objects.filter(recipient=self.cast.alice).update(read_at=makers.now())

    def _add(self) -> None:
        cast, cleo = self.cast, makers.staff(self.cast.cleo)
        self._raise("high")
        mine = self._raise("critical")
        claim_alert(actor=cleo, alert_id=mine.pk)
        if self.busy is None:
            self.busy = mine
            assert mine.patient is not None
            begin(makers.staff(cast.alice), mine.patient.pk, "Low since the spring.")
            make_safety_plan(cast.alice, mine.patient.pk, "Made")
            self._fill(mine.patient.pk)
        log_attempt(actor=cleo, alert_id=self.busy.pk, note="Nobody answers.")
        assert self.busy.patient is not None
        sat = makers.make_session(self.busy.patient, client_ref=f"chat-{self.rows}")
        alice, who = makers.staff(cast.alice), self.busy.patient.pk
        note = begin_note(actor=alice, patient_id=who, note_type="session_note", session_id=sat.pk)
        self.single |= {"session": f"sessions/{sat.pk}/", "note form": f"notes/{note.pk}/edit/"}
        save_draft(
            actor=alice, patient_id=who, note_id=note.pk, version=1, spell=uuid7(), number=1,
            sections={"free_text": "Made."},
        )  # fmt: skip
        save_block(actor=alice, title="Made", note_type="", sections={"text": "Made."})
        if self.rows % 5 == 4:  # seldom: each leaves many steps in the back office's list
            asked = self._raise("critical")
            claim_alert(actor=cleo, alert_id=asked.pk)
            question = Ending(verdict=Verdict.NOT_RISK_LANGUAGE, notes="It was a song.")
            mark_false_alarm(actor=cleo, alert_id=asked.pk, ending=question)
        ended = self._raise("critical")
        claim_alert(actor=cleo, alert_id=ended.pk)
        ending = Ending(
            disposition=Disposition.COMMUNITY, verdict=Verdict.TRUE_CRISIS, notes="At home.",
            follow_up_at=makers.now() + timedelta(hours=5),
        )  # fmt: skip
        resolve_alert(actor=cleo, alert_id=ended.pk, ending=ending)
        assert ended.patient is not None
        make_item(
            actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=ended.patient,
            reason_code="medium_risk", owner_id=cast.cleo.pk,
        )  # fmt: skip
        done = make_item(
            actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=ended.patient,
            reason_code="missed_follow_up",
        )  # fmt: skip
        finish_item(actor=cleo, item_id=done.pk, outcome="reviewed")
        append_evidence(
            actor=makers.machine(cast.home), at=makers.now(),
            drafts={ended.patient.pk: [from_text_model(
                ModelReading(0.4, 0.9, "m-1", is_shadow=True), Origin("message", makers.now())
            )]},
        )  # fmt: skip
        makers.make_message(ended.patient, "Leo nimelala vizuri.")
        makers.grant(ended.patient, cast.bob)
        doubt = replace(
            ending, disposition=Disposition.NOT_A_CRISIS, verdict=Verdict.NOT_RISK_LANGUAGE, notes="A song.",
            follow_up_at=None, no_follow_up_reason="A song.",
        )  # fmt: skip
        doubted = self._raise("critical")
        claim_alert(actor=cleo, alert_id=doubted.pk)
        resolve_alert(actor=cleo, alert_id=doubted.pk, ending=doubt)
        self._lend(ended.patient)
        add_rows(cast, self.app, ended.patient, self.rows)
        self._office_rows()
        colleague = makers.make_user("counselor", cast.home)
        cast.on_duty(colleague)
        start = makers.now() + timedelta(days=1 + self.rows)
        for user in (colleague, cast.cleo):
            plan_shift(
                actor=makers.staff(cast.ada), user_id=user.pk, organization_id=cast.home.pk, role="counselor",
                planned_start=start, planned_end=start + timedelta(hours=8),
            )  # fmt: skip
        self.rows += 1

    def _lend(self, patient: Patient) -> None:
        """One more person of whose hours, a sitting each, somebody else has the calendar."""
        cast, at = self.cast, makers.now()
        self.cover = self.cover or makers.make_user(Role.THERAPIST, cast.home)
        place = CareTeamMember.objects.get(patient=patient, user=cast.alice)
        plan_cover(
            actor=makers.staff(cast.alice), member_id=place.pk, user_id=self.cover.pk,
            starts_at=at - timedelta(days=20), ends_at=at + timedelta(days=9),
        )  # fmt: skip
        start = (at - timedelta(days=at.weekday() + 6)).replace(hour=6) + timedelta(hours=self.rows)
        Appointment.objects.create(
            organization=cast.home, patient=patient, therapist=cast.alice, starts_at=start,
            ends_at=start + timedelta(minutes=50), status="held", session=makers.make_session(patient),
        )  # fmt: skip
        self.lent = f"/calendar/?week={week_name(start.date())}"

    def _fill(self, patient_id: UUID) -> None:
        """What stands once in the chart that is looked at: a questionnaire, a signed note."""
        alice, calm = makers.staff(self.cast.alice), {f"q{number}": 0 for number in range(1, 8)}
        measure, _ = finish_assessment(actor=alice, patient_id=patient_id, key="gad7", answers=calm)
        written = write(alice, patient_id, "session_note", risk_statement="None.").note
        note = sign_note(actor=alice, patient_id=patient_id, note_id=written.pk, version=written.version)
        plan = sign_plan(actor=alice, patient_id=patient_id, patient_agreed=True)
        self.single = {
            "measure result": f"results/{measure.pk}/", "measure print": "measures/gad7/print/",
            "note": f"notes/{note.pk}/", "note print": f"notes/{note.pk}/print/",
            "note versions": f"notes/{note.pk}/versions/",
            "plan print": "plan/print/", "plan version": f"plan/{plan.plan_id}/versions/1/",
            "first steps": "first-steps/", "neural audio": "neural-audio/", "discharge": "discharge/",
        }  # fmt: skip

    def _office_rows(self) -> None:
        """What an administrator leaves behind: a key, an invitation, a crisis line."""
        ada, home = makers.staff(self.cast.ada), self.cast.home.pk
        state = "live" if self.rows % 2 else "off"
        asked = set_engine_state(actor=ada, subject="rule:H14", state=state, reason="To see what it adds.")
        if asked.is_waiting:
            agree_engine_state(actor=makers.staff(self.cast.sam), enginesetting_id=asked.pk)
        client = create_client(actor=ada, organization_id=home, name=f"Office app {self.rows}")
        create_key(actor=ada, client_id=client.pk, scopes=[Scope.INTAKE])
        invite_person(
            actor=ada, organization_id=home, email=f"guest{self.rows}@example.org", full_name="Guest",
            role=Role.THERAPIST,
        )  # fmt: skip
        CrisisResource.objects.create(
            organization=makers.make_organization(), jurisdiction=self.cast.home.jurisdiction,
            name=f"Line {self.rows}", kind=ResourceKind.CRISIS_LINE, phone=f"+2547009{self.rows:05d}",
            verified_at=makers.now(),
        )  # fmt: skip

    def _raise(self, level: str) -> RiskAlert:
        patient = makers.make_patient(self.cast.home, team=[self.cast.alice], preference=PreferenceData())
        return makers.make_alert(patient, level=level)

    def pages(self) -> dict[str, tuple[User, str, dict[str, str]]]:
        """Return who asks for what, by the name in the baseline."""
        cleo, ada, sam = self.cast.cleo, self.cast.ada, self.cast.sam
        part = {"HX-Request": "true"}
        assert self.busy is not None
        alert, chart = f"/alerts/{self.busy.pk}/", f"/charts/{self.busy.patient_id}/"
        alice, cover = self.cast.alice, self.cover
        assert cover is not None
        looking = {
            "audit/auditlog": self.reader,
            "audit/phiaccesslog": self.reader,
            "audit/auditlink": self.operator,
            "patients/legalhold": self.reader,
        }
        return {
            "board": (cleo, "/board/", {}), "board part": (cleo, "/board/", part),
            "board shift": (cleo, "/board/shift/", part), "board readings": (sam, "/board/readings/", part),
            "board today": (cleo, "/board/today/", part),
            "board mine": (cleo, "/board/?mine=1", {}), "my cases": (cleo, "/cases/", {}),
            "follow-ups": (cleo, "/followups/", {}), "resolved": (cleo, "/resolved/", {}),
            "calibration": (sam, "/calibration/", {}),
            "text model": (sam, "/reviews/text-model/", {}), "reviews": (cleo, "/reviews/", {}),
            "reviews done": (cleo, "/reviews/?show=done", {}), "reviews to read": (sam, "/reviews/", {}),
            "duty": (cleo, "/duty/", {}), "alert page": (cleo, alert, {}),
            "alert panel": (cleo, f"{alert}panel/", part), "people": (sam, "/staff/", {}),
            "crisis lines": (cleo, "/crisis-lines/", {}),
            "caseload": (alice, "/caseload/", {}), "chart": (alice, chart, {}),
            "emotions": (alice, "/emotions/", {}),
            "measures": (alice, f"{chart}measures/", {}),
            "documents": (alice, f"{chart}documents/", {}),
            "chart people": (alice, f"{chart}people/", {}), "consent": (alice, f"{chart}consent/", {}),
            "access": (alice, f"{chart}access/", {}), "crises": (alice, f"{chart}crisis/", {}),
            "in and out": (sam, "/ways/", {}), "break-glass": (self.reader, "/break-glass/reviews/", {}),
            "leaver": (sam, f"/ways/leavers/{alice.pk}/", {}),
            "timeline": (alice, f"{chart}timeline/", {}), "sessions": (alice, f"{chart}sessions/", {}),
            "notes": (alice, f"{chart}notes/", {}), "note desk": (alice, "/notes/", {}),
            "late notes": (sam, "/notes/late/", {}), "note texts": (alice, "/notes/texts/", {}),
            "caseload badges": (alice, "/caseload/badges/", {}),
            "caseload rest": (alice, "/caseload/rest/", {}), "caseload search": (alice, "/caseload/", {}),
            "note search": (alice, "/notes/search/", {}), "leavers": (sam, "/ways/leavers/", {}),
            "plan": (alice, f"{chart}plan/", {}),
            "safety plan": (alice, f"/people/{self.busy.patient_id}/safety-plan/", {}),
            "safety plan print": (alice, f"/people/{self.busy.patient_id}/safety-plan/print/", {}),
            "safety plan form": (alice, f"/people/{self.busy.patient_id}/safety-plan/edit/", {}),
            "step down": (alice, f"/people/{self.busy.patient_id}/step-down/", {}),
            "plan reviews": (alice, "/plan-reviews/", {}),
            "calendar": (alice, "/calendar/", {}), "calendar of a cover": (cover, self.lent, {}),
            "billing": (ada, "/billing/", {}), "measures due": (alice, "/measures/", {}),
            "appointments": (alice, f"{chart}appointments/", {}),
        } | {
            name: (alice, f"{chart}{path}", {}) for name, path in self.single.items()
        } | {
            f"admin {name}": (looking.get(name, ada), f"/admin/{name}/{NARROWED.get(name, '')}", {})
            for name in OFFICE
        }  # fmt: skip

    def asked(self, name: str, path: str) -> tuple[str, dict[str, str]]:
        """Return a page's address as it is asked at this moment, and what is posted to it; empty: nothing."""
        if name == "caseload rest":
            cases = caseload(self.cast.alice, makers.now())
            makers.scope_all()
            return f"{path}?order={showing.order_mark(cases)}", {}
        return path, {"note search": {"q": "made"}, "caseload search": {"q": EVERYBODY}}.get(name, {})


@pytest.fixture
def house() -> House:
    """An empty house."""
    return House()


@dataclass(frozen=True)
class Cost:
    """The SQL of one answer and its length."""

    queries: list[str]
    length: int


def measured(house: House) -> dict[str, Cost]:
    """Return what each page costs, asked a second time with cold cards and keys."""
    clients: dict[Any, Client] = {}
    found = {}
    for name, (user, path, headers) in house.pages().items():
        if user.pk not in clients:
            clients[user.pk] = Client()
            clients[user.pk].force_login(user, settings.AUTHENTICATION_BACKENDS[0])
        for _ in range(2):
            with ExitStack() as stack:
                if name == "caseload rest":
                    stack.enter_context(mock.patch.object(showing, "LINES", 1))
                asked, posted = house.asked(name, path)
                forget()
                seen = [
                    stack.enter_context(CaptureQueriesContext(connections[one]))
                    for one in ("default", "keys")
                ]
                client = clients[user.pk]
                answer = client.post(asked, posted) if posted else client.get(asked, headers=headers)
        assert answer.status_code == 200, (name, answer.status_code)
        queries = [query["sql"] for one in seen for query in one.captured_queries]
        found[name] = Cost(queries, len(answer.content))
        makers.scope_all()
    return found


def forget() -> None:
    """Forget rendered cards, what is known of a caseload's people, and opened keys."""
    RENDERED._kept.clear()
    boards.forget()
    known.forget()
    key_cache.forget()


def test_no_list_costs_more_queries_when_it_grows(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    # Input is noted once a minute: where this takes minutes, that would stand in the counts by chance.
    monkeypatch.setattr(limits, "NOTED_EVERY", timedelta.max)
    house.grow(FEW)
    few = measured(house)
    house.grow(MANY)
    many = measured(house)
    short = {name for name in few if many[name].length < few[name].length + (MANY - FEW) * 40}
    assert short == set(SHORT), "these lists did not grow, so nothing was measured"
    pairs = {name: (few[name].queries, many[name].queries) for name in few}
    grown = {name: difference(*pair) for name, pair in pairs.items() if len(pair[0]) != len(pair[1])}
    assert not grown, "\n".join(f"{name}: {text}" for name, text in grown.items())
    counts = {name: len(cost.queries) for name, cost in sorted(many.items())}
    if os.environ.get("UPDATE_QUERY_COUNTS") == "1":
        BASELINE.write_text(json.dumps(counts, indent=2) + "\n")
    reviewed = json.loads(BASELINE.read_text())
    changed = {name: f"{reviewed.get(name)} -> {count}\n" + "\n".join(many[name].queries)
               for name, count in counts.items() if reviewed.get(name) != count}  # fmt: skip
    assert not changed, "\n\n".join(f"{name}: {text}" for name, text in changed.items())
    assert set(reviewed) == set(counts)


def difference(few: list[str], many: list[str]) -> str:
    """Return the statements that came more often in the longer list, with how often."""
    shapes = Counter(shape(one) for one in many) - Counter(shape(one) for one in few)
    return f"{len(few)} queries at {FEW} rows, {len(many)} at {MANY}\n" + "\n".join(
        f"    +{count} {text}" for text, count in shapes.most_common()
    )


def shape(statement: str) -> str:
    """Return a statement without its values."""
    return re.sub(r"'[^']*'|\b\d+\b", "?", statement)[:400]
