"""Keeps the children of `up` running: forks, prefixed log lines, restarts with a pause, the stop."""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.management.base import CommandError

from cortex.ops.children import Child, put_on_role
from cortex.ops.processes import Pause, StartRefused, die_with_parent

TICK = 0.25
LONGEST_LINE = 64 * 1024


@dataclass
class Running:
    """One child and its present process."""

    child: Child
    pid: int = 0
    output: int = -1
    started: float = 0.0
    restarts: int = 0
    pause: Pause = field(default_factory=Pause)
    due: float | None = None
    ended: int | None = None
    rest: bytes = field(default=b"", repr=False)

    @property
    def is_alive(self) -> bool:
        """Whether a process runs."""
        return self.pid > 0


class Supervisor:
    """One loop in one thread: it forks, so it must never own a second thread or a connection."""

    def __init__(
        self, say: Callable[[str, str], None], *, changed: Callable[[], None] = lambda: None
    ) -> None:
        self.say = say
        self.changed = changed
        self.children: dict[str, Running] = {}
        self.watched: list[Callable[[], None]] = []
        self.selector = selectors.DefaultSelector()
        self.stopping = False
        self.on_end: dict[str, Callable[[int], None]] = {}
        # Sockets and files that a child must not hold: the lock, and for all but the web the listener.
        self.parents_own: list[int] = []
        self.listener = -1
        self._wake, self._alarm = os.pipe()
        os.set_blocking(self._alarm, False)
        os.set_blocking(self._wake, False)
        self.selector.register(self._wake, selectors.EVENT_READ, None)

    def listen_to_signals(self) -> None:
        """Stop on Ctrl-C, a polite kill and a closed terminal; wake up when a child ends."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._alarm, warn_on_full_buffer=False)

    def _asked_to_stop(self, number: int, frame: object) -> None:
        self.stopping = True

    def start(self, child: Child) -> None:
        """Add a child and start it."""
        running = self.children[child.name] = Running(child)
        self._fork(running)

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Serve until asked to stop, or until the given condition holds."""
        while not self.stopping and not until():
            self.turn(TICK)

    def turn(self, seconds: float) -> None:
        """Do one round: print what was written, reap what ended, restart what is due."""
        for key, _ in self.selector.select(seconds):
            if key.data is None:
                self._drain_wake()
            else:
                self._read(key.data)
        self._reap()
        if not self.stopping:
            self._restart_due()
            for check in self.watched:
                check()

    def stop(self, names: list[str], seconds: float) -> None:
        """Ask these children to end, and end for certain whoever hasn't after the seconds."""
        self.stopping = True
        chosen = [self.children[name] for name in names if name in self.children]
        for running in chosen:
            running.due = None
            self._signal(running, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while any(running.is_alive for running in chosen) and time.monotonic() < deadline:
            self.turn(0.05)
        for running in [running for running in chosen if running.is_alive]:
            self.say(running.child.name, "didn't end in time; ended for certain.")
            self._kill_group(running)
            while running.is_alive:
                self.turn(0.02)

    def pids(self) -> dict[str, int]:
        """Return the process ids by name."""
        return {name: running.pid for name, running in self.children.items() if running.is_alive}

    def _fork(self, running: Running) -> None:
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._become(running.child, writing, parent)
        os.close(writing)
        os.set_blocking(reading, False)
        running.pid, running.output, running.started = pid, reading, time.monotonic()
        running.due = running.ended = None
        running.rest = b""
        self.selector.register(reading, selectors.EVENT_READ, running)
        self.changed()

    def _become(self, child: Child, writing: int, parent: int) -> None:
        """Turn the fork into the child; it never returns."""
        code = 1
        try:
            os.setsid()
            die_with_parent(signal.SIGTERM)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            if os.getppid() != parent:
                os._exit(1)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(writing, 1)
            os.dup2(writing, 2)
            self._close_inherited(child)
            put_on_role(child.role, child.pool)
            code = child.run()
        except SystemExit as exit_:
            code = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
        except (CommandError, StartRefused) as refusal:
            print(refusal, file=sys.stderr)  # noqa: T201
        except BaseException:
            # Frames only: an exception's text may quote what a person wrote.
            kind, _, trace = sys.exc_info()
            print("".join(traceback.format_tb(trace)) + (kind.__name__ if kind else ""), file=sys.stderr)  # noqa: T201
        finally:
            try:
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)

    def _close_inherited(self, child: Child) -> None:
        self.selector.close()
        mine = [*self.parents_own, self._wake, self._alarm]
        mine += [other.output for other in self.children.values() if other.output >= 0]
        if child.name != "web" and self.listener >= 0:
            mine.append(self.listener)
        for descriptor in mine:
            os.close(descriptor)

    def _read(self, running: Running) -> bool:
        """Print the lines that wait; return whether there may be more."""
        try:
            data = os.read(running.output, 65536)
        except BlockingIOError:
            return False
        if not data:
            self._close_output(running)
        *lines, running.rest = (running.rest + data).split(b"\n")
        if not data or len(running.rest) > LONGEST_LINE:
            lines, running.rest = [*lines, running.rest], b""
        for line in lines:
            if line.strip():
                self.say(running.child.name, line.decode(errors="replace").rstrip())
        return bool(data)

    def _close_output(self, running: Running) -> None:
        self.selector.unregister(running.output)
        os.close(running.output)
        running.output = -1

    def _reap(self) -> None:
        for running in list(self.children.values()):
            if not running.is_alive:
                continue
            if os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            # Before it is reaped its number is still its own: whatever it forked ends with it.
            self._kill_group(running)
            _, status = os.waitpid(running.pid, 0)
            while running.output >= 0 and self._read(running):
                pass
            if running.output >= 0:
                # A grandchild may still hold the other end; its last words don't matter any more.
                self._close_output(running)
            running.pid = 0
            running.ended = os.waitstatus_to_exitcode(status)
            self.changed()
            self._note_end(running, running.ended)

    def _note_end(self, running: Running, code: int) -> None:
        name = running.child.name
        if self.stopping:
            return
        if running.child.once:
            if name in self.on_end:
                self.on_end[name](code)
            return
        running.restarts += 1
        wait = running.pause.after(time.monotonic() - running.started)
        running.due = time.monotonic() + wait
        how = f"killed by signal {-code}" if code < 0 else f"exit status {code}"
        self.say(name, f"ended unexpectedly ({how}); restart {running.restarts} in {wait:g} s.")

    def _restart_due(self) -> None:
        for running in self.children.values():
            if running.due is not None and time.monotonic() >= running.due:
                self._fork(running)
                self.say(running.child.name, f"started again (process {running.pid}).")

    def _signal(self, running: Running, number: int) -> None:
        if running.is_alive:
            try:
                os.kill(running.pid, number)
            except ProcessLookupError:
                pass

    def _kill_group(self, running: Running) -> None:
        """Kill a child with whatever it forked: each leads a session of its own."""
        try:
            os.killpg(running.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _drain_wake(self) -> None:
        try:
            while os.read(self._wake, 4096):
                pass
        except BlockingIOError:
            pass
