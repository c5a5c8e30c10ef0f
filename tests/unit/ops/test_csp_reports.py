"""Reports of the content policy: what is kept of them is codes, and no sender can fill or break anything."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client
from django.urls import resolve, reverse

from cortex.accounts.sessions.models import SessionState
from cortex.audit import SYSTEM
from cortex.clock import clock
from cortex.ops import metrics
from cortex.ops.cspreports import actions, throttle
from cortex.ops.cspreports.models import CspViolation
from cortex.ops.cspreports.parsing import LIMITS, MOST_REPORTS, Violation
from cortex.ops.cspreports.throttle import PER_NETWORK, TOGETHER, reports
from cortex.ops.models import RetentionPolicy
from cortex.ops.tasks import drop_old_slots
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db
PLACE = "/csp-reports"
OLD, NEW = "application/csp-report", "application/reports+json"
HOST = "http://testserver"
PERSON = uuid4()
# What a report says beside what we keep: none of it may be found anywhere.
WORDS = ("canary-words", str(PERSON), "stealer", "secret-label")


@pytest.fixture(autouse=True)
def nobody_sent_before() -> Iterator[None]:
    reports.forget()
    yield
    reports.forget()


def old(page: str = f"{HOST}/charts/{PERSON}/?q=canary-words", blocked: str = "inline", **more: Any) -> bytes:
    body = {
        "document-uri": page, "blocked-uri": blocked, "effective-directive": "script-src-elem",
        "violated-directive": "script-src-elem", "referrer": f"{HOST}/canary-words", "script-sample":
        "canary-words", "source-file": f"{HOST}/canary-words.js", "original-policy": "canary-words",
    }  # fmt: skip
    return json.dumps({"csp-report": body | more}).encode()


def new(*blocked: str, page: str = f"{HOST}/charts/{PERSON}/", directive: str = "img-src") -> bytes:
    return json.dumps(
        [
            {
                "type": "csp-violation", "age": 7, "url": page, "user_agent": "canary-words",
                "body": {"documentURL": page, "blockedURL": one, "effectiveDirective": directive,
                         "sample": "canary-words", "disposition": "enforce"},
            }
            for one in blocked
        ]
    ).encode()  # fmt: skip


def send(body: bytes, kind: str = OLD, client: Client | None = None, **headers: str) -> Any:
    return (client or Client(enforce_csrf_checks=True)).post(PLACE, body, content_type=kind, headers=headers)


def rows() -> list[tuple[Any, ...]]:
    kept = CspViolation.objects.order_by("directive", "source", "route")
    return list(kept.values_list("directive", "source", "route", "host", "times"))


def chart() -> str:
    return resolve(f"/charts/{PERSON}/").view_name


def test_both_kinds_of_report_leave_one_row_with_its_count_and_times() -> None:
    assert [send(old()).status_code, send(old(), charset="utf-8").status_code] == [204, 204]
    assert send(new("https://evil.example/x.png", "https://evil.example/y.png"), NEW).status_code == 204
    assert rows() == [
        ("img-src", "host", chart(), "evil.example", 2),
        ("script-src-elem", "inline", chart(), "", 2),
    ]
    first = CspViolation.objects.get(source="inline")
    assert first.first_at < first.last_at


def test_nothing_of_a_body_is_kept_logged_or_echoed(capfd: pytest.CaptureFixture[str]) -> None:
    bodies = [
        old(), old(blocked="https://secret-label.stealer.evil.example/canary-words"), b"canary-words",
        old(page=f"https://elsewhere.example/{PERSON}"), b'{"csp-report": "canary-words"}',
    ]  # fmt: skip
    answers = [send(body) for body in bodies]
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(v::text, ' ') FROM ops_cspviolation v")
        stored = cursor.fetchone()[0]
    said = capfd.readouterr()
    shown = [*(answer.content.decode() for answer in answers), said.out, said.err, stored,
             metrics.exposition().decode()]  # fmt: skip
    assert "evil.example" in stored
    assert [word for word in WORDS for text in shown if word in text] == []
    assert [answer.content for answer in answers] == [b""] * len(bodies)


@pytest.mark.parametrize(
    ("blocked", "source", "host"),
    [
        ("inline", "inline", ""),
        ("eval", "eval", ""),
        ("wasm-eval", "eval", ""),
        ("data", "data", ""),
        ("data:text/html,canary-words", "data", ""),
        ("blob:https://x.example/1", "data", ""),
        ("chrome-extension://abc/x.js", "extension", ""),
        ("moz-extension", "extension", ""),
        (f"{HOST}/static/x.js", "own", ""),
        ("self", "own", ""),
        ("wss://a.b.evil.example:444/x", "host", "evil.example"),
        ("https://203.0.113.9/x", "host", "113.9"),
        ("https://[2001:db8::1]/x", "host", ""),
        ("https://" + "a" * 40 + ".example/", "host", ""),
        ("https://wörter.example/", "host", ""),
        ("https://[canary-words", "other", ""),
        ("about", "other", ""),
        ("", "other", ""),
    ],
)
def test_what_was_blocked_becomes_a_kind_and_at_most_two_labels(blocked: str, source: str, host: str) -> None:
    assert send(old(blocked=blocked)).status_code == 204
    assert [(row[1], row[3]) for row in rows()] == [(source, host)]


def test_unknown_directives_and_pages_share_a_row_and_other_hosts_pages_have_none() -> None:
    told = {"effective-directive": "canary-words", "violated-directive": ""}
    for page in ("/no/such/canary-words", "/another", "/" + "x" * 5_000, "/%00"):
        assert send(old(HOST + page, **told)).status_code == 204
    assert rows() == [("other", "inline", "unmatched", "", 4)]
    for page in ("https://elsewhere.example/", "about:blank", "http://[", "", "file:///etc"):
        assert send(old(page)).status_code == 204
    assert len(rows()) == 1


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b" ", OLD, 400),
        (b"{", OLD, 400),
        (b"\xff\xfe\x00", OLD, 400),
        (b"\x00" * 100, OLD, 400),
        (b"null", OLD, 400),
        (b"[]", OLD, 400),
        (b"7", NEW, 400),
        (b'{"csp-report": []}', OLD, 400),
        (b'{"csp-report": {"document-uri": 7, "blocked-uri": {}}}', OLD, 204),
        (b'[{"type": "csp-violation", "body": null}, 7, null, {"type": 7}]', NEW, 204),
        (b"[" * 50_000, NEW, 400),
        (b'{"a":' * 9 + b"1" + b"}" * 9, OLD, 400),
        (b'{"csp-report": {"a": 1, "a": 2}}', OLD, 400),
        (b'{"csp-report": {"a": ' + b"9" * 5_000 + b"}}", OLD, 400),
        (b'{"csp-report": {"document-uri": "' + b"x" * LIMITS.size + b'"}}', OLD, 413),
        (b"x" * (5 * 2**20 + 1), OLD, 413),
        (b"{}", "application/json", 415),
        (b"{}", "text/plain", 415),
    ],
)
def test_a_body_that_is_no_report_is_refused_and_leaves_nothing(body: bytes, kind: str, status: int) -> None:
    assert send(body, kind).status_code == status
    assert rows() == []


def test_nul_bytes_and_half_characters_are_no_fault_of_ours() -> None:
    broken = json.dumps({"document-uri": f"{HOST}/\x00\ud800", "blocked-uri": "https://a\x00.example/"})
    assert send(b'{"csp-report": ' + broken.encode() + b"}").status_code == 204
    assert [row[:4] for row in rows()] == [("other", "host", "unmatched", "")]


def test_only_reports_are_taken_and_only_by_post() -> None:
    assert Client().get(PLACE).status_code == 405
    assert Client().put(PLACE, old(), content_type=OLD).status_code == 405


def test_a_network_is_heard_so_often_in_a_minute_and_all_together_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client()
    # All within one minute, however slow the machine is and whenever it begins.
    monkeypatch.setattr(throttle, "time", SimpleNamespace(monotonic=lambda: 630.0))

    def knock(address: str) -> int:
        return int(client.post(PLACE, b"{", content_type=OLD, REMOTE_ADDR=address).status_code)

    # One network, whichever of its addresses sends.
    answers = [knock(f"2001:db8::{number:x}") for number in range(1, PER_NETWORK + 2)]
    assert answers == [400] * PER_NETWORK + [429]
    assert knock("2001:db9::1") == 400
    left = TOGETHER - PER_NETWORK - 1
    assert [knock(f"10.0.{n // 250}.{n % 250}") for n in range(left + 1)] == [400] * left + [429]
    assert client.post(PLACE, b"{", content_type=OLD)["Retry-After"] == "60"
    assert rows() == []


def test_a_full_table_counts_what_is_new_in_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_ROWS", 3)
    told = [Violation("img-src", "inline", f"route-{number}") for number in range(60)]
    for one in told:
        actions.count_violations(actor=SYSTEM, told={one: 1})
    actions.count_violations(actor=SYSTEM, told=dict.fromkeys(told, 2))
    assert [(row[2], row[4]) for row in rows()] == [
        ("other", 57 + 114), ("route-0", 3), ("route-1", 3), ("route-2", 3),
    ]  # fmt: skip


def test_a_batch_of_many_takes_as_many_statements_as_one(django_assert_num_queries: Any) -> None:
    actions.count_violations(actor=SYSTEM, told={Violation("img-src", "inline", "x"): 1})
    with django_assert_num_queries(6):  # savepoint, scope, clock, count, write, release
        actions.count_violations(actor=SYSTEM, told={Violation("img-src", "inline", "x"): 1})
    many = {Violation("img-src", "inline", f"route-{number}"): 1 for number in range(MOST_REPORTS)}
    with django_assert_num_queries(6):
        assert actions.count_violations(actor=SYSTEM, told=many) == MOST_REPORTS


def test_reports_beyond_a_hundred_in_a_batch_are_not_read() -> None:
    assert send(new(*["inline"] * 250), NEW).status_code == 204
    assert [row[4] for row in rows()] == [MOST_REPORTS]


@pytest.mark.django_db(transaction=True)
def test_reports_at_the_same_time_are_all_counted() -> None:
    told = {Violation("img-src", "inline", f"route-{number}"): 1 for number in range(8)}
    turned = dict(reversed(told.items()))

    def count(which: dict[Violation, int]) -> None:
        try:
            for _ in range(10):
                actions.count_violations(actor=SYSTEM, told=which)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=count, args=(which,)) for which in (told, turned, told, turned)]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]
    assert {row[4] for row in rows()} == {40}


def test_a_report_is_counted_as_a_figure_and_so_is_a_refusal() -> None:
    def figure(name: str, **labels: str) -> float:
        return metrics.REGISTRY.get_sample_value(name, labels) or 0.0

    told = {"directive": "script-src-elem", "source": "inline"}
    before = figure("cortex_csp_violations_total", **told)
    refused = figure("cortex_csp_reports_refused_total", why="bad_syntax")
    send(old())
    send(b"{")
    assert figure("cortex_csp_violations_total", **told) == before + 1
    assert figure("cortex_csp_reports_refused_total", why="bad_syntax") == refused + 1


def test_a_report_prolongs_no_session_and_needs_none(cast: Cast) -> None:
    client = makers.client_of(cast.ada)
    client.handler.enforce_csrf_checks = True
    client.get("/me/")
    SessionState.objects.update(last_input_at=clock() - timedelta(minutes=10))
    before = SessionState.objects.get().last_input_at
    assert send(old(), client=client).status_code == 204
    assert SessionState.objects.get().last_input_at == before


def test_administrators_read_the_counts_and_nobody_of_the_desk(cast: Cast) -> None:
    send(old(blocked="https://evil.example/"))
    office, desk = makers.client_of(cast.ada), makers.client_of(cast.cleo)
    page = office.get("/admin/ops/cspviolation/")
    assert page.status_code == 200
    assert "evil.example" in page.content.decode() and chart() in page.content.decode()
    assert desk.get("/admin/ops/cspviolation/").status_code in (302, 403)


def test_what_nobody_reported_for_long_leaves_by_its_rule() -> None:
    send(old())
    send(old(blocked="eval"))
    days = RetentionPolicy.objects.get(model="ops.CspViolation").days
    long_ago = clock() - timedelta(days=days, minutes=1)
    CspViolation.objects.filter(source="eval").update(first_at=long_ago, last_at=long_ago)
    CspViolation.objects.filter(source="inline").update(first_at=long_ago)
    drop_old_slots()
    assert [row[1] for row in rows()] == ["inline"]


def test_every_answer_names_the_door_in_both_ways() -> None:
    for answer in (Client().get("/accounts/login/"), Client().get("/healthz"), Client().get("/nowhere")):
        policy = [part.strip() for part in answer["Content-Security-Policy"].split(";")]
        assert {f"report-uri {PLACE}", "report-to csp"} <= set(policy)
        assert answer["Reporting-Endpoints"] == f'csp="{PLACE}"'
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert reverse("ops:csp_report_take") == settings.CSP_REPORT_PATH


def test_the_longest_name_of_a_host_fits_and_a_longer_one_is_no_name() -> None:
    label = "a" * 31
    for blocked in (f"https://{label}.{label}/x.png", f"https://b{label}.b{label}/x.png"):
        assert send(new(blocked), NEW).status_code == 204
    assert max(len(row.host) for row in CspViolation.objects.all()) == 63
