"""`make bench-live`: commit to socket beside stock Channels, for up to 2,000 sockets, 1 and 2 web processes.

PostgreSQL and Redis (embedded, fsync on), the real application on uvicorn as compose starts it, a process
that commits ten changes a second at times fixed beforehand, and this one, a lean client that counts. In each
timed run every socket's rights are checked again by the hub's own round, sockets that never read stand beside
the counted ones (one for twenty), and alerts of the real board are claimed and given back by HTTP. Latency
counts from the time at which the change was meant to be committed. Stock Channels runs its documented
consumer in the same process, for six seconds as when its figures were taken: where it falls behind, a longer
run would only look worse.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results" / "live.json"
SOCKETS, PROCESSES = [1, 100, 1000, 2000], [1, 2]
PER_USER = 5
RATE, STOCK_SECONDS = 10.0, 6.0
# Changes before the run: what a stalled reader asks for, more than the buffers of its connection take.
BEFORE = 400
# No multiple of the changes' distance: a claim meets them at every moment of its own work.
CLAIM_EVERY = 2.074
MISSED = 50
sys.path.insert(0, str(ROOT))
from bench import live_figures  # noqa: E402
from bench.board_client import Connection  # noqa: E402
from bench.kept import machine  # noqa: E402
from bench.live_house import CHILDREN, DATA_DIR, Servers, build, environment, superuser  # noqa: E402
from bench.live_reader import Plan, Reader, StalledReaders  # noqa: E402

BACKLOG = """
    INSERT INTO bench_event SELECT %(key)s, n, %(body)s FROM generate_series(1, %(count)s) AS n;
    INSERT INTO bench_feed VALUES (%(key)s, %(count)s)
"""
WHILE_AWAY = """
    INSERT INTO bench_event SELECT %(key)s, n, %(body)s FROM generate_series(%(last)s + 1, %(to)s) AS n;
    UPDATE bench_feed SET n = %(to)s WHERE organization = %(key)s
