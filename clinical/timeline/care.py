"""The sources of what a therapist writes and plans: notes, plans with their moves and goals, hours."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.timezone import localtime

from clinical.documents import queries as documents
from clinical.documents.models import Document
from clinical.notes.labels import open_to
from clinical.notes.models import Note, NoteAddendum
from clinical.plans.models import (
    Goal,
    GoalProgress,
    GoalStatus,
    PlanApproval,
    PlanVersion,
    ProgressKind,
    TreatmentPlan,
)
from clinical.plans.reviews.models import PlanReview
from clinical.plans.wording import PACES, number, percent, version_words
from clinical.scheduling.models import Appointment, Status
from clinical.scheduling.queries import HELD_ALONE
from clinical.timeline.queries import noon, window, window_of
from clinical.timeline.registry import Entry, Look, Source, register
from cortex.audit.models import AuditLog
from crisis.safetyplans.models import SafetyPlan, SafetyPlanReview
from crisis.safetyplans.wording import RETIRED
from patients.care.queries import supervised_by
from patients.registry.queries import local_day

PLAN = "list-details"
ENDS = (GoalStatus.ACHIEVED, GoalStatus.PARTIALLY_ACHIEVED, GoalStatus.CANCELLED)
# What the trail calls the end of a goal, and of a plan.
SETTLED, MOVED = ("goal.settled",), ("plan.completed", "plan.discontinued")


def _open_notes(look: Look) -> QuerySet[Note]:
    """Return the signed notes that labels leave open to the reader."""
    user, (relation, part2) = look.context.actor.person, look.stands
    cosigns = bool(supervised_by(user, look.at, look.ids))
    rows = Note.objects.filter(patient_id__in=look.ids, signed_at__isnull=False)
    return rows.filter(open_to(user.pk, relation, part2=part2, cosigns=cosigns))


def _notes(look: Look) -> list[Entry]:
    """Signed notes that labels leave open to the reader; their words stay closed, process notes stay out."""
    rows = _open_notes(look).filter(occurred_at__lte=look.at).select_related("author")
    return [
        Entry(
            "note", "notes", one.pk, one.occurred_at, f"Note: {one.get_note_type_display()}",
            detail="Waits for a co-signature." if one.waits_for_cosign else "",
            by=one.author.full_name, icon="notes",
            url=reverse("clinical:note_page", args=[one.patient_id, one.pk]),
        )
        for one in window_of(rows, "occurred_at", look, "note")
    ]  # fmt: skip


def _addenda(look: Look) -> list[Entry]:
    """Signed addenda to those notes, when they were signed; those to process notes stay out, too."""
    rows = NoteAddendum.objects.filter(note__in=_open_notes(look).values("pk"), signed_at__lte=look.at)
    rows = rows.select_related("author", "note__author").defer("text")
    return [
        Entry(
            "addendum", "notes", one.pk, one.signed_at, f"Addendum: {one.note.get_note_type_display()}",
            detail=_added_to(one), by=one.author.full_name, icon="notes",
            url=reverse("clinical:note_page", args=[one.note.patient_id, one.note_id]),
        )
        for one in window_of(rows, "signed_at", look, "addendum")
        if one.signed_at is not None
    ]  # fmt: skip


def _added_to(one: NoteAddendum) -> str:
    told = f"To the note of {localtime(one.note.occurred_at):%-d %b %Y} by {one.note.author.full_name}."
    return told + (" Waits for a co-signature." if one.waits_for_cosign else "")


def _documents(look: Look) -> list[Entry]:
    """Documents that labels leave open to the reader, when they were brought; their titles stay closed."""
    who = documents.reader_by(look.context.actor.person, look.patient, look.stands)
    rows = Document.objects.filter(patient_id__in=look.ids, uploaded_at__lte=look.at).filter(who.condition)
    return [
        Entry(
            "document", "documents", one.pk, one.uploaded_at, f"Document: {one.get_kind_display().lower()}",
            detail="Entered in error." if one.is_in_error else _came(one),
            by=one.uploaded_by.full_name, icon="file-text",
            url=reverse("clinical:document_page", args=[one.patient_id, one.pk]),
        )
        for one in window_of(rows.select_related("uploaded_by"), "uploaded_at", look, "document")
    ]  # fmt: skip


def _came(one: Document) -> str:
    return f"Came on {one.received_on:%-d %b %Y}." if one.received_on else ""


def _versions(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = PlanVersion.objects.filter(patient_id__in=ids, signed_at__lte=at)
    return rows.select_related("signed_by").defer("content")


def _plans(look: Look) -> list[Entry]:
    return [
        Entry(
            "plan", "plans", one.pk, one.signed_at,
            version_words(one.version),
            detail="Agreed with the person." if one.patient_agreed else "",
            by=one.signed_by.full_name if one.signed_by else "", icon="list-details",
            url=reverse("clinical:plan_version", args=[one.patient_id, one.plan_id, one.version]),
        )
        for one in window(_versions, "signed_at", look, "plan")
    ]  # fmt: skip


def _words_on(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = PlanApproval.objects.filter(patient_id__in=ids, decided_at__lte=at)
    return rows.select_related("plan_version", "decided_by").defer("plan_version__content", "note")


def _approvals(look: Look) -> list[Entry]:
    """A supervisor's word on a signed version; what is missing stays on the plan."""
    return [
        Entry(
            "plan_word", "plans", one.pk, one.decided_at,
            f"Plan {'approved' if one.approved else 'given back'}, version {one.plan_version.version}",
            by=one.decided_by.full_name, icon=PLAN,
            url=reverse(
                "clinical:plan_version",
                args=[one.patient_id, one.plan_version.plan_id, one.plan_version.version],
            ),
        )
        for one in window(_words_on, "decided_at", look, "plan_word")
    ]  # fmt: skip


