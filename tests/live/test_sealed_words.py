"""Frames on the wire hold nothing that a sealed column holds, whatever happens to an alert."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from cortex.accounts.models import User
from crisis.alerts.models import AlertEvent, Disposition, RiskAlert, Verdict
from crisis.byhand.actions import raise_for_caller
from crisis.casework.actions import add_note, log_attempt, log_contact
from crisis.endings.actions import Ending, resolve_alert
from crisis.ownership.actions import claim_alert, escalate_alert
from patients.registry.records import ContactData
from tests.api.conftest import Api, issue_key, message
from tests.cast import Cast
from tests.faults.canaries import Eyes, marker, phone
from tests.live.conftest import Listener
from tests.live.stage import LiveServer, Page, board
from tests.makers import client_of, make_patient, now, scope_all, staff

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])
WRITTEN = ("message", "note", "attempt", "reason", "contact", "caller", "ending")
REGISTERED = ("given", "family", "email", "address", "relative")


class Overheard(Page):
    """A page whose frames are kept as they came."""

    def __init__(self, server: LiveServer, cookie: str, topic: str) -> None:
        super().__init__(server, cookie, topic, 0)
        self.frames: list[str] = []

    async def receive(self) -> str | bytes:
        frame = await super().receive()
        assert isinstance(frame, str)
        self.frames.append(frame)
        return frame


def planted() -> dict[str, str]:
    """Words that are nowhere else: of a person, of what they said and of what staff wrote."""
    words = {name: marker() for name in (*REGISTERED, *WRITTEN)}
    return words | {"phone": phone(), "relative's phone": phone()}


def raised(cast: Cast, words: dict[str, str]) -> RiskAlert:
    """An alert by what a person, registered with these words, said to their app with one of them."""
    patient = make_patient(
        cast.home, given_name=words["given"], family_name=words["family"], phone=words["phone"],
        email=f"{words['email']}@hidden.example", home_address=f"3 {words['address']} Road",
        contacts=[ContactData(words["relative"], words["relative's phone"], "brother")],
    )  # fmt: skip
    said = message(patient, f"leo usiku nitajiua, nimeandaa kamba, {words['message']}")
    answer = Api(f"Api-Key {issue_key(cast.home)[1]}").send(said)
    assert answer.status_code == 200, answer.content
    scope_all()
    return RiskAlert.objects.get(patient=patient, kind="self_harm")


def worked(cast: Cast, alert: RiskAlert, words: dict[str, str]) -> str:
    """Do with an alert what its page offers, writing everywhere; return that page as its owner reads it."""
    cleo, sam = staff(cast.cleo), staff(cast.sam)
    claim_alert(actor=cleo, alert_id=alert.pk)
    add_note(actor=sam, alert_id=alert.pk, note=words["note"])
    log_attempt(actor=cleo, alert_id=alert.pk, note=words["attempt"])
    escalate_alert(actor=sam, alert_id=alert.pk, reason=words["reason"])
    log_contact(actor=cleo, alert_id=alert.pk, note=words["contact"])
    raise_for_caller(
        actor=cleo, pseudonym="", level="high", kind="medical", note=f"{words['caller']}, a teacher called"
    )
    page = client_of(cast.cleo).get(f"/alerts/{alert.pk}/").content.decode()
    ending = Ending(
        disposition=Disposition.COMMUNITY, verdict=Verdict.TRUE_CRISIS, notes=words["ending"],
        follow_up_at=now() + timedelta(hours=20),
    )  # fmt: skip
    resolve_alert(actor=cleo, alert_id=alert.pk, ending=ending)
    scope_all()
    return page


async def test_no_frame_of_a_board_holds_a_word_that_lies_sealed(
    desk: LiveServer, cast: Cast, signed_in: Callable[[User], Listener]
) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    words = planted()
    cookie, topic = signed_in(cast.cleo).cookie, board(cast.home.pk)
    there = await Overheard(desk, cookie, topic).open()
    await asyncio.sleep(0.3)  # the subscription stands
    alert = raised(cast, words)
    page = worked(cast, alert, words)
    shown = {name for name, word in words.items() if word in page}
    assert {"given", "family", "note", "reason", "contact"} <= shown, (
        "they are there for whoever may read them"
    )
    head = AlertEvent.objects.filter(organization=cast.home).latest("feed_number").feed_number
    await there.until_number(head)
    later = await Overheard(desk, cookie, topic).open()
    await later.until_number(head)
    for one in (there, later):
        await one.say({"type": "seen", "topic": topic, "n": head, "item": str(uuid4())})
        await one.until("refused")
        await one.say({"type": "ping"})
        await one.until("tick")
        await one.close()
    frames = there.frames + later.frames
    heard = [json.loads(one) for one in frames]
    changes = {one["change"] for one in heard if one["type"] == "event" and one["alert"] == str(alert.pk)}
    assert {"claimed", "note", "escalated", "resolved"} <= changes, changes
    assert {"welcome", "event", "marks", "refused", "tick"} <= {one["type"] for one in heard}
    eyes = Eyes(words)
    for frame, told in zip(frames, heard, strict=True):
        eyes.look("as it came", frame.encode())
        eyes.look("as it is read", html.unescape("\n".join(map(str, told.values()))).encode())
    assert eyes.found == set()
    assert eyes.read > 10_000


def test_a_word_in_a_card_would_be_found_however_it_is_written() -> None:
    word = marker()
    eyes = Eyes({"a word": word})
    eyes.look("a frame", json.dumps({"html": f"<b>{word.upper()}</b>"}).encode())
    assert eyes.codings("a frame", "a word") == {"upper"}
