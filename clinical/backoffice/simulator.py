"""Fictional apps at work: everyday words all the time, now and then some that need a person."""

from __future__ import annotations

import random
import signal
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from django.db import DatabaseError, close_old_connections

from clinical.backoffice import world
from clinical.backoffice.shifts import renew_shifts
from cortex.audit import RuleBroken
from crisis.alerts.queries import open_count

MOST_OPEN = 12
RENEW_EVERY = timedelta(minutes=5)
# One item in so many is heavy, urgent, immediate or a button; the rest is everyday.
MOODS = ("everyday", "heavy", "urgent", "now", "sos")
WEIGHTS = (0.80, 0.10, 0.06, 0.02, 0.02)


class Simulator:
    """Sends one item at a time; while a dozen alerts are open it sends nothing that raises another."""

    def __init__(self, url: str, demo: dict[str, Any], pause: float, say: Callable[[str], Any]) -> None:
        self.url = url.rstrip("/")
        self.keys: dict[str, str] = demo["keys"]
        self.pseudonyms: dict[str, str] = demo["pseudonyms"]
        self.pause = pause
        self.say = say
        self.renew_at = datetime.now(UTC) + RENEW_EVERY
        self.stopping = threading.Event()
        self.chance = random.Random()  # noqa: S311 - a demo, no secret
        self.people = list(world.people(datetime.now(UTC).date()))

    def run(self) -> None:
        """Send until SIGTERM or SIGINT; a server that is away is asked again later."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        with httpx.Client(timeout=10, trust_env=False) as client:
            first = True
            while not self.stopping.is_set():
                try:
                    self.renew()
                    self.send(client, "urgent" if first else self.mood())
                    first = False
                except (httpx.HTTPError, DatabaseError, RuleBroken) as error:
                    self.say(f"not now, again in a moment ({type(error).__name__})")
                self.stopping.wait(self.pause * self.chance.uniform(0.5, 1.5))

    def renew(self) -> None:
        """Now and then, give the roster its next shifts: a demo that runs for days stays staffed."""
        now = datetime.now(UTC)
        if now >= self.renew_at:
            close_old_connections()
            renew_shifts(now)
            self.renew_at = now + RENEW_EVERY

    def mood(self) -> str:
        """Choose what is sent next."""
        close_old_connections()
        if open_count() >= MOST_OPEN:
            return "everyday"
        return self.chance.choices(MOODS, weights=WEIGHTS)[0]

    def send(self, client: httpx.Client, mood: str) -> None:
        """Send one item of a random person; the key is the one of their organization's app."""
        person = self.chance.choice(self.people)
        item = world.live_item(person, self.pseudonyms[str(person.number)], mood, self.chance)
        answer = client.post(
            f"{self.url}/api/v1/intake",
            json={"items": [item]},
            headers={
                "Authorization": f"Api-Key {self.keys[person.slug]}",
                "Idempotency-Key": uuid.uuid4().hex,
            },
        )
        if answer.status_code >= 400:
            self.say(f"the server answered {answer.status_code}")
