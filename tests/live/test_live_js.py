"""live.js, clocks.js and tone.js in a real Chromium under the strict CSP, against the real hub."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Page as Tab
from playwright.async_api import async_playwright

from cortex.live import feed
from tests.browsers import chromium_program
from tests.live.conftest import Listener
from tests.live.stage import LiveServer, TableSource, board, commit

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])

LIB = Path(__file__).resolve().parents[2] / "static" / "js" / "lib"
CSP = b"default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"
HTML = b"""<!doctype html><html lang="en"><title>Live</title><body>
<button id="touch">Test the sound</button><ul id="rows"></ul></body></html>"""
START = """async ([topic, last]) => {
    const { connect } = await import('/lib/live.js');
    window.log = { events: [], states: [], reloads: 0, ticks: 0, gone: [], fail: false, codes: [] };
    window.fresh ??= 0;
    window.live = connect({
        url: '/ws/live/', topics: { [topic]: last },
        onEvent: (event) => { if (log.fail) throw new Error('no'); log.events.push(event.n); },
        onReload: async () => { log.reloads += 1; return window.fresh; },
        onState: ({ state, code }) => { log.states.push(state); log.codes.push(code); },
        onTick: () => { log.ticks += 1; },
        onGone: (name) => log.gone.push(name),
    });
}"""


async def site(scope: Any, receive: Any, send: Any) -> None:
    """The real sockets behind a page that loads the scripts as files of its own."""
    from cortex.asgi import application

    if scope["type"] == "websocket":
        await application(scope, receive, send)
        return
    path = scope["path"]
    script = path.startswith("/lib/")
    body = (LIB / Path(path).name).read_bytes() if script else HTML
    kind = b"text/javascript" if script else b"text/html"
    headers = [(b"content-type", kind), (b"content-security-policy", CSP)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def tab() -> AsyncIterator[Tab]:
    """An empty tab; the system's Chromium, else Playwright's."""
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await playwright.chromium.launch(executable_path=chromium_program(), args=arguments)
        found = await (await browser.new_context()).new_page()
        errors: list[str] = []
        found.on("pageerror", lambda error: errors.append(str(error)))
        yield found
        await browser.close()
        assert errors == []


@pytest.fixture
async def desk(
    tab: Tab, source: TableSource, serve: Callable[..., LiveServer], cleo: Listener, organization: UUID
) -> tuple[Tab, LiveServer]:
    """A tab with the page, signed in, not yet connected."""
    server = serve(app=site)
    name, _, value = cleo.cookie.partition("=")
    await tab.context.add_cookies([{"name": name, "value": value, "url": server.origin}])
    await tab.goto(server.origin)
    return tab, server


async def start(tab: Tab, organization: UUID, last: int | None = 0) -> None:
    await tab.evaluate(START, [board(organization), last])


async def wait(tab: Tab, condition: str, seconds: float = 20) -> None:
    """Ask again and again: Playwright's own waiting evaluates strings, which the policy forbids."""
    async with asyncio.timeout(seconds):
        while not await tab.evaluate(condition):
            await asyncio.sleep(0.02)


async def test_events_are_shown_once_in_order_across_a_lost_connection(
    desk: tuple[Tab, LiveServer], organization: UUID, source: TableSource
) -> None:
    tab, server = desk
    commit(organization, 2)
    await start(tab, organization)
    await wait(tab, "log.events.length === 2")
    for socket in list(server.watch.hub.sockets):
        assert server.loop is not None
        server.loop.call_soon_threadsafe(socket.link.cut)
    commit(organization, 3)
    await wait(tab, "log.events.length === 5")
    assert await tab.evaluate("log.events") == [1, 2, 3, 4, 5]
    assert await tab.evaluate("log.states") == ["connecting", "live", "reconnecting", "live"]
    await asyncio.sleep(0.5)
    assert source.seen[-1][2] == 5


