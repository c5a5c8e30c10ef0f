"""When a part is down: words are screened in memory, people are told, and the app is asked to send again."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from cortex import clock
from cortex.api import tokens
from cortex.audit import RuleBroken, system
from cortex.crypto.errors import KeyProviderError
from cortex.keys import actions as key_actions
from crisis.alerts.models import Disposition, RiskAlert, Verdict
from crisis.endings.actions import Ending, resolve_alert
from crisis.ownership.actions import claim_alert
from crisis.risk.models import Evidence, RiskDue
from crisis.sweep.actions import run_evaluation
from crisis.triage import actions as triage
from patients.sessions.messages import Message
from tests import makers
from tests.api.conftest import CALM, TIER_A, Api, issue_key, item, message, results
from tests.cast import Cast
from tests.unit.audit.test_trail import superuser

pytestmark = pytest.mark.django_db


def unreachable(*_: Any, **__: Any) -> None:
    """Stand for a store that can't be reached."""
    raise OperationalError("no route")


@pytest.fixture
def keys_down(monkeypatch: Any) -> Any:
    """The key store can't be reached, until the returned function is called."""
    real = key_actions.ensure_keys
    monkeypatch.setattr(key_actions, "ensure_keys", unreachable)
    return lambda: monkeypatch.setattr(key_actions, "ensure_keys", real)


def kinds() -> dict[str, str]:
    return dict(RiskAlert.objects.exclude(kind="no_cover").values_list("kind", "level"))


def test_with_the_keys_down_words_are_screened_and_the_alert_is_committed(
    api: Api, cast: Cast, keys_down: Any
) -> None:
    one = message(cast.patient, TIER_A)
    answer = api.send(one, item("sos", cast.patient), key="k-1")
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert results(answer) == ["failed", "stored"]
    failed = answer.json()["items"][0]
    assert failed["reason"] == "could_not_store"
    assert failed["support"]["state"] in ("told", "nobody_on_duty")
    assert kinds() == {"self_harm": "critical", "could_not_store": "high"}
    assert Message.objects.count() == 0
    keys_down()
    again = api.send(one, item("sos", cast.patient), key="k-1")
    assert results(again)[0] == "stored"
    row = Message.objects.get(pk=again.json()["items"][0]["record"])
    assert makers.opened(row, "content") == TIER_A
    # The words were evidence already; the row that came later is the one that it names.
    assert Evidence.objects.filter(code="TEXT_A").count() == 1
    assert Evidence.objects.get(code="TEXT_A").source_id == row.pk


def test_with_the_keys_down_what_needs_no_seal_is_stored(api: Api, cast: Cast, keys_down: Any) -> None:
    answer = api.send(
        message(cast.patient),
        item("checkin", cast.patient, date="2026-11-20", mood=4),
        item("consent", cast.patient, consent_type="research", granted=True),
        item("telemetry", cast.patient, event_type="app.opened"),
    )
    assert answer.status_code == 503
    assert results(answer) == ["failed", "stored", "stored", "stored"]


def test_one_persons_bad_key_costs_no_other(api: Api, cast: Cast, monkeypatch: Any) -> None:
    other = makers.make_patient(cast.home)
    real = key_actions.ensure_keys

    def choosy(subjects: Any, *args: Any, **kwargs: Any) -> Any:
        if cast.patient.pk in subjects:
            raise KeyProviderError("unwrap")
        return real(subjects, *args, **kwargs)

    monkeypatch.setattr(key_actions, "ensure_keys", choosy)
    answer = api.send(message(cast.patient, CALM), message(other, CALM))
    assert results(answer) == ["failed", "stored"]
    assert kinds() == {"could_not_store": "high"}


def test_what_cannot_be_screened_is_stored_and_raises(api: Api, cast: Cast, monkeypatch: Any) -> None:
    from crisis.risk.lexicon import Lexicon

    real = Lexicon.screen

    def fail(self: Lexicon, text: str, **more: Any) -> Any:
        if "kamba" in text:
            raise RuntimeError("lexicon")
        return real(self, text, **more)

    monkeypatch.setattr(Lexicon, "screen", fail)
    answer = api.send(message(cast.patient, TIER_A), message(cast.patient, CALM))
    assert answer.status_code == 200
    assert results(answer) == ["stored", "stored"]
    assert kinds() == {"could_not_screen": "high"}
    assert "support" in answer.json()["items"][0]
    assert Message.objects.filter(screened_at__isnull=True).count() == 1


