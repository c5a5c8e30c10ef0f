"""The door that sets a session's labels; its page shows them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from clinical.sessions.labelling import actions
from clinical.sessions.labelling.forms import LabelForm
from clinical.sessions.labelling.showing import note_of
from clinical.sessions.views import RUNNERS, page_of_session
from cortex.access.context import KEYS_DOWN
from cortex.access.declare import requires
from cortex.audit import RuleBroken, actor_of
from cortex.ui.pages import go_to
from cortex.ui.rules import given_back


@requires(*RUNNERS)
@require_POST
def session_label(request: HttpRequest, patient_id: UUID, session_id: UUID) -> HttpResponse:
    """Set the labels of a session; what is refused or asked comes back with what was ticked."""
    form = LabelForm(request.POST, auto_id="label_%s")
    if not form.is_valid():
        return page_of_session(request, patient_id, session_id, 422, label_form=form)
    try:
        reads = actions.label_session(
            actor=actor_of(request), patient_id=patient_id, session_id=session_id,
            labels=form.cleaned_data["labels"], seen=form.codes("seen"), told=form.codes("told"),
        )  # fmt: skip
    except (RuleBroken, *KEYS_DOWN) as error:
        status, _ = given_back(request, form, error)
        note = note_of(error)
        return page_of_session(request, patient_id, session_id, status, label_form=form, label_note=note)
    if reads:
        messages.success(request, "The labels are saved.")
        return go_to(request, reverse("clinical:session", args=[patient_id, session_id]))
    messages.success(request, "The labels are saved. That session is closed to you now.")
    return go_to(request, reverse("clinical:sessions", args=[patient_id]))
