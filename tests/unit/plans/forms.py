"""The forms of a plan as a browser sends them: with all that the page has shown, seen or not."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django.test import Client

HIDDEN = re.compile(r'<input type="hidden" name="(seen|once)" value="([^"]*)">')


def shown(client: Client, where: str) -> dict[str, Any]:
    """What a browser would send of a form that nobody has touched."""
    return fields_of(client.get(where))


def fields_of(answer: Any) -> dict[str, Any]:
    """The fields of a form on a page, with what stands in them."""
    given = {bound.html_name: _as_typed(bound.value()) for bound in answer.context["form"]}
    hidden = dict(HIDDEN.findall(answer.content.decode()))
    return {name: value for name, value in (given | hidden).items() if value not in (None, False)}


def _as_typed(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
