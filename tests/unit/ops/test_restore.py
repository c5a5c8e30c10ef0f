"""Restores by the commands: alone in the house, into the right place, on record whatever comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from cortex.ops import startup

COMMANDS = (("restore",), ("keys", "restore"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_restore_is_refused_while_up_runs_and_touches_nothing(
    command: tuple[str, ...], tmp_path: Path, settings: Any
) -> None:
    settings.CORTEX_DATA_DIR = tmp_path
    with startup.take_lock(tmp_path):
        startup.write_state(tmp_path, "http://localhost:8000/", {})
        with pytest.raises(CommandError, match=r"already runs in this folder .*Stop it first"):
            call_command(*command, "--from", str(tmp_path))
