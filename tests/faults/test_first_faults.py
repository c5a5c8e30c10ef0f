"""Worker, sweeper and Redis are killed while alerts are raised: none is lost, all escalate.

The account at the end is kept as Jepsen keeps it: what producers were told, what the databases hold, and what
people's screens were shown. CORTEX_FAULT_SEED moves the moments of the kills.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import websockets
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from cortex.accounts.apikeys.actions import create_client, create_key
from cortex.accounts.choices import Scope
from cortex.accounts.models import User
from cortex.audit import system
from cortex.ops.embedded import superuser_address
from crisis.escalation.models import SlaPolicy
from crisis.escalation.policy import DEFAULTS, SHARED
from tests import cast as players
from tests import makers, stores
from tests.live.stage import PrivateRedis, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases=["default", "keys"])]

SEED = int(os.environ.get("CORTEX_FAULT_SEED", "7"))
ALERTS, PRODUCERS = int(os.environ.get("CORTEX_FAULT_ALERTS", "200")), 4
SECONDS = float(os.environ.get("CORTEX_FAULT_SECONDS", "20"))
KILLS = max(2, round(SECONDS / 10))  # of each part, spread over those seconds
PATIENCE = 75 + SECONDS + ALERTS / 4  # a sender waits out each death; so may we
WORDS = "leo usiku nitajiua, nimeandaa kamba"
# A screen may be this late while Redis is dead and both cores are busy; the target of the page is 1 s.
LATEST = 15.0


@dataclass
class Child:
    """One real process of the system, killed without a word and started again."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, *self.command], env=self.environment, cwd=stores.ROOT,
                stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """Kill -9 the process with whatever it forked."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, 9)
            self.process.wait()
            self.process = None
            self.kills += 1


@dataclass
class System:
    """The children on this run's databases, with a Redis of their own."""

    folder: Path
    redis: PrivateRedis
    port: int = field(default_factory=stores.free_port)
    children: dict[str, Child] = field(default_factory=dict)
    redis_kills: int = 0

    def start(self) -> None:
        self.redis.start()
        base = stores.child_environment() | {"REDIS_URL": self.redis.url}
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
        subprocess.run(collect, env=base, cwd=stores.ROOT, check=True)  # cards name hashed files
        web = ["-m", "uvicorn", "cortex.asgi:application", "--port", str(self.port), "--log-level", "error"]
        web += ["--lifespan", "off", "--ws-per-message-deflate", "false"]
        worker = ["-m", "celery", "-A", "cortex.celery", "worker", "--pool=solo", "--loglevel=ERROR"]
        plans = {
            "web": ("app", web),
            "sweeper": ("system", ["manage.py", "sweep"]),
            "worker": ("system", [*worker, "--without-gossip", "--without-mingle"]),
        }
        for name, (role, command) in plans.items():
            # The web has a pool, as `up` gives it: a thread per request would use up the key store's places.
            own = {"CORTEX_DB_ROLE": role, "CORTEX_DB_POOL": "8" if name == "web" else "0"}
            child = Child(name, command, base | own, self.folder / f"{name}.log")
            child.start()
            self.children[name] = child
        wait_until(self.answers, 30)

    def answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.origin}/healthz", timeout=2).status_code == 200
        return False

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        for child in self.children.values():
            child.kill()
        self.redis.kill()

    def hurt(self, stop: threading.Event) -> None:
        """Kill each of worker, sweeper and Redis now and then, at seeded moments, and bring it back."""
        rng = random.Random(SEED)
        plan = sorted((rng.uniform(2, SECONDS), name) for name in ["worker", "sweeper", "redis"] * KILLS)
        began = time.monotonic()
        for moment, name in plan:
            stop.wait(max(0.0, began + moment - time.monotonic()))
            if name == "redis":
                self.redis.kill()
                self.redis_kills += 1
                stop.wait(rng.uniform(1, 3))
                self.redis.start()
            else:
                self.children[name].kill()
                stop.wait(rng.uniform(0.2, 1.5))
                self.children[name].start()


@dataclass
class Producer:
    """A patient's app server: sends each item until it is sure, always under the item's own id."""

    origin: str
    key: str
    people: list[str]
    pause: float
    told: dict[str, float] = field(default_factory=dict)  # person -> when the first send began
    acknowledged: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        headers = {"Authorization": f"Api-Key {self.key}"}
        with httpx.Client(base_url=self.origin, headers=headers, timeout=10) as client:
            for person in self.people:
                self.told[person] = time.time()
                while person not in self.acknowledged:
                    self._send(client, person)
                time.sleep(self.pause)

    def _send(self, client: httpx.Client, person: str) -> None:
        item = {
            "id": f"fault-{person}", "kind": "message", "patient": person,
            "session": "chat-1", "role": "patient", "text": WORDS,
        }  # fmt: skip
        try:
            answer = client.post("/api/v1/intake", json={"items": [item]})
            result = answer.json()["items"][0]["result"] if answer.status_code == 200 else ""
        except (httpx.HTTPError, ValueError, KeyError):
            self.unknown[person] += 1
            time.sleep(0.2)
            return
        if result in ("stored", "duplicate"):
            self.acknowledged.add(person)
        else:
            self.refused[person] += 1
            time.sleep(0.2)


