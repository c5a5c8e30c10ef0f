"""The door through which an alert's owner opens emergency contacts without consent."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from cortex.access.context import KEYS_DOWN
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.audit import RuleBroken, actor_of
from cortex.ui.pages import go_to
from crisis.casework.views import form_page, refused
from crisis.exceptions.actions import open_contacts
from crisis.exceptions.forms import ExceptionForm

OPEN = {"code": "contacts", "label": "Open the emergency contacts", "submit": "Open them for 4 hours"}


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def alert_contacts(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Ask what the danger is; POST opens the contacts, and goes back to the alert, where they stand."""
    form = ExceptionForm(request.POST if request.method == "POST" else None, auto_id="contacts_%s")
    broken: RuleBroken | None = None
    page = reverse("crisis:alert_page", args=[alert_id])
    if form.is_bound and form.is_valid():
        try:
            open_contacts(actor=actor_of(request), alert_id=alert_id, reason=form.cleaned_data["reason"])
        except (RuleBroken, *KEYS_DOWN) as error:
            form, broken = refused(request, form, error)
        else:
            messages.success(request, "The contacts are open to you for 4 hours. A supervisor was told.")
            return go_to(request, page)
    action = OPEN | {"url": reverse("crisis:alert_contacts", args=[alert_id])}
    return form_page(request, alert_id, lambda alert, beside: action, form, broken)
