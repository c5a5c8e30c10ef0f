"""The one write of the proof: what was destroyed stays destroyed when an old backup of keys comes back."""

from __future__ import annotations

from cortex.audit.actors import Actor
from cortex.audit.machine import HOUSE, action, record
from cortex.audit.rules import Unchanged
from cortex.keys.actions import destroy_key
from cortex.keys.proof import queries


@action
def replay_destructions(*, actor: Actor) -> int | Unchanged[int]:
    """Destroy once more every key that the trail says was destroyed and that lives; return how many."""
    revived = queries.destroyed_but_live()
    for subject in revived:
        destroy_key(actor=actor, subject_id=subject, reason="restored")
    if not revived:
        return Unchanged(0)
    record(actor, "key.destructions_replayed", codes={"count": len(revived)}, purpose=HOUSE)
    return len(revived)
