"""Doors of billing: the list, its file, and what is done with a line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from clinical.scheduling.billing import actions, queries
from clinical.scheduling.billing.forms import BillForm, FilterForm
from clinical.scheduling.billing.sheets import sheet
from clinical.scheduling.billing.showing import HEAD, confirmed_words, file_rows, line_row
from clinical.scheduling.views import THERAPISTS, appointment_page
from cortex.access.context import reading
from cortex.access.declare import requires
from cortex.accounts.models import Role
from cortex.accounts.signin.recent import ask_again_unless_recent
from cortex.audit import NotFound, RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, page_of

BILLERS = (*THERAPISTS, Role.ADMIN)
# A page shows fewer.
MOST_AT_ONCE = 200


@requires(*BILLERS)
@require_GET
def billing(request: HttpRequest) -> HttpResponse:
    """One's own lines, or for an administrator the organization's, by pseudonym."""
    return _list(request)


def _list(request: HttpRequest, error: RuleBroken | None = None, status: int = 200) -> HttpResponse:
    actor = actor_of(request)
    sent = request.POST if request.method == "POST" else request.GET
    form = FilterForm(sent, auto_id="f_%s")
    with reading(actor, purpose="billing") as context:
        page = page_of(queries.lines(actor.person, form.wanted()), sent.get("page"))
        people = sorted({one.patient_id for one in page.object_list})
        context.saw("billing", subjects=people, object_type="clinical.BillingLine")
        page.object_list = [
            line_row(one) | {"person": one.patient.anonymous_id, "provider": one.provider.full_name}
            for one in page.object_list
        ]
        kept = {name: value for name, value in sent.items() if name in form.fields and value}
        made = _moment(request.GET.get("made", ""))
        return render(
            request, "clinical/scheduling/billing.html",
            {"page": page, "form": form, "query": urlencode(kept), "kept": kept,
             "ready": [one["id"] for one in page.object_list if one["confirmable"]],
             "warned": sum(one["proposed"] and not one["confirmable"] for one in page.object_list),
             "file_url": _file_url(kept, made) if made else "",
             "is_office": actor.role == Role.ADMIN, "message": error.message if error else ""},
            status=status,
        )  # fmt: skip


@requires(*BILLERS)
@require_POST
def billing_export(request: HttpRequest) -> HttpResponse:
    """Export the confirmed lines of a choice, after password or factor; the list then gives the file.

    The export is on record. A file in answer would leave whoever typed a password on that page.
    """
    ask_again_unless_recent(request, "Export the confirmed billing lines")
    at = clock()
    try:
        rows = actions.export_lines(actor=actor_of(request), wanted=FilterForm(request.POST).wanted(), at=at)
    except RuleBroken as error:
        return _list(request, error, error.status)
    messages.success(request, f"The file of {len(rows)} line{'s' if len(rows) != 1 else ''} is made.")
    return go_to(request, _back(request, made=at.isoformat()))


@requires(*BILLERS)
@require_GET
def billing_file(request: HttpRequest) -> HttpResponse:
    """The lines of an export as a CSV that no spreadsheet computes, after password or factor."""
    ask_again_unless_recent(request, "Download the exported billing lines")
    actor, made = actor_of(request), _moment(request.GET.get("made", ""))
    if made is None:
        raise NotFound
    with reading(actor, purpose="billing") as context:
        rows = queries.exported(actor.person, FilterForm(request.GET).wanted(), made)
        if not rows:
            raise NotFound
        people = sorted({one.patient_id for one in rows})
        context.saw("billing_export", subjects=people, object_type="clinical.BillingLine")
        name = f"billing-{timezone.localdate(made):%Y-%m-%d}.csv"
        return HttpResponse(
            sheet(HEAD, file_rows(rows)), content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )  # fmt: skip


def _moment(text: str) -> datetime | None:
    """Return the moment of an export as it stands in an address; None for anything else."""
    try:
        found = parse_datetime(text[:40])
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None


def _file_url(kept: Mapping[str, Any], made: datetime) -> str:
    return f"{reverse('clinical:billing_file')}?{urlencode({**kept, 'made': made.isoformat()})}"


@requires(*BILLERS)
@require_POST
def line_confirm(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Say that a proposed line is right."""
    actions.confirm_line(actor=actor_of(request), line_id=line_id)
    return go_to(request, _back(request))


@requires(*BILLERS)
@require_POST
def lines_confirm(request: HttpRequest) -> HttpResponse:
    """Say of the ticked lines that they are right, or of all that the page showed (`all`)."""
    chosen = request.POST.getlist("shown" if request.POST.get("all") else "line")[:MOST_AT_ONCE]
    try:
        done = actions.confirm_lines(actor=actor_of(request), line_ids=list(dict.fromkeys(map(UUID, chosen))))
    except ValueError:
        raise NotFound from None
    except RuleBroken as error:
        if error.status == 404:
            raise
        return _list(request, error, error.status)
    tell = messages.success if done.count else messages.warning
    tell(request, confirmed_words(done))
    return go_to(request, _back(request))


@requires(*BILLERS)
@require_POST
def line_void(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Take a line out."""
    actions.void_line(actor=actor_of(request), line_id=line_id)
    return go_to(request, _back(request))


def _back(request: HttpRequest, **more: str) -> str:
    """Return the list as it was narrowed, at its page and at the place of the line that was decided."""
    kept = {name: request.POST.get(name, "")[:16] for name in (*FilterForm.base_fields, "page")}
    query = urlencode({name: value for name, value in {**kept, **more}.items() if value})
    place = request.POST.get("place", "")
    at = f"#line-{place}" if place.isascii() and place.isdecimal() and len(place) < 4 else ""
    return f"{reverse('clinical:billing')}{f'?{query}' if query else ''}{at}"


@requires(*THERAPISTS)
@require_POST
def appointment_bill(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Propose what may be billed of an appointment."""
    form = BillForm(request.POST, auto_id="bill_%s")
    if not form.is_valid():
        return appointment_page(request, appointment_id, bill=form)
    try:
        actions.bill_appointment(
            actor=actor_of(request), appointment_id=appointment_id, minutes=form.cleaned_data["minutes"],
            code=form.cleaned_data["code"],
        )  # fmt: skip
    except RuleBroken as error:
        if error.status == 404:
            raise
        return appointment_page(request, appointment_id, error, bill=form)
    return go_to(request, reverse("clinical:appointment", args=[appointment_id]))
