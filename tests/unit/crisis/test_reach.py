"""Whom a shift and a claim let people reach: the database's functions say what the queries say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from cortex.access.context import scoped
from cortex.accounts.choices import DESK_ROLES, Role
from cortex.accounts.models import User
from crisis.alerts.access import claimed_q
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import CLOSED, OPEN
from crisis.duty.models import DutyShift, DutyStatus
from crisis.duty.queries import covered_by, roster
from crisis.endings.actions import Ending, resolve_alert
from crisis.ownership.actions import claim_alert
from crisis.reviews.models import FollowUp, FollowUpStatus, ReviewItem
from tests import stores
from tests.cast import Cast
from tests.makers import machine, make_alert, now, staff
from tests.unit.access.test_rows_cost import multiply, rows_changed
from tests.unit.crisis.test_desk_pages import get, text

pytestmark = pytest.mark.django_db


def reached(user: User) -> dict[str, set[object]]:
    found = User.objects.reaching().get(pk=user.pk)
    return {name: set(getattr(found, f"covers_by_{name}") or ()) for name in ("shift", "claim", "task")}


@pytest.mark.parametrize("agreed", [True, False])
@pytest.mark.parametrize("status", [*DutyStatus])
@pytest.mark.parametrize("role", [*Role])
def test_a_shift_reaches_what_it_covers(cast: Cast, agreed: bool, status: DutyStatus, role: Role) -> None:
    if agreed:
        cast.elsewhere.settings = {"covered_by": {str(cast.home.pk): "Agreement 7"}}
        cast.elsewhere.save()
    shift = cast.on_duty()
    ended = now() if status == DutyStatus.ENDED else None
    DutyShift.objects.filter(pk=shift.pk).update(
        status=status, covers=[cast.home.pk, cast.elsewhere.pk], agreement="Agreement 7", ended_at=ended
    )
    User.objects.filter(pk=cast.cleo.pk).update(role=role)
    with stores.role("cortex_system"):
        said = covered_by(cast.cleo.pk)
    assert reached(cast.cleo)["shift"] == said
    both = {cast.home.pk} | ({cast.elsewhere.pk} if agreed else set())
    assert said == (both if status in ("active", "paused") and role in DESK_ROLES else set())


def test_a_closed_account_reaches_nothing_by_its_shift(cast: Cast) -> None:
    cast.on_duty()
    User.objects.filter(pk=cast.cleo.pk).update(is_active=False, disabled_at=now())
    with stores.role("cortex_system"):
        assert covered_by(cast.cleo.pk) == set()
    assert reached(cast.cleo)["shift"] == set()


@pytest.mark.parametrize(
    ("status", "hours", "reaches"),
    [
        *((status, None, True) for status in OPEN),
        *((status, 1, True) for status in CLOSED),
        *((status, 25, False) for status in CLOSED),
    ],
)
def test_a_claim_reaches_its_organization_until_a_day_after_its_end(
    cast: Cast, status: str, hours: int | None, reaches: bool
) -> None:
    alert = make_alert(cast.stranger, level="high")
    ended = now() - timedelta(hours=hours) if hours else None
    with stores.role("cortex_system"):
        RiskAlert.objects.filter(pk=alert.pk).update(
            status=status, assigned_to=cast.cleo, claimed_at=now(), resolved_at=ended, disposition="contacted"
        )
        asked = RiskAlert.objects.filter(claimed_q(cast.cleo, Now()))
        said = set(asked.values_list("organization_id", flat=True))
    assert reached(cast.cleo)["claim"] == said == ({cast.elsewhere.pk} if reaches else set())


def test_years_of_what_is_over_cost_no_request_of_who_had_it(cast: Cast) -> None:
    """The session's own statement asks for it with every page: what ended long ago is not read."""
    alert, past = make_alert(cast.patient), now() - timedelta(days=400)
    RiskAlert.objects.filter(pk=alert.pk).update(
        status="resolved", assigned_to=cast.cleo, resolved_at=past, disposition="contacted"
    )
    call = FollowUp.objects.create(
        organization=cast.home, patient=cast.patient, alert=alert, owner=cast.cleo, due_at=past,
        status=FollowUpStatus.DONE,
    )  # fmt: skip
    task = ReviewItem.objects.create(
        organization=cast.home, patient=cast.patient, reason_code="risk_review", owner=cast.cleo, due_at=past,
        done_at=past,
    )  # fmt: skip
    for row in (alert, call, task):
        multiply(row._meta.db_table, row.pk, 3000, id="gen_random_uuid()")
    for name in ("claim", "task"):
        assert pages_read(name, cast.cleo) < 40, name
    assert reached(cast.cleo) == {"shift": set(), "claim": set(), "task": set()}


def pages_read(name: str, user: User) -> int:
    with stores.role("cortex_owner"):  # nobody else's word about a table is taken
        rows_changed("ANALYZE crisis_riskalert, crisis_followup, crisis_reviewitem")
    with connection.cursor() as cursor:
        for _ in range(8):  # the first ones plan
            cursor.execute(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT crisis_reach_by_{name}(%s)", [user.pk]
            )
            plan = cursor.fetchone()[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_whoever_promised_a_call_elsewhere_keeps_it_off_shift_and_until_it_is_done(cast: Cast) -> None:
    cast.elsewhere.settings = {"covered_by": {str(cast.home.pk): "Agreement 7"}}
    cast.elsewhere.save()
    shift = cast.on_duty()
    DutyShift.objects.filter(pk=shift.pk).update(
        covers=[cast.home.pk, cast.elsewhere.pk], agreement="Agreement 7"
    )
    alert = make_alert(cast.stranger, "high")
    cleo = staff(User.objects.reaching().get(pk=cast.cleo.pk))
    claim_alert(actor=cleo, alert_id=alert.pk)
    ending = Ending(
        disposition="remained_community_with_plan", verdict="true_crisis", notes="At home.",
        follow_up_at=now() + timedelta(hours=30),
    )  # fmt: skip
    resolve_alert(actor=cleo, alert_id=alert.pk, ending=ending)
    DutyShift.objects.filter(pk=shift.pk).update(status=DutyStatus.ENDED, ended_at=now())
    with stores.role("cortex_system"):
        RiskAlert.objects.filter(pk=alert.pk).update(resolved_at=now() - timedelta(hours=25))
    assert reached(cast.cleo) == {"shift": set(), "claim": set(), "task": {cast.elsewhere.pk}}
    answer = get(cast.cleo, "followups")
    assert cast.stranger.anonymous_id in text(answer)
    FollowUp.objects.update(status=FollowUpStatus.DONE)
    assert reached(cast.cleo)["task"] == set()


def test_a_colleague_is_as_busy_on_every_roster(cast: Cast) -> None:
    shift = cast.on_duty()
    DutyShift.objects.filter(pk=shift.pk).update(covers=[cast.home.pk, cast.elsewhere.pk])
    cast.elsewhere.settings = {"covered_by": {str(cast.home.pk): "Agreement 7"}}
    cast.elsewhere.save()
    alert = make_alert(cast.patient)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    for organization in (cast.home, cast.elsewhere):
        with scoped(machine(organization)):
            [row] = roster([organization.pk])
            assert row.open_cases == 1  # type: ignore[attr-defined]
