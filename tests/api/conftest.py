"""What the API tests share: a key of the home organization, a client that speaks JSON, and items."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client

from cortex.accounts.apikeys.actions import create_client, create_key
from cortex.accounts.choices import Scope
from cortex.api import throttle
from cortex.audit import system
from patients.sessions.messages import Message
from tests import makers
from tests.cast import Cast, cast  # noqa: F401

TIER_A = "leo usiku nitajiua, nimeandaa kamba"
CALM = "Leo nimelala vizuri na nimekula."
_ids = itertools.count(1)


@functools.cache
def patient_redis() -> redis.Redis:
    """Connections that wait for a Redis on a loaded machine: after a fifth of a second nothing is limited."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=20, socket_connect_timeout=20)


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the limit of a key be counted, also just after a test in which Redis was late."""
    monkeypatch.setattr(throttle, "client", patient_redis)
    monkeypatch.setattr(throttle, "_rest_until", 0.0)


class Api:
    """Sends requests as one key or one patient token."""

    def __init__(self, header: str) -> None:
        self.header = header
        self.client = Client(raise_request_exception=False)

    def post(
        self, path: str, body: Any, *, key: str = "", content_type: str = "application/json", **more: Any
    ) -> Any:
        """Post JSON (or raw bytes) to an address below /api/v1/."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": self.header, **({"Idempotency-Key": key} if key else {}), **more}
        answer = self.client.post(f"/api/v1/{path}", raw, content_type=content_type, headers=headers)
        makers.scope_all()
        return answer

    def get(self, path: str) -> Any:
        """Get an address below /api/v1/."""
        answer = self.client.get(f"/api/v1/{path}", headers={"Authorization": self.header})
        makers.scope_all()
        return answer

    def send(self, *items: Any, key: str = "") -> Any:
        """Post a batch."""
        return self.post("intake", {"items": list(items)}, key=key)


def issue_key(organization: Any, scopes: list[str] | None = None, name: str = "") -> tuple[Any, str]:
    """A key of a fresh client: its row and the raw key."""
    actor = system("test")
    client = create_client(actor=actor, organization_id=organization.pk, name=name or f"App {next(_ids)}")
    issued = create_key(actor=actor, client_id=client.pk, scopes=scopes or list(Scope.values))
    makers.scope_all()
    return issued.key, issued.raw


@pytest.fixture
def api(cast: Cast) -> Api:  # noqa: F811
    """A server of the home organization with every scope."""
    return Api(f"Api-Key {issue_key(cast.home)[1]}")


def item(kind: str, patient: Any, /, **values: Any) -> dict[str, Any]:
    """An item with a fresh id."""
    return {"id": f"i-{next(_ids)}", "kind": kind, "patient": patient.anonymous_id, **values}


def message(patient: Any, text: Any = CALM, /, **values: Any) -> dict[str, Any]:
    """A message by the patient."""
    return item("message", patient, **({"session": "chat-1", "role": "patient", "text": text} | values))


def ago(**span: float) -> str:
    """A time before now, as an app sends it."""
    return (makers.now() - timedelta(**span)).isoformat()


def results(answer: Any) -> list[str]:
    """The results of a batch, in order."""
    return [one["result"] for one in answer.json()["items"]]


def assert_helped_without_keys(answer: Any) -> None:
    """Of a message and an SOS without keys: the words are refused with a way back, the SOS is taken."""
    assert answer.status_code == 503 and int(answer["Retry-After"]) > 0
    assert results(answer) == ["failed", "stored"]
    failed = answer.json()["items"][0]
    assert failed["reason"] == "could_not_store"
    assert failed["support"]["state"] == "told" and failed["support"]["emergency_number"]
    assert Message.objects.count() == 0


Clock = Callable[[], datetime]
