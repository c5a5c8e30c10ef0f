"""What a plan's queries found, in the words and shapes of its pages; no query, nothing is opened here."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import date, datetime
from html import escape
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from clinical.notes.wording import label_words
from clinical.plans import schedule
from clinical.plans.doors import Look
from clinical.plans.labels import Shut
from clinical.plans.medications.models import Medication
from clinical.plans.models import PlanStatus, PlanVersion, TreatmentPlan
from clinical.plans.progress import Standing
from clinical.plans.queries import GoalView, PlanView
from clinical.plans.versions import PROTECTED
from clinical.plans.wording import (
    CONCERNS,
    INTERVENTIONS,
    OFTEN_PLAIN,
    PACES,
    number,
    pace_words,
    percent,
    waits_words,
)
from crisis.risk.queries import LevelNow
from patients.registry.queries import local_day, named

BARS = {"achieved": "pb-achieved", "at_risk": "pb-at_risk", "off_track": "pb-off_track"}
TAGS = {"achieved": "tag-ok", "on_track": "", "at_risk": "tag-warn", "off_track": "tag-high"}


def bar(standing: Standing, label: str) -> SafeString:
    """Return a bar: how far it has come, and a mark for how much of the time has passed."""
    done, passed = (standing.share or 0) * 100, standing.elapsed * 100
    words = escape(
        f"{label}: {percent(standing.share) or 'no reading'}, {percent(standing.elapsed)} of the time"
    )
    return mark_safe(  # noqa: S308 - numbers and escaped words
        f'<svg class="pbar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{words}">'
        f'<rect class="pb-all" x="0" y="2" width="100" height="6"/>'
        f'<rect class="pb-done {BARS.get(standing.pace, "")}" x="0" y="2" width="{done:.1f}" height="6"/>'
        f'<rect class="pb-now" x="{min(passed, 99.2):.1f}" y="0" width="0.8" height="10"/></svg>'
    )


def standing_row(standing: Standing, label: str) -> dict[str, Any]:
    """Return where something stands in words, with its bar."""
    return {
        "pace": PACES[standing.pace],
        "tag": TAGS.get(standing.pace, ""),
        "words": pace_words(standing.pace, standing.share, standing.elapsed),
        "percent": percent(standing.share),
        "bar": bar(standing, label),
        "known": standing.share is not None,
    }


def goal_row(view: GoalView, patient_id: Any, shut: Shut, sessions: Container[UUID] = ()) -> dict[str, Any]:
    """Return one goal as its card shows it; a diagnosis that is shut to the reader isn't named.

    Of its readings' sessions those are linked that `sessions`, the open ones, holds.
    """
    goal, state = view.goal, view.goal.status
    measured = goal.instrument.title if goal.instrument else goal.metric or ""
    way = ""
    if goal.measure_type == "numeric":
        now = f", now {number(view.current)}" if view.current is not None else ""
        way = f"{measured}: from {number(goal.baseline)} to {number(goal.target)}{now}"
    elif goal.measure_type == "frequency":
        times = f"{number(goal.target)} times in {goal.window_days} days"
        way = f"{measured}: {times}, {number(view.current or 0)} in the last {goal.window_days}"
    else:
        reached = sum(one.observed_on is not None for one in view.milestones)
        way = f"{reached} of {len(view.milestones)} milestones"
    serves = []
    if goal.diagnosis is not None:
        serves = [goal.diagnosis.title if shut.opens(goal.diagnosis) else PROTECTED]
    return {
        "id": goal.pk,
        "specific": goal.specific,
        "way": way,
        "seen": view.current_at,
        "measure": goal.instrument.key if goal.instrument else "",
        "type": goal.measure_type,
        "achievable": goal.achievable_note,
        "serves": [*serves, *(CONCERNS[one] for one in goal.concerns)],
        "due": goal.due_date,
        "weight": goal.weight,
        "status": goal.get_status_display(),
        "state": state,
        "open": state in ("proposed", "active", "achieved", "partially_achieved"),
        "counts": state in ("active", "achieved"),
        "standing": standing_row(view.standing, "Progress"),
        "milestones": [
            {"id": one.pk, "title": one.title, "weight": one.weight, "on": one.observed_on}
            for one in view.milestones
        ],
        "readings": [
            {"id": one.pk, "value": number(one.value), "on": one.observed_on, "note": one.note,
             "by": one.recorded_by.full_name if one.recorded_by else "", "kind": one.kind,
             "session": reverse("clinical:session", args=[patient_id, one.session_id])
             if one.session_id in sessions else ""}
            for one in view.readings[:8]
        ],
        "url": reverse("clinical:goal_progress", args=[patient_id, goal.pk]),
    }  # fmt: skip


def plan_page(found: Look, view: PlanView | None) -> dict[str, Any]:
    """Return the plan as its page shows it; without one, nothing of it."""
    if view is None:
        return {"view": None}
    plan, names = view.plan, {one.goal.pk: one.goal.specific for one in view.goals}
    newest = view.versions[0] if view.versions else None
    due = view.due_at if plan.status in ("active", "on_hold") else None
    rows = [goal_row(one, found.patient.pk, found.shut) for one in view.goals]
    running = {one.code for one in view.interventions if one.ended_on is None}
    today = local_day(found.patient, found.at)
    return {
        "view": {
            "standing": standing_row(view.standing, "The plan"),
            "status": plan.get_status_display(),
            "goals": [one for one in rows if one["state"] != "cancelled"],
            "cancelled": [one for one in rows if one["state"] == "cancelled"],
            "interventions": [
                {
                    "id": one.pk, "title": one.get_code_display(), "often": one.get_frequency_display(),
                    "planned": one.sessions_planned, "held": one.sessions_held,
                    "today": one.held_that_day if one.held_on == today else 0, "by_hand": one.by_hand,
                    "evidence": one.evidence_level, "note": one.note, "over": one.ended_on,
                    "may_resume": one.ended_on is not None and one.code not in running,
                    "goals": [names[key] for key in one.goals if key in names],
                }
                for one in view.interventions
            ],
            "signed": newest,
            "versions": [{"row": one, "agreed": view.agreed.get(one.version)} for one in view.versions],
            "agreed": view.agreed.get(newest.version) if newest else None,
            "needs_approval": view.needs_approval,
            "given_back": view.approval if view.approval and not view.approval.approved else None,
            "approval": view.approval,
            "reviews": [review_row(one) for one in view.reviews],
            "due": due,
            "late": due is not None and due <= found.at,
            "supervisor": due is not None and schedule.is_supervisors(due, found.at),
            "is_changed": bool(plan.signed_version and not plan.is_signed),
        },
        "team": [
            {"name": one.user.full_name if one.user else "Without an account", "role": one.get_role_display()}
            for one in view.team
        ],
    }  # fmt: skip


def means_safety(
    prescribed: Iterable[Medication], opened: Container[Medication], today: date
) -> dict[str, Any]:
    """Return what is taken and dangerous in overdose: those that are open, and how many labels keep back."""
    dangerous = [one for one in prescribed if one.lethal_quantity and not one.is_over(today)]
    means = [one for one in dangerous if one in opened]
    return {"means": means, "means_withheld": len(dangerous) - len(means)}


def medication_rows(rows: Iterable[Medication], today: date) -> list[dict[str, Any]]:
    """Return medications, which are opened, with what their labels are called; what is over comes last."""
    found = [
        {"row": one, "labels": label_words(one.sensitivity_labels), "over": one.is_over(today)}
        for one in rows
    ]
    return sorted(found, key=lambda one: bool(one["over"]))


def review_row(one: Any) -> dict[str, Any]:
    """Return one review that was held."""
    return {
        "at": one.held_at,
        "by": one.reviewed_by.full_name if one.reviewed_by else "",
        "decision": one.get_decision_display(),
        "percent": percent(one.progress),
        "pace": PACES.get(one.pace, ""),
        "level": one.risk_level,
        "consent": one.consent_valid,
        "view": one.patient_view,
        "summary": one.summary,
        "late": one.held_at > one.due_at,
        "due": one.due_at,
    }


def queue_row(plan: TreatmentPlan, due: datetime, at: datetime) -> dict[str, Any]:
    """Return one plan of the reviews' queue, by pseudonym: on which of the person's days it is due."""
    day, today = local_day(plan.patient, due), local_day(plan.patient, at)
    return {
        "name": plan.patient.anonymous_id,
        "day": day,
        "late": due <= at,
        "lateness": late_words((today - day).days),
        "very_late": schedule.is_supervisors(due, at),
        "by": plan.authored_by.full_name if plan.authored_by else "",
    }


def own_queue_row(
    plan: TreatmentPlan, due: datetime, at: datetime, levels: Mapping[UUID, LevelNow]
) -> dict[str, Any]:
    """Return the same of somebody whom the reader treats: by name, which is opened, with level and link."""
    person = plan.patient.person_id
    return queue_row(plan, due, at) | named(plan.patient)._asdict() | {
        "url": reverse("clinical:plan", args=[plan.patient_id]),
        "level": levels[person].level if person in levels else "", "is_own": True,
    }  # fmt: skip


def late_words(days: int) -> str:
    """Return how late a review is, in whole days."""
    return f"{days} day{'' if days == 1 else 's'} late" if days > 0 else "due today"


def waiting_row(signed: PlanVersion, at: datetime) -> dict[str, Any]:
    """Return one signed version that waits for a supervisor."""
    return {
        "pseudonym": signed.patient.anonymous_id,
        "url": reverse("clinical:plan_approve", args=[signed.patient_id, signed.version]),
        "version": signed.version,
        "by": signed.signed_by.full_name if signed.signed_by else "",
        "since": signed.signed_at,
        "waits": waits_words(signed.signed_at, at),
        "in_force": signed.plan.status != PlanStatus.DRAFT,
    }


def printed(found: Look, view: PlanView, today: date) -> dict[str, Any]:
    """Return the plan in plain words for the person: no code, no level, no weight."""
    running = [one for one in view.interventions if one.runs(today)]
    return {
        "goals": [
            {"what": one.goal.specific, "how": _way_plain(one), "by": one.goal.due_date}
            for one in view.goals if one.goal.status in ("active", "proposed")
        ],
        "reached": [one.goal.specific for one in view.goals if one.goal.status == "achieved"],
        "doing": [
            {"what": INTERVENTIONS[one.code].plain, "often": OFTEN_PLAIN[one.frequency]} for one in running
        ],
        "helpers": [
            {"name": one.user.full_name, "role": one.get_role_display().lower()}
            for one in view.team if one.user is not None
        ],
        "agreed": view.plan.consented_at,
        # A day that has passed is no day to come by: who is late says so themself.
        "next": view.due_at if view.due_at and view.due_at > found.at else None,
        "is_draft": not view.plan.is_signed,
        "signed": view.versions[0].signed_at if view.versions else None,
        "until": view.plan.target_end,
    }  # fmt: skip


def _way_plain(view: GoalView) -> str:
    goal = view.goal
    if goal.measure_type == "frequency":
        return f"{goal.metric}: {number(goal.target)} times in {goal.window_days} days."
    if goal.measure_type == "numeric" and goal.instrument is None:
        return f"{goal.metric}: from {number(goal.baseline)} to {number(goal.target)}."
    if goal.measure_type == "numeric":
        return "We see how it goes by the questions that you answer."
    return "; ".join(one.title or "" for one in view.milestones).removesuffix(".") + "."
