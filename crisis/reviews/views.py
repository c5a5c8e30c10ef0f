"""Doors of review items: the list, one item, and marking it as done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from cortex.access.context import KEYS_DOWN, AccessContext, reading, scoped
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Role
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, page_of, render_part
from cortex.ui.rules import given_back
from crisis.decisions.actions import finish_risk_review
from crisis.desk.queries import review_page, review_row, subjects_of
from crisis.duty.queries import READERS, desk_organizations
from crisis.reviews import actions, queries
from crisis.reviews.forms import FirstContactForm, PaperDoneForm, ReviewDoneForm, RiskLookForm, RiskReviewForm
from crisis.reviews.models import FIRST_CONTACT, OF_NOBODY, PAPERS, RISK_REVIEWS
from crisis.reviews.places import places
from crisis.risk.queries import model_counts, model_readings
from crisis.stepdown import queries as step_downs
from crisis.stepdown.showing import waiting_row
from patients.registry.access import CHART, may_view
from patients.registry.models import Patient
from patients.registry.queries import NAMES, full_name

TEXT_MODEL_SPAN = timedelta(days=30)


@requires(*DESK_ROLES)
@require_GET
def review_list(request: HttpRequest) -> HttpResponse:
    """The tasks that need a person but no alarm."""
    actor = actor_of(request)
    with reading(actor, purpose="review", relationship="duty") as context:
        which = "done" if request.GET.get("show") == "done" else "open"
        page = page_of(
            queries.items(actor.person, desk_organizations(actor.person), which), request.GET.get("page")
        )
        asked = step_downs.waiting_for(actor.person)
        lines = [waiting_row(one) for one in asked]
        subjects = subjects_of([*page.object_list, *asked])
        context.saw("review.list", object_type="reviews", subjects=subjects)
        page.object_list = [review_row(item) for item in page.object_list]
        tabs = [
            {"label": label, "href": f"?show={key}", "current": key == which, "count": None}
            for key, label in (("open", "To do"), ("done", "Done"))
        ]
        shown = {"page": page, "tabs": tabs, "query": f"show={which}", "asked": lines}
        return render(request, "crisis/reviews/list.html", shown)


@requires(Role.SUPERVISOR)
@require_GET
def text_model_page(request: HttpRequest) -> HttpResponse:
    """What the text model said in the last 30 days, in shadow or live, beside what the lexicon said."""
    actor = actor_of(request)
    with reading(actor, purpose="review", relationship="duty") as context:
        houses, since = desk_organizations(actor.person), clock() - TEXT_MODEL_SPAN
        page = page_of(model_readings(houses, since), request.GET.get("page"))
        context.saw("review.text_model", object_type="evidence", subjects=subjects_of(page.object_list))
        return render(
            request, "crisis/reviews/text_model.html", {"page": page, "counts": model_counts(houses, since)}
        )


@requires(*DESK_ROLES)
@require_GET
def review_detail(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """One task: what it is about and how to mark it as done."""
    return _detail(request, item_id, _form_of(request, item_id)(auto_id="done_%s"))


def _form_of(request: HttpRequest, item_id: UUID) -> type[ReviewDoneForm]:
    actor = actor_of(request)
    with scoped(actor):
        reason, _ = queries.kind_of(item_id)
    if reason == FIRST_CONTACT:
        return FirstContactForm
    if reason in PAPERS | OF_NOBODY:
        return PaperDoneForm
    if reason not in RISK_REVIEWS:
        return ReviewDoneForm
    return RiskReviewForm if actor.role in READERS else RiskLookForm


@requires(*DESK_ROLES)
@require_POST
def review_done(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Mark a task as done, with what came of it."""
    form = _form_of(request, item_id)(request.POST, auto_id="done_%s")
    if not form.is_valid():
        return _detail(request, item_id, form)
    finish = finish_risk_review if isinstance(form, RiskReviewForm) else actions.finish_item
    try:
        finish(actor=actor_of(request), item_id=item_id, **form.cleaned_data)
    except (RuleBroken, *KEYS_DOWN) as error:
        status, conflict = given_back(request, form, error)
        return _detail(request, item_id, form, status, conflict)
    return go_to(request, reverse("crisis:review_list"))


def _name(context: AccessContext, person: Patient) -> str:
    """Return the name of somebody whose chart is open to the reader."""
    context.by(CHART)
    context.open([person], NAMES)
    return full_name(person)


def _detail(
    request: HttpRequest,
    item_id: UUID,
    form: ReviewDoneForm,
    status: int = 200,
    conflict: dict[str, object] | None = None,
) -> HttpResponse:
    user = request.user
    with reading(actor_of(request), purpose="review", relationship="duty") as context:
        item = queries.item_for(user, desk_organizations(user), item_id)  # type: ignore[arg-type]
        context.saw(
            "review",
            object_type="crisis.ReviewItem",
            object_id=item_id,
            organization_id=item.organization_id,
            subjects=[item.patient_id] if item.patient_id else [],
        )
        at, person = clock(), item.patient
        shown: dict[str, Any] = {"form": form, "conflict": conflict, "places": [], "name": ""}
        shown["item"] = review_page(item, user, at)  # type: ignore[arg-type]
        if person is not None and may_view(user, person.pk, at, CHART):  # type: ignore[arg-type]
            shown |= {"places": places(context.actor, item, person, at), "name": _name(context, person)}
        if status == 200 and form.is_bound and form.errors:
            status = 422
        return render_part(
            request, "crisis/reviews/detail.html", "crisis/reviews/_done.html", shown, status=status
        )
