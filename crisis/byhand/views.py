"""The door of alerts that staff raise by hand."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from cortex.access.context import KEYS_DOWN, scoped
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.audit import Actor, RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, render_part
from cortex.ui.rules import as_refusal
from crisis.alerts.access import may_see
from crisis.alerts.models import RiskAlert
from crisis.alerts.wording import LOST_NOTE
from crisis.byhand.actions import link_person, raise_for_caller, unlink_person
from crisis.byhand.forms import HandForm, LinkForm, UnlinkForm
from crisis.casework.views import form_page, refused

LINK = {"code": "link", "label": "Who this turned out to be", "submit": "Link"}
UNLINK = {"code": "unlink", "label": "Not this person", "submit": "Undo the link"}


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def alert_new(request: HttpRequest) -> HttpResponse:
    """Raise an alert by hand, for somebody on record or for a person who is not yet."""
    form, status = HandForm(request.POST or None), 0
    if request.method == "POST" and form.is_valid():
        try:
            alert = raise_for_caller(actor=actor_of(request), **form.cleaned_data)
        except (RuleBroken, *KEYS_DOWN) as error:
            broken = as_refusal(error)
            if broken.status not in (422, 503):
                raise
            form.add_error(broken.extra.get("field"), broken.message)
            status = broken.status
        else:
            if alert.note_lost:
                messages.warning(request, LOST_NOTE)
            return go_to(request, _after_raising(request, alert))
    page, part = "crisis/alerts/new.html", "crisis/alerts/_new_form.html"
    return render_part(request, page, part, {"form": form}, status=status or (422 if form.errors else 200))


def _after_raising(request: HttpRequest, alert: RiskAlert) -> str:
    """Lead to the alert's page; somebody off shift, to whom it is closed, is told that the desk has it."""
    if _sees(actor_of(request), alert):
        return reverse("crisis:alert_page", args=[alert.pk])
    messages.success(request, "The alert is raised and the desk has been told.")
    return reverse("crisis:my_cases")


def _sees(actor: Actor, alert: RiskAlert) -> bool:
    with scoped(actor):
        return may_see(actor.person, alert, clock())


@requires(*DESK_ROLES)
@require_POST
def alert_link(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Link the provisional person of an alert to somebody on record."""
    form = LinkForm(request.POST, auto_id="link_%s")
    broken: RuleBroken | None = None
    if form.is_valid():
        try:
            alert = link_person(
                actor=actor_of(request),
                alert_id=alert_id,
                pseudonym=form.cleaned_data["pseudonym"].strip().upper(),
                reason=form.cleaned_data["reason"],
            )
        except (RuleBroken, *KEYS_DOWN) as error:
            form, broken = refused(request, form, error)
        else:
            return go_to(request, reverse("crisis:alert_page", args=[alert.pk]))
    address = reverse("crisis:alert_link", args=[alert_id])
    return _again(request, alert_id, form, broken, LINK | {"url": address})


@requires(*DESK_ROLES)
@require_POST
def alert_unlink(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Take back who the person of an alert was said to be."""
    form = UnlinkForm(request.POST, auto_id="unlink_%s")
    actor = actor_of(request)
    broken: RuleBroken | None = None
    if form.is_valid():
        try:
            alert = unlink_person(actor=actor, alert_id=alert_id, reason=form.cleaned_data["reason"])
        except (RuleBroken, *KEYS_DOWN) as error:
            form, broken = refused(request, form, error)
        else:
            stays = _sees(actor, alert)
            page = reverse("crisis:alert_page", args=[alert_id]) if stays else reverse("crisis:board")
            return go_to(request, page)
    address = reverse("crisis:alert_unlink", args=[alert_id])
    return _again(request, alert_id, form, broken, UNLINK | {"url": address})


def _again(
    request: HttpRequest, alert_id: UUID, form: Form, broken: RuleBroken | None, action: dict[str, str]
) -> HttpResponse:
    """Give a form back with what was typed and why it was refused."""
    return form_page(request, alert_id, lambda alert, beside: action, form, broken)
