"""Ways in and out: a referral to first steps, discharge, transfer, a leaver, an absence that comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from clinical.notes.actions import sign_note
from clinical.pathway import actions as ways
from clinical.pathway.queries import answers
from clinical.plans.actions import sign_plan
from clinical.plans.models import TreatmentPlan
from cortex.accounts.models import User
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.ui.zone import zone_of
from crisis.reviews.actions import finish_item, make_item
from crisis.reviews.queries import items
from patients.care.models import CareTeamMember
from patients.codes import EndingReason
from patients.covers.actions import cover_newcomers, end_absence, plan_absence
from patients.pathway.actions import EndingData
from patients.pathway.models import CareEnding, Referral
from patients.registry import access
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.walk.notes import write
from tests.walk.plans import begin

pytestmark = pytest.mark.django_db
END = EndingData(EndingReason.GOALS_REACHED, "She sleeps again and knows her signs.")
DAY = timedelta(days=1)


def as_user(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def sees(user: object, patient: object, at: object = None) -> str | None:
    return access.relationship_of(user, patient.pk, at or makers.now(), access.CHART)  # type: ignore[attr-defined, arg-type]


def test_a_referral_is_accepted_and_its_first_steps_say_what_is_missing(cast: Cast) -> None:
    form = {
        "given_name": "Neema", "family_name": "Newcomer", "phone": "+254700777888", "source": "physician",
        "urgency": "soon", "reason": "Has not slept for weeks.", "asked": str(cast.bob.pk),
    }  # fmt: skip
    assert as_user(cast.sam).post(reverse("clinical:referral_new"), form).status_code == 303
    makers.scope_all()
    one = Referral.objects.get()
    page = reverse("clinical:referral", args=[one.pk])
    assert as_user(cast.alice).get(page).status_code == 404
    bob = as_user(cast.bob)
    assert "Somebody was referred to you." in bob.get(reverse("clinical:caseload")).content.decode()
    assert "Neema Newcomer" in bob.get(reverse("clinical:ways")).content.decode()
    assert "Has not slept for weeks." in bob.get(page).content.decode()
    chart = reverse("clinical:chart", args=[one.patient_id])
    assert bob.get(chart).status_code == 404
    text = bob.post(reverse("clinical:referral_accept", args=[one.pk]), follow=True).content.decode()
    assert "6 missing" not in text
    assert "5 missing" in text
    assert bob.get(chart).status_code == 200
    consent = {"consent_type": "treatment", "granted": "yes", "method": "paper", "language": "en"}
    bob.post(reverse("clinical:chart_consent", args=[one.patient_id]), consent)
    steps = bob.get(reverse("clinical:first_steps", args=[one.patient_id])).content.decode()
    assert "4 missing" in steps


def test_a_declined_referral_closes_and_whoever_sent_it_is_told(cast: Cast) -> None:
    form = {
        "pseudonym": cast.patient.anonymous_id, "source": "colleague", "urgency": "routine",
        "reason": "Needs medication.", "asked": str(cast.bob.pk),
    }  # fmt: skip
    assert as_user(cast.alice).post(reverse("clinical:referral_new"), form).status_code == 303
    refused = as_user(cast.bob).post(reverse("clinical:referral_new"), form)
    assert "Nobody open to you has this pseudonym." in refused.content.decode()
    makers.scope_all()
    one = Referral.objects.get()
    decline = reverse("clinical:referral_decline", args=[one.pk])
    assert as_user(cast.bob).post(decline, {"code": "", "note": ""}).status_code == 422
    assert as_user(cast.bob).post(decline, {"code": "no_room", "note": "Full until May."}).status_code == 303
    assert "A referral was declined." in as_user(cast.alice).get(reverse("clinical:ways")).content.decode()
    assert as_user(cast.bob).get(reverse("clinical:referral", args=[one.pk])).status_code == 404


def test_a_discharge_closes_the_chart_and_its_summary_stays_with_the_record(cast: Cast) -> None:
    item = make_item(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=cast.patient,
        reason_code="medium_risk", owner_id=cast.alice.pk,
    )  # fmt: skip
    url = reverse("clinical:discharge", args=[cast.patient.pk])
    client = as_user(cast.alice)
    assert client.post(url, {"reason_code": "goals_reached", "summary": "", "days": "0"}).status_code == 422
    form = {"reason_code": "goals_reached", "summary": END.summary, "days": "0"}
    assert client.post(url, form).status_code == 303
    assert client.get(reverse("clinical:chart", args=[cast.patient.pk])).status_code == 404
    makers.scope_all()
    one = CareEnding.objects.get()
    assert makers.opened(one, "summary") == END.summary
    item.refresh_from_db()
    assert item.owner_id is None
    makers.add_to_team(cast.patient, cast.bob)
    text = as_user(cast.bob).get(reverse("clinical:chart_people", args=[cast.patient.pk])).content.decode()
    assert END.summary in text


def test_nobody_is_discharged_while_an_alert_is_open_and_access_may_end_later(cast: Cast) -> None:
    alert = makers.make_alert(cast.patient, "high")
    with pytest.raises(RuleBroken) as refused:
        ways.discharge(actor=staff(cast.alice), patient_id=cast.patient.pk, data=END)
    assert refused.value.code == "alert_open"
    makers.scope_all()
    type(alert).objects.filter(pk=alert.pk).update(status="resolved", resolved_at=makers.now())
    at = makers.now()
    later = EndingData(END.reason_code, END.summary, days=3)
    ways.discharge(actor=staff(cast.alice), patient_id=cast.patient.pk, data=later, at=at)
    makers.scope_all()
    assert sees(cast.alice, cast.patient, at + 2 * DAY) == "care_team"
    assert sees(cast.alice, cast.patient, at + 3 * DAY) is None


@pytest.mark.parametrize("which", ["discharge", "transfer"])
def test_no_chart_is_shut_at_once_on_a_note_that_nobody_signed(cast: Cast, which: str) -> None:
    """Afterwards nobody could sign or discard it, and it would stand on the supervisors' list for good."""
    alice, who = staff(cast.alice), cast.patient.pk
    note = write(alice, who, "session_note", risk_statement="None.").note
    form = {"reason_code": "person_ended", "summary": "Met twice.", "call_off": "on"}
    form |= {"to": str(cast.bob.pk), "reason_code": "person_asked"} if which == "transfer" else {}
    client, page = as_user(cast.alice), reverse(f"clinical:{which}", args=[who])
    assert "wait for a signature: 1" in client.get(page).content.decode()
    refused = client.post(page, form | {"days": "0"})
    assert refused.status_code == 422 and "Met twice." in refused.content.decode()
    makers.scope_all()
    assert sees(cast.alice, cast.patient) == "care_team"
    assert client.post(page, form | {"days": "3"}).status_code == 303
    makers.scope_all()
    assert sign_note(actor=alice, patient_id=who, note_id=note.pk, version=note.version).signed_at


