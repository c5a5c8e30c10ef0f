"""What a form of the back office sends: plain arguments, and which version of its row it was drawn of."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django.core.exceptions import BadRequest
from django.db import DataError, models
from django.http import HttpRequest

from cortex.audit import RuleBroken
from cortex.records import version_of

# The hidden field of each change form (templates/admin/change_form.html).
VERSION = "row_version"
STALE = (
    "Somebody changed this meanwhile: nothing of yours was saved. What you typed stands here. Open the page "
    "in a second tab, look at what it says now, and change there what is still to be changed."
)
P = ParamSpec("P")
R = TypeVar("R")


def nonsense_is_refused(view: Callable[P, R]) -> Callable[P, R]:
    """Answer 400 where the database says that no column holds what was asked or typed (NUL, a year 10^11)."""

    @functools.wraps(view)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return view(*args, **kwargs)
        except (DataError, OverflowError) as error:
            raise BadRequest("No column holds what was asked for.") from error

    return run


def plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a form's words as an action takes them: relations as ids."""
    return {
        f"{name}_id" if isinstance(value, models.Model) else name: value.pk
        if isinstance(value, models.Model)
        else value
        for name, value in fields.items()
    }


def shown_version(request: HttpRequest, row: Any) -> str:
    """Return the version for the hidden field: a form that comes back keeps the one it was drawn of."""
    return request.POST.get(VERSION) or version_of(row)


def refuse_stale(request: HttpRequest, row: Any) -> None:
    """Refuse (RuleBroken `stale`) a form that was drawn of another version than this locked row.

    Who sends no version saw no form of ours, and says by themself what shall stand there.
    """
    drawn_of = request.POST.get(VERSION)
    if drawn_of is not None and drawn_of != version_of(row):
        raise RuleBroken(STALE, "stale")
