"""Near-JSON at the strict reader: read as any reader of JSON reads it, or refused with its place."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cortex.api.parsers import StrictJSONParser
from cortex.api.strict import BodyRefused, Limits, Parsed, read_json, speakable

MANY = settings(
    max_examples=6000 if os.environ.get("CORTEX_EXPLORE") else 300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NARROW = Limits(size=600, depth=4, keys=6, digits=5)
# Characters that a text may not hold, and what syntax is made of, more often than chance would.
SIGNS = st.characters() | st.sampled_from('\x00\ud800\udbff\udc00\udfff\ud83d\ude00\u2028\ufeff"\\/{}[]:,\n')
WORDS = st.text(SIGNS, max_size=6)
KEYS = st.sampled_from(["a", "b", "a\x00", "a\ud800", "", "kind"]) | WORDS
NUMBERS = st.sampled_from(
    ["0", "-0", "1.5", "-0.0", "1e5", "1e999", "-1e999", "1e-999", "12345", "-12345", "9" * 18,
     "9" * 19, "9" * 5000, "0." + "1" * 400, "NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1."]
) | st.integers().map(str) | st.floats().map(json.dumps)  # fmt: skip
TOKENS = [
    b"NaN", b"-Infinity", b"1e999", b"9" * 40, b"\\ud800", b"\\udc00", b"\\u0000", b"\xed\xa0\x80",
    b"\xed\xb0\x80", b"\x00", b",", b":", b"[", b"]", b"{", b"}", b'"', b"\\", b"\xff", b"\xef\xbb\xbf",
    b"\n",
    b'{"a":1,"a":2}',
]  # fmt: skip


def _quoted(text: str, escaped: bool) -> str:
    return json.dumps(text, ensure_ascii=escaped)


def _object(pairs: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{key}:{value}" for key, value in pairs) + "}"


STRINGS = st.builds(_quoted, WORDS, st.booleans())
NAMES = st.builds(_quoted, KEYS, st.booleans())
# Written out by hand, so that keys can stand twice and numbers be none.
WRITTEN = st.recursive(
    st.sampled_from(["null", "true", "false"]) | NUMBERS | STRINGS,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda found: f"[{', '.join(found)}]")
        | st.lists(st.tuples(NAMES, inner), max_size=4).map(_object)
    ),
    max_leaves=12,
).map(lambda text: text.encode("utf-8", "surrogatepass"))


@st.composite
def near_json(draw: st.DrawFn) -> bytes:
    """Return a document that was cut, doubled, spliced, nested or sprinkled a few times, or left alone."""
    body = draw(WRITTEN)
    for kind in draw(
        st.lists(st.sampled_from(["cut", "doubled", "spliced", "sprinkled", "deep"]), max_size=3)
    ):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(body))] * 2)))
        if kind == "cut":
            body = body[:start] + body[end:]
        elif kind == "doubled":
            body = body[:end] + body[start:]
        elif kind == "spliced":
            body = body[:start] + draw(WRITTEN) + body[end:]
        elif kind == "sprinkled":
            body = body[:start] + draw(st.sampled_from(TOKENS)) + body[start:]
        else:
            depth = draw(st.sampled_from([1, 3, 30, 32, 33, 400, 3000]))
            before, after = draw(
                st.sampled_from([(b"[", b"]"), (b'{"a":', b"}"), (b"[", b""), (b'[{"b":[', b"")])
            )
            body = before * depth + body + after * depth
    return body


@dataclass
class Read:
    """What the standard library says of a body: whether it is JSON, its value, and which limits it breaks."""

    value: Any = None
    is_json: bool = True
    broken: set[str] = field(default_factory=set)
    repaired: set[str] = field(default_factory=set)


class _Odd(str):
    """Stands for a number that is refused; `code` says why."""

    code = ""


def _odd(code: str) -> _Odd:
    found = _Odd()
    found.code = code
    return found


class _Twice(dict[str, Any]):
    """An object that named a key twice."""


def told(body: bytes, limits: Limits) -> Read:
    """Read a body with `json.loads` and hold the limits against it, by other means than the strict reader."""
    if len(body) > limits.size:
        return Read(is_json=False, broken={"body_too_large"})
    try:
        text = body.decode("utf-8", "surrogatepass").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return Read(is_json=False, broken={"not_utf8"})

    def whole(said: str) -> Any:
        return int(said) if len(said) <= limits.digits else _odd("number_too_long")

    def real(said: str) -> Any:
        return _odd("not_a_number") if abs(float(said)) == float("inf") else float(said)

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [mended(name) for name, _ in found]
        return (_Twice if len(set(names)) < len(names) else dict)(found)

    try:
        value = json.loads(text, parse_int=whole, parse_float=real, object_pairs_hook=pairs,
                           parse_constant=lambda _: _odd("not_a_number"))  # fmt: skip
    except RecursionError:
        return Read(is_json=False, broken={"too_deep", "bad_syntax"})
    except ValueError:
        return Read(is_json=False)
    found = Read()
    keys = 0
    for depth, one in _every(value):
        if isinstance(one, _Odd):
            found.broken.add(one.code)
        elif isinstance(one, list | dict):
            keys += len(one) if isinstance(one, dict) else 0
            found.broken |= {"duplicate_key"} if isinstance(one, _Twice) else set()
            found.broken |= {"too_deep"} if depth >= limits.depth else set()
    found.broken |= {"too_many_keys"} if keys > limits.keys else set()
    if not found.broken:
        found.value = _mended(value, "", found.repaired)
    return found


def _every(value: Any) -> Iterator[tuple[int, Any]]:
    waiting = [(0, value)]
    while waiting:
        depth, one = waiting.pop()
        yield depth, one
        if isinstance(one, list | dict):
            waiting += [(depth + 1, inner) for inner in (one.values() if isinstance(one, dict) else one)]


def mended(text: str) -> str:
    """Return a text with halves joined, and with what is left of them, and NUL, replaced: sign by sign."""
    found, rest = "", list(text)
    while rest:
        sign = rest.pop(0)
        if "\ud800" <= sign <= "\udbff" and rest and "\udc00" <= rest[0] <= "\udfff":
            sign = chr(0x10000 + ((ord(sign) - 0xD800) << 10) + ord(rest.pop(0)) - 0xDC00)
        found += "\ufffd" if sign == "\x00" or "\ud800" <= sign <= "\udfff" else sign
    return found


def _mended(value: Any, place: str, places: set[str]) -> Any:
    if isinstance(value, str):
        places |= {place} if mended(value) != value else set()
        return mended(value)
    if isinstance(value, list):
        return [_mended(one, f"{place}/{number}", places) for number, one in enumerate(value)]
    if isinstance(value, dict):
        clean = {}
        for name, one in value.items():
            inside = f"{place}/{speakable(mended(name))}"
            places |= {inside} if mended(name) != name else set()
            clean[mended(name)] = _mended(one, inside, places)
        return clean
    return value


def read(body: bytes, limits: Limits) -> Parsed:
    """Read a body as the API does, or under limits of one's own."""
    if limits != Limits():
        return read_json(body, limits)
    parsed: Parsed = StrictJSONParser().parse(io.BytesIO(body), "application/json").read()
    return parsed


