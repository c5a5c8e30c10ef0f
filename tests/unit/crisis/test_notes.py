"""A plain note on an alert, and how a contact was made, in words."""

from __future__ import annotations

import pytest

from cortex.audit import RuleBroken
from cortex.audit.models import AuditLog
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.casework.actions import add_note
from tests.cast import Cast
from tests.makers import opened, staff
from tests.unit.crisis.test_desk_pages import get, send, text

pytestmark = pytest.mark.django_db
WORDS = "His sister rang: she drives there now"


@pytest.fixture
def alert(cast: Cast) -> RiskAlert:
    """Cleo's; Sam is on shift too."""
    return cast.claimed_alert()


def test_anybody_on_shift_adds_a_note_that_the_owner_reads(cast: Cast, alert: RiskAlert) -> None:
    assert "Add note" in text(get(cast.sam, "alert_page", alert.pk))
    before = RiskAlert.objects.get(pk=alert.pk)
    assert send(cast.sam, alert, "note", note=WORDS).status_code == 303
    page = text(get(cast.cleo, "alert_page", alert.pk))
    assert WORDS in page
    event = AlertEvent.objects.get(alert=alert, kind="note")
    assert (opened(event, "note"), event.actor_label) == (WORDS, "Sam Simiyu")
    assert AuditLog.objects.filter(object_id=alert.pk, event_type="alert.noted").count() == 1
    after = RiskAlert.objects.get(pk=alert.pk)
    # Before contact nothing but an attempt keeps a claim alive.
    assert (after.last_entry_at, after.epoch) == (before.last_entry_at, before.epoch)


def test_an_empty_note_and_one_on_an_ended_alert_are_refused(cast: Cast, alert: RiskAlert) -> None:
    answer = send(cast.cleo, alert, "note", note=" ")
    assert answer.status_code == 422
    assert "Write the note." in text(answer)
    RiskAlert.objects.filter(pk=alert.pk).update(status="resolved")
    assert "Add note" not in text(get(cast.cleo, "alert_page", alert.pk))
    with pytest.raises(RuleBroken) as refused:
        add_note(actor=staff(cast.cleo), alert_id=alert.pk, note=WORDS)
    assert refused.value.status == 409


@pytest.mark.parametrize(
    ("code", "channel", "words"),
    [
        ("attempt", "phone", "Tried to reach the person by phone"),
        ("attempt", "app", "Tried to reach the person in the app"),
        ("contact", "sms", "Contact made by text message"),
        ("contact", "in_person", "Contact made in person"),
    ],
)
def test_the_timeline_says_how_in_words(
    cast: Cast, alert: RiskAlert, code: str, channel: str, words: str
) -> None:
    send(cast.cleo, alert, code, channel=channel)
    page = text(get(cast.cleo, "alert_page", alert.pk))
    log = page.split('id="c-log"')[1].split("</section>")[0]
    assert f">{words}<" in log
