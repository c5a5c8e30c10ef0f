"""Where a running system sends things, kept to the last byte: a mail server, a pager, and Redis's own ear."""

from __future__ import annotations

import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class MailSink(socketserver.ThreadingTCPServer):
    """An SMTP server that accepts everything and keeps what was said."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.kept = bytearray()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """The address as EMAIL_URL takes it."""
        return f"smtp://127.0.0.1:{self.port}"


class _Mail(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        sink: Any = self.server
        self.wfile.write(b"220 sink\r\n")
        in_data = False
        for line in self.rfile:
            sink.kept += line
            if in_data:
                in_data = line != b".\r\n"
                if not in_data:
                    self.wfile.write(b"250 kept\r\n")
                continue
            word = line[:4].upper()
            in_data = word == b"DATA"
            self.wfile.write(
                b"354 go on\r\n" if in_data else b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n"
            )
            if word == b"QUIT":
                return


class PagerSink(ThreadingHTTPServer):
    """A pager service that keeps what it is sent: /ok answers 204, everything else 500."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Pager)
        self.kept = bytearray()
        self.calls: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        """The address of one endpoint."""
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class _Pager(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        sink: Any = self.server
        sink.kept += str(self.headers).encode() + self.rfile.read(
            int(self.headers.get("Content-Length", "0"))
        )
        sink.calls.append(self.path)
        self.send_response(204 if self.path == "/ok" else 500)
        self.end_headers()

    def log_message(self, *given: object) -> None:
        """Say nothing."""


class RedisEar:
    """Keeps every command that a Redis is given, the bodies of published messages included."""

    def __init__(self, path: str) -> None:
        self.kept = bytearray()
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(path)
        self.line.sendall(b"MONITOR\r\n")
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                heard = self.line.recv(65536)
            except OSError:
                return
            if not heard:
                return
            self.kept += heard

    def close(self) -> None:
        """Stop listening."""
        self.line.close()
