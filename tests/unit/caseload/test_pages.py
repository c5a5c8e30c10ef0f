"""The therapist's pages: whom they show to whom, what they say, and the rows that they leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from clinical.assessments.actions import finish_assessment
from clinical.assessments.models import Assessment
from cortex.audit.models import PhiAccessLog
from cortex.crypto.errors import KeyProviderError
from patients.care.actions import plan_cover
from patients.care.models import CareTeamMember
from patients.registry.queries import local_day
from tests import makers
from tests.cast import Cast
from tests.makers import staff

pytestmark = pytest.mark.django_db
CALM = {f"q{number}": 1 for number in range(1, 9)} | {"q9": 0}


def as_user(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def page(client: Client, name: str, *args: object) -> str:
    answer = client.get(reverse(f"clinical:{name}", args=args))
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_a_caseload_holds_the_people_of_ones_own_teams_and_of_nobody_else(cast: Cast) -> None:
    other = makers.make_patient(cast.home, team=[cast.bob], given_name="Othername")
    makers.scope_all()
    text = page(as_user(cast.alice), "caseload")
    assert "Zawadi Planted" in text
    assert "Othername" not in text
    assert other.anonymous_id not in text
    row = PhiAccessLog.objects.filter(data_type="caseload").latest("id")
    assert (row.subject, row.actor_id) == (cast.patient.pk, cast.alice.pk)


def test_a_search_finds_by_name_pseudonym_and_telephone(cast: Cast) -> None:
    makers.make_patient(cast.home, team=[cast.alice], given_name="Second", phone="+254700111222")
    client, url = as_user(cast.alice), reverse("clinical:caseload")
    for asked, expected in (
        ("planted", "Zawadi"), (cast.patient.anonymous_id[3:], "Zawadi"), ("0700 111 222", "Second"),
    ):  # fmt: skip
        text = client.post(url, {"q": asked}).content.decode()
        names = {name for name in ("Zawadi", "Second") if name in text}
        assert names == {expected}, asked
    assert "Nobody here" in client.post(url, {"q": "no such"}).content.decode()


def test_ticking_somebody_off_holds_until_something_new_comes_and_can_be_undone(cast: Cast) -> None:
    client = as_user(cast.alice)
    CareTeamMember.objects.update(starts_at=makers.now() - timedelta(days=20))

    def group() -> str:
        listed = page(client, "caseload").split('id="cases"')[1]
        return listed.split('id="g-')[1].split('"')[0]

    assert group() == "overdue"
    client.post(reverse("clinical:case_reviewed", args=[cast.patient.pk]))
    assert group() == "reviewed"
    assert ", overdue for 13 days." in page(client, "caseload"), "with why they were looked at"
    client.post(reverse("clinical:case_unreviewed", args=[cast.patient.pk]))
    assert group() == "overdue"
    client.post(reverse("clinical:case_reviewed", args=[cast.patient.pk]))
    finish_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9", answers=CALM)
    assert group() != "reviewed"


def test_a_chart_says_what_is_new_since_the_last_look_and_leaves_one_row(cast: Cast) -> None:
    client = as_user(cast.alice)
    at = makers.now()
    finish_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9", answers=CALM,
        administered_at=at - timedelta(days=20),
    )  # fmt: skip
    before = PhiAccessLog.objects.filter(data_type="chart").count()
    text = page(client, "chart", cast.patient.pk)
    assert "Zawadi Planted" in text
    assert "PHQ-9 8, the first one" in text
    makers.scope_all()
    assert PhiAccessLog.objects.filter(data_type="chart").count() == before + 1


def test_a_measure_is_begun_answered_finished_and_shown_in_the_browser_s_own_way(cast: Cast) -> None:
    client, who = as_user(cast.alice), cast.patient.pk
    ask = reverse("clinical:measure_ask", args=[who, "phq9"])
    assert "Begin" in client.get(ask).content.decode()
    assert client.post(ask, {"mode": "interviewer", "language": "en"}).status_code == 303
    answer = client.post(reverse("clinical:measure_answer", args=[who, "phq9"]), {"item": "q1", "value": "2"})
    assert answer.json() == {"saved": 1}
    assert "checked" in client.get(ask).content.decode()
    finish = reverse("clinical:measure_finish", args=[who, "phq9"])
    some = {key: str(value) for key, value in CALM.items() if key != "q3"}
    refused = client.post(finish, some)
    assert refused.status_code == 422
    assert "An answer is missing (question 3)" in refused.content.decode()
    done = client.post(finish, some | {"finish_anyway": "on"}, follow=True)
    text = done.content.decode()
    assert "PHQ-9: 8, mild" in text
    assert "prorated" in text
    makers.scope_all()
    assert Assessment.objects.get().items["q3"] is None


def test_answers_that_ask_for_a_person_show_the_alert_and_who_has_it(cast: Cast) -> None:
    cast.on_duty()
    client, who = as_user(cast.alice), cast.patient.pk
    client.post(reverse("clinical:measure_ask", args=[who, "phq9"]), {"mode": "self", "language": "en"})
    bad = {f"q{number}": "3" for number in range(1, 10)}
    finish = reverse("clinical:measure_finish", args=[who, "phq9"])
    text = client.post(finish, bad, follow=True).content.decode()
    assert "An alert is open for this person" in text
    assert "nobody has it yet" in text
    assert "crisis lines" in text


@pytest.mark.parametrize("bad", ["x", "9", "-1", "99999999999999999999", "\x00"])
def test_an_answer_that_is_none_is_refused_with_a_word(cast: Cast, bad: str) -> None:
    client, who = as_user(cast.alice), cast.patient.pk
    client.post(reverse("clinical:measure_ask", args=[who, "phq9"]), {"mode": "self", "language": "en"})
    url = reverse("clinical:measure_answer", args=[who, "phq9"])
    assert client.post(url, {"item": "q1", "value": bad}).status_code == 422
    assert client.post(url, {"item": "q77", "value": "1"}).status_code == 422


def test_answers_that_are_refused_come_back_as_they_were_given(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, who = as_user(cast.alice), cast.patient.pk
    client.post(reverse("clinical:measure_ask", args=[who, "gad7"]), {"mode": "paper", "language": "en"})
    finish = reverse("clinical:measure_finish", args=[who, "gad7"])
    given = {f"q{number}": "1" for number in range(1, 8)}
    tomorrow = f"{makers.now() + timedelta(days=1):%Y-%m-%dT%H:%M}"
    late = client.post(finish, given | {"administered_at": tomorrow})
    assert late.status_code == 422
    assert "This lies in the future." in late.content.decode()
    assert late.content.decode().count("checked") == 7

    def away(**_: object) -> None:
        raise KeyProviderError("the keys are away")

    monkeypatch.setattr("clinical.assessments.views.actions.finish_assessment", away)
    answer = client.post(finish, given)
    assert answer.status_code == 503
    assert answer.content.decode().count("checked") == 7


def test_whom_one_covers_is_on_the_caseload_and_says_for_whom(cast: Cast) -> None:
    place = CareTeamMember.objects.get(patient=cast.patient, user=cast.alice)
    at = makers.now()
    plan_cover(
        actor=staff(cast.ada), member_id=place.pk, user_id=cast.bob.pk, starts_at=at,
        ends_at=at + timedelta(days=2),
    )  # fmt: skip
    assert "for Alice Achieng" in page(as_user(cast.bob), "caseload")
    assert "for Alice Achieng" not in page(as_user(cast.alice), "caseload")


def test_a_day_is_the_person_s_own(cast: Cast) -> None:
    late_evening = datetime(2026, 11, 26, 22, 30, tzinfo=UTC)
    assert local_day(cast.patient, late_evening).isoformat() == "2026-11-27"  # Nairobi is three hours ahead
