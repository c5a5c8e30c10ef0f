"""The one write about the trail itself: that it was verified, and what came of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.conf import settings

from cortex.audit import HOUSE, Actor, Unchanged, action, queries, record, signing
from cortex.audit.verifier import Verdict
from cortex.ops.actions import note_round
from cortex.ops.health import VERIFIED


@action
def verify_trail(*, actor: Actor, at: datetime | None = None) -> Verdict | None:
    """Walk the chain with the public keys and note the verdict; None while another process walks it.

    The row is the house's own: compliance and auditors of every organization read that it was done.
    """
    if not queries.takes_turn():
        return Unchanged(None)  # type: ignore[return-value]
    verdict = queries.verdict(signing.public_keys(), Path(settings.CORTEX_AUDIT_ANCHOR_FILE))
    detail = {"holds": verdict.holds, "link": verdict.bad_number or verdict.links, "reason": verdict.reason}
    note_round(actor=actor, name=VERIFIED, detail=detail)
    codes = {"links": verdict.links, "bad_number": verdict.bad_number, "reason": verdict.reason}
    record(
        actor, "trail.verified", codes=codes, outcome="done" if verdict.holds else "refused", purpose=HOUSE
    )
    return verdict
