"""Forks the processes of a house from one that has loaded the application, and says how they ended.

It works for `Nursery` (house.py): each line of its input is {"start": name} or {"wait": process id}; it
answers with the process id, or with the exit status (negative: the signal).
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import traceback
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from cortex.ops import children, startup  # noqa: E402
from cortex.ops.children import Child  # noqa: E402
from cortex.ops.processes import die_with_parent  # noqa: E402


def plan(folder: Path, ports: list[int]) -> dict[str, Child]:
    """Return what a house runs, by name: two of whatever may stand twice."""
    found = {f"web-{n}": children.web(startup.listen("127.0.0.1", port)) for n, port in enumerate(ports, 1)}
    found |= {f"sweeper-{n}": children.command("sweep", child="sweeper") for n in (1, 2)}
    for n in (1, 2):
        (folder / f"beat-{n}").mkdir(exist_ok=True)
        found[f"beat-{n}"] = children.beat(folder / f"beat-{n}")
    return found | {"worker": children.worker()}


def fork(name: str, child: Child, log: Path) -> int:
    """Start a child in a session of its own; return its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        die_with_parent(signal.SIGKILL)
        with log.open("ab") as out:
            for stream in (1, 2):
                os.dup2(out.fileno(), stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        children.put_on_role(child.role, child.pool)
        code = child.run()
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Load, then obey until the input ends; the children end with this process."""
    folder, *ports = sys.argv[1:]
    home = Path(folder)
    known = plan(home, [int(port) for port in ports])
    startup.collect_static(Path(settings.CORTEX_DATA_DIR))
    children.warm_up()
    connections.all()  # each fork puts them on a role of its own before it opens one
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            answer = fork(order["start"], known[order["start"]], home / f"{order['start']}.log")
        else:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
        print(answer, flush=True)


if __name__ == "__main__":
    main()
