"""The one way to write: `@action` is one transaction, its audit rows, and its feed numbers last."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

from django.db import DatabaseError, OperationalError, connection, models, transaction
from django.db.transaction import TransactionManagementError
from psycopg.errors import InFailedSqlTransaction

from cortex.access.current import OPEN
from cortex.audit.actors import Actor
from cortex.audit.appending import Appended
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.audit.rules import AuditMissing, TrailDown, Unchanged
from cortex.audit.scope import set_scope
from cortex.live.feed import number_events

P = ParamSpec("P")
R = TypeVar("R")

# The purpose of what holds for every organization: such a row is the house's own, and each reads it.
HOUSE = "house"

# The two trails; every one of their rows goes through these.
AUDIT_ROWS, ACCESS_ROWS = Appended(AuditLog), Appended(PhiAccessLog)

QUIET_WRITES: dict[str, str] = {}
ACTIONS: set[str] = set()


@dataclass
class Frame:
    """What one running action has gathered so far."""

    name: str
    recorded: bool = False
    emitted: bool = False
    audit: list[AuditLog] = field(default_factory=list)
    access: list[PhiAccessLog] = field(default_factory=list)
    events: list[tuple[UUID, models.Model]] = field(default_factory=list)

    def absorb(self, inner: Frame) -> None:
        """Take over the rows of an inner action; its record does not pay for this one."""
        self.audit += inner.audit
        self.access += inner.access
        self.events += inner.events


def frames() -> list[Frame]:
    """Return the stack of running actions of this thread's connection."""
    stack: list[Frame] | None = getattr(connection, "cortex_frames", None)
    if stack is None:
        stack = []
        connection.cortex_frames = stack  # type: ignore[attr-defined]
    return stack


def current_frame() -> Frame:
    """Return the innermost running action, or raise RuntimeError outside of one."""
    if not frames():
        raise RuntimeError("this may only be called inside an @action")
    return frames()[-1]


def action(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function the one transaction of a write; it must call `record` or return `Unchanged`."""
    ACTIONS.add(f"{function.__module__}.{function.__qualname__}")
    return _wrap(function, quiet=False)


def quiet(why: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a write that is not about a person's care; `why` is listed and reviewed."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        QUIET_WRITES[f"{function.__module__}.{function.__qualname__}"] = why
        return _wrap(function, quiet=True)

    return decorate


def part(function: Callable[P, R]) -> Callable[P, R]:
    """Let an action have no savepoint of its own inside another: when it fails, the one around it fails too.

    For steps whose callers don't go on after a failure; whoever does finds the transaction unusable.
    """
    function.is_part = True  # type: ignore[attr-defined]
    return function


def _wrap(function: Callable[P, R], *, quiet: bool) -> Callable[P, R]:
    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        refuse_inside_reading(function.__qualname__)
        stack = frames()
        frame = Frame(function.__qualname__)
        outermost = not stack
        with transaction.atomic(savepoint=not run.is_part):  # type: ignore[attr-defined]
            stack.append(frame)
            try:
                if outermost:
                    set_scope(cast("Actor | None", kwargs.get("actor")))
                value = function(*args, **kwargs)
                _refuse_unrecorded(frame, value, quiet=quiet)
                if outermost:
                    flush(frame)
            finally:
                stack.pop()
        if not outermost:
            stack[-1].absorb(frame)
        return value.value if isinstance(value, Unchanged) else value

    run.is_action = True  # type: ignore[attr-defined]
    run.is_part = False  # type: ignore[attr-defined]
    return run


def refuse_inside_reading(name: str) -> None:
    """Refuse to start a write, or a second look, while an answer is being read."""
    if OPEN.get() is not None and not frames():
        raise RuntimeError(f"{name} may not start inside a reading context: call the action first")


def _refuse_unrecorded(frame: Frame, value: object, *, quiet: bool) -> None:
    if frame.recorded:
        return
    if (quiet or isinstance(value, Unchanged)) and not frame.emitted:
        return
    raise AuditMissing(f"{frame.name} changed something without record(); it was rolled back")


def flush(frame: Frame) -> None:
    """Write audit and access rows, then take the feed numbers: the feed's lock is the last that is held.

    Raise TrailDown when a row of either trail can't be written.
    """
    with _trailed():
        AUDIT_ROWS.append(frame.audit)
        ACCESS_ROWS.append(frame.access)
    if frame.events:
        number_events(frame.events)


@contextmanager
def _trailed() -> Iterator[None]:
    """Say of rows that PostgreSQL refuses that the trail is down; what went wrong before stays itself."""
    try:
        yield
    except (OperationalError, TransactionManagementError):
        raise
    except DatabaseError as error:
        if isinstance(error.__cause__, InFailedSqlTransaction):
            raise
        raise TrailDown("what leaves no row is not done") from error


def record(
    actor: Actor,
    verb: str,
    obj: models.Model | None = None,
    *,
    subject: UUID | None = None,
    object_id: UUID | None = None,
    fields: Sequence[str] = (),
    codes: dict[str, Any] | None = None,
    outcome: str = "done",
    purpose: str = "",
) -> None:
    """Say what the running action did: `verb` is `noun.past`, `codes` hold codes, ids and numbers only.

    `object_id` names what was asked for when there is no row to show for it; `purpose=HOUSE` makes it the
    house's own row, which every organization's compliance reads.
    """
    frame = current_frame()
    frame.recorded = True
    owner = getattr(obj, "organization_id", None) or actor.organization_id
    organization = None if purpose == HOUSE else owner
    frame.audit.append(
        AuditLog(
            **actor_columns(actor, organization),
            event_type=verb,
            subject=subject if subject is not None else getattr(obj, "patient_id", None),
            object_type=obj._meta.label if obj is not None else "",
            object_id=_uuid_of(obj) or object_id,
            fields=list(fields),
            codes=codes or {},
            outcome=outcome,
            purpose=purpose,
        )
    )


def emit(organization_id: UUID, event: models.Model) -> None:
    """Append `event` to the organization's feed when the outermost action ends; sets its `feed_number`."""
    frame = current_frame()
    frame.emitted = True
    frame.events.append((organization_id, event))


def actor_columns(actor: Actor, organization_id: UUID | None) -> dict[str, Any]:
    """Return the columns that name an actor in either trail."""
    return {
        "organization_id": organization_id,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_label": actor.label[:160],
        "actor_role": actor.role,
        "request_id": actor.request_id,
        "ip_hash": actor.ip_hash,
        "session_hash": actor.session_hash,
    }


def _uuid_of(obj: models.Model | None) -> UUID | None:
    identifier = getattr(obj, "pk", None)
    return identifier if isinstance(identifier, UUID) else None