def test_what_cannot_be_decided_raises_what_stands_alone_and_is_looked_at_again(
    api: Api, cast: Cast, monkeypatch: Any
) -> None:
    from crisis.triage import actions

    other = makers.make_patient(cast.home)
    real = actions.evaluate_patients

    def choosy(*, actor: Any, patient_ids: Any, at: Any = None) -> Any:
        if cast.patient.pk in list(patient_ids):
            raise RuntimeError("engine")
        return real(actor=actor, patient_ids=patient_ids, at=at)

    monkeypatch.setattr(actions, "evaluate_patients", choosy)
    answer = api.send(message(cast.patient, TIER_A), message(other, TIER_A))
    assert answer.status_code == 200
    found = RiskAlert.objects.exclude(kind="no_cover").values_list("patient_id", "kind", "level")
    assert set(found) == {
        (cast.patient.pk, "self_harm", "critical"), (cast.patient.pk, "could_not_screen", "high"),
        (other.pk, "self_harm", "critical"),
    }  # fmt: skip
    assert RiskAlert.objects.get(patient=cast.patient, kind="self_harm").reason_code == "H1"
    assert Evidence.objects.filter(patient=cast.patient, code="TEXT_A").count() == 1
    assert Evidence.objects.filter(patient=other, code="TEXT_A").count() == 1
    # The sweep asks the engine again at once, and the alert gets its factors.
    monkeypatch.setattr(actions, "evaluate_patients", real)
    due = RiskDue.objects.get(patient=cast.patient, reason_code="engine_failed")
    assert run_evaluation(actor=system("sweeper"), due_id=due.pk) == 1
    makers.scope_all()
    alert = RiskAlert.objects.get(patient=cast.patient, kind="self_harm")
    assert "TEXT_A" in {one["code"] for one in alert.factors}


@pytest.mark.parametrize("defect", [TypeError, KeyError, AttributeError, RuleBroken])
def test_a_defect_in_one_row_costs_no_other_their_alert(
    api: Api, cast: Cast, monkeypatch: Any, defect: type[Exception]
) -> None:
    from crisis.intake import actions

    real = actions.store_batch

    def choking(*, actor: Any, batch: Any) -> Any:
        if batch.check_ins:
            raise defect("no", "code") if defect is RuleBroken else defect("no")
        return real(actor=actor, batch=batch)

    monkeypatch.setattr(actions, "store_batch", choking)
    bad = item("checkin", cast.patient, date="2026-11-20", mood=3)
    answer = api.send(bad, message(cast.patient, TIER_A))
    assert (answer.status_code, results(answer)) == (503, ["failed", "stored"])
    assert kinds() == {"self_harm": "critical", "could_not_store": "high"}


def test_an_item_that_cannot_be_told_to_the_ledger_reaches_a_human(
    api: Api, cast: Cast, monkeypatch: Any
) -> None:
    from crisis.triage import assessing

    real = assessing.origin_of

    def choosy(row: Any, *rest: Any) -> Any:
        if row.item.kind == "checkin":
            raise KeyError("zone")
        return real(row, *rest)

    monkeypatch.setattr(assessing, "origin_of", choosy)
    bad = item("checkin", cast.patient, date="2026-11-20", notes=CALM)
    assert results(api.send(bad, message(cast.patient, TIER_A))) == ["stored", "stored"]
    assert kinds() == {"self_harm": "critical", "could_not_screen": "high"}


def test_an_item_that_breaks_its_reader_is_refused_alone_and_screened(
    api: Api, cast: Cast, monkeypatch: Any
) -> None:
    from crisis.intake import items

    def broken(*_: Any) -> None:
        raise OverflowError("date")

    monkeypatch.setattr(items, "_check_together", broken)
    answer = api.send(message(cast.patient, TIER_A))
    assert (answer.status_code, results(answer)) == (200, ["rejected"])
    assert answer.json()["items"][0]["reason"] == "unreadable"
    assert kinds() == {"self_harm": "critical"}


