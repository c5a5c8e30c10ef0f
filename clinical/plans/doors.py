"""What the doors of plans share: who may read and write, a chart's banner, a form that keeps words."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from clinical.chart.banner import beside
from clinical.plans import queries
from clinical.plans.labels import Shut, shut_by
from clinical.plans.models import TreatmentPlan
from clinical.plans.seen import once_for, once_of
from clinical.plans.wording import FREE_WORDS
from cortex.access.context import KEYS_DOWN, AccessContext, reading
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Role
from cortex.audit import NotFound, RuleBroken, actor_of
from cortex.clock import clock
from cortex.records import version_of
from cortex.ui.pages import go_to, is_partial
from cortex.ui.rules import as_refusal, given_back, retry_of
from patients.labels.queries import standing
from patients.registry.access import BREAK_GLASS, CHART, READ_ONLY, treated
from patients.registry.models import Patient
from patients.registry.queries import PersonCard, person_card

READERS = DESK_ROLES
WRITERS = (Role.THERAPIST, Role.PSYCHIATRIST)
MOST_TOLD = 200
MOST_SEEN = 200
# What a form carries besides what is typed.
UNSAID = frozenset({"csrfmiddlewaretoken", "once", "seen", "told"})


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a person's plan: who they are, the plan that is open, when, and what labels shut of it.

    `read` is what the banner's flags have read (allergies): no section of the page reads it once more.
    """

    context: AccessContext
    patient: Patient
    person: PersonCard
    plan: TreatmentPlan | None
    head: dict[str, Any]
    at: datetime
    by_break_glass: bool = False
    shut: Shut = field(default_factory=Shut)
    read: dict[str, Any] = field(default_factory=dict)
    stamps: list[str] = field(default_factory=list)

    def shows(self, row: Any) -> None:
        """Keep as of when the form shows a row, so that its command can tell who changed it meanwhile."""
        self.stamps.append(version_of(row))

    def the_plan(self) -> TreatmentPlan:
        """Return the open plan; RuleBroken without one."""
        if self.plan is None:
            raise RuleBroken("There is no plan yet. Begin one first.", "no_plan")
        return self.plan

    def frame(self) -> dict[str, Any]:
        """Return what each page of the section shows around its own."""
        return self.head | {"tab": "plan", "plan": self.plan}


