"""Doors of sessions: a person's list, running one, its review, and opening what was said."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.assessments.showing import alert_row
from clinical.notes import queries as notes
from clinical.notes.showing import row_of
from clinical.scheduling.billing.queries import is_too_long, lines_of_session
from clinical.scheduling.billing.showing import line_row
from clinical.sessions import actions, queries, showing
from clinical.sessions.forms import EndForm, EntryForm, RiskForm, StartForm, WordsForm
from clinical.sessions.labelling.forms import LabelForm
from clinical.sessions.labelling.showing import label_card
from clinical.sessions.labels import Reach
from clinical.sessions.leaving.queries import is_open, left_run
from clinical.sessions.told import SENT
from clinical.sessions.words.opening import open_words
from clinical.sessions.words.showing import part_section, part_words
from cortex.access.context import KEYS_DOWN, AccessContext, reading, scoped
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Role
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, page_of
from cortex.ui.rules import given_back
from crisis.alerts.queries import open_of_people
from patients.codes import SessionKind, SessionStatus
from patients.labels.rules import PART2
from patients.registry.access import BREAK_GLASS, CHART

# Where the focus goes when an entry was logged or taken back: the next one's words.
NEXT_ENTRY = "#entry_text"
RUNNERS = (Role.COUNSELOR, Role.THERAPIST, Role.PSYCHIATRIST)


@requires(*DESK_ROLES)
@require_GET
def session_list(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Every session of one person, of all kinds, with filters."""
    return _list(request, patient_id, StartForm(auto_id="start_%s"))


def _list(
    request: HttpRequest, patient_id: UUID, form: StartForm, status: int = 200,
    conflict: dict[str, object] | None = None, *, asks_beside: bool = False, end_form: EndForm | None = None,
) -> HttpResponse:  # fmt: skip
    actor, at = actor_of(request), clock()
    kind, state = (
        _chosen(request, "kind", SessionKind.values),
        _chosen(request, "status", SessionStatus.values),
    )
    with reading(actor, purpose="treatment", permission=CHART) as context:
        head = queries.head(context, actor, patient_id, at)
        context.saw("sessions", subjects=[head.patient.pk], object_type="patients.Session")
        who = head.reach(actor, at)
        page = page_of(queries.listed(head.ids, who, kind=kind, status=state), request.GET.get("page"))
        flags = queries.flags_of(page.object_list, who)
        counts = queries.kinds_of(head.ids, who)
        run = queries.run_of_person(head.patient.person_id)
        shown = head.shown() | {
            "tab": "sessions",
            "page": page,
            "lines": [showing.line_of(one, flags.get(one.pk, 0)) for one in page.object_list],
            "kinds": _kinds(counts, kind, state),
            "statuses": [(value, label, value == state) for value, label in SessionStatus.choices],
            "kind": kind,
            "state": state,
            "query": "&".join(
                f"{key}={value}" for key, value in (("kind", kind), ("status", state)) if value
            ),
            "withheld": queries.withheld(head.ids, who, kind=kind, status=state),
            "running": run if run is not None and who.opens(run.session, run.clinician_id) else None,
            "left": left_run(actor, run, at) if actor.person.role in RUNNERS else None,
            "end_form": end_form or EndForm(auto_id="end_%s"),
            "scheduled": queries.scheduled(head.ids, who, at),
            "form": form,
            "conflict": conflict,
            "beside": queries.own_runs(context, at) if asks_beside else [],
            "may_run": actor.person.role in RUNNERS,
        }
        return render(request, "clinical/sessions/list.html", shown, status=status)


def _chosen(request: HttpRequest, name: str, allowed: list[str]) -> str:
    value = request.GET.get(name, "")
    return value if value in allowed else ""


def _kinds(counts: dict[str, int], kind: str, state: str) -> list[dict[str, Any]]:
    rest = f"&status={state}" if state else ""
    found = [{"label": "All", "count": sum(counts.values()), "href": f"?kind={rest}", "current": not kind}]
    return found + [
        {"label": label, "count": counts[value], "href": f"?kind={value}{rest}", "current": value == kind}
        for value, label in SessionKind.choices
        if value in counts
    ]


