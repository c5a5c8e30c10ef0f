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
MOST = 10  # items that an app which has fallen behind sends in one request
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
        place = 0
        while place < len(self.people):
            time.sleep(max(0.0, began + seconds * place / len(self.people) - time.monotonic()))
            overdue = int((time.monotonic() - began) / seconds * len(self.people)) + 1
            stop = max(place + 1, min(overdue, place + MOST, len(self.people)))
            together = [one for one in range(place, stop) if one not in plan]
            self._raise([self.people[one] for one in together])
            for one in range(place, stop):
                if one in plan:
                    self._bother(self.people[one], plan[one])
            place = stop

    def _item(self, person: str) -> dict[str, str]:
        return {"id": f"alarm-{person}", "kind": "message", "patient": person, "session": "chat",
                "role": "patient", "text": self.rng.choice(WORDS)}  # fmt: skip

    def _raise(self, people: Sequence[str]) -> None:
        for person in people:
            self.ledger.note("raised", id=f"alarm-{person}", person=person)
        self._send([self._item(person) for person in people], times=10_000)
        self.told.update(people)

    def _bother(self, person: str, habit: str) -> None:
        now, item = datetime.now(UTC), self._item(person)
        if habit == "late":
            item["at"] = (now - LATE).isoformat()
        if habit == "disorder":
            # What was said later comes first, by another way.
            self._send([{**item, "id": f"calm-{person}", "text": CALM, "at": now.isoformat()}], times=50)
            item["at"] = (now - timedelta(minutes=5)).isoformat()
        self.ledger.note("raised", id=item["id"], person=person)
        self._send([item], times=10_000)
        self.told.add(person)
        if habit == "duplicate":
            again = [threading.Thread(target=self._send, args=([item], 1)) for _ in range(3)]
            for thread in again:
                thread.start()
            for thread in again:
                thread.join()
        self.ledger.fault(habit, target=person)

    def _send(self, items: list[dict[str, str]], times: int) -> None:
        """Send until each item was acknowledged; what was not is sent again under its id."""
        for _ in range(times):
            if not items:
                return
            answers = self._once(items)
            for item, (outcome, detail) in zip(items, answers, strict=True):
                self.ledger.note("answer", id=item["id"], outcome=outcome, detail=detail)
            items = [
                item for item, (outcome, _) in zip(items, answers, strict=True) if outcome != "acknowledged"
            ]
            if items:
                time.sleep(0.2)

    def _once(self, items: list[dict[str, str]]) -> list[tuple[str, str]]:
        try:
            answer = next(self.clients).post("/api/v1/intake", json={"items": items})
            if answer.status_code != 200:
                return [("refused", str(answer.status_code))] * len(items)
            results = [one["result"] for one in answer.json()["items"]]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            return [("unknown", type(error).__name__)] * len(items)
        assert len(results) == len(items), "an answer without a result for each item"
        return [
            ("acknowledged" if one in ("stored", "duplicate") else "refused", f"200 {one}") for one in results
        ]
