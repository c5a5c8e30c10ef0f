"""Whether the refusal of a row that is somebody else's can be told from that of one that never was."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from uuid import UUID, uuid4

from tests.walk.addresses import Address
from tests.walk.doors import Answer, Doors
from tests.walk.pairs import Pair

# No row of a walk is numbered so high.
NO_NUMBER = 2**31 - 1
LONG = 36
OF_ONE_REQUEST = ("expires", "x-request-id")
TOKENS = re.compile(r'(X-CSRFToken": "|name="csrfmiddlewaretoken" value=")[^"]*')


def said(body: bytes) -> str:
    """Return a page without its token, which is masked anew for each answer."""
    return TOKENS.sub(r"\1", unescape(body.decode()))


def unlike_a_ghost(
    doors: Doors, address: Address, pair: Pair, who: str, method: str, refused: Answer, more: dict[str, str]
) -> list[str]:
    """Ask for the same with ids that nobody has; return what is answered otherwise than the refused one."""
    ids = {group: _ghost(value) for group, value in pair.ids.items()}
    if ids == pair.ids:
        return []
    absent = doors.ask(who, method, address.path(**ids), pair.data, **more)
    there, nowhere = said(refused.body), said(absent.body)
    for group, value in ids.items():
        if len(value) >= LONG:  # a short one may stand in the page as something else
            there, nowhere = there.replace(pair.ids[group], group), nowhere.replace(value, group)
    compared: dict[str, tuple[Any, Any]] = {
        "status": (refused.status, absent.status),
        "body": (there, nowhere),
        "headers": (_told(refused), _told(absent)),
        "writes": (refused.written, absent.written),
    }
    if all(len(pair.ids[group]) == len(ids[group]) for group in ids):
        compared["size"] = (len(refused.body), len(absent.body))
    apart = [what for what, (one, other) in compared.items() if one != other]
    return [f"a row that never was is refused with another {' and '.join(apart)}"] if apart else []


def _ghost(value: str) -> str:
    """Return an id of the same kind that no row has; what names no row stays."""
    if value.isdigit():
        return str(NO_NUMBER)
    try:
        UUID(value)
    except ValueError:
        return value
    return str(uuid4())


def _told(answer: Answer) -> dict[str, str]:
    """Return the headers of an answer that two requests have in common."""
    return {name: value for name, value in answer.headers.items() if name not in OF_ONE_REQUEST}