@requires(*RUNNERS)
@require_POST
def session_start(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Start a therapy session, or one that was scheduled."""
    form = StartForm(request.POST, auto_id="start_%s")
    if not form.is_valid():
        return _list(request, patient_id, form, 422)
    try:
        session = actions.start_session(actor=actor_of(request), patient_id=patient_id, **form.cleaned_data)
    except (RuleBroken, *KEYS_DOWN) as error:
        if isinstance(error, RuleBroken) and error.code == "own_session_runs":
            return _list(request, patient_id, form, error.status, asks_beside=True)
        return _list(request, patient_id, form, *given_back(request, form, error))
    return go_to(request, reverse("clinical:session", args=[patient_id, session.pk]))


@requires(*DESK_ROLES)
@require_GET
def session_page(request: HttpRequest, patient_id: UUID, session_id: UUID) -> HttpResponse:
    """One session: to run while its clinician has it open, to review otherwise."""
    return page_of_session(request, patient_id, session_id)


def page_of_session(
    request: HttpRequest, patient_id: UUID, session_id: UUID, status: int = 200, *,
    label_form: LabelForm | None = None, label_note: dict[str, Any] | None = None, **more: Any,
) -> HttpResponse:  # fmt: skip
    """Answer with a session's page; `label_form` is the form of its labels that comes back with a note."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        head = queries.head(context, actor, patient_id, at)
        who = head.reach(actor, at)
        session = queries.session_of(head.ids, session_id, who)
        # A form that comes back stood on a page of the readings; its address says none.
        emotions = request.POST.get("page") or request.GET.get("emotions")
        pages = queries.Pages(emotions, request.GET.get("reasons"))
        found = queries.review(head, session, who, at, pages)
        run = getattr(session, "run", None)
        runs = actor.person.role in RUNNERS
        shown = head.shown() | {"tab": "sessions", "session": session, "run": run} | more
        shown["labels"] = label_card(session, who, runs=runs, form=label_form, note=label_note)
        if run is not None and run.ended_at is None and run.clinician_id == actor.person.pk:
            return _run(request, context, head, found, shown, at, status)
        shown |= _reviewed(context, found, actor, at)
        if runs:
            shown["left"] = left_run(actor, run, at)
            shown.setdefault("end_form", EndForm(auto_id="end_%s"))
        return render(request, "clinical/sessions/review.html", shown, status=status)


def _run(
    request: HttpRequest, context: AccessContext, head: queries.Head, found: queries.Review,
    shown: dict[str, Any], at: Any, status: int,
) -> HttpResponse:  # fmt: skip
    context.open(found.activities, ["activity_data"])
    context.saw(
        "session_log", subjects=[head.patient.pk], object_type="patients.Session", object_id=found.session.pk
    )
    shown |= {
        "entries": showing.entry_rows(found.activities, at)[::-1],
        "alerts": [alert_row(one, at) for one in open_of_people(head.ids)],
        "measures": found.measures,
        "may_end": True,
        "form": shown.get("form") or EntryForm(auto_id="entry_%s"),
        "end_form": shown.get("end_form") or EndForm(auto_id="end_%s"),
    }
    return render(request, "clinical/sessions/run.html", shown, status=status)


def _reviewed(context: AccessContext, found: queries.Review, actor: Actor, at: Any) -> dict[str, Any]:
    """Open what a review shows by itself: the therapy log, effects, sources; never what was said."""
    session, may_write = found.session, context.relation_to(found.session.patient_id) != BREAK_GLASS
    is_log = session.kind in (SessionKind.THERAPY, SessionKind.CRISIS_CONTACT)
    if is_log:
        context.open(found.activities, ["activity_data"])
    if not found.is_private:
        context.open([session], SENT)
    context.open(found.feedback, ["physical_effects", "mental_effects"])
    context.open(list(found.rationales or ()), ["citations"])
    if found.neural is not None:
        context.open([found.neural], ["side_effects"])
    context.saw(
        "session", subjects=[session.patient_id], object_type="patients.Session", object_id=session.pk,
        sections=showing.sections_of(found),
    )  # fmt: skip
    return showing.reviewed(found, actor.person.pk, at, with_log=is_log) | {
        "words_form": WordsForm(auto_id="words_%s"),
        "may_review": may_write and actor.person.role in (Role.THERAPIST, Role.PSYCHIATRIST),
        "after_end": showing.after_end(found) if may_write else [],
        "lines": [line_row(one) for one in lines_of_session(session.pk)] if is_log else [],
        "too_long": is_log and getattr(session, "run", None) is not None and is_too_long(session),
    }


@requires(*RUNNERS)
@require_POST
def session_entry(request: HttpRequest, patient_id: UUID, session_id: UUID) -> HttpResponse:
    """Log what happens, as it happens."""
    form = EntryForm(request.POST, auto_id="entry_%s")
    if not form.is_valid():
        return page_of_session(request, patient_id, session_id, 422, form=form)
    try:
        actions.log_entry(
            actor=actor_of(request), patient_id=patient_id, session_id=session_id, kind=form.kind(),
            **form.cleaned_data,
        )  # fmt: skip
    except (RuleBroken, *KEYS_DOWN) as error:
        status, conflict = given_back(request, form, error)
        return page_of_session(request, patient_id, session_id, status, form=form, conflict=conflict)
    return go_to(request, _url(patient_id, session_id) + NEXT_ENTRY)


@requires(*RUNNERS)
@require_POST
def session_entry_undo(
    request: HttpRequest, patient_id: UUID, session_id: UUID, entry_id: UUID
) -> HttpResponse:
    """Take a slip back."""
    actions.take_back_entry(
        actor=actor_of(request), patient_id=patient_id, session_id=session_id, entry_id=entry_id
    )
    return go_to(request, _url(patient_id, session_id) + NEXT_ENTRY)


@requires(*RUNNERS)
@require_http_methods(["GET", "POST"])
def session_risk(request: HttpRequest, patient_id: UUID, session_id: UUID) -> HttpResponse:
    """The short structured risk assessment; it sets the level and lets the engine decide at once."""
    form = RiskForm(request.POST if request.method == "POST" else None, auto_id="risk_%s")
    status, conflict = 422 if form.is_bound and not form.is_valid() else 200, None
    if form.is_bound and status == 200:
        try:
            actions.assess_risk(
                actor=actor_of(request), patient_id=patient_id, session_id=session_id,
                level=form.cleaned_data["level"], note=form.cleaned_data["note"], factors=form.factors(),
            )  # fmt: skip
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
            form.fields["note"].required = "note" in form.errors
        else:
            return go_to(request, _url(patient_id, session_id))
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        head = queries.head(context, actor, patient_id, at)
        session = queries.session_of(head.ids, session_id, head.reach(actor, at))
        shown = head.shown() | {"session": session, "form": form, "conflict": conflict}
        return render(request, "clinical/sessions/risk.html", shown, status=status)


@requires(*RUNNERS)
@require_POST
def session_end(request: HttpRequest, patient_id: UUID, session_id: UUID) -> HttpResponse:
    """End a session; its page then offers what comes next, prefilled. A closed one leads to the list."""
    form, actor = EndForm(request.POST, auto_id="end_%s"), actor_of(request)
    if form.is_valid():
        try:
            actions.end_session(
                actor=actor, patient_id=patient_id, session_id=session_id, **form.cleaned_data
            )
        except InputRefused as error:
            given_back(request, form, error)
        else:
            # Whoever ends what a colleague left may not read it: its label stays as it is.
            if _is_open(actor, patient_id, session_id):
                return go_to(request, _url(patient_id, session_id))
            return go_to(request, reverse("clinical:sessions", args=[patient_id]))
    if _is_open(actor, patient_id, session_id):
        return page_of_session(request, patient_id, session_id, 422, end_form=form)
    return _list(request, patient_id, StartForm(auto_id="start_%s"), 422, end_form=form)


def _is_open(actor: Actor, patient_id: UUID, session_id: UUID) -> bool:
    with scoped(actor):
        return is_open(actor, patient_id, session_id, clock())


@requires(*DESK_ROLES)
@require_POST
def session_words(request: HttpRequest, patient_id: UUID, session_id: UUID) -> HttpResponse:
    """Open one part of what was said, for a purpose that is named; a row of its own says who did."""
    form = WordsForm(request.POST, auto_id="words_%s")
    if not form.is_valid():
        return page_of_session(request, patient_id, session_id, 422)
    actor, at = actor_of(request), clock()
    with reading(actor, purpose=form.cleaned_data["purpose"], permission=CHART) as context:
        head = queries.head(context, actor, patient_id, at)
        who = head.reach(actor, at)
        session = queries.session_of(head.ids, session_id, who)
        found = queries.review(head, session, who, at)
        if found.is_private:
            raise NotFound("The person keeps this session to themself.", "kept_private")
        words = open_words(context, found, form.cleaned_data["part"] or 1, at, who.unnamed)
        context.saw(
            "transcript", subjects=[session.patient_id], object_type="patients.Session", object_id=session.pk,
            sections=["words", *part_section(words.part)],
        )  # fmt: skip
        shown = head.shown() | {
            "session": session, "words": words, "at": at, "state": showing.words_of(found, at), "form": form,
            "part_words": part_words(words.part),
            "purpose": dict(form.fields["purpose"].choices)[form.cleaned_data["purpose"]],  # type: ignore[attr-defined]
        }  # fmt: skip
        shown["beside"] = _beside_words(actor, head, found, who, at)
        return render(request, "clinical/sessions/words.html", shown)


def _beside_words(
    actor: Actor, head: queries.Head, found: queries.Review, who: Reach, at: Any
) -> dict[str, Any]:
    """Return what stands beside the words: the notes about the session, else the way to one, and measures."""
    reader = notes.reader_by(actor.person, head.patient, (who.relation, PART2 not in who.shut), at)
    written = [row_of(one, actor.person.pk, at) for one in notes.of_session(reader, found.session.pk)]
    may_write = actor.person.role in RUNNERS and who.relation != BREAK_GLASS
    return {
        "notes": written,
        "begin": may_write and not any(one["own"] for one in written),
        "measures": queries.visit_measures(found, at),
    }


def _url(patient_id: UUID, session_id: UUID) -> str:
    return reverse("clinical:session", args=[patient_id, session_id])
