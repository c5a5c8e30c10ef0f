"""Every state x move through the real actions: a legal one ends where the table says, the rest is 409."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from cortex.accounts.models import User
from cortex.audit import RuleBroken, system
from cortex.audit.models import AuditLog
from crisis.alerts.actions import mark_notified
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.alerts.states import (
    BY_CLOCK,
    CLOSED,
    OPEN,
    OWNED,
    OWNERS_MOVES,
    TABLE,
    Move,
    Status,
    allowed,
    offers,
)
from crisis.casework.actions import end_contact, log_attempt, log_contact, still_with_them
from crisis.endings.actions import Ending, mark_false_alarm, resolve_alert
from crisis.escalation.models import AlertStep
from crisis.ownership.actions import claim_alert, escalate_alert, release_alert, take_over_alert
from crisis.reopening.actions import reopen_alert
from tests.cast import Cast
from tests.makers import make_alert, now, staff

pytestmark = pytest.mark.django_db

# Domain 3.1, "Moves", written out once more by hand: the code's table has to equal this one.
#   . refused   other: the state after the move; N notified  A acknowledged  C in_contact  M monitoring
#   R resolved  F false_alarm  G merged  = stays
EXPECTED = """
move         new  notified  acknowledged  in_contact  monitoring  resolved  false_alarm  merged
notify       N    .         .             .           .           .         .            .
claim        A    A         .             .           .           .         .            .
release      .    .         N             .           .           .         .            .
take_over    .    .         =             =           =           .         .            .
attempt      .    .         =             =           =           .         .            .
contact      .    .         C             .           C           .         .            .
contact_end  .    .         .             M           .           .         .            .
still_with   .    .         .             =           =           .         .            .
escalate     =    =         =             =           =           .         .            .
resolve      .    .         R             R           R           .         .            .
false_alarm  .    .         F             F           F           .         .            .
merge        G    G         G             G           G           .         .            .
reopen       .    .         .             .           .           A         A            .
cover_back   R    R         .             .           .           .         .            .
canary_over  R    R         .             .           .           .         .            .
"""
LETTERS = {
    "N": Status.NOTIFIED,
    "A": Status.ACKNOWLEDGED,
    "C": Status.IN_CONTACT,
    "M": Status.MONITORING,
    "R": Status.RESOLVED,
    "F": Status.FALSE_ALARM,
    "G": Status.MERGED,
}


def expected() -> dict[tuple[Status, Move], Status | None]:
    """The table above as a mapping; None is a refusal."""
    (_, *states), *rows = [line.split() for line in EXPECTED.strip().splitlines()]
    cells: dict[tuple[Status, Move], Status | None] = {}
    for move, *letters in rows:
        for state, letter in zip(states, letters, strict=True):
            start = Status(state)
            cells[start, Move(move)] = start if letter == "=" else LETTERS.get(letter)
    return cells


CELLS = expected()
# Only the house merges and notifies, and ends its own incidents: these have no door, and twice is no
# conflict but no change.
BY_PEOPLE = [move for move in Move if move not in (Move.NOTIFY, Move.MERGE, *BY_CLOCK)]


def good_ending() -> Ending:
    return Ending(
        disposition="remained_community_with_plan",
        verdict="true_crisis",
        notes="Agreed to a call",
        follow_up_at=now() + timedelta(days=1),
    )


def who_makes(cast: Cast, alert: RiskAlert, move: Move) -> User:
    """The owner's moves by the owner, a take-over, an escalation or a second claim by the supervisor."""
    others = move in (Move.TAKE_OVER, Move.ESCALATE) or (move is Move.CLAIM and alert.assigned_to_id)
    return cast.sam if others else cast.cleo


def run(cast: Cast, alert: RiskAlert, move: Move) -> RiskAlert:
    """Make one move through its real action."""
    who, one = staff(who_makes(cast, alert, move)), {"alert_id": alert.pk}
    doors: dict[Move, Callable[[], RiskAlert]] = {
        Move.NOTIFY: lambda: mark_notified(actor=system("test"), **one),
        Move.CLAIM: lambda: claim_alert(actor=who, **one),
        Move.RELEASE: lambda: release_alert(actor=who, reason="Two at once", **one),
        Move.TAKE_OVER: lambda: take_over_alert(actor=who, reason="Cleo is called away", **one),
        Move.ATTEMPT: lambda: log_attempt(actor=who, **one),
        Move.CONTACT: lambda: log_contact(actor=who, **one),
        Move.CONTACT_END: lambda: end_contact(actor=who, **one),
        Move.STILL_WITH: lambda: still_with_them(actor=who, **one),
        Move.ESCALATE: lambda: escalate_alert(actor=who, reason="A second voice", **one),
        Move.RESOLVE: lambda: resolve_alert(actor=who, ending=good_ending(), **one),
        Move.FALSE_ALARM: lambda: mark_false_alarm(
            actor=who, ending=Ending(verdict="not_risk_language", notes="A song"), **one
        ),
        Move.REOPEN: lambda: reopen_alert(actor=who, reason="They called again", **one),
    }
    return doors[move]()


