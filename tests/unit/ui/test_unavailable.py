"""When the trail or the keys are away, a page shows nothing and says what goes on; the board goes on."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from clinical.notes.actions import begin_note
from clinical.notes.models import Note
from cortex.audit.models import PhiAccessLog
from cortex.crypto.errors import KeyProviderError
from cortex.ids import uuid7
from cortex.keys import queries as keys
from cortex.keys.cache import cache
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.duty.actions import plan_shift
from crisis.duty.models import DutyShift
from crisis.ownership.actions import claim_alert
from tests import makers
from tests.cast import Cast
from tests.unit.audit.test_trail import superuser

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(cast: Cast) -> RiskAlert:
    """Cleo's alert about Zawadi; Bob is on call with a phone."""
    cast.on_duty()
    now = makers.now()
    plan_shift(
        actor=makers.staff(cast.ada), user_id=cast.bob.pk, organization_id=cast.home.pk, role="on_call",
        planned_start=now, planned_end=now + timedelta(hours=8), phone="+254700000042",
    )  # fmt: skip
    makers.scope_all()
    DutyShift.objects.filter(user=cast.bob).update(status="active", started_at=now)
    row = makers.make_alert(cast.patient)
    claim_alert(actor=makers.staff(cast.cleo), alert_id=row.pk)
    makers.scope_all()
    return row


@pytest.fixture
def cleo(cast: Cast) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(cast.cleo)
    return client


def body(answer: Any) -> str:
    makers.scope_all()
    return str(answer.content.decode())


def test_a_look_that_leaves_no_row_shows_nothing(cleo: Client, alert: RiskAlert) -> None:
    page = reverse("crisis:alert_page", args=[alert.pk])
    assert "Zawadi" in body(cleo.get(page))
    rows = PhiAccessLog.objects.count()

    with superuser() as cursor:
        cursor.execute("ALTER TABLE audit_phiaccesslog ADD CONSTRAINT broken CHECK (id IS NULL) NOT VALID")
    answer = cleo.get(page)
    assert answer.status_code == 503 and answer["Retry-After"]
    text = body(answer)
    assert "Zawadi" not in text and "+254" not in text and "broken" not in text
    assert "The board goes on" in text
    assert PhiAccessLog.objects.count() == rows


