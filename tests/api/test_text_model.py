"""The text model at the door: off, shadow and live by organization, English only, never in intake's way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.conf import settings as project
from django.db import OperationalError
from django.test import Client

from cortex.accounts.actions import update_organization
from cortex.api import throttle
from cortex.audit import InputRefused, system
from cortex.keys import actions as key_actions
from crisis.alerts.models import RiskAlert
from crisis.intake import actions as intake_actions
from crisis.risk import textmodel
from crisis.risk.models import Evidence, RiskAssessment
from crisis.risk.readiness import packaged
from crisis.risk.screening import Screening
from crisis.risk.textmodel import ModelReading
from tests import makers
from tests.api.conftest import TIER_A, Api, message, results
from tests.cast import Cast

pytestmark = pytest.mark.django_db

WORDS = "I went to the market with my brother and we carried the bags home"


class Spy:
    """A model that is always sure, and counts what it is asked."""

    version = "spy-1"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_broken = False

    def read_many(
        self, texts: Sequence[str], screenings: Sequence[Screening]
    ) -> Sequence[ModelReading | None]:
        assert len(texts) == len(screenings)
        self.asked += texts
        if self.is_broken:
            raise ArithmeticError("broken")
        return [ModelReading(0.95, 0.9, self.version) for _ in texts]


@pytest.fixture
def spy() -> Iterator[Spy]:
    model = Spy()
    textmodel.provide(lambda: model)
    yield model
    textmodel.provide(packaged)


def put(cast: Cast, state: str) -> None:
    """Set what the home organization lets the spy do."""
    home = cast.home
    update_organization(
        actor=system("test"), organization_id=home.pk,
        settings={**home.settings, "text_models": {"spy-1": state, "older-1": "live"}},
    )  # fmt: skip
    makers.scope_all()


def codes() -> list[str]:
    return sorted(Evidence.objects.values_list("code", flat=True))


@pytest.mark.parametrize("state", ["", "off"])
def test_off_computes_nothing_and_is_the_default(api: Api, cast: Cast, spy: Spy, state: str) -> None:
    if state:
        put(cast, state)
    assert results(api.send(message(cast.patient, WORDS, language="en"))) == ["stored"]
    assert spy.asked == []
    assert codes() == []


def test_shadow_is_recorded_and_decides_nothing(api: Api, cast: Cast, spy: Spy) -> None:
    put(cast, "shadow")
    answer = api.send(message(cast.patient, WORDS, language="en"))
    assert results(answer) == ["stored"]
    assert "support" not in answer.json()["items"][0]
    row = Evidence.objects.get()
    assert (row.code, row.domain, row.value, row.lexicon_version) == (
        "TEXT_MODEL_SHADOW", "context", 0.95, "spy-1",
    )  # fmt: skip
    assert RiskAssessment.objects.count() == 0
    assert RiskAlert.objects.count() == 0


def test_live_is_a_part_of_the_score_and_pages_nobody(api: Api, cast: Cast, spy: Spy) -> None:
    put(cast, "live")
    assert (
        results(api.send(*(message(cast.patient, WORDS, language="en") for _ in range(5)))) == ["stored"] * 5
    )
    assert codes() == ["TEXT_MODEL"] * 5
    assert RiskAssessment.objects.get().level == "medium"
    assert RiskAlert.objects.count() == 0


def test_only_english_is_read(api: Api, cast: Cast, spy: Spy) -> None:
    put(cast, "live")
    api.send(
        message(cast.patient, WORDS, language="sw"),
        message(cast.patient, "Leo nimelala vizuri na nimekula, sasa niko nyumbani", language="en"),
        message(cast.patient, WORDS + " tonight", language="en-KE"),
        message(cast.patient, "not read: of the assistant", role="assistant", language="en"),
    )  # fmt: skip
    assert spy.asked == [WORDS + " tonight"]


def test_an_item_without_a_language_has_its_persons(api: Api, cast: Cast, spy: Spy) -> None:
    put(cast, "live")
    for language, asked in (("sw", 0), ("en", 1)):
        type(cast.patient).objects.filter(pk=cast.patient.pk).update(language=language)
        api.send(message(cast.patient, WORDS))
        assert len(spy.asked) == asked


def test_what_was_sent_before_is_not_read_again(api: Api, cast: Cast, spy: Spy) -> None:
    put(cast, "live")
    sent = message(cast.patient, WORDS, language="en")
    assert results(api.send(sent)) == ["stored"]
    assert results(api.send(sent)) == ["duplicate"]
    assert len(spy.asked) == 1
    assert codes() == ["TEXT_MODEL"]


@pytest.mark.parametrize("words", [WORDS, "I want to die"])
@pytest.mark.parametrize("place", ["ensure_keys", "store_batch"])
def test_what_is_not_stored_leaves_no_reading_and_a_retry_leaves_one(
    api: Api, cast: Cast, spy: Spy, monkeypatch: pytest.MonkeyPatch, place: str, words: str
) -> None:
    put(cast, "live")
    sent = message(cast.patient, words, language="en")

    def down(*_: object, **__: object) -> None:
        raise OperationalError("down")

    with monkeypatch.context() as broken:
        broken.setattr(key_actions if place == "ensure_keys" else intake_actions, place, down)
        for _ in range(2):
            assert results(api.send(sent)) == ["failed"]
            assert "TEXT_MODEL" not in codes()
    for result in ("stored", "duplicate"):
        assert results(api.send(sent)) == [result]
        assert codes().count("TEXT_MODEL") == 1


def test_what_is_refused_or_over_the_limit_is_not_read(api: Api, cast: Cast, spy: Spy, settings: Any) -> None:
    put(cast, "live")
    sent = message(cast.patient, WORDS, language="en")
    assert results(api.send(sent, {**sent, "text": WORDS + " again"})) == ["stored", "rejected"]
    settings.CORTEX_API_ITEMS_PER_MINUTE = 1
    throttle.client().flushdb()
    more = [message(cast.patient, WORDS, language="en") for _ in range(3)]
    assert results(api.send(*more)) == ["stored", "limited", "limited"]
    assert (spy.asked, codes()) == ([WORDS, WORDS], ["TEXT_MODEL"] * 2)


def test_a_model_that_fails_never_holds_up_intake(api: Api, cast: Cast, spy: Spy, client: Client) -> None:
    put(cast, "live")
    spy.is_broken = True
    answer = api.send(message(cast.patient, WORDS, language="en"), message(cast.patient, TIER_A))
    assert results(answer) == ["stored", "stored"]
    assert RiskAlert.objects.get(kind="self_harm").level == "critical"
    assert not RiskAlert.objects.filter(kind="could_not_screen").exists()
    part = client.get("/readyz").json()["parts"]["text model"]
    assert (part["state"], part["scoring"]) == ("degraded", "ArithmeticError")
    spy.is_broken = False
    makers.scope_all()
    api.send(message(cast.patient, WORDS, language="en"))
    assert client.get("/readyz").json()["parts"]["text model"]["state"] == "ok"


def test_a_model_that_does_not_load_leaves_the_lexicon(api: Api, cast: Cast, client: Client) -> None:
    def refuse() -> textmodel.TextModel:
        raise ValueError("bad checksum")

    textmodel.provide(refuse)
    try:
        assert results(api.send(message(cast.patient, "I will kill myself tonight", language="en"))) == [
            "stored"
        ]
        assert RiskAlert.objects.get(kind="self_harm").level == "critical"
        part = client.get("/readyz").json()["parts"]["text model"]
        assert (part["state"], part["loading"]) == ("degraded", "ValueError")
    finally:
        textmodel.provide(packaged)


@pytest.mark.parametrize("states", [{"spy-1": "on"}, {"": "live"}, ["spy-1"], "live", {"v" * 33: "off"}])
def test_a_state_that_does_not_exist_is_refused(cast: Cast, states: object) -> None:
    with pytest.raises(InputRefused):
        update_organization(
            actor=system("test"), organization_id=cast.home.pk, settings={"text_models": states}
        )


def test_supervisors_see_what_it_said_beside_the_lexicon(api: Api, cast: Cast, spy: Spy) -> None:
    put(cast, "shadow")
    api.send(
        message(cast.patient, WORDS, language="en"),
        message(cast.patient, "I will kill myself tonight, I have the rope", language="en"),
    )
    page = Client()
    page.force_login(cast.sam, project.AUTHENTICATION_BACKENDS[0])
    answer = page.get("/reviews/text-model/")
    counts = answer.context["counts"]
    assert [(one.band, one.is_shadow, one.readings, one.with_tier) for one in counts] == [
        ("0.9 to 1.0", True, 2, 1)
    ]
    shown = answer.content.decode()
    assert shown.count(cast.patient.anonymous_id) == 2
    assert "market" not in shown
    makers.scope_all()
    page.force_login(cast.cleo, project.AUTHENTICATION_BACKENDS[0])
    assert page.get("/reviews/text-model/").status_code == 403