async def test_seen_is_said_only_after_the_handler_and_a_failing_handler_reloads(
    desk: tuple[Tab, LiveServer], organization: UUID, source: TableSource
) -> None:
    tab, _ = desk
    commit(organization)
    await start(tab, organization, 1)
    await wait(tab, "live.state === 'live'")
    await asyncio.sleep(0.5)
    await tab.evaluate("log.fail = true")
    await tab.evaluate("window.fresh = 2")
    commit(organization)
    await wait(tab, "log.reloads === 1")
    await tab.evaluate("log.fail = false")
    await asyncio.sleep(0.5)
    commit(organization)
    await wait(tab, "log.events.length === 1")
    assert await tab.evaluate("log.events") == [3]
    await asyncio.sleep(0.5)
    assert [n for _, _, n in source.seen] == [1, 2, 3]


async def test_far_behind_asks_for_the_page_again_and_goes_on_from_its_number(
    desk: tuple[Tab, LiveServer], organization: UUID, source: TableSource
) -> None:
    tab, _ = desk
    source.too_far = 5
    commit(organization, 20)
    await tab.evaluate("window.fresh = 20")
    await start(tab, organization, 1)
    await wait(tab, "window.log && log.reloads === 1")
    commit(organization)
    await wait(tab, "log.events.includes(21)")


async def test_a_page_that_does_not_come_anew_is_asked_for_again_and_is_not_live_until_then(
    desk: tuple[Tab, LiveServer], organization: UUID, source: TableSource
) -> None:
    tab, _ = desk
    source.too_far = 5
    commit(organization, 20)
    await tab.evaluate("window.fresh = 'no number'")
    await start(tab, organization, 1)
    await wait(tab, "window.log && log.reloads === 1 && live.state === 'reconnecting'")
    await tab.evaluate("window.fresh = 20")
    await wait(tab, "log.reloads === 2 && live.state === 'live'")
    commit(organization)
    await wait(tab, "log.events.includes(21)")


async def test_silence_is_said_after_15_s_and_red_after_30_s(
    desk: tuple[Tab, LiveServer], organization: UUID
) -> None:
    tab, server = desk
    await tab.clock.install()
    await start(tab, organization)
    await wait(tab, "live.state === 'live'")
    server.stop()
    await tab.clock.run_for(1_000)
    await wait(tab, "live.state === 'reconnecting'")
    await tab.clock.run_for(31_000)
    await wait(tab, "live.state === 'stale'")
    assert await tab.evaluate("Date.now() - live.lastAt") >= 30_000


