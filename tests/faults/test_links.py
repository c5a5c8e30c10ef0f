"""Linking a caller while others claim, raise and press again: one alert of a kind is left, no deadlock."""

from __future__ import annotations

from uuid import uuid4

import pytest

from crisis.alerts.models import RiskAlert
from crisis.alerts.states import OPEN
from crisis.byhand.actions import link_person, raise_for_caller
from crisis.ownership.actions import claim_alert
from patients.registry.models import Patient
from tests import cast as players
from tests import makers
from tests.cast import Cast
from tests.faults.test_claims import at_once, raised
from tests.makers import staff

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases=["default", "keys"])]
ROUNDS = 12


@pytest.fixture
def desk(transactional_db: None) -> Cast:
    cast = players.make_cast()
    for person in (cast.cleo, cast.sam, cast.alice):
        cast.on_duty(person)
    return cast


def told(cast: Cast, pseudonym: str = "", **extra: object) -> RiskAlert:
    return raise_for_caller(
        actor=staff(cast.cleo), pseudonym=pseudonym, level="critical", kind="self_harm", note="A neighbour",
        **extra,  # type: ignore[arg-type]
    )  # fmt: skip


def link(cast: Cast, alert: RiskAlert) -> RiskAlert:
    number = cast.patient.anonymous_id
    return link_person(actor=staff(cast.sam), alert_id=alert.pk, pseudonym=number, reason="By name")


def open_ones() -> list[RiskAlert]:
    makers.scope_all()
    return list(RiskAlert.objects.filter(kind="self_harm", status__in=OPEN).select_related("patient"))


def close_all() -> None:
    """The next round begins with nothing open."""
    RiskAlert.objects.filter(kind="self_harm", status__in=OPEN).update(
        status="merged", resolved_at=makers.now()
    )


def test_a_claim_and_a_link_at_once_leave_one_alert_and_its_owner(desk: Cast) -> None:
    for round_ in range(ROUNDS):
        theirs, mine = raised(desk), told(desk)
        chosen = (theirs, mine)[round_ % 2]
        done = at_once(
            [
                lambda alert=chosen: claim_alert(actor=staff(desk.cleo), alert_id=alert.pk),
                lambda alert=mine: link(desk, alert),
            ]
        )
        assert None not in done, "a thread died of something else than a refusal"
        assert isinstance(done[1], RiskAlert)
        (kept,) = open_ones()
        assert kept.person_id == desk.patient.pk
        # Whoever won the claim has the alert that is left; whoever lost was told where it went.
        won = isinstance(done[0], RiskAlert)
        assert (kept.assigned_to_id == desk.cleo.pk) is won
        close_all()


def test_raising_on_either_row_while_they_are_linked_leaves_one_alert(desk: Cast) -> None:
    for _ in range(ROUNDS):
        mine = told(desk)
        assert mine.patient is not None
        number = mine.patient.anonymous_id
        done = at_once(
            [
                lambda alert=mine: link(desk, alert),
                lambda pseudonym=number: told(desk, pseudonym),
                lambda: raised(desk),
            ]
        )
        assert None not in done
        (kept,) = open_ones()
        assert kept.person_id == desk.patient.pk
        close_all()


def test_a_button_that_is_pressed_five_times_at_once_raises_one_alert(desk: Cast) -> None:
    token = uuid4()
    done = at_once([lambda: told(desk, token=token)] * 5)
    makers.scope_all()
    (alert,) = open_ones()
    assert {one.pk for one in done} == {alert.pk}  # type: ignore[attr-defined]
    assert Patient.objects.filter(is_provisional=True).count() == 1
