"""Doors of the review of emotions: the queue over one's own people, a verdict, and its undo."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from clinical.sessions.emotions import actions, queries
from clinical.sessions.showing import emotion_row
from cortex.access.context import reading
from cortex.access.declare import requires
from cortex.accounts.models import Role
from cortex.audit import InputRefused, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, page_of
from patients.registry.access import CHART
from patients.registry.queries import IDENTITY, full_name

THERAPISTS = (Role.THERAPIST, Role.PSYCHIATRIST)
NAMES = IDENTITY[:3]


@requires(*THERAPISTS)
@require_GET
def emotions(request: HttpRequest) -> HttpResponse:
    """What machines flagged about one's own people and nobody has looked at, newest first."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        people = queries.own_people(actor.person, at)
        page = page_of(queries.waiting(people, at), request.GET.get("page"))
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
            return row | {"name": full_name(patient) or patient.anonymous_id, "url": where}

        return render(
            request, "clinical/sessions/emotions.html",
            {"page": page, "rows": [line(one) for one in page.object_list],
             "done": [line(one) for one in done], "tallies": queries.tallies(people, at), "query": "",
             "withheld": queries.withheld(people, page.paginator.count, at)},
        )  # fmt: skip


@requires(*THERAPISTS)
@require_POST
def emotion_review(request: HttpRequest, patient_id: UUID, observation_id: UUID) -> HttpResponse:
    """Confirm, correct or reject one reading."""
    actions.review_emotion(
        actor=actor_of(request), patient_id=patient_id, observation_id=observation_id,
        verdict=request.POST.get("verdict", ""), label=request.POST.get("label", "")[:16],
    )  # fmt: skip
    return go_to(request, _back(request, patient_id))


@requires(*THERAPISTS)
@require_POST
def emotion_undo(request: HttpRequest, patient_id: UUID, observation_id: UUID) -> HttpResponse:
    """Take one's own verdict back."""
    actions.take_back_review(actor=actor_of(request), patient_id=patient_id, observation_id=observation_id)
    return go_to(request, _back(request, patient_id))


def _back(request: HttpRequest, patient_id: UUID) -> str:
    """Return the page that the form stood on: a session's, with the part of its list, else the queue."""
    asked, number = request.POST.get("session", ""), request.POST.get("page", "")
    if not asked:
        return reverse("clinical:emotions")
    part = f"?emotions={number}" if number.isdecimal() and number.isascii() and len(number) < 6 else ""
    try:
        return f"{reverse('clinical:session', args=[patient_id, UUID(asked)])}{part}#emotions"
    except ValueError:
        raise InputRefused("There is no such session.", "not_a_session", field="session") from None
