"""Which questions are asked after which answers, and what becomes of an answer that nothing asked for."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinical.assessments.actions import begin_assessment
from clinical.assessments.models import Assessment
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.assessments.test_results import install_screener, page_of, taken

pytestmark = pytest.mark.django_db


@pytest.fixture
def screener(cast: Cast) -> Client:
    """Alice, who has begun to ask a person the screener."""
    install_screener(cast)
    begin_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key="cssrs")
    makers.scope_all()
    client = Client()
    client.force_login(cast.alice)
    return client


def url(cast: Cast, name: str, *more: Any) -> str:
    return reverse(f"clinical:{name}", args=[cast.patient.pk, *more])


def test_each_question_says_when_it_is_asked_with_or_without_a_script(cast: Cast, screener: Client) -> None:
    page = screener.get(url(cast, "measure_ask", "cssrs")).content.decode()
    asked_if = {
        part.split('"')[0]: part.split('data-asked-if="')[1].split('"')[0] if "data-asked-if" in part else ""
        for part in (one.split("</fieldset>")[0] for one in page.split('data-item="')[1:])
    }
    after_2, after_6 = "q2=1", "q6_lifetime=1"
    assert asked_if == {
        "q1": "", "q2": "", "q3": after_2, "q4": after_2, "q5": after_2, "q6_lifetime": "",
        "q6_3m": after_6,
    }  # fmt: skip
    assert page.count("Asked only when question 2 was answered with Yes.") == 3
    assert page.count("Asked only when question 6 was answered with Yes.") == 1


def test_an_answer_that_nothing_asked_for_is_said_not_to_be_kept_before_anything_is_scored(
    cast: Cast, screener: Client
) -> None:
    finish = url(cast, "measure_finish", "cssrs")
    given = {"q1": "1", "q2": "0", "q3": "1", "q4": "0", "q6_lifetime": "0"}
    refused = screener.post(finish, given)
    assert refused.status_code == 422
    text = refused.content.decode()
    assert "Questions 3, 4 are not asked after these answers: what was answered there is not kept." in text
    assert "Finish as it is" in text
    makers.scope_all()
    assert not Assessment.objects.exists()
    assert screener.post(finish, given | {"finish_anyway": "on"}).status_code == 303
    makers.scope_all()
    one = Assessment.objects.get()
    assert {key for key, value in one.items.items() if value is not None} == {"q1", "q2", "q6_lifetime"}
    wrong = screener.post(url(cast, "measure_correct", one.pk), given | {"q4": ""})
    assert "Question 3 is not asked after these answers" in wrong.content.decode()


def test_a_question_that_is_missing_is_named_by_its_number(cast: Cast, screener: Client) -> None:
    refused = screener.post(url(cast, "measure_finish", "cssrs"), {"q1": "1", "q2": "0"})
    assert "An answer is missing (question 6)." in refused.content.decode()


def test_how_hard_it_is_stands_beside_the_total_and_not_among_what_it_is_made_of(cast: Cast) -> None:
    begin_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9")
    makers.scope_all()
    client = Client()
    client.force_login(cast.alice)
    given = {f"q{number}": "1" for number in range(1, 9)} | {"q9": "0", "function": "2"}
    done = client.post(url(cast, "measure_finish", "phq9"), given, follow=True)
    head, answers = " ".join(done.content.decode().split()).split('id="an"')
    assert "PHQ-9: 8, mild" in head
    told = head.split("Beside the total: ")[1].split("</p>")[0]
    assert told.endswith("get along with other people? <b>Very difficult</b>")
    assert "get along with other people" not in answers
    assert answers.split("</tbody>")[0].count('<th scope="row">') == 9
    makers.scope_all()
    page = page_of(cast, taken(cast, 0))
    assert "get along with other people? <b>No answer</b>" in page
