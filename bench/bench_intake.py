"""`make bench-intake`: items a second over HTTP, single and batched, and how fast a crisis is taken then.

Real web processes (one uvicorn as embedded, two of them as in compose), real stores that sync each commit,
the sweeper beside them, sealing, screening and audit on. A flood of batches runs without a pause; cries for
help are sent at fixed times beside it and count from the time they were meant to be sent at. Afterwards: rows
equal what was acknowledged, 1,000 random items open and are what was sent, all texts differ, and the audit
chain verifies. A failed check or a missed aim ends red.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.bench_board import House, Servers
from bench.intake_client import Sender, Sent
from bench.intake_items import Load, body
from bench.kept import ROOT, keep, machine

CHILDREN = str(ROOT / "bench" / "intake_children.py")
AIMS = {"batched": 5_000.0, "single": 200.0, "crisis_p99": 100.0}
# Records a second that peers create on such a machine: the two ends that the task's own measurements name.
PEERS = (6.0, 266.0)
WHOSE = ("web", "store", "client")
Bodies = list[tuple[int, bytes]]


class IntakeHouse(House):
    """The bench's stores with a few thousand people in one organization."""

    def __init__(self, people: int) -> None:
        super().__init__(people)
        from cortex.ops.embedded import EmbeddedStores

        self.folder = ROOT / ".cortex" / f"bench-intake-{people}"
        self.built = self.folder / "built.json"
        self.stores = EmbeddedStores(self.folder)

    def environment(self, role: str) -> dict[str, str]:
        """Return a child's environment: as the board's, without the limit that one app has."""
        return super().environment(role) | {"CORTEX_API_ITEMS_PER_MINUTE": "100000000"}

    def ask(self, task: str, *arguments: str, role: str = "app") -> Any:
        """Run one task of `intake_children` and return its answer."""
        return json.loads(self.run(CHILDREN, task, *arguments, role=role).splitlines()[-1])


class Sweeper:
    """The process that runs what is due and links the trail, as in any house."""

    def __init__(self, house: House) -> None:
        self.log = (house.folder / "sweeper.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "sweep"], env=house.environment("system"), cwd=ROOT,
            stdout=self.log, stderr=self.log,
        )  # fmt: skip

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def store_seconds(house: House) -> float:
    """Return the processor seconds of the main PostgreSQL so far, those of ended connections included."""
    import psutil

    main = psutil.Process(house.stores.pids()["postgres-main"])
    ended = main.cpu_times()
    found = ended.children_user + ended.children_system
    for one in (main, *main.children()):
        try:
            used = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        found += used.user + used.system
    return found


