"""A week outside the false-alarm budget becomes a supervisor's task, once, and holds nothing back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from cortex.audit import system
from cortex.audit.models import PhiAccessLog
from crisis.alerts.models import RiskAlert, Verdict
from crisis.calibration.tasks import watch_budgets
from crisis.calibration.watch import watch_budget
from crisis.reviews.models import ReviewItem
from tests.cast import Cast
from tests.makers import now, scope_all
from tests.unit.crisis.test_calibration import alert_of, end, somebody, told, words

pytestmark = pytest.mark.django_db


def judged(cast: Cast, crises: int, false: int) -> None:
    """Critical alerts that ended today with these verdicts."""
    cast.on_duty()
    for verdict in [Verdict.TRUE_CRISIS] * crises + [Verdict.NOT_RISK_LANGUAGE] * false:
        person = somebody(cast)
        told(person, words("A"))
        end(cast, alert_of(person), verdict)


def watch(cast: Cast, at: datetime | None = None) -> ReviewItem | None:
    try:
        return watch_budget(actor=system("calendar", cast.home.pk), organization=cast.home, at=at or now())
    finally:
        scope_all()


def asked(cast: Cast) -> list[ReviewItem]:
    return list(ReviewItem.objects.filter(organization=cast.home, reason_code="alarm_budget"))


def done(client: Client, item: ReviewItem) -> int:
    answer = client.post(f"/reviews/{item.pk}/done/", {"outcome": "reviewed", "note": "H1 reads songs."})
    return answer.status_code


def test_a_week_with_too_few_crises_among_the_judged_asks_a_supervisor(cast: Cast, client: Client) -> None:
    judged(cast, crises=4, false=6)
    assert watch_budgets() == 1
    scope_all()
    [item] = asked(cast)
    assert (item.patient_id, item.owner_id) == (None, None)
    assert timedelta(days=6) < item.due_at - now() <= timedelta(days=7)
    looks = PhiAccessLog.objects.filter(data_type="review.calibration", organization_id=cast.home.pk)
    assert looks.count() == 1

    client.force_login(cast.sam)
    page = client.get(f"/reviews/{item.pk}/").content.decode()
    assert "outside the alarm budget" in page
    assert "/calibration/?days=7" in page
    assert "Contacted" not in page
    figures = client.get("/calibration/?days=7").content.decode()
    assert "outside" in figures
    assert done(client, item) in (204, 303)
    item.refresh_from_db()
    assert item.outcome == "reviewed"


def test_whoever_may_not_read_the_figures_does_not_tick_it_off(cast: Cast, client: Client) -> None:
    judged(cast, crises=4, false=6)
    item = watch(cast)
    assert item is not None
    client.force_login(cast.cleo)
    assert "/calibration/" not in client.get(f"/reviews/{item.pk}/").content.decode()
    assert done(client, item) == 409
    item.refresh_from_db()
    assert item.done_at is None


@pytest.mark.parametrize(("crises", "false"), [(5, 5), (4, 5)], ids=["within", "too few to say"])
def test_nobody_is_asked_while_it_is_within_or_not_known(cast: Cast, crises: int, false: int) -> None:
    judged(cast, crises=crises, false=false)
    assert watch(cast) is None
    assert asked(cast) == []


def test_it_is_asked_once_and_again_only_a_week_after_while_it_lasts(cast: Cast, client: Client) -> None:
    judged(cast, crises=0, false=10)
    alerts = RiskAlert.objects.filter(organization=cast.home).count()
    first = watch(cast)
    assert first is not None
    assert watch(cast, now() + timedelta(days=1)) is None
    client.force_login(cast.sam)
    assert done(client, first) in (204, 303)
    scope_all()
    assert watch(cast, now() + timedelta(days=3)) is None
    late = now() + timedelta(days=6, hours=23)
    newer = late - timedelta(days=1)
    RiskAlert.objects.filter(organization=cast.home).update(raised_at=newer, level_since=newer)
    assert watch(cast, late) is None
    assert watch(cast, now() + timedelta(days=7, hours=1)) is not None
    assert RiskAlert.objects.filter(organization=cast.home).count() == alerts
    assert len(asked(cast)) == 2


def test_another_house_is_judged_by_its_own_alerts(cast: Cast) -> None:
    judged(cast, crises=0, false=10)
    actor = system("calendar", cast.elsewhere.pk)
    assert watch_budget(actor=actor, organization=cast.elsewhere, at=now()) is None
