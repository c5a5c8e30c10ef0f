"""Writes of signing in: attempts, locks, unlocking; every end of an attempt is in the trail."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection

from cortex.accounts.choices import Attempt, Lock
from cortex.accounts.models import User
from cortex.accounts.queries import user_by_email
from cortex.accounts.signin import queries
from cortex.accounts.signin.devices import Marks, account_mark, factor_mark
from cortex.accounts.signin.models import LoginAttempt
from cortex.audit import Actor, NotFound, Unchanged, action, quiet, record
from cortex.clock import clock

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))"
ACCOUNT_LOCKS, NETWORK_LOCKS = 7, 8


@quiet("an attempt is counted before the password is checked; its end is recorded")
def reserve_attempt(*, marks: Marks, at: datetime | None = None) -> LoginAttempt:
    """Count an attempt before it is checked, so that parallel guesses can't pass a limit together.

    Return the row: outcome `blocked` when a lock holds or a limit is used up, else `tried`.
    """
    _one_at_a_time(marks)
    at = clock(at)
    blocked = queries.locked_until(marks, at) is not None or queries.limit_reached(marks, at)
    return LoginAttempt.objects.create(
        at=at,
        account_hash=marks.account,
        network_hash=marks.network,
        device_hash=marks.device,
        outcome=Attempt.BLOCKED if blocked else Attempt.TRIED,
    )


@quiet("an attempt that could not be checked counts against nobody")
def forget_attempt(*, attempt_id: UUID) -> None:
    """Take back an attempt that nothing was decided about, because a store was away."""
    LoginAttempt.objects.filter(pk=attempt_id, outcome=Attempt.TRIED).delete()


@action
def refuse_attempt(
    *, actor: Actor, attempt_id: UUID, marks: Marks, email: str, factor: str = "", at: datetime | None = None
) -> str:
    """Record a failed attempt; return what it locked (`account`, `device`, `network` or empty).

    `factor` says how a second factor failed (wrong, replayed, key); empty: it was a sign-in by password.
    """
    _one_at_a_time(marks)
    at = clock(at)
    locks = queries.lock_caused_by(marks, at)
    LoginAttempt.objects.filter(pk=attempt_id).update(outcome=Attempt.REFUSED, locks=locks)
    user = user_by_email(email)
    if not factor or locks == Lock.ACCOUNT:  # the person's own row counts failures of the password alone
        _mirror(user, marks, at, locks=locks)
    what = {"account": marks.account, "known_device": bool(marks.device)}
    codes = {"why": factor} if factor else what
    record(actor, "factor.refused" if factor else "session.refused", user, codes=codes, outcome="refused")
    if locks:
        codes = {"by": "factor"} if factor else what
        record(actor, "account.locked", user, codes=codes | {"locks": locks}, outcome="refused")
    return locks


@action
def accept_attempt(*, actor: Actor, attempt_id: UUID, at: datetime | None = None) -> None:
    """Record that the password was right: the failures of this scope start anew."""
    attempt = LoginAttempt.objects.select_for_update().get(pk=attempt_id)
    at = clock(at)
    LoginAttempt.objects.filter(pk=attempt.pk).update(outcome=Attempt.ACCEPTED, at=at)
    if actor.user is not None and not attempt.device_hash:
        # A right password ends no lock of the second factor, so the supervisor goes on seeing that one.
        factor = queries.locked_until(Marks(factor_mark(actor.user.email), ""), at)
        User.objects.filter(pk=actor.user.pk).update(failed_login_count=0, locked_until=factor)
    record(actor, "session.accepted", actor.user, codes={"known_device": bool(attempt.device_hash)})


@action
def unlock_account(*, actor: Actor, user_id: UUID, at: datetime | None = None) -> User:
    """Let a person sign in again at once; supervisors and administrators of their organization may.

    The row ends whatever locks them: the account, a device of theirs, or the network that they sit behind.
    """
    user = User.objects.select_for_update().filter(pk=user_id, organization_id__in=actor.org_ids).first()
    if user is None:
        raise NotFound("There is no such person in your organization.", "no_such_person")
    at = clock(at)
    for mark in (account_mark(user.email), factor_mark(user.email)):
        LoginAttempt.objects.create(at=at, account_hash=mark, outcome=Attempt.UNLOCKED)
    user.failed_login_count = 0
    user.locked_until = None
    user.save(update_fields=["failed_login_count", "locked_until", "updated_at"])
    record(actor, "account.unlocked", user, fields=["locked_until"])
    return user


@action
def request_reset(*, actor: Actor, email: str, marks: Marks, at: datetime | None = None) -> UUID | None:
    """Note that a reset link was asked for; return the id of the person to mail it to, or None for nobody.

    At most 3 an hour per address and 15 per network; a device that signed in before has 3 of its own, which
    strangers can't use up. The door answers the same in all cases.
    """
    _one_at_a_time(marks)
    at = clock(at)
    if queries.resets_asked_too_often(marks, at):
        return Unchanged(None)  # type: ignore[return-value]
    user = user_by_email(email)
    LoginAttempt.objects.create(
        at=at,
        account_hash=marks.account,
        network_hash=marks.network,
        device_hash=marks.device,
        outcome=Attempt.RESET,
    )
    record(actor, "password.reset_asked", user, codes={"account": marks.account})
    is_open = user is not None and user.is_active and user.organization.is_active
    return user.pk if user is not None and is_open else None


@quiet("sign-in attempts are kept 90 days, then dropped")
def drop_attempts_before(*, at: datetime) -> int:
    """Delete attempts older than `at`; return how many."""
    return LoginAttempt.objects.filter(at__lt=at).delete()[0]


def _mirror(user: User | None, marks: Marks, at: datetime, *, locks: str) -> None:
    """Show the state of the account's lock on the person's own row, for supervisors."""
    if user is None or marks.device:
        return
    until = at + queries.LOCK_FOR if locks == Lock.ACCOUNT else user.locked_until
    failures = 0 if locks == Lock.ACCOUNT else queries.failures_of(marks.account, at)
    User.objects.filter(pk=user.pk).update(failed_login_count=failures, locked_until=until)


def _one_at_a_time(marks: Marks) -> None:
    """Queue whoever knocks at the same account, and behind it whoever comes from the same network.

    Always in this order. A known device isn't counted with its network, so it doesn't wait for it either.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [marks.account, ACCOUNT_LOCKS])
        if not marks.device:
            cursor.execute(LOCK, [marks.network, NETWORK_LOCKS])
