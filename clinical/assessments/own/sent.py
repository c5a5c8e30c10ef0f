"""Reads the answers that an app sends from JSON: pure, names the place of what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clinical.assessments.definitions import Definition, packaged
from cortex.api.strict import BodyRefused
from crisis.intake import fields as f
from crisis.intake.answers import place

MEMBERS = ("measure", "answers", "answered_at", "language")
LANGUAGE = f.language("language")
MOMENT = f.moment("answered_at")
WORDS = {
    "missing": "A member is missing.",
    "unknown_member": "There is no such member.",
    "wrong_type": "A member has the wrong type.",
    "not_a_choice": "A member must be one of its list.",
    "empty": "Nothing was answered.",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """Answers by item, as they were sent; an item that was left out has no key."""

    measure: str
    answers: dict[str, int | None]
    answered_at: datetime | None = None
    language: str = ""


def read_sent(members: Mapping[str, Any]) -> Sent:
    """Return what was sent, or raise BodyRefused (422) with the pointer of what is wrong."""
    strangers = sorted(set(members) - set(MEMBERS))
    if strangers:
        raise _refused("unknown_member", place(f"/{strangers[0]}"))
    key = members.get("measure")
    if key is None:
        raise _refused("missing", "/measure")
    if not isinstance(key, str) or key not in packaged():
        raise _refused("not_a_choice", "/measure")
    return Sent(
        key, _answers(members.get("answers"), packaged()[key]), _optional(members, MOMENT),
        _optional(members, LANGUAGE) or "",
    )  # fmt: skip


def _answers(given: Any, definition: Definition) -> dict[str, int | None]:
    if given is None:
        raise _refused("missing", "/answers")
    if not isinstance(given, dict):
        raise _refused("wrong_type", "/answers")
    if not given:
        raise _refused("empty", "/answers")
    values = {one.value for one in definition.answers}
    keys = {one.key for one in definition.items}
    for key, value in given.items():
        where = place(f"/answers/{key}")
        if key not in keys:
            raise _refused("unknown_member", where)
        if isinstance(value, bool) or not isinstance(value, int):
            raise _refused("wrong_type", where)
        if value not in values:
            raise _refused("not_a_choice", where)
    return dict(given)


def _optional(members: Mapping[str, Any], field: f.Field) -> Any:
    value = members.get(field.name)
    if value is None:
        return None
    try:
        return field.read(value)
    except f.Refused as refused:
        raise _refused(refused.code, f"/{field.name}") from None


def _refused(code: str, pointer: str) -> BodyRefused:
    return BodyRefused(code, WORDS.get(code, "A member can't be taken."), status=422, pointer=pointer)
