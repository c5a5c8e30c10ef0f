"""Who may be on shift and lead, and what a new role takes away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cortex.accounts.actions import update_user
from cortex.accounts.models import User
from cortex.audit import RuleBroken
from crisis.duty.actions import plan_shift, start_shift
from crisis.duty.models import DutyShift
from crisis.duty.queries import (
    covered_by,
    covering_users,
    has_cover,
    lead_ids,
    leads_of,
    people_for,
    roster,
)
from tests.cast import Cast
from tests.makers import make_user, now, staff

pytestmark = pytest.mark.django_db
PLAN = {"role": "counselor", "planned_start": now(), "planned_end": now() + timedelta(hours=8)}


@pytest.mark.parametrize("role", ["admin", "compliance", "auditor"])
def test_only_people_of_the_desk_are_planned_and_start_a_shift(cast: Cast, role: str) -> None:
    other = make_user(role, cast.home)
    with pytest.raises(RuleBroken):
        plan_shift(actor=staff(cast.ada), user_id=other.pk, organization_id=cast.home.pk, **PLAN)
    with pytest.raises(RuleBroken):
        start_shift(actor=staff(other), shift_id=None, sound_tested=True)
    assert not DutyShift.objects.exists()


def test_nobody_plans_their_own_shift(cast: Cast) -> None:
    with pytest.raises(RuleBroken):
        plan_shift(actor=staff(cast.sam), user_id=cast.sam.pk, organization_id=cast.home.pk, **PLAN)
    assert plan_shift(actor=staff(cast.ada), user_id=cast.sam.pk, organization_id=cast.home.pk, **PLAN)


def test_a_new_role_outside_the_desk_takes_shift_and_lead_with_it(cast: Cast) -> None:
    cast.on_duty()
    cast.home.settings = {"leads": [str(cast.cleo.pk), "no id at all"]}
    cast.home.save()
    cleo, home = cast.cleo, cast.home.pk

    def rights() -> list[bool]:
        person = User.objects.get(pk=cleo.pk)
        return [
            home in covered_by(cleo.pk), leads_of(person), has_cover(home), bool(roster([home])),
            bool(covering_users(home, [cleo.pk])), cleo.pk in lead_ids(home),
            cleo in people_for("on_duty", home), cleo in people_for("lead", home),
        ]  # fmt: skip

    assert rights() == [True] * 8
    update_user(actor=staff(cast.ada), user_id=cleo.pk, role="auditor")
    assert rights() == [False] * 8
    assert people_for("lead", home) == [cast.sam]
