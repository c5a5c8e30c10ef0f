"""Which timers an alert has: tables of the pure planner, over the default clocks of domain 3.5."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crisis.alerts.states import CLOSED, WAITING, Status
from crisis.escalation.plan import chain_step, plan, who_of
from crisis.escalation.policy import DEFAULTS, SHARED, clocks

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


def minutes(count: float) -> datetime:
    """So many minutes after the alert was raised."""
    return NOON + timedelta(minutes=count)


@dataclass
class Alert:
    """An alert of the level, raised at noon."""

    level: str = "critical"
    status: str = Status.NEW
    chain_position: int = 1
    chain_beside: bool = False
    level_since: datetime = NOON
    waiting_person: bool = False
    claimed_at: datetime | None = None
    last_entry_at: datetime | None = None
    first_response_at: datetime | None = None
    owner_gone_at: datetime | None = None
    policy: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.policy = self.policy or DEFAULTS[self.level] | SHARED
        due = clocks(self.policy, self.level_since)
        self.contact_due_at = due["contact_due_at"]
        self.disposition_due_at = due["disposition_due_at"]


def timers(alert: Alert, at: datetime, **options: Any) -> dict[str, float]:
    """Each timer of the plan with its minutes after noon; a kind that stands twice fails."""
    found = plan(alert, at, **options)
    assert len({one.kind for one in found}) == len(found)
    return {str(one.kind): (one.at - NOON).total_seconds() / 60 for one in found}


def owned(status: str = Status.ACKNOWLEDGED, **values: Any) -> Alert:
    return Alert(status=status, **({"claimed_at": minutes(1), "last_entry_at": minutes(1)} | values))


@pytest.mark.parametrize("status", WAITING)
@pytest.mark.parametrize(
    ("level", "position", "at", "due"),
    [
        ("critical", 0, 0, 0),
        ("critical", 1, 0, 2),
        ("critical", 2, 2, 5),
        ("critical", 3, 5, 10),
        ("critical", 4, 10, 15),  # past the end it repeats every 5 minutes
        ("critical", 9, 40, 45),
        ("critical", 1, 7, 7),  # released after its time: it fires at once, never in the past
        ("high", 1, 0, 15),
        ("high", 2, 15, 30),
        ("high", 3, 30, 60),
        ("high", 4, 60, 75),
        ("waiting", 1, 0, 2),
        ("waiting", 3, 5, 10),
        ("waiting", 4, 10, 15),
    ],
)
def test_a_waiting_alert_has_its_next_step_and_nothing_else(
    status: str, level: str, position: int, at: float, due: float
) -> None:
    assert timers(Alert(level, status, position), minutes(at)) == {"chain": due}


@pytest.mark.parametrize("status", CLOSED)
def test_an_ended_alert_has_no_timer(status: str) -> None:
    assert timers(Alert(status=status, owner_gone_at=NOON, chain_beside=True), minutes(3)) == {}


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("critical", {"warn_claim": 4, "release_claim": 6, "contact_overdue": 5, "disposition_overdue": 60}),
        ("high", {"warn_claim": 16, "release_claim": 26, "contact_overdue": 60, "disposition_overdue": 240}),
        ("waiting", {"warn_claim": 4, "release_claim": 6, "contact_overdue": 5, "disposition_overdue": 240}),
    ],
)
def test_a_claim_has_the_clocks_of_its_level(level: str, expected: dict[str, float]) -> None:
    assert timers(owned(level=level), minutes(1)) == expected


@pytest.mark.parametrize("status", [Status.IN_CONTACT, Status.MONITORING])
def test_once_in_contact_no_timer_can_release(status: str) -> None:
    found = timers(owned(status, first_response_at=minutes(2), last_entry_at=minutes(2)), minutes(2))
    assert found == {"check_in": 22, "disposition_overdue": 60}


def test_an_attempt_starts_the_claim_again_and_meets_the_contact_target() -> None:
    alert = owned(last_entry_at=minutes(3), first_response_at=minutes(3))
    assert timers(alert, minutes(3)) == {"warn_claim": 6, "release_claim": 8, "disposition_overdue": 60}


def test_a_rise_never_finds_its_owner_inactive_already() -> None:
    alert = owned(level_since=minutes(30), last_entry_at=minutes(10))
    found = timers(alert, minutes(30))
    assert (found["warn_claim"], found["release_claim"]) == (33, 35)


def test_a_rise_asks_for_contact_again() -> None:
    alert = owned(level_since=minutes(30), last_entry_at=minutes(10), first_response_at=minutes(10))
    assert timers(alert, minutes(30))["contact_overdue"] == 35


@pytest.mark.parametrize(
    ("status", "waiting", "owed"),
    [(Status.MONITORING, False, True), (Status.MONITORING, True, True), (Status.IN_CONTACT, True, True),
     (Status.IN_CONTACT, False, False)],
)  # fmt: skip
def test_a_rise_after_contact_asks_for_contact_too_unless_somebody_talks_to_them(
    status: str, waiting: bool, owed: bool
) -> None:
    alert = owned(
        status, level_since=minutes(30), last_entry_at=minutes(10), first_response_at=minutes(10),
        waiting_person=waiting,
    )  # fmt: skip
    assert timers(alert, minutes(30)).get("contact_overdue") == (35 if owed else None)
    alert.first_response_at = minutes(31)
    assert "contact_overdue" not in timers(alert, minutes(31))


def test_a_target_that_passed_unsaid_is_said_and_one_that_was_said_is_not_said_again() -> None:
    late = owned(claimed_at=minutes(70), last_entry_at=minutes(70))
    assert timers(late, minutes(70)) == {
        "warn_claim": 73,
        "release_claim": 75,
        "contact_overdue": 5,
        "disposition_overdue": 60,
    }
    said = {"contact_overdue": minutes(71), "disposition_overdue": minutes(71)}
    assert set(timers(late, minutes(72), said=said)) == {"warn_claim", "release_claim"}
    earlier = {name: NOON - timedelta(hours=1) for name in said}  # before the level last rose: another clock
    assert set(said) <= set(timers(late, minutes(72), said=earlier))


def test_a_warning_is_given_once_per_silence() -> None:
    alert = owned()
    assert "warn_claim" not in timers(alert, minutes(5), said={"warn_claim": minutes(4)})
    alert.last_entry_at = minutes(4.5)
    assert timers(alert, minutes(5), said={"warn_claim": minutes(4)})["warn_claim"] == 7.5


def test_a_supervisor_is_asked_again_20_minutes_after_the_last_time() -> None:
    alert = owned(Status.IN_CONTACT)
    assert timers(alert, minutes(25), said={"check_in": minutes(21)})["check_in"] == 41


@pytest.mark.parametrize("status", [Status.ACKNOWLEDGED, Status.IN_CONTACT])
def test_a_pending_second_review_keeps_its_owner_from_being_paged(status: str) -> None:
    assert timers(owned(status), minutes(2), reviewed=True) == {}


def test_an_absent_owner_has_ten_minutes_also_during_a_review() -> None:
    alert = owned(Status.IN_CONTACT, owner_gone_at=minutes(2))
    assert timers(alert, minutes(2))["owner_gone"] == 12
    assert timers(alert, minutes(2), reviewed=True) == {"owner_gone": 12}


def test_the_chain_beside_an_absent_owner_takes_the_place_of_the_ten_minutes() -> None:
    alert = owned(Status.IN_CONTACT, owner_gone_at=minutes(2), chain_beside=True, chain_position=3)
    found = timers(alert, minutes(12))
    assert found["chain"] == 12
    assert "owner_gone" not in found


def test_the_chain_ends_at_its_last_and_repeats_it() -> None:
    alert = Alert(chain_position=2)
    assert [who_of(alert, position) for position in range(6)] == [
        "on_duty", "supervisor", "on_call", "lead", "lead", "lead",
    ]  # fmt: skip
    assert chain_step(alert, NOON).position == 2


def test_the_copied_policy_is_what_counts() -> None:
    policy = DEFAULTS["critical"] | SHARED | {"repeat_seconds": 60, "chain": [{"after": 30, "who": "lead"}]}
    assert timers(Alert(policy=policy, chain_position=0), NOON) == {"chain": 0.5}
    assert timers(Alert(policy=policy, chain_position=3), minutes(4)) == {"chain": 5}