def test_a_task_that_cannot_be_made_costs_no_alert(api: Api, cast: Cast, monkeypatch: Any) -> None:
    from crisis.triage import actions

    def no_item(**_: Any) -> None:
        raise TypeError("item")

    monkeypatch.setattr(actions, "make_item", no_item)
    answer = api.send(message(cast.patient, "rafiki yangu anataka kujiua"), message(cast.patient, TIER_A))
    assert results(answer) == ["stored", "stored"]
    assert kinds() == {"self_harm": "critical", "could_not_screen": "high"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I took an overdose", {"self_harm": "critical", "medical": "critical"}),
        ("I am going to kill my husband tonight", {"harm_to_others": "critical"}),
        ("nataka kujiua", {}),
    ],
)
def test_what_needs_no_engine_is_raised_without_it(
    api: Api, cast: Cast, monkeypatch: Any, text: str, expected: dict[str, str]
) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("engine")

    monkeypatch.setattr("crisis.triage.actions.evaluate_patients", fail)
    answer = api.send(message(cast.patient, text))
    assert answer.json()["items"][0]["support"]
    assert kinds() == expected | {"could_not_screen": "high"}
    assert RiskDue.objects.filter(patient=cast.patient, reason_code="engine_failed").count() == 1


def test_evidence_that_cannot_be_kept_costs_no_alert(api: Api, cast: Cast, monkeypatch: Any) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("ledger")

    monkeypatch.setattr("crisis.triage.actions.append_evidence", fail)
    assert results(api.send(message(cast.patient, TIER_A))) == ["stored"]
    assert kinds() == {"self_harm": "critical", "could_not_screen": "high"}


def test_a_database_that_is_lost_before_anybody_is_known_is_503_with_the_numbers_of_whose_key_it_is(
    api: Api, cast: Cast, monkeypatch: Any
) -> None:
    # A refusal puts what is known of the organization into this process's memory.
    assert api.send("no item").json()
    asked = []

    def lost(*_: Any, **__: Any) -> None:
        asked.append(1)
        raise OperationalError("no route")

    monkeypatch.setattr("cortex.accounts.keys.key_by_prefix", lost)
    answer = api.send(message(cast.patient, TIER_A))
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert answer.json()["support"]["emergency_number"] == cast.home.emergency_number
    assert len(asked) == 1, "a refusal doesn't ask once more who calls"
    forged = Api("Api-Key cx_unknown").send(message(cast.patient, TIER_A))
    assert forged.status_code in (401, 503) and forged.json()["support"]["emergency_number"] == "112"


