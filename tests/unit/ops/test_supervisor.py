"""The supervisor of `up` ends a child with whatever it forked, whether it was asked to or ended by itself."""

import subprocess
import sys

import pytest

from cortex.ops.processes import is_running, wait_until
from tests.stores import ROOT

# It forks, so it runs in a process of its own: a child that ignores a polite end, and its own child.
SCRIPT = """
import os, signal, time
import django; django.setup()
from cortex.ops.children import Child
from cortex.ops.supervisor import Supervisor
from django.db import connections

connections.all()  # as `up` has them when it forks

def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.fork()
    os.write(1, b"%d\\n" % os.getpid())  # whole: both write into one pipe
    time.sleep(60)
    return 0

lines = []
house = Supervisor(lambda name, line: lines.append(line))
house.start(Child("stubborn", "app", stubborn))
first = house.pids()["stubborn"]
house.run(until=lambda: len(lines) >= 2)
print(*lines, flush=True)
END
"""
ASKED = 'house.stop(["stubborn"], 0.1)'
KILLED = """
os.kill(first, signal.SIGKILL)
house.run(until=lambda: any("ended unexpectedly" in line for line in lines))
"""


@pytest.mark.parametrize("end", [ASKED, KILLED], ids=["asked", "killed"])
def test_nothing_that_a_child_forked_outlives_it(end: str, child_environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.replace("END", end)], env=child_environment, cwd=ROOT,
        stdout=subprocess.PIPE, text=True, check=True, timeout=60,
    )  # fmt: skip
    family = [int(pid) for pid in done.stdout.split()]
    assert len(family) == 2
    assert wait_until(lambda: not any(map(is_running, family)), 2)
