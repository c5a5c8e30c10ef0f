"""Counselors: they claim a share of what their screens show, reach the person and resolve it, by requests.

Each goes on until an answer is known. A cut line, a 503 or a lost answer says nothing about whether the claim
is in, so the same request is made again, of the other web process.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from collections.abc import Sequence

import httpx

from tests.faults.nemesis.ledger import Ledger

SHARE = 0.75  # of the alerts are claimed; the others must escalate to the end of their chain
BOTH = 0.2  # of those are claimed by both people at about the same time
PATIENCE = 6.0
SLOWEST = 10.0  # seconds between the first sight and the claim: the chain's second step comes in between
TOKEN = "n" * 32
CONTACT = {"channel": "phone", "note": ""}
ENDING = {"disposition": "remained_community_with_plan", "verdict": "true_crisis",
          "notes": "A neighbour stays with them tonight.", "no_follow_up_reason": "They come."}  # fmt: skip

# What a conflict says when the answer was lost and the request is in.
ALREADY = {"contact": "Its owner is in contact", "resolve": "It was resolved."}


class Claimer:
    """One person at the desk, with as many hands as it takes."""

    def __init__(self, ledger: Ledger, who: str, origins: Sequence[str], cookie: str) -> None:
        self.ledger, self.who, self.origins = ledger, who, origins
        self.headers = {"Cookie": f"{cookie}; csrftoken={TOKEN}"}
        self.won: set[str] = set()
        self.last = 0  # the highest number that a screen of theirs has shown
        self._due: list[tuple[float, str]] = []
        self._busy = 0
        self._lock = threading.Lock()

    def plan(self, alert: str, wait: float) -> None:
        """Claim an alert in so many seconds."""
        with self._lock:
            heapq.heappush(self._due, (time.monotonic() + wait, alert))

    def is_idle(self) -> bool:
        """Whether nothing is planned or in hand."""
        with self._lock:
            return not self._due and not self._busy

    def work(self, stopping: threading.Event) -> None:
        """Work down what is due, one after the other, until stopped; several threads may do so."""
        clients = itertools.cycle(
            [httpx.Client(base_url=one, headers=self.headers, timeout=PATIENCE) for one in self.origins]
        )
        while not stopping.is_set():
            alert = self._next()
            if alert is None:
                time.sleep(0.1)
                continue
            try:
                self._handle(clients, alert, stopping)
            finally:
                with self._lock:
                    self._busy -= 1

    def _next(self) -> str | None:
        with self._lock:
            if not self._due or self._due[0][0] > time.monotonic():
                return None
            self._busy += 1
            return heapq.heappop(self._due)[1]

    def _handle(self, clients: itertools.cycle[httpx.Client], alert: str, stopping: threading.Event) -> None:
        for verb in ("claim", "contact", "resolve"):
            outcome = "unknown"
            while outcome not in ("acknowledged", "conflict"):
                if stopping.is_set():
                    return
                outcome = self._once(next(clients), alert, verb)
                if outcome not in ("acknowledged", "conflict"):
                    time.sleep(0.3)
            if verb == "claim" and outcome == "conflict":
                return  # somebody else has it
            if verb == "claim":
                self.won.add(alert)

    def _once(self, client: httpx.Client, alert: str, verb: str) -> str:
        data = {"csrfmiddlewaretoken": TOKEN}
        data |= {"contact": CONTACT, "resolve": ENDING | {"seen": str(self.last)}}.get(verb, {})
        sent = time.time()
        try:
            answer = client.post(f"/alerts/{alert}/{verb}/", data=data)
        except httpx.HTTPError as error:
            outcome, detail = "unknown", type(error).__name__
        else:
            # A page that asks to sign in again would be a 302.
            known = {303: "acknowledged", 409: "conflict", 503: "unknown"}
            outcome, detail = known.get(answer.status_code, "refused"), str(answer.status_code)
            if outcome == "conflict" and ALREADY.get(verb, "") not in answer.text:
                outcome = "refused"  # something came in meanwhile: decide anew
        self.ledger.note(verb, alert=alert, who=self.who, outcome=outcome, detail=detail, sent=sent)
        return outcome


class Desk:
    """Draws, for each alert that a screen shows first, whether it is claimed, by whom and how soon."""

    def __init__(self, ledger: Ledger, claimers: Sequence[Claimer], seed: int) -> None:
        self.ledger, self.claimers, self.seed = ledger, claimers, seed
        self.chosen: set[str] = set()
        self._known: set[str] = set()
        self._lock = threading.Lock()

    def shown(self, alert: str, number: int, who: int) -> None:
        """A screen of this person showed an event."""
        self.claimers[who].last = max(self.claimers[who].last, number)
        with self._lock:
            if alert in self._known:
                return
            self._known.add(alert)
            draw = random.Random(self.seed * 1_000_003 + len(self._known))
            if draw.random() >= SHARE:
                return
            self.chosen.add(alert)
        self.ledger.note("chosen", alert=alert)
        wait, first = draw.uniform(0.5, SLOWEST), draw.randrange(len(self.claimers))
        both = draw.random() < BOTH
        for place, claimer in enumerate(self.claimers):
            if both or place == first:
                claimer.plan(alert, wait)

    def is_idle(self) -> bool:
        """Whether nobody has anything left to do."""
        return all(claimer.is_idle() for claimer in self.claimers)
