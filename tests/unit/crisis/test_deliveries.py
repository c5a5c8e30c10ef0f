"""Which calls are made first, which not at all, and what a hanging endpoint costs the others."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from cortex.audit import InputRefused, system
from crisis.alerts.models import RiskAlert
from crisis.escalation.actions import confirm_on_board, drop_overtaken
from crisis.escalation.models import NotificationAttempt, PagerEndpoint, SlaPolicy
from crisis.escalation.queries import due_attempts
from crisis.ownership.actions import claim_alert, escalate_alert, release_alert
from crisis.policies.actions import add_pager, change_policy
from crisis.sweep import delivery, loop
from crisis.sweep.delivery import Deliveries, Refused, deliver
from tests.cast import Cast
from tests.makers import machine, make_alert, make_patient, now, scope_all, staff

pytestmark = pytest.mark.django_db
SECRET = "a secret of at least thirty-two characters"


def raised(cast: Cast, level: str = "critical", **extra: Any) -> RiskAlert:
    return make_alert(make_patient(cast.home), level=level, reason_code="H1", **extra)


def pager(cast: Cast, name: str) -> PagerEndpoint:
    return add_pager(actor=machine(cast.home), name=name, url=f"https://{name}.example/", secret=SECRET)


def states(alert: RiskAlert, **which: Any) -> list[str]:
    rows = NotificationAttempt.objects.filter(alert=alert, **which).order_by("id")
    return list(rows.values_list("state", flat=True))


# A hanging endpoint


def test_an_endpoint_that_failed_rests_and_the_others_are_called(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.on_duty()
    hanging, sound = pager(cast, "hanging"), pager(cast, "sound")
    for _ in range(3):
        raised(cast)
    called: list[str] = []

    def post(url: str, *_: Any) -> int:
        called.append(url)
        if "hanging" in url:
            raise Refused("too_slow")
        return 204

    monkeypatch.setattr(delivery, "_post", post)
    sender = Deliveries(webhooks=True)
    sender.send_due()
    scope_all()
    assert (called.count(hanging.url), called.count(sound.url)) == (1, 3)
    sender.resting.clear()
    sender.send_due()
    assert called.count(hanging.url) == 2


def test_a_call_that_hangs_is_left_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for_ever = threading.Event()
    with pytest.raises(Refused, match="too_slow"):
        delivery._within(0.05, lambda: int(for_ever.wait(30)))
    for_ever.set()


def test_mails_and_pagers_are_sent_apart_and_the_urgent_first(cast: Cast) -> None:
    cast.on_duty()
    pager(cast, "one")
    high, critical = raised(cast, "high"), raised(cast)
    NotificationAttempt.objects.filter(alert=high).update(next_try_at=now() - timedelta(minutes=5))
    mails = [attempt for attempt, _ in due_attempts(now(), webhooks=False)]
    assert [alert_of(one) for one in mails] == [critical.pk, high.pk]
    calls = due_attempts(now(), webhooks=True)
    assert [alert_of(one) for one, _ in calls] == [critical.pk]


def alert_of(attempt_id: UUID) -> Any:
    return NotificationAttempt.objects.get(pk=attempt_id).alert_id


def test_a_round_ends_in_time(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.on_duty()
    raised(cast)
    monkeypatch.setattr(delivery, "BUDGET", 0.0)
    assert Deliveries(webhooks=False).send_due() == 0


# Calls that nobody needs any more


def test_a_call_that_a_claim_has_answered_is_not_made(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    mail = NotificationAttempt.objects.get(alert=alert, channel="email")
    assert deliver(mail.pk) == "overtaken"
    assert deliver(mail.pk) == "taken"


def test_a_call_made_after_the_claim_is(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    escalate_alert(actor=staff(cast.cleo), alert_id=alert.pk, reason="A second voice")
    (mail,) = NotificationAttempt.objects.filter(alert=alert, user=cast.sam, channel="email")
    assert deliver(mail.pk) == "sent"


def test_calls_beside_an_absent_owner_are_made(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    RiskAlert.objects.filter(pk=alert.pk).update(chain_beside=True, owner_gone_at=now())
    mail = NotificationAttempt.objects.get(alert=alert, channel="email")
    assert deliver(mail.pk) == "sent"


def test_unseen_notifications_are_closed_by_a_claim_and_by_an_end(cast: Cast) -> None:
    cast.on_duty()
    claimed, waiting, ended = raised(cast), raised(cast), raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=claimed.pk)
    RiskAlert.objects.filter(pk=ended.pk).update(status="merged")
    loop.run_chores()
    scope_all()
    board = {"channel": "board", "user": cast.cleo}
    assert states(claimed, **board) == states(ended, **board) == ["overtaken"]
    assert states(waiting, **board) == ["pending"]
    assert drop_overtaken(actor=loop.SWEEPER) == 0


def test_a_released_alert_calls_again(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    drop_overtaken(actor=loop.SWEEPER)
    RiskAlert.objects.filter(pk=alert.pk).update(chain_position=4)
    release_alert(actor=staff(cast.cleo), alert_id=alert.pk, reason="Two at once")
    assert "pending" in states(alert, channel="board")


def test_a_confirmation_that_was_cut_off_is_noted_by_the_sweeper(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    number = alert.events.latest("feed_number").feed_number
    confirm_on_board(actor=system("hub"), user_id=cast.cleo.pk, organization_id=cast.home.pk, number=number)
    alert.refresh_from_db()
    assert alert.status == "new"
    loop.run_chores()
    scope_all()
    alert.refresh_from_db()
    assert alert.status == "notified"


# How late the clocks may be set


def test_where_somebody_is_in_danger_no_step_may_come_late(cast: Cast) -> None:
    late = [{"after": 0, "who": "on_duty"}, {"after": 901, "who": "lead"}]
    for level in ("critical", "waiting"):
        policy = SlaPolicy.objects.get(organization=None, level=level)
        for change in ({"chain": late}, {"repeat_seconds": 601}, {"acknowledge_seconds": 601}):
            with pytest.raises(InputRefused):
                change_policy(actor=staff(cast.ada), policy_id=policy.pk, **change)
    high = SlaPolicy.objects.get(organization=None, level="high")
    assert change_policy(actor=staff(cast.ada), policy_id=high.pk, chain=late).chain == late
