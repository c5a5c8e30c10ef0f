"""Doors of billing: the list, its file, and what is done with a line."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from clinical.scheduling.billing import actions, queries
from clinical.scheduling.billing.forms import BillForm, FilterForm
from clinical.scheduling.billing.sheets import sheet
from clinical.scheduling.billing.showing import HEAD, file_rows, line_row
from clinical.scheduling.views import THERAPISTS, appointment_page
from cortex.access.context import reading
from cortex.access.declare import requires
from cortex.accounts.models import Role
from cortex.accounts.signin.recent import ask_again_unless_recent
from cortex.audit import RuleBroken, actor_of
from cortex.ui.pages import go_to, page_of

BILLERS = (*THERAPISTS, Role.ADMIN)


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
        return render(
            request, "clinical/scheduling/billing.html",
            {"page": page, "form": form, "query": urlencode(kept), "kept": kept,
             "is_office": actor.role == Role.ADMIN, "message": error.message if error else ""},
            status=status,
        )  # fmt: skip


@requires(*BILLERS)
@require_POST
def billing_export(request: HttpRequest) -> HttpResponse:
    """The confirmed lines of a choice as a CSV that no spreadsheet computes, after password or factor.

    The export is on record.
    """
    ask_again_unless_recent(request)
    actor, wanted = actor_of(request), FilterForm(request.POST).wanted()
    try:
        rows = actions.export_lines(actor=actor, wanted=wanted)
    except RuleBroken as error:
        return _list(request, error, error.status)
    with reading(actor, purpose="billing") as context:
        people = sorted({one.patient_id for one in rows})
        context.saw("billing_export", subjects=people, object_type="clinical.BillingLine")
        name = f"billing-{timezone.localdate():%Y-%m-%d}.csv"
        return HttpResponse(
            sheet(HEAD, file_rows(rows)), content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )  # fmt: skip


@requires(*BILLERS)
@require_POST
def line_confirm(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Say that a proposed line is right."""
    actions.confirm_line(actor=actor_of(request), line_id=line_id)
    return go_to(request, _back(request))


@requires(*BILLERS)
@require_POST
def line_void(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Take a line out."""
    actions.void_line(actor=actor_of(request), line_id=line_id)
    return go_to(request, _back(request))


def _back(request: HttpRequest) -> str:
    page = reverse("clinical:billing")
    kept = {name: request.POST.get(name, "") for name in (*FilterForm.base_fields, "page")}
    query = urlencode({name: value[:16] for name, value in kept.items() if value})
    return f"{page}?{query}" if query else page


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
