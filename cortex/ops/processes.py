"""Facts about processes and users that `up`, the stores and the tests share; nothing is supervised here."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
STORE_USERS = ("cortex", "postgres", "nobody")
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0


class StartRefused(Exception):
    """Something outside the program keeps it from starting; the message is one sentence for a person."""


@dataclass
class Pause:
    """How long to wait before a start that follows an unexpected end: it doubles until a run was steady."""

    seconds: float = FIRST_PAUSE

    def after(self, lasted: float) -> float:
        """Return the seconds to wait now, after a run of so many seconds."""
        now = FIRST_PAUSE if lasted > STEADY_SECONDS else self.seconds
        self.seconds = min(now * 2, LONGEST_PAUSE)
        return now


@dataclass(frozen=True)
class StoreUser:
    """The account that the embedded stores run as; None in `name` means the present one."""

    uid: int
    gid: int
    name: str | None = None

    def popen_arguments(self) -> dict[str, Any]:
        """Return what subprocess needs to become this user."""
        if self.name is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path, mode: int = 0o700) -> Path:
        """Make a folder that belongs to this user, and return it."""
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        if self.name is not None:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)
        return path


def store_user() -> StoreUser:
    """Return the present user, or an unprivileged one for root (PostgreSQL refuses to run as root)."""
    if os.geteuid() != 0:
        return StoreUser(os.geteuid(), os.getegid())
    for name in (os.environ.get("CORTEX_STORES_USER", ""), *STORE_USERS):
        try:
            entry = pwd.getpwnam(name) if name else None
        except KeyError:
            continue
        if entry is not None and entry.pw_uid != 0:
            return StoreUser(entry.pw_uid, entry.pw_gid, entry.pw_name)
    raise StartRefused("Started as root, and no unprivileged user exists: set CORTEX_STORES_USER to one.")


def may_enter(user: StoreUser, folder: Path) -> bool:
    """Whether the user can cross every folder on the way to `folder` (it need not exist yet)."""
    if user.name is None:
        return True
    for parent in [folder, *folder.parents]:
        try:
            status = parent.stat()
        except FileNotFoundError:
            continue
        owned = status.st_uid == user.uid and status.st_mode & 0o100
        if not owned and not status.st_mode & 0o001:
            return False
    return True


def die_with_parent(stop_signal: int = signal.SIGTERM) -> None:
    """Have the kernel signal this process when the thread that started it ends (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, stop_signal)


def start_attached(
    command: Sequence[str], *, user: StoreUser, log: IO[bytes], stop_signal: int, env: dict[str, str]
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own (Ctrl-C must not reach it before us) that ends when we end.

    Call it from the main thread: the kernel watches the thread that forked, not the process.
    """
    prepare: Callable[[], None] = lambda: die_with_parent(stop_signal)  # noqa: E731
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        close_fds=True,
        preexec_fn=prepare,
        cwd="/",
        env=env,
        **user.popen_arguments(),
    )


def stop_process(process: subprocess.Popen[bytes], signals: Sequence[tuple[int, float]]) -> bool:
    """Send each signal in turn and wait its seconds; return whether the process has ended."""
    for number, seconds in signals:
        if process.poll() is not None:
            return True
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    return process.poll() is not None


def wait_until(ready: Callable[[], bool], seconds: float, step: float = 0.02) -> bool:
    """Poll until `ready` says yes; return False when the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(step)
    return True


def is_running(pid: int) -> bool:
    """Whether a process of this id exists (zombies count as ended)."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    except PermissionError:
        return True
    return state != "Z"
