"""A supervisor decides on a welfare check for somebody whom no try reached; a critical alert needs it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from clinical.sessions.actions import start_session
from cortex.accounts.models import User
from cortex.audit import InputRefused, NotFound, RuleBroken, system
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.ops.models import Notification
from crisis.alerts.access import pages_for
from crisis.alerts.models import RiskAlert
from crisis.byhand.actions import link_person, raise_for_caller
from crisis.casework.actions import log_contact
from crisis.endings.actions import Ending, resolve_alert
from crisis.escalation.models import NotificationAttempt
from crisis.followups.actions import ask_supervisor, finish_follow_up
from crisis.ownership.actions import claim_alert
from crisis.reopening.actions import reopen_alert
from crisis.reviews.actions import finish_item
from crisis.reviews.models import FollowUp, ReviewItem
from crisis.reviews.queries import due_for_supervisor
from crisis.safetyplans.queries import reader
from crisis.sweep import loop
from crisis.sweep.overdue.actions import escalate_task
from crisis.welfare.actions import Verdict, decide_welfare_check
from crisis.welfare.models import WelfareDecision
from crisis.welfare.queries import next_contact
from patients.contacts.actions import open_exception
from patients.registry import access
from patients.registry.person import EmergencyContact
from tests.cast import Cast
from tests.makers import UNASKED, consent, make_alert, make_user, now, opened, scope_all, staff
from tests.unit.crisis.test_desk_pages import get, text
from tests.unit.crisis.test_follow_ups import ended, miss, series

pytestmark = pytest.mark.django_db
SWEEPER = system("sweeper")
SEND = Verdict("send", "She lives alone", "Kilimani police, OB 12")
NONE = Verdict("dont_send", "Her brother saw her an hour ago")


def tried(cast: Cast, row: FollowUp, *channels: str, at: datetime | None = None) -> None:
    for channel in channels:
        finish_follow_up(
            actor=staff(cast.cleo), follow_up_id=row.pk, outcome="no_answer", channel=channel,
            note=f"Rang out by {channel}", at=at,
        )  # fmt: skip
    row.refresh_from_db()


def unreached(cast: Cast, *channels: str) -> FollowUp:
    """A missed contact that was tried, a week after its alert ended: nothing else opens the person."""
    alert = ended(cast)
    first, *_ = series(alert)
    miss(first)
    RiskAlert.objects.filter(pk=alert.pk).update(resolved_at=now() - timedelta(days=7))
    tried(cast, first, *(channels or ("phone", "sms", "phone", "emergency_contact")))
    return first


def question() -> ReviewItem:
    return ReviewItem.objects.get(reason_code="welfare_check", done_at=None)


def asked(cast: Cast) -> ReviewItem:
    unreached(cast)
    loop.run_chores()
    scope_all()
    return question()


def decide(user: User, item: ReviewItem, verdict: Verdict = SEND, **more: Any) -> WelfareDecision:
    return decide_welfare_check(actor=staff(user), item_id=item.pk, verdict=verdict, **more)


def test_three_tries_on_two_channels_and_the_contact_make_it_the_supervisors_task(cast: Cast) -> None:
    first = unreached(cast, "phone", "sms")
    assert due_for_supervisor(now() + timedelta(days=9)) == []
    tried(cast, first, "phone", "emergency_contact")
    loop.run_chores()
    scope_all()
    item = question()
    assert (item.owner_id, item.patient_id, item.source_id) == (cast.sam.pk, cast.patient.pk, first.pk)
    assert item.due_at - item.created_at < timedelta(hours=1, seconds=5)
    assert Notification.objects.get(code="welfare_check_asked").recipient_id == cast.sam.pk
    assert NotificationAttempt.objects.filter(item=item, user=cast.sam, channel="email").exists()
    assert AuditLog.objects.filter(event_type="welfare_check.asked", object_id=item.pk).count() == 1
    loop.run_chores()
    assert question().pk == item.pk


def test_after_a_decision_the_next_step_counts_the_tries_since(cast: Cast) -> None:
    """What led to one decision asks for no other: the page must not send people to the supervisor again."""
    item = asked(cast)
    assert "A supervisor was asked" in next_contact(cast.patient, now())
    decide(cast.sam, item, NONE)
    scope_all()
    assert next_contact(cast.patient, now()).startswith("Next: try again.")
    first = FollowUp.objects.get(pk=item.source_id)
    tried(cast, first, "phone", "sms", "phone", "emergency_contact", at=now() + timedelta(minutes=1))
    assert "a supervisor decides" in next_contact(cast.patient, now())


def test_whoever_tried_reads_on_the_desks_list_that_it_was_decided_until_they_put_it_away(cast: Cast) -> None:
    """Counselors have no caseload, on which notices stand: the list of tasks is theirs."""
    decide(cast.sam, asked(cast), NONE)
    scope_all()
    told = "A supervisor decided on a welfare check for somebody whom you tried to reach."
    assert told in text(get(cast.cleo, "review_list"))
    assert told not in text(get(cast.cleo, "board")), "nothing moves on a board but alerts"
    scope_all()
    notice = Notification.objects.get(code="welfare_check_decided")
    client = Client()
    client.force_login(cast.cleo)
    assert client.post(reverse("clinical:notice_seen", args=[notice.pk])).status_code in (204, 303)
    assert told not in text(get(cast.cleo, "review_list"))


def test_consent_and_tries_are_the_persons_whichever_row_was_promised_a_contact(cast: Cast) -> None:
    """A caller who was linked keeps their row; what the person agreed to stands on the one on record."""
    cast.on_duty()
    caller = raise_for_caller(
        actor=staff(cast.cleo), level="high", kind="self_harm", note="A neighbour rang", pseudonym=""
    )
    claim_alert(actor=staff(cast.cleo), alert_id=caller.pk)
    link_person(
        actor=staff(cast.cleo), alert_id=caller.pk, pseudonym=cast.patient.anonymous_id, reason="Her voice"
    )  # fmt: skip
    ending = Ending(
        "remained_community_with_plan", "At home", "true_crisis", follow_up_at=now() + timedelta(hours=3)
    )
    resolve_alert(actor=staff(cast.cleo), alert_id=caller.pk, ending=ending)
    mine, *_ = series(ended(cast))
    theirs, *_ = series(RiskAlert.objects.get(pk=caller.pk))
    assert theirs.patient_id != mine.patient_id
    miss(mine, theirs)
    tried(cast, mine, "phone")
    tried(cast, theirs, "sms", "phone")
    assert theirs.patient is not None
    assert "ring the emergency contact; the person agreed" in next_contact(theirs.patient, now())
    assert due_for_supervisor(now()) == [], "the contact is waited for"
    assert due_for_supervisor(now() + timedelta(hours=2, minutes=5)) == [theirs.pk]


def test_a_contact_who_may_be_rung_is_waited_for_two_hours_and_no_longer(cast: Cast) -> None:
    first = unreached(cast, "phone", "sms", "phone")
    at = now()
    assert due_for_supervisor(at + timedelta(minutes=110)) == []
    assert due_for_supervisor(at + timedelta(minutes=125)) == [first.pk]
    with_contact = first.supervisor_at
    tried(cast, first, "emergency_contact")
    assert with_contact is not None and first.supervisor_at is not None
    assert first.supervisor_at < with_contact


def test_a_contact_who_may_not_be_rung_is_waited_for_not_at_all(cast: Cast) -> None:
    consent(cast.patient, "emergency_contact", granted=False)
    first = unreached(cast, "phone", "sms", "phone")
    assert due_for_supervisor(now()) == [first.pk]
    loop.run_chores()
    assert "no consent" in text(get(cast.sam, "welfare_check", question().pk))
    scope_all()
    assert decide(cast.sam, question()).contact == "closed"


def test_danger_lets_the_contact_be_rung_and_a_missing_one_is_not_waited_for(cast: Cast) -> None:
    consent(cast.patient, "emergency_contact", granted=False)
    open_exception(
        actor=staff(cast.cleo), patient=cast.patient, alert_id=ended(cast).pk, level="critical",
        reason="On a bridge",
    )  # fmt: skip
    first = series(RiskAlert.objects.get())[0]
    tried(cast, first, "phone", "sms", "phone")
    assert due_for_supervisor(now()) == []
    EmergencyContact.objects.update(is_active=False)
    tried(cast, first, "chat")
    assert due_for_supervisor(now()) == [first.pk]


def test_whoever_was_reached_is_asked_about_no_more(cast: Cast) -> None:
    first = unreached(cast, "phone", "sms", "phone")
    finish_follow_up(actor=staff(cast.cleo), follow_up_id=first.pk, outcome="reached", checks=UNASKED)
    assert due_for_supervisor(now() + timedelta(days=1)) == []
    assert ask_supervisor(actor=SWEEPER, follow_up_id=first.pk, at=now() + timedelta(days=1)) is None


def test_the_question_ends_when_the_person_is_reached_or_the_alert_reopened(cast: Cast) -> None:
    item = asked(cast)
    row = FollowUp.objects.get(pk=item.source_id)
    finish_follow_up(actor=staff(cast.cleo), follow_up_id=row.pk, outcome="reached", checks=UNASKED)
    item.refresh_from_db()
    assert item.outcome == "contacted"
    with pytest.raises(RuleBroken) as refused:
        decide(cast.sam, item)
    assert refused.value.code == "already_decided"


def test_reopening_the_alert_takes_the_question_back(cast: Cast) -> None:
    item = asked(cast)
    alert = RiskAlert.objects.get()
    RiskAlert.objects.update(resolved_at=now())
    reopen_alert(actor=staff(cast.cleo), alert_id=alert.pk, reason="He called")
    item.refresh_from_db()
    assert item.outcome == "no_action_needed"


def test_a_supervisor_of_the_house_decides_and_nobody_else(cast: Cast) -> None:
    item = asked(cast)
    other = make_user("supervisor", cast.elsewhere)
    for user in (cast.cleo, cast.alice, cast.bob, cast.charlie, cast.ada, other):
        with pytest.raises(NotFound):
            decide(user, item)
        assert get(user, "welfare_check", item.pk).status_code in (403, 404)
        scope_all()
    with pytest.raises(InputRefused) as refused:
        finish_item(actor=staff(cast.sam), item_id=item.pk, outcome="no_action_needed")
    assert refused.value.code == "on_its_page"
    decide(cast.sam, item)
    with pytest.raises(RuleBroken, match="has been decided"):
        decide(cast.sam, item, NONE)
    assert WelfareDecision.objects.count() == 1


@pytest.mark.parametrize(
    ("verdict", "field"),
    [
        (Verdict(), "decision"),
        (Verdict("perhaps"), "decision"),
        (Verdict("send", "She lives alone"), "reference"),
        (Verdict("dont_send"), "reason"),
        (Verdict("try_again"), "again_by"),
    ],
)
def test_a_decision_says_what_it_needs(cast: Cast, verdict: Verdict, field: str) -> None:
    item = asked(cast)
    with pytest.raises(InputRefused) as refused:
        decide(cast.sam, item, verdict)
    assert refused.value.extra["field"] == field
    for hours in (-1, 25):
        with pytest.raises(InputRefused, match="Within the next 24 hours"):
            decide(cast.sam, item, Verdict("try_again", again_by=now() + timedelta(hours=hours)))
    assert question().pk == item.pk


def test_sending_one_is_kept_and_rung_back(cast: Cast) -> None:
    item = asked(cast)
    row = decide(cast.sam, item)
    assert (opened(row, "reason"), opened(row, "reference")) == ("She lives alone", "Kilimani police, OB 12")
    assert (row.contact, row.tries) == ("tried", 4)
    item.refresh_from_db()
    assert (item.outcome, item.done_by, item.next_escalation_at) == ("send", cast.sam, None)
    back = ReviewItem.objects.get(reason_code="welfare_check_sent")
    assert (back.owner, back.due_at - row.decided_at) == (cast.sam, timedelta(hours=24))
    trail = AuditLog.objects.get(event_type="welfare_check.decided")
    assert (trail.subject, trail.codes) == (
        cast.patient.pk, {"decision": "send", "contact": "tried", "tries": 4},
    )  # fmt: skip
    assert Notification.objects.get(code="welfare_check_decided").recipient_id == cast.cleo.pk
    assert not Notification.objects.filter(code="welfare_check_asked", read_at=None).exists()
    with pytest.raises(DatabaseError), transaction.atomic():
        WelfareDecision.objects.update(decision="dont_send")


def test_after_a_decision_tries_count_anew(cast: Cast) -> None:
    item = asked(cast)
    decide(cast.sam, item, NONE)
    row = FollowUp.objects.get(pk=item.source_id)
    tried(cast, row, "phone", "sms")
    assert due_for_supervisor(now()) == []
    tried(cast, row, "phone", "emergency_contact")
    assert due_for_supervisor(now()) == [row.pk]


def test_trying_again_asks_once_more_when_its_time_comes(cast: Cast) -> None:
    item = asked(cast)
    again = now() + timedelta(hours=6)
    decide(cast.sam, item, Verdict("try_again", again_by=again))
    assert due_for_supervisor(again - timedelta(minutes=1)) == []
    assert due_for_supervisor(again) == [item.source_id]
    ask_supervisor(actor=SWEEPER, follow_up_id=item.source_id, at=again)  # type: ignore[arg-type]
    assert question().pk != item.pk


def test_an_overdue_question_is_told_each_hour_and_then_to_the_lead(cast: Cast) -> None:
    item, lead = asked(cast), make_user("therapist", cast.home)
    cast.home.settings = cast.home.settings | {"leads": [str(lead.pk)]}
    cast.home.save()
    told = NotificationAttempt.objects.filter(item=item, user=cast.sam, channel="email")
    assert told.count() == 1
    for number in (1, 2):
        at = item.due_at + timedelta(hours=number - 1, seconds=1)
        escalate_task(actor=SWEEPER, item_id=item.pk, at=at)
        assert told.count() == 1 + number
        leads = NotificationAttempt.objects.filter(item=item, user=lead, channel="email")
        assert leads.count() == number - 1
    assert AuditLog.objects.filter(event_type="review.supervisors_told", object_id=item.pk).count() == 2
    assert "supervisors told" in text(get(cast.sam, "review_list"))


def test_the_page_opens_the_person_to_the_supervisor_while_it_is_asked(cast: Cast) -> None:
    item, at = asked(cast), now()
    assert access.relationship_of(cast.sam, cast.patient.pk, at) == "welfare_check"
    assert not pages_for(cast.sam, at).exists()
    with pytest.raises(NotFound):
        reader(staff(cast.sam), cast.patient.pk, at)
    page = text(get(cast.sam, "welfare_check", item.pk))
    for words in (
        "12 Made-up Road",
        "Otieno Fictional",
        "Rang out by sms",
        "The emergency contact was tried",
    ):
        assert words in page
    scope_all()
    look = PhiAccessLog.objects.filter(data_type="welfare_check", actor_id=cast.sam.pk).latest("pk")
    assert (look.subject, look.relationship) == (cast.patient.pk, "welfare_check")
    decide(cast.sam, item)
    assert access.relationship_of(cast.sam, cast.patient.pk, now()) is None


def test_the_form_keeps_what_was_typed_and_says_when_somebody_was_first(cast: Cast) -> None:
    item = asked(cast)
    client, address = Client(), reverse("crisis:welfare_check", args=[item.pk])
    client.force_login(cast.sam)
    assert address in text(get(cast.sam, "review_detail", item.pk))
    assert address not in text(get(cast.cleo, "review_detail", item.pk))
    bare = client.post(address, {"decision": "send", "reason": "She lives alone"})
    assert (bare.status_code, "Write who was asked to go" in text(bare)) == (422, True)
    assert "She lives alone" in text(bare)
    scope_all()
    decide(cast.sam, item, NONE)
    late = client.post(address, {"decision": "send", "reason": "She lives alone", "reference": "OB 12"})
    assert (late.status_code, "She lives alone" in text(late), "Made-up Road" in text(late)) == (
        409, True, False,
    )  # fmt: skip


def test_a_try_before_the_time_that_a_supervisor_gave_asks_no_sooner(cast: Cast) -> None:
    item = asked(cast)
    again = now() + timedelta(hours=6)
    decide(cast.sam, item, Verdict("try_again", again_by=again))
    tried(cast, FollowUp.objects.get(pk=item.source_id), "phone")
    assert due_for_supervisor(again - timedelta(minutes=1)) == []
    assert due_for_supervisor(again) == [item.source_id]


@pytest.mark.parametrize("way", ["alert", "session"])
def test_whoever_is_reached_otherwise_is_asked_about_no_more(cast: Cast, way: str) -> None:
    item = asked(cast)
    if way == "alert":
        alert = make_alert(cast.patient, "high", kind="medical")
        claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
        log_contact(actor=staff(cast.cleo), alert_id=alert.pk, note="She answered")
    else:
        start_session(actor=staff(cast.alice), patient_id=cast.patient.pk, channel="phone")
    item.refresh_from_db()
    assert item.outcome == "contacted"
    assert due_for_supervisor(now() + timedelta(days=2)) == []


def test_a_second_check_is_rung_back_by_whoever_sent_it(cast: Cast) -> None:
    item = asked(cast)
    decide(cast.sam, item)
    row = FollowUp.objects.get(pk=item.source_id)
    tried(cast, row, "phone", "sms", "phone", "emergency_contact")
    ask_supervisor(actor=SWEEPER, follow_up_id=row.pk, at=now())
    second = make_user("supervisor", cast.home)
    decide(second, question())
    back = ReviewItem.objects.open().get(reason_code="welfare_check_sent")
    assert back.owner == second
