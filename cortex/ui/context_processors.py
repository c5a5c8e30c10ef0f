"""What every page's frame needs: who is signed in, their theme and their navigation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from cortex.accounts.limits import noted_seconds
from cortex.accounts.queries import is_demo
from cortex.accounts.sessions.clocks import limits
from cortex.ui import nav, strips

TITLES = {"Dr", "Prof"}


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return `me`, `theme`, `privacy`, `nav`, `finds`, `strips`, `watch`, `home`, and the seconds of idling.

    `finds` is where somebody's own people are searched, "" for whoever has none. `fictional` holds when
    everybody is. For a person who isn't signed in it is an empty frame.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        # Asked only by the pages of entry, which show it.
        return {
            "me": None,
            "theme": "",
            "nav": [],
            "watch": {},
            "home": "/",
            "fictional": SimpleLazyObject(is_demo),
        }
    role = str(user.role)
    return {
        "me": {
            "id": str(user.pk),
            "name": user.full_name,
            "initials": initials_of(user.full_name),
            "role": role,
            "role_label": user.get_role_display(),
            "shortcuts": user.preferences.get("shortcuts", True),
            "sound": user.preferences.get("sound", True),
        },
        "theme": user.theme,
        "privacy": request.session.get("privacy", False),
        "fictional": user.organization is not None and user.organization.settings.get("fictional", False),
        "nav": SimpleLazyObject(lambda: nav.entries(request, role)),  # partials never ask for the figures
        "finds": nav.finds(role),
        "strips": SimpleLazyObject(lambda: strips.of(request)),
        "watch": SimpleLazyObject(lambda: nav.watch(request)),  # nor do pages with a live part of their own
        "home": nav.home_of(role),
        "idle_seconds": int(limits().idle.total_seconds()),
        "noted_seconds": noted_seconds(request),
    }


def initials_of(name: str) -> str:
    """Return up to two initials of a name: first and last word."""
    words = [word for word in name.replace(".", " ").split() if word[:1].isalpha() and word not in TITLES]
    picked = words[:1] + words[1:][-1:]
    return "".join(word[0].upper() for word in picked) or "?"
