"""Apps that raise alerts by the API while something is broken, and the account of what became of each."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace

import httpx
import websockets

from cortex.accounts.apikeys.actions import create_client, create_key
from cortex.audit import system
from cortex.audit.models import AuditLog
from crisis.alerts.models import AlertEvent, RiskAlert
from patients.sessions.messages import Message
from tests import makers
from tests.cast import Cast
from tests.live.stage import Page, board

# No request may take longer, whatever is broken.
LONGEST = 30.0
WORDS = "I am going to kill myself tonight, I have the pills here"


@dataclass
class Answer:
    """What a sender was told of one item, and when."""

    person: str
    status: int  # 0: none came
    result: str
    seconds: float
    has_support: bool

    @property
    def is_acknowledged(self) -> bool:
        """Whether the sender may forget it."""
        return self.status == 200 and self.result in ("stored", "duplicate")


@dataclass
class Senders:
    """One key, and a person for each alert; an item that was not acknowledged is sent again under its id."""

    origin: str
    key: str
    people: list[str]
    answers: list[Answer] = field(default_factory=list)

    @classmethod
    def of(cls, cast: Cast, origin: str, count: int) -> Senders:
        """A key with so many people of the home organization."""
        client = create_client(actor=system("test"), organization_id=cast.home.pk, name="The app")
        key = create_key(actor=system("test"), client_id=client.pk, scopes=["intake:write"]).raw
        makers.scope_all()
        people = [makers.make_patient(cast.home, consents=("treatment",)) for _ in range(count)]
        return cls(origin, key, [one.anonymous_id for one in people])

    def send(self, person: str) -> Answer:
        """Send the words of a person once."""
        item = {"id": f"alarm-{person}", "kind": "message", "patient": person, "session": "chat",
                "role": "patient", "text": WORDS}  # fmt: skip
        status, result, has_support, began = 0, "", False, time.monotonic()
        with suppress(httpx.HTTPError, ValueError):
            answer = httpx.post(
                f"{self.origin}/api/v1/intake", json={"items": [item]}, timeout=LONGEST + 15,
                headers={"Authorization": f"Api-Key {self.key}"},
            )  # fmt: skip
            body = answer.json()
            one = (body.get("items") or [{}])[0]
            status, result = answer.status_code, one.get("result", body.get("code", ""))
            has_support = "emergency_number" in str(one.get("support") or body.get("support"))
        found = Answer(person, status, result, time.monotonic() - began, has_support)
        self.answers.append(found)
        return found

    def at_once(self, people: Sequence[str]) -> list[Answer]:
        """Send about several people at the same moment."""
        with ThreadPoolExecutor(len(people)) as pool:
            return list(pool.map(self.send, people))

    @property
    def acknowledged(self) -> set[str]:
        """The people whose words a sender was told are stored."""
        return {one.person for one in self.answers if one.is_acknowledged}

    def until_all(self, people: Sequence[str], seconds: float = 60.0) -> None:
        """Send again until each was acknowledged."""
        until = time.monotonic() + seconds
        while left := [one for one in people if one not in self.acknowledged]:
            assert time.monotonic() < until, self.answers[-3:]
            self.at_once(left)

    def tell(self, what: str) -> str:
        """A line for whoever reads the run."""
        kinds = Counter(f"{one.status} {one.result}".strip() for one in self.answers)
        slowest = max((one.seconds for one in self.answers), default=0.0)
        return f"{what}: {dict(kinds)}, slowest {slowest:.1f} s"


def assert_whole(senders: Senders, people: Sequence[str]) -> None:
    """Each acknowledged item is there, once; of every other all of it is there, or nothing."""
    makers.scope_all()
    for person in people:
        alerts = list(RiskAlert.objects.filter(patient__anonymous_id=person, kind="self_harm"))
        messages = Message.objects.filter(patient__anonymous_id=person).count()
        said = AuditLog.objects.filter(event_type="intake.taken", codes__items=[f"alarm-{person}"])
        stored = said.filter(codes__results={"message.stored": 1}).count()
        opened = AuditLog.objects.filter(
            event_type="alert.raised", object_id__in=[one.pk for one in alerts]
        ).count()
        found = (len(alerts), messages, stored, opened)
        assert found == (1, 1, 1, 1) if person in senders.acknowledged else found in (
            (0, 0, 0, 0), (1, 1, 1, 1),
        ), (person, found)  # fmt: skip


def assert_numbered(cast: Cast) -> None:
    """The feed has every number once."""
    numbers = list(
        AlertEvent.objects.filter(organization=cast.home)
        .order_by("feed_number")
        .values_list("feed_number", flat=True)
    )
    assert numbers == list(range(1, len(numbers) + 1))


class Screen:
    """A page of a counselor in a thread: it comes back by itself, and notes a missing or doubled number."""

    def __init__(self, port: int, cookie: str, cast: Cast) -> None:
        self.page = Page(
            SimpleNamespace(port=port, origin=f"http://127.0.0.1:{port}"), cookie, board(cast.home.pk)
        )  # type: ignore[arg-type]
        self.alerts: dict[str, float] = {}
        self.wrong: list[str] = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._stay()), daemon=True)
        self.thread.start()

    async def _stay(self) -> None:
        while not self.stopping.is_set():
            try:
                async with asyncio.timeout(10):
                    await self.page.open()
                await self._hear()
            except (OSError, TimeoutError, websockets.WebSocketException):
                await asyncio.sleep(0.3)
            except AssertionError as error:
                self.wrong.append(str(error))
                return
            finally:
                with suppress(Exception):
                    await self.page.close()

    async def _hear(self) -> None:
        quiet_since = time.monotonic()
        while not self.stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    message = await self.page.hear()
                quiet_since = time.monotonic()
                if message["type"] == "event" and message.get("alert"):
                    self.alerts.setdefault(message["alert"], time.monotonic())
            if time.monotonic() - quiet_since > 15:  # as live.js: a line without ticks is opened anew
                return

    def shows(self, people: Sequence[str]) -> Callable[[], bool]:
        """Whether the alert of each of these people was shown."""
        makers.scope_all()
        found = RiskAlert.objects.filter(patient__anonymous_id__in=people, kind="self_harm")
        wanted = {str(one) for one in found.values_list("pk", flat=True)}
        return lambda: len(wanted) == len(people) and wanted <= self.alerts.keys()

    def stop(self) -> None:
        """Leave."""
        self.stopping.set()
        self.thread.join(15)
