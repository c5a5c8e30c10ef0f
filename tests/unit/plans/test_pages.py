"""The pages of a plan: whom they open to, what they say, and that refused words come back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinical.plans.diagnoses.actions import add_diagnosis
from clinical.plans.diagnoses.models import Diagnosis
from clinical.plans.goals.actions import record_progress
from clinical.plans.models import Goal, GoalProgress, PlanVersion, TreatmentPlan
from clinical.plans.reviews.models import PlanReview
from cortex.accounts.actions import update_organization
from cortex.accounts.models import User
from cortex.audit import InputRefused
from cortex.audit.models import PhiAccessLog
from cortex.crypto.errors import KeyProviderError
from patients.breakglass.actions import break_glass, confirm_protected
from patients.registry.access import CHART
from patients.sessions.models import Session
from tests import makers
from tests.unit.plans.conftest import Planned
from tests.unit.plans.forms import shown

pytestmark = pytest.mark.django_db


def as_user(user: User, *, recent: bool = False) -> Client:
    return makers.client_of(user, makers.now() - timedelta(hours=0 if recent else 1))


def url(planned: Planned, name: str, *ids: Any) -> str:
    return reverse(f"clinical:{name}", args=[planned.who, *ids])


def text(client: Client, where: str, status: int = 200) -> str:
    answer = client.get(where)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def test_every_page_of_a_plan_opens_to_its_team_and_to_nobody_else(planned: Planned) -> None:
    planned.sign()
    places = [
        url(planned, "plan"), url(planned, "plan_edit"), url(planned, "plan_sign"),
        url(planned, "plan_print"), url(planned, "plan_review"),
        url(planned, "plan_version", planned.plan.pk, 1),
        url(planned, "goal_add"), url(planned, "goal_edit", planned.mood.pk),
        url(planned, "goal_progress", planned.mood.pk), url(planned, "intervention_add"),
        url(planned, "diagnosis_add"), url(planned, "medication_add"),
    ]  # fmt: skip
    alice, bob = as_user(planned.cast.alice), as_user(planned.cast.bob)
    before = PhiAccessLog.objects.filter(data_type="plan").count()
    for place in places:
        assert "Zawadi Planted" in text(alice, place), place
        text(bob, place, 404)
    makers.scope_all()
    assert PhiAccessLog.objects.filter(data_type="plan").count() == before + len(places)
    assert as_user(planned.cast.ada).get(places[0]).status_code == 403


def test_the_page_says_where_each_goal_stands_in_words(planned: Planned) -> None:
    planned.sign()
    client = as_user(planned.cast.alice)
    reading = {"value": "13", "observed_on": f"{makers.now():%Y-%m-%d}", "note": "Better."}
    answer = client.post(
        url(planned, "goal_progress", planned.mood.pk),
        reading,
    )
    assert answer.status_code == 303
    makers.scope_all()
    step = GoalProgress.objects.filter(goal=planned.work).earliest("order")
    client.post(url(planned, "milestone_tick", step.pk), {"reached": "1"})
    page = text(client, url(planned, "plan"))
    assert "Nights awake: from 18 to 9, now 13" in page
    assert "56 % of the way" in page
    assert "1 of 4 milestones" in page
    assert "Better." in text(client, url(planned, "goal_progress", planned.mood.pk))


def test_signing_asks_for_the_password_and_goes_on_when_it_was_just_given(planned: Planned) -> None:
    stale = as_user(planned.cast.alice)
    answer = stale.post(url(planned, "plan_sign"), {"patient_agreed": "on"})
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    makers.scope_all()
    assert not PlanVersion.objects.exists()
    fresh, where = as_user(planned.cast.alice, recent=True), url(planned, "plan_sign")
    assert fresh.post(where, {"patient_agreed": "on"}).status_code == 422, (
        "nobody signs what they haven't read"
    )
    assert fresh.post(where, shown(fresh, where) | {"patient_agreed": "on"}).status_code == 303
    makers.scope_all()
    assert planned.fresh().status == "active"
    assert "Version 1" in text(fresh, url(planned, "plan"))


def test_words_that_are_refused_come_back_whatever_refused_them(
    planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, where = as_user(planned.cast.alice), url(planned, "goal_add")
    given = {
        "specific": "Read a whole book.", "measure_type": "numeric", "metric": "Pages", "baseline": "4",
        "target": "4", "achievable_note": "They love it.", "concerns": ["grief"], "weight": "2",
        "due_date": f"{makers.now() + timedelta(days=30):%Y-%m-%d}",
    }  # fmt: skip
    answer = client.post(where, given)
    assert answer.status_code == 422
    assert "The target must differ from today." in answer.content.decode()
    assert "Read a whole book." in answer.content.decode()

    def away(**_: object) -> None:
        raise KeyProviderError("the keys are away")

    monkeypatch.setattr("clinical.plans.goals.views.actions.save_goal", away)
    answer = client.post(where, given | {"target": "9"})
    assert answer.status_code == 503
    assert "Read a whole book." in answer.content.decode()
    assert Goal.objects.count() == 3


def test_a_number_that_is_none_is_refused_with_a_word(planned: Planned) -> None:
    client = as_user(planned.cast.alice)
    where = url(planned, "goal_progress", planned.mood.pk)
    for bad in ("nan", "inf", "1e99", "x", "\x00", "9" * 400):
        assert client.post(where, {"value": bad, "observed_on": "2026-01-01"}).status_code == 422, bad
        assert client.post(where, {"value": "1", "observed_on": bad}).status_code == 422, bad


def test_a_diagnosis_is_found_chosen_kept_and_recorded_without_a_script(planned: Planned) -> None:
    client, where = as_user(planned.cast.alice), url(planned, "diagnosis_add")
    found = client.post(where, {"find": "1", "code": "ptsd", "note": "After the accident."}).content.decode()
    assert 'name="pick" value="F43.12"' in found
    chosen = client.post(where, {"pick": "F43.12", "code": "ptsd", "note": "After the accident."})
    assert "Post-traumatic stress disorder, chronic" in chosen.content.decode()
    assert "After the accident." in chosen.content.decode()
    client.post(where, {"keep": "F40.01", "code": "F40.01"})
    assert "F40.01" in text(client, where)
    general = client.post(where, {"code": "Z91.5", "status": "provisional", "save": "1"})
    assert general.status_code == 422
    assert "too general" in general.content.decode()
    assert 'value="Z91.51"' in general.content.decode()
    done = client.post(where, {"code": "f4312", "status": "provisional", "save": "1"}, follow=True)
    assert "F43.12" in done.content.decode()
    makers.scope_all()
    assert Diagnosis.objects.get().title == "Post-traumatic stress disorder, chronic"


def test_the_search_answers_codes_by_post_and_needs_nobody_s_chart(planned: Planned) -> None:
    client, where = as_user(planned.cast.alice), reverse("clinical:code_search")
    found = client.post(where, {"q": "panic"}).json()["codes"]
    assert {"code": "F41.0", "title": "Panic disorder [episodic paroxysmal anxiety]"} in found
    assert client.get(where, {"q": "panic"}).status_code == 405
    assert as_user(planned.cast.ada).post(where, {"q": "panic"}).status_code == 403


def test_the_printed_plan_holds_no_code_and_no_level_and_has_the_crisis_numbers(
    planned: Planned,
) -> None:
    client = as_user(planned.cast.alice)
    client.post(url(planned, "diagnosis_add"), {"code": "F33.1", "status": "confirmed", "save": "1"})
    planned.sign()
    page = text(client, url(planned, "plan_print")).split('class="sheet-b"')[1].split("</article>")[0]
    assert "Talking about thoughts and habits" in page
    assert "Walks: 5 times in 7 days." in page
    assert "Alice Achieng, primary therapist" in page
    assert "999" in page
    for word in ("F33", "epressive", "risk", "Risk", "level", "critical", "weight", "CBT"):
        assert word not in page, word


def test_a_review_is_held_on_its_page_and_the_plan_says_when_the_next_is_due(planned: Planned) -> None:
    planned.sign()
    client, where = as_user(planned.cast.alice), url(planned, "plan_review")
    assert client.post(where, {"decision": "continue"}).status_code == 422
    answer = client.post(where, {"decision": "continue", "patient_view": "It helps."}, follow=True)
    assert "Go on as planned" in answer.content.decode()
    assert "It helps." in answer.content.decode()
    makers.scope_all()
    assert PlanReview.objects.get().measures == {}


def test_the_queue_lists_one_s_own_people_and_to_a_supervisor_what_is_a_week_late(planned: Planned) -> None:
    planned.sign()
    where = reverse("clinical:plan_reviews")
    name = planned.cast.patient.anonymous_id
    assert name in text(as_user(planned.cast.alice), where)
    assert name not in text(as_user(planned.cast.bob), where)
    assert name not in text(as_user(planned.cast.sam), where)
    makers.scope_all()
    TreatmentPlan.objects.update(next_review_at=makers.now() - timedelta(days=8))
    late = text(as_user(planned.cast.sam), where)
    assert name in late
    assert "Zawadi" not in late
    makers.scope_all()
    assert PhiAccessLog.objects.filter(data_type="plan.reviews", subject=planned.who).count() >= 2


def test_a_medication_that_is_dangerous_in_overdose_prompts_for_means_safety(planned: Planned) -> None:
    client = as_user(planned.cast.alice)
    given = {"name": "Amitriptyline", "source": "prescribed", "status": "active", "adherence": "partly"}
    assert client.post(url(planned, "medication_add"), given).status_code == 303
    assert "Dangerous in overdose: Amitriptyline." in text(client, url(planned, "plan"))
    half = client.post(url(planned, "medication_add"), given | {"code": "N06AA09", "name": "Other one"})
    assert half.status_code == 422
    assert "Other one" in half.content.decode()


def test_break_glass_shows_the_plan_without_what_is_protected_and_opens_no_form(planned: Planned) -> None:
    cast = planned.cast
    cast.home.settings = {**cast.home.settings, "part2_program": True}
    update_organization(
        actor=makers.staff(cast.ada), organization_id=cast.home.pk, settings=dict(cast.home.settings)
    )
    add_diagnosis(actor=planned.alice, patient_id=planned.who, code="F10.20", status="confirmed")
    planned.sign()
    makers.grant(
        cast.patient, cast.bob, reason_code="break_glass", reason="Her team does not answer.",
        permission=CHART, ends_at=makers.now() + timedelta(hours=2),
    )  # fmt: skip
    bob = as_user(cast.bob)
    page = text(bob, url(planned, "plan"))
    assert "Walk again." in page
    assert "lcohol" not in page
    assert "1 diagnosis of this person is not shown to you because of its sensitivity label." in page
    assert "Alcohol" in text(as_user(cast.alice), url(planned, "plan"))
    for place in (url(planned, "goal_add"), url(planned, "plan_version", planned.plan.pk, 1)):
        assert bob.get(place).status_code == 409, place


def test_what_is_protected_opens_to_break_glass_when_it_was_confirmed_once_more(planned: Planned) -> None:
    cast = planned.cast
    cast.home.settings = {**cast.home.settings, "part2_program": True}
    update_organization(
        actor=makers.staff(cast.ada), organization_id=cast.home.pk, settings=dict(cast.home.settings)
    )
    add_diagnosis(actor=planned.alice, patient_id=planned.who, code="F10.20", status="confirmed")
    bob = makers.staff(cast.bob)
    break_glass(
        actor=bob,
        asked=cast.patient.anonymous_id,
        reason_code="imminent_risk",
        reason="She stands on a bridge.",
    )
    assert "lcohol" not in text(as_user(cast.bob), url(planned, "plan"))
    assert "lcohol" not in text(as_user(cast.bob), url(planned, "chart"))
    confirm_protected(actor=bob, patient_id=planned.who)
    assert "Alcohol" in text(as_user(cast.bob), url(planned, "plan"))
    assert "Alcohol" in text(as_user(cast.bob), url(planned, "chart"))


def test_a_reading_may_be_of_a_session_of_the_person_and_leads_to_it(planned: Planned) -> None:
    cast, client = planned.cast, as_user(planned.cast.alice)
    sitting = makers.make_session(cast.patient, kind="therapy")
    other = makers.make_session(cast.stranger, kind="therapy")
    where = url(planned, "goal_progress", planned.mood.pk)
    form = {"value": "2", "observed_on": makers.now().date().isoformat(), "note": "Slept."}
    page = client.post(where, form | {"session_id": str(other.pk)})
    assert page.status_code == 422
    assert "Slept." in page.content.decode()
    with pytest.raises(InputRefused):
        record_progress(
            actor=planned.alice, patient_id=planned.who, goal_id=planned.mood.pk, value=2,
            observed_on=makers.now().date(), session_id=other.pk,
        )  # fmt: skip
    assert client.post(where, form | {"session_id": str(sitting.pk)}).status_code == 303
    assert client.post(where, form | {"session_id": "", "value": "1"}).status_code == 303
    assert text(client, where).count(f"/sessions/{sitting.pk}/") == 1
    Session.objects.filter(pk=sitting.pk).update(sensitivity_labels=["V"])
    assert f"/sessions/{sitting.pk}/" not in text(client, where), "a label shuts it"
