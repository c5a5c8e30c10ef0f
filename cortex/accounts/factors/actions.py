"""Writes of second factors: added, used, removed, recovery codes renewed, a colleague's reset."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

from cortex.accounts.choices import Attempt, FactorReset
from cortex.accounts.factors import queries
from cortex.accounts.factors.adapter import SUBJECT, resealed
from cortex.accounts.factors.codes import new_seed, open_secret, sealed, step_of
from cortex.accounts.factors.queries import APP_NAME, MAIN, SEALED
from cortex.accounts.factors.required import is_required
from cortex.accounts.factors.standing import refuse_reset
from cortex.accounts.mail.actions import queue_mail
from cortex.accounts.mail.models import MailKind
from cortex.accounts.models import LoginAttempt, User
from cortex.accounts.sessions.actions import end_sessions_of
from cortex.audit import HOUSE, Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.crypto.errors import DecryptError, KeyDestroyed, KeyMissing

Type = Authenticator.Type
Found = Literal["totp", "recovery_codes", "replayed", "wrong"]
MOST_KEYS = 8
NAME_LENGTH = 60


@action
def add_app(*, actor: Actor, secret: str, code: str, name: str = "", at: datetime | None = None) -> list[str]:
    """Set up an authenticator app that shows `code` now, in the place of the one before.

    Return the recovery codes when they are new (the first factor), else an empty list. Raise InputRefused for
    a wrong code. The code that was shown is used up with it.
    """
    user = _locked(actor)
    at = clock(at)
    step = step_of(secret, code, at)
    if step is None:
        raise InputRefused("That code is not right. Wait for the next one.", "incorrect_code", field="code")
    for earlier in Authenticator.objects.filter(user=user, type=Type.TOTP):
        _drop(actor, user, earlier, why="replaced")
    data = {"name": _named(name, APP_NAME), "secret": sealed(user.pk, secret), "last_step": step}
    Authenticator.objects.create(user=user, type=Type.TOTP, data=data, created_at=at)
    record(actor, "factor.added", user, codes={"kind": Type.TOTP})
    return _first_codes(actor, user, at)


@action
def add_key(*, actor: Actor, name: str, credential: dict[str, Any], at: datetime | None = None) -> list[str]:
    """Keep a security key that the form has checked; return the recovery codes when they are new."""
    user = _locked(actor)
    if Authenticator.objects.filter(user=user, type=Type.WEBAUTHN).count() >= MOST_KEYS:
        raise RuleBroken(f"You have {MOST_KEYS} keys. Remove one first.", "too_many_keys")
    data = {"name": _named(name, "Security key"), "credential": credential}
    Authenticator.objects.create(user=user, type=Type.WEBAUTHN, data=data, created_at=clock(at))
    record(actor, "factor.added", user, codes={"kind": Type.WEBAUTHN})
    return _first_codes(actor, user, clock(at))


@action
def remove_factor(*, actor: Actor, factor_id: int) -> None:
    """Remove one of one's own factors; the last one stays where a factor is required (RuleBroken)."""
    user = _locked(actor)
    own = list(Authenticator.objects.filter(user=user, type__in=MAIN))
    chosen = next((one for one in own if one.pk == factor_id), None)
    if chosen is None:
        raise NotFound("There is no such factor.", "no_such_factor")
    if len(own) == 1 and is_required(user):
        raise RuleBroken(
            "Your organization asks for a second factor. Set up another one before you remove this.",
            "last_factor",
        )
    _drop(actor, user, chosen, why="own")
    if len(own) == 1:
        for codes in Authenticator.objects.filter(user=user, type=Type.RECOVERY_CODES):
            _drop(actor, user, codes, why="last_factor")


@action
def renew_codes(*, actor: Actor, at: datetime | None = None) -> list[str]:
    """Make ten new recovery codes and return them; the ones before are worth nothing from now on."""
    user = _locked(actor)
    if not Authenticator.objects.filter(user=user, type__in=MAIN).exists():
        raise RuleBroken("Set up an app or a key first: codes stand in for one.", "no_factor")
    Authenticator.objects.filter(user=user, type=Type.RECOVERY_CODES).delete()
    codes = _make_codes(user, clock(at))
    record(actor, "factor.codes_renewed", user, codes={"count": len(codes)})
    return codes


@action
def use_code(
    *, actor: Actor, attempt_id: UUID, code: str, at: datetime | None = None
) -> Found | Unchanged[Found]:
    """Check a code of a person's app, else of their recovery codes; say which it was, `replayed` or `wrong`.

    A code of the app counts once: no step at or before the last used one is taken again, also not at the same
    moment. A recovery code counts once for ever.
    """
    user = _locked(actor)
    at = clock(at)
    rows = {row.type: row for row in Authenticator.objects.select_for_update().filter(user=user)}
    app, spare = rows.get(Type.TOTP), rows.get(Type.RECOVERY_CODES)
    if app is not None:
        step = step_of(open_secret(user.pk, app.data["secret"]), code, at)
        if step is not None and step <= app.data.get("last_step", 0):
            return Unchanged("replayed")
        if step is not None:
            app.data["last_step"] = step
            return _used(actor, user, app, attempt_id, at)
    if spare is not None and open_secret(user.pk, spare.data["seed"]):
        codes = RecoveryCodes(spare)
        if codes.validate_code(code):
            return _used(actor, user, codes.instance, attempt_id, at)
    return Unchanged("wrong")