def _held(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = PlanReview.objects.filter(patient_id__in=ids, held_at__lte=at)
    return rows.select_related("reviewed_by").defer("patient_view", "summary")


def _reviews(look: Look) -> list[Entry]:
    """Reviews of the plan with what was decided; what the person said stays on the plan's page."""
    return [
        Entry(
            "plan_review", "plans", one.pk, one.held_at,
            f"Plan reviewed: {one.get_decision_display().lower()}", detail=_review_detail(one),
            by=one.reviewed_by.full_name if one.reviewed_by else "", icon=PLAN,
            url=reverse("clinical:plan", args=[look.patient.pk]),
        )
        for one in window(_held, "held_at", look, "plan_review")
    ]  # fmt: skip


def _review_detail(one: PlanReview) -> str:
    told = [f"{PACES.get(one.pace, PACES['unknown'])}, {percent(one.progress)} of the way."]
    told = told if one.progress is not None else [f"{PACES['unknown']}."]
    told += [] if one.consent_valid else ["Consent to treatment was missing."]
    told += ["Held late."] if one.held_at > one.due_at else []
    return " ".join(told)


def _trail(verbs: tuple[str, ...], column: str) -> Subquery:
    """Return a column of the newest row of the trail about a row that ended by one of these verbs."""
    rows = AuditLog.objects.filter(object_id=OuterRef("pk"), event_type__in=verbs)
    return Subquery(rows.order_by("-id").values(column)[:1])


def _ended_plans(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = TreatmentPlan.objects.filter(patient_id__in=ids, ended_at__lte=at)
    return rows.annotate(ended_by=_trail(MOVED, "actor_label")).defer("presenting_problem", "formulation")


def _ended(look: Look) -> list[Entry]:
    """Plans that were completed or given up; a review that ends treatment names who held it."""
    return [
        Entry(
            "plan_end", "plans", one.pk, one.ended_at, f"Plan {one.get_status_display().lower()}",
            by=one.ended_by or "", icon=PLAN, url=reverse("clinical:plan", args=[look.patient.pk]),
        )
        for one in window(_ended_plans, "ended_at", look, "plan_end")
        if one.ended_at is not None
    ]  # fmt: skip


def _settled(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    # A goal keeps no time of its own at which it was settled, and changes afterwards: the trail knows it.
    rows = Goal.objects.filter(patient_id__in=ids, status__in=ENDS).annotate(
        settled_at=Coalesce(_trail(SETTLED, "occurred_at"), "updated_at"),
        settled_by=_trail(SETTLED, "actor_label"),
    )  # fmt: skip
    return rows.filter(settled_at__lte=at).defer("achievable_note", "metric")


def _goals(look: Look) -> list[Entry]:
    """Goals that were achieved, achieved in part or given up, as they stand; in what words they were set."""
    found = window(_settled, "settled_at", look, "goal_end")
    look.context.open(found, ("specific",))
    return [
        Entry(
            "goal_end", "goals", one.pk, one.settled_at,
            f"Goal {one.get_status_display().lower()}: {one.specific}", by=one.settled_by or "",
            icon="target", url=reverse("clinical:plan", args=[look.patient.pk]),
        )
        for one in found
    ]  # fmt: skip


def _set(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = Goal.objects.filter(patient_id__in=ids, created_at__lte=at)
    return rows.annotate(set_by=_trail(("goal.added",), "actor_label")).defer("achievable_note", "metric")


def _goals_set(look: Look) -> list[Entry]:
    """Goals when they were written down, in the words that they have now, whatever became of them."""
    found = window(_set, "created_at", look, "goal")
    look.context.open(found, ("specific",))
    return [
        Entry(
            "goal", "goals", one.pk, one.created_at, f"Goal set: {one.specific}",
            detail=f"To be reached by {one.due_date:%-d %b %Y}.", by=one.set_by or "", icon="target",
            url=reverse("clinical:plan", args=[look.patient.pk]),
        )
        for one in found
    ]  # fmt: skip


def _progress(look: Look) -> list[Entry]:
    """What was read, counted or reached of a goal, on its day; what was taken back is none of it.

    A measure's answers are told as the measure. The words beside a reading stay with the plan.
    """
    day = local_day(look.patient, look.at)
    rows = GoalProgress.objects.filter(patient_id__in=look.ids, observed_on__lte=day, taken_back_at=None)
    rows = rows.annotate(seen_at=noon("observed_on", look.patient.zone()))
    rows = rows.select_related("goal", "recorded_by").defer("note", "goal__achievable_note")
    found = list(window_of(rows, "seen_at", look, "goal_progress"))
    look.context.open([one.goal for one in found], ("specific", "metric"))
    look.context.open(found, ("title",))
    return [
        Entry(
            "goal_progress", "goals", one.pk, one.seen_at, f"Progress: {one.goal.specific}",
            detail=_how_far(one), by=one.recorded_by.full_name if one.recorded_by else "", icon="target",
            url=reverse("clinical:plan", args=[look.patient.pk]), is_day=True,
        )
        for one in found
    ]  # fmt: skip


def _how_far(one: GoalProgress) -> str:
    if one.kind == ProgressKind.MILESTONE:
        return f"Milestone reached: {one.title or ''}."
    times = " more" if one.kind == ProgressKind.COUNT else ""
    return f"{one.goal.metric or 'Read'}: {number(one.value)}{times}."


def _finished(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = SafetyPlan.objects.finished().filter(patient_id__in=ids, finished_at__lte=at)
    return rows.select_related("authored_by")


def _safety_plans(look: Look) -> list[Entry]:
    """Finished versions of the safety plan; their lines stay closed."""
    return [
        Entry(
            "safety", "plans", one.pk, one.finished_at,
            "Safety plan made" if one.version == 1 else f"Safety plan changed, version {one.version}",
            detail=_safety_detail(one), by=one.authored_by.full_name, icon="lifebuoy",
            url=reverse("crisis:safety_plan_version", args=[one.patient_id, one.pk]),
        )
        for one in window(_finished, "finished_at", look, "safety")
        if one.finished_at is not None
    ]  # fmt: skip


def _safety_detail(one: SafetyPlan) -> str:
    told = ["Made together with the person." if one.created_with_patient else "Made without the person."]
    told += [] if one.is_complete else ["Not complete."]
    told += [f"{RETIRED[one.retire_reason]}."] if one.retire_reason in RETIRED else []
    return " ".join(told)


def _gone_through(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = SafetyPlanReview.objects.filter(patient_id__in=ids, reviewed_at__lte=at)
    return rows.select_related("reviewed_by")


def _safety_reviews(look: Look) -> list[Entry]:
    return [
        Entry(
            "safety_review", "plans", one.pk, one.reviewed_at, "Safety plan gone through: still right",
            by=one.reviewed_by.full_name, icon="lifebuoy",
            url=reverse("crisis:safety_plan_version", args=[one.patient_id, one.plan_id]),
        )
        for one in window(_gone_through, "reviewed_at", look, "safety_review")
    ]  # fmt: skip


def _behind(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    told = HELD_ALONE | Q(status__in=(Status.NO_SHOW, Status.CANCELLED))
    rows = Appointment.objects.filter(told, patient_id__in=ids, starts_at__lte=at)
    return rows.select_related("therapist")


def _appointments(look: Look) -> list[Entry]:
    """What did not take place, and what did with no session here: a session stands by itself."""
    return [
        Entry(
            "appointment", "appointments", one.pk, one.starts_at,
            f"Appointment: {one.get_status_display().lower()}",
            detail=f"{one.get_cancel_reason_display()}." if one.cancel_reason else "",
            by=one.therapist.full_name, icon="calendar",
            url=reverse("clinical:appointment", args=[one.pk]),
        )
        for one in window(_behind, "starts_at", look, "appointment")
    ]  # fmt: skip


def register_care() -> None:
    """Add them; called once, at start."""
    register(Source("note", "notes", "Notes", _notes))
    register(Source("addendum", "notes", "Notes", _addenda))
    register(Source("document", "documents", "Documents", _documents))
    register(Source("plan", "plans", "Plans", _plans))
    register(Source("plan_word", "plans", "Plans", _approvals))
    register(Source("plan_review", "plans", "Plans", _reviews))
    register(Source("plan_end", "plans", "Plans", _ended))
    register(Source("goal", "goals", "Goals", _goals_set))
    register(Source("goal_progress", "goals", "Goals", _progress))
    register(Source("goal_end", "goals", "Goals", _goals))
    register(Source("safety", "plans", "Plans", _safety_plans))
    register(Source("safety_review", "plans", "Plans", _safety_reviews))
    register(Source("appointment", "appointments", "Appointments", _appointments))