def test_a_lost_database_is_503_with_the_last_known_numbers(api: Api, cast: Cast, monkeypatch: Any) -> None:
    api.send(message(cast.patient, TIER_A))

    def lost(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("crisis.intake.actions.take_batch", lost)
    monkeypatch.setattr("crisis.intake.support.general_support", lost)
    answer = api.send(message(cast.patient, TIER_A))
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["support"]["emergency_number"] == cast.home.emergency_number


def test_a_defect_is_never_a_500_and_never_quotes(
    api: Api, cast: Cast, monkeypatch: Any, caplog: Any
) -> None:
    def defect(*_: Any, **__: Any) -> None:
        raise KeyError(TIER_A)

    monkeypatch.setattr("crisis.intake.actions.read_items", defect)
    answer = api.send(message(cast.patient, TIER_A))
    assert answer.status_code == 503
    assert answer.json()["code"] == "unexpected"
    assert answer.json()["support"]
    assert TIER_A not in answer.content.decode()
    assert TIER_A not in caplog.text


@pytest.mark.parametrize("path", ["intake", "sos"])
def test_with_the_trail_broken_nothing_is_taken_and_the_app_is_told_to_send_it_again(
    api: Api, cast: Cast, path: str
) -> None:
    cast.on_duty()
    with superuser() as cursor:
        cursor.execute("ALTER TABLE audit_auditlog ADD CONSTRAINT broken CHECK (id IS NULL) NOT VALID")
    if path == "intake":
        answer = api.post(path, {"items": [message(cast.patient, TIER_A)]}, key="k-1")
    else:
        answer = api.post(f"sos?patient={cast.patient.anonymous_id}", {"button": "in_danger"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    told = answer.json()
    assert told["code"] == "unavailable" and "support" in told and "broken" not in answer.content.decode()
    assert (Message.objects.count(), RiskAlert.objects.count()) == (0, 0)
    with superuser() as cursor:
        cursor.execute("ALTER TABLE audit_auditlog DROP CONSTRAINT broken")
    if path == "intake":  # what failed was not kept as an answer of its key
        again = api.post(path, {"items": [message(cast.patient, TIER_A)]}, key="k-1")
        assert results(again) == ["stored"]


def test_a_lost_database_is_503_with_support_for_a_device_too_that_nobody_told_the_time(
    cast: Cast, monkeypatch: Any
) -> None:
    """The time was asked for last more than half a minute ago, and who answers asks for it again."""
    key = issue_key(cast.home)[0]
    phone = Api(f"Bearer {tokens.mint(cast.patient.pk, cast.home.pk, key.pk, makers.now())}")
    assert phone.get("me/support").status_code == 200
    asked, _ = clock._asked or (makers.now(), 0.0)
    monkeypatch.setattr(clock, "_asked", (asked, time.monotonic() - 40))
    monkeypatch.setattr(clock, "ASKED_EVERY", 30.0)

    def lost(*_: Any, **__: Any) -> None:
        raise OperationalError("no route")

    monkeypatch.setattr(clock, "clock", lost)
    answer = phone.get("me/support")
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert answer.json()["support"]["emergency_number"] == cast.home.emergency_number


@pytest.mark.parametrize("is_second", [False, True])
@pytest.mark.parametrize("kind", ["transcript", "checkin"])
def test_words_that_were_told_while_the_keys_were_down_are_told_once_whatever_row_they_get(
    api: Api, cast: Cast, monkeypatch: Any, kind: str, is_second: bool
) -> None:
    def words(text: str) -> dict[str, Any]:
        if kind == "transcript":
            return item("transcript", cast.patient, session="v1", text=text)
        return item("checkin", cast.patient, date="2026-11-20", notes=text)

    if is_second:
        first = item("checkin", cast.patient, date="2026-11-20", mood=4)
        opened = item("session_started", cast.patient, session="v1", session_kind="voice_checkin")
        assert results(api.send(first, opened)) == ["stored"] * 2
    cast.on_duty()
    told = words(TIER_A)
    with monkeypatch.context() as patch:
        patch.setattr(key_actions, "ensure_keys", unreachable)
        assert results(api.send(told)) == results(api.send(told)) == ["failed"]
    assert Evidence.objects.filter(code="TEXT_A").count() == 1
    claim_alert(actor=makers.staff(cast.cleo), alert_id=RiskAlert.objects.get(kind="self_harm").pk)
    done = Ending(disposition=Disposition.COMMUNITY, verdict=Verdict.TRUE_CRISIS, notes="At home.",
                  follow_up_at=makers.now() + timedelta(hours=5))  # fmt: skip
    resolve_alert(
        actor=makers.staff(cast.cleo), alert_id=RiskAlert.objects.get(kind="self_harm").pk, ending=done
    )
    assert results(api.send(told)) == ["stored"]
    assert Evidence.objects.filter(code="TEXT_A").count() == 1
    assert RiskAlert.objects.filter(kind="self_harm").count() == 1
    assert results(api.send(told)) == ["duplicate"]


def test_other_words_of_a_row_say_nothing_of_what_was_told(api: Api, cast: Cast, monkeypatch: Any) -> None:
    def note(text: str) -> dict[str, Any]:
        return item("checkin", cast.patient, date="2026-11-20", notes=text)

    assert results(api.send(note(TIER_A))) == ["stored"]
    late = note(f"{CALM} {TIER_A}")
    with monkeypatch.context() as patch:
        patch.setattr(key_actions, "ensure_keys", unreachable)
        patch.setattr(triage, "append_evidence", unreachable)
        assert results(api.send(late)) == ["failed"]
    assert Evidence.objects.filter(code="TEXT_A").count() == 1
    assert results(api.send(late)) == ["stored"]
    assert Evidence.objects.filter(code="TEXT_A").count() == 2
