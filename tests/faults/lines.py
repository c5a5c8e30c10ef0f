"""A line between the product and a store: a small TCP proxy that can be cut, slowed, and made to swallow."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

# What is passed on at once, and how often a line looks whether its fate has changed.
CHUNK, LOOK = 65536, 0.05
LINGER = struct.pack("ii", 1, 0)


class Fate(StrEnum):
    """What becomes of bytes."""

    PASS = "pass"
    SLOW = "slow"  # each piece comes `delay` seconds later
    SWALLOW = "swallow"  # both ways, without a word: no FIN, no RST
    DEAF = "deaf"  # what the store says is swallowed; what it is told arrives


class Line:
    """Listens on a port of this machine and connects each caller with a socket of the store.

    What was connected while bytes were swallowed stays dead after the line is mended, as behind a router that
    has forgotten it; what is connected anew works.
    """

    def __init__(self, path: str) -> None:
        self.path, self.fate, self.delay = path, Fate.PASS, 0.0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self.listener.getsockname()[1])
        self.swallowed = 0
        self.pairs: set[Pair] = set()
        self.lock = threading.Lock()
        self.is_open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while self.is_open:
                caller, _ = self.listener.accept()
                Pair(self, caller)

    def mend(self) -> None:
        """Let bytes pass again, for those who connect anew."""
        with self.lock:
            for pair in self.pairs:
                pair.is_lost |= self.fate in (Fate.SWALLOW, Fate.DEAF)
            self.fate, self.delay = Fate.PASS, 0.0

    def reset(self) -> int:
        """End every connection with an RST to both sides; return how many there were."""
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            pair.reset()
        return len(pairs)

    def close(self) -> None:
        """End the line and everything on it."""
        self.is_open = False
        # A thread that waits in accept() keeps the port until somebody calls.
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            self.listener.close()
        self.reset()


class Pair:
    """One connection through a line, with a thread for each direction."""

    def __init__(self, line: Line, caller: socket.socket) -> None:
        self.line, self.caller, self.is_lost = line, caller, False
        self.store = socket.socket(socket.AF_UNIX)
        try:
            self.store.connect(line.path)
        except OSError:
            caller.close()
            self.store.close()
            return
        with line.lock:
            line.pairs.add(self)
        for source, target in ((caller, self.store), (self.store, caller)):
            threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        from_store = source is self.store
        with suppress(OSError):
            source.settimeout(None)
            while data := source.recv(CHUNK):
                if self.is_swallowed(from_store=from_store):
                    self.line.swallowed += len(data)
                    continue
                if self.line.fate is Fate.SLOW:
                    time.sleep(self.line.delay)
                target.sendall(data)
            # A farewell gets lost like everything else.
            while self.is_swallowed(from_store=from_store) and self.line.is_open:
                time.sleep(LOOK)
        self.end()

    def is_swallowed(self, *, from_store: bool) -> bool:
        """Whether what is said in this direction arrives nowhere."""
        fate = self.line.fate
        return self.is_lost or fate is Fate.SWALLOW or (fate is Fate.DEAF and from_store)

    def reset(self) -> None:
        """Send an RST to the caller; the store reads that its caller is gone."""
        with suppress(OSError):
            self.caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        self.is_lost = False
        self.end()

    def end(self) -> None:
        """Close both ends, once."""
        with self.line.lock:
            self.line.pairs.discard(self)
        for one in (self.caller, self.store):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def lines(*paths: str) -> Iterator[list[Line]]:
    """Open a line to each socket, and end them all."""
    found = [Line(path) for path in paths]
    try:
        yield found
    finally:
        for line in found:
            line.close()
