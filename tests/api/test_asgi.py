"""The doors behind an ASGI server: a chunked body without a length is read like any other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from crisis.alerts.models import RiskAlert
from tests import makers
from tests.api.conftest import TIER_A, issue_key, message
from tests.cast import make_cast


@pytest.mark.django_db(transaction=True)
def test_a_chunked_body_is_read() -> None:
    from django.core.asgi import get_asgi_application

    cast = make_cast()
    key = issue_key(cast.home)[1]
    body = json.dumps({"items": [message(cast.patient, TIER_A)]}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 50):
            yield body[start : start + 50]

    async def post(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=get_asgi_application())
        headers = {"Authorization": f"Api-Key {key}", "Content-Type": "application/json"}
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.post(f"/api/v1/{path}", content=pieces(), headers=headers)

    answer = asyncio.run(post("intake"))
    assert answer.request.headers["Transfer-Encoding"] == "chunked"
    assert answer.status_code == 200, answer.text
    assert answer.json()["counts"] == {"stored": 1}
    assert asyncio.run(post("sos")).status_code == 200
    makers.scope_all()
    assert RiskAlert.objects.filter(kind="self_harm").count() == 1
