"""The sweeper's rounds: every second the due rows, the owners, the chain of the trail; nothing is skipped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection
from psycopg.errors import LockNotAvailable

from cortex.accounts.mail.sending import send_due
from cortex.audit import system
from cortex.audit.sequencer import anchor_head, link_pending
from cortex.clock import clock
from cortex.ops.actions import note_round
from cortex.ops.postgres.base import answer_within
from cortex.ops.slots.catchup import catch_up
from crisis.alerts.actions import mark_notified
from crisis.duty import queries as duty_queries
from crisis.duty.actions import end_forgotten_shift
from crisis.escalation import queries as escalation_queries
from crisis.escalation.actions import drop_overtaken, finish_stale_steps
from crisis.escalation.queries import DueStep
from crisis.followups.actions import ask_supervisor
from crisis.reviews import actions as reviews
from crisis.reviews import queries as review_queries
from crisis.risk import queries as risk_queries
from crisis.risk.actions import install_lexicon
from crisis.sweep import actions, queries
from crisis.sweep.calls import actions as calls
from crisis.sweep.delivery import Deliveries
from crisis.sweep.overdue.actions import escalate_task

log = structlog.get_logger(__name__)

ROUND = 1.0
# A database, or a network, that says nothing for so long is given up, and the next round begins anew; the
# server itself gives a statement a little less.
ANSWER = 12.0
ANCHOR_EVERY = 30.0
CATCH_UP_EVERY = 60.0
# So many due steps are read at a time; after so many times the round ends and says that it is alive.
BATCH = 200
BATCHES = 4
# So many calls share a transaction. Their people's locks are held for as long as it takes: some 50 ms.
TOGETHER = 25
SWEEPER = system("sweeper")

Work = Callable[[UUID], object]

# What a round looks after besides the steps: what is due, by id, and what is done with each.
CHORES: tuple[tuple[str, Callable[[datetime], list[UUID]], Work], ...] = (
    (
        "evaluation",
        lambda at: risk_queries.due_evaluations(at),
        lambda row: actions.run_evaluation(actor=SWEEPER, due_id=row),
    ),
    (
        "uncovered",
        queries.uncovered_alert_ids,
        lambda row: actions.call_uncovered(actor=SWEEPER, alert_id=row),
    ),
    (
        "cover_back",
        queries.covered_incident_ids,
        lambda row: actions.end_no_cover(actor=SWEEPER, alert_id=row),
    ),
    (
        "confirmed",
        queries.confirmed_new_alert_ids,
        lambda row: mark_notified(actor=SWEEPER, alert_id=row),
    ),
    (
        "owner_gone",
        queries.absent_owner_alert_ids,
        lambda row: actions.note_owner_gone(actor=SWEEPER, alert_id=row),
    ),
    (
        "owner_back",
        queries.returned_owner_alert_ids,
        lambda row: actions.note_owner_back(actor=SWEEPER, alert_id=row),
    ),
    (
        "shift",
        duty_queries.forgotten_shift_ids,
        lambda row: end_forgotten_shift(actor=SWEEPER, shift_id=row),
    ),
    (
        "unplanned_start",
        duty_queries.untold_start_ids,
        lambda row: actions.note_unplanned_start(actor=SWEEPER, shift_id=row),
    ),
    (
        "overrun_break",
        duty_queries.overrun_break_ids,
        lambda row: actions.note_overrun_break(actor=SWEEPER, shift_id=row),
    ),
    (
        "review",
        review_queries.overdue_item_ids,
        lambda row: escalate_task(actor=SWEEPER, item_id=row),
    ),
    (
        "follow_up",
        review_queries.passed_follow_up_ids,
        lambda row: reviews.sweep_follow_up(actor=SWEEPER, follow_up_id=row),
    ),
    (
        "welfare_check",
        review_queries.due_for_supervisor,
        lambda row: ask_supervisor(actor=SWEEPER, follow_up_id=row),
    ),
)


def sweep_once() -> int:
    """Run every due row once and look after the owners; return how many rows were run."""
    return run_steps() + run_chores()


def run_steps(lane: int = 0) -> int:
    """Run the due steps, the critical ones first, asking again after each batch; return how many ran.

    Two threads do this side by side, as two sweepers may; `lane` (0 or 1) says which of the two this is.
    """
    _guarded("stale_steps", None, lambda _: finish_stale_steps(actor=SWEEPER))
    seen: set[UUID] = set()
    ran = 0
    for _ in range(BATCHES):
        due = [one for one in escalation_queries.due_steps(clock(), BATCH) if one.pk not in seen]
        if not due:
            break
        seen.update(one.pk for one in due)
        for group in _in_turn(grouped(due), lane):
            ran += _run_group(group)
    return ran


def grouped(due: list[DueStep]) -> list[list[DueStep]]:
    """Return the steps in groups, the urgent ones first: calls of one organization together, the rest alone.

    A step that has failed before runs alone, so that it takes no other one back with it.
    """
    groups: list[list[DueStep]] = []
    filling: dict[tuple[int, UUID], list[DueStep]] = {}
    for one in due:
        key = (one.place, one.organization_id)
        if one.kind not in calls.KINDS or one.tries:
            groups.append([one])
        elif key in filling and len(filling[key]) < TOGETHER:
            filling[key].append(one)
        else:
            filling[key] = [one]
            groups.append(filling[key])
    return groups


def _in_turn(groups: list[list[DueStep]], lane: int) -> list[list[DueStep]]:
    """The groups in order, the two of each pair swapped for the second thread: they seldom meet at one."""
    return [groups[place] for place in sorted(range(len(groups)), key=lambda place: place ^ lane)]


def _run_group(group: list[DueStep]) -> int:
    """Run a group in one transaction, and by itself whatever could not run so: all of it when that failed."""
    alone = [one.pk for one in group]
    ran = 0
    if len(group) > 1:
        answers: list[tuple[int, list[UUID]]] = []
        ids, of = alone, group[0].organization_id
        run = partial(calls.run_calls, actor=SWEEPER, organization_id=of, step_ids=ids)
        if _guarded("calls", None, lambda _: answers.append(run())):
            ran, alone = answers[0]
    return ran + sum(_guarded("step", step_id, _run_step, _put_step_off) for step_id in alone)


def run_chores() -> int:
    """Look after everything that isn't a step; what fails in one kind of row stops no other kind."""
    _guarded("overtaken", None, lambda _: drop_overtaken(actor=SWEEPER))
    ran = 0
    for kind, due, work in CHORES:
        found: list[UUID] = []
        _guarded(kind, None, lambda _, due=due, found=found: found.extend(due(clock())))  # type: ignore[misc]
        put_off = _put_evaluation_off if kind == "evaluation" else None
        ran += sum(_guarded(kind, row_id, work, put_off) for row_id in found)
    return ran


