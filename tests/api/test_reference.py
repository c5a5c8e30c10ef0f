"""The API describes itself: the schema fits the doors, the page needs no script, the client does as shown."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.test import Client

from cortex.api import reference
from crisis.alerts.models import RiskAlert
from crisis.intake import openapi
from crisis.intake.items import read_items
from crisis.intake.kinds import KINDS
from tests import makers
from tests.api.conftest import TIER_A, Api, issue_key
from tests.cast import Cast, make_cast

CLIENT = Path(__file__).resolve().parents[2] / "examples" / "cortex_client.py"


def example() -> ModuleType:
    """Load the example as somebody who copied it would."""
    spec = importlib.util.spec_from_file_location("cortex_client", CLIENT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["cortex_client"] = module
    spec.loader.exec_module(module)
    return module


def test_every_door_and_kind_is_described() -> None:
    document = reference.document()
    assert sorted(document["paths"]) == [
        "/api/v1/intake", "/api/v1/me/appointments", "/api/v1/me/intake", "/api/v1/me/measures",
        "/api/v1/me/measures/answers", "/api/v1/me/safety-plan", "/api/v1/me/sos", "/api/v1/me/support",
        "/api/v1/patients",
        "/api/v1/patients/{pseudonym}/measures", "/api/v1/patients/{pseudonym}/measures/answers",
        "/api/v1/patients/{pseudonym}/tokens", "/api/v1/sos",
    ]  # fmt: skip
    assert {f"Item_{name}" for name in KINDS} < set(document["components"]["schemas"])
    for methods in document["paths"].values():
        for one in methods.values():
            assert one["security"] and one["summary"] and "401" in one["responses"]


def test_what_the_reference_says_of_itself_names_every_kind_of_door() -> None:
    about = reference.document()["info"]["description"]
    for word in ("registration", "tokens", "intake", "SOS", "measures", "safety plan", "appointments"):
        assert word in about, word


def test_every_reference_leads_somewhere() -> None:
    document = reference.document()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"].removeprefix(reference.REF) in document["components"]["schemas"]
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(document)


def test_the_examples_are_items_that_are_taken() -> None:
    batches = [one.value["items"] for one in openapi.EXAMPLES if one.request_only]
    assert len(batches) == 2
    for batch in batches:
        assert all(item.refusal is None and not item.ignored for item in read_items(batch, makers.now()))


@pytest.mark.django_db
def test_the_schema_opens_with_a_key_and_the_page_behind_sign_in(api: Api, cast: Cast) -> None:
    assert api.get("schema").json()["info"]["title"] == "Cortex API"
    assert Api("").get("schema").status_code == 401
    visitor = Client()
    for path in ("/api/reference/", "/api/reference/schema.json"):
        assert visitor.get(path).status_code == 302
    visitor.force_login(cast.cleo)
    page = visitor.get("/api/reference/")
    assert page.status_code == 200
    body = page.content.decode()
    assert "/api/v1/patients/{pseudonym}/tokens" in body and "Item_voice_features" in body
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert "https://" not in body.split("<main", 1)[1].split("</main>", 1)[0]
    assert visitor.get("/api/reference/schema.json").json() == api.get("schema").json()


@pytest.mark.django_db(transaction=True)
def test_the_example_client_does_what_its_readme_says(live_server: Any) -> None:
    cast = make_cast()
    module = example()
    cortex = module.CortexClient(live_server.url, key=issue_key(cast.home)[1])
    patient = cortex.register_patient(
        language="sw", consents=[{"consent_type": "treatment", "granted": True}]
    )
    answer = cortex.send([module.message(patient, "Habari ya jioni", session="chat-1")])
    assert (answer.status, answer.items[0]["result"], answer.support) == (200, "stored", None)
    told = cortex.send([module.message(patient, TIER_A)])
    assert told.support["state"] == "nobody_on_duty"
    assert cortex.sos(patient)["person_waiting"]
    device = module.CortexClient(live_server.url, token=cortex.mint_token(patient))
    assert device.support()["state"] == "nobody_on_duty"
    assert device.send([module.message(patient, "niko hapa")]).items[0]["result"] == "stored"
    with pytest.raises(module.Refused) as refused:
        cortex.register_patient(language="?")
    assert refused.value.status == 422 and refused.value.support["emergency_number"]
    makers.scope_all()
    assert RiskAlert.objects.filter(kind="self_harm").count() == 1