@action
def use_key(*, actor: Actor, attempt_id: UUID, factor_id: int, at: datetime | None = None) -> None:
    """Note that a security key of the person answered; the form has checked its signature."""
    user = _locked(actor)
    key = Authenticator.objects.select_for_update().filter(pk=factor_id, user=user, type=Type.WEBAUTHN)
    found = key.first()
    if found is None:
        raise NotFound("There is no such factor.", "no_such_factor")
    _used(actor, user, found, attempt_id, clock(at))


@action
def reset_factors(
    *, actor: Actor, user_id: UUID, reason: str, base_url: str, at: datetime | None = None
) -> bool:
    """Take all factors from a colleague who can't use them; their sessions end, and a mail tells them.

    Whoever may appoint to the person's role may do it, never for oneself. `reason` is one of FactorReset,
    `base_url` the address of the house in the mail. Return whether there was anything to take.
    """
    user = refuse_reset(actor, User.objects.select_for_update().filter(pk=user_id).first())
    if reason not in FactorReset.values:
        raise InputRefused("Choose why.", "bad_reason", field="reason")
    count = Authenticator.objects.filter(user=user, type__in=MAIN).count()
    if not Authenticator.objects.filter(user=user).delete()[0]:
        return Unchanged(False)  # type: ignore[return-value]
    user.access_version += 1
    user.save(update_fields=["access_version", "updated_at"])
    end_sessions_of(actor=actor, user_id=user.pk, why="factors", at=at)
    queue_mail(kind=MailKind.FACTORS, about=user.pk, base_url=base_url)
    record(actor, "factor.reset", user, codes={"reason": reason, "count": count})
    return True


@action
def reseal_secrets(
    *, actor: Actor, subjects: Collection[UUID], version: int, limit: int, skip: Collection[Any] = ()
) -> tuple[int, dict[Any, str]]:
    """Seal up to `limit` rows of factors anew by `version` of the house's key; `skip` are passed over.

    The person is locked first, as by every change of their factors; who is locked is met by a later call.
    """
    if SUBJECT not in subjects:
        return Unchanged((0, {}))  # type: ignore[return-value]
    old = [one for one in queries.sealed_before(version) if one[0] not in skip][:limit]
    held = User.objects.select_for_update(of=("self",), skip_locked=True).order_by("pk")
    free = set(held.filter(pk__in={user for _, user in old}).values_list("pk", flat=True))
    done, unopened = 0, {}
    for row in Authenticator.objects.filter(pk__in=[pk for pk, user in old if user in free]):
        try:
            changed = {part: resealed(row.data[part], version) for part in SEALED if part in row.data}
        except (DecryptError, KeyDestroyed, KeyMissing) as fault:
            unopened[row.pk] = f"{Authenticator._meta.label} {row.pk}: {fault}"
            continue
        row.data |= changed
        row.save(update_fields=["data"])
        done += 1
    if not done:
        return Unchanged((0, unopened))  # type: ignore[return-value]
    codes = {"rows": done, "version": version, "table": Authenticator._meta.label}
    record(actor, "key.resealed", subject=SUBJECT, codes=codes, purpose=HOUSE)
    return done, unopened


def _used(actor: Actor, user: User, factor: Authenticator, attempt_id: UUID, at: datetime) -> Any:
    factor.last_used_at = at
    factor.save(update_fields=["data", "last_used_at"])
    LoginAttempt.objects.filter(pk=attempt_id).update(outcome=Attempt.ACCEPTED, at=at)
    codes: dict[str, Any] = {"kind": factor.type}
    if factor.type == Type.RECOVERY_CODES:
        codes["left"] = len(RecoveryCodes(factor).get_unused_codes())
    record(actor, "factor.used", user, codes=codes)
    return factor.type


def _first_codes(actor: Actor, user: User, at: datetime) -> list[str]:
    if Authenticator.objects.filter(user=user, type=Type.RECOVERY_CODES).exists():
        return []
    codes = _make_codes(user, at)
    record(actor, "factor.added", user, codes={"kind": Type.RECOVERY_CODES, "count": len(codes)})
    return codes


def _make_codes(user: User, at: datetime) -> list[str]:
    data = {"seed": sealed(user.pk, new_seed()), "used_mask": 0}
    row = Authenticator.objects.create(user=user, type=Type.RECOVERY_CODES, data=data, created_at=at)
    return list(RecoveryCodes(row).generate_codes())


def _drop(actor: Actor, user: User, factor: Authenticator, *, why: str) -> None:
    kind = factor.type
    factor.delete()
    record(actor, "factor.removed", user, codes={"kind": kind, "why": why})


def _named(name: str, otherwise: str) -> str:
    return " ".join(name.split())[:NAME_LENGTH] or otherwise


def _locked(actor: Actor) -> User:
    """Return the person under their row's lock, so that two changes of their factors come one by one."""
    return User.objects.select_for_update(of=("self",)).select_related("organization").get(pk=actor.person.pk)
