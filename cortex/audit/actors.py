"""Who does something: the actor that every action, access row and audit row names."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from django.conf import settings

from cortex.audit.rules import NotFound

if TYPE_CHECKING:
    from django.http import HttpRequest

    from cortex.accounts.models import User

Kind = Literal["user", "api", "patient", "system", "visitor"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, an API client, a patient's own device, the system itself, or somebody not signed in.

    `org_ids` are the organizations whose affairs the actor may run: a person's own. `covers` are others whose
    people they work for now (a shift, a claim): those they reach without running anything there.
    """

    kind: Kind
    id: UUID | None
    label: str
    role: str
    organization_id: UUID | None = None
    org_ids: tuple[UUID, ...] = ()
    covers: tuple[UUID, ...] = ()
    request_id: str = ""
    ip_hash: str = ""
    session_hash: str = ""
    user: User | None = field(default=None, compare=False, repr=False)

    @property
    def is_system(self) -> bool:
        """Whether the system acts by itself."""
        return self.kind == "system"

    @property
    def reach(self) -> tuple[UUID, ...]:
        """The organizations whose rows the actor may touch at all (the row-level scope)."""
        return tuple(dict.fromkeys(self.org_ids + self.covers))

    @property
    def is_unbound(self) -> bool:
        """Whether this is the system at work for no organization in particular (sweeper, retention)."""
        return self.is_system and not self.org_ids

    @property
    def person(self) -> User:
        """The signed-in member of staff; raises NotFound for every other kind of actor."""
        if self.user is None:
            raise NotFound("Only a member of staff can do this.", "not_staff")
        return self.user


def system(name: str, organization_id: UUID | None = None) -> Actor:
    """Return the system actor of one part, `system("sweeper")`; a web process names whom it acts for."""
    return Actor(
        kind="system",
        id=None,
        label=f"system:{name}",
        role="system",
        organization_id=organization_id,
        org_ids=(organization_id,) if organization_id else (),
    )


SYSTEM = system("cortex")


def keyed_hash(value: str) -> str:
    """Return a short keyed digest of something that must be compared but not kept (an address, a session)."""
    if not value:
        return ""
    return hmac.new(settings.SECRET_KEY.encode(), value.encode(), hashlib.sha256).hexdigest()[:24]


def actor_of_user(user: User, **request_facts: str) -> Actor:
    """Return the actor of a person; whom they cover comes with `user`, or by one query when it does not."""
    own = (user.organization_id,) if user.organization_id else ()
    return Actor(
        kind="user",
        id=user.pk,
        label=user.full_name or "unnamed",
        role=user.role,
        organization_id=user.organization_id,
        org_ids=own,
        covers=user.covers(),
        user=user,
        **request_facts,
    )


def actor_of(request: HttpRequest) -> Actor:
    """Return the actor of a request by a signed-in person, with its request id and hashed network."""
    return actor_of_user(
        request.user,  # type: ignore[arg-type]
        request_id=getattr(request, "request_id", ""),
        ip_hash=keyed_hash(request.META.get("REMOTE_ADDR", "")),
        session_hash=keyed_hash(request.session.session_key or ""),
    )
