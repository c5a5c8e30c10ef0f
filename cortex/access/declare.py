"""How a view says who may use it: decorators that set `view.access`, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from cortex.accounts.models import Role

V = TypeVar("V", bound=Callable[..., Any])

How = Literal["public", "roles", "key", "patient_token"]


@dataclass(frozen=True, slots=True)
class Access:
    """What a view declared: the way in, the roles or scope, and for public ones the reason."""

    how: How
    roles: frozenset[str] = frozenset()
    scope: str = ""
    why: str = ""

    def describe(self) -> str:
        """Return one line for the access matrix."""
        if self.how == "roles":
            return "roles " + ",".join(sorted(self.roles))
        return f"{self.how} {self.scope or self.why}".strip()


def requires(*roles: Role) -> Callable[[V], V]:
    """Admit signed-in people with one of these roles."""
    if not roles:
        raise ValueError("name at least one role, or use requires_any_staff")
    return _declare(Access("roles", roles=frozenset(str(role) for role in roles)))


def requires_any_staff(view: V) -> V:
    """Admit every signed-in member of staff."""
    return requires(*Role)(view)


def public(why: str) -> Callable[[V], V]:
    """Admit everybody; the reason is listed and reviewed."""
    return _declare(Access("public", why=why))


def requires_key(scope: str) -> Callable[[V], V]:
    """Admit an API key that holds this scope."""
    return _declare(Access("key", scope=scope))


def requires_patient_token(view: V) -> V:
    """Admit a patient's own device by its short-lived token."""
    return _declare(Access("patient_token"))(view)


def _declare(access: Access) -> Callable[[V], V]:
    def decorate(view: V) -> V:
        view.access = access  # type: ignore[attr-defined]
        if access.how != "roles":
            view.login_required = False  # type: ignore[attr-defined]
        return view

    return decorate
