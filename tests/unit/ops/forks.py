"""Runs code under many environments from forks of one process that has loaded the libraries, none of ours.

Started as a program, each line of its input is {"env": {...}, "code": "..."}; it answers with a line
{"returncode": n, "stderr": "..."} of a fork that had this environment alone and ran this code.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from typing import NamedTuple

from tests.stores import ROOT


class Done(NamedTuple):
    """How a fork ended and what it complained of."""

    returncode: int
    stderr: str


class Forks:
    """A started program of this module."""

    def __init__(self) -> None:
        kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.ops.forks"], cwd=ROOT, env=kept, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, code: str, environment: dict[str, str]) -> Done:
        """Run code as a new process with this environment would."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps({"env": environment, "code": code}), file=self.process.stdin, flush=True)
        return Done(**json.loads(self.process.stdout.readline()))

    def end(self) -> None:
        """Let the program end."""
        self.process.communicate("")


def _fork(env: dict[str, str], code: str) -> Done:
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if child == 0:
            _work(env, code, said.fileno())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        return Done(status, said.read())


def _work(env: dict[str, str], code: str, said: int) -> None:
    os.environ.clear()
    os.environ.update(env)
    os.dup2(said, 2)
    ended = 0
    try:
        exec(code, {})  # noqa: S102
    except BaseException:
        traceback.print_exc()
        ended = 1
    sys.stderr.flush()
    os._exit(ended)


# What every setting loads and none changes: most of what a process takes to start.
LOADED = ("celery.schedules", "django.core.management", "psycopg", "structlog")

if __name__ == "__main__":
    for name in LOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(_fork(**json.loads(line))._asdict()), flush=True)