@pytest.mark.parametrize(
    ("reason", "status"), [("goals_reached", "completed"), ("no_contact", "discontinued")]
)
def test_a_discharge_ends_the_plan_that_nobody_could_end_afterwards(
    cast: Cast, reason: str, status: str
) -> None:
    alice, who = staff(cast.alice), cast.patient.pk
    begin(alice, who, "Low since the spring.")
    sign_plan(actor=alice, patient_id=who, patient_agreed=True)
    page = as_user(cast.alice).get(reverse("clinical:discharge", args=[who])).content.decode()
    assert "Their treatment plan ends, too." in page
    makers.scope_all()
    ways.discharge(actor=alice, patient_id=who, data=EndingData(reason, END.summary))
    makers.scope_all()
    assert TreatmentPlan.objects.get().status == status


def test_a_transfer_gives_place_tasks_and_lead_to_a_colleague(cast: Cast) -> None:
    item = make_item(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=cast.patient,
        reason_code="medium_risk", owner_id=cast.alice.pk,
    )  # fmt: skip
    client = as_user(cast.alice)
    form = {"to": str(cast.bob.pk), "reason_code": "person_asked", "summary": "Met twice.", "days": "0"}
    assert client.post(reverse("clinical:transfer", args=[cast.patient.pk]), form).status_code == 303
    makers.scope_all()
    assert (sees(cast.alice, cast.patient), sees(cast.bob, cast.patient)) == (None, "care_team")
    item.refresh_from_db()
    assert item.owner_id == cast.bob.pk
    assert "handed a person over to you" in as_user(cast.bob).get(reverse("clinical:ways")).content.decode()