@dataclass
class Screen:
    """A counselor's page: joins with its last number, keeps every number, loses its line now and then."""

    origin: str
    cookie: str
    topic: str
    seed: int
    shown: list[int] = field(default_factory=list)
    first_seen: dict[str, float] = field(default_factory=dict)  # alert -> when its first event came
    reloads: int = 0
    cuts: int = 0
    stopping: bool = False
    ends: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        asyncio.run(self._keep())

    async def _keep(self) -> None:
        rng = random.Random(self.seed)
        while not self.stopping:
            try:
                await self._once(rng.uniform(5, 12))
            except (OSError, websockets.WebSocketException, TimeoutError) as end:
                self.ends[f"{type(end).__name__}: {end}"] += 1
                await asyncio.sleep(0.2)

    async def _once(self, seconds: float) -> None:
        address = self.origin.replace("http", "ws") + "/ws/live/"
        headers = {"Cookie": self.cookie}
        opened = websockets.connect(address, origin=self.origin, additional_headers=headers)  # type: ignore[arg-type]
        async with opened as line:
            last = self.shown[-1] if self.shown else 0
            await line.send(json.dumps({"type": "join", "topics": {self.topic: last}}))
            until, told = time.monotonic() + seconds, time.monotonic()
            while not self.stopping:
                if time.monotonic() > until:
                    line.transport.abort()
                    self.cuts += 1
                    return
                with suppress(TimeoutError):
                    self._take(json.loads(await asyncio.wait_for(line.recv(), 0.5)))
                if self.shown and time.monotonic() - told > 0.5:
                    told = time.monotonic()
                    await line.send(json.dumps({"type": "seen", "topic": self.topic, "n": self.shown[-1]}))

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "event":
            self.shown.append(message["n"])
            self.first_seen.setdefault(message["alert"], time.time())
        self.ends[message["type"]] += message["type"] != "event"
        self.reloads += message["type"] == "reload"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[System]:
    running = System(tmp_path, PrivateRedis(tmp_path))
    try:
        running.start()
        yield running
    finally:
        running.stop()


def quick_clocks(organization: Any) -> None:
    """The chain in seconds: the supervisor after 6 s, the lead after a minute; unconfirmed after 5 s."""
    chain = [{"after": 0, "who": "on_duty"}, {"after": 6, "who": "supervisor"}, {"after": 60, "who": "lead"}]
    values = DEFAULTS["critical"] | SHARED | {"confirm_seconds": 5, "chain": chain}
    SlaPolicy.objects.create(organization=organization, level="critical", **values)


