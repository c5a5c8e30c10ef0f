"""Who may be on shift and lead, and what a new role takes away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cortex.accounts.actions import update_user
from cortex.accounts.models import User
from cortex.audit import InputRefused, RuleBroken, system
from cortex.audit.models import AuditLog
from crisis.alerts.queries import listeners
from crisis.casework.actions import log_contact
from crisis.duty.actions import (
    cancel_shift,
    end_forgotten_shift,
    end_shift,
    plan_shift,
    resume_shift,
    start_shift,
)
from crisis.duty.models import OVERTIME, SLIP, DutyShift, DutyStatus
from crisis.duty.queries import (
    covered_by,
    covering_users,
    has_cover,
    lead_ids,
    leads_of,
    people_for,
    roster,
)
from crisis.escalation.models import SlaPolicy
from crisis.ownership.actions import claim_alert
from tests.cast import Cast
from tests.makers import make_alert, make_patient, make_user, now, scope_all, staff

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


@pytest.mark.parametrize(("duty", "role", "may"), [
    ("supervisor", "counselor", False), ("on_call", "counselor", False), ("counselor", "counselor", True),
    ("supervisor", "therapist", True), ("on_call", "psychiatrist", True), ("supervisor", "supervisor", True),
    ("on_call", "therapist", True), ("on_call", "supervisor", True), ("supervisor", "psychiatrist", True),
])  # fmt: skip
def test_only_whoever_may_read_second_is_planned_as_supervisor_or_on_call(
    cast: Cast, duty: str, role: str, may: bool
) -> None:
    user = make_user(role, cast.home)
    wanted = {**PLAN, "role": duty, "user_id": user.pk, "organization_id": cast.home.pk}
    if may:
        assert plan_shift(actor=staff(cast.ada), **wanted).role == duty
        return
    with pytest.raises(InputRefused) as refused:
        plan_shift(actor=staff(cast.ada), **wanted)
    assert (refused.value.code, refused.value.extra["field"]) == ("not_their_role", "role")
    assert not DutyShift.objects.exists()


@pytest.mark.parametrize("duty", ["supervisor", "on_call"])
def test_a_counselor_on_such_a_shift_is_at_the_desk_and_asked_for_no_decision(cast: Cast, duty: str) -> None:
    """A shift from before the rule, or of somebody whose role changed while it ran."""
    shift = cast.on_duty()
    DutyShift.objects.filter(pk=shift.pk).update(role=duty)
    sought = {who: people_for(who, cast.home.pk) for who in ("on_duty", "supervisor", "reviewer", "on_call")}
    assert sought == {"on_duty": [cast.cleo], "supervisor": [cast.sam], "reviewer": [], "on_call": []}


def test_a_planned_shift_of_somebody_whose_role_changed_starts_as_what_they_may_be(cast: Cast) -> None:
    shift = plan_shift(
        actor=staff(cast.ada),
        user_id=cast.alice.pk,
        organization_id=cast.home.pk,
        **PLAN | {"role": "on_call"},
    )
    cast.alice.role = "counselor"
    cast.alice.save()
    started = start_shift(actor=staff(cast.alice), shift_id=shift.pk, sound_tested=True)
    assert (started.role, started.status) == ("counselor", "active")


def test_a_cancelled_shift_leaves_whose_and_when_it_was(cast: Cast) -> None:
    shift = plan_shift(actor=staff(cast.ada), user_id=cast.cleo.pk, organization_id=cast.home.pk, **PLAN)
    cancel_shift(actor=staff(cast.sam), shift_id=shift.pk)
    scope_all()
    assert not DutyShift.objects.exists()
    plan = {
        "role": "counselor", "user": str(cast.cleo.pk), "from": PLAN["planned_start"].isoformat(),
        "until": PLAN["planned_end"].isoformat(),
    }  # fmt: skip
    for verb in ("shift.planned", "shift.cancelled"):
        row = AuditLog.objects.get(event_type=verb)
        assert (row.object_id, row.codes) == (shift.pk, row.codes | plan)


def test_a_board_is_heard_by_its_shift_its_supervisors_and_its_leads(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    everybody = [one.pk for one in (cast.cleo, cast.bob, cast.sam, cast.ada, cast.charlie)]
    with django_assert_num_queries(3):
        assert listeners(str(cast.home.pk), everybody) == {cast.sam.pk}
    cast.on_duty()
    cast.home.settings = {"leads": [str(cast.cleo.pk), str(cast.charlie.pk), "no id at all"]}
    cast.home.save()
    with django_assert_num_queries(4):
        assert listeners(str(cast.home.pk), everybody) == {cast.sam.pk, cast.cleo.pk}
    with django_assert_num_queries(4):
        assert listeners(str(cast.home.pk), [cast.bob.pk]) == set()


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


def page(user: User, name: str, **data: str) -> str:
    """Open a page of the duty, or post to it, as this person's browser would; return what it leads to."""
    client = Client()
    client.force_login(user)
    address = reverse(f"crisis:{name}")
    answer = client.post(address, data, follow=True) if data else client.get(address)
    scope_all()
    return str(answer.content.decode())


