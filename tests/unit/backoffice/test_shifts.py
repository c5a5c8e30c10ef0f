"""The demo's roster stays staffed: a shift that is over in the plan is followed by the next one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinical.backoffice import queries, world
from clinical.backoffice.shifts import AGREEMENT, LENGTH, renew_shifts
from cortex.accounts.models import User
from cortex.accounts.queries import user_by_email
from cortex.audit.actors import actor_of_user
from crisis.duty.actions import end_forgotten_shift, end_shift
from crisis.duty.models import DutyShift, DutyStatus
from tests import makers

pytestmark = pytest.mark.django_db
ON_DUTY = {email for _, _, _, email, duty in world.read("people")["staff"] if duty in ("on", "on_call")}


@pytest.fixture
def people() -> dict[str, User]:
    """The demo's staff, without their patients."""
    homes = {
        one["slug"]: makers.make_organization(name=one["name"], slug=one["slug"])
        for one in world.read("people")["organizations"]
    }
    for home in homes.values():
        home.settings = {
            "covered_by": {str(other.pk): AGREEMENT for other in homes.values() if other != home}
        }
        home.save()
    for slug, role, name, email, _ in world.read("people")["staff"]:
        User.objects.create_user(email, full_name=name, role=role, organization=homes[slug])
    return {email: found for _, _, _, email, _ in world.read("people")["staff"]
            if (found := user_by_email(email)) is not None}  # fmt: skip


def running() -> set[str]:
    return set(DutyShift.objects.running().values_list("user__email", flat=True))


def test_the_first_round_starts_the_roster_and_leaves_one_to_start_by_hand(people: dict[str, User]) -> None:
    now = makers.now()
    renew_shifts(now)
    assert running() == ON_DUTY
    assert queries.last_shift(people["amara@amani.example"].pk).status == DutyStatus.PLANNED
    karin = queries.last_shift(people["karin@amani.example"].pk)
    assert (len(karin.covers), karin.agreement) == (2, AGREEMENT)
    assert renew_shifts(now + LENGTH - timedelta(minutes=1)) == 0


def test_after_the_planned_end_everybody_has_the_next_shift(people: dict[str, User]) -> None:
    now = makers.now()
    renew_shifts(now)
    later = now + LENGTH
    assert renew_shifts(later) == len(ON_DUTY) + 1
    assert running() == ON_DUTY
    for user in (people["karin@amani.example"], people["amara@amani.example"]):
        assert queries.last_shift(user.pk).planned_end == later + LENGTH
    assert len(queries.last_shift(people["karin@amani.example"].pk).covers) == 2


def test_a_forgotten_shift_is_followed_by_the_next_and_one_ended_by_hand_is_not(
    people: dict[str, User],
) -> None:
    now = makers.now()
    renew_shifts(now)
    diego, petra = people["diego@amani.example"], people["petra@baraka.example"]
    end_shift(actor=actor_of_user(diego))
    renew_shifts(now + timedelta(hours=1))
    assert running() == ON_DUTY - {diego.email}
    night = now + timedelta(hours=15)
    forgotten = queries.last_shift(petra.pk)
    end_forgotten_shift(actor=makers.machine(petra.organization), shift_id=forgotten.pk, at=night)
    assert petra.email not in running()
    renew_shifts(night)
    assert running() == ON_DUTY


def test_a_shift_that_was_planned_and_not_started_is_started(people: dict[str, User]) -> None:
    now = makers.now()
    renew_shifts(now)
    diego = people["diego@amani.example"]
    DutyShift.objects.filter(user=diego).update(status=DutyStatus.PLANNED, started_at=None)
    assert renew_shifts(now) == 0
    assert running() == ON_DUTY
