"""What is asked in a promised contact: screener, plan, means; what is kept of it, and who reads it next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from cortex.accounts.models import User
from cortex.audit import InputRefused, system
from cortex.audit.models import AuditLog
from cortex.ids import uuid7
from cortex.ui.zone import zone_of
from crisis.alerts.models import RiskAlert
from crisis.followups.actions import Checks, finish_follow_up
from crisis.followups.models import FollowUpCheck
from crisis.reviews.models import PLAN_REVIEW, FollowUp, ReviewItem
from crisis.risk.actions import append_evidence
from crisis.risk.evidence import Origin, from_cssrs
from crisis.risk.models import Evidence
from crisis.risk.types import Level
from crisis.safetyplans.models import SafetyPlanReview
from patients.registry.models import Patient
from tests.cast import Cast
from tests.makers import UNASKED, UNASKED_FORM, make_alert, make_patient, now, opened, scope_all, staff
from tests.unit.crisis.test_desk_pages import get, text
from tests.unit.crisis.test_follow_ups import ended, series
from tests.unit.crisis.test_risk_reviews import said
from tests.walk.safety import make_safety_plan

pytestmark = pytest.mark.django_db
WORDS = "Two bottles of pesticide in the shed; her brother takes them away"
UNSAFE = replace(UNASKED, means="unsafe", means_why="", means_note=WORDS)
SAFE = replace(UNASKED, means="safe", means_why="")


def screened(patient: Patient, days: float = 0) -> Any:
    """A C-SSRS of somebody, as the chart puts it into the ledger; return which administration it is."""
    at, which = now() - timedelta(days=days), uuid7()
    row = from_cssrs(
        "low", Level.MEDIUM, Origin("instrument", at, source_id=which), complete=True, behaviour=0.0,
        since_contact=True,
    )  # fmt: skip
    append_evidence(actor=system("test"), drafts={patient.pk: [row]}, at=now())
    scope_all()
    return which


def log(cast: Cast, row: FollowUp, checks: Checks | None, by: User | None = None, **more: Any) -> FollowUp:
    values = {"outcome": "reached"} | more
    return finish_follow_up(actor=staff(by or cast.cleo), follow_up_id=row.pk, checks=checks, **values)


def factors(cast: Cast, code: str) -> list[str]:
    rows = Evidence.objects.filter(patient=cast.patient, code=code, source_type="clinician")
    return list(rows.order_by("observed_at", "pk").values_list("status", flat=True))


@pytest.mark.parametrize(
    ("missing", "field"),
    [
        ({"screener": ""}, "screener"),
        ({"screener_why": ""}, "screener_why"),
        ({"plan": ""}, "plan"),
        ({"plan_why": ""}, "plan_why"),
        ({"means": ""}, "means"),
        ({"means_why": ""}, "means_why"),
        ({"means": "perhaps"}, "means"),
        ({"screener": "done", "screener_why": ""}, "screener"),
    ],
)
def test_whoever_reached_somebody_answers_all_three_questions(
    cast: Cast, missing: dict[str, str], field: str
) -> None:
    first, *_ = series(ended(cast))
    with pytest.raises(InputRefused) as refused:
        log(cast, first, replace(UNASKED, **missing))  # type: ignore[arg-type]
    first.refresh_from_db()
    assert (refused.value.extra["field"], first.status) == (field, "due")
    assert not FollowUpCheck.objects.exists()


def test_a_contact_without_answers_is_no_contact_and_a_try_has_none(cast: Cast) -> None:
    first, second, *_ = series(ended(cast))
    with pytest.raises(InputRefused):
        log(cast, first, None)
    with pytest.raises(InputRefused) as refused:
        log(cast, first, UNSAFE, outcome="no_answer", channel="phone")
    assert refused.value.code == "nobody_asked"
    log(cast, first, None, outcome="declined")
    log(cast, second, replace(Checks(), means="safe"), outcome="moved_on")
    assert FollowUpCheck.objects.get().means == "safe"


def test_the_answers_are_kept_once_with_their_words_sealed(cast: Cast) -> None:
    first, *_ = series(ended(cast))
    which = screened(cast.patient)
    log(cast, first, replace(UNSAFE, screener="done", screener_why="", screener_id=which))
    found = FollowUpCheck.objects.get(follow_up=first)
    assert (found.screener, found.screener_id, found.plan, found.means) == (
        "done", which, "not_asked", "unsafe",
    )  # fmt: skip
    assert found.answered_by == cast.cleo
    assert opened(found, "means_note") == WORDS
    done = AuditLog.objects.get(event_type="follow_up.done")
    assert (done.codes["means"], done.codes["plan_why"], WORDS in str(done.codes)) == (
        "unsafe", "declined", False,
    )  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic():
        FollowUpCheck.objects.update(means="safe")


def test_only_this_person_s_screener_since_the_last_contact_is_named(cast: Cast) -> None:
    first, second, *_ = series(ended(cast))
    old, others = screened(cast.patient, days=3), screened(make_patient(cast.home))
    for which in (old, others, uuid7()):
        with pytest.raises(InputRefused, match="asked since the last contact"):
            log(cast, first, replace(UNASKED, screener="done", screener_why="", screener_id=which))
    new = screened(cast.patient)
    named = replace(UNASKED, screener="done", screener_why="", screener_id=new)
    log(cast, first, named)
    with pytest.raises(InputRefused, match="asked since the last contact"):
        log(cast, second, named)


def test_means_within_reach_are_evidence_until_somebody_says_that_they_are_safe(cast: Cast) -> None:
    first, second, *_ = series(ended(cast))
    log(cast, first, UNSAFE)
    assert (factors(cast, "RF_MEANS_ACCESS"), factors(cast, "PF_MEANS_SAFE")) == (["present"], ["absent"])
    row = Evidence.objects.get(code="RF_MEANS_ACCESS")
    assert (row.source_id, row.expires_at) == (first.pk, None)
    log(cast, second, SAFE)
    assert factors(cast, "RF_MEANS_ACCESS") == ["present", "absent"]
    assert factors(cast, "PF_MEANS_SAFE") == ["absent", "present"]


def test_means_within_reach_beside_thoughts_of_suicide_raise_an_alert_at_once(cast: Cast) -> None:
    first, second, *_ = series(ended(cast))
    said(cast, "B", days=0)
    assert not RiskAlert.objects.open().exists()
    assert log(cast, second, UNASKED).raised == ()
    raised = log(cast, first, UNSAFE).raised
    alert = RiskAlert.objects.open().get()
    assert ([one.pk for one in raised], alert.level) == ([alert.pk], "critical")  # type: ignore[attr-defined]


def test_a_plan_that_still_fits_is_looked_at_and_its_task_ends(cast: Cast) -> None:
    first, second, *_ = series(ended(cast))
    fits = replace(UNASKED, plan="fits", plan_why="")
    with pytest.raises(InputRefused, match="No plan is in force"):
        log(cast, first, fits)
    make_safety_plan(cast.alice, cast.patient.pk, "Walks")
    with pytest.raises(InputRefused, match="A plan is in force"):
        log(cast, first, replace(UNASKED, plan="none", plan_why=""))
    ReviewItem.objects.create(
        organization=cast.home, patient=cast.patient, reason_code=PLAN_REVIEW, due_at=now()
    )
    log(cast, first, fits)
    looks = SafetyPlanReview.objects.filter(reviewed_by=cast.cleo)
    assert looks.count() == 1
    assert ReviewItem.objects.get(reason_code=PLAN_REVIEW).outcome == "reviewed"
    log(cast, second, replace(UNASKED, plan="changed", plan_why=""))
    assert looks.count() == 1


def test_whoever_has_the_person_not_open_says_nothing_on_their_plan(cast: Cast) -> None:
    first, *_ = series(ended(cast))
    make_safety_plan(cast.alice, cast.patient.pk, "Walks")
    FollowUp.objects.filter(pk=first.pk).update(owner=None)
    cast.on_duty(cast.bob)
    log(cast, first, replace(UNASKED, plan="fits", plan_why=""), by=cast.bob)
    assert not SafetyPlanReview.objects.filter(reviewed_by=cast.bob).exists()


def test_the_next_reader_sees_that_the_means_are_within_reach(cast: Cast) -> None:
    alert = ended(cast)
    first, *_ = series(alert)
    log(cast, first, UNSAFE)
    assert "Means within reach" in text(get(cast.cleo, "followups"))
    second = series(alert)[1]
    page = text(get(cast.cleo, "followup_done", second.pk))
    assert "Not safe: within reach" in page
    assert WORDS in page
    shown = text(get(cast.cleo, "alert_page", alert.pk))
    assert "Not safe: within reach" in shown.split('id="c-fu"')[1]
    assert "Within reach when last asked" in shown
    FollowUp.objects.filter(pk=first.pk).update(due_at=now() - timedelta(minutes=1))
    chart = Client()
    chart.force_login(cast.alice)
    for name, words in (("chart_crisis", WORDS), ("timeline", "Means: not safe: within reach")):
        assert words in chart.get(reverse(f"clinical:{name}", args=[cast.patient.pk])).content.decode()
    scope_all()
    fresh = make_alert(cast.patient, kind="medical")
    assert "Within reach when last asked" in text(get(cast.sam, "alert_page", fresh.pk))


def test_the_day_on_which_it_was_said_is_that_of_the_service(cast: Cast) -> None:
    alert = ended(cast)
    first, *_ = series(alert)
    late = now().replace(hour=22, minute=30) - timedelta(days=1)
    log(cast, first, UNSAFE, at=late)
    here = late.astimezone(zone_of(cast.home.default_timezone))
    assert here.date() != late.date()
    assert f"Within reach when last asked, {here:%-d %b}" in text(get(cast.cleo, "alert_page", alert.pk))


def test_who_has_not_the_person_open_reads_codes_and_no_words(cast: Cast) -> None:
    first, second, *_ = series(ended(cast))
    log(cast, first, UNSAFE)
    cast.on_duty(cast.bob)
    page = text(get(cast.bob, "followup_done", second.pk))
    assert ("Not safe: within reach" in page, WORDS in page) == (True, False)
    assert reverse("crisis:safety_plan", args=[cast.patient.pk]) not in page


def test_the_form_asks_shows_the_screeners_and_gives_typed_words_back(cast: Cast) -> None:
    first, *_ = series(ended(cast))
    client, address = Client(), reverse("crisis:followup_done", args=[first.pk])
    client.force_login(cast.cleo)
    bare = client.post(address, {"outcome": "reached", "note": "She sounded tired"})
    page = text(bare)
    assert (bare.status_code, page.count("not asked is an answer, too")) == (422, 6)
    assert "She sounded tired" in page
    assert "None on record since the last contact" in page
    scope_all()
    which = screened(cast.patient)
    typed = {"outcome": "reached", "means_note": WORDS, "means": "unsafe", "look": "1"}
    again = client.post(address, typed)
    assert (again.status_code, WORDS in text(again), str(which) in text(again)) == (200, True, True)
    scope_all()
    assert not FollowUpCheck.objects.exists()
    answers = UNASKED_FORM | {"outcome": "reached", "means": "unsafe", "means_note": WORDS}
    sent = client.post(address, answers | {"screener": str(which)})
    assert (sent.status_code, sent["Location"]) == (303, reverse("crisis:followups"))
    scope_all()
    found = FollowUpCheck.objects.get()
    assert (found.screener_id, found.screener_why, found.means) == (which, "", "unsafe")


def test_who_treats_the_person_is_led_to_screener_and_plan(cast: Cast) -> None:
    first, *_ = series(ended(cast))
    FollowUp.objects.filter(pk=first.pk).update(owner=cast.alice)
    ask = reverse("clinical:measure_ask", args=[cast.patient.pk, "cssrs"])
    plan = reverse("crisis:safety_plan", args=[cast.patient.pk])
    page = text(get(cast.alice, "followup_done", first.pk))
    assert (ask in page, plan in page) == (True, True)
    theirs = text(get(cast.cleo, "followup_done", first.pk))
    assert (ask in theirs, "Whoever treats the person asks it" in theirs) == (False, True)


def test_a_try_that_has_answers_is_refused_with_its_words(cast: Cast) -> None:
    first, *_ = series(ended(cast))
    client, address = Client(), reverse("crisis:followup_done", args=[first.pk])
    client.force_login(cast.cleo)
    sent = client.post(address, {"outcome": "no_answer", "channel": "phone", "means_note": WORDS})
    assert (sent.status_code, WORDS in text(sent)) == (422, True)
    assert "leave the questions below empty" in text(sent)
