"""The calibration report counts what happened, withholds what is too little, and names nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from cortex.access.context import scoped
from cortex.audit import Actor, action, record, system
from cortex.audit.models import PhiAccessLog
from cortex.ids import uuid7
from crisis.alerts.models import AlertFeedback, Disposition, Kind, RiskAlert, Verdict
from crisis.byhand.actions import raise_for_caller
from crisis.calibration import queries
from crisis.calibration.figures import LEAST, Report, Row, Tally, budget, shown, wilson, withheld
from crisis.calibration.queries import calibration
from crisis.calibration.tables import tables
from crisis.decisions.actions import apply_decisions, finish_risk_review
from crisis.endings.actions import Ending, decide_review, mark_false_alarm, resolve_alert
from crisis.ownership.actions import claim_alert
from crisis.reopening.actions import reopen_alert
from crisis.reviews.actions import make_item
from crisis.reviews.models import SecondReview
from crisis.risk.actions import append_evidence, evaluate_patients
from crisis.risk.evidence import Draft, Origin, draft, from_sos, from_text_model
from crisis.risk.lexicon import lexicon
from crisis.risk.textmodel import ModelReading
from patients.registry.models import Patient
from tests import stores
from tests.cast import Cast
from tests.makers import make_alert, make_patient, make_user, now, scope_all, staff
from tests.unit.access.test_rows_cost import multiply, reads_of, rows_changed

pytestmark = pytest.mark.django_db
PAGE = "/calibration/"


def words(tier: str, source: Any = None) -> Draft:
    origin = Origin("message", now(), source_id=source or uuid7())
    return draft(origin.item(f"TEXT_{tier}", "text", tier=tier), "en-1", lexicon().version)


@action
def comes_in(*, actor: Actor, patient: Patient, drafts: list[Draft]) -> None:
    """What intake does once the words are coded, at one moment."""
    at = now()
    append_evidence(actor=actor, drafts={patient.pk: drafts}, at=at)
    evaluations = evaluate_patients(actor=actor, patient_ids=[patient.pk], at=at)
    apply_decisions(actor=actor, evaluations=evaluations, at=at)
    record(actor, "test.came_in")


def told(patient: Patient, *drafts: Draft) -> None:
    comes_in(actor=system("test"), patient=patient, drafts=list(drafts))
    scope_all()


def somebody(cast: Cast, **fields: Any) -> Patient:
    return make_patient(cast.home, team=[cast.alice], **fields)


def end(cast: Cast, alert: RiskAlert, verdict: str) -> None:
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    resolve_alert(
        actor=staff(cast.cleo), alert_id=alert.pk,
        ending=Ending(disposition=Disposition.COMMUNITY, verdict=verdict, notes="At home.",
                      follow_up_at=now() + timedelta(hours=5)),
    )  # fmt: skip


def alert_of(patient: Patient) -> RiskAlert:
    return RiskAlert.objects.get(patient=patient)


def report_of(cast: Cast, days: int = 90) -> Report:
    scope_all()
    return calibration(cast.home, now() - timedelta(days=days), now() + timedelta(minutes=1))


def row(rows: Any, *key: str) -> Row:
    return next(one for one in rows if one.key[: len(key)] == key)


# Figures


def test_wilsons_interval_is_that_of_the_textbook() -> None:
    # Newcombe 1998, table I: 81 of 263, and 0 of 20, 15 of 148.
    for hits, of, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        found = wilson(hits, of)
        assert found is not None
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert wilson(0, 0) is None


@given(st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_stays_a_share(pair: tuple[int, int]) -> None:
    found = wilson(*pair)
    assert found is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    mirrored = wilson(pair[1] - pair[0], pair[1])
    assert mirrored is not None
    assert abs(found.low - (1 - mirrored.high)) < 1e-9


def test_a_share_of_too_few_verdicts_is_not_said() -> None:
    assert shown(LEAST - 1, LEAST - 1) is None
    assert shown(LEAST, LEAST) is not None
    few = Tally(alerts=20, crisis=LEAST - 1, aside=8)
    assert (few.verdicts, few.judged, few.predictive_value) == (17, 9, None)
    assert few.without_verdict is not None
    assert few.without_verdict.hits == 3


def group(name: str, people: int) -> Row:
    return Row((name, ""), Tally(alerts=people, people=people))


def test_a_small_group_is_withheld_and_never_alone() -> None:
    assert withheld([group("en", 40), group("sw", 12), group("so", 3)]) == {("so", ""), ("sw", "")}
    assert withheld([group("en", 40), group("a", 3), group("b", 2)]) == {("a", ""), ("b", "")}
    assert withheld([group("en", 40), group("sw", 10)]) == set()


def test_the_budget_says_what_is_not_known() -> None:
    report = Report("amani", now() - timedelta(days=90), now(), 10, 1000, levels=[
        Row(("critical", "engine"), Tally(alerts=40, person_days=40, crisis=5, false=5)),
        Row(("high", "engine"), Tally(alerts=40, person_days=40, crisis=4)),
    ])  # fmt: skip
    lines = {line.name: line for line in budget(report)}
    assert lines["critical_predictive_value"].holds is True
    assert lines["high_predictive_value"].holds is None
    assert lines["critical_people_per_day"].holds is False  # 40 of 10,000 person-days are .4 %
    assert lines["high_people_per_day"].holds is True
    young = {line.name: line.holds for line in budget(replace(report, days=6.9))}
    assert young["critical_people_per_day"] is None
    assert lines["crises_raised_by_engine"].holds is None  # nine crises are too few


# Counting


def test_alerts_are_counted_by_rule_tier_and_level_with_what_they_turned_out_to_be(cast: Cast) -> None:
    cast.on_duty()
    verdicts = [Verdict.TRUE_CRISIS] * 7 + [Verdict.ELEVATED] * 2 + [Verdict.NOT_RISK_LANGUAGE]
    verdicts += [Verdict.ALREADY_KNOWN]
    for verdict in verdicts:
        person = somebody(cast)
        told(person, words("A"))
        end(cast, alert_of(person), verdict)
    still = somebody(cast)
    told(still, words("B"))
    elsewhere = make_patient(cast.elsewhere, team=[cast.charlie])
    told(elsewhere, words("A"))
    report = report_of(cast)
    assert report.everything.alerts == 12
    first = row(report.rules, "H1").tally
    assert (first.alerts, first.crisis, first.distress, first.false, first.aside) == (11, 7, 2, 1, 1)
    assert first.predictive_value is not None
    assert (first.predictive_value.hits, first.predictive_value.of) == (7, 10)
    assert report.of_level("critical") == row(report.levels, "critical", "engine").tally
    assert report.of_level("critical").predictive_value == first.predictive_value
    assert row(report.tiers, lexicon().version, "A").tally.crisis == 7
    waiting = row(report.rules, "H11").tally
    assert (waiting.alerts, waiting.open, waiting.unclaimed, waiting.verdicts) == (1, 1, 1, 0)
    assert waiting.claim_median is None
    assert first.claim_median is not None and 0 <= first.claim_median < 60
    assert {one.key[1] for one in report.versions} == {lexicon().version}
    (top,) = (one for one in report.bins if one.key[0] == "9")
    assert (top.tally.alerts, top.tally.crisis) == (11, 7)
    assert report.everything.brier is not None


def test_the_last_verdict_counts_and_none_while_an_alert_is_open_again(cast: Cast) -> None:
    cast.on_duty()
    person = somebody(cast)
    told(person, words("B"))
    end(cast, alert_of(person), Verdict.ELEVATED)
    reopen_alert(actor=staff(cast.cleo), alert_id=alert_of(person).pk, reason="They called back.")
    again = report_of(cast).everything
    assert (again.open, again.verdicts, AlertFeedback.objects.count()) == (1, 0, 1)
    resolve_alert(
        actor=staff(cast.cleo), alert_id=alert_of(person).pk,
        ending=Ending(disposition=Disposition.COMMUNITY, verdict=Verdict.TRUE_CRISIS, notes="Seen.",
                      follow_up_at=now() + timedelta(hours=5)),
    )  # fmt: skip
    last = report_of(cast).everything
    assert (last.open, last.crisis, last.distress) == (0, 1, 0)


def test_what_was_raised_by_hand_or_button_stands_by_what_the_engine_had_said(cast: Cast) -> None:
    cast.on_duty()
    quiet, silent, pressed = (somebody(cast) for _ in range(3))
    for person in (quiet, pressed):
        evaluate_patients(actor=system("test"), patient_ids=[person.pk])
    for person in (quiet, silent):
        raise_for_caller(
            actor=staff(cast.cleo), pseudonym=person.anonymous_id, level="high", kind=Kind.SELF_HARM,
            note="Their sister called.", third_party=True, caller="Sister",
        )  # fmt: skip
    told(pressed, from_sos("in_danger", Origin("sos", now())))
    end(cast, alert_of(quiet), Verdict.TRUE_CRISIS)
    found = {(one.source, one.before): (one.alerts, one.crisis) for one in report_of(cast).missed}
    assert found == {("staff", "low"): (1, 1), ("staff", ""): (1, 0), ("sos", "low"): (1, 0)}


def test_a_clinicians_level_counts_for_the_rules_and_the_tier_that_stood_before_it(cast: Cast) -> None:
    cast.on_duty(cast.sam)
    for level, note in (("medium", "Seen today."), ("same", ""), ("critical", "")):
        person = somebody(cast)
        told(person, words("B"))
        item = make_item(
            actor=system("test"), organization_id=cast.home.pk, patient=person, reason_code="risk_review"
        )
        finish_risk_review(actor=staff(cast.sam), item_id=item.pk, outcome="reviewed", level=level, note=note)
    report = report_of(cast)
    ((level, found),) = report.overrides
    assert (level, found.lowered, found.raised, found.same) == ("high", 1, 1, 1)
    for one in (row(report.rules, "H11"), row(report.tiers, lexicon().version, "B")):
        assert (one.override.lowered, one.override.raised) == (1, 1)


def test_a_second_readers_answer_is_counted_and_a_shadow_stands_apart(cast: Cast) -> None:
    cast.on_duty()
    person, source = somebody(cast), uuid7()
    shadow = from_text_model(ModelReading(0.4, 0.9, "m-1", is_shadow=True), Origin("message", now(), source))
    told(person, words("A", source), shadow)
    told(somebody(cast), shadow)
    alert = alert_of(person)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    song = Ending(verdict=Verdict.NOT_RISK_LANGUAGE, notes="It was a song.")
    mark_false_alarm(actor=staff(cast.cleo), alert_id=alert.pk, ending=song)
    assert report_of(cast).everything.verdicts == 0  # it takes effect with the second reader
    review = SecondReview.objects.get()
    decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=True, note="A song indeed.")
    report = report_of(cast)
    (asked,) = report.readings
    assert (asked.kind, asked.asked, asked.agreed, asked.refused, asked.withdrawn) == (
        "false_alarm", 1, 1, 0, 0,
    )  # fmt: skip
    (found,) = report.shadows
    assert (found.code, found.version, found.readings, found.people) == ("TEXT_MODEL_SHADOW", "m-1", 2, 2)
    assert (found.beside.alerts, found.beside.false) == (1, 1)
    assert {one.key[1] for one in report.tiers} == {"A"}


def test_what_cortex_raised_about_itself_and_merged_alerts_stand_in_no_figure(cast: Cast) -> None:
    make_alert(cast.patient, "high", kind=Kind.COULD_NOT_SCREEN, source="system")
    merged = make_alert(cast.patient, "high")
    RiskAlert.objects.filter(pk=merged.pk).update(status="merged")
    assert report_of(cast).everything.alerts == 0
    assert report_of(cast).is_empty


def test_every_table_has_a_cell_for_each_column(cast: Cast) -> None:
    cast.on_duty()
    told(cast.patient, words("B"))
    shown_tables = tables(report_of(cast))
    assert all(len(one) == len(table.columns) for table in shown_tables for one in table.rows)
    by_key = {table.key: table for table in shown_tables}
    (critical, *_) = by_key["budget"].rows
    assert critical[2:] == ("fewer than 10 judged", "not known")
    assert by_key["ages"].rows == []
    assert "Withheld: Age unknown." in by_key["ages"].caption
    assert len({table.key for table in shown_tables}) == len(shown_tables)


# The page


@pytest.fixture
def page(cast: Cast) -> Callable[..., Any]:
    def ask(user: Any, query: str = "") -> Any:
        client = Client()
        client.force_login(user)
        return client.get(PAGE + query)

    return ask


def test_the_page_is_for_supervisors_and_shows_their_own_organization(cast: Cast, page: Any) -> None:
    cast.on_duty()
    told(cast.patient, words("A"))
    for user in (cast.cleo, cast.alice, cast.ada):
        assert page(user).status_code == 403
    before = PhiAccessLog.objects.count()
    answer = page(cast.sam)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert cast.home.name in text and lexicon().version in text
    assert "H1: Said something that may mean immediate danger" in text
    assert cast.patient.anonymous_id not in text
    look = PhiAccessLog.objects.latest("occurred_at")
    assert PhiAccessLog.objects.count() == before + 1
    assert (look.data_type, look.organization_id, look.subjects) == ("review.calibration", cast.home.pk, [])
    other = make_user("supervisor", cast.elsewhere)
    foreign = page(other)
    assert "Nothing to report yet" in foreign.content.decode()
    assert reverse("crisis:calibration") in page(cast.sam, "?days=30").content.decode()


def test_a_supervisor_who_covers_another_service_does_not_get_its_report(cast: Cast, page: Any) -> None:
    shift = cast.on_duty(cast.sam)
    shift.covers = [cast.home.pk, cast.elsewhere.pk]
    shift.save(update_fields=["covers"])
    told(cast.stranger, words("A"))
    assert "Nothing to report yet" in page(cast.sam).content.decode()


@pytest.mark.parametrize("query", ["?days=7000", "?days=x", "?days=-1"])
def test_a_period_that_is_not_offered_is_the_usual_one(cast: Cast, page: Any, query: str) -> None:
    report = page(cast.sam, query).context["report"]
    assert (report.until - report.since).days == 90
    assert report.days < 1  # the service is that old: nothing is divided by days on which it was not there


def test_a_large_service_is_counted_by_its_indexes(cast: Cast) -> None:
    told(cast.patient, words("A"))
    alert = alert_of(cast.patient)
    old = "now() - interval '200 days' - g * interval '1 minute'"
    with stores.role("cortex_system"):
        multiply("patients_patient", cast.patient.pk, 8000, id="md5('p' || g)::uuid",
                 anonymous_id="'T-' || g", email_hash="NULL", mrn_hash="NULL")  # fmt: skip
        multiply("crisis_riskalert", alert.pk, 16000, id="gen_random_uuid()", status="'resolved'",
                 patient_id="md5('p' || 1 + mod(g, 8000))::uuid", resolved_at="now()", raised_at=old,
                 level_since=old)  # fmt: skip
    with stores.role("cortex_owner"):
        rows_changed("ANALYZE crisis_riskalert, crisis_evidence, crisis_riskassessment, patients_patient")
    with scoped(staff(cast.sam)), CaptureQueriesContext(connection) as asked:
        report = calibration(cast.home, now() - timedelta(days=90), now() + timedelta(minutes=1))
    assert report.everything.alerts == 1
    counted = [one["sql"] for one in asked if '"crisis_riskalert"' in one["sql"]]
    assert len(counted) == 3
    for sql in counted:
        with scoped(staff(cast.sam)):
            found, read = reads_of(sql)
        assert "alert_raised" in found
        assert "crisis_riskalert" not in read
    scope_all()


# The command


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("calibration_report", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_one_organization_or_all_and_leaves_its_looks_on_record(cast: Cast) -> None:
    cast.on_duty()
    told(cast.patient, words("A"))
    before = PhiAccessLog.objects.count()
    text = said("--organization", "amani")
    assert "H1: Said something that may mean immediate danger" in text
    assert "baraka" not in text and cast.patient.anonymous_id not in text
    look = PhiAccessLog.objects.latest("occurred_at")
    assert (look.actor_label, look.organization_id) == ("system:calibration_report", cast.home.pk)
    assert "baraka" in said()
    assert PhiAccessLog.objects.count() == before + 1 + len(queries.organizations())


def test_the_commands_numbers_are_those_of_the_report(cast: Cast) -> None:
    cast.on_duty()
    told(cast.patient, words("A"))
    (found,) = json.loads(said("--organization", "amani", "--json"))
    (rule,) = found["rules"]
    assert (rule["key"], rule["alerts"], rule["predictive_value"]) == (["H1"], 1, None)
    assert found["ages"] == [{"key": ["unknown"], "withheld": True}]
    assert found["lexicon_version"] == lexicon().version
    yesterday = f"{now() - timedelta(days=2):%Y-%m-%d}"
    (past,) = json.loads(said("--organization", "amani", "--json", "--until", yesterday))
    assert past["everything"]["alerts"] == 0


def test_the_command_refuses_nobody_and_a_period_without_days(cast: Cast) -> None:
    with pytest.raises(CommandError, match="no active organization"):
        said("--organization", "nowhere")
    with pytest.raises(CommandError, match="before"):
        said("--organization", "amani", "--since", "2030-01-02", "--until", "2030-01-01")
