"""Doors of the review of emotions: the queue over one's own people, a verdict, and its undo."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from clinical.sessions.emotions import actions, queries
from clinical.sessions.showing import emotion_row
from clinical.sessions.told import with_next
from clinical.sessions.views import page_of_session
from cortex.access.context import reading
from cortex.access.declare import requires
from cortex.accounts.models import Role
from cortex.audit import InputRefused, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, page_of
from patients.registry.access import CHART
from patients.registry.queries import NAMES, named

THERAPISTS = (Role.THERAPIST, Role.PSYCHIATRIST)


@requires(*THERAPISTS)
@require_GET
def emotions(request: HttpRequest) -> HttpResponse:
    """What machines flagged about one's own people and nobody has looked at, newest first."""
    return _queue(request, request.GET.get("page"))


def _queue(request: HttpRequest, number: str | None, refused: dict[str, Any] | None = None) -> HttpResponse:
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        people = queries.own_people(actor.person, at)
        page = page_of(queries.waiting(people, at), number)
        done = queries.reviewed_lately(people, at - actions.UNDO_WITHIN, at)
        shown = [*page.object_list, *done]
        owners = {one.patient_id: one.patient for one in shown}
        context.open(owners.values(), NAMES)
        context.saw("emotion_review", subjects=list(owners), object_type="patients.EmotionObservation")

        def line(one: object) -> dict[str, object]:
            row = emotion_row(one, actor.person.pk, at)  # type: ignore[arg-type]
            patient = owners[row["patient_id"]]
            session_id = one.session_id  # type: ignore[attr-defined]
            place = ("session", [patient.pk, session_id]) if session_id else ("chart", [patient.pk])
            where = reverse(f"clinical:{place[0]}", args=place[1])
            return row | named(patient)._asdict() | {"url": where}

        return render(
            request, "clinical/sessions/emotions.html",
            {"page": page, "rows": with_next([line(one) for one in page.object_list]), "refused": refused,
             "done": [line(one) for one in done], "tallies": queries.tallies(people, at), "query": "",
             "withheld": queries.withheld(people, page.paginator.count, at)},
            status=422 if refused else 200,
        )  # fmt: skip


@requires(*THERAPISTS)
@require_POST
def emotion_review(request: HttpRequest, patient_id: UUID, observation_id: UUID) -> HttpResponse:
    """Confirm, correct or reject one reading; a correction that names none comes back in its row."""
    label = request.POST.get("label", "")[:16]
    try:
        actions.review_emotion(
            actor=actor_of(request), patient_id=patient_id, observation_id=observation_id,
            verdict=request.POST.get("verdict", ""), label=label,
        )  # fmt: skip
    except InputRefused as error:
        if error.extra.get("field") != "label":
            raise
        refused = {"id": observation_id, "message": error.message, "label": label}
        session_id = _id(request.POST.get("session", ""))
        if session_id is None:
            return _queue(request, request.POST.get("page"), refused)
        return page_of_session(request, patient_id, session_id, 422, refused=refused)
    return go_to(request, _back(request, patient_id))


@requires(*THERAPISTS)
@require_POST
def emotion_undo(request: HttpRequest, patient_id: UUID, observation_id: UUID) -> HttpResponse:
    """Take one's own verdict back."""
    actions.take_back_review(actor=actor_of(request), patient_id=patient_id, observation_id=observation_id)
    return go_to(request, _back(request, patient_id, observation_id))


def _back(request: HttpRequest, patient_id: UUID, following: UUID | None = None) -> str:
    """Return the page that the form stood on: a session's, with the part of its list, else the queue.

    It opens at the reading that waits next (`following`, or as the form says), where a keyboard goes on.
    """
    asked, number = request.POST.get("session", ""), request.POST.get("page", "")
    is_number = number.isdecimal() and number.isascii() and len(number) < 6
    following = following or _id(request.POST.get("next", ""))
    if not asked:
        part = f"?page={number}" if is_number else ""
        return f"{reverse('clinical:emotions')}{part}#{f'v-{following}' if following else 'wt'}"
    session_id = _id(asked)
    if session_id is None:
        raise InputRefused("There is no such session.", "not_a_session", field="session")
    part = f"?emotions={number}" if is_number else ""
    place = f"v-{following}" if following else "emotions"
    return f"{reverse('clinical:session', args=[patient_id, session_id])}{part}#{place}"


def _id(text: str) -> UUID | None:
    """Return the id that a form named, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None
