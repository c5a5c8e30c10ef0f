"""The first start of a cluster: a password of a role stands in no process list."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.stores import ROOT

FAKE = """#!/bin/sh
echo "arguments: $*" >> "$SEEN"
echo "role ${ROLE-} password ${PASSWORD-}" >> "$GIVEN"
cat >> "$SAID"
"""


def test_no_argument_of_a_program_holds_a_password(tmp_path: Path) -> None:
    (tmp_path / "psql").write_text(FAKE)
    (tmp_path / "psql").chmod(0o755)
    (tmp_path / "role_passwords").write_text("cortex_owner one-word\ncortex_app other-word\n")
    script = (ROOT / "docs/deploy/first-start.sh").read_text().replace("/run/secrets", str(tmp_path))
    places = {name: str(tmp_path / name) for name in ("SEEN", "GIVEN", "SAID")}
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "POSTGRES_DB": "cortex"} | places
    subprocess.run(["bash", "-c", script], env=environment, check=True, stdin=subprocess.DEVNULL)
    arguments = (tmp_path / "SEEN").read_text()
    assert arguments.count("arguments:") == 5 and "word" not in arguments
    given = (tmp_path / "GIVEN").read_text()
    assert "role cortex_owner password one-word" in given and "role cortex_app password other-word" in given
    assert (tmp_path / "SAID").read_text().count("ALTER ROLE") == 2
