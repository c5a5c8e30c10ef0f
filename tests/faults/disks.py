"""Small disks that only one process group sees, and a PostgreSQL whose trail and log lie on them."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from cortex.ops import embedded_postgres
from cortex.ops.embedded import DATABASE, SQL, superuser_address
from cortex.ops.embedded_postgres import SUPERUSER, Cluster
from cortex.ops.local_secrets import load_or_make
from cortex.ops.processes import StoreUser, store_user, wait_until
from tests import stores

# Mounts a file system in memory over a folder, with what the folder held, and stands by until told to end.
HOLD = """
set -e
for one in "$@"; do
    size=${one%%:*}; folder=${one#*:}
    mkdir -p "$folder.kept"; cp -a "$folder/." "$folder.kept/"
    mount -t tmpfs -o "size=${size}m,mode=0700" cortex-test "$folder"
    cp -a "$folder.kept/." "$folder/"; chown --reference="$folder.kept" "$folder"
done
echo ready
exec cat
"""
RUN = """#!/bin/sh
exec nsenter -t {holder} -m -- setpriv --reuid {uid} --regid {gid} --clear-groups {program} "$@"
"""
TABLES = ("audit_auditlog", "audit_auditinbox")


def may_mount() -> bool:
    """Whether this account may mount something in a namespace of its own."""
    command = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m cortex-test /mnt"]
    with suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


class SmallDisks:
    """Folders, each with a disk of its own of so many megabytes, gone with the process that holds them."""

    def __init__(self, folders: dict[Path, int]) -> None:
        asked = [f"{size}:{folder}" for folder, size in folders.items()]
        self.holder = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", HOLD, "hold", *asked], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.holder.stdout is not None
        assert self.holder.stdout.readline() == b"ready\n"

    def seen(self, folder: Path) -> Path:
        """Return the path by which everybody else reaches a folder on its disk."""
        return Path(f"/proc/{self.holder.pid}/root{folder}")

    def fill(self, folder: Path, share: float = 1.0) -> None:
        """Fill a disk up to a share of it; up to all of it, leave no byte."""
        found = os.statvfs(self.seen(folder))
        wanted = (
            int(share * found.f_blocks * found.f_frsize) - (found.f_blocks - found.f_bfree) * found.f_frsize
        )
        with suppress(OSError), (self.seen(folder) / "filler").open("ab", buffering=0) as filler:
            while share >= 1 or filler.tell() < wanted:
                filler.write(b"\0" * 65536)
        if share >= 1:
            with suppress(OSError), (self.seen(folder) / "filler").open("ab", buffering=0) as filler:
                while True:
                    filler.write(b"\0" * 512)

    def free(self, folder: Path) -> None:
        """Make room again."""
        (self.seen(folder) / "filler").unlink(missing_ok=True)

    def stop(self) -> None:
        """Let go of the disks."""
        if self.holder.stdin is not None:
            self.holder.stdin.close()
        self.holder.wait(10)


@dataclass
class Housed:
    """A cluster with the product's own tables, its trail on one small disk and its log on another."""

    cluster: Cluster
    disks: SmallDisks
    trail: Path
    wal: Path

    def ask(self, statement: str) -> None:
        """Run a statement as the superuser."""
        address = self.cluster.address(SUPERUSER, self.cluster.password, DATABASE)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def has_died(self) -> bool:
        """Whether the server ended altogether."""
        return self.cluster.has_ended()

    def start(self) -> None:
        """Start it again, as the supervisor of `up` does."""
        self.cluster.start()
        self.cluster.wait_ready(60)


@contextmanager
def housed() -> Iterator[Housed]:
    """Copy the migrated template into a cluster of its own on small disks, and end all of it."""
    with tempfile.TemporaryDirectory(prefix="cortex-disks-") as folder, housed_in(Path(folder)) as found:
        yield found


@contextmanager
def housed_in(folder: Path) -> Iterator[Housed]:
    """The same in a folder, which the stores' user must be able to reach."""
    user, secrets = store_user(), load_or_make(stores.DATA_DIR)
    folder.chmod(0o755)
    home, sockets, trail = (user.own(folder / name) for name in ("home", "run", "trail"))
    install = embedded_postgres.installation(user, home / "programs")
    plain = Cluster("main", home, sockets, install, user, secrets["postgres_password"])
    plain.make()
    plain.start()
    plain.wait_ready(60)
    plain.create_roles(
        SQL / "roles.sql", {f"cortex_{one}": secrets[f"{one}_password"] for one in ("owner", "app", "system")}
    )
    plain.create_database(DATABASE, "cortex_owner", SQL / "database.sql")
    copy_template(plain, install)
    plain.stop()
    disks = SmallDisks({plain.data / "pg_wal": 96, trail: 8})
    wrapped = wrap(install, folder / "wrapped", disks.holder.pid, user)
    cluster = Cluster("main", home, sockets, wrapped, StoreUser(0, 0), plain.password)
    try:
        found = Housed(cluster, disks, trail, plain.data / "pg_wal")
        found.start()
        found.ask(f"CREATE TABLESPACE trail OWNER cortex_owner LOCATION '{trail}'")
        for table in TABLES:
            found.ask(f"ALTER TABLE {table} SET TABLESPACE trail")
        yield found
    finally:
        cluster.stop()
        disks.stop()


def wrap(install: Path, folder: Path, holder: int, user: StoreUser) -> Path:
    """Return a folder of PostgreSQL's programs that run where the small disks are, as the stores' user."""
    (folder / "bin").mkdir(parents=True)
    for name in ("postgres", "pg_ctl"):
        script = folder / "bin" / name
        program = install / "bin" / name
        script.write_text(RUN.format(holder=holder, uid=user.uid, gid=user.gid, program=program))
        script.chmod(0o755)
    return folder


def copy_template(cluster: Cluster, install: Path) -> None:
    """Copy the run's migrated database into a cluster."""
    source = superuser_address(stores.DATA_DIR, "main", stores.template_of("cortex_test"))
    target = cluster.address(SUPERUSER, cluster.password, DATABASE)
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    dump = subprocess.Popen(
        [str(install / "bin" / "pg_dump"), "-Fc", "-Z0", source], stdout=subprocess.PIPE, env=environment
    )
    restore = [str(install / "bin" / "pg_restore"), "--clean", "--if-exists", "-d", target]
    subprocess.run(restore, stdin=dump.stdout, env=environment, check=False, capture_output=True)
    assert wait_until(lambda: dump.poll() == 0, 30)
