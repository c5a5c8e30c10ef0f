"""A flood can't silence a person: over the limit all is screened, and what needs somebody is taken."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cortex.api import throttle
from crisis.alerts.models import RiskAlert
from patients.sessions.messages import Message
from tests.api.conftest import CALM, TIER_A, Api, item, message, results
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def tight(settings: Any) -> None:
    """A limit of three items a minute, in a fresh window."""
    settings.CORTEX_API_ITEMS_PER_MINUTE = 3
    throttle.client().flushdb()


def test_over_the_limit_each_item_is_answered_with_429_and_a_time(tight: None, api: Api, cast: Cast) -> None:
    answer = api.send(*[message(cast.patient) for _ in range(5)])
    assert answer.status_code == 429
    assert results(answer) == ["stored"] * 3 + ["limited"] * 2
    limited = answer.json()["items"][4]
    assert limited["status"] == 429
    assert 1 <= limited["retry_after"] <= 60
    assert answer["Retry-After"] == str(limited["retry_after"])
    assert Message.objects.count() == 3


def test_a_flood_cannot_silence_a_person(tight: None, api: Api, cast: Cast) -> None:
    flood = [message(cast.patient, CALM) for _ in range(200)]
    answer = api.send(
        *flood,
        message(cast.patient, TIER_A),
        item("checkin", cast.patient, date="2026-11-20", notes=TIER_A),
        item("sos", cast.patient),
        item("consent", cast.patient, consent_type="research", granted=True),
        message(cast.patient, "rafiki yangu anataka kujiua"),
    )
    found = results(answer)
    assert answer.status_code == 429
    assert found[3:200] == ["limited"] * 197
    assert found[200:] == ["stored"] * 5
    assert RiskAlert.objects.get(kind="self_harm").level == "critical"
    assert "support" in answer.json()["items"][200]


def test_what_is_over_the_limit_is_still_parsed(tight: None, api: Api, cast: Cast) -> None:
    answer = api.send(*[message(cast.patient) for _ in range(3)], message(cast.patient, role="user"))
    assert results(answer) == ["stored", "stored", "stored", "rejected"]


def test_a_limited_item_is_no_duplicate_later(tight: None, api: Api, cast: Cast) -> None:
    batch = [message(cast.patient) for _ in range(5)]
    api.send(*batch, key="k-1")
    throttle.client().flushdb()
    assert results(api.send(*batch, key="k-1")) == ["duplicate"] * 3 + ["stored"] * 2


def test_the_second_of_two_equal_items_is_limited_with_the_first(tight: None, api: Api, cast: Cast) -> None:
    one = message(cast.patient)
    answer = api.send(*[message(cast.patient) for _ in range(3)], one, one)
    assert results(answer)[3:] == ["limited", "limited"]


def test_one_key_does_not_use_up_anothers_rate(tight: None, api: Api, cast: Cast) -> None:
    from tests.api.conftest import issue_key

    other = Api(f"Api-Key {issue_key(cast.home)[1]}")
    api.send(*[message(cast.patient) for _ in range(5)])
    assert results(other.send(message(cast.patient))) == ["stored"]


def test_without_redis_nothing_is_limited(api: Api, cast: Cast, settings: Any, monkeypatch: Any) -> None:
    settings.CORTEX_API_ITEMS_PER_MINUTE = 1
    asked = []

    def gone() -> redis.Redis:
        asked.append(1)
        return redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))

    monkeypatch.setattr(throttle, "client", gone)
    monkeypatch.setattr(throttle, "_rest_until", 0.0)
    for _ in range(3):
        assert results(api.send(message(cast.patient), message(cast.patient))) == ["stored", "stored"]
    assert len(asked) == 1
