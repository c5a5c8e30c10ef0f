"""Reads of sign-in attempts: how many failures count, and what is locked until when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from cortex.accounts.choices import Attempt, Lock
from cortex.accounts.models import User
from cortex.accounts.signin.devices import Marks, account_mark, factor_mark
from cortex.accounts.signin.models import LoginAttempt

WINDOW = timedelta(minutes=15)
LOCK_FOR = timedelta(minutes=15)
FAILURES = 5
RESETS_PER_HOUR = 3

_FAILED = (Attempt.TRIED, Attempt.REFUSED)


def account_marks(org_ids: Iterable[UUID]) -> list[str]:
    """Return the marks of everybody who works for these organizations, by which their attempts are found."""
    people = User.objects.filter(organization_id__in=list(org_ids))
    emails = list(people.values_list("email", flat=True))
    return [mark(email) for mark in (account_mark, factor_mark) for email in emails]


def locked_until(marks: Marks, at: datetime) -> datetime | None:
    """Return when the lock that holds for these marks ends, or None.

    A device that signed in before is locked by its own failures only, never by those of others.
    """
    if marks.device:
        rows = LoginAttempt.objects.filter(
            account_hash=marks.account, device_hash=marks.device, locks=Lock.DEVICE
        )
    else:
        rows = LoginAttempt.objects.filter(
            Q(account_hash=marks.account, locks=Lock.ACCOUNT)
            | Q(network_hash=marks.network, locks=Lock.NETWORK)
        )
    last = rows.filter(at__gt=at - LOCK_FOR, at__lte=at).order_by("-at").first()
    if last is None or _unlocked_after(marks, last.at):
        return None
    return last.at + LOCK_FOR


def lock_caused_by(marks: Marks, at: datetime) -> str:
    """Return what the attempt that was just written locks, if its failures reached the limit."""
    since = at - WINDOW
    if marks.device:
        return Lock.DEVICE if _account_failures(marks, since).count() >= FAILURES else Lock.NONE
    if _account_failures(marks, since).count() >= FAILURES:
        return Lock.ACCOUNT
    return Lock.NETWORK if _failing_accounts(marks, since) >= FAILURES else Lock.NONE


def failures_of(account: str, at: datetime) -> int:
    """Return how many failures of unknown devices count against the account at `at`."""
    return _account_failures(Marks(account, ""), at - WINDOW).count()


def limit_reached(marks: Marks, at: datetime) -> bool:
    """Whether the failures, and the attempts that are being checked right now, use up a limit."""
    since = at - WINDOW
    if _account_failures(marks, since).count() >= FAILURES:
        return True
    return not marks.device and _failing_accounts(marks, since) >= FAILURES


def resets_asked_too_often(marks: Marks, at: datetime) -> bool:
    """Whether too many password resets were asked for in the last hour.

    A known device is held to its own wishes for the account; unknown ones share those of the account and of
    their network.
    """
    rows = LoginAttempt.objects.filter(outcome=Attempt.RESET, at__gt=at - timedelta(hours=1))
    for_account = rows.filter(account_hash=marks.account, device_hash=marks.device).count()
    if marks.device or for_account >= RESETS_PER_HOUR:
        return for_account >= RESETS_PER_HOUR
    return rows.filter(network_hash=marks.network, device_hash="").count() >= RESETS_PER_HOUR * 5


def _account_failures(marks: Marks, since: datetime) -> QuerySet[LoginAttempt]:
    """Failures of one account, of one known device or of all unknown ones, since the last success or lock."""
    rows = LoginAttempt.objects.filter(account_hash=marks.account)
    scope = rows.filter(device_hash=marks.device)
    fresh_start = Q(outcome=Attempt.UNLOCKED) | (
        Q(device_hash=marks.device) & (Q(outcome=Attempt.ACCEPTED) | Q(locks__in=(Lock.ACCOUNT, Lock.DEVICE)))
    )
    start = rows.filter(fresh_start, at__gt=since).order_by("-at").values_list("at", flat=True).first()
    return scope.filter(outcome__in=_FAILED, at__gt=start or since)


def _failing_accounts(marks: Marks, since: datetime) -> int:
    """Count the accounts that failed from a network and did not succeed there since: the mark of guessing.

    One colleague's typing errors lock that account; they must not lock the desk behind the same address.
    """
    rows = LoginAttempt.objects.filter(network_hash=marks.network, at__gt=since)
    start = rows.filter(locks=Lock.NETWORK).order_by("-at").values_list("at", flat=True).first()
    rows = rows.filter(at__gt=start) if start else rows
    good = rows.filter(outcome=Attempt.ACCEPTED).values("account_hash")
    failed = rows.filter(outcome__in=_FAILED, device_hash="").exclude(account_hash__in=good)
    return failed.values("account_hash").distinct().count()


def _unlocked_after(marks: Marks, at: datetime) -> bool:
    return LoginAttempt.objects.filter(
        account_hash=marks.account, outcome=Attempt.UNLOCKED, at__gt=at
    ).exists()
