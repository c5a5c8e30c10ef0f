"""What the first message to a serving process needs is ready before it, or soon after and nobody waits."""

from __future__ import annotations

import subprocess
import sys

from tests.stores import ROOT

SERVES = """
import sys, threading
from cortex.ops import warming
warming.PAUSE = 0
import cortex.asgi
assert "crisis.intake.api" in sys.modules, "the addresses are not read"
from crisis.risk.lexicon import lexicon
(beside,) = [one for one in threading.enumerate() if one.name == "warming"]
assert beside.daemon, "a process that ends would wait for it"
beside.join(60)
left = [rule for rule in lexicon()._rules if "search" not in rule.pattern.__dict__]
assert not beside.is_alive() and not left and lexicon()._rules, len(left)
"""


def test_addresses_are_read_before_the_first_request_and_the_words_soon_after() -> None:
    made = _run(SERVES)
    assert made.returncode == 0, made.stderr


FORKS = """
import os, threading
from cortex.ops import warming
warming.PAUSE = 0
import django; django.setup()
from cortex.ops import children
children.warm_up()
assert threading.enumerate() == [threading.main_thread()], "a thread doesn't outlive a fork, its locks do"
import uvicorn
class Served:
    def __init__(self, config): pass
    def run(self, sockets): (beside,) = [one for one in threading.enumerate() if one.name == "warming"]
uvicorn.Server = Served
child = os.fork()
if not child:
    os._exit(children.web(None).run())
assert os.waitpid(child, 0)[1] == 0, "the child that serves doesn't go on"
"""


def test_a_parent_that_forks_has_no_thread_and_its_serving_child_goes_on() -> None:
    made = _run(FORKS)
    assert made.returncode == 0, made.stderr


def _run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
