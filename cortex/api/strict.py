"""Reads a JSON body strictly and says where it is wrong; it knows no request and no framework."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

REPLACEMENT = "\ufffd"
# Outside of these a string of the body cannot hold a NUL or half of a surrogate pair, and none is looked at.
SUSPECT = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
UNFIT = re.compile("[\x00\ud800-\udfff]")
NAME = re.compile(r"[A-Za-z0-9_.:@+-]{0,64}")
MARKS = re.compile(r'"(?:[^"\\]|\\.)*+"?+|[\[\]{}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one body may hold: bytes, levels, keys of all objects together, digits of a whole number."""

    size: int = 4 * 1024 * 1024
    depth: int = 32
    keys: int = 60_000
    digits: int = 18


@dataclass(frozen=True, slots=True)
class Parsed:
    """A body that was read; `repaired` are the JSON pointers of texts in which a character was replaced."""

    value: Any
    repaired: frozenset[str] = frozenset()


class BodyRefused(Exception):
    """The body can't be taken; the place is a line and column (both from 1), or a JSON pointer."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        line: int = 0,
        column: int = 0,
        pointer: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.line = line
        self.column = column
        self.pointer = pointer


class _Doubled(dict[str, Any]):
    """An object that names a key twice."""

    key = ""


@dataclass(frozen=True, slots=True)
class _BadNumber:
    """A number that JSON or our columns don't have: NaN, an infinity, or too many digits."""

    digits: bool


def read_json(body: bytes, limits: Limits = Limits()) -> Parsed:
    """Return the value of a UTF-8 body, or raise BodyRefused with the first place that is wrong."""
    if len(body) > limits.size:
        raise too_large(limits)
    # A bare NUL is as unreadable as an escaped one: inside a text it is repaired, elsewhere it is bad syntax.
    suspect = b"\x00" in body or SUSPECT.search(body) is not None
    text = _decode(body.replace(b"\x00", b"\\u0000"))
    if not text.strip():
        raise BodyRefused("empty_body", "The body is empty; send a JSON object.", line=1, column=1)
    try:
        value = _decoder(limits.digits).decode(text)
    except json.JSONDecodeError as error:
        message = f"This isn't JSON at line {error.lineno}, column {error.colno}."
        raise BodyRefused("bad_syntax", message, line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise _too_deep_in(text, limits) from None
    walk = _Walk(limits, suspect)
    value = walk.visit(value, 0)
    return Parsed(value, frozenset(walk.repaired))


def too_large(limits: Limits) -> BodyRefused:
    """Return the refusal of a body that is over the limit of bytes."""
    return BodyRefused(
        "body_too_large", f"The body is larger than {limits.size} bytes; send smaller batches.", status=413
    )


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8", "surrogatepass").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        message = f"The body isn't UTF-8 at line {line}, column {column}."
        raise BodyRefused("not_utf8", message, line=line, column=column) from None


def _decoder(digits: int) -> json.JSONDecoder:
    def whole(literal: str) -> int | _BadNumber:
        return int(literal) if len(literal) <= digits else _BadNumber(digits=True)

    def real(literal: str) -> float | _BadNumber:
        value = float(literal)
        return _BadNumber(digits=False) if value in (float("inf"), float("-inf")) else value

    return json.JSONDecoder(
        object_pairs_hook=_pairs,
        parse_int=whole,
        parse_float=real,
        parse_constant=lambda _: _BadNumber(digits=False),
    )


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    doubled = _Doubled(found)
    doubled.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return doubled


class _Walk:
    """Visits every value once: levels, keys, numbers, and texts when the body holds suspect characters."""

    def __init__(self, limits: Limits, suspect: bool) -> None:
        self.limits = limits
        self.suspect = suspect
        self.keys = 0
        self.path: list[str] = []
        self.repaired: set[str] = set()

    def visit(self, value: Any, depth: int) -> Any:
        """Return the value with its texts repaired; raise BodyRefused at the first limit."""
        kind = type(value)
        if kind is str:
            return self._text(value) if self.suspect else value
        if kind is list or isinstance(value, dict):
            if depth >= self.limits.depth:
                raise BodyRefused(
                    "too_deep",
                    f"Values are nested deeper than {self.limits.depth} levels.",
                    pointer=self.pointer(),
                )
            return self._list(value, depth) if kind is list else self._dict(value, depth)
        if kind is _BadNumber:
            code, message = ("number_too_long", "A number has too many digits.") if value.digits else (
                "not_a_number", "NaN and infinite numbers aren't taken."
            )  # fmt: skip
            raise BodyRefused(code, message, pointer=self.pointer())
        return value

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        self.path.append("")
        for index, inner in enumerate(value):
            self.path[-1] = str(index)
            value[index] = self.visit(inner, depth + 1)
        self.path.pop()
        return value

    def _dict(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        self.keys += len(value)
        if self.keys > self.limits.keys:
            message = f"The body holds more than {self.limits.keys} keys."
            raise BodyRefused("too_many_keys", message, pointer=self.pointer())
        if type(value) is _Doubled:
            self.path.append(value.key)
            raise BodyRefused(
                "duplicate_key", "A key stands twice in the same object.", pointer=self.pointer()
            )
        self.path.append("")
        clean: dict[str, Any] = {}
        for key, inner in value.items():
            self.path[-1] = name = self._key(key, clean) if self.suspect else key
            clean[name] = self.visit(inner, depth + 1)
        self.path.pop()
        return clean

    def _key(self, key: str, taken: dict[str, Any]) -> str:
        name = repair(key)
        self.path[-1] = name
        if name in taken:
            raise BodyRefused(
                "duplicate_key", "A key stands twice in the same object.", pointer=self.pointer()
            )
        if name != key:
            self.repaired.add(self.pointer())
        return name

    def _text(self, value: str) -> str:
        clean = repair(value)
        if clean != value:
            self.repaired.add(self.pointer())
        return clean

    def pointer(self) -> str:
        """Return the JSON pointer (RFC 6901) of the value that is being visited."""
        return "".join(f"/{speakable(step)}" for step in self.path)


def speakable(step: str) -> str:
    """Return a step of a pointer; a key that is more than a name may be words, and isn't repeated."""
    return step if NAME.fullmatch(step) else "(unnamed)"


def repair(text: str) -> str:
    """Return the text with NUL and lone surrogates replaced; two halves that belong together are joined."""
    if UNFIT.search(text) is None:
        return text
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\x00", REPLACEMENT)


def _too_deep_in(text: str, limits: Limits) -> BodyRefused:
    depth = 0
    place = 0
    for match in MARKS.finditer(text):
        mark = match.group()
        depth += (mark in "[{") - (mark in "]}") if mark[0] != '"' else 0
        if depth > limits.depth:
            place = match.start()
            break
    line = text.count("\n", 0, place) + 1
    column = place - text.rfind("\n", 0, place)
    message = f"Values are nested deeper than {limits.depth} levels at line {line}, column {column}."
    return BodyRefused("too_deep", message, line=line, column=column)
