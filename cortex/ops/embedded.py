"""The embedded stores of one data folder: where they are, how they start and stop; no Django here."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from cortex.ops import embedded_postgres, embedded_redis, local_secrets
from cortex.ops.disk import explain, require_space
from cortex.ops.embedded_postgres import SUPERUSER, Cluster, socket_address
from cortex.ops.embedded_redis import RedisServer
from cortex.ops.processes import Pause, StartRefused, StoreUser, may_enter, store_user

SQL = Path(__file__).resolve().parents[2] / "docs" / "deploy"
DATABASE = "cortex"
KEYS_DATABASE = "cortex_keys"
LONGEST_SOCKET_FOLDER = 80


@dataclass
class Watched:
    """A running store, and where its restart stands when it ended by itself."""

    name: str
    store: Cluster | RedisServer
    pause: Pause = field(default_factory=Pause)
    started: float = field(default_factory=time.monotonic)
    due: float | None = None
    is_starting: bool = False

    def turn(self) -> list[str]:
        """Do what is next without waiting for it; return the lines to print."""
        now = time.monotonic()
        if self.due is not None and now >= self.due:
            self.due, self.started, self.is_starting = None, now, True
            try:
                self.store.start()
            except (OSError, subprocess.SubprocessError) as error:
                return [f"{self.name} can't be started now ({type(error).__name__})."]
        elif self.due is None and self.store.has_ended():
            wait = self.pause.after(now - self.started)
            self.due, self.is_starting = now + wait, False
            return [f"{self.name} ended unexpectedly ({self.store.last_words()}); restart in {wait:g} s."]
        elif self.is_starting and self.store.is_ready():
            self.is_starting = False
            return [f"{self.name} was started again and is ready."]
        return []


class EmbeddedStores:
    """PostgreSQL (main), PostgreSQL (keys) and Redis under one data folder, run by one unprivileged user."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = data_dir.resolve()
        self.durable = durable
        self.clusters: dict[str, Cluster] = {}
        self.redis: RedisServer | None = None
        self._watched: list[Watched] = []

    def start(self, *, clusters: tuple[str, ...] = ("main", "keys"), redis: bool = True) -> None:
        """Start what is asked for, furnished on the first run; raise StartRefused with a reason."""
        try:
            self._start(clusters, redis)
        except OSError as error:
            self.stop()
            raise StartRefused(explain(error, self.data_dir)) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all of them; what was committed is on disk."""
        if self.redis is not None:
            self.redis.stop()
        for cluster in self.clusters.values():
            cluster.stop()

    def watch(self) -> list[str]:
        """Bring back every store that ended without us, a step at a time; return what a person should know.

        It never waits: a store that refuses to start (a busy backend of a killed PostgreSQL still holds its
        memory) is tried again after a pause that doubles.
        """
        return [line for store in self._watched for line in store.turn()]

    @property
    def home(self) -> Path:
        """The folder that holds the databases."""
        return places(self.data_dir, store_user())[0]

    def pids(self) -> dict[str, int]:
        """Return the process ids by name."""
        servers = {f"postgres-{name}": cluster.process for name, cluster in self.clusters.items()}
        if self.redis is not None:
            servers["redis"] = self.redis.process
        return {name: process.pid for name, process in servers.items() if process is not None}

    def _start(self, clusters: tuple[str, ...], redis: bool) -> None:
        user = store_user()
        secrets = prepare_folder(self.data_dir)
        require_space(self.data_dir)
        home, sockets = places(self.data_dir, user)
        for name in clusters:
            refuse_strange(home, name, secrets, self.data_dir)
        user.own(home)
        user.own(sockets)
        if redis:
            program = embedded_redis.server_program(user, home / "programs")
            self.redis = RedisServer(home, sockets, program, user, secrets["redis_password"])
            self.redis.start()
        if clusters:
            install = embedded_postgres.installation(user, home / "programs")
            for name in clusters:
                password = secrets["postgres_password"]
                self.clusters[name] = Cluster(name, home, sockets, install, user, password, self.durable)
            self._start_clusters(secrets)
        if self.redis is not None:
            self.redis.wait_ready()
            self._watched.append(Watched("Redis", self.redis))
        self._watched += [Watched(f"PostgreSQL ({name})", one) for name, one in self.clusters.items()]

    def _start_clusters(self, secrets: dict[str, str]) -> None:
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(Cluster.make, self.clusters.values()))
        for cluster in self.clusters.values():
            cluster.start()
        for cluster in self.clusters.values():
            cluster.wait_ready()
            furnish(cluster, secrets, self.data_dir)


def furnish(cluster: Cluster, secrets: dict[str, str], data_dir: Path) -> None:
    """Make roles, passwords and the database once per cluster; a marker saves the connections later."""
    marker = marker_of(cluster.home, cluster.name)
    if marker.exists() and marker.read_text() == fingerprint(secrets):
        return
    passwords = {f"cortex_{role}": secrets[f"{role}_password"] for role in ("owner", "app", "system")}
    try:
        cluster.create_roles(SQL / "roles.sql", passwords)
    except psycopg.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise
        raise StartRefused(strange(cluster.home, data_dir)) from error
    if cluster.name == "main":
        cluster.create_database(DATABASE, "cortex_owner", SQL / "database.sql")
    else:
        cluster.create_database(KEYS_DATABASE, "cortex_owner", SQL / "keys-database.sql")
    marker.write_text(fingerprint(secrets))


def marker_of(home: Path, name: str) -> Path:
    """Return the file that says that a cluster has its roles and database, and by which secrets."""
    return home / f"postgres-{name}.furnished"


def fingerprint(secrets: dict[str, str]) -> str:
    """Return what tells one secrets.json from another: a digest of the random password of the clusters."""
    return hashlib.sha256(secrets["postgres_password"].encode()).hexdigest()


def refuse_strange(home: Path, name: str, secrets: dict[str, str], data_dir: Path) -> None:
    """Refuse to start a cluster with the secrets of another folder, or with new ones."""
    marker = marker_of(home, name)
    known = marker.read_text() if marker.exists() else ""
    # An empty marker was written before there were fingerprints: furnishing it again finds out.
    if known and known != fingerprint(secrets):
        raise StartRefused(strange(home, data_dir))


def strange(home: Path, data_dir: Path) -> str:
    """Say in two sentences what is wrong and what can be done."""
    return (
        f"The databases in {home} were made with other secrets than those in "
        f"{data_dir / local_secrets.FILE}, so nothing in them can be read. "
        "Put the old file back, or run `make clean-data` to delete both and begin anew."
    )


def own_paths(data_dir: Path) -> list[Path]:
    """Return what `up` keeps for a data folder, wherever it lies; folders of tests and benches stay."""
    home, sockets = places(data_dir.resolve(), store_user())
    files = [path for path in data_dir.iterdir() if path.is_file() or path.is_socket()]
    folders = [home, data_dir / "static", *([] if sockets.is_relative_to(home) else [sockets])]
    return [path for path in (*folders, *files) if path.exists()]


def addresses(data_dir: Path) -> dict[str, str]:
    """Return the environment that points at this folder's stores and secrets, whether or not they run now."""
    data_dir = data_dir.resolve()
    secrets = prepare_folder(data_dir)
    _, sockets = places(data_dir, store_user())

    def main(role: str) -> str:
        return socket_address(f"cortex_{role}", secrets[f"{role}_password"], DATABASE, sockets, 5432)

    def keys(role: str) -> str:
        return socket_address(f"cortex_{role}", secrets[f"{role}_password"], KEYS_DATABASE, sockets, 5433)

    return {
        "DATABASE_URL": main("app"),
        "DATABASE_SYSTEM_URL": main("system"),
        "DATABASE_OWNER_URL": main("owner"),
        "KEYS_DATABASE_URL": keys("app"),
        "KEYS_DATABASE_SYSTEM_URL": keys("system"),
        "KEYS_DATABASE_OWNER_URL": keys("owner"),
        "REDIS_URL": embedded_redis.socket_url(sockets, secrets["redis_password"]),
        "CORTEX_SECRET_KEY": secrets["secret_key"],
        "CORTEX_MASTER_KEYS": secrets["master_keys"],
        "CORTEX_INDEX_KEY": secrets["index_key"],
        "CORTEX_AUDIT_SIGNING_KEY": secrets["audit_signing_key"],
        "CORTEX_METRICS_TOKEN": secrets["metrics_token"],
        "CORTEX_BACKUP_KEY": secrets["backup_key"],
        "CORTEX_KEYS_BACKUP_KEY": secrets["keys_backup_key"],
    }


