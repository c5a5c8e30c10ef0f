"""Readers of single values: each checks one, codes what is wrong, and describes itself for OpenAPI."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from patients.codes import CODE

NAME = re.compile(r"[A-Za-z0-9_.:@+-]{1,64}")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,2}")
# As long as the columns that keep it.
LANGUAGE_MAX = 16
TEXT_MAX = 20_000
OBJECT_MAX = 200
CODED_DEPTH = 4


class Refused(Exception):
    """A value can't be taken; `code` says why, `field` is the place below the item."""

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.field = field


@dataclass(frozen=True, slots=True)
class Field:
    """One member of an item: its name, its reader, and whether its strings are somebody's words."""

    name: str
    read: Callable[[Any], Any]
    schema: dict[str, Any]
    required: bool = False
    words: bool = False

    def needed(self) -> Field:
        """Return the same field as a required one."""
        return Field(self.name, self.read, self.schema, True, self.words)

    def spoken(self) -> Field:
        """Return the same field as one in which the person may speak: even a code can be a cry for help."""
        return Field(self.name, self.read, self.schema, self.required, True)


def text(name: str, limit: int = TEXT_MAX) -> Field:
    """Somebody's words, 1 to `limit` characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise Refused("wrong_type")
        if not value.strip():
            raise Refused("empty")
        if len(value) > limit:
            raise Refused("too_long")
        return value

    return Field(name, read, {"type": "string", "minLength": 1, "maxLength": limit}, words=True)


def line(name: str, limit: int = 160) -> Field:
    """A short line that is not evidence (a contact's name, a version)."""
    return Field(name, text(name, limit).read, {"type": "string", "minLength": 1, "maxLength": limit})


def matching(name: str, pattern: re.Pattern[str], refusal: str) -> Field:
    """A string of one shape."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise Refused("wrong_type")
        if pattern.fullmatch(value) is None:
            raise Refused(refusal)
        return value

    return Field(name, read, {"type": "string", "pattern": f"^{pattern.pattern}$"})


def code(name: str, limit: int = 64) -> Field:
    """A code: no spaces, at most `limit` (64 or fewer) characters."""
    pattern = CODE if limit == 64 else re.compile(f"[A-Za-z0-9_.:+/-]{{1,{limit}}}")
    return matching(name, pattern, "not_a_code")


def ref(name: str) -> Field:
    """A name that the client gave to something (an item, a session)."""
    return matching(name, NAME, "not_a_name")


def language(name: str) -> Field:
    """A language code, as long as its columns at most."""
    shaped = matching(name, LANGUAGE, "not_a_language")

    def read(value: Any) -> Any:
        if isinstance(value, str) and len(value) > LANGUAGE_MAX:
            raise Refused("not_a_language")
        return shaped.read(value)

    return Field(name, read, shaped.schema | {"maxLength": LANGUAGE_MAX})


def choice(name: str, allowed: Iterable[str]) -> Field:
    """One of a closed list."""
    values = tuple(allowed)

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in values:
            raise Refused("not_a_choice")
        return value

    return Field(name, read, {"type": "string", "enum": list(values)})


def flag(name: str) -> Field:
    """True or false, never a number or a word."""

    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise Refused("wrong_type")
        return value

    return Field(name, read, {"type": "boolean"})


def whole(name: str, low: int, high: int) -> Field:
    """A whole number within its bounds."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refused("wrong_type")
        if not low <= value <= high:
            raise Refused("out_of_range")
        return value

    return Field(name, read, {"type": "integer", "minimum": low, "maximum": high})


def number(name: str, low: float, high: float) -> Field:
    """A finite number within its bounds."""

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused("wrong_type")
        if not low <= value <= high or not math.isfinite(value):
            raise Refused("out_of_range")
        return float(value)

    return Field(name, read, {"type": "number", "minimum": low, "maximum": high})


def moment(name: str) -> Field:
    """An ISO 8601 time; one without an offset is read as UTC."""
    return Field(name, read_moment, {"type": "string", "format": "date-time"})


def read_moment(value: Any) -> datetime:
    """Return the time in UTC, or raise Refused."""
    if not isinstance(value, str):
        raise Refused("wrong_type")
    if len(value) > 40 or not value.isascii() or "T" not in value.upper().replace(" ", "T"):
        raise Refused("not_a_time")
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("not_a_time") from None


def day(name: str) -> Field:
    """A calendar day, YYYY-MM-DD."""

    def read(value: Any) -> date:
        if not isinstance(value, str):
            raise Refused("wrong_type")
        try:
            if len(value) != 10 or not value.isascii():
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            raise Refused("not_a_day") from None

    return Field(name, read, {"type": "string", "format": "date"})


def mapping(name: str, *, words: bool = False) -> Field:
    """A free object with at most 200 members; with `words` its strings are read as the person's."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Refused("wrong_type")
        if len(value) > OBJECT_MAX:
            raise Refused("too_many_members")
        return value

    return Field(name, read, {"type": "object", "additionalProperties": True}, words=words)


def numbers(name: str, low: float, high: float, keys: Iterable[str] = ()) -> Field:
    """An object of numbers within bounds; its keys are codes, or of a closed list."""
    known = tuple(keys)
    value_of = number(name, low, high)

    def read(value: Any) -> dict[str, float]:
        members = mapping(name).read(value)
        for key in members:
            if CODE.fullmatch(key) is None or (known and key not in known):
                raise Refused("unknown_key")
        return {key: _below(key, value_of.read, inner) for key, inner in members.items()}

    return Field(name, read, {"type": "object", "additionalProperties": value_of.schema})


def codes_only(name: str) -> Field:
    """A free object of codes, numbers and flags: a string with words in it is refused, with its place."""

    def read(value: Any) -> dict[str, Any]:
        members = mapping(name).read(value)
        _refuse_words(members, "")
        return members

    return Field(name, read, {"type": "object", "additionalProperties": True})


def codes(name: str, limit: int = 40) -> Field:
    """A list of codes."""
    one = code(name)

    def read(value: Any) -> list[str]:
        if not isinstance(value, list):
            raise Refused("wrong_type")
        if len(value) > limit:
            raise Refused("too_many")
        return [_below(str(index), one.read, inner) for index, inner in enumerate(value)]

    return Field(name, read, {"type": "array", "items": one.schema, "maxItems": limit})


def free(name: str, *, words: bool = False) -> Field:
    """An object or a list, kept sealed as it is."""

    def read(value: Any) -> Any:
        if not isinstance(value, dict | list):
            raise Refused("wrong_type")
        if len(value) > OBJECT_MAX:
            raise Refused("too_many_members")
        return value

    return Field(name, read, {"oneOf": [{"type": "object"}, {"type": "array"}]}, words=words)


def closed(name: str, *members: Field, about: str = "") -> Field:
    """An object of these members alone: any other is refused with its place; null says nothing."""
    known = {member.name: member for member in members}
    needed = [member.name for member in members if member.required]

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Refused("wrong_type")
        strange = next((key for key in value if key not in known), None)
        if strange is not None:
            raise Refused("unknown_key", f"/{strange}")
        found: dict[str, Any] = {}
        for key, member in known.items():
            if value.get(key) is not None:
                found[key] = _below(key, member.read, value[key])
            elif member.required:
                raise Refused("missing", f"/{key}")
        return found

    schema: dict[str, Any] = {"type": "object", "additionalProperties": False}
    schema["properties"] = {member.name: member.schema for member in members}
    schema |= {"required": needed} if needed else {}
    schema |= {"description": about} if about else {}
    return Field(name, read, schema, words=any(member.words for member in members))


def closed_list(name: str, limit: int, *members: Field) -> Field:
    """A list of closed objects."""
    one = closed(name, *members)

    def read(value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            raise Refused("wrong_type")
        if len(value) > limit:
            raise Refused("too_many")
        return [_below(str(index), one.read, inner) for index, inner in enumerate(value)]

    schema = {"type": "array", "items": one.schema, "maxItems": limit}
    return Field(name, read, schema, words=one.words)


def _below(step: str, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except Refused as refused:
        raise Refused(refused.code, f"/{step}{refused.field}") from None


def _refuse_words(value: Any, place: str, depth: int = 0) -> None:
    if isinstance(value, str) and value and CODE.fullmatch(value) is None:
        raise Refused("words_not_allowed", place)
    if not isinstance(value, dict | list):
        return
    if depth >= CODED_DEPTH or len(value) > OBJECT_MAX:
        raise Refused("too_many_members", place)
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(key, str) and CODE.fullmatch(key) is None:
            raise Refused("unknown_key", place)
        _refuse_words(inner, f"{place}/{key}", depth + 1)
