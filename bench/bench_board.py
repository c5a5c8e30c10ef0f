"""`make bench-board`: the board with 50 open alerts among a million people, embedded and in compose's shape.

Builds the house once (`manage.py synth`, kept in `.cortex/bench-board-<people>`). For each shape it reads the
board at concurrency 8 while 200 alerts are claimed and given back, and checks: access rows equal requests,
each claim stood in the next answer, the number of statements is fixed, no plan reads a large table whole.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench.kept import LOAD, ROOT, keep

CHILDREN = str(ROOT / "bench" / "board_children.py")
LARGE = 1_000_000
AIMS = {"embedded": {"rate": 300.0, "p95": 40.0}, "compose": {"rate": 550.0}}
# Requests a second that the task's own measurements name for peers' lists of open items: the two ends.
PEERS, PEERS_ITEMS = (33.0, 517.0), 20


class House:
    """The bench's stores and the people in them."""

    def __init__(self, people: int) -> None:
        from cortex.ops.embedded import EmbeddedStores

        self.people = people
        self.folder = ROOT / ".cortex" / f"bench-board-{people}"
        self.stores = EmbeddedStores(self.folder)
        self.built = self.folder / "built.json"

    def environment(self, role: str) -> dict[str, str]:
        """Return the environment of a child of one database role."""
        from cortex.ops.embedded import addresses

        extra = {
            "DJANGO_SETTINGS_MODULE": "cortex.settings.dev",
            "CORTEX_DATA_DIR": str(self.folder),
            "CORTEX_DB_ROLE": role,
            "CORTEX_MFA_REQUIRED_ROLES": "none",
            "PYTHONPATH": str(ROOT),
        }
        return {**os.environ, **addresses(self.folder), **extra}

    def run(self, *arguments: str, role: str = "app", show: bool = False) -> str:
        """Run a child of Python to its end and return what it printed."""
        how = None if show else subprocess.PIPE
        with (self.folder / "children.log").open("a") as log:
            ran = subprocess.run(
                [sys.executable, *arguments],
                env=self.environment(role),
                cwd=ROOT,
                check=True,
                stdout=how,
                stderr=None if show else log,
                text=True,
            )
        return ran.stdout or ""

    def ask(self, task: str, *arguments: str, role: str = "app") -> Any:
        """Run one task of `board_children` and return its answer."""
        return json.loads(self.run(CHILDREN, task, *arguments, role=role).splitlines()[-1])

    def build(self, seed: int) -> dict[str, Any]:
        """Migrate, and fill an empty folder or return what was said when it was filled."""
        self.run("manage.py", "collectstatic", "--noinput", "-v", "0")
        for alias in ("default", "keys"):
            self.run("manage.py", "migrate", "--skip-checks", "-v", "0", "--database", alias, role="owner")
        if self.built.exists():
            return dict(json.loads(self.built.read_text()))
        begun = time.monotonic()
        size = ["--patients", str(self.people), "--seed", str(seed)]
        size += [] if self.people >= LARGE else ["--organizations", "2"]
        self.run("manage.py", "synth", *size, role="system", show=True)
        facts = {
            "people": self.people,
            "seed": seed,
            "seconds": round(time.monotonic() - begun, 1),
            "load_before": LOAD,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self.built.write_text(json.dumps(facts))
        return facts


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Servers:
    """The web processes of one shape."""

    def __init__(self, house: House, shape: str) -> None:
        self.ports = [free_port() for _ in range(1 if shape == "embedded" else 2)]
        self.log = (house.folder / f"{shape}.log").open("w")
        commands = [
            [CHILDREN, "serve", str(port)] if shape == "embedded" else pages(port) for port in self.ports
        ]
        environment = house.environment("app") | ({} if shape == "embedded" else {"CORTEX_DB_POOL": "14"})
        self.processes = [
            subprocess.Popen([sys.executable, *command], env=environment, cwd=ROOT,
                             stdout=self.log, stderr=self.log)
            for command in commands
        ]  # fmt: skip

    def wait(self) -> None:
        """Wait until all of them listen."""
        for port in self.ports:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            else:
                raise SystemExit(f"a server didn't start: see {self.log.name}")

    def cpu(self) -> float:
        """Return the processor seconds of all of them, their own children included."""
        import psutil

        family = [psutil.Process(one.pid) for one in self.processes]
        family += [child for one in family for child in one.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in family)

    def stop(self) -> None:
        """End them."""
        for one in self.processes:
            one.terminate()
        for one in self.processes:
            one.wait(20)
        self.log.close()


def pages(port: int) -> list[str]:
    """Return uvicorn's arguments for one container of pages, as in the Dockerfile; compose runs two."""
    return [
        "-m", "uvicorn", "cortex.asgi:application", "--host=127.0.0.1", f"--port={port}", "--no-access-log",
        "--log-level=warning", "--no-server-header", "--no-proxy-headers", "--ws=none",
        "--timeout-graceful-shutdown=10",
    ]  # fmt: skip


def measure(house: House, shape: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure one shape and return its figures with what was checked."""
    import uvloop

    from bench.board_client import Load

    facts = house.ask("prepare", role="system")
    servers = Servers(house, shape)
    try:
        servers.wait()
        before, cpu, load = house.ask("count", role="system"), servers.cpu(), os.getloadavg()[0]
        people = [tuple(one) for one in facts["people"]]
        clients = Load(servers.ports, people, facts["alerts"], facts["cards"])
        run = uvloop.run(clients.measure(options.concurrency, options.seconds, options.claims))
        used = servers.cpu() - cpu
        rows = house.ask("count", role="system") - before
    finally:
        servers.stop()
    times = sorted(run.times)
    cut = {name: round(times[min(len(times) - 1, int(len(times) * part))] * 1000, 1)
           for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}  # fmt: skip
    return {
        "shape": shape,
        "processes": len(servers.ports),
        "concurrency": options.concurrency,
        "seconds": round(run.seconds, 1),
        "requests": len(times),
        "rate": round(len(times) / run.seconds, 1),
        **cut,
        "cards": facts["cards"],
        "bytes": run.size,
        "cpu_ms": round(used / max(1, run.boards) * 1000, 2),
        "load_before": round(load, 2),
        "board_requests": run.boards,
        "access_rows": rows,
        "claims": run.claims,
        "claims_wanted": options.claims,
        "claims_unseen": len(run.unseen),
        "wrong_answers": run.wrong[:5],
    }


def show(figures: dict[str, Any]) -> bool:
    """Print one shape's line; return whether everything that was checked is right (rates are only told)."""
    aims = AIMS[figures["shape"]]
    met = figures["rate"] >= aims["rate"] and figures["p95"] <= aims.get("p95", float("inf"))
    aim = f"{aims['rate']:g} requests/s" + (f", p95 {aims['p95']:g} ms" if "p95" in aims else "")
    print(
        "{shape:<9} {rate:>6.0f} requests/s   p50 {p50} p95 {p95} p99 {p99} ms   CPU {cpu_ms} ms/page   "
        "{bytes:,} bytes   load before {load_before}".format(**figures),
        f"  aim {aim}: {'met' if met else 'MISSED'}",
    )
    print("          " + beside_peers(figures))
    print(
        "          access rows {access_rows} of {board_requests} requests; {claims} claims, {claims_unseen} "
        "not in the next answer; wrong answers".format(**figures),
        figures["wrong_answers"] or 0,
    )
    figures["met"] = met
    whole = figures["access_rows"] == figures["board_requests"]
    claimed = figures["claims"] == figures["claims_wanted"] and not figures["claims_unseen"]
    return whole and claimed and not figures["wrong_answers"]


def beside_peers(figures: dict[str, Any]) -> str:
    """Return how a shape's rate stands to the peers'."""
    slow, quick = PEERS
    return (
        f"{figures['rate'] / quick:.1f} to {figures['rate'] / slow:.1f} times the known peers' {slow:g} to "
        f"{quick:g} requests/s for {PEERS_ITEMS} open items; here they are {figures['cards']}"
    )


def check_plans(house: House) -> tuple[dict[str, Any], bool]:
    """Print the number of statements and every plan that reads a large table whole."""
    counts = house.ask("queries")
    found = house.ask("explain", house.ask("api_key", role="system"))
    print(f"statements of the board: {counts['busy']} with its alerts, {counts['quiet']} without any")
    total = sum(found["statements"].values())
    print(
        f"{total} statements of {len(found['statements'])} hot requests explained, {len(found['large'])} "
        f"tables of more than 10,000 rows; read from one end to the other: {len(found['scans'])}"
    )
    for one in found["scans"]:
        print(f"  {one['request']}: {one['table']}: {one['sql'][:300]}")
    return {"statements": counts, "plans": found}, counts["busy"] == counts["quiet"] and not found["scans"]


def main() -> int:
    """Build, measure, check, keep the figures; exit status 1 when a check fails, or an aim with --strict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=LARGE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--claims", type=int, default=200)
    parser.add_argument("--shape", choices=[*AIMS, "both"], default="both")
    parser.add_argument("--profile", action="store_true", help="print where one page's time goes, and stop")
    parser.add_argument("--strict", action="store_true", help="a missed aim is a failure, too")
    options = parser.parse_args()
    house = House(options.patients)
    house.stores.start()
    try:
        built = house.build(options.seed)
        if options.profile:
            house.ask("prepare", role="system")
            house.run(CHILDREN, "profile", show=True)
            return 0
        print(f"{built['people']:,} people built in {built['seconds']:,} s, load then {built['load_before']}")
        print(f"load now {LOAD}, {os.cpu_count()} cores")
        plans, right = check_plans(house)
        shapes = list(AIMS) if options.shape == "both" else [options.shape]
        figures = [measure(house, shape, options) for shape in shapes]
        checked = [show(one) for one in figures]
        right = right and all(checked)
    finally:
        house.stores.stop()
    keep(f"board-{options.patients}", {
        "peers": {"rates": PEERS, "open_items": PEERS_ITEMS}, "built": built, "right": right,
        "shapes": figures, **plans,
    })  # fmt: skip
    return 0 if right and (not options.strict or all(one["met"] for one in figures)) else 1


if __name__ == "__main__":
    sys.exit(main())
