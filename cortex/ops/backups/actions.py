"""Writes about backups: that one was finished, put back or proven; each is on record for the whole house."""

from __future__ import annotations

from datetime import timedelta

from cortex.audit import HOUSE, Actor, action, record
from cortex.clock import clock
from cortex.ops.actions import note_round
from cortex.ops.backups.drill import Drill
from cortex.ops.backups.manifest import Manifest
from cortex.ops.health import BACKUPS, DRILLED


@action
def note_backup(*, actor: Actor, manifest: Manifest, seconds: float) -> None:
    """Say that a backup of one kind is finished; its age counts from its snapshot, not from now."""
    codes = {"kind": manifest.kind, "bytes": manifest.sealed_bytes, "rows": manifest.facts.rows}
    ago = max(timedelta(), clock() - manifest.taken_at)
    note_round(actor=actor, name=BACKUPS[manifest.kind], detail=codes, ago=ago)
    record(actor, "backup.taken", codes={**codes, "seconds": round(seconds, 1)}, purpose=HOUSE)


@action
def note_restore(*, actor: Actor, manifest: Manifest, lost_links: int = 0, differences: int = 0) -> None:
    """Say in the restored trail what was put back, in how much it differs, and how many links are lost."""
    codes = {
        "kind": manifest.kind,
        "taken_at": manifest.facts.taken_at,
        "lost_links": lost_links,
        "holds": not differences,
        "differences": differences,
    }
    outcome = "refused" if differences else "done"
    record(actor, "backup.restored", codes=codes, outcome=outcome, purpose=HOUSE)


@action
def note_drill(*, actor: Actor, drill: Drill) -> None:
    """Say that the newest backup was put back elsewhere, with what came of it; seconds and counts."""
    codes = {
        "holds": not drill.differences,
        "rto_seconds": round(drill.rto_seconds, 1),
        "rpo_seconds": round(drill.rpo_seconds, 1),
        "rows": drill.told.facts.rows,
        "taken_at": drill.told.facts.taken_at,
    }
    note_round(actor=actor, name=DRILLED, detail=codes)
    record(
        actor,
        "backup.drilled",
        codes=codes,
        outcome="refused" if drill.differences else "done",
        purpose=HOUSE,
    )


@action
def note_failed_drill(*, actor: Actor, fault: Exception) -> None:
    """Say that the newest backup couldn't be put back elsewhere; what failed is kept by its class alone."""
    codes = {"holds": False, "error": type(fault).__name__}
    note_round(actor=actor, name=DRILLED, detail=codes)
    record(actor, "backup.drilled", codes=codes, outcome="refused", purpose=HOUSE)
