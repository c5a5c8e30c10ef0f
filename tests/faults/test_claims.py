"""Fifty people claim one alert at the same moment over connections of their own: one wins, 49 learn who."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connections

from cortex.accounts.models import User
from cortex.audit import RuleBroken
from cortex.audit.models import AuditLog
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.escalation.models import AlertStep
from crisis.ownership.actions import claim_alert, take_over_alert
from tests import cast as players
from tests import makers
from tests.cast import Cast
from tests.makers import make_alert, staff

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases=["default", "keys"])]

CLAIMERS = 50
PROCESSES = 5


def desk(count: int) -> tuple[Cast, list[User], RiskAlert]:
    """A desk of so many counselors on shift and one critical alert, committed."""
    cast = players.make_cast()
    people = [makers.make_user("counselor", cast.home) for _ in range(count)]
    for person in people:
        cast.on_duty(person)
    return cast, people, raised(cast)


def raised(cast: Cast, kind: str = "self_harm") -> RiskAlert:
    return make_alert(cast.patient, kind=kind)


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """Run all works in threads of their own that start together; each gives its result or its refusal."""
    gate = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(place: int) -> None:
        gate.wait(30)
        try:
            results[place] = works[place]()
        except RuleBroken as refused:
            results[place] = refused
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def claims(people: list[User], alert_id: UUID) -> list[object]:
    return at_once([lambda one=one: claim_alert(actor=staff(one), alert_id=alert_id) for one in people])


def tell(pipe: multiprocessing.connection.Connection, ids: list[UUID], alert_id: UUID) -> None:
    """The work of one process: its share of people claims at once, and it says who won and who learnt it."""
    connections.close_all()
    people = list(User.objects.select_related("organization").filter(pk__in=ids))
    pipe.send("ready")
    pipe.recv()
    found = [
        ("won", str(one.assigned_to_id)) if isinstance(one, RiskAlert) else ("lost", one.extra["owner_id"])  # type: ignore[attr-defined]
        for one in claims(people, alert_id)
    ]
    connections.close_all()
    pipe.send(found)


def test_fifty_claims_from_five_processes_have_one_winner_and_49_conflicts_that_name_them() -> None:
    _, people, alert = desk(CLAIMERS)
    share = CLAIMERS // PROCESSES
    connections.close_all()  # a forked connection must not be shared
    forked = multiprocessing.get_context("fork")
    pipes, children = [], []
    for number in range(PROCESSES):
        ours, theirs = forked.Pipe()
        ids = [one.pk for one in people[number * share : (number + 1) * share]]
        child = forked.Process(target=leave_after, args=(theirs, ids, alert.pk))
        child.start()
        pipes.append(ours)
        children.append(child)
    for pipe in pipes:
        assert pipe.recv() == "ready"
    for pipe in pipes:
        pipe.send("go")
    found = [one for pipe in pipes for one in pipe.recv()]
    for child in children:
        child.join(30)
    winners = [name for result, name in found if result == "won"]
    assert len(found) == CLAIMERS
    assert len(winners) == 1
    assert Counter(result for result, _ in found) == {"won": 1, "lost": CLAIMERS - 1}
    assert {name for _, name in found} == set(winners), "every loser learns the winner's name"
    assert_claimed_once(alert, winners[0])


def leave_after(pipe: multiprocessing.connection.Connection, ids: list[UUID], alert_id: UUID) -> None:
    """Work in a fork and leave without pytest's farewell: it would stop the stores of the run."""
    try:
        tell(pipe, ids, alert_id)
    finally:
        os._exit(0)


def assert_claimed_once(alert: RiskAlert, winner: str) -> None:
    alert.refresh_from_db()
    assert (alert.status, str(alert.assigned_to_id)) == ("acknowledged", winner)
    assert AlertEvent.objects.filter(alert=alert, kind="claimed").count() == 1
    assert AuditLog.objects.filter(object_id=alert.pk, event_type="alert.claimed").count() == 1
    waiting = AlertStep.objects.filter(alert=alert, done_at=None, epoch=alert.epoch)
    assert sorted(waiting.values_list("kind", flat=True)) == [
        "contact_overdue",
        "disposition_overdue",
        "release_claim",
        "warn_claim",
    ]
    numbers = list(AlertEvent.objects.order_by("feed_number").values_list("feed_number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_conflict_says_since_when_and_what_is_allowed() -> None:
    _, people, alert = desk(8)
    lost = [one for one in claims(people, alert.pk) if isinstance(one, RuleBroken)]
    alert.refresh_from_db()
    assert len(lost) == 7
    owner = alert.assigned_to
    assert owner is not None
    for one in lost:
        assert (one.status, one.code) == (409, "already_claimed")
        assert one.extra["owner"] == owner.full_name
        assert one.extra["since"] == alert.claimed_at.isoformat()  # type: ignore[union-attr]
        assert "take_over" in one.extra["allowed"]


def test_claims_of_two_alerts_of_one_person_go_to_one_owner() -> None:
    cast, people, first = desk(8)
    second = raised(cast, kind="medical")
    both = [first.pk, second.pk]
    at_once(
        [
            lambda one=one, which=both[place % 2]: claim_alert(actor=staff(one), alert_id=which)
            for place, one in enumerate(people)
        ]
    )
    owners = set(RiskAlert.objects.filter(pk__in=both).values_list("assigned_to_id", flat=True))
    assert len(owners) == 1
    assert None not in owners


def test_take_overs_at_once_are_written_one_after_the_other() -> None:
    _, people, alert = desk(6)
    claim_alert(actor=staff(people[0]), alert_id=alert.pk)
    others = people[1:]
    at_once(
        [
            lambda one=one: take_over_alert(actor=staff(one), alert_id=alert.pk, reason="I am closer")
            for one in others
        ]
    )
    taken = list(
        AlertEvent.objects.filter(alert=alert, kind="taken_over")
        .order_by("feed_number")
        .values("codes", "actor_id")
    )
    alert.refresh_from_db()
    chain = [str(people[0].pk), *(str(one["actor_id"]) for one in taken)]
    assert [one["codes"]["from"] for one in taken] == chain[:-1], "each names the owner before it"
    assert chain[-1] == str(alert.assigned_to_id)


def test_alerts_raised_at_once_without_cover_share_one_incident_and_none_is_lost() -> None:
    home = players.make_cast().home
    people = [makers.make_patient(home) for _ in range(8)]

    def work(patient_id: UUID) -> Callable[[], object]:
        return lambda: raise_alert(
            actor=makers.machine(home),
            organization_id=home.pk,
            patient_id=patient_id,
            kind="self_harm",
            level="critical",
            reason_code="text_a",
        )

    results = at_once([work(person.pk) for person in people])
    assert [type(one).__name__ for one in results] == ["RiskAlert"] * len(people)
    assert RiskAlert.objects.filter(kind="self_harm").count() == len(people)
    assert RiskAlert.objects.filter(kind="no_cover").count() == 1