def test_ending_a_shift_asks_first_and_says_what_becomes_of_open_claims(cast: Cast) -> None:
    shift = cast.on_duty()
    assert "No alert is open with you." in page(cast.cleo, "duty_end")
    alert = make_alert(cast.patient)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    asked = page(cast.cleo, "duty_end")
    assert "You still own 1 alert." in asked
    assert "After 10 min the ones without contact go back to the queue." in asked
    assert "your pages make no sound" in asked and "go on with the shift for 10 min" in asked
    shift.refresh_from_db()
    assert shift.is_running, "the question alone ends nothing"
    assert "Go on with the shift" in page(cast.cleo, "duty_end", sure="yes")
    shift.refresh_from_db()
    assert shift.status == DutyStatus.ENDED
    page(cast.cleo, "duty_start", sound="resumed")
    shift.refresh_from_db()
    assert (shift.status, shift.ended_at) == (DutyStatus.ACTIVE, None)


def test_what_becomes_of_claims_is_said_by_their_own_clocks_and_state(cast: Cast) -> None:
    cast.on_duty()
    SlaPolicy.objects.filter(organization=None, level="high").update(owner_gone_seconds=900)
    for level in ("critical", "high"):
        alert = make_alert(make_patient(cast.home), level=level)
        claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    log_contact(actor=staff(cast.cleo), alert_id=alert.pk)
    asked = page(cast.cleo, "duty_end")
    assert "After 10 min to 15 min the ones without contact go back to the queue." in asked
    assert "Where there was contact you stay the owner" in asked


def test_a_supervisor_is_told_that_their_pages_go_on_after_a_shift(cast: Cast) -> None:
    cast.on_duty(cast.sam)
    asked = page(cast.sam, "duty_end")
    assert "Your pages go on showing the alerts of your service, and sounding for critical ones." in asked
    assert "make no sound" not in asked


def test_only_a_fresh_end_by_hand_is_taken_back(cast: Cast) -> None:
    shift = cast.on_duty()
    end_shift(actor=staff(cast.cleo), at=now() - SLIP)
    with pytest.raises(RuleBroken):
        resume_shift(actor=staff(cast.cleo))
    assert "Go on with the shift" not in page(cast.cleo, "duty")
    DutyShift.objects.filter(pk=shift.pk).update(
        status=DutyStatus.ACTIVE, planned_start=now() - 5 * OVERTIME, planned_end=now() - OVERTIME
    )
    end_forgotten_shift(actor=system("sweeper"), shift_id=shift.pk)
    with pytest.raises(RuleBroken):
        resume_shift(actor=staff(cast.cleo))


def test_a_shift_of_days_later_is_not_started_now(cast: Cast, client: Any) -> None:
    later = {"planned_start": now() + timedelta(days=2), "planned_end": now() + timedelta(days=2, hours=8)}
    planned = plan_shift(
        actor=staff(cast.ada), user_id=cast.cleo.pk, organization_id=cast.home.pk, **PLAN | later
    )
    with pytest.raises(RuleBroken) as refused:
        start_shift(actor=staff(cast.cleo), shift_id=planned.pk, sound_tested=True)
    assert refused.value.code == "not_its_time"
    client.force_login(cast.cleo)
    page = client.get(reverse("crisis:duty")).content.decode()
    assert "the supervisors are told" in page and f'value="{planned.pk}"' not in page
    scope_all()
    started = start_shift(actor=staff(cast.cleo), shift_id=None, sound_tested=True)
    assert not started.is_planned and started.planned_end < now() + timedelta(hours=9)
    end_shift(actor=staff(cast.cleo))
    soon = planned.planned_start - timedelta(hours=1)
    assert start_shift(actor=staff(cast.cleo), shift_id=planned.pk, sound_tested=True, at=soon).is_planned
