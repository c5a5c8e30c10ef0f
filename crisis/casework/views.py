"""Doors of one alert: its page, panel, source and commands; by-hand alerts and second readings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cortex.access.context import KEYS_DOWN, AccessContext, reading, scoped
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.limits import cover_when_idle
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, is_partial, render_part
from cortex.ui.rules import as_refusal, context_of
from crisis.alerts import queries as alert_queries
from crisis.alerts.cards import cards, counted_row, waiting_row
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import CLOSED
from crisis.alerts.wording import LOST_NOTE
from crisis.casework import commands, queries
from crisis.casework.forms import DecisionForm
from crisis.casework.queries import Look
from crisis.desk.queries import subjects_of
from crisis.desk.shifts import own_duty
from crisis.duty.queries import desk_organizations
from crisis.endings.actions import decide_review
from crisis.reviews.queries import alert_of_review

SAID = {
    "contact": "Contact logged.",
    "attempt": "Attempt logged.",
    "still_with": "Noted: you are still with them.",
    "note": "Note added.",
    "contact_end": "End of contact logged. You keep watching.",
    "escalate": "Escalated. The next step is called.",
    "resolve": "Resolved.",
    "false_alarm": "Closed as a false alarm.",
    "take_over": "It is yours now.",
    "release": "Given back to the queue.",
    "reopen": "Reopened.",
}
ENDINGS = {"resolve", "false_alarm"}
# Of so many critical alerts that wait an alert's page knows the pseudonym: its bar names three, and those
# that follow when they are claimed. The others it counts, or a night with hundreds would slow each page.
NAMED = 10


@cover_when_idle
@requires(*DESK_ROLES)
@require_GET
def alert_page(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """The alert with everything that this person may see of it; logged."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="alert_review", relationship="duty") as context:
        topics = alert_queries.desk_topics(actor.person)
        look = queries.look_at(request.user, alert_id, at)  # type: ignore[arg-type]
        shown = queries.page(context, request.user, look, at)  # type: ignore[arg-type]
        if not look.opens_person:
            _saw(context, "alert.card", look.alert)
        seen = shown["alert"]["version"]
        beside = _beside(request, context, look)
        offered = [
            commands.shown(one, look.alert, seen=seen, beside=beside)
            for one in commands.offered(request.user, look.alert)  # type: ignore[arg-type]
        ]
        waiting = alert_queries.waiting_ids(desk_organizations(actor.person))
        named = alert_queries.waiting_cards(pk for pk, _ in waiting[:NAMED])
        if others := [one for one in named if one.pk != alert_id]:
            context.saw("alert.list", object_type="waiting", subjects=subjects_of(others))
        shown |= {
            "actions": offered,
            "note_url": next((one["url"] for one in offered if one["code"] == "note"), ""),
            "beside": cards(beside),
            "server_now": at,
            "topics": topics,
            "topic": f"board:{look.alert.organization_id}",
            "muted": own_duty(actor.person, at)["muted"],
            "waiting": _waiting(waiting, named),
            "decision_form": DecisionForm(auto_id="decision_%s", initial={"seen": seen}),
        }
        return render(request, "crisis/alerts/page.html", shown)


def _waiting(waiting: Sequence[tuple[UUID, UUID]], named: Sequence[RiskAlert]) -> list[dict[str, str]]:
    """Return what waits: the most urgent with their pseudonyms, the others to be counted alone."""
    known = {one.pk: waiting_row(one) for one in named}
    return [known.get(pk) or counted_row(pk, organization) for pk, organization in waiting]


def _saw(context: AccessContext, what: str, alert: RiskAlert) -> None:
    """Note a look at what an alert says in codes, and whom it is about; a caller may be nobody on record."""
    context.saw(
        what,
        object_type="crisis.RiskAlert",
        object_id=alert.pk,
        organization_id=alert.organization_id,
        subjects=subjects_of([alert]),
    )


def _beside(request: HttpRequest, context: AccessContext, look: Look) -> list[RiskAlert]:
    """Return the person's other open alerts, so that none is left behind; logged like any list."""
    found = alert_queries.open_beside(request.user, look.alert, look.relationship)  # type: ignore[arg-type]
    if found:
        context.saw("alert.list", object_type="same_person", subjects=subjects_of(found))
    return found


