"""Whatever the API's own description lets one say, or forbids, is answered as the description says.

schemathesis makes the requests from the document that `/api/v1/schema` gives out: fitting ones and ones that
break it in one place. Each kind of caller sends them. No answer is a 5xx, a status or a media type that the
document doesn't name for that address, or a body of another shape than it shows.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core import NotSet

from cortex.accounts.apikeys.actions import revoke_key
from cortex.accounts.choices import Scope
from tests import makers
from tests.api.conftest import Api, issue_key
from tests.cast import Cast

pytestmark = pytest.mark.django_db
REQUESTS = 50_000 if os.environ.get("CORTEX_EXPLORE") else 2_000
SEED = int(os.environ.get("CORTEX_SEED", "20261126"))
WALK = settings(
    max_examples=REQUESTS,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # a request that failed is printed as it was; shrinking it would take minutes
    suppress_health_check=list(HealthCheck),
)


@dataclass
class House:
    """The document, its operations as strategies, and every kind of caller."""

    cast: Cast
    document: dict[str, Any]
    callers: dict[str, Api]
    operations: list[tuple[str, str, Any]]
    heard: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    shapes: dict[int, Any] = field(default_factory=dict)

    def shape_of(self, schema: dict[str, Any]) -> Any:
        """Return what checks a body against a schema of the document; one each, since it reads the whole."""
        if id(schema) not in self.shapes:
            whole = {**schema, "components": self.document["components"]}
            self.shapes[id(schema)] = jsonschema.Draft202012Validator(whole)
        return self.shapes[id(schema)]


@pytest.fixture
def house(cast: Cast) -> House:
    revoked, raw = issue_key(cast.home)
    revoke_key(actor=makers.staff(cast.ada), key_id=revoked.pk)
    makers.scope_all()
    home = Api(f"Api-Key {issue_key(cast.home)[1]}")
    token = token_of(home, cast)
    document = home.get("schema").json()
    callers = {
        "nobody": Api(""),
        "a made-up key": Api("Api-Key " + "x" * 40),
        "a revoked key": Api(f"Api-Key {raw}"),
        "every scope": home,
        "another organization": Api(f"Api-Key {issue_key(cast.elsewhere)[1]}"),
        "a patient's token": Api(f"Bearer {token}"),
        "a token gone bad": Api(f"Bearer {token[:-4]}AAAA"),
        **{f"only {scope}": Api(f"Api-Key {issue_key(cast.home, [scope])[1]}") for scope in Scope.values},
    }
    return House(cast, document, callers, strategies_of(document))


def token_of(home: Api, cast: Cast) -> str:
    """Return a fresh token of the patient's own device."""
    makers.scope_all()
    return str(home.post(f"patients/{cast.patient.anonymous_id}/tokens", {}).json()["token"])


