"""The topic of one member of staff's caseload: no numbers, only a mark that says "it is another one"."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from clinical.caseload.queries import listens, mark
from cortex.access.context import scoped
from cortex.audit.actors import actor_of_user
from cortex.clock import clock
from cortex.live.topics import Event


class CaseloadSource:
    """Answers for the topics `caseload:<user id>`; every call comes from a worker thread.

    The hub asks for marks when a board moves and every five seconds while somebody listens. A mark holds a
    digest and nothing of anybody's health; the page then fetches its badges, which is a look that leaves its
    row.
    """

    follows = ("board",)

    def may_join(self, user_id: UUID, session_key: str, key: str) -> bool:
        """Whether it is the person's own caseload, and they still have one."""
        # Spelled as the page spells it: an id has many spellings, and each would be a topic to look after.
        return key == str(user_id) and listens(user_id) is not None

    def head(self, key: str) -> int:
        """Return 0: there are no numbered events."""
        return 0

    def heads(self, keys: Sequence[str]) -> dict[str, int]:
        """Return 0 for each."""
        return dict.fromkeys(keys, 0)

    def events_after(self, key: str, n: int, limit: int) -> list[Event] | None:
        """Return nothing: what changes is told by marks."""
        return []

    def on_seen(self, user_id: UUID, key: str, n: int, item: str) -> None:
        """Take no notice: a caseload confirms nothing."""

    def marks(self, keys: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return what each of these caseloads is now."""
        found = {}
        for key in keys:
            user = listens(UUID(key))
            if user is not None:
                with scoped(actor_of_user(user)):
                    found[key] = {"people": mark(user, clock())}
        return found
