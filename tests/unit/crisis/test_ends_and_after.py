"""What an end leaves behind and what taking it back undoes: marks, shifts, contacts, the dead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from cortex.audit import RuleBroken, system
from cortex.audit.models import AuditLog
from crisis.alerts.actions import confirm_seen
from crisis.alerts.board_source import BoardSource
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.casework.forms import ResolveForm
from crisis.duty.models import DutyShift
from crisis.endings.actions import Ending, mark_false_alarm, resolve_alert
from crisis.escalation.models import NotificationAttempt
from crisis.ownership.actions import claim_alert, take_over_alert
from crisis.reopening.actions import reopen_alert
from crisis.reviews.actions import finish_item
from crisis.reviews.models import FollowUp, ReviewItem
from tests.cast import Cast
from tests.makers import make_alert, now, scope_all, staff

pytestmark = pytest.mark.django_db


def raised(cast: Cast, kind: str = "self_harm", level: str = "high") -> RiskAlert:
    return make_alert(cast.patient, kind=kind, level=level, reason_code="H11")


def ended(cast: Cast, kind: str = "self_harm", **ending: object) -> RiskAlert:
    alert = raised(cast, kind)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    values = {
        "disposition": "remained_community_with_plan",
        "notes": "Agreed",
        "verdict": "true_crisis",
        "follow_up_at": now() + timedelta(days=1),
    }
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=Ending(**{**values, **ending}))  # type: ignore[arg-type]
    alert.refresh_from_db()
    return alert


def unconfirmed(alert: RiskAlert) -> bool:
    alert.refresh_from_db()
    return alert.has_unconfirmed_step


def mark(alert: RiskAlert) -> None:
    RiskAlert.objects.filter(pk=alert.pk).update(has_unconfirmed_step=True)


def test_the_mark_that_nobody_confirmed_goes_with_a_take_over_an_end_and_a_reopening(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    mark(alert)
    take_over_alert(actor=staff(cast.sam), alert_id=alert.pk, reason="Called away")
    assert not unconfirmed(alert)
    mark(alert)
    ending = Ending(verdict="not_risk_language", notes="A song")
    mark_false_alarm(actor=staff(cast.sam), alert_id=alert.pk, ending=ending)
    assert not unconfirmed(alert)
    mark(alert)
    reopen_alert(actor=staff(cast.sam), alert_id=alert.pk, reason="She called")
    assert not unconfirmed(alert)


@pytest.mark.parametrize("shift", ["none", "at_work", "paused", "elsewhere", "forgotten"])
def test_only_who_is_at_work_for_the_service_has_what_they_reopen(cast: Cast, shift: str) -> None:
    row = cast.on_duty()
    alert = ended(cast)
    changes = {
        "none": {"status": "ended"},
        "paused": {"status": "paused"},
        "elsewhere": {"covers": [cast.elsewhere.pk]},
        "forgotten": {"planned_start": now() - timedelta(days=2), "planned_end": now() - timedelta(days=1)},
    }
    DutyShift.objects.filter(pk=row.pk).update(**changes.get(shift, {"status": "active"}))
    reopen_alert(actor=staff(cast.cleo), alert_id=alert.pk, reason="She called")
    alert.refresh_from_db()
    expected = ("acknowledged", cast.cleo.pk) if shift == "at_work" else ("new", None)
    assert (alert.status, alert.assigned_to_id) == expected


@pytest.mark.parametrize("status", ["due", "missed"])
def test_nobody_calls_a_person_who_has_died(cast: Cast, status: str) -> None:
    cast.on_duty()
    earlier = ended(cast, "medical")
    assert FollowUp.objects.filter(alert=earlier).update(status=status)
    alert = ended(cast, disposition="deceased", follow_up_at=None)
    assert alert.status == "resolved"
    assert set(FollowUp.objects.values_list("status", flat=True)) == {"cancelled"}
    item = ReviewItem.objects.get(reason_code="postvention")
    assert (item.owner_id, item.source_id) == (cast.sam.pk, alert.pk)
    assert item.due_at <= now() + timedelta(hours=24)
    with pytest.raises(RuleBroken) as refused:
        finish_item(actor=staff(cast.cleo), item_id=item.pk, outcome="reviewed")
    assert refused.value.code == "supervisor_needed"
    finish_item(actor=staff(cast.sam), item_id=item.pk, outcome="reviewed")


def test_whoever_was_said_to_be_dead_by_mistake_is_called_again(cast: Cast) -> None:
    cast.on_duty()
    earlier = ended(cast, "medical")
    promised = FollowUp.objects.filter(alert=earlier).count()
    alert = ended(cast, disposition="deceased", follow_up_at=None)
    reopen_alert(actor=staff(cast.cleo), alert_id=alert.pk, reason="It was somebody else")
    assert FollowUp.objects.filter(alert=earlier, status="due", cancelled_for=None).count() == promised > 0
    assert not ReviewItem.objects.open().filter(reason_code="postvention").exists()
    assert AuditLog.objects.filter(event_type="follow_up.restored", object_id=alert.pk).exists()


def test_an_end_that_was_taken_back_meanwhile_promises_nothing_twice(cast: Cast) -> None:
    cast.on_duty()
    earlier = ended(cast, "medical")
    alert = ended(cast, disposition="deceased", follow_up_at=None)
    reopen_alert(actor=staff(cast.cleo), alert_id=earlier.pk, reason="She called")
    reopen_alert(actor=staff(cast.cleo), alert_id=alert.pk, reason="It was somebody else")
    assert not FollowUp.objects.exclude(status="cancelled").exists()


def test_the_form_asks_for_no_follow_up_with_the_dead() -> None:
    data = {"disposition": "deceased", "verdict": "true_crisis", "notes": "At the hospital", "seen": "0"}
    assert ResolveForm(data).is_valid()
    assert not ResolveForm(data | {"disposition": "emergency_department"}).is_valid()


def test_an_owner_off_shift_finds_the_contacts_that_they_promised(cast: Cast) -> None:
    shift = cast.on_duty()
    ended(cast)
    DutyShift.objects.filter(pk=shift.pk).update(status="ended", ended_at=now())
    client = Client()
    client.force_login(cast.cleo)
    page = client.get(reverse("crisis:followups")).content.decode()
    scope_all()
    assert cast.patient.anonymous_id in page
    client.force_login(cast.bob)
    assert cast.patient.anonymous_id not in client.get(reverse("crisis:followups")).content.decode()


def test_a_confirmation_and_what_it_means_for_the_alert_are_one(cast: Cast, monkeypatch: object) -> None:
    cast.on_duty()
    alert = raised(cast)
    number = AlertEvent.objects.filter(alert=alert).latest("feed_number").feed_number
    seen = {"alert_id": alert.pk, "user_id": cast.cleo.pk}

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crisis.alerts.actions.mark_notified", crash)
        with pytest.raises(KeyboardInterrupt):
            confirm_seen(actor=system("hub"), number=number, **seen)
    board = NotificationAttempt.objects.filter(alert=alert, channel="board")
    assert set(board.values_list("state", flat=True)) == {"pending"}
    BoardSource().on_seen(cast.cleo.pk, str(cast.home.pk), number, "")
    scope_all()
    alert.refresh_from_db()
    assert alert.status == "notified"
    assert board.get(user=cast.cleo).state == "confirmed"


def test_whoever_sees_it_second_confirms_their_own_notifications_and_moves_nothing(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.bob)
    alert = raised(cast)
    see = BoardSource().on_seen
    number = AlertEvent.objects.filter(alert=alert).latest("feed_number").feed_number
    see(cast.cleo.pk, str(cast.home.pk), number, "")
    scope_all()
    events = AlertEvent.objects.filter(alert=alert).count()
    board = NotificationAttempt.objects.filter(alert=alert, channel="board", user=cast.bob)
    assert set(board.values_list("state", flat=True)) == {"pending"}
    see(cast.bob.pk, str(cast.home.pk), 0, "")  # of an earlier number: nothing of this alert was shown
    scope_all()
    assert set(board.values_list("state", flat=True)) == {"pending"}
    see(cast.bob.pk, str(cast.home.pk), number + 9, "")
    scope_all()
    assert set(board.values_list("state", flat=True)) == {"confirmed"}
    assert AlertEvent.objects.filter(alert=alert).count() == events