def has_place(refusal: BodyRefused, body: bytes) -> bool:
    """Whether a refusal says where: a pointer, or a line and column that the body has."""
    if refusal.code == "body_too_large":
        return True
    if refusal.pointer is not None:
        return refusal.pointer == "" or refusal.pointer.startswith("/")
    lines = body.decode("utf-8", "replace").split("\n")
    if not 1 <= refusal.line <= len(lines):
        return False
    # A bare NUL is read as the six signs of its escape.
    room = len(lines[refusal.line - 1]) + 5 * lines[refusal.line - 1].count("\x00")
    return 1 <= refusal.column <= room + 1


@MANY
@given(body=near_json(), limits=st.sampled_from([Limits(), NARROW]))
@example(body=b"[" * 100_000, limits=Limits())
@example(body=b'{"a":' * 100_000 + b"1" + b"}" * 100_000, limits=Limits())
@example(body=b'{"a":"\\ud83d\\ude00 \\ud83d", "b":"\xed\xa0\xbd\xed\xb8\x80"}', limits=Limits())
@example(body=b'{"a\\u0000":1,"a\\ud800":2}', limits=Limits())
@example(body=b'["x\x00y", \x00]', limits=Limits())
@example(body=b"9" * 5000, limits=Limits())
def test_near_json_is_read_to_the_same_value_or_refused_with_its_place(body: bytes, limits: Limits) -> None:
    """Of the limits that a body breaks one is named; a body that breaks none and is JSON is always read."""
    expected = told(body, limits)
    try:
        parsed = read(body, limits)
    except BodyRefused as refusal:
        assert refusal.code and refusal.message and refusal.status in (400, 413)
        assert has_place(refusal, body), (refusal.code, refusal.line, refusal.column, refusal.pointer)
        if expected.is_json:
            assert refusal.code in expected.broken, "it is JSON, and within the limits"
        elif expected.broken:
            assert refusal.code in expected.broken
        return
    assert expected.broken == set()
    if expected.is_json:
        # By its text: 1 and 1.0 and True are equal, but not the same value.
        assert repr(parsed.value) == repr(expected.value)
        assert parsed.repaired == expected.repaired
    else:
        assert b"\x00" in body, "only a bare NUL inside a text is forgiven beyond JSON"