@pytest.mark.parametrize("fault", [KeyProviderError("no answer"), OperationalError("no route")])
def test_with_the_keys_away_names_stay_closed_and_the_board_goes_on(
    fault: Exception, cleo: Client, alert: RiskAlert, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = reverse("crisis:board")
    assert "+254700000042" in body(cleo.get(board))

    def down(*_: Any, **__: Any) -> None:
        raise fault

    cache.forget()
    monkeypatch.setattr(keys, "keys_for", down)
    monkeypatch.setattr("cortex.keys.store.keys_for", down, raising=False)
    answer = cleo.get(reverse("crisis:alert_page", args=[alert.pk]))
    assert answer.status_code == 503 and "Zawadi" not in body(answer)
    answer = cleo.get(board)
    shown = body(answer)
    assert answer.status_code == 200 and str(alert.pk) in shown and "+254700000042" not in shown
    panel = cleo.get(reverse("crisis:alert_preview", args=[alert.pk]))
    assert panel.status_code == 200 and "Zawadi" not in body(panel) and "+254" not in body(panel)


def test_a_command_that_needs_a_key_which_is_away_changes_nothing(
    cleo: Client, alert: RiskAlert, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any, **__: Any) -> None:
        raise OperationalError("no route")

    # A move goes on without its note; how an alert ended can't be left out.
    alert.refresh_from_db()
    page = body(cleo.get(reverse("crisis:alert_page", args=[alert.pk])))
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen is not None
    monkeypatch.setattr("cortex.keys.actions.ensure_keys", down)
    events = AlertEvent.objects.count()
    answer = cleo.post(reverse("crisis:alert_resolve", args=[alert.pk]), {
        "seen": seen.group(1), "disposition": "remained_community_with_plan", "verdict": "true_crisis",
        "notes": "With her brother", "no_follow_up_reason": "She moves away",
    })  # fmt: skip
    text = body(answer)
    assert answer.status_code == 503 and "Nothing was saved" in text
    assert "With her brother" in text and "She moves away" in text
    assert AlertEvent.objects.count() == events


def broken_trail() -> None:
    """What is done can't be written down any more, in this test's transaction."""
    with superuser() as cursor:
        cursor.execute("ALTER TABLE audit_auditlog ADD CONSTRAINT broken CHECK (id IS NULL) NOT VALID")


def test_a_claim_that_leaves_no_row_is_refused_and_is_none(cast: Cast, cleo: Client) -> None:
    cast.on_duty()
    alert = makers.make_alert(cast.patient)
    events = AlertEvent.objects.count()
    broken_trail()
    answer = cleo.post(reverse("crisis:alert_claim", args=[alert.pk]))
    text = body(answer)
    assert answer.status_code == 503 and answer["Retry-After"]
    assert "nothing of what you just did was saved" in text and "Zawadi" not in text and "broken" not in text
    alert.refresh_from_db()
    assert (alert.assigned_to_id, AlertEvent.objects.count()) == (None, events)


ENDING = {
    "disposition": "remained_community_with_plan", "verdict": "true_crisis", "notes": "With her brother",
    "no_follow_up_reason": "She moves away",
}  # fmt: skip


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_an_ending_that_leaves_no_row_ends_nothing_and_gives_its_words_back(
    cleo: Client, alert: RiskAlert, headers: dict[str, str]
) -> None:
    page = body(cleo.get(reverse("crisis:alert_page", args=[alert.pk])))
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen is not None
    alert.refresh_from_db()
    before = alert.status, AlertEvent.objects.count()
    broken_trail()
    where = reverse("crisis:alert_resolve", args=[alert.pk])
    answer = cleo.post(where, ENDING | {"seen": seen.group(1)}, headers=headers)
    text = body(answer)
    assert answer.status_code == 503 and "Nothing was saved" in text
    assert "With her brother" in text and "She moves away" in text and "Zawadi" not in text
    alert.refresh_from_db()
    assert (alert.status, AlertEvent.objects.count()) == before


def test_what_is_raised_by_hand_and_a_note_come_back_too(cast: Cast, cleo: Client) -> None:
    cast.on_duty()
    note = begin_note(actor=makers.staff(cast.alice), patient_id=cast.patient.pk, note_type="session_note")
    alerts = RiskAlert.objects.count()
    broken_trail()
    form = {
        "pseudonym": cast.patient.anonymous_id,
        "kind": "self_harm",
        "level": "high",
        "note": "He rang us.",
    }
    answer = cleo.post(reverse("crisis:alert_new"), form | {"note": "He rang us."})
    text = body(answer)
    assert answer.status_code == 503 and "He rang us." in text and "Nothing was saved" in text
    assert RiskAlert.objects.count() == alerts
    alice = makers.client_of(cast.alice)
    where = reverse("clinical:note_save", args=[cast.patient.pk, note.pk])
    words = {"version": "1", "number": "1", "spell": str(uuid7()), "free_text": "Must not be lost."}
    answer = alice.post(where, words)
    assert answer.status_code == 503 and "Must not be lost." in body(answer)
    assert Note.objects.get().version == 1


@pytest.mark.parametrize("path", ["/board/", "/accounts/login/", "/crisis-lines/"])
def test_a_session_that_can_not_be_read_is_a_503_that_says_what_goes_on(
    cleo: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*given: object) -> None:
        raise OperationalError("server closed the connection, as CX-1")

    monkeypatch.setattr("cortex.accounts.sessions.queries.signed_in", lost)
    cleo.raise_request_exception = False
    answer = cleo.get(path)
    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "CX-1" not in page and "/crisis-lines/" in page


def test_a_defect_outside_of_views_stays_a_500(cleo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortex.accounts.sessions.queries.signed_in", lambda *given: 1 / 0)
    cleo.raise_request_exception = False
    assert cleo.get("/board/").status_code == 500
