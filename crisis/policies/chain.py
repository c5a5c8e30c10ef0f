"""What an escalation chain may be: who can be asked, how late a step may come, and what is wrong with one."""

from __future__ import annotations

from typing import Any

WHO = ("on_duty", "second", "supervisor", "on_call", "lead")
MOST_STEPS = 8
# Where somebody is in danger now or waits for a voice, the last step of the chain comes sooner.
URGENT = ("critical", "waiting")
MEDIUM = "medium"
LATEST_STEP, LATEST_URGENT = 7200, 900


def problem_of(chain: Any, level: str) -> str:
    """Return in a sentence why this chain is refused for alerts of a level; empty when it may be set.

    A chain starts at once with everybody on duty, climbs in time, and ends at a human who answers.
    """
    latest = LATEST_URGENT if level in URGENT else LATEST_STEP
    if not isinstance(chain, list) or not 2 <= len(chain) <= MOST_STEPS:
        return f"A chain has 2 to {MOST_STEPS} steps."
    if not all(_is_step(step, latest) for step in chain):
        return f"Each step has somebody to call and a time of at most {latest} seconds."
    times = [step["after"] for step in chain]
    if times[0] != 0 or chain[0]["who"] != "on_duty" or times != sorted(times):
        return "The chain starts at 0 seconds with everybody on shift, and its times rise."
    if chain[-1]["who"] not in ("supervisor", "on_call", "lead"):
        return "The chain ends at a supervisor, the clinician on call or the lead."
    return ""


def _is_step(step: Any, latest: int) -> bool:
    return (
        isinstance(step, dict)
        and set(step) == {"after", "who"}
        and step["who"] in WHO
        and isinstance(step["after"], int)
        and 0 <= step["after"] <= latest
    )
