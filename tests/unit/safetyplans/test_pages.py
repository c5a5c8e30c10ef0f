"""Pages of safety plans: read, written without a script, given back in a conflict, printed, in a chart."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from clinical.plans.actions import change_plan, sign_plan
from clinical.plans.models import TreatmentPlan
from cortex.audit.models import PhiAccessLog
from crisis.decisions.actions import state_level
from crisis.ownership.actions import claim_alert
from crisis.resources.actions import add_resource
from crisis.safetyplans.actions import review_plan
from crisis.safetyplans.models import SafetyPlan
from patients.breakglass.actions import break_glass
from patients.pathway.actions import EndingData, end_care
from tests import makers
from tests.api.conftest import Api, issue_key
from tests.cast import Cast
from tests.makers import staff
from tests.unit.safetyplans.plans import WHOLE, finish, lines_of, save, token
from tests.walk.plans import begin

pytestmark = pytest.mark.django_db
SECTIONS = ("warning_signs", "self_coping", "distraction_people_places", "people_to_ask",
            "professionals_services", "safer_environment", "reasons_for_living")  # fmt: skip


def as_user(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str, cast: Cast, *ids: Any) -> str:
    return reverse(f"crisis:{name}", args=[cast.patient.pk, *ids])


def get(cast: Cast, address: str, user: Any = None) -> str:
    answer = as_user(user or cast.alice).get(address)
    makers.scope_all()
    assert answer.status_code == 200, answer.status_code
    return re.sub(r"\s+", " ", answer.content.decode())


def form_of(cast: Cast, lines: Any = None, **more: Any) -> QueryDict:
    sent = QueryDict(mutable=True)
    for key in SECTIONS:
        rows = [*(WHOLE if lines is None else lines).get(key, []), ("", "")]
        sent.setlist(f"{key}_text", [text for text, _ in rows])
        sent.setlist(f"{key}_contact", [contact for _, contact in rows])
    sent.update({"seen": token(cast), "created_with_patient": "on"} | more)
    return sent


def post(cast: Cast, data: QueryDict, user: Any = None, **headers: str) -> Any:
    answer = as_user(user or cast.alice).post(
        url("safety_plan_edit", cast), data.urlencode(), "application/x-www-form-urlencoded",
        headers=headers or None,
    )  # fmt: skip
    makers.scope_all()
    return answer


def test_a_plan_is_begun_with_the_numbers_of_the_place_saved_finished_and_read(cast: Cast) -> None:
    machine = makers.machine(cast.home)
    for name, phone in (("Befrienders", "+254 722 178 177"), ("Old line", "+254 700 000 001")):
        row = add_resource(
            actor=machine, organization_id=cast.home.pk, jurisdiction=cast.home.jurisdiction, name=name,
            kind="crisis_line", phone=phone,
        )  # fmt: skip
        makers.scope_all()
        if name == "Befrienders":
            type(row).objects.filter(pk=row.pk).update(verified_at=makers.now())
    page = get(cast, url("safety_plan", cast))
    assert "No safety plan" in page and url("safety_plan_edit", cast) in page
    page = get(cast, url("safety_plan_edit", cast))
    assert "Befrienders, 24/7</textarea>" in page and 'value="+254 722 178 177"' in page
    assert "Old line" not in page, "a number that nobody checked stands in no plan unasked"
    answer = post(cast, form_of(cast, keep="1"))
    assert (answer.status_code, answer["Location"]) == (303, url("safety_plan_edit", cast))
    assert "Going over old messages" in get(cast, url("safety_plan_edit", cast))
    assert "is being written" in get(cast, url("safety_plan", cast))
    answer = post(cast, form_of(cast, finish="1", means_review_on="2027-01-04"))
    assert answer["Location"] == url("safety_plan", cast)
    page = get(cast, url("safety_plan", cast))
    assert 'href="tel:07700900318"' in page and 'href="tel:4400"' in page
    assert "Tobi has the keys" in page and "4 Jan 2027" in page and "is being written" not in page
    look = PhiAccessLog.objects.filter(data_type="safety_plan", subject=cast.patient.pk).latest("id")
    assert (look.purpose, look.relationship, look.actor_id) == ("treatment", "care_team", cast.alice.pk)
    assert lines_of(cast, SafetyPlan.objects.get()) == WHOLE


def test_rows_are_added_moved_and_taken_out_without_a_script_and_nothing_is_saved(cast: Cast) -> None:
    sent = form_of(cast, {"self_coping": [("First", ""), ("Second", "")]})
    for asked, order in (
        ("down:self_coping:0", ["Second", "First", ""]),
        ("more:self_coping", ["First", "Second", "", ""]),
        ("out:self_coping:0", ["Second", ""]),
    ):
        data = sent.copy()
        data["arrange"] = asked
        answer = post(cast, data)
        found = re.findall(r'name="self_coping_text"[^>]*>([^<]*)</textarea>', answer.content.decode())
        assert (answer.status_code, found) == (200, order), asked
    assert not SafetyPlan.objects.exists()


def test_what_can_not_be_kept_comes_back_as_it_was_typed(cast: Cast) -> None:
    sent = form_of(cast, {"people_to_ask": [("", "0770 090 0318")], "self_coping": [("x" * 301, "")]})
    answer = post(cast, sent)
    assert answer.status_code == 422 and "longer than 300 signs" in answer.content.decode()
    sent["finish"] = "1"
    sent.setlist("self_coping_text", ["x" * 300])
    answer = post(cast, sent)
    page = answer.content.decode()
    assert answer.status_code == 422 and "say who or what belongs to the number" in page
    assert 'value="0770 090 0318"' in page and "x" * 300 in page
    answer = post(cast, form_of(cast, {}, finish="1"))
    assert answer.status_code == 422 and "at least one thing that helps" in answer.content.decode()
    assert not SafetyPlan.objects.exists()


def test_two_who_write_at_once_lose_no_word(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist")
    mine = form_of(cast, {"self_coping": [("Paint the fence", "")]}, keep="1")
    save(cast, cast.bob, lines={"self_coping": [("Ride the bus", "")]})
    answer = post(cast, mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Paint the fence</textarea>" in page and "Ride the bus" in page and cast.bob.full_name in page
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None and seen[1] == token(cast)
    mine["seen"] = seen[1]
    assert post(cast, mine).status_code == 303
    row = SafetyPlan.objects.get(status="draft")
    assert makers.opened(row, "draft") == {"self_coping": [["Paint the fence", ""]]}


def test_a_version_is_read_with_who_and_when_and_the_paper_is_in_the_persons_words(cast: Cast) -> None:
    first = finish(cast, at=makers.now() - timedelta(days=40))
    review_plan(actor=staff(cast.alice), patient_id=cast.patient.pk, plan_id=first.pk)
    makers.scope_all()
    second = finish(cast, lines=WHOLE | {"self_coping": [("Walk to the canal lights", "")]})
    page = get(cast, url("safety_plan_version", cast, first.pk))
    assert "no longer in force" in page and "Cold shower" in page and "Gone through, still right" in page
    page = get(cast, url("safety_plan", cast))
    assert "Version 2" in page and url("safety_plan_version", cast, first.pk) in page
    paper = get(cast, url("safety_plan_print", cast))
    assert "My safety plan" in paper and "What I can do by myself" in paper and "0770 090 0318" in paper
    article = paper.partition("<article")[2].partition("</article>")[0]
    assert "version" not in article.lower() and cast.alice.full_name not in article
    looks = PhiAccessLog.objects.filter(data_type="safety_plan").values_list("object_id", "sections")
    assert (second.pk, ["print"]) in looks and (first.pk, ["version"]) in looks


def test_still_right_and_out_of_force_are_said_on_the_page(cast: Cast) -> None:
    plan = finish(cast, at=makers.now() - timedelta(days=100))
    page = get(cast, url("safety_plan", cast))
    assert "Older than 90 days" in page and "100 days ago" in page
    answer = as_user(cast.alice).post(url("safety_plan_review", cast, plan.pk), follow=True)
    assert "still right" in answer.content.decode() and "Older than 90" not in answer.content.decode()
    answer = as_user(cast.alice).post(url("safety_plan_retire", cast, plan.pk))
    assert answer.status_code == 422 and "Say why." in answer.content.decode()
    answer = as_user(cast.alice).post(url("safety_plan_retire", cast, plan.pk), {"reason": "declined"})
    assert answer.status_code == 303
    makers.scope_all()
    page = get(cast, url("safety_plan", cast))
    assert "No safety plan" in page and "Retired" in page
    assert "want it any more" in get(cast, url("safety_plan_version", cast, plan.pk))


def test_a_draft_is_discarded_only_as_it_was_seen(cast: Cast) -> None:
    save(cast)
    answer = as_user(cast.alice).post(url("safety_plan_discard", cast), {"seen": "other"})
    assert answer.status_code == 409
    answer = as_user(cast.alice).post(url("safety_plan_discard", cast), {"seen": token(cast)})
    assert answer.status_code == 303
    makers.scope_all()
    assert SafetyPlan.objects.get().retire_reason == "discarded"


def test_the_chart_frames_the_pages_shows_a_card_and_flags_it_where_it_matters(cast: Cast) -> None:
    chart = reverse("clinical:chart", args=[cast.patient.pk])
    page = get(cast, chart)
    assert "There is none yet" in page and url("safety_plan_edit", cast) in page
    assert "No safety plan" not in page, "nobody was assessed: no flag"
    state_level(actor=makers.machine(cast.home), patient_id=cast.patient.pk, level="medium")
    makers.scope_all()
    assert 'tag-warn" href="' + url("safety_plan", cast) + '">No safety plan<' in get(cast, chart)
    finish(cast, at=makers.now() - timedelta(days=7, minutes=1))
    page = get(cast, chart)
    assert "Safety plan, reviewed" in page and "7 days ago" in page and "Cold shower" in page
    page = get(cast, url("safety_plan", cast))
    assert 'aria-label="Chart sections"' in page and 'aria-current="page">Safety plan' in page
    SafetyPlan.objects.update(
        finished_at=makers.now() - timedelta(days=99), reviewed_at=makers.now() - timedelta(days=99)
    )
    assert "not reviewed for 90 days" in get(cast, reverse("clinical:notes", args=[cast.patient.pk]))


def test_a_plan_in_force_is_flagged_quietly_at_every_level_on_every_page_of_the_chart(cast: Cast) -> None:
    names = ("chart", "timeline", "measures")
    pages = [reverse(f"clinical:{name}", args=[cast.patient.pk]) for name in names]
    flag = 'class="tag" href="' + url("safety_plan", cast) + '">Safety plan, '
    assert not any(flag in get(cast, page) for page in pages), "there is none"
    finish(cast, at=makers.now() - timedelta(days=7, minutes=1))
    for level in ("", "low"):
        if level:
            state_level(actor=makers.machine(cast.home), patient_id=cast.patient.pk, level=level)
            makers.scope_all()
        assert all(flag + "reviewed" in get(cast, page) for page in pages), level
    old = makers.now() - timedelta(days=99)
    SafetyPlan.objects.update(finished_at=old, reviewed_at=old)
    assert flag + "not reviewed for 90 days" in get(cast, pages[1]), "no warning where nobody has to look"


def test_the_alerts_page_shows_it_to_who_has_the_alert_and_leads_to_it_without_a_chart(cast: Cast) -> None:
    finish(cast, at=makers.now() - timedelta(days=7, minutes=1))
    alert = makers.make_alert(cast.patient)
    cast.on_duty()
    page = reverse("crisis:alert_page", args=[alert.pk])
    assert "Cold shower" not in get(cast, page, cast.cleo)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    makers.scope_all()
    shown = get(cast, page, cast.cleo)
    assert "Cold shower" in shown and "Reviewed" in shown and "7 days ago" in shown
    assert 'href="tel:07700900318"' in shown and url("safety_plan", cast) in shown
    plan = get(cast, url("safety_plan", cast), cast.cleo)
    assert 'aria-label="Chart sections"' not in plan and "Change" in plan
    get(cast, url("safety_plan_edit", cast), cast.cleo)
    assert "Change</a>" not in get(cast, url("safety_plan", cast), cast.sam), "a supervisor reads"


def test_strangers_former_teams_and_other_houses_find_nothing(cast: Cast) -> None:
    plan = finish(cast)
    pages = [url(name, cast) for name in ("safety_plan", "safety_plan_edit", "safety_plan_print")]
    pages.append(url("safety_plan_version", cast, plan.pk))
    for user in (cast.bob, cast.charlie, cast.cleo):
        assert {as_user(user).get(page).status_code for page in pages} == {404}, user
    assert as_user(cast.ada).get(pages[0]).status_code == 403
    data = EndingData("goals_reached", summary="She is well.")
    makers.scope_all()
    end_care(actor=staff(cast.alice), patient=cast.patient, data=data)
    assert {as_user(cast.alice).get(page).status_code for page in pages} == {404}
    answer = as_user(cast.alice).post(url("safety_plan_review", cast, plan.pk))
    assert answer.status_code == 404


def test_break_glass_reads_the_plan_and_writes_nothing(cast: Cast) -> None:
    plan = finish(cast)
    doctor = makers.make_user("psychiatrist", cast.home)
    break_glass(
        actor=staff(doctor), asked=cast.patient.anonymous_id, reason_code="care_continuity",
        reason="The team's telephone rings out.",
    )  # fmt: skip
    makers.scope_all()
    page = get(cast, url("safety_plan", cast), doctor)
    assert "Cold shower" in page and "Yes, still right" not in page
    assert as_user(doctor).get(url("safety_plan_edit", cast)).status_code == 409
    assert as_user(doctor).post(url("safety_plan_review", cast, plan.pk)).status_code == 409


def test_the_timeline_and_the_treatment_plan_know_the_version(cast: Cast) -> None:
    begin(staff(cast.alice), cast.patient.pk, "Low since the spring.")
    makers.scope_all()
    assert TreatmentPlan.objects.get().safety_plan is None
    plan = finish(cast)
    review_plan(actor=staff(cast.alice), patient_id=cast.patient.pk, plan_id=plan.pk, at=None)
    makers.scope_all()
    sign_plan(actor=staff(cast.alice), patient_id=cast.patient.pk, patient_agreed=True)
    makers.scope_all()
    assert TreatmentPlan.objects.get().safety_plan == plan
    assert url("safety_plan", cast) in get(cast, reverse("clinical:plan", args=[cast.patient.pk]))
    other = finish(cast, lines=WHOLE | {"self_coping": [("Run", "")]})
    row = TreatmentPlan.objects.get()
    change_plan(
        actor=staff(cast.alice), patient_id=cast.patient.pk, presenting_problem="Better.", start=row.start,
        target_end=row.target_end,
    )  # fmt: skip
    makers.scope_all()
    assert TreatmentPlan.objects.get().safety_plan == other
    page = get(cast, reverse("clinical:timeline", args=[cast.patient.pk]) + "?kind=plans")
    assert "Safety plan made" in page and "Safety plan changed, version 2" in page


def test_a_person_reads_their_own_plan_in_their_app_and_nobody_elses(cast: Cast) -> None:
    key = Api(f"Api-Key {issue_key(cast.home)[1]}")
    raw = key.post(f"patients/{cast.patient.anonymous_id}/tokens", {}).json()["token"]
    own = Api(f"Bearer {raw}")
    assert own.get("me/safety-plan").json() == {"plan": None}
    makers.scope_all()
    finish(cast)
    save(cast, lines={"self_coping": [("A draft is nobody's yet", "")]})
    answer = own.get("me/safety-plan")
    plan = answer.json()["plan"]
    assert answer["Cache-Control"] == "no-store" and plan["version"] == 1
    assert [one["section"] for one in plan["steps"]] == list(WHOLE)
    assert plan["steps"][2] == {
        "section": "people_to_ask", "title": "Whom I can ask for help",
        "lines": [{"text": "Tobi, my brother", "contact": "0770 090 0318"}],
    }  # fmt: skip
    assert "Alice" not in answer.content.decode()
    makers.scope_all()
    look = PhiAccessLog.objects.filter(data_type="safety_plan", actor_kind="patient").get()
    assert (look.subject, look.relationship) == (cast.patient.pk, "self")
    assert key.get("me/safety-plan").status_code == 401
