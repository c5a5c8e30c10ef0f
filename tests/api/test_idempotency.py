"""The same key and body get the same bytes; another body, a request in flight and a crash are told apart."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from cortex.audit import system
from crisis.alerts.models import RiskAlert
from crisis.intake.actions import forget_expired
from crisis.intake.models import IntakeKey, IntakeRequest
from crisis.intake.queries import try_lock
from patients.sessions.messages import Message
from tests import makers
from tests.api.conftest import TIER_A, Api, issue_key, item, message, results
from tests.cast import Cast, make_cast


@pytest.mark.django_db
def test_the_same_key_and_body_get_the_same_bytes(api: Api, cast: Cast) -> None:
    one = message(cast.patient, TIER_A)
    first = api.send(one, key="k-1")
    RiskAlert.objects.update(level="high")
    second = api.send(one, key="k-1")
    assert second.content == first.content
    assert second.status_code == first.status_code
    assert Message.objects.count() == 1


@pytest.mark.django_db
def test_a_refusal_is_kept_byte_for_byte_too(api: Api, cast: Cast) -> None:
    first = api.post("intake", b'{"items": [}', key="k-1")
    cast.home.emergency_number = "911"
    cast.home.save(update_fields=["emergency_number"])
    second = api.post("intake", b'{"items": [}', key="k-1")
    assert first.status_code == 400
    assert second.content == first.content
    assert second["Content-Type"] == "application/problem+json"
    assert IntakeRequest.objects.get().status == 400


@pytest.mark.django_db
def test_another_body_under_the_same_key_is_refused(api: Api, cast: Cast) -> None:
    api.send(message(cast.patient), key="k-1")
    answer = api.send(message(cast.patient, TIER_A), key="k-1")
    assert answer.status_code == 422
    assert answer.json()["code"] == "other_body"
    assert answer.json()["support"]["emergency_number"]
    assert Message.objects.count() == 1


@pytest.mark.django_db
def test_the_same_key_of_another_client_is_another_request(api: Api, cast: Cast) -> None:
    other = Api(f"Api-Key {issue_key(cast.home)[1]}")
    one = message(cast.patient)
    assert results(api.send(one, key="k-1")) == ["stored"]
    assert results(other.send(one, key="k-1")) == ["stored"]


@pytest.mark.django_db
def test_a_bad_key_is_refused_with_support(api: Api, cast: Cast) -> None:
    answer = api.send(message(cast.patient, TIER_A), key="a b")
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_idempotency_key"
    assert answer.json()["support"]["resources"] == []


@pytest.mark.django_db
def test_an_answer_that_asks_for_another_try_is_never_kept(api: Api, cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr("cortex.api.throttle.take", lambda bucket, count: (0, 7))
    one = message(cast.patient)
    first = api.send(one, key="k-1")
    assert (first.status_code, first["Retry-After"]) == (429, "7")
    assert IntakeRequest.objects.count() == 0
    monkeypatch.setattr("cortex.api.throttle.take", lambda bucket, count: (count, 7))
    assert results(api.send(one, key="k-1")) == ["stored"]


@pytest.mark.django_db
def test_answers_and_item_ids_leave_by_their_own_time(api: Api, cast: Cast) -> None:
    one = message(cast.patient)
    api.send(one, key="k-1")
    key = IntakeKey.objects.get()
    assert key.expires_at is not None
    assert key.expires_at - makers.now() > timedelta(days=89)
    actor = makers.machine(cast.home)
    assert forget_expired(actor=actor, at=makers.now() + timedelta(hours=23)) == 0
    assert forget_expired(actor=actor, at=makers.now() + timedelta(hours=25)) == 1
    makers.scope_all()
    assert results(api.send(one, key="k-1")) == ["duplicate"]
    assert forget_expired(actor=actor, at=makers.now() + timedelta(days=91)) == 2
    makers.scope_all()
    assert IntakeKey.objects.count() == IntakeRequest.objects.count() == 0


@pytest.mark.django_db
def test_keys_of_imported_sources_stay(cast: Cast) -> None:
    from crisis.intake.models import Source, key_id

    IntakeKey.objects.create(
        id=key_id(Source.LEGACY, "source004.app.messages", None, "17"),
        organization=cast.home,
        source=Source.LEGACY,
        sender="source004.app.messages",
        key="17",
    )
    forget_expired(actor=makers.machine(cast.home), at=makers.now() + timedelta(days=4000))
    makers.scope_all()
    assert IntakeKey.objects.filter(source=Source.LEGACY).exists()


@pytest.mark.django_db(transaction=True)
def test_twenty_posts_at_once_store_once_and_answer_alike() -> None:
    cast = make_cast()
    api = Api(f"Api-Key {issue_key(cast.home)[1]}")
    body = json.dumps({"items": [message(cast.patient, TIER_A), item("sos", cast.patient)]}).encode()
    barrier = threading.Barrier(20)
    answers: list[tuple[int, bytes]] = []

    def post() -> None:
        sender = Api(api.header)
        barrier.wait()
        while True:
            answer = sender.post("intake", body, key="same")
            if answer.status_code != 409:
                break
            assert answer.json()["code"] == "in_flight"
        answers.append((answer.status_code, answer.content))
        connections.close_all()

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    makers.scope_all()
    assert len(answers) == 20
    assert len(set(answers)) == 1 and answers[0][0] == 200
    assert Message.objects.count() == 1
    assert RiskAlert.objects.filter(kind="self_harm").count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_posts_of_one_item_under_twenty_keys_store_it_once() -> None:
    cast = make_cast()
    header = f"Api-Key {issue_key(cast.home)[1]}"
    one = message(cast.patient, TIER_A)
    found: list[str] = []

    def post(number: int) -> None:
        found.extend(results(Api(header).send(one, key=f"k-{number}")))
        connections.close_all()

    threads = [threading.Thread(target=post, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    makers.scope_all()
    assert sorted(found) == ["duplicate"] * 19 + ["stored"]
    assert Message.objects.count() == 1
    assert RiskAlert.objects.filter(kind="self_harm").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_request_in_flight_is_told_so_and_a_dead_one_holds_nothing() -> None:
    from django.db import transaction

    cast = make_cast()
    key, raw = issue_key(cast.home)
    api = Api(f"Api-Key {raw}")
    body = {"items": [message(cast.patient)]}
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            assert try_lock(f"client:{key.client_id}", "k-1")
            held.set()
            release.wait(60)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    answer = api.post("intake", body, key="k-1")
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (409, "in_flight", "1")
    assert answer.json()["support"]
    release.set()
    holder.join()
    assert results(api.post("intake", body, key="k-1")) == ["stored"]


@pytest.mark.django_db(transaction=True)
def test_a_crash_before_the_commit_leaves_nothing_and_after_it_the_saved_answer(monkeypatch: Any) -> None:
    from crisis.intake import actions

    cast = make_cast()
    api = Api(f"Api-Key {issue_key(cast.home)[1]}")
    body = {"items": [message(cast.patient, TIER_A)]}

    class Crash(BaseException):
        """As if the process died."""

    def crash(*args: Any, **kwargs: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(actions, "_record_batch", crash)
        with pytest.raises(Crash):
            api.post("intake", body, key="k-1")
    makers.scope_all()
    assert Message.objects.count() == RiskAlert.objects.count() == IntakeRequest.objects.count() == 0
    with monkeypatch.context() as patch:
        patch.setattr("crisis.intake.api.respond", crash)
        with pytest.raises(Crash):
            api.post("intake", body, key="k-1")
    makers.scope_all()
    kept = bytes(IntakeRequest.objects.get().answer)
    assert api.post("intake", body, key="k-1").content == kept
    assert RiskAlert.objects.filter(kind="self_harm").count() == 1
    assert system("test").is_system