def superuser_address(data_dir: Path, cluster: str, database: str) -> str:
    """Return the superuser's address of one embedded cluster (tests and bootstrap only)."""
    secrets = local_secrets.load_or_make(data_dir.resolve())
    _, sockets = places(data_dir.resolve(), store_user())
    port = embedded_postgres.PORTS[cluster]
    return socket_address(SUPERUSER, secrets["postgres_password"], database, sockets, port)


def places(data_dir: Path, user: StoreUser) -> tuple[Path, Path]:
    """Return the stores' folder and their sockets' folder.

    Both lie in the data folder, unless root's project lies where an unprivileged user can't go (then
    /var/lib), or the path is too long for a socket (then the temporary folder).
    """
    label = hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
    home = data_dir / "stores"
    if not may_enter(user, data_dir):
        home = Path("/var/lib/cortex") / label
    sockets = home / "run"
    if len(str(sockets)) > LONGEST_SOCKET_FOLDER:
        sockets = Path(tempfile.gettempdir()) / f"cortex-{label}"
    return home, sockets


def prepare_folder(data_dir: Path) -> dict[str, str]:
    """Make the data folder and its secrets; raise StartRefused when that isn't allowed."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            # The stores' own user must be able to cross this folder; the secrets in it stay ours alone.
            data_dir.chmod(0o711)
        return local_secrets.load_or_make(data_dir)
    except OSError as error:
        raise StartRefused(explain(error, data_dir)) from error
