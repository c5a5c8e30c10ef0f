"""Patients' apps: each sends an item until it is sure, under one id, also twice, late or in disorder."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx

from tests.faults.nemesis.ledger import Ledger

# Each raises an alert by itself: the person's own words of the highest tier.
WORDS = (
    "leo usiku nitajiua, nimeandaa kamba",
    "I am going to kill myself tonight, I have the pills here",
    "nataka kujiua leo",
)
CALM = "I walked to the market and met my sister"
LATE = timedelta(minutes=40)
PATIENCE = 4.0  # seconds that a sender waits for one answer before it asks the other web process


class Producer:
    """One app server with a share of the people; what it was told is what counts as told."""

    def __init__(
        self, ledger: Ledger, origins: Sequence[str], key: str, people: Sequence[str], seed: int
    ) -> None:
        self.ledger, self.people, self.rng = ledger, people, random.Random(seed)
        headers = {"Authorization": f"Api-Key {key}"}
        self.clients = itertools.cycle(
            [httpx.Client(base_url=origin, headers=headers, timeout=PATIENCE) for origin in origins]
        )
        self.told: set[str] = set()

    def run(self, began: float, seconds: float, habits: dict[str, int]) -> None:
        """Send about everybody, spread over the time; `habits` says how often to be a nuisance, by kind."""
        odd = [kind for kind, times in habits.items() for _ in range(times)]
        plan = dict(zip(self.rng.sample(range(len(self.people)), len(odd)), odd, strict=True))
        for place, person in enumerate(self.people):
            wait = began + seconds * place / len(self.people) - time.monotonic()
            time.sleep(max(0.0, wait))
            self._raise(person, plan.get(place, ""))

    def _raise(self, person: str, habit: str) -> None:
        now = datetime.now(UTC)
        item = {"id": f"alarm-{person}", "kind": "message", "patient": person, "session": "chat",
                "role": "patient", "text": self.rng.choice(WORDS)}  # fmt: skip
        if habit == "late":
            item["at"] = (now - LATE).isoformat()
        if habit == "disorder":
            # What was said later comes first, by another way.
            self._send({**item, "id": f"calm-{person}", "text": CALM, "at": now.isoformat()}, times=50)
            item["at"] = (now - timedelta(minutes=5)).isoformat()
        self.ledger.note("raised", id=item["id"], person=person)
        self._send(item, times=10_000)
        self.told.add(person)
        if habit == "duplicate":
            again = [threading.Thread(target=self._send, args=(item, 1)) for _ in range(3)]
            for thread in again:
                thread.start()
            for thread in again:
                thread.join()
        if habit:
            self.ledger.fault(habit, target=person)

    def _send(self, item: dict[str, str], times: int) -> None:
        for _ in range(times):
            outcome, detail = self._once(item)
            self.ledger.note("answer", id=item["id"], outcome=outcome, detail=detail)
            if outcome == "acknowledged":
                return
            time.sleep(0.2)

    def _once(self, item: dict[str, str]) -> tuple[str, str]:
        try:
            answer = next(self.clients).post("/api/v1/intake", json={"items": [item]})
            result = answer.json()["items"][0]["result"] if answer.status_code == 200 else ""
        except (httpx.HTTPError, ValueError, KeyError, IndexError) as error:
            return "unknown", type(error).__name__
        if result in ("stored", "duplicate"):
            return "acknowledged", result
        return "refused", f"{answer.status_code} {result}"
