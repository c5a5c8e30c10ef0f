"""Doors of an addendum: each save of it while it is written, and its signature."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from clinical.notes import queries
from clinical.notes.addenda import actions
from clinical.notes.addenda import queries as added_queries
from clinical.notes.addenda.actions import Added
from clinical.notes.addenda.forms import AddendumForm
from clinical.notes.models import ADDENDUM
from clinical.notes.showing import side_by_side
from clinical.notes.views import page_of_note, saw, version_read
from cortex.access.context import KEYS_DOWN, reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.signin.recent import ask_again_unless_recent, is_recent
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, is_partial
from cortex.ui.rules import context_of, given_back
from cortex.ui.saving import refused_json, saved_json
from patients.registry.access import CHART

SIGNED = "It was signed already, as it stands here. Open the note anew."


@requires(*DESK_ROLES)
@require_POST
def note_addendum(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """Keep what is added. A script hears JSON, or 409 with both texts side by side; a form goes on.

    Unless the form says `keep`, its text is signed at once when the password was given just now; if not, it
    is kept already, and a page without a form asks for the signature. `away` puts it away as it stands.
    """
    where: dict[str, Any] = {"actor": actor_of(request), "patient_id": patient_id, "note_id": note_id}
    if "away" in request.POST:
        actions.write_addendum(**where, text="", version=None)
        return _go_back(request, patient_id, note_id)
    form = AddendumForm(request.POST)
    signs = not is_partial(request) and "keep" not in request.POST
    if form.is_valid() and signs and not form.typed().strip():
        form.add_error("text", "Write what is to be added.")
    if form.errors:
        return _refused(request, patient_id, note_id, form, 422)
    try:
        added = actions.write_addendum(**where, **form.told())
    except (RuleBroken, *KEYS_DOWN) as error:
        return _refused(request, patient_id, note_id, form, *given_back(request, form, error))
    if added.outcome in ("conflict", "signed"):
        return _both(request, patient_id, note_id, form, added)
    if is_partial(request):
        return saved_json(added.addendum.version, added.addendum.saved_at)
    if signs and not is_recent(request):
        return go_to(request, reverse("clinical:note_addendum_sign", args=[patient_id, note_id]))
    if signs:
        actions.sign_addendum(**where, version=added.addendum.version)
    return _go_back(request, patient_id, note_id)


def _go_back(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """Lead to the note's page, or to all notes where it is shut and nothing of one's own is left there."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART):
        shows = added_queries.is_open(queries.reader(actor, patient_id, at), note_id)
    if not shows:
        return go_to(request, reverse("clinical:notes", args=[patient_id]))
    return go_to(request, reverse("clinical:note_page", args=[patient_id, note_id]) + "#addendum")


def _refused(
    request: HttpRequest, patient_id: UUID, note_id: UUID, form: AddendumForm, status: int,
    conflict: dict[str, object] | None = None,
) -> HttpResponse:  # fmt: skip
    """Give the words back with what was wrong; a script hears the sentences alone, its page has the words."""
    if is_partial(request):
        return refused_json(form, status)
    return page_of_note(request, patient_id, note_id, form, status, conflict=conflict)


def _both(
    request: HttpRequest, patient_id: UUID, note_id: UUID, form: AddendumForm, added: Added
) -> HttpResponse:
    """Show the text of this page beside the one that was saved elsewhere; both are kept already.

    What was signed meanwhile stays: saved from here, the text of this page begins another addendum. A button
    that was pressed twice signed it once.
    """
    actor, at = actor_of(request), clock()
    is_signed = added.outcome == "signed"
    newest = 0 if is_signed else added.addendum.version
    with reading(actor, purpose="treatment", permission=CHART) as context:
        queries.reader(actor, patient_id, at)
        saw(context, added.addendum, "conflict")
        theirs = queries.opened(context, added.addendum)
        both = side_by_side(ADDENDUM, {"text": form.typed()}, theirs)
        shown: dict[str, Any] = {"thing": "addendum", "is_signed": is_signed, "newest": newest, "both": both}
        is_same = is_signed and not both[0]["differs"]
        if is_partial(request) and not is_same:
            return render(request, "clinical/notes/_conflict.html", shown, status=409)
    if is_partial(request):
        return JsonResponse({"message": SIGNED}, status=422)
    if is_same:
        return _go_back(request, patient_id, note_id)
    mine = AddendumForm(initial={"text": form.typed(), "version": newest})
    return page_of_note(request, patient_id, note_id, mine, 409, **shown)


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def note_addendum_sign(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """Show one's kept addendum as it is signed; POST signs the version that was read, after the password.

    What waits for the password is the version: words never stand in a session.
    """
    if request.method == "GET":
        return page_of_note(request, patient_id, note_id, signs=True)
    ask_again_unless_recent(request, "Sign the addendum")
    try:
        actions.sign_addendum(
            actor=actor_of(request), patient_id=patient_id, note_id=note_id, version=version_read(request)
        )
    except RuleBroken as error:
        if error.status != 409:
            raise
        conflict = context_of(request, error)
        return page_of_note(request, patient_id, note_id, status=409, conflict=conflict, signs=True)
    return _go_back(request, patient_id, note_id)
