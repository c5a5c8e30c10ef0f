"""compose.yaml's processes without containers: its own commands, environment, secrets and health checks."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import yaml

from cortex.ops.embedded_postgres import Cluster, installation
from cortex.ops.embedded_redis import server_program
from cortex.ops.processes import stop_process, store_user
from tests.stores import ROOT, free_port

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
DATABASES = {"postgres": ("main", "cortex"), "keys": ("keys", "cortex_keys")}
ONCE = {"migrate", "prepare", "backup", "keys-backup"}
OURS = ("pages", "sockets", "worker", "beat", "sweeper", "watchdog")
HOST = "cortex.example"


def dockerfile_list(word: str) -> list[str]:
    """Return the JSON list of the image's CMD or of its HEALTHCHECK's CMD."""
    found = re.search(rf"^{word}.*?(\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    words: list[str] = json.loads(found[1])
    return words


def health_of(service: dict[str, Any]) -> list[str]:
    """Return a service's health check as a command: its own, or its image's."""
    if "healthcheck" not in service:
        return dockerfile_list("HEALTHCHECK") if service["image"].startswith("cortex") else []
    kind, *words = service["healthcheck"]["test"]
    return words if kind == "CMD" else ["sh", "-c", words[0].replace("$$", "$")]


@dataclass
class Shape:
    """One run: where compose's paths lie here, and what was started."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="cortex-shape-")))
    ports: dict[str, int] = field(default_factory=lambda: {"pages": free_port(), "sockets": free_port()})
    clusters: dict[str, Cluster] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self) -> None:
        """Make secrets, start the stores, and run every process by compose's own words."""
        self.folder.chmod(0o711)
        for name in ("docs", "redis", "data", "anchors"):
            (self.folder / name).mkdir()
        shutil.copytree(ROOT / "docs/deploy", self.folder / "docs/deploy")
        self.run([str(self.folder / "docs/deploy/make-secrets.sh"), HOST], {"PATH": self.path})
        for name in DATABASES:
            self._start_cluster(name)
        self._start("redis")
        self.run(
            self.words("migrate", COMPOSE["services"]["migrate"]["command"]), self.environment("migrate")
        )
        collect = ["python", "manage.py", "collectstatic", "--noinput"]
        self.run(collect, self.environment("pages"))
        for name in OURS:
            self._start(name)

    def stop(self) -> None:
        """End everything and remove the folder."""
        for name in reversed(self.processes):
            stop_process(self.processes[name], [(signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)])
        for cluster in self.clusters.values():
            cluster.stop()
        shutil.rmtree(self.folder)

    def written(self) -> list[str]:
        """Return every line that our own processes wrote so far; the stores write theirs."""
        logs = [self.folder / f"{name}.log" for name in OURS]
        return [line for log in logs for line in log.read_text().splitlines()]

    @property
    def path(self) -> str:
        """This environment's programs first, as the image has them."""
        user = store_user()
        stores = [installation(user, self.folder) / "bin", server_program(user, self.folder).parent]
        return ":".join(map(str, [Path(sys.executable).parent, *stores, os.environ["PATH"]]))

    def words(self, service: str, command: list[str]) -> list[str]:
        """Put this run's places for the containers' in a command."""
        return [self.here(service, word) for word in command]

    def here(self, service: str, text: str) -> str:
        """Put this run's places for the containers' in a text."""
        port = self.ports.get(service, 0)
        places = {
            "/run/secrets": f"{self.folder}/secrets", "/run/cortex-redis": f"{self.folder}/redis",
            "/run/cortex-postgres": f"{self.folder}/postgres",
            "/run/cortex-keys": f"{self.folder}/keys&port=5433",
            "/var/run/postgresql": f"{self.folder}/{service}", "/var/cortex": f"{self.folder}/data",
            "/var/anchors": f"{self.folder}/anchors", "/backups": f"{self.folder}/of-{service}",
            "/deploy/": f"{self.folder}/docs/deploy/",
            "=0.0.0.0": "=127.0.0.1", ":8000": f":{port}", "--port=8000": f"--port={port}",
        }  # fmt: skip
        for there, here in places.items():
            text = text.replace(there, here)
        return text

    def environment(self, service: str) -> dict[str, str]:
        """Return what compose and the image would give a service, and nothing of ours."""
        lines = (self.folder / "secrets/cortex.env").read_text().splitlines()
        given = (
            dict(line.split("=", 1) for line in lines) if "env_file" in COMPOSE["services"][service] else {}
        )
        given |= {
            name: str(value) for name, value in COMPOSE["services"][service].get("environment", {}).items()
        }
        given |= {"CORTEX_DATA_DIR": "/var/cortex", "CORTEX_STATIC_ROOT": "/var/cortex/static"}
        here = {name: self.here(service, value) for name, value in given.items()}
        ports = {"postgres": "5432", "keys": "5433"}
        return here | {
            "PATH": self.path,
            "HOSTNAME": socket.gethostname(),
            "PGPORT": ports.get(service, ""),
            "LANG": "C.UTF-8",
        }

    def run(self, command: list[str], environment: dict[str, str]) -> None:
        """Run something to its end."""
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def is_healthy(self, service: str) -> bool:
        """Ask as the container's engine would."""
        command = self.words(service, health_of(COMPOSE["services"][service]))
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment(service), capture_output=True, check=False, timeout=60
        )
        return done.returncode == 0

    @contextmanager
    def standing_still(self, service: str) -> Iterator[None]:
        """Stop every process of one database in the middle of what it does, and let them go on."""
        found = [process for process in psutil.process_iter() if self._is_of(process, service)]
        try:
            for process in found:
                process.suspend()
            assert found
            yield
        finally:
            for process in found:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def _is_of(self, process: psutil.Process, service: str) -> bool:
        """Whether a process works in the data folder of a cluster of ours."""
        try:
            return process.cwd().startswith(f"{self.folder}/home-{service}")
        except psutil.Error:
            return False

    def _start(self, name: str) -> None:
        command = COMPOSE["services"][name].get("command") or dockerfile_list("CMD")
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.words(name, command), cwd=ROOT, env=self.environment(name), stdout=log, stderr=log
            )

    def _start_cluster(self, service: str) -> None:
        """Do what the PostgreSQL image does at its first start: a cluster, the database, our script."""
        name, database = DATABASES[service]
        user = store_user()
        home = user.own(self.folder / f"home-{service}")
        password = (self.folder / "secrets/postgres_password").read_text().strip()
        cluster = Cluster(
            name, home, user.own(self.folder / service), installation(user, self.folder), user, password,
            durable=False, label="cortex-shape",
        )  # fmt: skip
        cluster.make()
        self.clusters[service] = cluster
        cluster.start()
        cluster.wait_ready()
        with psycopg.connect(
            cluster.address("postgres", password, "postgres"), autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {database}")  # type: ignore[call-overload]
        script = self.folder / f"first-start-{service}.sh"
        script.write_text(self.here(service, (ROOT / "docs/deploy/first-start.sh").read_text()))
        own = {"PGHOST": str(cluster.sockets), "PGPASSWORD": password, "POSTGRES_DB": database}
        self.run(["bash", str(script)], self.environment(service) | own)