async def test_a_server_that_falls_silent_is_not_live_after_15_s(
    desk: tuple[Tab, LiveServer], organization: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab, server = desk
    await tab.clock.install()
    await start(tab, organization)
    await wait(tab, "live.state === 'live'")
    monkeypatch.setattr(server.watch, "is_in_touch", lambda: False)  # no ticks
    await tab.clock.run_for(14_000)
    assert await tab.evaluate("live.state") == "live"
    await tab.clock.run_for(3_000)
    assert "reconnecting" in await tab.evaluate("log.states")


async def test_coming_back_online_tries_at_once(
    desk: tuple[Tab, LiveServer], organization: UUID, serve: Callable[..., LiveServer]
) -> None:
    tab, server = desk
    await start(tab, organization)
    await wait(tab, "live.state === 'live'")
    port = server.port
    await tab.evaluate("() => { Math.random = () => 200; }")  # by itself it would try again after 40 s
    server.stop()
    await wait(tab, "live.state === 'reconnecting'")
    serve(app=site, port=port)
    await tab.evaluate("dispatchEvent(new Event('online'))")
    await wait(tab, "live.state === 'live'")


async def test_an_ended_session_is_told_with_its_code(
    desk: tuple[Tab, LiveServer], organization: UUID, cleo: Listener, source: TableSource
) -> None:
    tab, _ = desk
    await start(tab, organization)
    await wait(tab, "live.state === 'live'")
    source.refused.add(cleo.user.pk)
    await wait(tab, "log.codes.includes(4403)")
    assert await tab.evaluate("log.gone") == [board(organization)]


async def test_a_lost_hint_still_reaches_the_page(
    desk: tuple[Tab, LiveServer], organization: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab, _ = desk
    await start(tab, organization)
    await wait(tab, "live.state === 'live'")
    monkeypatch.setattr(feed, "publish", lambda topic, n: False)
    commit(organization)
    await wait(tab, "log.events.length === 1", 6)


async def wrong_clock(tab: Tab) -> None:
    """Let the browser's own clock stand, four hours slow."""
    await tab.clock.install(time="2026-11-21T08:00:00Z")
    await tab.clock.pause_at("2026-11-21T08:00:10Z")


CLOCKS = [
    # (server's now, due, from, level, words, state)
    ("12:00:00", "12:00:38", "11:59:00", "4", "0:38 left", "ok"),
    ("12:00:00", "12:00:20", "11:59:00", "4", "0:20 left", "soon"),
    ("12:00:00", "11:58:55", "11:56:00", "4", "1:05 over", "over"),
    ("12:00:00", "12:06:50", "11:51:00", "3", "6:50 left", "ok"),
    ("12:00:00", "12:19:30", "11:20:00", "3", "19 min left", "soon"),
    ("12:00:00", "11:19:00", "11:00:00", "3", "41 min over", "over"),
    ("12:00:00", "12:41:00", "11:59:00", "4", "41:00 left", "ok"),
    ("12:00:00", "14:05:00", "11:59:00", "2", "2 h 5 min left", "ok"),
]


async def test_clocks_say_what_the_design_says(desk: tuple[Tab, LiveServer]) -> None:
    tab, _ = desk
    await wrong_clock(tab)
    await tab.evaluate("import('/lib/clocks.js').then((clocks) => { window.clocks = clocks; })")
    for now, due, start_at, level, words, state in CLOCKS:
        shown = await tab.evaluate(
            """([now, due, from, level]) => {
                rows.innerHTML = `<li data-r="${level}"><div data-due="${due}" data-from="${from}">
                    <span data-left></span><svg><rect data-bar width="0"/></svg></div></li>`;
                clocks.sync(now);
                clocks.scan(rows);
                const clock = rows.querySelector('[data-due]');
                return [rows.textContent.trim(), clock.dataset.s];
            }""",
            [*(f"2026-11-21T{moment}Z" for moment in (now, due, start_at)), level],
        )
        assert shown == [words, state]


async def test_a_clock_ticks_from_server_time_and_tells_its_change_once(desk: tuple[Tab, LiveServer]) -> None:
    tab, _ = desk
    await wrong_clock(tab)
    changes = await tab.evaluate(
        """async () => {
            const clocks = await import('/lib/clocks.js');
            const [due, from] = ['2026-11-21T12:00:02Z', '2026-11-21T11:59:00Z'];
            rows.innerHTML = `<li data-r="4"><b data-due="${due}" data-from="${from}"></b>
                <time datetime="2026-11-21T11:56:55Z" data-clock="since"></time></li>`;
            window.changes = [];
            rows.addEventListener('clock', (event) => changes.push(event.detail));
            clocks.sync('2026-11-21T12:00:00Z');
            return rows.querySelector('time').textContent;
        }"""
    )
    assert changes == "3:05"
    await tab.clock.run_for(5_000)
    assert await tab.evaluate("[rows.querySelector('b').textContent, changes]") == ["0:03 over", ["over"]]
    assert await tab.evaluate("rows.querySelector('time').textContent") == "3:10"


async def test_small_drift_is_left_alone_and_large_drift_corrected(desk: tuple[Tab, LiveServer]) -> None:
    tab, _ = desk
    await wrong_clock(tab)
    offsets = await tab.evaluate(
        """async () => {
            const { sync, now } = await import('/lib/clocks.js');
            return ['2026-11-21T12:00:10Z', '2026-11-21T12:00:11Z', '2026-11-21T12:00:13Z'].map((iso) => {
                sync(iso);
                return (now() - Date.now()) / 1000;
            });
        }"""
    )
    assert offsets == [14400, 14400, 14403]


async def listen(tab: Tab) -> None:
    """Let the tab write down each tone that it starts, and play the first, as at the start of a shift."""
    await tab.evaluate(
        """async () => {
            const { alarm } = await import('/lib/tone.js');
            window.alarm = alarm;
            window.started = [];
            const start = OscillatorNode.prototype.start;
            OscillatorNode.prototype.start = function (at) {
                started.push(this.frequency.value);
                start.call(this, at);
            };
            touch.addEventListener('click', async () => { window.heard = await alarm.test(); });
        }"""
    )
    await tab.click("#touch")
    await wait(tab, "window.heard === true")


async def test_of_two_tabs_one_sounds_and_the_other_goes_on_when_it_is_closed(
    desk: tuple[Tab, LiveServer],
) -> None:
    tab, server = desk
    other = await tab.context.new_page()
    await other.goto(server.origin)
    tabs = (tab, other)
    for one in tabs:
        await listen(one)
        await one.evaluate("started.length = 0")
    await asyncio.sleep(2.1)  # the test's own tone is long over
    for one in tabs:
        await one.evaluate("alarm.now()")
    async with asyncio.timeout(20):
        while not any([await one.evaluate("started.length") for one in tabs]):
            await asyncio.sleep(0.02)
    await asyncio.sleep(1)  # the other's would come meanwhile
    heard = [await one.evaluate("started.length") for one in tabs]
    assert sorted(heard) == [0, 2]
    sounding, silent = tabs if heard[0] else tabs[::-1]
    for one in tabs:
        await one.evaluate("alarm.need(true)")
    await asyncio.sleep(0.5)
    assert await silent.evaluate("started.length") == 0, "the tone that both repeat has just sounded"
    await sounding.close()
    await asyncio.sleep(1)
    await silent.evaluate("alarm.now()")
    await wait(silent, "started.length === 2")


async def test_the_alarm_sounds_after_a_touch_and_mute_ends_by_itself(desk: tuple[Tab, LiveServer]) -> None:
    tab, _ = desk
    await listen(tab)
    assert await tab.evaluate("started") == [660, 880]
    await tab.clock.install()
    await tab.evaluate("alarm.mute(); alarm.now();")
    assert await tab.evaluate("[started.length, alarm.muted]") == [2, True]
    await tab.evaluate("alarm.need(true)")
    await tab.clock.run_for(299_000)
    assert await tab.evaluate("started.length") == 2
    await tab.clock.run_for(32_000)
    assert await tab.evaluate("alarm.muted") is False
    await wait(tab, "started.length >= 4")
    sounded = await tab.evaluate("alarm.need(false) ?? started.length")
    await tab.clock.run_for(65_000)
    assert await tab.evaluate("started.length") == sounded


async def test_each_touch_tries_until_the_sound_runs_and_what_waits_is_heard_at_once(
    desk: tuple[Tab, LiveServer],
) -> None:
    tab, _ = desk
    await tab.evaluate(
        """async () => {
            window.contexts = [];
            window.AudioContext = new Proxy(AudioContext, { construct: (made, args) => {
                if (window.isDeaf) throw new Error('no device');
                contexts.push(new made(...args));
                return contexts.at(-1);
            } });
            window.isDeaf = true;
            window.said = [];
            addEventListener('sound', () => said.push(alarm.ready));
            window.started = 0;
            const start = OscillatorNode.prototype.start;
            OscillatorNode.prototype.start = function (at) { started += 1; start.call(this, at); };
            window.alarm = (await import('/lib/tone.js')).alarm;
            alarm.need(true);
        }"""
    )
    await tab.click("#touch")  # in vain
    assert await tab.evaluate("[alarm.ready, started]") == [False, 0]
    await tab.evaluate("isDeaf = false")
    await tab.click("#touch")
    await wait(tab, "started === 2 && said.at(-1) === true")
    await tab.evaluate("contexts[0].suspend()")
    await wait(tab, "said.at(-1) === false")
    await tab.keyboard.press("a")
    await wait(tab, "alarm.ready && said.at(-1) === true")
    assert await tab.evaluate("contexts.length") == 1
