"""Measures in a person's app: what is due in their language, answers taken once, help by item 9."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clinical.assessments.actions import install_text
from clinical.assessments.models import Assessment
from crisis.alerts.models import RiskAlert
from crisis.intake.models import IntakeRequest
from crisis.ownership.actions import claim_alert
from crisis.reviews.actions import make_item
from crisis.reviews.models import ReviewItem
from patients.registry.models import Patient
from tests import makers
from tests.api.conftest import Api, issue_key
from tests.cast import Cast
from tests.unit.assessments.test_results import install_screener

pytestmark = pytest.mark.django_db


def phq9(*values: int) -> dict[str, Any]:
    return {"measure": "phq9", "answers": {f"q{number}": value for number, value in enumerate(values, 1)}}


CALM = phq9(1, 1, 1, 1, 1, 0, 0, 0, 0)
HEAVY = phq9(2, 2, 2, 2, 2, 2, 1, 1, 2)


@pytest.fixture
def where(cast: Cast) -> str:
    return f"patients/{cast.patient.anonymous_id}/measures"


@pytest.fixture
def device(cast: Cast, api: Api) -> Api:
    answer = api.post(f"patients/{cast.patient.anonymous_id}/tokens", {})
    return Api(f"Bearer {answer.json()['token']}")


def keys(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return sorted(one["measure"] for one in answer.json()["measures"])


def test_what_is_due_comes_with_its_questions_and_where_help_is_near(
    api: Api, where: str, device: Api
) -> None:
    answer = api.get(where)
    assert keys(answer) == ["gad7", "phq9"] == keys(device.get("me/measures"))
    (one,) = [found for found in answer.json()["measures"] if found["measure"] == "phq9"]
    assert one["questions"][0]["text"] == "Little interest or pleasure in doing things"
    assert one["questions"][0]["choices"][3] == {"value": 3, "text": "Nearly every day"}
    assert one["language"] == "en" and one["credit"]
    assert answer.json()["support"]["emergency_number"]
    assert answer["Cache-Control"] == "no-store"


def test_the_questions_are_in_the_persons_language_where_a_wording_is_installed(
    cast: Cast, api: Api, where: str
) -> None:
    texts = {"stem": "", "items": {f"q{n}": "swali" for n in range(1, 8)},
             "answers": {str(n): "jibu" for n in range(4)}}  # fmt: skip
    install_text(actor=makers.machine(cast.home), key="gad7", version="1", language="sw", texts=texts)
    makers.scope_all()
    Patient.objects.filter(pk=cast.patient.pk).update(language="sw")
    found = {one["measure"]: one for one in api.get(where).json()["measures"]}
    assert (found["gad7"]["language"], found["phq9"]["language"]) == ("sw", "en")
    assert found["gad7"]["questions"][0]["text"] == "swali"


def test_answers_are_taken_once_per_key_and_are_due_no_more(api: Api, where: str) -> None:
    first = api.post(f"{where}/answers", CALM, key="a-1")
    again = api.post(f"{where}/answers", CALM, key="a-1")
    assert (first.status_code, again.content) == (201, first.content)
    one = Assessment.objects.get()
    assert (one.total, one.mode, str(one.pk)) == (5, "self", first.json()["record"])
    assert "support" not in first.json() and "total" not in first.json()
    assert api.post(f"{where}/answers", HEAVY, key="a-1").json()["code"] == "other_body"
    assert keys(api.get(where)) == ["gad7"]


def test_a_task_from_before_the_newest_answer_asks_for_nothing(cast: Cast, api: Api, where: str) -> None:
    assert api.post(f"{where}/answers", CALM).status_code == 201
    makers.scope_all()
    item = make_item(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=cast.patient,
        reason_code="phq9_suggested",
    )  # fmt: skip
    assert keys(api.get(where)) == ["gad7", "phq9"]
    makers.scope_all()
    before = Assessment.objects.get().administered_at - timedelta(hours=1)
    ReviewItem.objects.filter(pk=item.pk).update(created_at=before)
    assert keys(api.get(where)) == ["gad7"]


def test_what_somebody_answers_in_their_app_ends_the_task_that_asked_for_it(cast: Cast, device: Api) -> None:
    makers.scope_all()
    item = make_item(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=cast.patient,
        reason_code="phq9_suggested",
    )  # fmt: skip
    assert device.post("me/measures/answers", CALM, key="d-1").status_code == 201
    makers.scope_all()
    item.refresh_from_db()
    assert (item.done_at is not None, item.done_by, item.outcome) == (True, None, "measure_offered")


def test_item_9_opens_an_alert_and_answers_with_help_in_one_transaction(
    cast: Cast, device: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.on_duty()
    answer = device.post("me/measures/answers", HEAVY, key="b-1")
    assert answer.status_code == 201
    assert answer.json()["support"]["state"] == "told"
    assert RiskAlert.objects.get().level == "high"
    assert device.post("me/measures/answers", HEAVY, key="b-1").content == answer.content
    assert RiskAlert.objects.count() == Assessment.objects.count() == 1


def test_an_alert_that_cannot_be_raised_takes_the_answers_and_their_key_with_it(
    device: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clinical.assessments import actions

    def fail(**_: Any) -> None:
        raise RuntimeError("the engine broke")

    monkeypatch.setattr(actions, "evaluate_patients", fail)
    assert device.post("me/measures/answers", HEAVY, key="c-1").status_code == 503
    assert (
        not Assessment.objects.exists() and not IntakeRequest.objects.filter(idempotency_key="c-1").exists()
    )


def test_item_9_at_one_raises_no_alert_and_shows_help_all_the_same(api: Api, where: str) -> None:
    answer = api.post(f"{where}/answers", phq9(0, 0, 0, 0, 0, 0, 0, 0, 1))
    assert answer.status_code == 201
    assert answer.json()["support"]["emergency_number"]
    assert not RiskAlert.objects.exists()


def test_a_phq9_is_held_back_while_an_alert_is_open_that_nobody_could_read(
    cast: Cast, api: Api, where: str
) -> None:
    alert = makers.make_alert(cast.patient, "high")
    answer = api.get(where)
    assert keys(answer) == ["gad7"]
    assert answer.json()["held_back"] == [{"measure": "phq9", "reason": "alert_open"}]
    assert api.post(f"{where}/answers", CALM).status_code == 201, "what a person says is always taken"
    Assessment.objects.all()
    cast.on_duty()
    claim_alert(actor=makers.staff(cast.cleo), alert_id=alert.pk)
    makers.scope_all()
    assert api.get(where).json()["held_back"] == []


def test_nothing_is_offered_or_taken_without_consent_to_treatment(cast: Cast, api: Api, where: str) -> None:
    makers.consent(cast.patient, "treatment", granted=False)
    assert keys(api.get(where)) == []
    answer = api.post(f"{where}/answers", CALM)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_consent")
    assert answer.json()["support"]["emergency_number"]
    assert not Assessment.objects.exists()


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "missing", "/measure"),
        ({"measure": "mmpi", "answers": {"q1": 0}}, "not_a_choice", "/measure"),
        ({"measure": "gad7"}, "missing", "/answers"),
        ({"measure": "gad7", "answers": {}}, "empty", "/answers"),
        ({"measure": "gad7", "answers": []}, "wrong_type", "/answers"),
        ({"measure": "gad7", "answers": {"q8": 0}}, "unknown_member", "/answers/q8"),
        ({"measure": "gad7", "answers": {"q1": 4}}, "not_a_choice", "/answers/q1"),
        ({"measure": "gad7", "answers": {"q1": True}}, "wrong_type", "/answers/q1"),
        ({"measure": "gad7", "answers": {"q1": None}}, "wrong_type", "/answers/q1"),
        ({"measure": "gad7", "answers": {"q1": 0}, "total": 21}, "unknown_member", "/total"),
        ({"measure": "gad7", "answers": {"q1": 0}, "answered_at": "soon"}, "not_a_time", "/answered_at"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_place(
    api: Api, where: str, body: dict[str, Any], code: str, pointer: str
) -> None:
    answer = api.post(f"{where}/answers", body)
    assert (answer.status_code, answer.json()["code"], answer.json()["pointer"]) == (422, code, pointer)
    assert answer.json()["support"]
    assert not Assessment.objects.exists()


def test_a_screener_is_taken_and_its_alert_opened_once_its_text_is_installed(
    cast: Cast, api: Api, where: str
) -> None:
    cast.on_duty()
    body = {"measure": "cssrs", "answers": {"q1": 1, "q2": 1, "q3": 0, "q4": 1, "q5": 0, "q6_lifetime": 0}}
    assert api.post(f"{where}/answers", body).json()["code"] == "text_not_installed"
    install_screener(cast)
    assert "cssrs" in keys(api.get(where))
    answer = api.post(f"{where}/answers", body)
    assert answer.status_code == 201 and answer.json()["support"]["state"] == "told"
    assert RiskAlert.objects.get().level == "critical"


def test_whoever_answered_the_screener_before_is_asked_what_has_been_since(
    cast: Cast, api: Api, where: str
) -> None:
    cast.on_duty()
    install_screener(cast)
    install_screener(cast, "cssrs_since")
    first = {"measure": "cssrs", "answers": {"q1": 0, "q2": 0, "q6_lifetime": 1, "q6_3m": 0}}
    assert api.post(f"{where}/answers", first).status_code == 201
    makers.scope_all()
    # Item 9 asks for the screener at once, and the app gets its later form.
    assert api.post(f"{where}/answers", phq9(1, 1, 1, 1, 1, 1, 1, 1, 1)).status_code == 201
    makers.scope_all()
    (asked,) = [one for one in api.get(where).json()["measures"] if one["measure"].startswith("cssrs")]
    assert asked["measure"] == "cssrs_since"
    assert asked["since"] == Assessment.objects.get(instrument__key="cssrs").administered_at.isoformat()
    assert [one["key"] for one in asked["questions"]] == ["q1", "q2", "q3", "q4", "q5", "q6_since"]
    since = {"measure": "cssrs_since", "answers": {"q1": 0, "q2": 0, "q6_since": 1}}
    answer = api.post(f"{where}/answers", since)
    assert answer.status_code == 201 and answer.json()["support"]
    assert RiskAlert.objects.get().level in ("high", "critical")
    wrong = api.post(f"{where}/answers", {"measure": "cssrs_since", "answers": {"q6_lifetime": 1}})
    assert (wrong.status_code, wrong.json()["pointer"]) == (422, "/answers/q6_lifetime")


def test_strangers_and_narrow_keys_hear_nothing(cast: Cast, where: str) -> None:
    other = Api(f"Api-Key {issue_key(cast.elsewhere)[1]}")
    narrow = Api(f"Api-Key {issue_key(cast.home, ['support:read'])[1]}")
    assert other.get(where).status_code == 404
    assert other.post(f"{where}/answers", CALM).status_code == 404
    assert narrow.get(where).status_code == 403
    assert Api("").get("me/measures").status_code == 401
    assert not Assessment.objects.exists()
