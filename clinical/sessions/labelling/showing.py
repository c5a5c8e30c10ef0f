"""What a session's page says of its labels, and the question before a change; no query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clinical.notes.wording import LABELS, label_words
from clinical.sessions.labelling.forms import OFFERED, LabelForm
from clinical.sessions.labels import Reach
from cortex.audit import RuleBroken
from patients.labels.rules import PART2
from patients.sessions.models import Session

AS_RESTRICTED = "Shuts out the same people as Restricted, and says what it is about."
MEANINGS = {
    "R": "The care team and whoever covers for it read it. Nobody reads it by break-glass, for a second "
    "opinion, or because they have an alert of this person.",
    "V": "Whoever ran it reads it, and nobody else: no colleague and no supervisor.",
    "PSYTHPN": "Whoever ran it reads it, and nobody else. It came with the session and stays.",
    PART2: "The team reads it only while the person agrees to Part 2. Break-glass opens it after a second "
    "confirmation. A second opinion and an alert don't.",
    "HIV": AS_RESTRICTED,
    "GBV": AS_RESTRICTED,
    "MINOR": AS_RESTRICTED,
}


def label_card(
    session: Session, who: Reach, *, runs: bool, form: LabelForm | None, note: dict[str, Any] | None
) -> dict[str, Any]:
    """Return what the page shows: what stands, and the form for whoever sets them (`runs`: their role may).

    `form` is one that was given back, `note` what is said of it.
    """
    run = getattr(session, "run", None)
    may = runs and who.sets_labels(run.clinician_id if run else None)
    labels = session.sensitivity_labels
    drawn = form or LabelForm(initial={"labels": labels}, auto_id="label_%s")
    return {
        "standing": [(LABELS[one], _meaning(one)) for one in labels if one != "N"],
        "form": drawn if may else None,
        "boxes": [
            (box, MEANINGS[box.data["value"]]) for box in drawn.boxes(has_run=run is not None)
        ] if may else [],
        "seen": " ".join(sorted(labels)),
        "has_run": run is not None,
        "note": note,
        "is_open": form is not None,
    }  # fmt: skip


def _meaning(code: str) -> str:
    """Return what a label does where Restricted doesn't stand beside it."""
    return MEANINGS["R"] if MEANINGS[code] == AS_RESTRICTED else MEANINGS[code]


def note_of(error: Exception) -> dict[str, Any] | None:
    """Return what the form says of a conflict: lines, and for a question the codes that it tells of."""
    if not isinstance(error, RuleBroken) or error.status != 409:
        return None
    if error.code != "labels_ask":
        return {"lines": [error.message], "told": ""}
    shuts, opens = error.extra["shuts"], error.extra["opens"]
    lines = []
    if shuts:
        lines.append(f"With {_named(shuts)} you will no longer read this session, nor will the team.")
    if PART2 in shuts:
        lines.append("The person hasn't agreed to Part 2. Until they do, nobody can take the label away.")
    if opens:
        lines.append(f"Without {_named(opens)} more people may read this session.")
        lines.append("It came with the session, or somebody of the team set it.")
    return {"lines": lines, "told": " ".join([*shuts, *opens])}


def _named(codes: Iterable[str]) -> str:
    return " and ".join(label_words([one for one in codes if one in OFFERED]))
