"""Old canaries leave with all that they brought, nobody else's alert does, and no page is handed a gap."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import ProtectedError

from cortex.audit import system
from cortex.audit.models import AuditLog
from cortex.live.rooms import Room
from crisis.alerts.board_source import BoardSource
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.escalation.models import AlertStep, NotificationAttempt
from crisis.reviews.models import FollowUp
from crisis.watchdog import tasks
from crisis.watchdog.actions import drop_canaries, end_canaries, raise_canary
from crisis.watchdog.canary import Canary
from tests.cast import Cast
from tests.makers import make_alert, now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_system")]
LEFT = (RiskAlert, AlertEvent, AlertStep, NotificationAttempt)


@pytest.fixture
def place() -> UUID:
    """The canary's organization, with its listener on shift."""
    return Canary().prepare().organization_id


def try_once(place: UUID, days: float, *, ends: bool = True) -> RiskAlert:
    """One round of the watchdog, so many days ago."""
    at, actor = now() - timedelta(days=days), system("watchdog", place)
    alert = raise_canary(actor=actor, organization_id=place, at=at)
    if ends:
        end_canaries(actor=actor, organization_id=place, at=at)
    return alert


def left(**which: object) -> list[int]:
    """How many alerts, events, steps and notifications there are."""
    return [
        RiskAlert.objects.filter(**which).count(),
        *(model._default_manager.filter(**{f"alert__{name}": value for name, value in which.items()}).count()
          for model in LEFT[1:]),
    ]  # fmt: skip


def test_canaries_of_two_days_ago_leave_with_everything_and_nothing_else_does(
    cast: Cast, place: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.on_duty()
    kept = [
        make_alert(cast.patient, at=now() - timedelta(days=9)),
        try_once(place, 1.9),
        make_alert(cast.patient, kind="other", at=now()),
    ]
    theirs = left(organization=cast.home)
    for _ in range(5):
        try_once(place, 2.1)
    trail = list(AuditLog.objects.values_list("pk", flat=True))
    monkeypatch.setattr(tasks, "PORTION", 2)
    assert left(organization_id=place) == [6, 12, 12, 6]
    assert [tasks.drop_old_canaries(), tasks.drop_old_canaries()] == [5, 0]
    assert left(organization_id=place) == [1, 2, 2, 1]
    assert left(organization=cast.home) == theirs
    assert set(RiskAlert.objects.values_list("pk", flat=True)) == {one.pk for one in kept}
    said = AuditLog.objects.exclude(pk__in=trail)
    assert AuditLog.objects.filter(pk__in=trail).count() == len(trail), "the trail loses nothing"
    assert [(row.event_type, row.codes["count"]) for row in said.order_by("pk")] == [
        ("canaries.dropped", 2), ("canaries.dropped", 2), ("canaries.dropped", 1),
    ]  # fmt: skip


def test_one_that_stands_is_kept_however_old_it_is(place: UUID) -> None:
    standing = try_once(place, 9, ends=False)
    assert tasks.drop_old_canaries() == 0
    assert RiskAlert.objects.get().pk == standing.pk
    try_once(place, 3)
    assert tasks.drop_old_canaries() == 2, "the next round ends what a killed one has left"


def test_an_alert_of_another_organization_or_kind_is_never_taken_for_one(cast: Cast, place: UUID) -> None:
    """Whoever names the wrong place deletes nothing: each mark of a canary must be there."""
    cast.on_duty()
    person = make_alert(cast.patient, at=now() - timedelta(days=9))
    RiskAlert.objects.filter(pk=person.pk).update(status="resolved", kind="canary")
    away = try_once(place, 9)
    RiskAlert.objects.filter(pk=away.pk).update(kind="no_cover")
    for organization in (cast.home.pk, place):
        actor = system("watchdog", organization)
        assert drop_canaries(actor=actor, organization_id=organization, before=now()) == 0
    assert RiskAlert.objects.count() == 2


def test_something_that_was_filed_under_a_canary_stops_its_whole_batch(cast: Cast, place: UUID) -> None:
    old = [try_once(place, 3) for _ in range(2)]
    before = left()
    FollowUp.objects.create(
        organization_id=place, alert=old[0], patient=cast.patient, due_at=now(), label="72h"
    )  # fmt: skip
    with pytest.raises(ProtectedError):
        tasks.drop_old_canaries()
    assert left() == before


def test_a_page_that_stands_before_a_deleted_number_reloads_and_one_after_it_goes_on(place: UUID) -> None:
    for days in (4, 3, 1, 0):
        try_once(place, days)
    room = Room(name=f"board:{place}", key=str(place), source=BoardSource())
    head = room.source.head(room.key)
    assert (head, len(room.encoded_after(0, 200) or [])) == (8, 8)
    assert tasks.drop_old_canaries() == 2
    assert [room.encoded_after(n, 200) for n in range(4)] == [None] * 4
    assert [[one.n for one in room.encoded_after(n, 200) or []] for n in (4, 6)] == [[5, 6, 7, 8], [7, 8]]
    assert room.encoded_after(head, 200) == []
    try_once(place, 0)
    assert [one.n for one in room.encoded_after(head, 200) or []] == [9, 10]