"""


class Run:
    """One design with so many sockets on so many web processes."""

    def __init__(self, house: dict[str, Any], design: str, sockets: int, options: argparse.Namespace) -> None:
        self.house, self.design, self.sockets, self.options = house, design, sockets, options
        self.key = str(uuid.uuid4())
        self.seconds = options.seconds if design == "hub" else STOCK_SECONDS
        self.count = int(RATE * self.seconds)
        self.stalled = sockets // 20
        self.claims = 0
        self.claims_wanted = 2 * int(self.seconds / CLAIM_EVERY)
        self.firing: asyncio.subprocess.Process

    async def measure(self, processes: int) -> dict[str, Any]:
        """Start servers, open the sockets, run, and return the figures."""
        body = json.dumps({"html": "x" * self.options.bytes})
        superuser(BACKLOG, {"key": self.key, "body": body, "count": BEFORE})
        servers = Servers(processes)
        try:
            await asyncio.to_thread(servers.wait)
            self.plan = Plan(servers.ports, "/ws/live/" if self.design == "hub" else "/stock/", self.topic)
            topics = {self.topic: BEFORE, f"board:{self.house['board']}": None}
            cookies = [one for one in self.house["cookies"] for _ in range(PER_USER)]
            readers = await self.plan.open(cookies[: self.sockets], topics)
            stalled = StalledReaders(self.plan, cookies[self.sockets : self.sockets + self.stalled])
            try:
                return await self._timed(servers, readers, stalled)
            finally:
                await asyncio.to_thread(stalled.stop)
                for one in readers:
                    one.transport.abort()
        finally:
            await asyncio.to_thread(servers.stop)

    @property
    def topic(self) -> str:
        return f"bench:{self.key}"

    async def _timed(
        self, servers: Servers, readers: list[Reader], stalled: StalledReaders
    ) -> dict[str, Any]:
        import psutil

        await self._start_firing()
        await asyncio.to_thread(stalled.start)
        await asyncio.sleep(1.0)
        for port in servers.ports:
            await ask(port, "begin")
        cpu, mine, load = servers.cpu(), sum(psutil.Process().cpu_times()[:2]), os.getloadavg()[0]
        begun = time.time_ns() + 300_000_000
        assert self.firing.stdin is not None
        self.firing.stdin.write(f"{begun}\n".encode())
        claiming = asyncio.ensure_future(self._claim(servers.ports, begun / 1e9))
        printed, _ = await self.firing.communicate()
        await claiming
        await self._drain(readers)
        cpu, mine = servers.cpu() - cpu, sum(psutil.Process().cpu_times()[:2]) - mine
        told = [await ask(port, "figures") for port in servers.ports]
        found = self._account(json.loads(printed), readers, told)
        if self.options.storm and self.design == "hub":
            found["storm"] = await self._storm(readers)
        return found | {
            "cpu_us": round(cpu / max(1, len(self.plan.arrivals)) * 1e6, 1),
            "client_cpu": round(mine, 2),
            "load": round(load, 2),
            "stalled": self.stalled,
            "stalled_opened": sum(stalled.opened),
        }

    async def _storm(self, readers: list[Reader]) -> dict[str, float]:
        """Cut all sockets at once, let them miss some changes and come back together; seconds until whole."""
        cookies, last = [one.cookie for one in readers], BEFORE + self.count
        for one in readers:
            one.transport.abort()
        body = json.dumps({"html": "x" * self.options.bytes})
        superuser(WHILE_AWAY, {"key": self.key, "body": body, "last": last, "to": last + MISSED})
        begun = time.monotonic()
        again = await self.plan.open(cookies, {self.topic: last, self.board: None}, tries=20)
        welcomed = time.monotonic() - begun
        while any(one.last[self.topic] < last + MISSED for one in again) and time.monotonic() - begun < 60:
            await asyncio.sleep(0.01)
        whole = sum(one.last[self.topic] == last + MISSED for one in again)
        found = {"welcomed": round(welcomed, 2), "took": round(time.monotonic() - begun, 2), "whole": whole,
                 "turned_away": self.plan.turned_away}  # fmt: skip
        for one in again:
            one.transport.abort()
        return found

    async def _start_firing(self) -> None:
        arguments = [self.design, self.key, str(self.count), str(RATE), str(self.options.bytes)]
        self.firing = await asyncio.create_subprocess_exec(
            sys.executable, CHILDREN, *arguments, env=environment("app"), cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24,
        )  # fmt: skip
        assert self.firing.stdout is not None
        line = await self.firing.stdout.readline()
        if line != b"ready\n":
            raise SystemExit(f"the firing process said {line!r}")

    async def _claim(self, ports: list[int], begun: float) -> None:
        """Claim an alert of the board and give it back, in turns over the servers, at fixed times."""
        cookie = self.house["cookies"][0]
        doors = [Connection(port, cookie) for port in ports]
        for number in range(self.claims_wanted):
            due = begun + number * CLAIM_EVERY / 2
            await asyncio.sleep(max(0.0, due - time.time()))
            alert = self.house["alerts"][number // 2 % len(self.house["alerts"])]
            door = doors[number % len(doors)]
            step, values = ("release", {"reason": "The bench."}) if number % 2 else ("claim", {})
            answer = await door.post(f"/alerts/{alert}/{step}/", **values)
            self.claims += answer.status == 303
        for door in doors:
            door.close()

    async def _drain(self, readers: list[Reader]) -> None:
        """Wait for what is on its way: stock 1.2 s, as when its figures were taken, the hub up to 10 s."""
        self.head = superuser("SELECT number FROM live_feed WHERE organization_id = %(id)s",
                              {"id": self.house["board"]})[0]  # fmt: skip
        wanted = {self.topic: BEFORE + self.count}
        wanted |= {self.board: self.head} if self.design == "hub" else {}
        until = time.monotonic() + (10.0 if self.design == "hub" else 1.2)
        await asyncio.sleep(0.5)
        while time.monotonic() < until and any(
            one.last.get(topic, 0) < n for one in readers for topic, n in wanted.items()
        ):
            await asyncio.sleep(0.05)

    def _account(self, stamps: list[Any], readers: list[Reader], told: list[Any]) -> dict[str, Any]:
        intended = {n: at for n, at, _ in stamps}
        groups, received, hub = [], [0] * len(told), self.design == "hub"
        for _, _, group in self.plan.arrivals:
            received[group] += 1
        board_lost = sum(self.head - one.last[self.board] for one in readers) if hub else 0
        for number, figures in enumerate(told):
            sockets = sum(one.group == number for one in readers)
            slow = len(range(number, self.stalled, len(told)))
            rows: list[tuple[str, int, int, int | str]] = [
                ("reading", sockets * self.count, figures["reading"], received[number])
            ]
            if slow:
                rows.append(("stalled", slow * self.count, figures["stalled"], "0: they never read"))
            if hub and sockets:
                news = sum(self.head - one.first[self.board] for one in readers if one.group == number)
                rows.append(("reading, claims", news, figures["board"], self.plan.board_received[number]))
            groups += [
                {"group": f"web {number + 1}, {kind}", "offered": offered, "sent": sent, "received": came}
                for kind, offered, sent, came in rows
            ]
        late = [(at - intended[n]) // 1000 for n, at, _ in self.plan.arrivals if n in intended]
        expected = len(readers) * self.count
        # None where a server has no reader: one socket sits at one of two.
        least = min((one["least_checks"] for one in told if one["least_checks"] is not None), default=0)
        return {
            "design": self.design, "sockets": len(readers), "processes": len(told), "seconds": self.seconds,
            **live_figures.cuts(late),
            "commit_late": live_figures.cuts([(done - meant) // 1000 for _, meant, done in stamps]),
            "groups": groups, "lost": expected - len(late), "received_share": round(len(late) / expected, 4),
            "doubled": self.plan.doubled, "skipped": self.plan.skipped, "reloads": self.plan.reloads,
            "board_lost": board_lost, "closed": sum(not one.is_open for one in readers),
            "claims": self.claims, "claims_wanted": self.claims_wanted,
            "checks_least": least,
            "check_rounds": sum(one["rounds"] for one in told),
            "slow_closes": sum(one["slow_closes"] for one in told),
            "source_failures": sum(one["source_failures"] for one in told),
            "histogram_us": live_figures.histogram(late),
        }  # fmt: skip

    @property
    def board(self) -> str:
        return f"board:{self.house['board']}"


async def ask(port: int, path: str) -> dict[str, Any]:
    """Ask a server what it counted."""
    door = Connection(port, "")
    answer = await door.get(f"/bench/{path}")
    door.close()
    return dict(json.loads(answer.body))


class Results:
    """The file of the figures, written anew after each run and complete only after the last."""

    def __init__(self, options: argparse.Namespace, load: float) -> None:
        whole = options.sockets == SOCKETS and options.processes == PROCESSES
        # A part of the shapes is no result to keep beside the code.
        self.path = RESULTS if whole else DATA_DIR / "part.json"
        peers = {"p99": live_figures.PEER_P99, "sockets": live_figures.PEER_SOCKETS}
        self.head: dict[str, Any] = {
            "machine": machine(), "load_before": load, "rate": RATE, "bytes": options.bytes,
            "peers": peers,
        }  # fmt: skip
        self.cells: list[dict[str, Any]] = []

    @property
    def is_right(self) -> bool:
        """Say whether nothing of ours was lost or doubled so far."""
        return not any(cell["faults"] for cell in self.cells)

    def add(self, cell: dict[str, Any]) -> None:
        """Take a run's figures in and write what there is."""
        self.cells.append(cell)
        self.write(complete=False)

    def write(self, *, complete: bool, **more: Any) -> None:
        """Put a whole file in the place of the one before."""
        kept = {"complete": complete, **self.head, "right": self.is_right, **more, "cells": self.cells}
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(kept, indent=1) + "\n")
        beside.replace(self.path)


