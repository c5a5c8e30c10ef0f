"""With AWS KMS away for longer than keys are held: intake answers 503 and helps, and the board goes on."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cortex.keys.cache import cache
from cortex.keys.models import SubjectKey
from cortex.ops import health
from crisis.alerts.models import RiskAlert
from patients.sessions.messages import Message
from tests import makers
from tests.api.conftest import TIER_A, Api, assert_helped_without_keys, item, message, results
from tests.cast import Cast
from tests.kms import FakeKms

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("how", ["down", "pending deletion"])
def test_intake_answers_503_with_support_and_the_board_goes_on(
    kms: FakeKms, cast: Cast, api: Api, settings: Any, how: str
) -> None:
    cast.on_duty()
    arn = settings.CORTEX_KMS_KEYS
    assert set(SubjectKey.objects.values_list("master_key_id", flat=True)) == {arn}
    health.readiness()
    if how == "down":
        settings.CORTEX_KMS_ENDPOINT = "http://127.0.0.1:9"
    else:
        kms.states[arn] = "PendingDeletion"
        settings.CORTEX_KMS_ENDPOINT = f"{kms.url}/"
    cache.forget()

    one = message(cast.patient, TIER_A)
    answer = api.send(one, item("sos", cast.patient), key="k-1")
    assert_helped_without_keys(answer)

    desk = Client()
    desk.force_login(cast.cleo)
    board = desk.get(reverse("crisis:board"))
    alert = RiskAlert.objects.get(kind="self_harm")
    assert board.status_code == 200 and str(alert.pk) in board.content.decode()
    claimed = desk.post(reverse("crisis:alert_claim", args=[alert.pk]), {"next": "board"})
    assert claimed.status_code == 303
    assert health.check_keys().state == "degraded"

    kms.states[arn] = "Enabled"
    settings.CORTEX_KMS_ENDPOINT = kms.url
    again = api.send(one, item("sos", cast.patient), key="k-1")
    assert results(again)[0] == "stored"
    assert makers.opened(Message.objects.get(), "content") == TIER_A
    assert health.check_keys().state == "ok"
