"""What the page of a result says after item 9: the tasks with their owners, and the C-SSRS at once."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinical.assessments.actions import (
    begin_assessment,
    correct_assessment,
    finish_assessment,
    install_text,
)
from clinical.assessments.models import Assessment, Instrument
from clinical.sessions.actions import assess_risk, start_session
from cortex.accounts.models import User
from cortex.audit.models import PhiAccessLog
from crisis.reviews.models import ReviewItem
from patients.breakglass.actions import break_glass
from patients.registry.actions import create_provisional, link_provisional
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.caseload.test_places import assessed

pytestmark = pytest.mark.django_db
ASK = "Ask the C-SSRS now"


def taken(cast: Cast, item9: int, key: str = "phq9") -> Assessment:
    answers: dict[str, int | None] = {f"q{number}": 1 for number in range(1, 9)} | {"q9": item9}
    if key == "cssrs":
        answers = {"q1": 0, "q2": 0, "q6_lifetime": 0}
    one, _ = finish_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key=key, answers=answers)
    makers.scope_all()
    return one


def page_of(cast: Cast, one: Assessment, user: User | None = None) -> str:
    client = Client()
    client.force_login(user or cast.alice)
    answer = client.get(reverse("clinical:measure_result", args=[cast.patient.pk, one.pk]))
    makers.scope_all()
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def screener_texts(key: str) -> dict[str, Any]:
    """A wording of a form of the screener; the official one is an operator's to load."""
    keys = [item["key"] for item in Instrument.objects.get(key=key).definition["items"]]
    return {"stem": "", "items": dict.fromkeys(keys, "?"), "answers": {"0": "No", "1": "Yes"}}


def install_screener(cast: Cast, key: str = "cssrs", language: str = "en") -> None:
    install_text(
        actor=makers.machine(cast.home), key=key, version="1", language=language, texts=screener_texts(key)
    )
    makers.scope_all()


def test_item_9_at_one_shows_each_task_with_its_owner_and_its_time(cast: Cast) -> None:
    before = PhiAccessLog.objects.filter(data_type="measure").count()
    page = page_of(cast, taken(cast, 1))
    assert PhiAccessLog.objects.filter(data_type="measure").count() == before + 1
    assert "2 tasks are open for this person" in page and "An alert is open" not in page
    for words, code in (
        ("Signals at medium: have a look today", "risk_review"),
        ("Offer the C-SSRS today", "cssrs_due"),
    ):
        item = ReviewItem.objects.get(reason_code=code)
        found = re.search(
            rf'<li><a href="{reverse("crisis:review_detail", args=[item.pk])}">{words}</a>: '
            r'Alice Achieng has it, to be done by <time datetime="([^"]+)">',
            page,
        )
        assert found is not None, words
        assert abs(datetime.fromisoformat(found[1]) - item.due_at) < timedelta(seconds=1)


def test_a_task_that_the_desk_has_says_so_and_leads_nobody_else_to_its_page(cast: Cast) -> None:
    one = taken(cast, 1)
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist")
    item = ReviewItem.objects.get(reason_code="risk_review")
    ReviewItem.objects.filter(reason_code="cssrs_due").update(owner=None)
    page = page_of(cast, one, cast.bob)
    assert "Offer the C-SSRS today: the desk has it" in page
    assert reverse("crisis:review_detail", args=[item.pk]) not in page


def test_the_screener_is_offered_at_once_where_it_can_be_asked_and_else_the_page_says_why(cast: Cast) -> None:
    one = taken(cast, 1)
    ask = reverse("clinical:measure_ask", args=[cast.patient.pk, "cssrs"])
    page = page_of(cast, one)
    assert "The text of the C-SSRS is not installed" in page and ask not in page and ASK not in page
    sessions = reverse("clinical:sessions", args=[cast.patient.pk])
    assert f'href="{sessions}">Start a session to assess risk</a>' in page
    begun = start_session(actor=staff(cast.alice), patient_id=cast.patient.pk, channel="in_person")
    assess = reverse("clinical:session_risk", args=[cast.patient.pk, begun.pk])
    assert f'href="{assess}">Assess risk in your session</a>' in page_of(cast, one)
    install_screener(cast)
    assert f'href="{ask}">{ASK}</a>' in page_of(cast, one)
    Instrument.objects.filter(key="cssrs").update(is_enabled=False)
    page = page_of(cast, one)
    assert "The C-SSRS is not offered here" in page and ask not in page


def test_a_screener_without_its_text_has_a_page_that_says_what_to_do_and_whom_to_tell(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.alice)
    answer = client.get(reverse("clinical:measure_ask", args=[cast.patient.pk, "cssrs"]))
    page = answer.content.decode()
    assert answer.status_code == 200
    for said in ("Zawadi Planted", "can't be asked here yet", "ask directly about intent, plan and means",
                 "Start a session to assess risk", cast.ada.full_name):  # fmt: skip
        assert said in page, said
    assert "manage.py" not in page and "start page" not in page
    listed = client.get(reverse("clinical:measures", args=[cast.patient.pk])).content.decode()
    assert "manage.py" not in listed


def test_an_alert_that_nobody_claimed_in_time_says_that_its_time_is_over(cast: Cast) -> None:
    one = taken(cast, 0)
    alert = makers.make_alert(cast.patient, "high")
    assert "nobody has it yet, to be claimed by" in page_of(cast, one)
    past = makers.now() - timedelta(minutes=8)
    type(alert).objects.filter(pk=alert.pk).update(claim_due_at=past)
    page = page_of(cast, one)
    assert "nobody has it yet, it was to be claimed by" in page and "overdue" in page


