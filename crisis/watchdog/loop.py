"""The watchdog's rounds: raise a canary, hear it, look at everybody's clocks, say what was found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import close_old_connections, connection, connections

from cortex.accounts.queries import organizations
from cortex.audit import system
from cortex.clock import clock
from cortex.live.feed import hint_beside
from cortex.ops import watched
from cortex.ops.actions import note_round
from cortex.ops.queries import last_round
from crisis.watchdog import actions, deadman
from crisis.watchdog.canary import Canary, Place
from crisis.watchdog.ear import Ear, origin_of
from crisis.watchdog.eyes import Eyes, address_of

log = structlog.get_logger(__name__)

T = TypeVar("T")
WATCHDOG = system("watchdog")
# Whatever was due while everything stood still is run in the first seconds after a start.
FIRST_AFTER = 15.0
# After a round that found something the next one comes sooner: what was mended is said to be.
AGAIN_AFTER = 15.0
SHOWN_SECONDS = 10.0


@dataclass
class Verdict:
    """What one round found, by codes; it holds when nothing was."""

    codes: list[str] = field(default_factory=list)
    overdue: int | None = None
    canary_ms: int | None = None

    @property
    def holds(self) -> bool:
        """Whether everything was as it should be."""
        return not self.codes

    def find(self, code: str, error: Exception | None = None) -> None:
        """Add a finding, and say it in the log."""
        log.error("watchdog_found", code=code, error=type(error).__name__ if error else "")
        if code not in self.codes:
            self.codes.append(code)

    def get(self, code: str, work: Callable[[], T]) -> T | None:
        """Do one part; when it fails that is the finding `code`, and the round goes on without it."""
        try:
            return work()
        except Exception as error:
            self.find(code, error)
            return None


class Watchdog:
    """One process; a second one beside it takes turns with it."""

    def __init__(self, *, address: str = "", first_after: float = FIRST_AFTER) -> None:
        self.address = address or address_of(connections.databases["default"])
        self.first_after = first_after
        self.every = float(settings.CORTEX_WATCHDOG_SECONDS)
        self.stopping = threading.Event()
        self.canary = Canary()

    def run(self) -> None:
        """Work until stopped; nothing that a round meets ends the rounds."""
        self.stopping.wait(self.first_after)
        while not self.stopping.is_set():
            begun = time.monotonic()
            pause = self.every if self.work() else min(AGAIN_AFTER, self.every)
            self.stopping.wait(max(0.05, pause - (time.monotonic() - begun)))
        Verdict().get("not_left", self.canary.leave)
        connection.close()

    def work(self) -> bool:
        """Do one round, write its verdict and call the dead-man URL; return whether all of it is well."""
        try:
            close_old_connections()
            verdict = self.look_round()
        except Exception as error:  # What no part foresaw is a finding like any other.
            verdict = Verdict()
            verdict.find("round_failed", error)
        if verdict is None:
            return True
        is_noted = verdict.get("not_noted", lambda: note(verdict)) is not None
        if verdict.holds and is_noted and settings.CORTEX_DEADMAN_URL:
            called = deadman.call(settings.CORTEX_DEADMAN_URL)
            verdict.get("not_noted", lambda: note(verdict, called))
        if not verdict.holds:
            # A connection that a fault has left half way is worth nothing for the next round.
            connection.close()
        return verdict.holds

    def look_round(self) -> Verdict | None:
        """Return what one round found; None when another watchdog is at it, or this one is to stop."""
        verdict = Verdict()
        eyes = verdict.get("no_database", lambda: Eyes(self.address))
        if eyes is None:
            return verdict
        with eyes:
            has_turn = verdict.get("no_database", eyes.take_turn)
            if has_turn is False:
                log.info("watchdog_stands_by")
                return None
            if has_turn:
                self._look(verdict, eyes)
        return None if self.stopping.is_set() else verdict

    def _look(self, verdict: Verdict, eyes: Eyes) -> None:
        place = verdict.get("no_place", self.canary.prepare)
        alert_id = None
        if place is not None:
            ear = verdict.get("no_socket", lambda: _open(place))
            alert_id = self._try_alert(verdict, place, ear)
            if ear is None:
                # Its session may be the reason: the next round has a new one.
                verdict.get("no_place", self.canary.leave)
        seen = verdict.get("blind", lambda: eyes.look(alert_id))
        if seen is not None:
            verdict.overdue = seen.overdue
            for code in seen.codes:
                verdict.find(code)
        if place is not None:
            verdict.get(
                "not_ended",
                lambda: actions.end_canaries(actor=place.actor, organization_id=place.organization_id),
            )

    def _try_alert(self, verdict: Verdict, place: Place, ear: Ear | None) -> UUID | None:
        """Raise a canary and wait for it at the socket; return its id while it stands."""
        begun = time.monotonic()
        alert = verdict.get(
            "not_raised",
            lambda: actions.raise_canary(actor=place.actor, organization_id=place.organization_id),
        )
        if ear is None:
            return alert.pk if alert else None
        if alert is not None:
            until = begun + SHOWN_SECONDS
            heard = verdict.get("no_socket", lambda: self._wait(ear, alert.pk, until))
            if heard is not None:
                verdict.canary_ms = round((heard - begun) * 1000)
            elif "no_socket" not in verdict.codes and not self.stopping.is_set():
                verdict.find("not_shown_in_10_s")
        verdict.get("no_socket", ear.close)
        return alert.pk if alert else None

    def _wait(self, ear: Ear, alert_id: UUID, until: float) -> float | None:
        return ear.hears(alert_id, until=until, goes_on=lambda: not self.stopping.is_set())


def _open(place: Place) -> Ear:
    return Ear.open(
        settings.CORTEX_WATCHDOG_URL or settings.CORTEX_PUBLIC_URL,
        origin=origin_of(settings.CORTEX_PUBLIC_URL),
        cookie=place.cookie,
        topic=place.topic,
    )


def note(verdict: Verdict, called: str = "") -> dict[str, Any]:
    """Write a verdict as the watchdog's sign of life and return what was written.

    `held_at` is when it last held: since then alerts may be late. Boards are hinted when that changes, and
    ask by themselves every five seconds.
    """
    before = last_round(watched.WATCHDOG)
    held_at = clock().isoformat()
    if not verdict.holds and before is not None:
        held_at = before[1].get("held_at", held_at)
    detail = {
        "holds": verdict.holds,
        "codes": verdict.codes,
        "overdue": verdict.overdue,
        "canary_ms": verdict.canary_ms,
        "held_at": held_at,
        "deadman": called,
    }
    note_round(actor=WATCHDOG, name=watched.WATCHDOG, detail=detail)
    if before is None or before[1].get("holds") is not verdict.holds:
        hint_beside(one.pk for one in organizations())
    log.info("watchdog_round", holds=verdict.holds, codes=verdict.codes, canary_ms=verdict.canary_ms)
    return detail
