"""The session store: Django's own rows, read together with who is signed in and the clocks of the session."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db

from cortex.accounts.models import User
from cortex.accounts.sessions import queries
from cortex.accounts.sessions.models import SessionState
from cortex.clock import steady_now


class SessionStore(db.SessionStore):
    """One statement for the three rows of each page; whoever uses them asks whether they are the right ones.

    `person` and `clocks` are as they were when the session was read, or None: its clocks say whose it is, so
    a session without clocks comes alone.
    """

    person: User | None = None
    clocks: SessionState | None = None

    def load(self) -> dict[str, Any]:
        """Return what the session holds; nothing for one that has ended."""
        found = queries.signed_in(self.session_key or "", steady_now())
        self.person = self.clocks = None
        if found is None:
            self._session_key = None
            return {}
        self.person, self.clocks = found.person, found.clocks
        return dict(self.decode(found.data))
