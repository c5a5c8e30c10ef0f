"""With the key store away no alert stands still: the clock needs no words, and a person's move goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from cortex.audit import system
from cortex.crypto.errors import KeyDestroyed
from cortex.keys import actions as key_actions
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.byhand.actions import raise_for_caller
from crisis.casework.actions import log_contact
from crisis.endings.actions import Ending, resolve_alert
from crisis.escalation.models import AlertStep, NotificationAttempt
from crisis.ownership.actions import claim_alert, escalate_alert, release_alert, take_over_alert
from crisis.sweep.actions import note_owner_gone, run_step
from tests.cast import Cast
from tests.makers import make_alert, now, opened, scope_all, staff

pytestmark = pytest.mark.django_db
SWEEPER = system("sweeper")


@pytest.fixture
def alert(cast: Cast) -> RiskAlert:
    """Claimed by Cleo ten minutes ago; Sam is on shift too."""
    cast.on_duty()
    cast.on_duty(cast.sam)
    at = now() - timedelta(minutes=11)
    found = make_alert(cast.patient, reason_code="H1", at=at)
    claim_alert(actor=staff(cast.cleo), alert_id=found.pk, at=at)
    return found


@pytest.fixture(params=[OperationalError("no route"), KeyDestroyed("erased")], ids=["away", "destroyed"])
def keys_away(request: Any, monkeypatch: Any) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise request.param

    monkeypatch.setattr(key_actions, "ensure_keys", refuse)


def run_due(kind: str, alert: RiskAlert) -> None:
    alert.refresh_from_db()
    step = AlertStep.objects.get(alert=alert, kind=kind, done_at=None, epoch=alert.epoch)
    run_step(actor=SWEEPER, step_id=step.pk, at=step.due_at)
    alert.refresh_from_db()


def test_the_clock_takes_an_inactive_claim_back(alert: RiskAlert, keys_away: None) -> None:
    run_due("release_claim", alert)
    assert (alert.status, alert.assigned_to_id) == ("notified", None)
    event = AlertEvent.objects.get(alert=alert, kind="released")
    assert event.codes == {"why": "inactive"}
    assert AlertStep.objects.filter(alert=alert, kind="chain", done_at=None, epoch=alert.epoch).exists()


def test_the_clock_takes_the_claim_of_an_owner_who_stayed_away(alert: RiskAlert, keys_away: None) -> None:
    note_owner_gone(actor=SWEEPER, alert_id=alert.pk)
    run_due("owner_gone", alert)
    assert (alert.status, alert.assigned_to_id) == ("notified", None)


MOVES: dict[str, Callable[..., RiskAlert]] = {
    "escalated": lambda cast, pk: escalate_alert(
        actor=staff(cast.cleo), alert_id=pk, reason="A second voice"
    ),
    "taken_over": lambda cast, pk: take_over_alert(actor=staff(cast.sam), alert_id=pk, reason="Called away"),
    "released": lambda cast, pk: release_alert(actor=staff(cast.cleo), alert_id=pk, reason="Two at once"),
    "contact_made": lambda cast, pk: log_contact(actor=staff(cast.cleo), alert_id=pk, note="She answered"),
}


@pytest.mark.parametrize("kind", list(MOVES))
def test_a_move_of_a_person_goes_on_without_its_note(
    cast: Cast, alert: RiskAlert, keys_away: None, kind: str
) -> None:
    done = MOVES[kind](cast, alert.pk)
    event = AlertEvent.objects.get(alert=alert, kind=kind)
    assert done.note_lost
    assert event.codes["note_lost"] is True
    assert event.__dict__["note"] is None
    if kind == "escalated":
        assert NotificationAttempt.objects.filter(event_id=event.pk, user=cast.sam).exists()


def test_whoever_wrote_a_lost_note_is_asked_to_write_it_again(
    cast: Cast, alert: RiskAlert, keys_away: None
) -> None:
    client = Client()
    client.force_login(cast.cleo)
    address = reverse("crisis:alert_escalate", args=[alert.pk])
    answer = client.post(address, {"reason": "A second voice", "next": "board"}, follow=True)
    assert answer.status_code == 200
    assert "Your note could not be kept. Please write it again." in unescape(answer.content.decode())


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "part"])
def test_a_note_that_cannot_be_sealed_is_given_back_to_its_writer(
    cast: Cast, alert: RiskAlert, keys_away: None, headers: dict[str, str]
) -> None:
    client = Client()
    client.force_login(cast.cleo)
    answer = client.post(
        reverse("crisis:alert_note", args=[alert.pk]), {"note": "Her brother is there"}, headers=headers
    )
    assert answer.status_code == 503
    shown = unescape(answer.content.decode())
    assert "Her brother is there</textarea>" in shown
    assert "Your note was not saved" in shown
    assert shown.lstrip().startswith("<form") == bool(headers)
    scope_all()
    assert not AlertEvent.objects.filter(alert=alert, kind="note").exists()


def test_an_alert_by_hand_is_raised_without_its_note(cast: Cast, alert: RiskAlert, keys_away: None) -> None:
    told = {"pseudonym": cast.patient.anonymous_id, "kind": "medical", "level": "critical"}
    raised = raise_for_caller(actor=staff(cast.cleo), note="A neighbour rang", **told)
    assert raised.note_lost
    assert AlertEvent.objects.get(alert=raised, kind="raised").codes["note_lost"] is True
    assert RiskAlert.objects.get(pk=raised.pk).__dict__["hand_note"] is None


def test_an_end_waits_for_the_keys_with_its_words(cast: Cast, alert: RiskAlert, keys_away: None) -> None:
    ending = Ending("emergency_department", "Taken in", "true_crisis", follow_up_at=now() + timedelta(days=1))
    with pytest.raises((OperationalError, KeyDestroyed)):
        resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    alert.refresh_from_db()
    assert alert.status == "acknowledged"


def test_with_the_keys_there_a_note_is_sealed_and_said_by_nobody_else(cast: Cast, alert: RiskAlert) -> None:
    done = escalate_alert(actor=staff(cast.cleo), alert_id=alert.pk, reason="A second voice")
    event = AlertEvent.objects.get(alert=alert, kind="escalated")
    assert not done.note_lost
    assert "note_lost" not in event.codes
    scope_all()
    assert opened(event, "note") == "A second voice"
