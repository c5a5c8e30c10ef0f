"""Promised contacts: tried, missed, made after all; and the tasks about them, under the row's own lock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from clinical.sessions.actions import start_session
from cortex.audit import InputRefused, NotFound, system
from cortex.audit.models import AuditLog
from crisis.alerts.models import RiskAlert
from crisis.casework.actions import log_contact
from crisis.duty.models import DutyShift
from crisis.endings.actions import Ending, resolve_alert
from crisis.followups.actions import finish_follow_up
from crisis.ownership.actions import claim_alert
from crisis.reopening.actions import reopen_alert
from crisis.reviews.actions import MISSED, finish_item, make_item, sweep_follow_up
from crisis.reviews.contacts import Contact, next_step
from crisis.reviews.models import FollowUp, FollowUpAttempt, ReviewItem
from crisis.reviews.queries import due_follow_ups, follow_ups, passed_follow_up_ids
from crisis.welfare.queries import next_contact
from tests.cast import Cast
from tests.makers import UNASKED, UNASKED_FORM, consent, make_alert, now, opened, scope_all, staff

pytestmark = pytest.mark.django_db
SWEEPER = system("sweeper")


def ended(cast: Cast) -> RiskAlert:
    """A high alert that Cleo, on shift, resolved with a series of follow-ups."""
    cast.on_duty()
    alert = make_alert(cast.patient, level="high", reason_code="H1")
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    ending = Ending(
        disposition="remained_community_with_plan", verdict="true_crisis", notes="A plan",
        follow_up_at=now() + timedelta(days=1),
    )  # fmt: skip
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    return alert


def series(alert: RiskAlert) -> list[FollowUp]:
    return list(FollowUp.objects.filter(alert=alert).order_by("due_at"))


def miss(*rows: FollowUp, at: datetime | None = None) -> None:
    for row in rows:
        FollowUp.objects.filter(pk=row.pk).update(due_at=(at or now()) - timedelta(hours=25))
        sweep_follow_up(actor=SWEEPER, follow_up_id=row.pk, at=at)


def item(cast: Cast) -> ReviewItem:
    return ReviewItem.objects.get(patient=cast.patient, reason_code=MISSED)


def finish(cast: Cast, row: FollowUp, outcome: str = "reached", **more: Any) -> FollowUp:
    if outcome == "reached":
        more.setdefault("checks", UNASKED)
    return finish_follow_up(actor=staff(cast.cleo), follow_up_id=row.pk, outcome=outcome, **more)


def test_a_contact_that_passed_is_missed_and_still_listed(cast: Cast) -> None:
    first, *_ = series(ended(cast))
    FollowUp.objects.filter(pk=first.pk).update(due_at=now() - timedelta(hours=25))
    assert passed_follow_up_ids(now()) == [first.pk]
    sweep_follow_up(actor=SWEEPER, follow_up_id=first.pk)
    first.refresh_from_db()
    assert first.status == "missed"
    assert passed_follow_up_ids(now()) == []
    assert [row.pk for row in follow_ups(cast.cleo, [cast.home.pk], now())] == [first.pk]
    assert due_follow_ups(cast.cleo.pk, [cast.home.pk], now()).count() == 1


def test_the_task_stands_until_no_missed_contact_stands(cast: Cast) -> None:
    first, second, *_ = series(ended(cast))
    miss(first, second)
    finish(cast, first)
    assert item(cast).done_at is None
    finish(cast, second, "declined")
    assert (item(cast).outcome, item(cast).next_escalation_at) == ("contacted", None)
    assert AuditLog.objects.filter(event_type="review.done", object_id=item(cast).pk).count() == 1


def test_a_contact_made_late_is_logged(cast: Cast) -> None:
    first, *_ = series(ended(cast))
    miss(first)
    assert finish(cast, first, note="She is fine").status == "done"
    assert item(cast).done_at is not None


def test_reopening_cancels_missed_contacts_and_their_task(cast: Cast) -> None:
    alert = ended(cast)
    miss(series(alert)[0])
    reopen_alert(actor=staff(cast.cleo), alert_id=alert.pk, reason="She called")
    assert {row.status for row in series(alert)} == {"cancelled"}
    assert item(cast).outcome == "no_action_needed"


def test_each_try_is_kept_with_its_channel_and_its_words(cast: Cast) -> None:
    first, *_ = series(ended(cast))
    for channel, note in (("phone", "It rang out"), ("sms", "No answer yet")):
        finish(cast, first, "no_answer", channel=channel, note=note)
    with pytest.raises(InputRefused):
        finish(cast, first, "no_answer", channel="pigeon")
    first.refresh_from_db()
    assert (first.status, first.outcome) == ("due", "")
    tries = FollowUpAttempt.objects.filter(follow_up=first).order_by("id")
    assert [(one.channel, opened(one, "note")) for one in tries] == [
        ("phone", "It rang out"),
        ("sms", "No answer yet"),
    ]
    assert AuditLog.objects.filter(event_type="follow_up.attempted", object_id=first.pk).count() == 2
    with pytest.raises(DatabaseError), transaction.atomic():
        FollowUpAttempt.objects.filter(follow_up=first).update(channel="chat")


# What comes next (domain 3.9)

AT = datetime.fromisoformat("2026-06-01T09:00:00+00:00")


def tries(*channels: str, every: float = 2) -> list[tuple[datetime, str]]:
    return [(AT + timedelta(hours=every * number), channel) for number, channel in enumerate(channels)]


@pytest.mark.parametrize(
    ("attempts", "contact", "said"),
    [
        ([], Contact.MAY_RING, "so far none"),
        (tries("phone", "phone", "phone"), Contact.MAY_RING, "so far 3 on 1 channel."),
        (tries("phone", "sms"), Contact.CLOSED, "so far 2 on 2 channels"),
        (tries("phone", "sms", "phone", every=13), Contact.MAY_RING, "try again"),
        (tries("phone", "emergency_contact"), Contact.TRIED, "so far 1 on 1 channel"),
        (tries("phone", "sms", "phone"), Contact.MAY_RING, "ring the emergency contact"),
        (tries("phone", "sms", "phone"), Contact.CLOSED, "only if a life is at risk"),
        (tries("phone", "sms", "phone"), Contact.NOBODY, "No emergency contact is on record"),
        (
            tries("phone", "sms", "phone", "emergency_contact"),
            Contact.TRIED,
            "a supervisor decides on a welfare check",
        ),
    ],
)
def test_three_tries_on_two_channels_then_the_contact_then_the_supervisor(
    attempts: list[tuple[datetime, str]], contact: Contact, said: str
) -> None:
    assert said in next_step(attempts, contact)


def test_the_task_and_the_follow_up_say_what_comes_next(cast: Cast) -> None:
    first, *_ = series(ended(cast))
    miss(first)
    for channel in ("phone", "sms", "phone"):
        finish(cast, first, "no_answer", channel=channel)
    client = Client()
    client.force_login(cast.cleo)
    task = client.get(reverse("crisis:review_detail", args=[item(cast).pk])).content.decode()
    page = client.get(reverse("crisis:followup_done", args=[first.pk])).content.decode()
    assert "ring the emergency contact" in task
    assert "ring the emergency contact" in page
    consent(cast.patient, "emergency_contact", granted=False)
    assert "no consent" in next_contact(cast.patient, now())


# Who may finish is asked under the row's lock


def test_whoever_left_the_desk_between_form_and_post_finishes_nothing(cast: Cast) -> None:
    first, *_ = series(ended(cast))
    FollowUp.objects.filter(pk=first.pk).update(owner=None)
    task = make_item(
        actor=system("test"), organization_id=cast.home.pk, patient=cast.patient, reason_code="risk_review"
    )
    client = Client()
    client.force_login(cast.cleo)
    addresses = {
        reverse("crisis:followup_done", args=[first.pk]): {"outcome": "reached"} | UNASKED_FORM,
        reverse("crisis:review_done", args=[task.pk]): {"outcome": "no_action_needed"},
    }
    assert client.get(next(iter(addresses))).status_code == 200
    DutyShift.objects.filter(user=cast.cleo).update(status="ended", ended_at=now())
    assert [client.post(address, data).status_code for address, data in addresses.items()] == [404, 404]
    with pytest.raises(NotFound):
        finish_item(actor=staff(cast.cleo), item_id=task.pk, outcome="contacted")
    with pytest.raises(NotFound):
        finish(cast, first)
    finish_item(actor=SWEEPER, item_id=task.pk, outcome="contacted")


@pytest.mark.parametrize("way", ["promise", "alert", "session"])
def test_tries_of_before_somebody_was_reached_ask_for_no_supervisor(cast: Cast, way: str) -> None:
    first, second, *_ = series(ended(cast))
    miss(first)
    for channel in ("phone", "sms", "phone"):
        finish(cast, first, "no_answer", channel=channel)
    assert "ring the emergency contact" in next_contact(cast.patient, now())
    if way == "promise":
        finish(cast, second)
    elif way == "alert":
        other = make_alert(cast.patient, "high", kind="medical")
        claim_alert(actor=staff(cast.cleo), alert_id=other.pk)
        log_contact(actor=staff(cast.cleo), alert_id=other.pk)
    else:
        start_session(actor=staff(cast.alice), patient_id=cast.patient.pk, channel="phone")
    scope_all()
    finish(cast, first, "no_answer", channel="phone", at=now() + timedelta(seconds=2))
    first.refresh_from_db()
    assert first.supervisor_at is None, "one try since"
    assert next_contact(cast.patient, now()).startswith("Next: try again.")
