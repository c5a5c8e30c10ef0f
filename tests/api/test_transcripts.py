"""A session has one transcript: a second one is refused with its reason, and its words are read."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crisis.alerts.models import RiskAlert
from patients.sessions.models import VoiceSession
from tests import makers
from tests.api.conftest import CALM, TIER_A, Api, item, message, results
from tests.api.test_failures import keys_down  # noqa: F401
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def said(cast: Cast, text: str, session: str = "v1") -> dict[str, Any]:
    return item("transcript", cast.patient, session=session, text=text)


def kept(session: str = "v1") -> Any:
    return makers.opened(VoiceSession.objects.get(session__client_ref=session), "transcript_encrypted")


@pytest.mark.parametrize("together", [True, False])
def test_a_second_transcript_takes_nothing_away_and_is_refused_aloud(
    api: Api, cast: Cast, together: bool
) -> None:
    first, second = said(cast, CALM), said(cast, TIER_A)
    if together:
        answer = api.send(first, second).json()["items"][1]
    else:
        assert results(api.send(first)) == ["stored"]
        answer = api.send(second).json()["items"][0]
    assert (answer["result"], answer["reason"], answer["field"]) == (
        "rejected", "second_transcript", "/session",
    )  # fmt: skip
    assert answer["support"]["emergency_number"]
    assert kept() == CALM
    assert RiskAlert.objects.get(kind="self_harm").level == "critical"


def test_the_first_transcript_sent_again_and_one_of_another_session_are_taken_as_ever(
    api: Api, cast: Cast
) -> None:
    first = said(cast, CALM)
    assert results(api.send(first)) == ["stored"]
    assert results(api.send(first, said(cast, TIER_A, "v2"))) == ["duplicate", "stored"]
    assert (kept(), kept("v2")) == (CALM, TIER_A)


def test_a_transcript_that_was_not_stored_or_has_left_bars_no_other(
    api: Api,
    cast: Cast,
    keys_down: Any,  # noqa: F811
) -> None:
    assert results(api.send(said(cast, CALM))) == ["failed"]
    keys_down()
    assert results(api.send(said(cast, CALM))) == ["stored"]
    makers.scope_all()
    VoiceSession.objects.update(
        transcript_encrypted=None, transcript_hash=None, voice_features=None, purged_at=makers.now()
    )
    assert results(api.send(said(cast, TIER_A))) == ["stored"]
    assert kept() == TIER_A


def test_the_question_is_asked_once_of_a_batch_with_transcripts_and_of_no_other(api: Api, cast: Cast) -> None:
    def asked(*items: dict[str, Any]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert set(results(api.send(*items))) == {"stored"}
        return sum('transcript_encrypted" IS NOT NULL' in one["sql"] for one in queries)

    assert asked(message(cast.patient)) == 0
    assert asked(*(said(cast, CALM, f"s{number}") for number in range(4))) == 1
