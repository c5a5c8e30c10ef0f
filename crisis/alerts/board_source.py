"""The board's feed as the live hub asks for it: who may hear it, and its events as rendered cards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from cortex.access.context import reading, scoped
from cortex.audit import Actor, system
from cortex.audit.actors import actor_of_user, keyed_hash
from cortex.clock import clock
from cortex.live.topics import Event
from cortex.ops.watched import late_since
from crisis.alerts import queries
from crisis.alerts.actions import confirm_seen
from crisis.alerts.cards import RENDERED, cards
from crisis.alerts.models import AlertEvent
from crisis.escalation.actions import confirm_on_board
from crisis.escalation.queries import pending_on_board

# Further behind than this, a page reloads instead of replaying.
REPLAY = 500


class BoardSource:
    """Answers for the topics `board:<organization id>`; every call comes from a worker thread."""

    def may_join(self, user_id: UUID, session_key: str, key: str) -> bool:
        """Whether the person's duty covers this organization now."""
        user = queries.active_user(user_id)
        if user is None:
            return False
        actor = actor_of_user(user)
        # Events are read in the board's own scope, once for all its sockets; who joins is in their reach.
        with scoped(actor):
            return UUID(key) in actor.reach and queries.may_hear(user, key)

    def may_still_hear(self, key: str, people: Sequence[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
        """Return those who may still hear this board."""
        with scoped(_hub(key)):
            allowed = queries.listeners(key, {user_id for user_id, _ in people})
        return {pair for pair in people if pair[0] in allowed}

    def head(self, key: str) -> int:
        """Return the last number of the organization's feed."""
        return queries.heads([key]).get(key, 0)

    def heads(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the last numbers of several feeds in one query."""
        return queries.heads(keys)

    def marks(self, keys: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return what the lists beside these boards are now: who is on shift, who waits for a reader."""
        with scoped(_hub(*keys)):
            at = clock()
            found = queries.marks((UUID(key) for key in keys), at)
        late = queries.late_mark(late_since(at))
        return {key: one | {"late": late} for key, one in found.items()}

    def events_after(self, key: str, n: int, limit: int) -> list[Event] | None:
        """Return the events after `n`, each with its alert's card as it stands now."""
        if self.head(key) - n > REPLAY:
            return None
        with scoped(_hub(key)):
            events = queries.events_after(key, n, limit)
            shown = {one["id"]: one for one in cards(queries.alerts_of(events))}
            return [_event(event, shown[str(event.alert_id)]) for event in events]

    def has_item(self, key: str, item: str) -> bool:
        """Whether an alert of this board has the id `item`."""
        try:
            alert_id = UUID(item)
        except ValueError:
            return False
        with scoped(_hub(key)):
            return queries.is_of(UUID(key), alert_id)

    def on_seen(self, user_id: UUID, key: str, n: int, item: str) -> None:
        """Confirm the person's board notifications up to `n`, or those about the alert `item` alone.

        A first confirmation moves new to notified.
        """
        organization_id = UUID(key)
        hub = _hub(key)
        with scoped(hub):
            pending = [one for one in pending_on_board(user_id, organization_id) if item in ("", str(one))]
            unheard = queries.unheard_of(pending)
        # Of most alerts somebody has heard already: a person's own notifications of those are one statement.
        heard = [one for one in pending if one not in unheard]
        if heard:
            confirm_on_board(
                actor=hub, user_id=user_id, organization_id=organization_id, number=n, alert_ids=heard
            )
        for alert_id in pending:
            if alert_id in unheard:
                confirm_seen(actor=hub, alert_id=alert_id, user_id=user_id, number=n)

    def on_open(self, user_id: UUID, session_key: str, key: str, n: int) -> None:
        """Write the access row of a socket before its first byte."""
        _log_socket(user_id, session_key, key, number_from=n, number_to=None)

    def on_close(self, user_id: UUID, session_key: str, key: str, n_from: int, n_to: int) -> None:
        """Write the range of numbers that the socket was sent."""
        if n_to >= n_from:
            _log_socket(user_id, session_key, key, number_from=n_from, number_to=n_to)


def _hub(*keys: str) -> Actor:
    """The hub at work for these organizations."""
    organizations = tuple(UUID(key) for key in keys)
    return replace(system("hub", organizations[0] if organizations else None), org_ids=organizations)


def _event(event: AlertEvent, shown: dict[str, object]) -> Event:
    payload = {
        "alert": shown["id"],
        "change": event.kind,
        "level": shown["level"],
        "state": shown["state"],
        "owner": shown["owner"],
        "html": RENDERED.html(shown),
    }
    return Event(n=event.feed_number, payload=json.dumps(payload).encode())


def _log_socket(
    user_id: UUID, session_key: str, key: str, *, number_from: int, number_to: int | None
) -> None:
    user = queries.active_user(user_id)
    if user is None:
        raise PermissionError("the account is closed")
    actor = actor_of_user(user, session_hash=keyed_hash(session_key))
    with reading(actor, purpose="triage", relationship="duty") as context:
        context.saw(
            "board.socket",
            organization_id=UUID(key),
            object_type="board",
            object_id=UUID(key),
            number_from=number_from,
            number_to=number_to,
        )
