"""A sweeper that finds two hundred steps due at once runs those of people in danger first."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from crisis.alerts.models import RiskAlert
from crisis.escalation.models import AlertStep
from tests import stores
from tests.cast import Cast
from tests.live.stage import wait_until
from tests.makers import make_alert, make_patient, now

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases=["default", "keys"])]
HIGH, CRITICAL = 200, 6


def raised(cast: Cast, level: str) -> RiskAlert:
    return make_alert(make_patient(cast.home), level=level, reason_code="H1")


def due(alert: RiskAlert, count: int, ago: timedelta) -> None:
    AlertStep.objects.bulk_create(
        AlertStep(
            organization=alert.organization, alert=alert, kind="contact_overdue", epoch=alert.epoch,
            due_at=now() - ago,
        )
        for _ in range(count)
    )  # fmt: skip


def test_critical_steps_run_before_two_hundred_high_ones_that_are_longer_overdue(
    cast: Cast, tmp_path: Path
) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    for _ in range(10):
        due(raised(cast, "high"), HIGH // 10, timedelta(hours=3))
    for _ in range(CRITICAL):
        due(raised(cast, "critical"), 1, timedelta(seconds=1))
    environment = stores.child_environment() | {"CORTEX_DB_ROLE": "system"}
    with (tmp_path / "sweeper.log").open("ab") as out:
        sweeper = subprocess.Popen(
            [sys.executable, "manage.py", "sweep"], env=environment, cwd=stores.ROOT, stdout=out, stderr=out
        )
    try:
        steps = AlertStep.objects.filter(kind="contact_overdue")
        wait_until(lambda: not steps.filter(done_at=None).exists(), 60)
    finally:
        sweeper.terminate()
        sweeper.wait(20)
    order = list(steps.order_by("done_at").values_list("alert__level", flat=True))
    assert len(order) == HIGH + CRITICAL
    last = max(place for place, level in enumerate(order) if level == "critical")
    # Two threads: while one still works on a critical step, the other may have begun with the high ones.
    assert last < CRITICAL + 4
    assert set(steps.values_list("outcome", flat=True)) == {"told"}
