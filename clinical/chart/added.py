"""What notes and the plan add to a chart's overview; their queries read, nothing is decided here."""

from __future__ import annotations

from django.urls import reverse

from clinical.chart.parts import Card, Line, Look, Mark, Part, Shown, register
from clinical.notes.queries import own_drafts
from clinical.plans.diagnoses.queries import diagnoses_of, without_protected
from clinical.plans.medications.queries import medications_of
from clinical.plans.queries import open_plan, plan_view
from clinical.plans.showing import goal_row, standing_row
from patients.breakglass.queries import opens_protected
from patients.registry.access import BREAK_GLASS, CHART, relationship_of

MOST_GOALS = 4


def _notes(look: Look) -> Shown:
    """The reader's own notes of this person that wait for their signature."""
    return Shown(
        due=[
            Line(
                f"Sign your note ({one.get_note_type_display()})", one.created_at,
                url=reverse("clinical:note_edit", args=[one.patient_id, one.pk]), icon="notes",
            )
            for one in own_drafts(look.context.actor.person, look.ids)
        ]
    )  # fmt: skip


def _plan(look: Look) -> Shown:
    """Open goals with their pace, what is diagnosed and taken, when the plan is reviewed, when it changed."""
    patient, person = look.patient, look.context.actor.person
    glass = relationship_of(person, patient.pk, look.at, CHART) == BREAK_GLASS
    hides = glass and not opens_protected(person, patient.pk, look.at)
    plan = open_plan(patient)
    diagnoses = [one for one in diagnoses_of(patient) if one.status != "ruled_out"]
    taken = [one for one in medications_of(patient) if one.status == "active"]
    look.context.open(taken)
    withheld = 0
    if hides:
        diagnoses, withheld = without_protected(diagnoses)
    shown = Shown()
    url = reverse("clinical:plan", args=[patient.pk])
    if plan is not None:
        view = plan_view(look.context, patient, plan, look.at)
        goals = [goal_row(one, patient.pk, hides=hides) for one in view.goals]
        counted = [one for one in goals if one["counts"]]
        shown.agreed = [
            Line(one["specific"], None, url, "target", detail=one["standing"]["words"])
            for one in counted[:MOST_GOALS]
        ]
        if view.due_at is not None:
            late = view.due_at <= look.at
            shown.due = [Line("Review the plan", view.due_at, url, "list-details", late)]
        shown.marks = [
            Mark(one.signed_at, "Plan signed" if one.version == 1 else "Plan changed")
            for one in view.versions
        ]
        standing = standing_row(view.standing, "The whole plan")
    if plan is None and not diagnoses and not taken and not withheld:
        return shown
    shown.cards = [
        Card(
            "clinical/chart/_plan.html",
            {
                "url": url, "plan": plan, "standing": standing if plan else None,
                "goals": counted if plan else [], "diagnoses": diagnoses, "withheld": withheld,
                "medications": taken, "review": view.due_at if plan else None,
            },
        )
    ]  # fmt: skip
    return shown


def register_added() -> None:
    """Add them; called once, at start."""
    register(Part("notes", overview=_notes))
    register(Part("plan", overview=_plan))