def strategies_of(document: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """Return (path, method, strategy) of every operation, fitting and breaking requests together."""
    found = []
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = result.ok()
        modes = schemathesis.GenerationMode
        strategy = operation.as_strategy(modes.POSITIVE)
        if operation.body or operation.query or operation.path_parameters or operation.headers:
            strategy |= operation.as_strategy(modes.NEGATIVE)
        found.append((operation.path, operation.method, strategy))
    return found


def faults_of(house: House, path: str, method: str, answer: Any) -> list[str]:
    """Return what an answer has that the document doesn't say about this address."""
    if answer.status_code >= 500:
        return [f"is {answer.status_code}"]
    told = house.document["paths"][path][method.lower()]["responses"].get(str(answer.status_code))
    if told is None:
        return [f"is {answer.status_code}, which is not documented"]
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if kind not in told.get("content", {}):
        return [f"is {answer.status_code} as {kind}, documented are {sorted(told.get('content', {}))}"]
    errors = house.shape_of(told["content"][kind]["schema"]).iter_errors(answer.json())
    return [f"is a {answer.status_code} of another shape: {error.message[:200]}" for error in errors]


def known(value: Any, pseudonym: str) -> Any:
    """Return a body whose items name a known patient, so that they come further than to the door."""
    if isinstance(value, dict):
        return {name: pseudonym if name == "patient" else known(one, pseudonym)
                for name, one in value.items()}  # fmt: skip
    return [known(one, pseudonym) for one in value] if isinstance(value, list) else value


def raw_of(body: Any) -> bytes:
    """Return the bytes of a generated body: JSON, or what was made to be no JSON at all."""
    if isinstance(body, bytes):
        return body
    return b"" if isinstance(body, NotSet) else json.dumps(body).encode()


def send(house: House, caller: str, path: str, case: Any, pseudonym: str) -> Any:
    """Send a generated request as one caller, as near to what was generated as HTTP lets one."""
    values = {name: quote(str(one), safe="") for name, one in (case.path_parameters or {}).items()}
    where = path.format(**(values | ({"pseudonym": pseudonym} if pseudonym else {})))
    raw = raw_of(known(case.body, pseudonym) if pseudonym else case.body)
    headers = {name: str(one).encode("latin-1", "replace").decode("latin-1")
               for name, one in (case.headers or {}).items() if name.lower() != "authorization"}  # fmt: skip
    api = house.callers[caller]
    if api.header:
        headers["Authorization"] = api.header
    with transaction.atomic():
        answer = api.client.generic(
            case.method, where, raw, content_type=case.media_type or "application/json", headers=headers,
            query_params=dict(case.query or {}),
        )  # fmt: skip
        transaction.set_rollback(True)
    makers.scope_all()
    return answer


BODIES = {
    "five megabytes": (b'{"a": "' + b"x" * 5_000_000 + b'"}', "application/json"),
    "plain text": (b"{}", "text/plain"),
    "XML": (b"<a/>", "application/xml"),
    "a form": (b"a=1", "application/x-www-form-urlencoded"),
    "no type at all": (b"{}", ""),
    "another charset": (b"{}", "application/json; charset=utf-16"),
    "a broken type": (b"{}", "application/json/json; ;"),
    "nothing": (b"", "application/json"),
    "half an escape": (b'{"a": "\\', "application/json"),
    "a very deep list": (b"[" * 100_000, "application/json"),
    "a long number": (b'{"minutes": ' + b"9" * 5000 + b"}", "application/json"),
    "not a number": (b'{"minutes": NaN}', "application/json"),
}


def test_a_body_of_any_size_and_type_is_answered_as_documented(house: House) -> None:
    found = []
    for path, method, _ in house.operations:
        if method == "get":
            continue
        api = house.callers["a patient's token" if "/me/" in path else "every scope"]
        where = path.format(pseudonym=house.cast.patient.anonymous_id).removeprefix("/api/v1/")
        for name, (raw, kind) in BODIES.items():
            for key in ("", "k" * 300)[: 2 if name == "nothing" else 1]:
                with transaction.atomic():
                    answer = api.post(where, raw, content_type=kind, key=key)
                    transaction.set_rollback(True)
                found += [f"{path} with {name} {one}"
                          for one in faults_of(house, path, method, answer)]  # fmt: skip
    assert found == []


def test_the_whole_schema_is_kept_by_every_answer_to_every_caller(house: House) -> None:
    """Each address gets its share: left to chance, a short walk passes one by."""
    for operation in house.operations:
        walk_one(house, *operation)
    assert house.faults == [], "\n".join(house.faults[:20])
    assert sum(house.heard.values()) >= REQUESTS
    good = {one.rsplit(" ", 1)[0] for one in house.heard if one.endswith((" 200", " 201"))}
    expected = {f"{method.upper()} {path}" for path, method, _ in house.operations}
    print(f"seed {SEED}:", json.dumps(dict(sorted(house.heard.items()))))
    assert good == expected, "an address was never heard with a good answer"


def walk_one(house: House, path: str, method: str, strategy: Any) -> None:
    """Send one address its share of the requests, as every kind of caller."""
    # A long walk outlives a patient's token: each address gets a fresh one.
    house.callers["a patient's token"] = Api(f"Bearer {token_of(house.callers['every scope'], house.cast)}")
    names = sorted(house.callers)
    entitled = "a patient's token" if "/me/" in path else "every scope"
    share = settings(WALK, max_examples=-(-REQUESTS // len(house.operations)))

    @share
    @seed(SEED)
    @given(data=st.data())
    def walk(data: st.DataObject) -> None:
        caller = data.draw(st.sampled_from([entitled] * 2 * len(names) + names))  # most of them come in
        case = data.draw(strategy)
        pseudonym = data.draw(st.sampled_from([house.cast.patient.anonymous_id] * 3 + [""]))
        answer = send(house, caller, path, case, pseudonym)
        house.heard[f"{method.upper()} {path} {answer.status_code}"] += 1
        house.faults += [
            f"{method.upper()} {path} by {caller} {fault}: {case.body!r:.600} {case.headers!r:.200}"
            for fault in faults_of(house, path, method, answer)
        ]

    walk()