async def run_all(house: dict[str, Any], options: argparse.Namespace, results: Results) -> list[Any]:
    """Run every cell; return how the designs stand to each other."""
    for processes in options.processes:
        for sockets in options.sockets:
            for design in options.designs:
                cell = await Run(house, design, sockets, options).measure(processes)
                live_figures.show(cell)
                cell["faults"] = live_figures.faults(cell) if design == "hub" else []
                for fault in cell["faults"]:
                    print(f"    RED: {fault}")
                results.add(cell)
    print("beside stock Channels in this run:")
    by_shape: dict[tuple[int, int], dict[str, Any]] = {}
    for cell in results.cells:
        if "p99" in cell:
            by_shape.setdefault((cell["sockets"], cell["processes"]), {})[cell["design"]] = cell
    return [live_figures.ratio(one["hub"], one["stock"]) for one in by_shape.values() if len(one) == 2]


def numbers(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


def main() -> int:
    """Read the options, run, keep the figures; exit status 1 when a change was lost or came twice."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sockets", type=numbers, default=SOCKETS)
    parser.add_argument("--processes", type=numbers, default=PROCESSES)
    parser.add_argument("--designs", type=lambda text: text.split(","), default=["hub", "stock"])
    parser.add_argument("--seconds", type=float, default=10, help="of each run of the hub")
    parser.add_argument("--bytes", type=int, default=1500, help="size of a rendered card")
    parser.add_argument("--storm", action="store_true", help="cut all sockets at the end, let them return")
    parser.add_argument("--quick", action="store_true", help="a minute: 100 and 1,000 sockets, two processes")
    parser.add_argument("--strict", action="store_true", help="a missed aim is a failure, too")
    options = parser.parse_args()
    if options.quick:
        options.sockets, options.processes, options.seconds = [100, 1000], [2], 8.0
    import uvloop

    from cortex.ops.embedded import EmbeddedStores

    load = round(os.getloadavg()[0], 2)
    stores = EmbeddedStores(DATA_DIR)
    stores.start()
    try:
        house = build(-(-max(options.sockets) * 21 // 20 // PER_USER) + 1)
        print(f"cores {os.cpu_count()}, load {load}; {RATE:g} changes a second of {options.bytes} bytes")
        results = Results(options, load)
        ratios = uvloop.run(run_all(house, options, results))
    finally:
        stores.stop()
    met = live_figures.aims(results.cells, ratios)
    results.write(complete=True, aims_met=met, ratios=ratios)
    print(f"kept in {results.path.relative_to(ROOT)}")
    return 0 if results.is_right and (met is not False or not options.strict) else 1


if __name__ == "__main__":
    sys.exit(main())
