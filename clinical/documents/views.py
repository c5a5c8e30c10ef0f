"""Doors of a chart's documents: the list, bringing one, its page, its bytes, its labels, an error."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.chart.banner import shown as banner
from clinical.documents import actions, queries
from clinical.documents.formats import TAKES
from clinical.documents.forms import ErrorForm, LabelForm, UploadForm
from clinical.documents.models import Document, DocumentKind
from clinical.documents.showing import download, row_of
from clinical.documents.wording import size_words
from cortex.access.context import KEYS_DOWN, AccessContext, reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from cortex.ui.rules import given_back
from patients.registry.access import CHART

LABEL = "clinical.Document"


def _saw(context: AccessContext, row: Document, *sections: str) -> None:
    context.saw(
        "document", subjects=[row.patient_id], object_type=LABEL, object_id=row.pk,
        sections=[row.kind, *sections],
    )  # fmt: skip


@requires(*DESK_ROLES)
@require_GET
def document_list(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """A person's documents, the newest first; what labels shut is counted, never named."""
    actor, at = actor_of(request), clock()
    kind = request.GET.get("kind", "")
    kind = kind if kind in DocumentKind.values else ""
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, patient_id, at)
        found = queries.listed(who, kind)
        context.open(found.documents, ["title"])
        context.saw("documents", subjects=[who.patient.pk], object_type=LABEL)
        shown = banner(context, who.patient, at, tab="documents") | {
            "rows": [row_of(one, who.user.pk) for one in found.documents],
            "withheld": found.withheld, "is_cut": found.is_cut, "kind": kind, "kinds": DocumentKind.choices,
        }  # fmt: skip
        return render(request, "clinical/documents/list.html", shown)


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def document_new(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Bring a file; what was typed comes back when it is refused."""
    actor, status, conflict = actor_of(request), 200, None
    form = UploadForm(auto_id="d_%s")
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES, auto_id="d_%s")
        status = 422 if form.errors else 200
        if form.is_valid():
            try:
                actions.upload_document(actor=actor, patient_id=patient_id, **form.document())
            except (RuleBroken, *KEYS_DOWN) as error:
                status, conflict = given_back(request, form, error)
            else:
                return go_to(request, reverse("clinical:documents", args=[patient_id]))
    at = clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, patient_id, at)
        context.saw("documents", subjects=[who.patient.pk], object_type=LABEL, sections=["new"])
        most = queries.most_bytes(who.patient.organization)
        shown = banner(context, who.patient, at, tab="documents") | {
            "form": form, "conflict": conflict, "most": most, "most_words": size_words(most), "takes": TAKES,
        }  # fmt: skip
        return render(request, "clinical/documents/new.html", shown, status=status)


@requires(*DESK_ROLES)
@require_GET
def document_page(request: HttpRequest, patient_id: UUID, document_id: UUID) -> HttpResponse:
    """What is known of one document, and what its reader may do with it."""
    return _page(request, patient_id, document_id)


def _page(
    request: HttpRequest, patient_id: UUID, document_id: UUID, form: ErrorForm | None = None,
    status: int = 200, conflict: Any = None,
) -> HttpResponse:  # fmt: skip
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, patient_id, at)
        row = queries.document(who, document_id)
        context.open([row], ["title", "error_reason"])
        _saw(context, row)
        label_form = LabelForm(initial={"labels": row.sensitivity_labels}, auto_id="l_%s")
        shown = banner(context, who.patient, at, tab="documents") | {
            "document": row, "row": row_of(row, who.user.pk), "conflict": conflict,
            "form": None if row.is_in_error else form or ErrorForm(auto_id="e_%s"),
            "label_form": label_form if row.uploaded_by_id == who.user.pk else None,
        }  # fmt: skip
        return render(request, "clinical/documents/page.html", shown, status=status)


@requires(*DESK_ROLES)
@require_GET
def document_file(request: HttpRequest, patient_id: UUID, document_id: UUID) -> HttpResponse:
    """A document's bytes, whole: a piece that doesn't open refuses all of it before any byte leaves."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        row = queries.document(queries.reader(actor, patient_id, at), document_id)
        data = queries.opened(context, row)
        context.open([row], ["title"])
        _saw(context, row, "download")
        return download(row, data)


@requires(*DESK_ROLES)
@require_POST
def document_error(request: HttpRequest, patient_id: UUID, document_id: UUID) -> HttpResponse:
    """Say that a document was entered in error."""
    form = ErrorForm(request.POST, auto_id="e_%s")
    if not form.is_valid():
        return _page(request, patient_id, document_id, form, 422)
    reason = form.cleaned_data["reason"].replace("\r\n", "\n")
    try:
        actions.mark_error(
            actor=actor_of(request), patient_id=patient_id, document_id=document_id, reason=reason
        )
    except (RuleBroken, *KEYS_DOWN) as error:
        return _page(request, patient_id, document_id, form, *given_back(request, form, error))
    return go_to(request, reverse("clinical:document_page", args=[patient_id, document_id]))


@requires(*DESK_ROLES)
@require_POST
def document_label(request: HttpRequest, patient_id: UUID, document_id: UUID) -> HttpResponse:
    """Set the labels of a document that one brought."""
    labels = request.POST.getlist("labels")
    actions.label_document(
        actor=actor_of(request), patient_id=patient_id, document_id=document_id, labels=labels
    )
    return go_to(request, reverse("clinical:document_page", args=[patient_id, document_id]))
