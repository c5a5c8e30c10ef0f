"""Asks the accounts whose sockets must be closed; knows nothing of sessions itself."""

from __future__ import annotations

from collections.abc import Iterable

from cortex.accounts.queries import sockets_still_valid
from cortex.live.rooms import Person


def ended(people: Iterable[Person]) -> set[Person]:
    """Return those whose session ended, who were disabled, or whose role or rights changed; one query."""
    asked = [(person.session_key, person.user_id, person.access_version) for person in people]
    return {
        Person(user_id, session_key, version) for session_key, user_id, version in sockets_still_valid(asked)
    }