@pytest.mark.parametrize("summary", ["", "  \n"])
def test_nobody_is_handed_over_without_a_closing_summary_by_any_door(cast: Cast, summary: str) -> None:
    data = EndingData(EndingReason.PERSON_ASKED, summary)
    with pytest.raises(InputRefused, match="closing summary") as refused:
        ways.transfer(actor=staff(cast.alice), patient_id=cast.patient.pk, to_id=cast.bob.pk, data=data)
    assert refused.value.extra["field"] == "summary"
    makers.scope_all()
    assert (sees(cast.alice, cast.patient), sees(cast.bob, cast.patient)) == ("care_team", None)
    assert not CareEnding.objects.exists()
    url = reverse("clinical:transfer", args=[cast.patient.pk])
    form = {"to": str(cast.bob.pk), "reason_code": "person_asked", "summary": summary, "days": "0"}
    assert as_user(cast.alice).post(url, form).status_code == 422


def test_a_leavers_caseload_moves_all_or_nothing_after_a_look_at_each(cast: Cast) -> None:
    other = makers.make_patient(cast.home, team=[cast.alice])
    page = reverse("clinical:leaver", args=[cast.alice.pk])
    sam = as_user(cast.sam)
    assert as_user(cast.bob).get(page).status_code == 403
    text = sam.get(page, {"to": str(cast.bob.pk)}).content.decode()
    assert cast.patient.anonymous_id in text
    assert "Zawadi" not in text
    assert "Move all 2" in text
    half = {f"to_{cast.patient.pk}": str(cast.bob.pk)}
    assert sam.post(page, half).status_code == 422
    with pytest.raises(RuleBroken) as changed:
        ways.move_caseload(
            actor=staff(cast.sam), user_id=cast.alice.pk, plan={cast.patient.pk: cast.bob.pk}
        )  # fmt: skip
    assert changed.value.code == "caseload_changed"
    makers.scope_all()
    assert sees(cast.alice, other) == "care_team"
    assert sam.post(page, half | {f"to_{other.pk}": str(cast.bob.pk)}).status_code == 303
    makers.scope_all()
    assert {sees(cast.alice, one) for one in (other, cast.patient)} == {None}
    assert {sees(cast.bob, one) for one in (other, cast.patient)} == {"care_team"}
    with pytest.raises(NotFound):
        ways.move_caseload(actor=staff(cast.bob), user_id=cast.alice.pk, plan={})


def test_an_absence_lends_charts_and_tasks_and_takes_them_back(cast: Cast) -> None:
    at = makers.now()
    item = make_item(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=cast.patient,
        reason_code="medium_risk", owner_id=cast.alice.pk,
    )  # fmt: skip
    assert not items(cast.bob, [], "open").filter(pk=item.pk).exists()
    away = plan_absence(
        actor=staff(cast.alice), user_id=cast.alice.pk, cover_id=cast.bob.pk, starts_at=at,
        ends_at=at + 7 * DAY,
    )  # fmt: skip
    makers.scope_all()
    assert (sees(cast.bob, cast.patient, at + DAY), sees(cast.bob, cast.patient, at + 7 * DAY)) == (
        "cover", None,
    )  # fmt: skip
    assert items(cast.bob, [], "open").filter(pk=item.pk).exists()
    team = list(CareTeamMember.objects.filter(patient=cast.patient).select_related("user"))
    found = answers(cast.patient, team, makers.now())
    assert (found.name, found.covers) == ("Bob Barasa", "Alice Achieng")
    assert f"/reviews/{item.pk}/" in as_user(cast.bob).get(reverse("crisis:review_list")).content.decode()
    newcomer = makers.make_patient(cast.home, team=[cast.alice])
    assert sees(cast.bob, newcomer) is None
    assert cover_newcomers(actor=staff(cast.alice), absence_id=away.pk) == 1
    makers.scope_all()
    assert sees(cast.bob, newcomer) == "cover"
    end_absence(actor=staff(cast.alice), absence_id=away.pk)
    makers.scope_all()
    assert {sees(cast.bob, one) for one in (newcomer, cast.patient)} == {None}
    assert sees(cast.alice, cast.patient) == "care_team"
    with pytest.raises(NotFound):
        finish_item(actor=staff(cast.bob), item_id=item.pk, outcome="contacted")


