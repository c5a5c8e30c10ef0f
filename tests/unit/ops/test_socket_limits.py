"""What a server of sockets is started with, here and in production: sizes and pings (decision 52)."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import uvicorn
import yaml

from cortex.live.consumer import MAX_BYTES
from cortex.ops import children, warming
from tests.stores import ROOT


def test_our_own_server_pings_and_refuses_what_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    class Served:
        def __init__(self, config: uvicorn.Config) -> None:
            asked.update(vars(config))

        def run(self, sockets: list[socket.socket]) -> None:
            pass

    monkeypatch.setattr(uvicorn, "Server", Served)
    monkeypatch.setattr(warming, "go_on", lambda: None)
    with socket.socket() as listener:
        assert children.web(listener).run() == 0
    assert (asked["ws_ping_interval"], asked["ws_ping_timeout"]) == (20.0, 20.0)
    assert asked["ws_max_size"] == MAX_BYTES == 65536
    assert asked["ws_per_message_deflate"] is False


def test_productions_server_is_started_with_the_same() -> None:
    command = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["sockets"]["command"]
    wanted = {
        f"--ws-ping-interval={children.SOCKET_PING_SECONDS:.0f}",
        f"--ws-ping-timeout={children.SOCKET_PING_SECONDS:.0f}",
        f"--ws-max-size={MAX_BYTES}",
        "--ws-per-message-deflate=false",
    }
    assert wanted <= set(command)
