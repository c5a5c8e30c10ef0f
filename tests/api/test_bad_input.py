"""Every row of the bad-input table hides a tier-A phrase: it is screened, or refused with support."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crisis.alerts.models import RiskAlert
from crisis.intake.items import MAX_ITEMS
from tests.api.conftest import TIER_A, Api, message
from tests.cast import Cast

pytestmark = pytest.mark.django_db
QUOTED = json.dumps(TIER_A).encode()


def whole(cast: Cast, **values: Any) -> bytes:
    return json.dumps({"items": [message(cast.patient, TIER_A, **values)]}).encode()


def body_of(name: str, cast: Cast) -> bytes:
    """The body of one row; each holds the phrase."""
    good = whole(cast)
    deep: Any = TIER_A
    for _ in range(40):
        deep = [deep]
    bodies: dict[str, Any] = {
        "truncated": good[:-2],
        "trailing comma": good[:-1] + b",}",
        "single quotes": good.replace(b'"', b"'"),
        "two documents": good + good,
        "bare text": TIER_A.encode(),
        "string at the top": QUOTED,
        "list at the top": b"[" + QUOTED + b"]",
        "number key": b"{1: " + QUOTED + b"}",
        "raw newline in a string": good.replace(b"leo usiku", b"leo\nusiku"),
        "invalid utf-8": good.replace(b"leo", b"l\xffeo"),
        "utf-16": good.decode().encode("utf-16"),
        "duplicate key": b'{"items": [], "items": [' + QUOTED + b"]}",
        "duplicate key in an item": good.replace(b'"id":', b'"id": "x", "id":'),
        "NaN": good[:-1] + b', "x": NaN}',
        "infinity": good[:-1] + b', "x": 1e999}',
        "5,000 digits": good[:-1] + b', "x": ' + b"7" * 5000 + b"}",
        "40 levels": json.dumps({"items": [deep]}).encode(),
        "100,000 levels": b"[" * 100_000 + QUOTED + b"]" * 100_000,
        "70,000 keys": json.dumps({"items": [TIER_A, {f"k{n}": n for n in range(70_000)}]}).encode(),
        "too large": b'{"items": [' + QUOTED + b"], \"x\": \"" + b"x" * (5 * 2**20) + b'"}',
        "too many items": json.dumps({"items": [message(cast.patient, TIER_A)] * (MAX_ITEMS + 1)}).encode(),
        "no items": b'{"item": [' + QUOTED + b"]}",
        "items not a list": b'{"items": {"0": ' + QUOTED + b"}}",
        "items empty": b'{"items": [], "x": ' + QUOTED + b"}",
        "null body": b"null",
        "nul escape": good.replace(b"nitajiua", b"nita\\u0000jiua"),
        "raw nul": good.replace(b"nitajiua", b"nita\x00jiua"),
        "lone surrogate": good.replace(b"nitajiua", b"nitajiua \\ud800"),
        "lone surrogate between": good.replace(b"nitajiua", b"nita\\udfffjiua"),
        "surrogate bytes": good.replace(b"nitajiua", b"nitajiua \xed\xa0\x80"),
        "byte order mark": b"\xef\xbb\xbf" + good,
        "item is text": b'{"items": [' + QUOTED + b"]}",
        "item is a list": b'{"items": [[' + QUOTED + b"]]}",
        "item is null": b'{"items": [null, ' + QUOTED + b"]}",
        "unknown kind": whole(cast, kind="mesage"),
        "kind missing": whole(cast, kind=None),
        "kind a list": whole(cast, kind=["message"]),
        "id missing": whole(cast, id=None),
        "id with spaces": whole(cast, id="a b c"),
        "id too long": whole(cast, id="x" * 500),
        "id a number": whole(cast, id=5),
        "role missing": whole(cast, role=None),
        "role unknown": whole(cast, role="user"),
        "role a number": whole(cast, role=3),
        "time unreadable": whole(cast, at="soon"),
        "time a number": whole(cast, at=12),
        "time in year one": whole(cast, at="0001-01-01T00:00:00+14:00"),
        "time in year 9999": whole(cast, at="9999-12-31T23:59:59-14:00"),
        "session unreadable": whole(cast, session={"id": 1}),
        "language unreadable": whole(cast, language="Kiswahili sanifu"),
        "metadata a list": whole(cast, metadata=[1]),
        "words in performance": whole(cast, performance={"note": TIER_A}),
        "text in a list": whole(cast, text=[TIER_A]),
        "text in an object": whole(cast, text={"sw": TIER_A}),
        "text too long": whole(cast, text=TIER_A + " na" * 20_000),
        "text in another member": whole(cast, text=None, body=TIER_A),
        "unknown members": whole(cast, __proto__={"x": 1}, extra=TIER_A),
        "patient missing": whole(cast, patient=None),
        "patient unknown": whole(cast, patient="CX-00000000"),
        "patient of another organization": whole(cast, patient=cast.stranger.anonymous_id),
        "patient an object": whole(cast, patient={"id": 1}),
        "words in telemetry": json.dumps({"items": [
            {"id": "t", "kind": "telemetry", "patient": cast.patient.anonymous_id, "event_type": "x",
             "event_data": {"typed": TIER_A}}]}).encode(),
        "bad voice features beside": json.dumps({"items": [
            {"id": "v", "kind": "voice_features", "patient": cast.patient.anonymous_id, "pitch_mean": TIER_A},
            message(cast.patient, TIER_A)]}).encode(),
    }  # fmt: skip
    return bodies[name]


NAMES = [
    "truncated", "trailing comma", "single quotes", "two documents", "bare text", "string at the top",
    "list at the top", "number key", "raw newline in a string", "invalid utf-8", "utf-16", "duplicate key",
    "duplicate key in an item", "NaN", "infinity", "5,000 digits", "40 levels", "100,000 levels",
    "70,000 keys",
    "too large", "too many items", "no items", "items not a list", "items empty", "null body", "nul escape",
    "raw nul", "lone surrogate", "lone surrogate between", "surrogate bytes", "byte order mark",
    "item is text",
    "item is a list", "item is null", "unknown kind", "kind missing", "kind a list", "id missing",
    "id with spaces", "id too long", "id a number", "role missing", "role unknown", "role a number",
    "time unreadable", "time a number", "time in year one", "time in year 9999", "session unreadable",
    "language unreadable", "metadata a list", "words in performance", "text in a list", "text in an object",
    "text too long", "text in another member", "unknown members", "patient missing", "patient unknown",
    "patient of another organization", "patient an object", "words in telemetry", "bad voice features beside",
]  # fmt: skip

# Rows in which the patient and the words can be read: these must have been screened.
SCREENED = set(NAMES[NAMES.index("nul escape") :]) - {
    "item is text", "item is a list", "item is null", "patient missing", "patient unknown",
    "patient of another organization", "patient an object",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_phrase_is_screened_or_refused_with_support(api: Api, cast: Cast, name: str) -> None:
    answer = api.post("intake", body_of(name, cast), key="k-1")
    assert answer.status_code in (200, 400, 413, 422), answer.content
    body = answer.json()
    if answer.status_code == 200:
        assert any("support" in one for one in body["items"]), body
    else:
        assert answer["Content-Type"] == "application/problem+json"
        assert body["support"]["emergency_number"] == cast.home.emergency_number
        assert "pointer" in body or "place" in body or body["status"] == 413, body
    assert TIER_A not in answer.content.decode()
    was_screened = RiskAlert.objects.filter(kind="self_harm", level="critical", patient=cast.patient).exists()
    assert was_screened == (name in SCREENED)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=utf-8", 200),
    ],
)
def test_another_content_type_is_refused_with_support(
    api: Api, cast: Cast, content_type: str, status: int
) -> None:
    answer = api.post("intake", whole(cast), content_type=content_type)
    assert answer.status_code == status
    if status == 415:
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["support"]["emergency_number"]


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options", "trace"])
def test_another_method_is_refused(api: Api, method: str) -> None:
    answer = getattr(api.client, method)("/api/v1/intake", headers={"Authorization": api.header})
    assert answer.status_code in (405, 200 if method == "options" else 405)


def test_an_encoded_body_is_refused_not_misread(api: Api, cast: Cast) -> None:
    import gzip

    answer = api.post("intake", gzip.compress(whole(cast)), **{"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert answer.json()["support"]


def test_an_item_without_id_or_kind_is_named_by_its_place_alone(api: Api) -> None:
    answer = api.post("intake", {"items": [{"text": "x"}, {"id": "a", "kind": "none of ours"}]}).json()
    assert [set(one) & {"index", "id", "kind"} for one in answer["items"]] == [
        {"index"}, {"index", "id"},
    ]  # fmt: skip