def cookie_of(user: User) -> str:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def started(works: list[Callable[[], None]]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    return threads


class Books:
    """What the database holds, read past every layer of ours."""

    def __init__(self) -> None:
        address = superuser_address(stores.DATA_DIR, "main", "cortex_test")
        self.connection = psycopg.connect(address, autocommit=True)

    def rows(self, query: str) -> list[Any]:
        return self.connection.execute(query).fetchall()  # type: ignore[arg-type]

    def head(self) -> int:
        """The last number of the only feed that moved."""
        return self.count("SELECT max(number) FROM live_feed")

    def count(self, query: str) -> int:
        return int(self.rows(query)[0][0])


RAISED = """
    SELECT p.anonymous_id, a.id::text, a.chain_position, a.status FROM crisis_riskalert a
    JOIN patients_patient p ON p.id = a.patient_id WHERE a.kind = 'self_harm'
"""
# A send that the key store refused is refused with a 503 and raises one of these beside it: never silence.
BESIDE = "SELECT count(*) FROM crisis_riskalert WHERE kind <> 'self_harm'"
TWICE = """
    SELECT count(*) FROM (SELECT alert_id, position FROM crisis_alertstep WHERE kind = 'chain'
    AND outcome IN ('fired', 'nobody_to_ask') AND position < 3 GROUP BY 1, 2 HAVING count(*) > 1) AS again
"""
TOLD_TWICE = """
    SELECT count(*) FROM (SELECT alert_id, user_id, channel, step_id FROM crisis_notificationattempt
    WHERE user_id IS NOT NULL GROUP BY 1, 2, 3, 4 HAVING count(*) > 1) AS again
"""


def test_nothing_is_lost_while_worker_sweeper_and_redis_are_killed(house: System) -> None:
    cast = players.make_cast()
    cast.on_duty()
    cast.on_duty(cast.sam)
    quick_clocks(cast.home)
    people = [makers.make_patient(cast.home).anonymous_id for _ in range(ALERTS)]
    maker = create_client(actor=system("test"), organization_id=cast.home.pk, name="The app")
    raw = create_key(actor=system("test"), client_id=maker.pk, scopes=list(Scope.values)).raw
    topic = f"board:{cast.home.pk}"
    screens = [Screen(house.origin, cookie_of(user), topic, SEED + i) for i, user in
               enumerate((cast.cleo, cast.sam))]  # fmt: skip
    each = ALERTS // PRODUCERS
    producers = [
        Producer(house.origin, raw, people[i * each : (i + 1) * each], SECONDS / each * 0.6)
        for i in range(PRODUCERS)
    ]
    stop = threading.Event()
    watching = started([screen.run for screen in screens])
    sending = started([producer.run for producer in producers])
    hurting = started([lambda: house.hurt(stop)])
    for thread in [*sending, *hurting]:
        thread.join(2 * PATIENCE)
        assert not thread.is_alive(), "the producers were never answered"
    books = Books()

    def escalated() -> bool:
        return all(row[2] >= 2 for row in books.rows(RAISED))

    wait_for_all(house, books, escalated, PATIENCE)
    wait_until(lambda: all((screen.shown or [0])[-1] >= books.head() for screen in screens), 20)
    for screen in screens:
        screen.stopping = True
    for thread in watching:
        thread.join(5)
    account(house, books, producers, screens)


def wait_for_all(house: System, books: Books, done: Callable[[], bool], seconds: float) -> None:
    """Wait, and when it is in vain say what every process and every due row was doing."""
    try:
        wait_until(done, seconds)
    except AssertionError:
        print(books.rows("SELECT chain_position, status, count(*) FROM crisis_riskalert GROUP BY 1, 2"))
        print(books.rows("SELECT kind, outcome, tries, count(*), min(due_at) FROM crisis_alertstep"
                         " WHERE done_at IS NULL GROUP BY 1, 2, 3"))  # fmt: skip
        print(books.rows("SELECT pid, state, wait_event, left(query, 100), clock_timestamp() - state_change"
                         " FROM pg_stat_activity WHERE datname = current_database()"))  # fmt: skip
        for child in house.children.values():
            ended = child.process.poll() if child.process else "never started"
            print(child.name, ended, child.log.read_text()[-1500:])
        raise


def account(house: System, books: Books, producers: list[Producer], screens: list[Screen]) -> None:
    """Print the account and hold it against what was promised."""
    acknowledged = set().union(*(producer.acknowledged for producer in producers))
    begun = {person: at for producer in producers for person, at in producer.told.items()}
    alerts = {person: alert for person, alert, _, _ in books.rows(RAISED)}
    numbers = [row[0] for row in books.rows("SELECT feed_number FROM crisis_alertevent ORDER BY feed_number")]
    lost = acknowledged - set(alerts)
    unseen = [sorted(set(alerts.values()) - set(screen.first_seen)) for screen in screens]
    twice = [len(screen.shown) - len(set(screen.shown)) for screen in screens]
    gaps = [(screen.shown or [0])[-1] - len(set(screen.shown)) for screen in screens]
    late = max(
        screen.first_seen[alert] - begun[person]
        for person, alert in alerts.items()
        for screen in screens
        if alert in screen.first_seen
    )
    kills = {name: child.kills for name, child in house.children.items()} | {"redis": house.redis_kills}
    retries = {
        "refused": sum(sum(producer.refused.values()) for producer in producers),
        "unknown": sum(sum(producer.unknown.values()) for producer in producers),
    }
    print(
        f"\nseed {SEED}; killed {kills}; lines cut {[screen.cuts for screen in screens]}"
        f"\nraised {len(begun)}, acknowledged {len(acknowledged)}, sends without success {retries}"
        f"\nalerts {len(alerts)} and {books.count(BESIDE)} about failed sends"
        f"\nevents {len(numbers)}, shown {[len(set(s.shown)) for s in screens]}"
        f"\nends of lines {[dict(screen.ends) for screen in screens]}"
        f"\nlost {len(lost)}, alerts never shown {[len(one) for one in unseen]}, shown twice {twice}, "
        f"gaps {gaps}, longest way to a screen {late:.1f} s"
        f"\nescalated {sum(row[2] >= 2 for row in books.rows(RAISED))}, fired twice {books.count(TWICE)}"
    )
    assert (lost, unseen, twice, gaps) == (set(), [[], []], [0, 0], [0, 0])
    assert len(acknowledged) == len(begun) == len(alerts) == ALERTS
    assert [screen.shown for screen in screens] == [sorted(screen.shown) for screen in screens]
    assert [screen.reloads for screen in screens] == [0, 0]
    assert numbers == list(range(1, len(numbers) + 1))
    assert books.count(TWICE) == 0
    assert late < LATEST
    assert kills == {"web": 0, "sweeper": KILLS, "worker": KILLS, "redis": KILLS}
    assert books.count(TOLD_TWICE) == 0