@requires(*DESK_ROLES)
@require_GET
def alert_preview(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """The panel beside the board: coded evidence only."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="triage", relationship="duty") as context:
        look = queries.look_at(request.user, alert_id, at)  # type: ignore[arg-type]
        _saw(context, "alert.panel", look.alert)
        return render(
            request,
            "crisis/alerts/_preview.html",
            {"preview": queries.preview(request.user, look, at)},  # type: ignore[arg-type]
        )


@requires(*DESK_ROLES)
@require_GET
def alert_source(request: HttpRequest, alert_id: UUID, source_id: UUID) -> HttpResponse:
    """The words behind one factor, on request; logged with the reader's name."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="alert_review") as context:
        look = queries.look_at(request.user, alert_id, at)  # type: ignore[arg-type]
        shown = queries.source_message(context, request.user, look, source_id, at)  # type: ignore[arg-type]
        return render_part(request, "crisis/alerts/source.html", "crisis/alerts/_source.html", shown)


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def command(request: HttpRequest, alert_id: UUID, code: str) -> HttpResponse:
    """Run one command on an alert; 422 and 503 give the form back, 409 says who has it and what may be."""
    chosen = commands.BY_CODE[code]
    data = request.POST if request.method == "POST" else None
    about_nobody = False
    if chosen.plain is not None:
        with scoped(actor_of(request)):
            about_nobody = alert_queries.is_about_nobody(alert_id)
    form = (chosen.form_for(about_nobody) or Form)(data, auto_id=f"{code}_%s")
    broken: RuleBroken | None = None
    if request.method == "POST" and form.is_valid():
        try:
            alert = chosen.run(actor_of(request), alert_id, form.cleaned_data, form)
        except (RuleBroken, *KEYS_DOWN) as error:
            form, broken = refused(request, form, error)
        else:
            _confirm(request, code, alert)
            return go_to(request, _next(request, alert.pk))

    def drawn(alert: RiskAlert, beside: Sequence[RiskAlert]) -> dict[str, Any]:
        return commands.shown(chosen, alert, form, beside=beside)

    return form_page(request, alert_id, drawn, form, broken)


def refused(request: HttpRequest, form: Any, error: Exception) -> tuple[Any, RuleBroken]:
    """Return the form with what was typed and, where it can be mended there, why it was refused; and that.

    After `changed_since` the reader knows what came in: the form is drawn anew at its number. Any other
    conflict stands above the form: a script puts it there, and without one the page brings both. A store that
    is away stands there too, where anything could be typed.
    """
    if not form.fields and not isinstance(error, RuleBroken):
        raise error
    broken = as_refusal(error)
    if broken.code == "changed_since":
        data = form.data.copy()
        data["seen"] = broken.extra["seen"]
        form = type(form)(data, auto_id=form.auto_id)
    elif broken.status == 409 and form.fields and not is_partial(request):
        return form, broken
    elif broken.status not in (422, 503):
        raise broken
    form.add_error(broken.extra.get("field"), broken.message)
    return form, broken


def _confirm(request: HttpRequest, code: str, alert: RiskAlert) -> None:
    """Say in a sentence what was done; an ending that waits for its second reader has not taken effect."""
    said = SAID.get(code, "")
    if code in ENDINGS and alert.status not in CLOSED:
        said = "A second reader is asked. Until they decide, the alert stays open and yours."
    if said and alert.logged_beside:
        said += f" It stands on their other alerts, too: {commands.names_of(alert.logged_beside)}."
    if said:
        messages.success(request, said)
    if alert.note_lost:
        messages.warning(request, LOST_NOTE)


def _next(request: HttpRequest, alert_id: UUID) -> str:
    return (
        reverse("crisis:board")
        if request.POST.get("next") == "board"
        else reverse("crisis:alert_page", args=[alert_id])
    )


Drawn = Callable[[RiskAlert, Sequence[RiskAlert]], dict[str, Any]]


def form_page(
    request: HttpRequest, alert_id: UUID, drawn: Drawn, form: Any, broken: RuleBroken | None = None
) -> HttpResponse:
    """Answer with the form of one command, as a page or a part, and with what was typed and refused in it."""
    at, status = clock(), broken.status if broken else 200
    if not form.is_bound:
        for field in list(form.fields.values())[:1]:  # the page is this form
            field.widget.attrs["autofocus"] = True
    with reading(actor_of(request), purpose="alert_review", relationship="duty") as context:
        look = queries.look_at(request.user, alert_id, at)  # type: ignore[arg-type]
        _saw(context, "alert.card", look.alert)
        card = queries.preview(request.user, look, at)["card"]  # type: ignore[arg-type]
        form.initial = {"seen": card["version"]}
        beside = _beside(request, context, look)
        action = drawn(look.alert, beside)
        shown = {"action": action, "alert": card, "form": form, "beside": cards(beside)}
        if broken and not form.errors:
            shown["conflict"] = context_of(request, broken)
        if status == 200 and form.is_bound and form.errors:
            status = 422
        return render_part(
            request, "crisis/alerts/action_page.html", "crisis/alerts/_form.html", shown, status=status
        )


@requires(*DESK_ROLES)
@require_POST
def review_decide(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Decide as the second reader; 422 and `changed_since` give the form back with what was typed."""
    form = DecisionForm(request.POST, auto_id="decision_%s")
    broken: RuleBroken | None = None
    with scoped(actor_of(request)):
        alert_id = alert_of_review(review_id)
    if form.is_valid():
        try:
            decide_review(
                actor=actor_of(request),
                review_id=review_id,
                agreed=form.cleaned_data["agreed"] == "yes",
                note=form.cleaned_data["note"],
                seen=form.cleaned_data["seen"],
            )
        except (RuleBroken, *KEYS_DOWN) as error:
            form, broken = refused(request, form, error)
        else:
            return go_to(request, reverse("crisis:alert_page", args=[alert_id]))
    action = queries.decision(review_id)
    return form_page(request, alert_id, lambda alert, beside: action, form, broken)
