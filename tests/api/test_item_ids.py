"""An item id never hides other words: same words are a duplicate, other words are screened and told."""

from __future__ import annotations

from typing import Any

import pytest

from crisis.alerts.models import RiskAlert
from crisis.intake.models import IntakeKey
from crisis.reviews.models import ReviewItem
from crisis.risk.models import Evidence
from patients.sessions.messages import Message
from tests import makers
from tests.api.conftest import CALM, TIER_A, Api, item, message, results
from tests.api.test_failures import keys_down  # noqa: F401
from tests.cast import Cast

pytestmark = pytest.mark.django_db
OTHER_A = "tonight I will kill myself"


def levels() -> list[tuple[str, str]]:
    return sorted(RiskAlert.objects.exclude(kind="no_cover").values_list("kind", "level"))


def test_a_reused_id_in_one_batch_hides_nothing(api: Api, cast: Cast) -> None:
    first = message(cast.patient, "hi")
    answer = api.send(first, {**first, "text": TIER_A})
    assert results(answer) == ["stored", "rejected"]
    refused = answer.json()["items"][1]
    assert (refused["reason"], refused["field"], refused["notes"]) == ("id_reused", "/id", ["id_reused"])
    assert refused["support"]["emergency_number"]
    assert levels() == [("self_harm", "critical")]


def test_an_app_that_counts_from_one_again_is_still_heard(api: Api, cast: Cast) -> None:
    first = message(cast.patient)
    api.send(first)
    answer = api.send({**first, "text": TIER_A})
    assert results(answer) == ["rejected"]
    assert answer.json()["items"][0]["reason"] == "id_reused"
    assert Message.objects.count() == 1
    assert levels() == [("self_harm", "critical")]
    # The row that was stored first keeps the id, and the words that were told aren't told twice.
    assert results(api.send(first)) == ["duplicate"]
    assert results(api.send({**first, "text": TIER_A})) == ["rejected"]
    assert Evidence.objects.filter(code="TEXT_A").count() == 1
    assert results(api.send({**first, "text": OTHER_A})) == ["rejected"]
    assert Evidence.objects.filter(code="TEXT_A").count() == 2


def test_a_task_that_reused_words_ask_for_is_made(api: Api, cast: Cast) -> None:
    first = message(cast.patient)
    api.send(first)
    api.send({**first, "text": "rafiki yangu anataka kujiua"})
    assert ReviewItem.objects.filter(reason_code="third_party_concern").exists()


def test_words_that_were_only_screened_leave_the_id_open_for_others(
    api: Api,
    cast: Cast,
    keys_down: Any,  # noqa: F811
) -> None:
    tried = message(cast.patient, "nataka kujiua")
    assert results(api.send(tried)) == ["failed"]
    assert levels() == [("could_not_store", "high"), ("self_harm", "high")]
    keys_down()
    assert results(api.send({**tried, "text": TIER_A})) == ["stored"]
    assert ("self_harm", "critical") in levels()


def test_a_rejected_items_words_are_told_once_and_other_words_again(api: Api, cast: Cast) -> None:
    wrong = {**message(cast.patient, TIER_A), "at": "soon"}
    assert results(api.send(wrong)) == results(api.send(wrong)) == ["rejected"]
    assert Evidence.objects.filter(code="TEXT_A").count() == 1
    assert results(api.send({**wrong, "text": OTHER_A})) == ["rejected"]
    assert Evidence.objects.filter(code="TEXT_A").count() == 2


def test_while_the_keys_are_down_nothing_passes_for_a_duplicate(
    api: Api, cast: Cast, monkeypatch: Any
) -> None:
    from django.db import OperationalError

    from cortex.keys import actions as key_actions

    first = message(cast.patient)
    api.send(first)

    def unreachable(*_: Any, **__: Any) -> None:
        raise OperationalError("no route")

    with monkeypatch.context() as patch:
        patch.setattr(key_actions, "ensure_keys", unreachable)
        again = api.send({**first, "text": TIER_A})
        assert (again.status_code, results(again)) == (503, ["failed"])
        assert levels() == [("could_not_store", "high"), ("self_harm", "critical")]
        api.send({**first, "text": TIER_A})
        assert Evidence.objects.filter(code="TEXT_A").count() == 1
    assert results(api.send(first)) == ["duplicate"]


def test_an_id_from_before_digests_is_screened_and_told_once(api: Api, cast: Cast) -> None:
    calm, crisis = message(cast.patient), message(cast.patient, TIER_A)
    api.send(calm, crisis)
    IntakeKey.objects.update(words=None, told=None)
    assert results(api.send(calm, crisis)) == ["duplicate", "duplicate"]
    assert Evidence.objects.filter(code="TEXT_A").count() == 1
    assert results(api.send({**calm, "text": TIER_A})) == ["duplicate"]
    assert Evidence.objects.filter(code="TEXT_A").count() == 2


def test_what_is_kept_of_words_is_a_digest_of_their_persons_own(api: Api, cast: Cast) -> None:
    other = makers.make_patient(cast.home)
    api.send(message(cast.patient), message(other))
    mine, theirs = (bytes(row.words) for row in IntakeKey.objects.order_by("patient_id"))
    assert mine != theirs
    assert CALM.encode() not in mine + theirs


def test_an_item_without_words_is_a_duplicate_by_its_id(api: Api, cast: Cast) -> None:
    one = item("checkin", cast.patient, date="2026-11-20", mood=4)
    assert results(api.send(one)) == ["stored"]
    assert results(api.send({**one, "mood": 5})) == ["duplicate"]


def test_a_withdrawal_under_the_id_of_something_else_is_told_so_and_never_passes_for_taken(
    api: Api, cast: Cast
) -> None:
    given = item("consent", cast.patient, consent_type="research", granted=True)
    assert results(api.send(given)) == ["stored"]
    assert results(api.send(given)) == ["duplicate"]
    taken_back = api.send({**given, "granted": False})
    assert results(taken_back) == ["rejected"]
    assert taken_back.json()["items"][0]["reason"] == "id_reused"
    assert results(api.send({**given, "id": "another", "granted": False})) == ["stored"]
    day = item("checkin", cast.patient, date="2026-11-20", mood=4)
    assert results(api.send(day)) == ["stored"]
    assert results(api.send({**given, "id": day["id"], "granted": False})) == ["rejected"]
