"""A house is drilled, lost and put back by the commands alone; restores start the databases themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cortex.ops import health
from cortex.ops.embedded import EmbeddedStores
from cortex.ops.local_secrets import FILE
from tests import makers, stores
from tests.cast import make_cast
from tests.faults.houses import environment, house_folder

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "the kettle sings at four in the morning"


@pytest.fixture
def new_house() -> Iterator[Path]:
    """The data folder of another machine with the old one's secrets, and nothing else."""
    folder = house_folder("restored")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(stores.DATA_DIR / FILE, folder / FILE)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def manage(where: dict[str, str], *arguments: str) -> str:
    """Run a command, which must end well, and return what it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=stores.ROOT, env=where, text=True, timeout=120,
        capture_output=True, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "Traceback" not in said, said
    return said


def test_a_lost_house_comes_back_by_the_commands_alone(tmp_path: Path, new_house: Path) -> None:
    makers.make_message(make_cast().patient, WORDS)
    old, new = stores.child_environment(), environment(new_house)
    manage(old, "backup", "--to", str(tmp_path / "main"))
    manage(old, "keys", "backup", "--to", str(tmp_path / "keys"))
    said = manage(old, "backup_drill", "--from", str(tmp_path / "main"))
    told = {name: float(seconds) for name, seconds in re.findall(r"(R[TP]O) ([\d.]+) s", said)}
    assert told["RTO"] > 0 and told["RPO"] > 0 and "The copy has every row" in said
    assert health.check_backup(health.DRILLED, 60).state == "ok"
    said = manage(new, "keys", "restore", "--from", str(tmp_path / "keys"))
    assert "is back:" in said and "couldn't be looked up in both databases" in said
    said = manage(new, "restore", "--from", str(tmp_path / "main"))
    assert "is back:" in said and "sign-in sessions" in said
    assert not list(new_house.rglob("postmaster.pid")), "the databases are stopped again"
    running = EmbeddedStores(new_house, durable=False)
    running.start(redis=False)
    try:
        said = manage(new, "keys", "verify")
        assert "with it one value of every column" in said and "0 live keys" not in said
    finally:
        running.stop()