def look(context: AccessContext, request: HttpRequest, patient_id: UUID, *sections: str) -> Look:
    """Open a person's banner for a page of their plan and note the look; NotFound for a stranger."""
    actor, at = actor_of(request), clock()
    patient = treated(actor, patient_id, at)
    person = person_card(context, patient, at=at, with_contacts=False)
    plan = queries.open_plan(patient)
    context.saw(
        "plan", subjects=[patient.pk], object_type="clinical.TreatmentPlan",
        object_id=plan.pk if plan else None, sections=sections or ("plan",),
    )  # fmt: skip
    found = standing(actor.person, patient, at)
    shut = shut_by(actor.person.pk, found)
    read: dict[str, Any] = {}
    head = beside(context, patient, person, at, read)
    return Look(context, patient, person, plan, head, at, found[0] == BREAK_GLASS, shut, read)


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is one form: its title, what its button says, and what stands beside the form.

    `ask` says in words, of the person's rows with these ids, what a command asks before it goes on: the form
    comes back with it, and a button that goes on all the same (`told`).
    """

    title: str
    submit: str
    about: str = ""
    template: str = "clinical/plans/form.html"
    section: str = "plan"
    more: Callable[[Look], dict[str, Any]] = field(default=lambda _: {})
    ask: Callable[[Look, list[UUID]], str] | None = None
    asks_section: str = "plan"
    go_on: str = "Add all the same"


def edit(
    request: HttpRequest, patient_id: UUID, page: Page, make: Callable[[Look, Any], forms.Form],
    run: Callable[[dict[str, Any]], object],
) -> HttpResponse:  # fmt: skip
    """Show a form, or run its command and go back to the plan; what is refused comes back as it was typed."""
    try:
        with reading(actor_of(request), purpose="treatment", permission=CHART) as context:
            found = look(context, request, patient_id, page.section)
            if found.by_break_glass:
                raise RuleBroken(READ_ONLY, "read_only")
            form = make(found, request.POST if request.method == "POST" else None)
            shown = found.frame() | page.more(found)
    except (RuleBroken, *KEYS_DOWN) as error:
        return _words_back(request, error)
    status, conflict, question, anew = 200, None, None, False
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                question = _run(request, patient_id, page, lambda: run(form.cleaned_data))
            except (RuleBroken, *KEYS_DOWN) as error:
                status, conflict = given_back(request, form, error)
                anew = isinstance(error, RuleBroken) and error.code == "changed_meanwhile"
            else:
                if question is None:
                    return back_to_plan(request, patient_id)
                status = 409
    if anew and not form.initial:
        # It says nothing of a row but a word on what was read, which is to be given anew.
        form = make(found, None)
    shown |= {"form": form, "page": page, "conflict": conflict, "question": question}
    shown |= {
        "hidden": _hidden(request, patient_id, found, anew=anew),
        "meanwhile": _meanwhile(form) if anew else [],
    }
    return render(request, page.template, shown, status=status)


def _words_back(request: HttpRequest, error: Exception) -> HttpResponse:
    """Give back what somebody typed where not even the form can be shown; without any the error goes on.

    The page asks no store for anything. What does not exist for somebody answers as if nothing was typed.
    """
    words = [
        (label, request.POST[name])
        for name, label in FREE_WORDS.items()
        if request.POST.get(name, "").strip()
    ]
    if not words or isinstance(error, NotFound) or is_partial(request):
        raise error
    refusal = as_refusal(error)
    page = render_to_string("clinical/plans/kept.html", {"message": refusal.message, "words": words})
    return HttpResponse(page, status=refusal.status, headers=retry_of(refusal))


def _hidden(request: HttpRequest, patient_id: UUID, found: Look, *, anew: bool) -> SafeString:
    """Return what each form carries unseen: as of when it shows its row, and the number of this showing.

    A form that comes back goes on saying what it was first shown with, until it is told what changed.
    """
    told = seen(request)
    carried = {
        "seen": told if told is not None and not anew else "".join(found.stamps[-1:]),
        "once": request.POST.get("once", "") if once(request, patient_id) else once_for(patient_id),
    }
    return format_html_join(
        "", '<input type="hidden" name="{}" value="{}">', [one for one in carried.items() if one[1]]
    )


def _meanwhile(form: forms.Form) -> list[tuple[str, str]]:
    """Return how the fields of a form in which something else is typed stand now, by their labels."""
    return [(str(form[name].label), _as_said(form[name])) for name in form.changed_data]


def _as_said(bound: forms.BoundField) -> str:
    value = bound.initial
    words = {str(key): str(label) for key, label in getattr(bound.field, "choices", ())}
    several = value if isinstance(value, (list, tuple)) else [value]
    told = [words.get(str(one), str(one)) for one in several if one is not None and one != ""]
    if isinstance(value, date):
        told = [f"{value:%-d %b %Y}"]
    elif isinstance(value, bool):
        told = ["Yes" if value else "No"]
    return ", ".join(told) or "Empty"


def _run(
    request: HttpRequest, patient_id: UUID, page: Page, command: Callable[[], object]
) -> dict[str, Any] | None:
    """Run a command; return what it asks before it goes on, in words, or None when it is done.

    Who is asked reads names of the chart: that is a look of its own, under the section of what it names.
    """
    try:
        command()
    except RuleBroken as error:
        ids = error.extra.get("asked")
        if page.ask is None or not ids:
            raise
    else:
        return None
    with reading(actor_of(request), purpose="treatment", permission=CHART) as context:
        words = page.ask(look(context, request, patient_id, page.asks_section), ids)
    return {"words": words, "told": " ".join(map(str, sorted({*told(request), *ids})))}


def told(request: HttpRequest) -> frozenset[UUID]:
    """Return the ids of what whoever posts a form has been told of; anything else counts as not said."""
    found = set()
    for text in request.POST.get("told", "").split()[:MOST_TOLD]:
        with suppress(ValueError):
            found.add(UUID(text))
    return frozenset(found)


def seen(request: HttpRequest) -> str | None:
    """Return what the form that is posted was shown with; None for one that shows no row."""
    return request.POST.get("seen", "")[:MOST_SEEN] or None


def once(request: HttpRequest, patient_id: UUID) -> UUID | None:
    """Return the id under which the form that is posted writes a new row; None where it carries no number."""
    said = [(name, value) for name, values in request.POST.lists() if name not in UNSAID for value in values]
    return once_of(patient_id, request.POST.get("once", "")[:MOST_SEEN], said)


def back_to_plan(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """After a command: send the browser to the plan."""
    return go_to(request, reverse("clinical:plan", args=[patient_id]))


def press(
    request: HttpRequest, patient_id: UUID, command: Callable[..., object], **given: UUID | str
) -> HttpResponse:
    """Run the command of a button, and go back to the plan."""
    command(actor=actor_of(request), patient_id=patient_id, **given)
    return back_to_plan(request, patient_id)