def _run_step(step_id: UUID) -> object:
    return actions.run_step(actor=SWEEPER, step_id=step_id)


def _put_step_off(step_id: UUID, error: Exception) -> None:
    """Report a step that failed; when that can't be done either, move it out of the way all the same."""
    code, busy = type(error).__name__, _is_busy(error)
    report = partial(actions.report_failed_step, actor=SWEEPER, error_code=code)
    # A report takes the same locks: where somebody holds them, it would only wait once more.
    if busy or not _guarded("step_report", step_id, lambda row: report(step_id=row)):
        put_off = partial(actions.put_step_off, actor=SWEEPER, error_code=code, busy=busy)
        _guarded("step_put_off", step_id, lambda row: put_off(step_id=row))


def _put_evaluation_off(due_id: UUID, error: Exception) -> None:
    code, busy = type(error).__name__, _is_busy(error)
    report = partial(actions.report_failed_evaluation, actor=SWEEPER, error_code=code)
    if busy or not _guarded("evaluation_report", due_id, lambda row: report(due_id=row)):
        put_off = partial(actions.put_evaluation_off, actor=SWEEPER, error_code=code, busy=busy)
        _guarded("evaluation_put_off", due_id, lambda row: put_off(due_id=row))


def _is_busy(error: Exception) -> bool:
    """Whether a row could not be run because somebody else holds what it needs for longer than we wait."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, LockNotAvailable)


def _guarded(
    kind: str,
    row_id: UUID | None,
    work: Callable[..., object],
    put_off: Callable[[UUID, Exception], None] | None = None,
) -> int:
    """Do one row's work and return 1, or log its failure by code and return 0: the next row must not wait.

    Only a lost connection ends the round: nothing else could run either.
    """
    try:
        work(row_id)
    except Exception as error:
        if isinstance(error, DatabaseError) and not connection.is_usable():
            raise
        log.error("row_failed", kind=kind, row=str(row_id), error=type(error).__name__)
        if put_off is not None and row_id is not None:
            put_off(row_id, error)
        return 0
    return 1


def link_trail() -> int:
    """Link and sign what was written to the trail since the last round."""
    return link_pending()


class Sweeper:
    """Threads with a connection each, so that a slow pager delays no step and a stuck chore no call."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._anchored = 0.0
        self._caught_up = float("-inf")

    def run(self) -> None:
        """Put the packaged lexicon into force, then work until stopped."""
        while not self._installed():
            self.stopping.wait(ROUND)
            if self.stopping.is_set():
                return
        parts: dict[str, Callable[[], int]] = {
            "steps": partial(run_steps, 1),
            "chores": run_chores,
            "mails": Deliveries(webhooks=False).send_due,
            "pagers": Deliveries(webhooks=True).send_due,
            "account mails": send_due,
            "trail": self._trail,
            "timetable": self._timetable,
        }
        threads = [
            threading.Thread(target=self._repeat, args=(name, work), name=name, daemon=True)
            for name, work in parts.items()
        ]
        for thread in threads:
            thread.start()
        self._repeat("sweeper", run_steps)
        for thread in threads:
            thread.join(timeout=3)

    def _installed(self) -> bool:
        """Put the lexicon into force; with the database away we try again, and nobody has to start us."""
        try:
            with answer_within(ANSWER):
                install_lexicon(actor=SWEEPER)
        except (OperationalError, InterfaceError) as error:
            log.error("sweep_failed", part="lexicon", error=type(error).__name__)
            connection.close()
            return False
        return True

    def _trail(self) -> int:
        linked = link_trail()
        if time.monotonic() - self._anchored > ANCHOR_EVERY:
            anchor_head()
            self._anchored = time.monotonic()
        return linked

    def _timetable(self) -> int:
        """Send what beat let fall, once a minute; a broker that is away costs this thread alone its round."""
        if time.monotonic() - self._caught_up < CATCH_UP_EVERY:
            return 0
        self._caught_up = time.monotonic()
        return catch_up(actor=SWEEPER)

    def _repeat(self, name: str, work: Callable[[], int]) -> None:
        while not self.stopping.is_set():
            started = time.monotonic()
            try:
                with answer_within(ANSWER):
                    close_old_connections()
                    queries.wait_briefly()
                    note_round(actor=SWEEPER, name=name, detail={"done": work()})
            except Exception as error:
                # Usually the database is away. Whatever it is, say so and try again: everything due is still
                # a row, and a thread that dies in silence would take its duties with it.
                log.error("sweep_failed", part=name, error=type(error).__name__)
                connection.close()
            self.stopping.wait(max(0.05, ROUND - (time.monotonic() - started)))
        connection.close()
