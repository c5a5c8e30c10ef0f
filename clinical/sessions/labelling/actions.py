"""The one write of a session's labels."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from clinical.sessions.labelling import queries
from clinical.sessions.labelling.forms import OFFERED
from clinical.sessions.labels import LABELS, OWN_ALONE, Reach, reach
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from patients.registry import access
from patients.registry.queries import rows_of


@action
def label_session(
    *, actor: Actor, patient_id: UUID, session_id: UUID, labels: Collection[str], seen: Collection[str],
    told: Collection[str] = (), at: datetime | None = None,
) -> bool:  # fmt: skip
    """Set the labels of a session; return whether the actor still reads it.

    Whoever ran it sets them, and the team where nobody did. What no form offers stays as it came. `seen` are
    the labels that stood when the form was drawn: RuleBroken `stale` when others stand by now. Whoever didn't
    run it is asked first, by RuleBroken with `shuts` (labels that shut them out) and `opens` (labels that are
    taken away); `told` are those of which they have been told.
    """
    at = clock(at)
    patient = access.treated(actor, patient_id, at)
    who = reach(actor, patient, at)
    session = queries.locked(rows_of(patient), session_id, who)
    run = getattr(session, "run", None)
    if not who.sets_labels(run.clinician_id if run else None):
        name = run.clinician.full_name if run else "The care team"
        raise RuleBroken(f"{name} sets the labels of this session.", "not_yours")
    before = sorted(session.sensitivity_labels)
    wanted = _wanted(set(before), set(labels), has_run=run is not None)
    if wanted == before:
        return Unchanged(True)  # type: ignore[return-value]
    if sorted(seen) != before:
        raise RuleBroken(
            "Somebody changed these labels meanwhile. What stands now is above, what you chose below.",
            "stale",
        )
    if run is None:
        _ask(who, set(before), set(wanted), set(told))
    session.sensitivity_labels = wanted
    session.save(update_fields=[LABELS, "updated_at"])
    codes = {"before": before, "after": wanted}
    record(actor, "session.labelled", session, subject=session.patient_id, fields=[LABELS], codes=codes)
    return who.opens(session, run.clinician_id if run else None)


def _wanted(before: set[str], labels: set[str], *, has_run: bool) -> list[str]:
    if labels - OFFERED.keys():
        raise InputRefused("Choose labels of the list.", "label_unknown", field="labels")
    if OWN_ALONE in labels and not has_run:
        raise InputRefused(
            "Nobody here ran this session, so nobody at all would read it.", "nobody_left", field="labels"
        )
    return sorted(labels | before - OFFERED.keys())


def _ask(who: Reach, before: set[str], wanted: set[str], told: set[str]) -> None:
    shuts, opens = (wanted - before) & set(who.shut), before - wanted
    if (shuts | opens) - told:
        raise RuleBroken(
            "Say that this is what you want.", "labels_ask", shuts=sorted(shuts), opens=sorted(opens)
        )
