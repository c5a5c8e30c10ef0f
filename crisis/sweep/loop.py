"""The sweeper's rounds: every second the due rows, the owners, the chain of the trail; nothing is skipped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from django.db import DatabaseError, close_old_connections, connection

from cortex.accounts.mail.sending import send_due
from cortex.audit import system
from cortex.audit.sequencer import anchor_head, link_pending
from cortex.clock import clock
from cortex.ops.actions import note_round
from crisis.duty import queries as duty_queries
from crisis.duty.actions import end_forgotten_shift
from crisis.escalation import queries as escalation_queries
from crisis.reviews import actions as reviews
from crisis.reviews import queries as review_queries
from crisis.risk import queries as risk_queries
from crisis.risk.actions import install_lexicon
from crisis.sweep import actions, queries
from crisis.sweep.delivery import deliver

log = structlog.get_logger(__name__)

ROUND = 1.0
ANCHOR_EVERY = 30.0
# A follow-up call may be made all day long before it counts as missed.
FOLLOW_UP_GRACE = timedelta(hours=24)
SWEEPER = system("sweeper")


def sweep_once() -> int:
    """Run every due row once and look after the owners; return how many rows were run."""
    ran = sum(_step(step_id) for step_id in escalation_queries.due_step_ids(clock()))
    for due_id in risk_queries.due_evaluations(clock()):
        ran += _guarded("evaluation", due_id, partial(actions.run_evaluation, due_id=due_id))
    at = clock()
    for alert_id in queries.absent_owner_alert_ids(at):
        _guarded("owner_gone", alert_id, partial(actions.note_owner_gone, alert_id=alert_id))
    for alert_id in queries.returned_owner_alert_ids(at):
        _guarded("owner_back", alert_id, partial(actions.note_owner_back, alert_id=alert_id))
    for shift_id in duty_queries.forgotten_shift_ids(at):
        _guarded("shift", shift_id, partial(end_forgotten_shift, shift_id=shift_id))
    for item_id in review_queries.overdue_item_ids(at):
        _guarded("review", item_id, partial(reviews.escalate_item, item_id=item_id))
    for follow_up_id in review_queries.passed_follow_up_ids(at, FOLLOW_UP_GRACE):
        _guarded("follow_up", follow_up_id, partial(reviews.sweep_follow_up, follow_up_id=follow_up_id))
    return ran


def _step(step_id: UUID) -> int:
    """Run one step; one that fails is put off for a while, so that it never starves the others."""

    def postpone(error: Exception) -> None:
        actions.report_failed_step(actor=SWEEPER, step_id=step_id, error_code=type(error).__name__)

    return _guarded("step", step_id, partial(actions.run_step, step_id=step_id), postpone)


def _guarded(
    kind: str,
    row_id: UUID,
    run: Callable[..., object],
    after_failure: Callable[[Exception], None] | None = None,
) -> int:
    """Run one row's work and return 1, or log its failure by code and return 0: the next row must not wait.

    Only a lost connection ends the round: nothing else could run either.
    """
    try:
        run(actor=SWEEPER)
    except Exception as error:
        if isinstance(error, DatabaseError) and not connection.is_usable():
            raise
        log.error("row_failed", kind=kind, row=str(row_id), error=type(error).__name__)
        if after_failure is not None:
            after_failure(error)
        return 0
    return 1


def link_trail() -> int:
    """Link and sign what was written to the trail since the last round."""
    return link_pending()


def deliver_due() -> int:
    """Send the e-mails and webhooks that are due."""
    due = escalation_queries.due_attempt_ids(clock())
    for attempt_id in due:
        deliver(attempt_id)
    return len(due)


class Sweeper:
    """Four threads with a connection each, so that a slow pager delays no step, no link and no invitation."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._anchored = 0.0

    def run(self) -> None:
        """Put the packaged lexicon into force, then work until stopped."""
        install_lexicon(actor=SWEEPER)
        threads = [
            threading.Thread(target=self._repeat, args=(name, work), name=name, daemon=True)
            for name, work in (("deliveries", deliver_due), ("mails", send_due), ("trail", self._trail))
        ]
        for thread in threads:
            thread.start()
        self._repeat("steps", self._steps)
        for thread in threads:
            thread.join(timeout=3)

    def _steps(self) -> int:
        ran = sweep_once()
        note_round(actor=SWEEPER, name="sweeper", detail={"ran": ran})
        return ran

    def _trail(self) -> int:
        linked = link_trail()
        if time.monotonic() - self._anchored > ANCHOR_EVERY:
            anchor_head()
            self._anchored = time.monotonic()
        return linked

    def _repeat(self, name: str, work: Callable[[], int]) -> None:
        while not self.stopping.is_set():
            started = time.monotonic()
            try:
                close_old_connections()
                done = work()
                if name != "steps":
                    note_round(actor=SWEEPER, name=name, detail={"done": done})
            except Exception as error:
                # Usually the database is away. Whatever it is, say so and try again: everything due is still
                # a row, and a thread that dies in silence would take its duties with it.
                log.error("sweep_failed", part=name, error=type(error).__name__)
                connection.close()
            self.stopping.wait(max(0.05, ROUND - (time.monotonic() - started)))
        connection.close()
