"""No body, however made, gets a 500 or a 503, and a phrase that can be read is never passed over."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crisis.alerts.models import RiskAlert
from crisis.intake.kinds import KINDS
from tests import makers
from tests.api.conftest import TIER_A, Api
from tests.cast import Cast

pytestmark = pytest.mark.django_db
QUICK = settings(
    max_examples=400 if os.environ.get("CORTEX_EXPLORE") else 40,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
MEMBERS = sorted(
    {field.name for kind in KINDS.values() for field in kind.fields} | {"id", "kind", "at", "x y"}
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [TIER_A, "s", "chat", "patient", "2026-11-21T00:00:00Z", "2026-11-20", "treatment", "sad", "voice"]
    )
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
ITEMS = st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=8)


def fits(answer: Any) -> None:
    assert answer.status_code in (200, 400, 413, 415, 422, 429), answer.content
    body = answer.json()
    if answer.status_code == 200 and "items" in body:
        assert all(one["result"] in ("stored", "duplicate", "rejected") for one in body["items"])
    elif answer.status_code >= 400:
        assert body["support"]["emergency_number"]


@QUICK
@given(kind=st.sampled_from(sorted(KINDS)), items=st.lists(ITEMS, min_size=1, max_size=4))
def test_no_items_get_a_500(api: Api, cast: Cast, kind: str, items: list[dict[str, Any]]) -> None:
    batch = [{"kind": kind, "id": "f", "patient": cast.patient.anonymous_id, **one} for one in items]
    with transaction.atomic():
        fits(api.post("intake", json.dumps({"items": batch}).encode()))
        transaction.set_rollback(True)


@QUICK
@given(value=JSON)
def test_no_json_gets_a_500(api: Api, cast: Cast, value: Any) -> None:
    for path in ("intake", "patients", f"patients/{cast.patient.anonymous_id}/tokens"):
        with transaction.atomic():
            answer = api.post(path, json.dumps(value).encode())
            assert answer.status_code < 500, answer.content
            transaction.set_rollback(True)


@QUICK
@given(
    raw=st.binary(max_size=200), key=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
)
def test_no_bytes_get_a_500(api: Api, cast: Cast, raw: bytes, key: str) -> None:
    with transaction.atomic():
        assert api.post("intake", raw, key=key).status_code < 500
        assert api.post("sos", raw).status_code in (200, 413, 422)
        transaction.set_rollback(True)


@QUICK
@given(before=st.text(max_size=30), after=st.text(max_size=30), more=ITEMS)
def test_a_phrase_among_anything_is_screened(
    api: Api, cast: Cast, before: str, after: str, more: Any
) -> None:
    text = f"{before}. {TIER_A}. {after}"
    kept = {name: value for name, value in more.items() if name not in ("id", "kind", "role", "text")}
    one = {
        "kind": "message",
        "id": "f",
        "patient": cast.patient.anonymous_id,
        "role": "patient",
        "text": text,
        **kept,
    }
    with transaction.atomic():
        fits(api.post("intake", json.dumps({"items": [one]}, allow_nan=True).encode()))
        makers.scope_all()
        if "NaN" not in json.dumps(one) and "Infinity" not in json.dumps(one):
            raised = RiskAlert.objects.filter(patient=cast.patient, kind="self_harm").exists()
            assert raised or _has_long_number(one)
        transaction.set_rollback(True)


def _has_long_number(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return len(str(value)) > 18
    if isinstance(value, dict):
        return any(_has_long_number(inner) for inner in value.values())
    return isinstance(value, list) and any(_has_long_number(inner) for inner in value)
