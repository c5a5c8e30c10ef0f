"""A primary is killed under load and its standby promoted: nothing acknowledged is lost, writing goes on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

import psycopg
import pytest
from django.db import OperationalError, connections

from cortex.ops.embedded_postgres import SUPERUSER
from cortex.ops.postgres.base import DatabaseWrapper
from cortex.ops.processes import wait_until
from tests.faults.replica import Account, Pair, fail_over, pair, process_is_stopped, signal_process

EXPLORE = int(os.environ.get("CORTEX_EXPLORE", "0"))
# One trial of each kind in `make test`; the long form takes three in a hundred of what the others take.
TRIALS = max(1, EXPLORE // 30)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def loaded(both: Pair, number: int = 200) -> None:
    both.load()
    assert wait_until(lambda: len(both.acknowledged()) >= number, 60), "the writers never wrote"


def stalled(both: Pair) -> int:
    """Stop the standby's receiver in the middle of the load; return its process."""
    receiver = both.walreceiver()
    signal_process(receiver, signal.SIGSTOP)
    assert wait_until(lambda: process_is_stopped(receiver), 30)
    return receiver


def tell(what: str, account: Account) -> None:
    print(f"\n{what}: {account}")


@pytest.mark.parametrize("trial", range(TRIALS))
def test_a_primary_that_is_killed_under_load_loses_nothing_that_was_acknowledged(trial: int) -> None:
    with pair() as both:
        both.be_synchronous()
        loaded(both, 200 + 50 * trial)
        account = fail_over(both)
    tell("primary killed", account)
    assert (account.lost, account.gaps) == (0, 0)
    assert account.after > 0


@pytest.mark.parametrize("trial", range(TRIALS))
def test_with_a_stalled_standby_writes_wait_and_what_was_acknowledged_before_is_kept(trial: int) -> None:
    with pair() as both:
        both.be_synchronous()
        loaded(both)
        receiver = stalled(both)
        # Whoever writes waits for the standby and says so; nobody is told that it is safe.
        assert wait_until(lambda: both.ask(both.primary, WAITING) >= 2, 30)
        before = len(both.acknowledged())
        time.sleep(0.6)
        assert len(both.acknowledged()) == before
        account = fail_over(both, lambda: signal_process(receiver, signal.SIGCONT))
    tell("standby stalled, primary killed", account)
    assert (account.lost, account.gaps) == (0, 0)
    assert account.after > 0


def test_without_a_synchronous_standby_the_same_fault_is_a_counted_loss() -> None:
    """The control: the count above can be other than zero."""
    with pair() as both:
        loaded(both)
        receiver = stalled(both)
        known = len(both.acknowledged())
        assert wait_until(lambda: len(both.acknowledged()) > known + 100, 60)
        # A link that is cut: what was sent and not yet taken is gone with the receiver.
        account = fail_over(both, lambda: both.cut_link(receiver))
    tell("asynchronous, standby stalled, primary killed", account)
    assert account.lost > 0


def test_a_dead_standby_stops_writing_and_nothing_is_called_safe_that_is_not(
    django_db_blocker: pytest.FixtureRequest,
) -> None:
    with pair() as both, django_db_blocker.unblock():  # type: ignore[attr-defined]
        both.be_synchronous()
        both.standby.stop()
        # A client gives up after its own time; the server goes on waiting, and nobody sees the row.
        ours = connected(both, ANSWER_SECONDS=0.5)
        with pytest.raises(OperationalError):
            write_by(ours)
        assert wait_until(lambda: both.ask(both.primary, WAITING) == 1, 30)
        assert both.ask(both.primary, "SELECT count(*) FROM alert") == 0
        # The trap: a wait that is cancelled is answered as success, with a warning that nobody reads.
        with psycopg.connect(both.primary.address(SUPERUSER, both.primary.password, "postgres")) as plain:
            plain.execute("INSERT INTO alert VALUES (gen_random_uuid(), 0)")
            with cancelling(both, plain.info.backend_pid):
                plain.commit()
        # Our connections make an error of it.
        ours = connected(both)
        with pytest.raises(OperationalError, match="not known to be on the standby"):
            write_by(ours, both)
        # Taken off the list, the dead one holds nobody up; its slot keeps what it will need.
        both.be_synchronous("")
        write_by(ours)
        assert wait_until(lambda: both.ask(both.primary, WAITING) == 0, 30)
        ours.close()
        del connections["replica"]
        both.standby.start()
        both.standby.wait_ready(20)
        both.be_synchronous()
        written = both.ask(both.primary, "SELECT count(*) FROM alert")
        assert wait_until(lambda: both.ask(both.standby, "SELECT count(*) FROM alert") == written == 4, 30)


def write_by(ours: DatabaseWrapper, both: Pair | None = None) -> None:
    """Write one row as the application does; with `both`, somebody cancels the wait of its commit."""
    ours.set_autocommit(False)
    try:
        with ours.cursor() as cursor:
            cursor.execute("INSERT INTO alert VALUES (gen_random_uuid(), 1)")
            cursor.execute("SELECT pg_backend_pid()")
            (backend,) = cursor.fetchone()
        with cancelling(both, backend) if both else nullcontext():
            ours.commit()
        ours.set_autocommit(True)
    except OperationalError:
        ours.close()
        raise


@contextmanager
def cancelling(both: Pair, backend: int) -> Iterator[None]:
    """Cancel what a backend waits for as soon as it waits for the standby."""
    waits = f"{WAITING} AND pid = {backend}"

    def cancel() -> None:
        assert wait_until(lambda: both.ask(both.primary, waits) == 1, 30)
        assert both.ask(both.primary, f"SELECT pg_cancel_backend({backend})")

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(cancel)
        yield
        done.result()


def connected(both: Pair, **more: object) -> DatabaseWrapper:
    """Return the application's own kind of connection to the primary."""
    from django.conf import settings

    own = {"NAME": "postgres", "USER": SUPERUSER, "PASSWORD": both.primary.password,
           "HOST": str(both.primary.sockets), "PORT": str(both.primary.port), "OPTIONS": {}}  # fmt: skip
    # Django asks a new connection for its types by the name that it has.
    connections["replica"] = DatabaseWrapper({**settings.DATABASES["default"], **own, **more}, "replica")
    return connections["replica"]