class Run:
    """One shape's servers and one fresh key, and everything that was acknowledged under it."""

    def __init__(self, house: IntakeHouse, shape: str, options: argparse.Namespace) -> None:
        self.house, self.shape, self.options = house, shape, options
        self.facts = house.ask("prepare", options.text_model, role="system")
        self.since = datetime.now(UTC)
        tag = f"{shape[0]}{time.time_ns() // 10**6 % 10**9}"
        at = self.since.replace(microsecond=self.since.microsecond // 1000 * 1000)
        self.load = Load(self.facts["people"], options.seed, tag, at, date.fromisoformat(self.facts["day"]))
        self.servers = Servers(house, shape)
        self.sender = Sender(self.servers.ports, self.facts["key"])
        self.items: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self.batches = itertools.count()
        self.singles = itertools.count()
        self.cries = itertools.count()

    def single(self) -> dict[str, Any]:
        """Send single items at concurrency 8 and return the line."""
        numbers = list(itertools.islice(self.singles, int(self.options.seconds * 1_500)))
        bodies = [(number, body([self.load.single(number)])) for number in numbers]
        line, sent = self._measured("single", 1, bodies, 8, [])
        self.items += [self.load.single(number) for number in sent.taken]
        return line

    def batched(self, size: int) -> dict[str, Any]:
        """Send batches of so many items without a pause, crises beside them, and return the line."""
        options = self.options
        numbers = list(itertools.islice(self.batches, max(8, int(options.seconds * 9_000 / size))))
        bodies = [(number, body(self.load.batch(number, size))) for number in numbers]
        cries = list(itertools.islice(self.cries, int(options.seconds * options.crises)))
        line, sent = self._measured(
            "batched", size, bodies, options.senders, [(one, body([self.load.cry(one)])) for one in cries]
        )
        for number in sent.taken:
            self.items += self.load.batch(number, size)
        return line

    def _measured(
        self,
        kind: str,
        size: int,
        bodies: list[tuple[int, bytes]],
        senders: int,
        cries: list[tuple[int, bytes]],
    ) -> tuple[dict[str, Any], Sent]:
        import asyncio

        import psutil

        over = 0.0

        async def both() -> tuple[Sent, Sent]:
            nonlocal over
            over = time.perf_counter() + self.options.seconds
            flood = self.sender.flood(iter(bodies), size, senders, lambda: time.perf_counter() < over)
            return await asyncio.gather(flood, self.sender.cries(cries, self.options.crises))  # type: ignore[return-value]

        load = os.getloadavg()[0]
        before = self.servers.cpu(), store_seconds(self.house), sum(psutil.Process().cpu_times()[:2])
        sent, cried = asyncio.run(both())
        after = self.servers.cpu(), store_seconds(self.house), sum(psutil.Process().cpu_times()[:2])
        self.wrong += sent.wrong + cried.wrong
        self.items += [self.load.cry(number) for number in cried.taken]
        items = len(sent.taken) * size
        cpu = [round((now - then) / max(1, items) * 1e6) for then, now in zip(before, after, strict=True)]
        line = {
            "shape": self.shape, "kind": kind, "size": size, "senders": senders, "requests": len(sent.taken),
            "seconds": round(sent.seconds, 1), "items": items, "rate": round(items / sent.seconds, 1),
            **cuts(sent.times, ""), "crises": len(cried.taken), "crises_a_second": self.options.crises,
            **cuts(cried.times, "crisis_"), "cpu_us_per_item": dict(zip(WHOSE, cpu, strict=True)),
            "text_model": self.options.text_model, "ran_out": len(sent.taken) == len(bodies),
            "load_before": round(load, 2), **machine(),
        }  # fmt: skip
        show(line)
        return line, sent

    def check(self) -> dict[str, Any]:
        """Hold the stores against what was acknowledged; everything but `right` is told."""
        kinds = Counter(item["kind"] for item in self.items)
        found = self.house.ask(
            "count", self.facts["client"], self.load.tag, self.since.isoformat(), role="system"
        )
        texts = [item["text"] for item in self.items if item["kind"] == "message"]
        wanted = {
            "message": kinds["message"], "emotion": kinds["emotion"], "sessions": kinds["session_started"],
            "checkin": kinds["checkin"], "ids": len(self.items), "texts": len(texts),
        }  # fmt: skip
        chance = random.Random(self.options.seed)
        chosen = chance.sample(self.items, min(self.options.sample, len(self.items)))
        with tempfile.NamedTemporaryFile("w", suffix=".json", dir=self.house.folder) as sample:
            json.dump(chosen, sample)
            sample.flush()
            opened = self.house.ask(
                "open_sample", self.facts["client"], self.facts["organization"], sample.name, role="system"
            )
        lengths = sorted(map(len, texts))
        chain = self.house.ask("link", role="system")
        checks = {
            "rows_equal_acknowledged": {name: found[name] for name in wanted} == wanted,
            "sample_opens_and_is_what_was_sent": opened["opened"] == opened["of"] > 0,
            "texts_all_differ": len(set(texts)) == len(texts) > 0,
            "chain_verifies": chain["holds"],
            "every_answer_stored_all": not self.wrong,
        }  # fmt: skip
        return {
            "shape": self.shape, "checks": checks, "right": all(checks.values()), "acknowledged": wanted,
            "found": found, "opened": opened, "wrong": self.wrong[:5], "chain": chain["verdict"],
            "text_lengths": {f"p{part}": lengths[min(len(lengths) - 1, len(lengths) * part // 100)]
                             for part in (50, 80, 90, 99, 100)},
            **machine(),
        }  # fmt: skip


def cuts(times: list[float], prefix: str) -> dict[str, float]:
    """Return the percentiles in ms."""
    ranked = sorted(times)
    parts = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("most", 1.0)) if ranked else ()
    return {prefix + name: round(ranked[min(len(ranked) - 1, int(len(ranked) * part))] * 1000, 1)
            for name, part in parts}  # fmt: skip


def show(line: dict[str, Any]) -> None:
    """Print one line, and whether its aims are met."""
    missed = misses(line)
    crisis = ""
    if line["crises"]:
        crisis = (
            f"   crisis p50 {line['crisis_p50']:.0f} p99 {line['crisis_p99']:.0f} "
            f"most {line['crisis_most']:.0f} ms ({line['crises']} at {line['crises_a_second']:g}/s)"
        )
    cpu = line["cpu_us_per_item"]
    print(
        f"{line['shape']:<8} {line['size']:>3} x {line['senders']} senders {line['rate']:>7,.0f} items/s   "
        f"p50 {line['p50']:.0f} p95 {line['p95']:.0f} p99 {line['p99']:.0f} ms   "
        f"CPU an item: web {cpu['web']}, store {cpu['store']}, client {cpu['client']} µs"
        f"{crisis}   load before {line['load_before']}\n"
        f"         {line['rate'] / PEERS[1]:.1f} to {line['rate'] / PEERS[0]:,.0f} times the peers' "
        f"{PEERS[0]:g} to {PEERS[1]:g} a second; {'MISSED: ' + ', '.join(missed) if missed else 'aims met'}",
        flush=True,
    )


def misses(line: dict[str, Any]) -> list[str]:
    """Return the aims that a line misses."""
    found = []
    if line["kind"] == "single" and line["rate"] < AIMS["single"]:
        found.append(f"{AIMS['single']:g} requests/s")
    if line["kind"] == "batched" and line["rate"] < AIMS["batched"]:
        found.append(f"{AIMS['batched']:g} items/s")
    if line["crises"] and line["crisis_p99"] > AIMS["crisis_p99"]:
        found.append(f"crisis p99 {AIMS['crisis_p99']:g} ms")
    return found


def measure(
    house: IntakeHouse, shape: str, options: argparse.Namespace
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Measure one shape and check what it left."""
    run = Run(house, shape, options)
    sweeper = Sweeper(house)
    try:
        run.servers.wait()
        warm = options.seconds, options.crises
        options.seconds = min(3.0, options.seconds)
        run.batched(options.sizes[0])
        options.seconds, options.crises = warm
        print("         (that was to warm up)")
        lines = [run.single(), *(run.batched(size) for size in options.sizes)]
    finally:
        sweeper.stop()
        run.servers.stop()
    checked = run.check()
    for name, holds in checked["checks"].items():
        print(f"         {name.replace('_', ' ')}: {'yes' if holds else 'NO'}")
    if not checked["right"]:
        print(json.dumps(checked, indent=1))
    return lines, checked


def profile(house: IntakeHouse, options: argparse.Namespace) -> None:
    """Print where one process's time goes for a batch of the largest size and for a single item."""
    facts = house.ask("prepare", options.text_model, role="system")
    with tempfile.NamedTemporaryFile("w", suffix=".json", dir=house.folder) as path:
        json.dump(facts | {"at": datetime.now(UTC).isoformat()}, path)
        path.flush()
        for size in options.sizes if options.profile == "all" else [int(options.profile)]:
            house.run(
                CHILDREN,
                "profile",
                facts["key"],
                path.name,
                str(size),
                "10" if size > 1 else "100",
                show=True,
            )


def _numbers(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


def main() -> int:
    """Build, measure, check, keep the figures; exit status 1 when a check fails or an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument(
        "--sizes", type=lambda text: [int(one) for one in text.split(",")], default=[100, 500]
    )
    parser.add_argument("--crises", type=float, default=4, help="a second, while the flood runs")
    parser.add_argument("--sample", type=int, default=1_000, help="items that are opened afterwards")
    parser.add_argument("--text-model", choices=("off", "shadow", "live"), default="off")
    parser.add_argument("--shape", choices=("embedded", "compose", "both"), default="both")
    parser.add_argument("--keep", action="store_true", help="go on in the house of the run before")
    parser.add_argument(
        "--profile", default="", help="print where the time goes for this size (or all), and stop"
    )
    options = parser.parse_args()
    house = IntakeHouse(options.people)
    if not options.keep and house.built.exists():
        clean(house)
    house.stores.start()
    try:
        house.build(options.seed)
        if options.profile:
            profile(house, options)
            return 0
        shapes = ("embedded", "compose") if options.shape == "both" else (options.shape,)
        found = [measure(house, shape, options) for shape in shapes]
    finally:
        house.stores.stop()
    lines, checks = [one for part, _ in found for one in part], [one for _, one in found]
    missed = [f"{one['shape']} {one['size']}: {', '.join(misses(one))}" for one in lines if misses(one)]
    right = all(one["right"] for one in checks)
    found_all = {"aims": AIMS, "peers": PEERS, "right": right, "missed": missed}
    keep("intake", found_all | {"lines": lines, "checks": checks})
    print(f"missed: {'; '.join(missed) or 'nothing'}")
    return 0 if right and not missed else 1


def clean(house: IntakeHouse) -> None:
    """Delete the bench's own house, so that each run begins with the same tables."""
    from cortex.ops.embedded import places
    from cortex.ops.processes import store_user

    for folder in {house.folder, places(house.folder.resolve(), store_user())[0]}:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
