"""The door of a decision on a welfare check: what a supervisor looks at; POST is their decision."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from cortex.access.context import KEYS_DOWN, reading
from cortex.access.declare import requires
from cortex.accounts.choices import Role
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from cortex.ui.rules import given_back
from crisis.welfare import actions, queries, showing
from crisis.welfare.forms import DecideForm

LABEL = "crisis.ReviewItem"
SAID = {
    "send": "Written down. Ringing back is a task of yours.",
    "dont_send": "Written down: none is sent.",
    "try_again": "Written down. Where nobody reaches them by then, you are asked once more.",
}
# Nobody is asked again by a clock of its own: the alert has its owner's, and asks before it ends.
ALERT_GOES_ON = "Written down. The alert stays open: its owner goes on, and asks you again before it ends."


@requires(Role.SUPERVISOR)
@require_http_methods(["GET", "POST"])
def welfare_check(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Whom no try reached, what was tried, and the form of the decision."""
    form = DecideForm(request.POST if request.method == "POST" else None, auto_id="welfare_%s")
    status, conflict = 422 if form.errors else 200, None
    if form.is_bound and form.is_valid():
        verdict = form.verdict()
        try:
            made = actions.decide_welfare_check(actor=actor_of(request), item_id=item_id, verdict=verdict)
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            is_alert = verdict.decision == "try_again" and made.item.source_type == "alert"
            messages.success(request, ALERT_GOES_ON if is_alert else SAID[verdict.decision])
            return go_to(request, reverse("crisis:review_list"))
    return _page(request, item_id, form, status, conflict)


def _page(request: HttpRequest, item_id: UUID, form: DecideForm, status: int, conflict: Any) -> HttpResponse:
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="review") as context:
        item, row = queries.item_of(actor, item_id)
        if not item.done_at:
            found = queries.asked(context, item, row, at)
            subjects = [found.person.pk]
            shown: dict[str, Any] = showing.page(found, at)
        else:
            # Decided meanwhile: the question opens the person no more, and the words typed come back.
            subjects, shown = [row.pk], {"done_at": item.done_at, "facts": [], "tries": [], "earlier": []}
        context.saw("welfare_check", subjects=subjects, object_type=LABEL, object_id=item_id)
        shown |= {"form": form, "conflict": conflict, "pseudonym": row.anonymous_id}
        return render(request, "crisis/welfare/page.html", shown, status=status)
