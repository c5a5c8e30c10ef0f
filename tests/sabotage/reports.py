"""Reads pytest's JUnit report of a sabotaged run: who noticed by what they expect, and what merely broke.

In such a report every exception in the call of a test is a <failure>: a name that the change left undefined
too. Somebody noticed when an assertion failed or a test said so itself (pytest.fail, also by a `raises` that
saw nothing raised). Anything else is a change that broke the code, and proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

# How pytest begins the message of a failed assertion (the first where it explains one) and of pytest.fail.
EXPECTED = ("assert", "AssertionError", "Failed")
# And that of what went wrong after a test.
TEARDOWN = "failed on teardown"


@dataclass
class Outcome:
    """What a run of some tests said: how many ran, which noticed, and what broke without noticing."""

    ran: int = 0
    failed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """Return `caught`, or why a change proves nothing: it `broke` something, or was `unnoticed`."""
        if self.broken:
            return "broken"
        return "caught" if self.failed else "unnoticed"


def read(report: Path, raises: Sequence[str] = ()) -> Outcome:
    """Return what a report says; `raises` are the exceptions by which these tests may notice, too.

    What fails outside of a call (import, collection, a fixture) is broken whatever it says, except what a
    test that has noticed leaves to its clean-up, such as threads that it had no time to end.
    """
    noticed = re.compile(rf"(?:{'|'.join(map(re.escape, (*EXPECTED, *raises)))})\b")
    found = Outcome()
    cleared: list[tuple[str, str]] = []
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - our own pytest wrote it
        found.ran += case.find("skipped") is None
        error, failure = case.find("error"), case.find("failure")
        for trouble in (one for one in (error, failure) if one is not None):
            message = trouble.get("message", "")
            if trouble is failure and noticed.match(message):
                found.failed.append(name_of(case))
            elif trouble is error and message.startswith(TEARDOWN):
                cleared.append((name_of(case), message))
            else:
                found.broken.append(_line(name_of(case), message))
    found.broken += [_line(name, said) for name, said in cleared if name not in found.failed]
    return found


def _line(name: str, message: str) -> str:
    return f"{name}: {message.splitlines()[0] if message else '?'}"[:200]


def name_of(case: ElementTree.Element) -> str:
    """Return file and test as pytest names them."""
    return f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