def due_of(cast: Cast) -> str:
    client = Client()
    client.force_login(cast.alice)
    page = client.get(reverse("clinical:chart", args=[cast.patient.pk])).content.decode()
    makers.scope_all()
    return page.split('id="du"')[1].split("</section>")[0]


def test_a_high_level_asks_for_a_safety_plan_and_to_be_asked_directly_until_somebody_did(cast: Cast) -> None:
    at = makers.now()
    assert "suicide" not in due_of(cast) and "safety plan" not in due_of(cast)
    assessed(cast, "high", at - timedelta(hours=2))
    due = due_of(cast)
    ask = reverse("clinical:measure_ask", args=[cast.patient.pk, "cssrs"])
    assert f'href="{ask}">Ask directly about suicide</a>' in due and "at once" in due
    assert "Make a safety plan together" in due
    begun = start_session(actor=staff(cast.alice), patient_id=cast.patient.pk, channel="in_person")
    assess_risk(
        actor=staff(cast.alice), patient_id=cast.patient.pk, session_id=begun.pk, level="high",
        note="No plan.", factors={},
    )  # fmt: skip
    assert "Ask directly about suicide at the next contact" in due_of(cast)
    makers.make_alert(cast.patient, "critical")
    assert "at once" in due_of(cast), "an alert asks anew"
    install_screener(cast)
    due = due_of(cast)
    assert "Ask the C-SSRS" in due and "at once" in due, "also where its own line is due"
    assert due.count(f'href="{ask}"') == 1


def test_the_screener_is_not_offered_again_once_it_was_answered(cast: Cast) -> None:
    one = taken(cast, 1)
    install_screener(cast)
    assert taken(cast, 0, "cssrs").is_valid
    assert ASK not in page_of(cast, one)


def test_a_result_that_a_later_one_of_the_same_measure_follows_offers_nothing(cast: Cast) -> None:
    one = taken(cast, 1)
    install_screener(cast)
    later = taken(cast, 0)
    assert ASK not in page_of(cast, one) and ASK not in page_of(cast, later)


def test_without_an_endorsement_and_after_a_correction_nothing_is_offered(cast: Cast) -> None:
    install_screener(cast)
    calm = page_of(cast, taken(cast, 0))
    assert ASK not in calm and "open for this person" not in calm
    wrong = taken(cast, 1)
    answers: dict[str, int | None] = {f"q{number}": 1 for number in range(1, 9)} | {"q9": 0}
    correct_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, assessment_id=wrong.pk, answers=answers
    )
    makers.scope_all()
    assert ASK not in page_of(cast, wrong)


def test_whoever_only_reads_by_break_glass_is_offered_no_questions(cast: Cast) -> None:
    one = taken(cast, 1)
    install_screener(cast)
    break_glass(
        actor=staff(cast.bob), asked=cast.patient.anonymous_id, reason_code="imminent_risk",
        reason="She rang me and hung up.",
    )  # fmt: skip
    makers.scope_all()
    page = page_of(cast, one, cast.bob)
    assert "2 tasks are open for this person" in page and ASK not in page


def test_whoever_reads_answers_in_a_form_leaves_a_row_that_names_them_and_break_glass_gets_no_form(
    cast: Cast,
) -> None:
    one = taken(cast, 1)
    correct = reverse("clinical:measure_correct", args=[cast.patient.pk, one.pk])
    client = Client()
    client.force_login(cast.alice)
    assert client.get(correct).status_code == 200
    makers.scope_all()
    row = PhiAccessLog.objects.filter(data_type="measure").latest("id")
    assert (row.object_id, row.sections) == (one.pk, ["correct"])
    begin_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key="gad7")
    makers.scope_all()
    client.get(reverse("clinical:measure_ask", args=[cast.patient.pk, "gad7"]))
    makers.scope_all()
    assert PhiAccessLog.objects.filter(data_type="measure_draft", subject=cast.patient.pk).count() == 1
    glass = Client()
    glass.force_login(makers.glass(cast.patient, cast.bob))
    assert glass.get(correct).status_code == 409


def test_a_look_at_a_linked_row_is_named_with_its_relationship_and_the_glass(cast: Cast) -> None:
    home = makers.machine(cast.home)
    caller = create_provisional(
        actor=home, organization_id=cast.home.pk, given_name="Caller", phone="+254700111222"
    )
    link_provisional(actor=home, provisional_id=caller.pk, patient_id=cast.patient.pk)
    makers.scope_all()
    one = taken(cast, 1)
    begin_assessment(actor=staff(cast.alice), patient_id=caller.pk, key="gad7")
    makers.scope_all()
    reader = makers.client_of(makers.glass(cast.patient, cast.bob))
    for kind, address in (
        ("measure", reverse("clinical:measure_result", args=[caller.pk, one.pk])),
        ("measure_draft", reverse("clinical:measure_ask", args=[caller.pk, "gad7"])),
        ("measure_print", reverse("clinical:measure_print", args=[caller.pk, "phq9"])),
    ):
        assert reader.get(address).status_code == 200
        makers.scope_all()
        row = PhiAccessLog.objects.filter(data_type=kind, actor_id=cast.bob.pk).latest("id")
        assert (row.subject, row.relationship) == (caller.pk, "grant:break_glass"), kind
        assert row.break_glass is not None, kind
