"""What notes and the plan add to a chart's overview; their queries read, nothing is decided here."""

from __future__ import annotations

from typing import cast

from django.urls import reverse

from clinical.chart.news.queries import Sight, last_note, next_contact, notes_signed
from clinical.chart.news.showing import (
    contact_line,
    diagnosis_lines,
    is_touched,
    last_note_line,
    medication_lines,
    note_lines,
    version_lines,
)
from clinical.chart.parts import Card, Line, Look, Mark, Part, Shown, register
from clinical.notes.models import Note
from clinical.notes.queries import own_drafts
from clinical.plans.diagnoses.models import Diagnosis
from clinical.plans.diagnoses.queries import diagnoses_of
from clinical.plans.labels import shut_by
from clinical.plans.medications.models import Medication
from clinical.plans.medications.queries import medications_of
from clinical.plans.queries import open_plan, plan_view
from clinical.plans.showing import goal_row, standing_row
from clinical.plans.wording import version_words
from cortex.ui.zone import zone_of
from patients.care.queries import is_supervised_by
from patients.registry.queries import local_day

MOST_GOALS = 4


def _sight(look: Look) -> Sight:
    """Return which labelled rows the reader sees, as `notes.queries.reader` asks it, of what is known."""
    if "sight" not in look.found:
        user, (relation, part2) = look.context.actor.person, look.standing
        look.found["sight"] = Sight(user.pk, relation, part2, is_supervised_by(user, look.team))
    return cast(Sight, look.found["sight"])


def _notes(look: Look) -> Shown:
    """What colleagues signed, the next contact that a note gives, and the reader's own that wait for them."""
    sight = _sight(look)
    agreed, due = _contact(look, next_contact(look.ids, sight))
    return Shown(
        changes=list(note_lines(notes_signed(look.ids, sight, look.since or look.at, look.at))),
        agreed=agreed,
        due=due
        + [
            Line(
                f"Sign your note ({one.get_note_type_display()})", one.created_at,
                url=reverse("clinical:note_edit", args=[one.patient_id, one.pk]), icon="notes",
            )
            for one in own_drafts(look.context.actor.person, look.ids)
        ],
    )  # fmt: skip


def _contact(look: Look, note: Note | None) -> tuple[list[Line], list[Line]]:
    """Return what the next contact (domain 6.2) adds: to what is agreed, once its day is over to what is due.

    A date that is over says nothing any more once somebody met the person on a later day than the note's.
    """
    if note is None or note.follow_up_on is None:
        return [], []
    zone = zone_of(look.patient.zone())
    is_over = note.follow_up_on < look.at.astimezone(zone).date()
    written = note.occurred_at.astimezone(zone).date()
    if is_over and look.met_at is not None and look.met_at.astimezone(zone).date() > written:
        return [], []
    line = contact_line(note, zone, late=is_over)
    return ([], [line]) if is_over else ([line], [])


def _plan(look: Look) -> Shown:
    """Open goals with their pace, what is diagnosed and taken, when the plan is reviewed, what changed."""
    patient = look.patient
    shut = shut_by(look.context.actor.person.pk, look.standing)
    plan = open_plan(patient, look.ids)
    diagnosed, prescribed = diagnoses_of(patient, look.ids), medications_of(patient, look.ids)
    diagnoses, withheld = shut.open_of(one for one in diagnosed if one.status != "ruled_out")
    today = local_day(patient, look.at)
    running = [one for one in prescribed if one.status == "active" and not one.is_over(today)]
    taken, taken_withheld = shut.open_of(running)
    look.context.open(taken)
    shown = Shown(changes=_changed(look, shut.open_of(diagnosed)[0], shut.open_of(prescribed)[0]))
    url = reverse("clinical:plan", args=[patient.pk])
    if plan is not None:
        view = plan_view(look.context, patient, plan, look.at, list(look.team))
        goals = [goal_row(one, patient.pk, shut) for one in view.goals]
        counted = [one for one in goals if one["counts"]]
        shown.agreed = [
            Line(one["specific"], None, url, "target", detail=one["standing"]["words"])
            for one in counted[:MOST_GOALS]
        ]
        if view.due_at is not None:
            late = view.due_at <= look.at
            shown.due = [Line("Review the plan", view.due_at, url, "list-details", late)]
        shown.marks = [Mark(one.signed_at, version_words(one.version)) for one in view.versions]
        shown.changes += version_lines(view.versions) if look.since else ()
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


def _changed(look: Look, diagnoses: list[Diagnosis], medications: list[Medication]) -> list[Line]:
    """Return what was begun, changed or ended of what the page has read; names of medications open for it."""
    if look.since is None:
        return []
    url = reverse("clinical:plan", args=[look.patient.pk])
    touched = [one for one in medications if is_touched(one, look.since)]
    look.context.open(touched, ("name", "dose"))
    found = [one for one in diagnoses if is_touched(one, look.since)]
    return [*medication_lines(touched, look.since, url), *diagnosis_lines(found, look.since, url)]


def _last_note(look: Look) -> Shown:
    """The way to what the last note agreed, behind the goals."""
    note = last_note(look.ids, _sight(look))
    return Shown(agreed=[last_note_line(note, zone_of(look.patient.zone()))] if note else [])


def register_added() -> None:
    """Add them; called once, at start."""
    register(Part("notes", overview=_notes))
    register(Part("plan", overview=_plan))
    register(Part("last_note", overview=_last_note))
