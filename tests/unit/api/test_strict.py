"""The strict reader: every bad body is refused with its place, every repairable text is repaired."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from cortex.api.strict import BodyRefused, Limits, read_json
from tests.growth import assert_linear

# body, code, status, (line, column) or pointer
BAD = [
    (b"", "empty_body", 400, (1, 1)),
    (b"  \n ", "empty_body", 400, (1, 1)),
    (b"{", "bad_syntax", 400, (1, 2)),
    (b'{"a": 1,}', "bad_syntax", 400, (1, 9)),
    (b'{"a": 1}\n x', "bad_syntax", 400, (2, 2)),
    (b"{'a': 1}", "bad_syntax", 400, (1, 2)),
    (b'{"a": "x\ny"}', "bad_syntax", 400, (1, 9)),
    (b'{"a": \x00}', "bad_syntax", 400, (1, 7)),
    (b'{"a": 01}', "bad_syntax", 400, (1, 8)),
    (b'{"a": "\xff"}', "not_utf8", 400, (1, 8)),
    ('{"a": "é"}'.encode("utf-16"), "not_utf8", 400, (1, 1)),
    (b'{"a": 1, "a": 2}', "duplicate_key", 400, "/a"),
    (b'{"b": [{"a": 1, "a": 1}]}', "duplicate_key", 400, "/b/0/a"),
    (b'{"a\\u0000": 1, "a\\ufffd": 2}', "duplicate_key", 400, "/(unnamed)"),
    (b'{"a": NaN}', "not_a_number", 400, "/a"),
    (b'{"a": [1, -Infinity]}', "not_a_number", 400, "/a/1"),
    (b'{"a": 1e400}', "not_a_number", 400, "/a"),
    (b'{"a": ' + b"9" * 19 + b"}", "number_too_long", 400, "/a"),
    (b'{"a": ' + b"9" * 5000 + b"}", "number_too_long", 400, "/a"),
    (b"[" * 33 + b"]" * 33, "too_deep", 400, "/0" * 32),
    (b"[" * 200_000, "too_deep", 400, (1, 33)),
    (b'{"a":' * 50_000, "too_deep", 400, None),
]


@pytest.mark.parametrize(
    ("body", "code", "status", "place"), BAD, ids=[row[1] + str(n) for n, row in enumerate(BAD)]
)
def test_a_bad_body_is_refused_with_its_place(body: bytes, code: str, status: int, place: object) -> None:
    with pytest.raises(BodyRefused) as caught:
        read_json(body)
    refused = caught.value
    assert (refused.code, refused.status) == (code, status)
    if isinstance(place, tuple):
        assert (refused.line, refused.column) == place
    elif place is not None:
        assert refused.pointer == place


def test_a_body_over_the_limits_is_refused() -> None:
    limits = Limits(size=100, keys=5)
    with pytest.raises(BodyRefused) as caught:
        read_json(b'"' + b"x" * 200 + b'"', limits)
    assert (caught.value.code, caught.value.status) == ("body_too_large", 413)
    with pytest.raises(BodyRefused) as caught:
        read_json(json.dumps({"a": [{"b": 1}] * 5}).encode(), limits)
    assert (caught.value.code, caught.value.pointer) == ("too_many_keys", "/a/4")


REPAIRED = [
    (b'{"t": "a\\u0000b"}', {"t": "a\ufffdb"}, {"/t"}),
    (b'{"t": "a\x00b"}', {"t": "a\ufffdb"}, {"/t"}),
    (b'{"t": ["\\ud800", "x"]}', {"t": ["\ufffd", "x"]}, {"/t/0"}),
    (b'{"t": "\\udc00\\ud800"}', {"t": "\ufffd\ufffd"}, {"/t"}),
    (b'{"t": "\xed\xa0\x80"}', {"t": "\ufffd"}, {"/t"}),
    (b'{"a/b~\\u0000": 1}', {"a/b~\ufffd": 1}, {"/(unnamed)"}),
]


@pytest.mark.parametrize(("body", "value", "places"), REPAIRED)
def test_a_nul_or_half_a_pair_is_replaced_and_flagged(body: bytes, value: object, places: set[str]) -> None:
    parsed = read_json(body)
    assert parsed.value == value
    assert parsed.repaired == places


def test_whole_pairs_marks_and_other_scripts_pass_untouched() -> None:
    body = json.dumps({"t": "nimechoka \U0001f614 sana مرحبا"}).encode()
    parsed = read_json(body)
    assert parsed.value["t"] == "nimechoka \U0001f614 sana مرحبا"
    assert parsed.repaired == frozenset()
    assert read_json(b'\xef\xbb\xbf{"a": 1}').value == {"a": 1}


def test_a_hostile_body_costs_no_more_than_its_size() -> None:
    for text in ("[" * 4_000_000, '"' + "\\" * 4_000_000, '{"a":"' + "\\u0000" * 600_000 + '"}'):
        assert_linear(_read, text)


def _read(text: str) -> None:
    with suppress(BodyRefused):
        read_json(text.encode())