def test_the_alerts_of_who_is_away_come_to_the_cover_and_go_back(cast: Cast) -> None:
    away = plan_absence(
        actor=staff(cast.alice), user_id=cast.alice.pk, cover_id=cast.bob.pk, starts_at=makers.now(),
        ends_at=makers.now() + 7 * DAY,
    )  # fmt: skip
    makers.scope_all()
    alert = makers.make_alert(cast.patient, "high", reason_code="H11")
    makers.scope_all()

    def stands(user: User) -> tuple[bool, int]:
        """Whether a caseload shows the alert first, and what its page answers."""
        client, page = as_user(user), reverse("crisis:alert_page", args=[alert.pk])
        text = client.get(reverse("clinical:caseload")).content.decode()
        return "An alert is open, high." in text and page in text, client.get(page).status_code

    assert stands(cast.bob) == (True, 200)
    text = as_user(cast.bob).get(reverse("clinical:caseload")).content.decode()
    assert "for Alice Achieng" in text
    end_absence(actor=staff(cast.alice), absence_id=away.pk)
    makers.scope_all()
    assert stands(cast.bob)[0] is False
    assert stands(cast.alice) == (True, 200)


def test_the_page_plans_ones_own_absence_and_a_supervisors_anybodys(cast: Cast) -> None:
    day = makers.now().date()
    form = {"cover": str(cast.bob.pk), "starts_at": str(day + DAY), "ends_at": str(day + 5 * DAY)}
    assert as_user(cast.alice).post(reverse("clinical:absence_new"), form).status_code == 303
    twice = as_user(cast.alice).post(reverse("clinical:absence_new"), form)
    assert twice.status_code == 409
    text = as_user(cast.alice).get(reverse("clinical:ways")).content.decode()
    assert "Bob Barasa stands in" in text
    assert (
        "You stand in for Alice Achieng" in as_user(cast.bob).get(reverse("clinical:ways")).content.decode()
    )
    sams = form | {"user": str(cast.bob.pk), "cover": str(cast.alice.pk)}
    away_too = as_user(cast.sam).post(reverse("clinical:absence_new"), sams)
    assert away_too.status_code == 422
    assert "They are away themselves then." in away_too.content.decode()


def test_reasons_belong_to_how_care_ends_and_who_is_away_is_marked_before_they_are_chosen(cast: Cast) -> None:
    actor, at = staff(cast.alice), makers.now()
    away = {"user_id": cast.bob.pk, "cover_id": cast.alice.pk}
    plan_absence(actor=staff(cast.sam), **away, starts_at=at, ends_at=at + 3 * DAY, at=at)
    browser, person = as_user(cast.alice), [cast.patient.pk]
    handing_over = browser.get(reverse("clinical:transfer", args=person)).content.decode()
    last = (at + 3 * DAY).astimezone(zone_of(cast.home.default_timezone))
    leaving = as_user(cast.sam).get(reverse("clinical:leaver", args=[cast.alice.pk])).content.decode()
    for shown in (handing_over, leaving):
        assert f"Bob Barasa, away until {last:%-d %b}" in shown
    assert "Needs somebody with other skills" in handing_over
    assert "The goals are reached" not in handing_over
    ending = browser.get(reverse("clinical:discharge", args=person)).content.decode()
    assert "The goals are reached" in ending
    assert "The person asked for somebody else" not in ending
    with pytest.raises(InputRefused, match="Choose the reason"):
        ways.transfer(actor=actor, patient_id=cast.patient.pk, to_id=cast.bob.pk, data=END)
