"""When the trail or the keys are away, a page shows nothing and says what goes on; the board goes on."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from cortex.audit.models import PhiAccessLog
from cortex.crypto.errors import KeyProviderError
from cortex.keys import queries as keys
from cortex.keys.cache import cache
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.duty.actions import plan_shift
from crisis.duty.models import DutyShift
from crisis.ownership.actions import claim_alert
from tests import makers
from tests.cast import Cast
from tests.unit.audit.test_trail import superuser

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(cast: Cast) -> RiskAlert:
    """Cleo's alert about Zawadi; Bob is on call with a phone."""
    cast.on_duty()
    now = makers.now()
    plan_shift(
        actor=makers.staff(cast.ada), user_id=cast.bob.pk, organization_id=cast.home.pk, role="on_call",
        planned_start=now, planned_end=now + timedelta(hours=8), phone="+254700000042",
    )  # fmt: skip
    makers.scope_all()
    DutyShift.objects.filter(user=cast.bob).update(status="active", started_at=now)
    row = makers.make_alert(cast.patient)
    claim_alert(actor=makers.staff(cast.cleo), alert_id=row.pk)
    makers.scope_all()
    return row


@pytest.fixture
def cleo(cast: Cast) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(cast.cleo)
    return client


def body(answer: Any) -> str:
    makers.scope_all()
    return str(answer.content.decode())


def test_a_look_that_leaves_no_row_shows_nothing(cleo: Client, alert: RiskAlert) -> None:
    page = reverse("crisis:alert_page", args=[alert.pk])
    assert "Zawadi" in body(cleo.get(page))
    rows = PhiAccessLog.objects.count()

    with superuser() as cursor:
        cursor.execute("ALTER TABLE audit_phiaccesslog ADD CONSTRAINT broken CHECK (id IS NULL) NOT VALID")
    answer = cleo.get(page)
    assert answer.status_code == 503 and answer["Retry-After"]
    text = body(answer)
    assert "Zawadi" not in text and "+254" not in text and "broken" not in text
    assert "The board goes on" in text
    assert PhiAccessLog.objects.count() == rows


@pytest.mark.parametrize("fault", [KeyProviderError("no answer"), OperationalError("no route")])
def test_with_the_keys_away_names_stay_closed_and_the_board_goes_on(
    fault: Exception, cleo: Client, alert: RiskAlert, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = reverse("crisis:board")
    assert "+254700000042" in body(cleo.get(board))

    def down(*_: Any, **__: Any) -> None:
        raise fault

    cache.forget()
    monkeypatch.setattr(keys, "keys_for", down)
    monkeypatch.setattr("cortex.keys.store.keys_for", down, raising=False)
    answer = cleo.get(reverse("crisis:alert_page", args=[alert.pk]))
    assert answer.status_code == 503 and "Zawadi" not in body(answer)
    answer = cleo.get(board)
    shown = body(answer)
    assert answer.status_code == 200 and str(alert.pk) in shown and "+254700000042" not in shown
    panel = cleo.get(reverse("crisis:alert_preview", args=[alert.pk]))
    assert panel.status_code == 200 and "Zawadi" not in body(panel) and "+254" not in body(panel)


def test_a_command_that_needs_a_key_which_is_away_changes_nothing(
    cleo: Client, alert: RiskAlert, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any, **__: Any) -> None:
        raise OperationalError("no route")

    # A move goes on without its note; how an alert ended can't be left out.
    alert.refresh_from_db()
    page = body(cleo.get(reverse("crisis:alert_page", args=[alert.pk])))
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen is not None
    monkeypatch.setattr("cortex.keys.actions.ensure_keys", down)
    events = AlertEvent.objects.count()
    answer = cleo.post(reverse("crisis:alert_resolve", args=[alert.pk]), {
        "seen": seen.group(1), "disposition": "remained_community_with_plan", "verdict": "true_crisis",
        "notes": "With her brother", "no_follow_up_reason": "She moves away",
    })  # fmt: skip
    assert answer.status_code == 503 and "nothing of what you just did was saved" in body(answer)
    makers.scope_all()
    assert AlertEvent.objects.count() == events
