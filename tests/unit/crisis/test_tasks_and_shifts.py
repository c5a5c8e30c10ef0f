"""Overdue tasks, unplanned shifts and breaks that ran over: somebody is told, once, and the desk shows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from cortex.access.context import scoped
from cortex.accounts.choices import Role
from cortex.audit import RuleBroken, system
from cortex.audit.models import AuditLog
from cortex.clock import clock
from crisis.desk.facts import desk_of, facts_of
from crisis.desk.queries import rail_counts
from crisis.duty.actions import pause_shift, resume_shift, start_shift
from crisis.duty.models import DutyShift
from crisis.escalation.models import NotificationAttempt
from crisis.reviews.actions import finish_item, make_item
from crisis.reviews.models import ReviewItem
from crisis.reviews.queries import items
from crisis.sweep import actions, loop
from crisis.sweep.delivery import Deliveries, deliver
from crisis.sweep.overdue.actions import escalate_task
from tests.cast import Cast
from tests.makers import make_patient, make_user, now, scope_all, staff

pytestmark = pytest.mark.django_db
SWEEPER = system("sweeper")


def task(cast: Cast, **fields: Any) -> ReviewItem:
    fields = {"reason_code": "risk_review", "patient": cast.patient} | fields
    return make_item(actor=system("test"), organization_id=cast.home.pk, **fields)


def told(**about: Any) -> list[tuple[Any, str, str]]:
    rows = NotificationAttempt.objects.filter(**about).order_by("user_id", "channel")
    return list(rows.values_list("user_id", "channel", "state"))


# Tasks


def test_the_supervisors_are_told_of_a_medium_task_after_48_hours_and_once(cast: Cast) -> None:
    at = now()
    item = task(cast, at=at)
    for hours, count in ((24, 0), (48, 2), (72, 2)):
        escalate_task(actor=SWEEPER, item_id=item.pk, at=at + timedelta(hours=hours, seconds=1))
        assert len(told(item=item)) == count, hours
    assert told(item=item) == [(cast.sam.pk, "board", "sent"), (cast.sam.pk, "email", "pending")]
    assert AuditLog.objects.filter(event_type="review.supervisors_told", object_id=item.pk).count() == 1


def test_the_mail_about_a_task_says_nothing_about_anybody(cast: Cast) -> None:
    item = task(cast)
    ReviewItem.objects.filter(pk=item.pk).update(escalations=1, next_escalation_at=now())
    loop.run_chores()
    Deliveries(webhooks=False).send_due()
    scope_all()
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == ([cast.sam.email], "Cortex: a task needs a look")
    assert cast.patient.anonymous_id not in letter.body


def test_a_task_that_was_done_meanwhile_sends_no_mail(cast: Cast) -> None:
    item = task(cast)
    ReviewItem.objects.filter(pk=item.pk).update(escalations=1, next_escalation_at=now())
    escalate_task(actor=SWEEPER, item_id=item.pk)
    finish_item(actor=SWEEPER, item_id=item.pk, outcome="contacted")
    assert deliver(NotificationAttempt.objects.get(item=item, channel="email").pk) == "overtaken"


def test_what_was_escalated_stands_first_on_the_board_with_a_badge(cast: Cast) -> None:
    cast.on_duty()
    task(cast, due_at=now() - timedelta(hours=1))
    late = task(cast, patient=make_patient(cast.home), due_at=now())
    ReviewItem.objects.filter(pk=late.pk).update(escalations=2)
    client = Client()
    client.force_login(cast.cleo)
    page = client.get(reverse("crisis:board")).content.decode()
    assert page.count("Overdue, supervisors told") == 1
    places = [page.index(str(one.pk)) for one in ReviewItem.objects.order_by("-escalations")]
    assert places == sorted(places)


def test_the_rail_counts_the_tasks_that_one_owns_off_shift_and_on_it_each_once(cast: Cast) -> None:
    """The number beside Reviews is how many are due on the page that it leads to."""
    task(cast, owner_id=cast.cleo.pk, due_at=now())
    for on_shift, due in ((False, 1), (True, 2)):
        if on_shift:
            cast.on_duty()
            task(cast, patient=make_patient(cast.home), due_at=now())
        with scoped(staff(cast.cleo)):
            counted = rail_counts(cast.cleo, clock())["reviews"]
            facts = facts_of(cast.cleo, desk_of(cast.cleo), 10)
            listed = items(cast.cleo, desk_of(cast.cleo), "open").count()
        assert (counted, facts.reviews, listed) == (due, due, due)


def test_a_notification_is_about_exactly_one_thing(cast: Cast) -> None:
    row = {"organization": cast.home, "user": cast.sam, "channel": "email"}
    for about in ({}, {"item": task(cast), "shift": cast.on_duty()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            NotificationAttempt.objects.create(**row, **about)


# Shifts


def start(user: Any) -> DutyShift:
    return start_shift(actor=staff(user), shift_id=None, sound_tested=True)


def test_a_shift_that_nobody_planned_is_told_to_the_supervisors_once(cast: Cast) -> None:
    shift = start(cast.cleo)
    for _ in range(2):
        loop.run_chores()
    scope_all()
    assert [(user, channel) for user, channel, _ in told(shift=shift)] == [
        (cast.sam.pk, "board"),
        (cast.sam.pk, "email"),
    ]
    assert AuditLog.objects.filter(event_type="shift.unplanned", object_id=shift.pk).count() == 1
    started = AuditLog.objects.get(event_type="shift.started", object_id=shift.pk)
    assert started.codes["planned"] is False
    client = Client()
    client.force_login(cast.cleo)
    assert "Counselor, not planned" in client.get(reverse("crisis:duty")).content.decode()


def test_clinicians_start_unplanned_only_where_their_service_allows_it(cast: Cast) -> None:
    with pytest.raises(RuleBroken) as refused:
        start(cast.alice)
    assert refused.value.code == "not_planned"
    cast.home.settings = {"unplanned_clinicians": True}
    cast.home.save()
    assert (start(cast.alice).role, start(cast.alice).is_planned) == ("on_call", False)


def test_a_planned_shift_is_told_to_nobody(cast: Cast) -> None:
    shift = cast.on_duty()
    loop.run_chores()
    scope_all()
    assert told(shift=shift) == []


def test_a_break_that_ran_over_is_told_once_to_the_person_and_their_supervisors(cast: Cast) -> None:
    other = make_user(Role.SUPERVISOR, cast.home)
    shift = cast.on_duty()
    at = now()
    pause_shift(actor=staff(cast.cleo), minutes=10, at=at - timedelta(minutes=11))
    for _ in range(2):
        loop.run_chores()
    scope_all()
    people = {user for user, _, _ in told(shift=shift)}
    assert people == {cast.cleo.pk, cast.sam.pk, other.pk}
    assert len(told(shift=shift)) == 6
    client = Client()
    client.force_login(cast.sam)
    assert "Break is over" in client.get(reverse("crisis:board")).content.decode()
    resume_shift(actor=staff(cast.cleo))
    pause_shift(actor=staff(cast.cleo), minutes=10, at=at - timedelta(minutes=11))
    loop.run_chores()
    scope_all()
    assert len(told(shift=shift)) == 12


def test_a_break_that_is_not_over_is_told_to_nobody(cast: Cast) -> None:
    shift = cast.on_duty()
    pause_shift(actor=staff(cast.cleo), minutes=10)
    actions.note_overrun_break(actor=SWEEPER, shift_id=shift.pk)
    assert told(shift=shift) == []
