"""A caller turns out to be somebody on record: one alert of a kind is left, and nobody does it unseen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog
from crisis.alerts.access import pages_for
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.byhand.actions import link_person, unlink_person
from crisis.duty.models import DutyShift
from crisis.endings.actions import Ending, mark_false_alarm
from crisis.escalation.models import AlertStep, NotificationAttempt
from crisis.ownership.actions import claim_alert
from crisis.reviews.actions import finish_item
from crisis.reviews.models import ReviewItem, SecondReview
from crisis.risk.models import RiskDue
from patients.registry.actions import create_provisional, link_provisional
from patients.registry.models import Patient
from tests.cast import Cast
from tests.makers import glass, machine, make_alert, make_patient, now, opened, scope_all, staff
from tests.unit.crisis.test_raised_by_hand import told

pytestmark = pytest.mark.django_db
WHY = "She gave her name and street"


def on_record(cast: Cast, **extra: Any) -> RiskAlert:
    values = {"kind": "self_harm", "level": "high", "reason_code": "H11", **extra}
    return make_alert(cast.patient, **values)


def link(cast: Cast, alert: RiskAlert, actor: Any = None, **extra: Any) -> RiskAlert:
    one = link_person(
        actor=staff(actor or cast.cleo),
        alert_id=alert.pk,
        pseudonym=cast.patient.anonymous_id,
        reason=WHY,
        **extra,
    )
    scope_all()
    return one


def fresh(*alerts: RiskAlert) -> tuple[RiskAlert, ...]:
    return tuple(RiskAlert.objects.select_related("patient").get(pk=one.pk) for one in alerts)


@pytest.fixture
def desk(cast: Cast) -> Cast:
    """Cleo and Sam are on shift."""
    cast.on_duty()
    cast.on_duty(cast.sam)
    return cast


# Merging


def test_without_a_second_alert_the_first_stays_and_its_cards_are_drawn_anew(desk: Cast) -> None:
    alert = told(desk)
    other = told(desk, pseudonym=alert.patient.anonymous_id, kind="medical")
    claim_alert(actor=staff(desk.cleo), alert_id=alert.pk)
    link(desk, alert)
    alert, other = fresh(alert, other)
    assert {alert.status, other.status} == {"acknowledged"}
    assert alert.person_id == other.person_id == desk.patient.pk
    for one in (alert, other):
        assert AlertEvent.objects.filter(alert=one).latest("feed_number").kind == "person_linked"
    assert on_record(desk).pk == alert.pk, "what comes in for the person joins the caller's alert"


def test_of_two_that_nobody_has_the_older_stays(desk: Cast) -> None:
    first = on_record(desk, at=now() - timedelta(minutes=5))
    second = told(desk)
    # Nobody's claim opens the caller's page: Sam supervises.
    kept = link(desk, second, desk.sam)
    first, second = fresh(first, second)
    assert kept.pk == first.pk
    assert (first.status, second.status, second.merged_into_id) == ("new", "merged", first.pk)
    assert second.resolved_at is not None
    assert not AlertStep.objects.filter(alert=second, done_at=None, epoch=second.epoch).exists()
    assert AlertEvent.objects.filter(alert=second, kind="merged").count() == 1
    assert AlertEvent.objects.filter(alert=first, kind="merged_in").count() == 1
    merges = AuditLog.objects.filter(event_type="alert.merged").values_list("object_id", flat=True)
    assert set(merges) == {first.pk, second.pk}


def test_the_one_with_an_owner_stays_and_takes_what_the_other_rests_on(desk: Cast) -> None:
    factor = {"code": "TEXT_B", "source_id": str(uuid4()), "observed_at": now().isoformat(), "share": 1.0}
    row = uuid4()
    facts = {"rules_fired": ["H11"], "factors": [factor], "evidence": [row], "third_party": True}
    waiting = on_record(desk, facts=facts, at=now() - timedelta(minutes=5))
    mine = told(desk)
    claim_alert(actor=staff(desk.cleo), alert_id=mine.pk)
    link(desk, mine)
    waiting, mine = fresh(waiting, mine)
    assert (waiting.status, mine.status, mine.assigned_to_id) == ("merged", "acknowledged", desk.cleo.pk)
    assert mine.rules_fired == ["H11"]
    assert mine.evidence == [row]
    assert mine.third_party
    assert [one["code"] for one in mine.factors] == ["TEXT_B"]


def test_of_two_with_owners_the_record_s_stays_and_the_other_owner_is_told(desk: Cast) -> None:
    theirs = on_record(desk)
    claim_alert(actor=staff(desk.sam), alert_id=theirs.pk)
    mine = told(desk)
    claim_alert(actor=staff(desk.cleo), alert_id=mine.pk)
    link(desk, mine)
    theirs, mine = fresh(theirs, mine)
    assert (theirs.status, theirs.assigned_to_id) == ("acknowledged", desk.sam.pk)
    assert (mine.status, mine.assigned_to_id) == ("merged", desk.cleo.pk)
    event = AlertEvent.objects.get(alert=theirs, kind="merged_in")
    channels = NotificationAttempt.objects.filter(user=desk.cleo, event_id=event.pk)
    assert set(channels.values_list("channel", flat=True)) == {"board", "email"}
    # Domain 1.2: what a claim opened stays open for a day.
    assert pages_for(desk.cleo, now() + timedelta(hours=23)).filter(pk=mine.pk).exists()


def test_a_higher_level_and_a_waiting_person_rise_on_the_one_that_stays(desk: Cast) -> None:
    mine = told(desk)
    claim_alert(actor=staff(desk.cleo), alert_id=mine.pk)
    on_record(desk, level="critical", waiting=True)
    at = now()
    link(desk, mine, at=at)
    (mine,) = fresh(mine)
    assert (mine.status, mine.level, mine.waiting_person) == ("acknowledged", "critical", True)
    assert mine.level_since == at
    assert AlertEvent.objects.filter(alert=mine, kind="level_raised").count() == 1


@pytest.mark.parametrize(
    ("rules", "by", "told_again"), [("H8", "sam", True), ("H11", "sam", True), ("H8", "cleo", False)]
)
def test_a_new_danger_that_is_merged_into_an_owned_alert_is_told_to_its_owner(
    desk: Cast, rules: str, by: str, *, told_again: bool
) -> None:
    theirs = on_record(desk, facts={"rules_fired": ["H11"]}, level="critical")
    claim_alert(actor=staff(desk.cleo), alert_id=theirs.pk)
    mine = told(desk, level="critical")
    RiskAlert.objects.filter(pk=mine.pk).update(rules_fired=[rules])
    if by == "cleo":
        claim_alert(actor=staff(desk.cleo), alert_id=mine.pk)
    assert link(desk, mine, getattr(desk, by)).pk == theirs.pk
    again = AlertEvent.objects.filter(alert=theirs, kind="renotified").values("pk")
    hers = NotificationAttempt.objects.filter(user=desk.cleo, event_id__in=again)
    assert hers.exists() is told_again, "who links as its owner knows"


def test_a_question_about_the_one_that_ends_is_taken_back(desk: Cast) -> None:
    theirs = on_record(desk, level="critical")
    claim_alert(actor=staff(desk.sam), alert_id=theirs.pk)
    mine = told(desk, level="critical")
    claim_alert(actor=staff(desk.cleo), alert_id=mine.pk)
    song = Ending(verdict="not_risk_language", notes="A song")
    mark_false_alarm(actor=staff(desk.cleo), alert_id=mine.pk, ending=song)
    link(desk, mine)
    assert not SecondReview.objects.filter(decided_at=None).exists()


def test_who_claims_the_merged_one_is_led_to_the_one_that_stays(desk: Cast) -> None:
    theirs = on_record(desk)
    mine = told(desk)
    claim_alert(actor=staff(desk.cleo), alert_id=mine.pk)
    link(desk, mine)
    with pytest.raises(RuleBroken) as refused:
        claim_alert(actor=staff(desk.sam), alert_id=theirs.pk)
    assert refused.value.status == 409
    assert str(mine.pk) in refused.value.extra["page_url"]
    assert refused.value.extra["allowed"] == []


def test_a_claim_takes_the_alerts_on_every_row_of_the_person(desk: Cast) -> None:
    mine = told(desk, kind="medical")
    link(desk, mine, desk.sam)
    theirs = on_record(desk)
    claim_alert(actor=staff(desk.cleo), alert_id=theirs.pk)
    assert {one.assigned_to_id for one in fresh(mine, theirs)} == {desk.cleo.pk}


def test_what_is_raised_on_a_linked_row_is_the_person_s(desk: Cast) -> None:
    mine = told(desk)
    link(desk, mine, desk.sam)
    again = told(desk, pseudonym=mine.patient.anonymous_id, kind="medical")
    assert again.patient_id == desk.patient.pk
    assert RiskDue.objects.filter(patient=desk.patient, reason_code="person_linked").exists()


def test_two_provisional_people_are_not_linked_in_a_circle(cast: Cast) -> None:
    actor, home = machine(cast.home), cast.home.pk
    first, second = (create_provisional(actor=actor, organization_id=home) for _ in range(2))
    link_provisional(actor=actor, provisional_id=first.pk, patient_id=second.pk)
    for ids in ((second.pk, first.pk), (first.pk, make_patient(cast.home).pk)):
        with pytest.raises(RuleBroken) as refused:
            link_provisional(actor=actor, provisional_id=ids[0], patient_id=ids[1])
        assert refused.value.code in ("link_impossible", "already_linked")


# Who may link


def confirmations() -> list[ReviewItem]:
    return list(ReviewItem.objects.filter(reason_code="caller_linked"))


def test_a_link_by_duty_alone_is_written_down_with_its_reason_and_waits_for_a_supervisor(desk: Cast) -> None:
    mine = told(desk)
    claim_alert(actor=staff(desk.cleo), alert_id=mine.pk)
    link(desk, mine)
    row = AuditLog.objects.get(event_type="caller.linked")
    assert (row.actor_id, row.subject, row.codes["by"]) == (desk.cleo.pk, desk.patient.pk, "shift")
    event = AlertEvent.objects.get(alert=mine, kind="person_linked")
    assert opened(event, "note") == WHY
    (item,) = confirmations()
    assert (item.owner_id, item.patient_id, item.source_id) == (desk.sam.pk, desk.patient.pk, mine.pk)
    assert item.due_at <= now() + timedelta(hours=24)


def test_a_supervisor_does_not_confirm_a_link_of_their_own(desk: Cast) -> None:
    mine = told(desk)
    claim_alert(actor=staff(desk.sam), alert_id=mine.pk)
    link(desk, mine, desk.sam)
    (item,) = confirmations()
    with pytest.raises(RuleBroken) as refused:
        finish_item(actor=staff(desk.sam), item_id=item.pk, outcome="reviewed")
    assert refused.value.code == "own_deed"


def test_whoever_stands_in_a_relationship_links_without_a_check(desk: Cast) -> None:
    desk.on_duty(desk.alice)
    mine = told(desk)
    claim_alert(actor=staff(desk.alice), alert_id=mine.pk)
    link(desk, mine, desk.alice)
    assert confirmations() == []
    assert AuditLog.objects.get(event_type="caller.linked").codes["by"] == "relationship"


@pytest.mark.parametrize("at_work", [True, False])
def test_a_link_by_break_glass_alone_waits_for_a_supervisor(desk: Cast, *, at_work: bool) -> None:
    desk.on_duty(desk.bob)
    mine = told(desk)
    claim_alert(actor=staff(desk.bob), alert_id=mine.pk)
    scope_all()
    glass(desk.patient, desk.bob)
    if not at_work:
        DutyShift.objects.filter(user=desk.bob).update(status="ended")
    link(desk, mine, desk.bob)
    (item,) = confirmations()
    assert item.owner_id == desk.sam.pk
    by = AuditLog.objects.get(event_type="caller.linked").codes["by"]
    assert by == ("shift" if at_work else "grant:break_glass")


@pytest.mark.parametrize("shift", ["ended", "paused"])
def test_off_shift_a_number_on_record_is_as_unknown_as_any_other(desk: Cast, shift: str) -> None:
    mine = told(desk)
    claim_alert(actor=staff(desk.cleo), alert_id=mine.pk)
    DutyShift.objects.filter(user=desk.cleo).update(status=shift)
    said = []
    for number in (desk.patient.anonymous_id, "CX-00000000"):
        with pytest.raises(InputRefused) as refused:
            link_person(actor=staff(desk.cleo), alert_id=mine.pk, pseudonym=number, reason=WHY)
        said.append((refused.value.message, refused.value.code))
    assert said[0] == said[1]
    assert Patient.objects.get(pk=mine.patient_id).merged_into_id is None


def test_a_link_needs_a_reason_and_the_alert_s_page(desk: Cast) -> None:
    mine = told(desk)
    number = desk.patient.anonymous_id
    with pytest.raises(NotFound):
        link_person(actor=staff(desk.bob), alert_id=mine.pk, pseudonym=number, reason=WHY)
    with pytest.raises(InputRefused):
        link_person(actor=staff(desk.sam), alert_id=mine.pk, pseudonym=number, reason=" ")


# Taking a link back


def test_a_wrong_link_is_undone_and_leaves_nobody_without_an_alert(desk: Cast) -> None:
    theirs = on_record(desk, level="critical")
    mine = told(desk)
    claim_alert(actor=staff(desk.cleo), alert_id=mine.pk)
    link(desk, mine)
    assert pages_for(desk.cleo, now()).filter(pk=theirs.pk).exists()
    unlink_person(actor=staff(desk.cleo), alert_id=mine.pk, reason="Another street")
    scope_all()
    mine, theirs = fresh(mine, theirs)
    assert (mine.status, mine.person_id) == ("acknowledged", mine.patient_id)
    assert theirs.status == "merged"
    again = RiskAlert.objects.get(patient=desk.patient, status="new")
    assert (again.kind, again.level) == ("self_harm", "critical")
    assert not pages_for(desk.cleo, now()).filter(pk=again.pk).exists()
    assert AuditLog.objects.filter(event_type="caller.unlinked", actor_id=desk.cleo.pk).count() == 1
    with pytest.raises(RuleBroken):
        unlink_person(actor=staff(desk.cleo), alert_id=mine.pk, reason="Twice")


def test_the_caller_s_own_alert_comes_back_with_what_was_told(desk: Cast) -> None:
    theirs = on_record(desk)
    claim_alert(actor=staff(desk.sam), alert_id=theirs.pk)
    mine = told(desk)
    link(desk, mine, desk.sam)
    for _ in range(2):
        unlink_person(actor=staff(desk.sam), alert_id=mine.pk, reason="Another street")
        scope_all()
        again = RiskAlert.objects.get(patient=mine.patient, status="new")
        assert opened(again, "hand_note") == "A neighbour rang"
        mine = again
        link(desk, mine, desk.sam)
        assert fresh(mine)[0].status == "merged"


def test_the_pages_offer_to_link_and_to_undo(desk: Cast) -> None:
    mine = told(desk)
    claim_alert(actor=staff(desk.cleo), alert_id=mine.pk)
    client = Client()
    client.force_login(desk.cleo)
    page = reverse("crisis:alert_page", args=[mine.pk])
    address = reverse("crisis:alert_link", args=[mine.pk])
    assert f'action="{address}"' in client.get(page).content.decode()
    number = {"pseudonym": desk.patient.anonymous_id}
    assert client.post(address, number).status_code == 422
    assert client.post(address, number | {"reason": WHY}).status_code == 303
    undo = reverse("crisis:alert_unlink", args=[mine.pk])
    assert f'action="{undo}"' in client.get(page).content.decode()
    assert client.post(undo, {}).status_code == 422
    assert client.post(undo, {"reason": "Another street"}).status_code == 303
    assert f'action="{address}"' in client.get(page).content.decode()
