"""What notes and the plan add to a chart's overview; their queries read, nothing is decided here."""

from __future__ import annotations

from django.urls import reverse

from clinical.chart.parts import Card, Line, Look, Mark, Part, Shown, register
from clinical.notes.queries import own_drafts
from clinical.plans.diagnoses.queries import diagnoses_of
from clinical.plans.labels import shut_by
from clinical.plans.medications.queries import medications_of
from clinical.plans.queries import open_plan, plan_view
from clinical.plans.showing import goal_row, standing_row

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
    patient = look.patient
    shut = shut_by(look.context.actor.person.pk, look.standing)
    plan = open_plan(patient)
    diagnoses, withheld = shut.open_of(one for one in diagnoses_of(patient) if one.status != "ruled_out")
    taken, taken_withheld = shut.open_of(one for one in medications_of(patient) if one.status == "active")
    look.context.open(taken)
    shown = Shown()
    url = reverse("clinical:plan", args=[patient.pk])
    if plan is not None:
        view = plan_view(look.context, patient, plan, look.at)
        goals = [goal_row(one, patient.pk, shut) for one in view.goals]
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
    if plan is None and not diagnoses and not taken and not withheld + taken_withheld:
        return shown
    shown.cards = [
        Card(
            "clinical/chart/_plan.html",
            {
                "url": url, "plan": plan, "standing": standing if plan else None,
                "goals": counted if plan else [], "diagnoses": diagnoses, "withheld": withheld,
                "medications": taken, "taken_withheld": taken_withheld,
                "review": view.due_at if plan else None,
            },
        )
    ]  # fmt: skip
    return shown


def register_added() -> None:
    """Add them; called once, at start."""
    register(Part("notes", overview=_notes))
    register(Part("plan", overview=_plan))
