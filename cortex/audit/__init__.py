"""The trail: actions, their records, access rows, the sequencer and the verifier."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cortex.audit.actors import SYSTEM, Actor, actor_of, system
    from cortex.audit.machine import HOUSE, action, emit, part, quiet, record
    from cortex.audit.rules import InputRefused, NotFound, RuleBroken, Unchanged

__all__ = [
    "HOUSE",
    "SYSTEM",
    "Actor",
    "InputRefused",
    "NotFound",
    "RuleBroken",
    "Unchanged",
    "action",
    "actor_of",
    "emit",
    "part",
    "quiet",
    "record",
    "system",
]

_PLACES = {
    "HOUSE": "machine",
    "action": "machine",
    "emit": "machine",
    "part": "machine",
    "quiet": "machine",
    "record": "machine",
    "SYSTEM": "actors",
    "Actor": "actors",
    "actor_of": "actors",
    "system": "actors",
    "InputRefused": "rules",
    "NotFound": "rules",
    "RuleBroken": "rules",
    "Unchanged": "rules",
}


def __getattr__(name: str) -> Any:
    """Resolve the public names late: Django imports this package before its models may be loaded."""
    if name not in _PLACES:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"cortex.audit.{_PLACES[name]}"), name)
