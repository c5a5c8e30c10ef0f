"""Whom a shift and a claim let people reach: the database's functions say what the queries say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from cortex.accounts.models import User
from crisis.alerts.access import claimed_q
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import RiskAlert
from crisis.duty.models import DutyShift, DutyStatus
from crisis.duty.queries import covered_by
from tests import stores
from tests.cast import Cast
from tests.makers import machine, now

pytestmark = pytest.mark.django_db


def reached(user: User) -> dict[str, set[object]]:
    found = User.objects.reaching().get(pk=user.pk)
    return {name: set(getattr(found, f"covers_by_{name}") or ()) for name in ("shift", "claim")}


@pytest.mark.parametrize("agreed", [True, False])
@pytest.mark.parametrize("status", [*DutyStatus])
@pytest.mark.parametrize("role", ["counselor", "auditor"])
def test_a_shift_reaches_what_it_covers(cast: Cast, agreed: bool, status: DutyStatus, role: str) -> None:
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
    assert said == (both if status in ("active", "paused") and role == "counselor" else set())


@pytest.mark.parametrize(
    ("status", "hours", "reaches"),
    [
        ("acknowledged", None, True),
        ("monitoring", None, True),
        ("resolved", 1, True),
        ("resolved", 25, False),
    ],
)
def test_a_claim_reaches_its_organization_until_a_day_after_its_end(
    cast: Cast, status: str, hours: int | None, reaches: bool
) -> None:
    alert = raise_alert(
        actor=machine(cast.elsewhere), organization_id=cast.elsewhere.pk, patient_id=cast.stranger.pk,
        kind="self_harm", level="high", reason_code="text_a",
    )  # fmt: skip
    ended = now() - timedelta(hours=hours) if hours else None
    with stores.role("cortex_system"):
        RiskAlert.objects.filter(pk=alert.pk).update(
            status=status, assigned_to=cast.cleo, claimed_at=now(), resolved_at=ended, disposition="contacted"
        )
        asked = RiskAlert.objects.filter(claimed_q(cast.cleo, Now()))
        said = set(asked.values_list("organization_id", flat=True))
    assert reached(cast.cleo)["claim"] == said == ({cast.elsewhere.pk} if reaches else set())