WAY_TO: dict[Status, list[Move]] = {
    Status.NEW: [],
    Status.NOTIFIED: [Move.NOTIFY],
    Status.ACKNOWLEDGED: [Move.CLAIM],
    Status.IN_CONTACT: [Move.CLAIM, Move.CONTACT],
    Status.MONITORING: [Move.CLAIM, Move.CONTACT, Move.CONTACT_END],
    Status.RESOLVED: [Move.CLAIM, Move.RESOLVE],
    Status.FALSE_ALARM: [Move.CLAIM, Move.FALSE_ALARM],
}


def brought_to(cast: Cast, state: Status) -> RiskAlert:
    """Raise an alert and walk it to a state by legal moves."""
    cast.on_duty()
    alert = make_alert(cast.patient, level="high", reason_code="text_b")
    if state is Status.MERGED:  # tests/unit/crisis/test_linking.py merges; here the state alone counts
        RiskAlert.objects.filter(pk=alert.pk).update(status=state)
    for move in WAY_TO.get(state, []):
        run(cast, alert, move)
    alert.refresh_from_db()
    assert alert.status == state
    return alert


def test_the_table_of_the_code_equals_the_table_of_the_domain() -> None:
    assert {cell: state for cell, state in CELLS.items() if state is not None} == TABLE
    assert len(CELLS) == len(Status) * len(Move)


def test_no_state_is_a_dead_end_before_its_end_and_none_after() -> None:
    assert all(allowed(state) for state in OPEN)
    assert {state: allowed(state) for state in CLOSED if allowed(state)} == {
        Status.RESOLVED: [Move.REOPEN],
        Status.FALSE_ALARM: [Move.REOPEN],
    }


@pytest.mark.parametrize("is_owner", [True, False])
@pytest.mark.parametrize("state", list(Status))
def test_nobody_is_offered_what_only_somebody_else_or_the_house_may_do(state: Status, is_owner: bool) -> None:
    offered = set(offers(state, is_owner=is_owner))
    assert not offered & {Move.NOTIFY, Move.MERGE}
    assert (Move.TAKE_OVER in offered) is (state in OWNED and not is_owner)
    assert offered & OWNERS_MOVES == (set(allowed(state)) & OWNERS_MOVES if is_owner else set())
    assert offered <= set(allowed(state))


@pytest.mark.parametrize(
    ("state", "move"),
    [pytest.param(s, m, id=f"{s}-{m}") for (s, m), after in CELLS.items() if m in BY_PEOPLE and after],
)
def test_a_legal_move_ends_in_the_state_of_the_table(cast: Cast, state: Status, move: Move) -> None:
    alert = brought_to(cast, state)
    epoch, rows, events = alert.epoch, audit_rows(alert), AlertEvent.objects.filter(alert=alert).count()
    run(cast, alert, move)
    alert.refresh_from_db()
    assert alert.status == CELLS[state, move]
    assert alert.epoch > epoch, "a change passes the epoch on: the timers before it are fenced off"
    assert audit_rows(alert) > rows
    assert AlertEvent.objects.filter(alert=alert).count() > events
    assert_timers_fit(alert)


@pytest.mark.parametrize("state", list(Status))
def test_an_illegal_move_answers_409_with_what_is_allowed_and_changes_nothing(
    cast: Cast, state: Status
) -> None:
    alert = brought_to(cast, state)
    before = RiskAlert.objects.filter(pk=alert.pk).values().get(), audit_rows(alert)
    illegal = [move for move in BY_PEOPLE if CELLS[state, move] is None]
    assert illegal
    for move in illegal:
        with pytest.raises(RuleBroken) as refused:
            run(cast, alert, move)
        assert refused.value.status == 409, move
        mine = alert.assigned_to_id == who_makes(cast, alert, move).pk
        assert refused.value.extra["allowed"] == [str(one) for one in offers(state, is_owner=mine)], move
        assert refused.value.extra["state"] == state, move
    if state is not Status.NEW:
        run(cast, alert, Move.NOTIFY)  # being told twice is no conflict, but changes nothing either
    assert (RiskAlert.objects.filter(pk=alert.pk).values().get(), audit_rows(alert)) == before


def audit_rows(alert: RiskAlert) -> int:
    return AuditLog.objects.filter(object_id=alert.pk).count()


def assert_timers_fit(alert: RiskAlert) -> None:
    """Each kind of timer waits at most once, and one that an open alert needs is never missing."""
    kinds = list(
        AlertStep.objects.filter(alert=alert, done_at=None, epoch=alert.epoch).values_list("kind", flat=True)
    )
    assert len(kinds) == len(set(kinds)), f"{alert.status}: {sorted(kinds)}"
    if alert.status in (Status.NEW, Status.NOTIFIED):
        assert "chain" in kinds
    elif alert.status in OWNED:
        assert "disposition_overdue" in kinds
