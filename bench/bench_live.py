"""`python bench/bench_live.py`: commit to socket, for many sockets, on the real path; prints figures.

Four processes share the machine: PostgreSQL and Redis (embedded, fsync on), one uvicorn with `cortex.asgi`,
a firing process that commits numbered events as an action would, and this one, a lean client that counts.
`--design stock` sends the same events through a stock Channels consumer and channel layer, for the ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
DATA_DIR = ROOT / ".cortex" / "bench-live"
PER_USER = 5
PROMISED_P99 = 100.0
sys.path.insert(0, str(ROOT))
from bench.live_reader import Plan, Reader, handshake, join  # noqa: E402

TABLES = """
    DROP TABLE IF EXISTS bench_feed, bench_event;
    CREATE TABLE bench_feed (organization uuid PRIMARY KEY, n bigint);
    CREATE TABLE bench_event (organization uuid, n bigint, body text, PRIMARY KEY (organization, n));
    GRANT SELECT, INSERT, UPDATE ON bench_feed, bench_event TO cortex_app, cortex_system;
"""


def sign_in_many(count: int) -> list[str]:
    """Make people with sessions and return a session key per socket."""
    code = f"""
import django; django.setup()
from importlib import import_module
from django.conf import settings
from cortex.accounts.models import Organization, User
home, _ = Organization.objects.get_or_create(slug="bench", defaults={{"name": "Bench"}})
keys = []
for number in range({-(-count // PER_USER)}):
    mail = f"bench{{number}}@example.org"
    user = User.objects.filter(email=mail).first()
    user = user or User.objects.create_user(mail, role="counselor", organization=home)
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store.update({{"_auth_user_id": str(user.pk), "_auth_user_backend": settings.AUTHENTICATION_BACKENDS[0],
                   "_auth_user_hash": user.get_session_auth_hash()}})
    store.create()
    keys.append(store.session_key)
print(*keys)
"""
    found = child(["-c", code], role="system").split()
    return [found[number // PER_USER] for number in range(count)]


def child(arguments: list[str], role: str = "app") -> str:
    """Run a child to its end and return what it printed."""
    ran = subprocess.run(
        [sys.executable, *arguments],
        env=environment(role),
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return ran.stdout


def environment(role: str) -> dict[str, str]:
    """Return the environment of a child on the bench's own stores."""
    from cortex.ops.embedded import addresses

    extra = {
        "DJANGO_SETTINGS_MODULE": "cortex.settings.dev",
        "CORTEX_MFA_REQUIRED_ROLES": "none",
        "CORTEX_DATA_DIR": str(DATA_DIR),
        "CORTEX_DB_ROLE": role,
    }
    return {**os.environ, **addresses(DATA_DIR), **extra, "PYTHONPATH": str(ROOT)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(port: int) -> subprocess.Popen[bytes]:
    """Start one uvicorn with the flags of the project and wait for its port."""
    command = [
        sys.executable, "-m", "uvicorn", "--factory", "bench.live_children:application", "--port", str(port),
        "--log-level", "warning", "--ws-per-message-deflate", "false", "--ws-max-size", "65536",
    ]  # fmt: skip
    with (DATA_DIR / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=environment("app"), cwd=ROOT, stdout=log, stderr=log)
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server
        time.sleep(0.1)
    raise SystemExit("the server didn't start")


def stall(port: int, cookies: list[str]) -> list[socket.socket]:
    """Open sockets that join and never read."""
    stalled = []
    for cookie in cookies:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", port))
        one.sendall(handshake(port, "/ws/live/", cookie))
        one.recv(64)
        one.sendall(join(0))
        stalled.append(one)
    return stalled


def report(plan: Plan, stamps: dict[int, int], sockets: int, title: str) -> bool:
    """Print how late the numbers were beside what is promised; return whether all came, and came once.

    Milliseconds depend on who else uses the machine, so they are shown; a lost or doubled number is a fault.
    """
    late = sorted((at - stamps[n]) / 1e6 for n, at in plan.arrivals if n in stamps)
    expected = sockets * len(stamps)
    print(f"{title}: {len(late)} of {expected} arrived, out of order or twice {plan.out_of_order}")
    if late:
        cuts = [late[min(len(late) - 1, int(len(late) * part))] for part in (0.5, 0.95, 0.99)]
        figures = "p50 {:.1f}, p95 {:.1f}, p99 {:.1f}".format(*cuts)
        print(f"  ms from commit to client: {figures}, most {late[-1]:.1f}, mean {statistics.mean(late):.1f}")
        met = "ok" if cuts[2] <= PROMISED_P99 else "MISSED"
        print(f"  promised for 1,000 sockets and 10 events a second: p99 {PROMISED_P99:g} ms   {met}")
    return len(late) == expected and not plan.out_of_order


async def storm(plan: Plan, readers: list[Reader], cookies: list[str], missed: int, size: int) -> None:
    """Cut all sockets at once, commit, let all come back together, and time until each has everything."""
    last = max(reader.last for reader in readers)
    for reader in readers:
        reader.transport.abort()
    await asyncio.to_thread(child, firing("hub", missed, 1000, size))
    plan.arrivals.clear()
    begun = time.monotonic()
    again = await plan.open(cookies, last)
    welcomed = time.monotonic() - begun
    while any(reader.last < last + missed for reader in again) and time.monotonic() - begun < 60:
        await asyncio.sleep(0.01)
    whole = sum(reader.last == last + missed for reader in again)
    took = time.monotonic() - begun
    print(
        f"all return at once, {missed} missed: welcomed in {welcomed:.2f} s, {whole} complete in {took:.2f} s"
    )


def firing(design: str, count: int, rate: float, size: int) -> list[str]:
    """Return the arguments of a firing process."""
    return [str(ROOT / "bench" / "live_children.py"), design, str(count), str(rate), str(size)]


async def run(options: argparse.Namespace, cookies: list[str]) -> bool:
    """Measure one design; return whether every number reached every socket once."""
    port = free_port()
    server = await asyncio.to_thread(start_server, port)
    try:
        process = psutil.Process(server.pid)
        plan = Plan(port, "/stock/" if options.design == "stock" else "/ws/live/")
        begun = time.monotonic()
        readers = await plan.open(cookies[: options.sockets], 0)
        print(f"{options.design}: {len(readers)} sockets joined in {time.monotonic() - begun:.1f} s")
        stalled = await asyncio.to_thread(stall, port, cookies[options.sockets :])
        before, rss, mine = process.cpu_times(), process.memory_info().rss, psutil.Process().cpu_times()
        count = int(options.rate * options.seconds)
        printed = await asyncio.to_thread(child, firing(options.design, count, options.rate, options.bytes))
        await asyncio.sleep(1.2)
        stamps = dict(json.loads(printed))
        after, me = process.cpu_times(), psutil.Process().cpu_times()
        whole = report(
            plan, stamps, len(readers), f"{options.rate:g} events/s of {options.bytes} B, {options.seconds} s"
        )
        cpu = after.user + after.system - before.user - before.system
        client = me.user + me.system - mine.user - mine.system
        each = cpu / max(1, len(plan.arrivals)) * 1e6
        grown = (process.memory_info().rss - rss) / 2**20
        print(
            f"  server: {each:.1f} us CPU each, RSS {rss / 2**20:.0f}{grown:+.1f} MB; client: {client:.1f} s"
        )
        still = sum(reader.is_open for reader in readers)
        print(f"  open at the end: {still} of {len(readers)}, beside {len(stalled)} stalled")
        if options.storm:
            await storm(plan, readers, cookies[: options.sockets], 50, options.bytes)
        return whole
    finally:
        server.terminate()
        server.wait(15)


def main() -> int:
    """Read the options, start the stores, run; exit status 1 when a number was lost or came twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--design", choices=["hub", "stock"], default="hub")
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=10)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--bytes", type=int, default=1500, help="size of a rendered card")
    parser.add_argument("--stalled", type=int, default=0, help="sockets that never read")
    parser.add_argument("--storm", action="store_true", help="cut all sockets at the end and let them return")
    options = parser.parse_args()
    import psycopg
    import uvloop

    from cortex.ops.embedded import EmbeddedStores, superuser_address

    stores = EmbeddedStores(DATA_DIR)
    stores.start()
    try:
        child(["manage.py", "migrate", "--skip-checks", "-v", "0"], role="owner")
        child(["manage.py", "migrate", "--skip-checks", "-v", "0", "--database", "keys"], role="owner")
        with psycopg.connect(superuser_address(DATA_DIR, "main", "cortex"), autocommit=True) as connection:
            connection.execute(TABLES)
        cookies = sign_in_many(options.sockets + options.stalled)
        print(f"cores {psutil.cpu_count()}, load {os.getloadavg()[0]:.1f}")
        return 0 if uvloop.run(run(options, cookies)) else 1
    finally:
        stores.stop()


if __name__ == "__main__":
    sys.exit(main())
