"""Doors of measures: a person's list, asking one, saving each answer, finishing, the result, correcting."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.assessments import actions, queries
from clinical.assessments.definitions import course_key
from clinical.assessments.drawing import Mark
from clinical.assessments.episodes import changes, episode_of
from clinical.assessments.forms import AnswersForm, BeginForm
from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Assessment, Instrument, InstrumentText
from clinical.assessments.planning import queries as planning
from clinical.assessments.planning.showing import plan_row
from clinical.assessments.schedule import SCREENER, WHY
from clinical.assessments.scoring import syndrome
from clinical.assessments.showing import alert_row, course_row, marks_of, task_row, way_to_assess
from clinical.assessments.wording import flag_words, loinc_words
from clinical.chart.banner import beside
from clinical.sessions.queries import runs_of
from cortex.access.context import KEYS_DOWN, reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES, Role
from cortex.accounts.queries import active_users
from cortex.audit import InputRefused, RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from cortex.ui.rules import given_back
from crisis.alerts.queries import open_of_people
from crisis.reviews.queries import open_of_people as tasks_of_people
from crisis.risk.queries import latest_assessment
from patients.care.queries import care_since
from patients.covers.queries import stood_in_for
from patients.registry.access import CHART, treated
from patients.registry.models import Patient
from patients.registry.queries import person_card, rows_of

# How far ahead a person's page says when a measure is due.
AHEAD = timedelta(days=120)
# So many of the last administrations are listed.
RECENT = 8
# So many administrators are named where somebody must be told.
MOST_TOLD = 3
# What answers leave to somebody (domain 2.1), and what item 9 asks for at once.
TASKS = ("risk_review", "item9_missing", "cssrs_due", "cssrs_declined", "phq9_due", "measure_worse")


@requires(*DESK_ROLES)
@require_GET
def measure_list(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Every measure of one person: its course, when it is due, and how to ask it."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        patient = treated(actor, patient_id, at)
        person = person_card(context, patient, at=at, with_contacts=False)
        context.saw("measures", subjects=[patient.pk], object_type="clinical.Assessment")
        offered = offers.instruments(patient.organization_id)
        ids = rows_of(patient)
        done = queries.standing(ids, at - queries.LOOK_BACK)
        episode = episode_of(ids, at)
        courses = queries.courses(done, offered, episode)
        queries.note_age(context, patient, courses.values())
        began = care_since(patient.pk, at) or patient.registered_at
        texts = offers.installed(offered)
        assessed = latest_assessment(patient.person_id)
        level = assessed.level if assessed else ""
        person_due = planning.person_of(patient, ids, courses, began, level, episode)
        reckoned = planning.reckonings([person_due], at)[patient.pk]
        planning.hold_to_schedule(courses, reckoned.facts)
        due, plans = _schedule(reckoned, offered, at), planning.plans_of(ids)
        marks = _marks(ids, at - queries.LOOK_BACK)
        cards = [
            course_row(courses[row.key], patient_id, marks, at=at)
            | {
                "due": due.get(row.key),
                "plan": plan_row(plans.get(row.key), row.key),
                "installed": row.pk in texts,
                "declined": courses[row.key].declined,
                "ask_url": reverse("clinical:measure_ask", args=[patient_id, row.key]),
            }
            # What has a course comes first, then what is due and was never taken.
            for row in sorted(offered, key=lambda row: (not courses[row.key].points, row.key not in due))
        ]
        return render(
            request, "clinical/assessments/list.html",
            beside(context, patient, person, at)
            | {"cards": cards, "recent": [_line(one) for one in done[::-1][:RECENT]], "tab": "measures"},
        )  # fmt: skip


def _marks(ids: list[UUID], since: datetime) -> list[Mark]:
    return marks_of(planning.alerts_since(ids, since), changes(ids, since))


def _schedule(
    reckoned: planning.Reckoning, offered: list[Instrument], at: datetime
) -> dict[str, dict[str, Any]]:
    """Return what is due next by key, also what lies ahead: a page says when."""
    due = reckoned.due(planning.askable(offered), at)
    return {
        one.key: {"at": one.at, "why": WHY[one.why], "now": one.at <= at}
        for one in due if one.at <= at + AHEAD
    }  # fmt: skip


def _line(one: Assessment) -> dict[str, Any]:
    return {
        "url": reverse("clinical:measure_result", args=[one.patient_id, one.pk]),
        "title": one.instrument.title,
        "at": one.administered_at,
        "total": one.total,
        "mode": one.get_mode_display(),
        "by": one.administered_by.full_name if one.administered_by else "",
        "flags": flag_words(one.flags, queries.item9_of(one)),
    }


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def measure_ask(request: HttpRequest, patient_id: UUID, key: str) -> HttpResponse:
    """Ask a measure; POST begins it, or goes on where somebody began."""
    actor = actor_of(request)
    if request.method == "POST":
        form = request.POST.get("form", "")
        draft = actions.begin_assessment(
            actor=actor, patient_id=patient_id, key=form if course_key(form) == course_key(key) else key,
            language=request.POST.get("language", ""), mode=request.POST.get("mode", "interviewer"),
        )  # fmt: skip
        return go_to(request, reverse("clinical:measure_ask", args=[patient_id, draft.instrument.key]))
    return _ask(request, patient_id, key)


def _ask(
    request: HttpRequest, patient_id: UUID, key: str, form: AnswersForm | None = None, status: int = 200,
    conflict: dict[str, object] | None = None,
) -> HttpResponse:  # fmt: skip
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        patient = treated(actor, patient_id, at)
        row = offers.instrument(key, patient.organization_id)
        measure = offers.measure_of(row)
        draft = queries.draft_in(patient.pk, offers.forms_of(measure, patient.organization_id))
        asked = draft.instrument if draft is not None else measure
        if asked.pk != row.pk:
            return go_to(request, reverse("clinical:measure_ask", args=[patient_id, asked.key]))
        person = person_card(context, patient, at=at, with_contacts=False)
        if draft is None and row.pk not in offers.installed([row]):
            shown = beside(context, patient, person, at) | _missing(row, patient, actor.person.pk)
            return render(request, "clinical/assessments/missing.html", shown)
        text = offers.text_of(row, draft.language if draft else patient.language)
        shown = _asked(row, text) | {"patient": patient, "person": person, "draft": draft,
                                     "conflict": conflict}  # fmt: skip
        if draft is None:
            shown["begin"] = _begin(patient, measure, at)
        else:
            context.relation_to(patient.pk)
            context.saw(
                "measure_draft", subjects=[patient.pk], object_type="clinical.AssessmentDraft",
                object_id=draft.pk,
            )  # fmt: skip
            shown["form"] = form or AnswersForm(
                definition=row.read(), texts=text.texts, initial=draft.items, auto_id="m_%s"
            )
            if row.pk != measure.pk:
                shown["since"] = queries.last_answered(rows_of(patient), [measure, row], at)
        return render(request, "clinical/assessments/ask.html", shown, status=status)


def _missing(row: Instrument, patient: Patient, reader_id: UUID) -> dict[str, Any]:
    """Return what a page says of a measure whose text isn't installed: what to do instead, whom to tell."""
    people = active_users(organization_id=patient.organization_id, roles=[Role.ADMIN])
    return {
        "tab": "measures", "instrument": row, "is_screener": row.course_key == SCREENER,
        "assess": way_to_assess(patient, runs_of(reader_id)),
        "tell": [one.full_name for one in people.order_by("full_name")[:MOST_TOLD]],
    }  # fmt: skip


def _begin(patient: Patient, measure: Instrument, at: datetime) -> BeginForm:
    """Return the fields to begin with; whoever answered the measure before is asked its later form first."""
    later = queries.later_of(patient, measure, at)
    forms = [measure] if later is None else [later.form, measure]
    # Whichever is chosen has a wording in each of these.
    spoken = [offers.languages_of(one) for one in forms]
    return BeginForm(
        languages=[one for one in spoken[-1] if all(one in others for others in spoken)],
        language=patient.language, forms=[(one.key, one.title) for one in forms],
        last=later and later.since, auto_id="begin_%s",
    )  # fmt: skip


def _asked(row: Instrument, text: InstrumentText) -> dict[str, Any]:
    return {
        "instrument": row,
        "stem": text.texts.get("stem", ""),
        "notice": text.notice,
        "minutes": row.read().minutes,
        "about": row.read().about,
    }


@requires(*DESK_ROLES)
@require_POST
def measure_answer(request: HttpRequest, patient_id: UUID, key: str) -> HttpResponse:
    """Keep one answer as it is given; the page says "saved"."""
    raw = request.POST.get("value", "")
    if raw and not (raw.isascii() and raw.isdigit() and len(raw) < 4):
        raise InputRefused("An answer is a number of the list.", "answer_unknown", field="value")
    draft = actions.save_answer(
        actor=actor_of(request), patient_id=patient_id, key=key, item=request.POST.get("item", "")[:32],
        value=int(raw) if raw else None,
    )  # fmt: skip
    return JsonResponse({"saved": len([one for one in draft.items.values() if one is not None])})


@requires(*DESK_ROLES)
@require_POST
def measure_finish(request: HttpRequest, patient_id: UUID, key: str) -> HttpResponse:
    """Score the answers of the page, and show what they say and who has it."""
    actor = actor_of(request)
    definition, texts, is_begun = _wording(request, patient_id, key)
    form = AnswersForm(request.POST, definition=definition, texts=texts, auto_id="m_%s")
    if not form.is_valid():
        if not is_begun:
            raise RuleBroken(actions.NOT_BEGUN, "not_begun")
        return _ask(request, patient_id, key, form, 422)
    try:
        one, _ = actions.finish_assessment(
            actor=actor, patient_id=patient_id, key=key, answers=form.answers(), is_page=True,
            administered_at=form.cleaned_data["administered_at"],
        )  # fmt: skip
    except (RuleBroken, *KEYS_DOWN) as error:
        return _ask(request, patient_id, key, form, *given_back(request, form, error))
    return go_to(request, reverse("clinical:measure_result", args=[patient_id, one.pk]))


def _wording(request: HttpRequest, patient_id: UUID, key: str) -> tuple[Any, dict[str, Any], bool]:
    """Return a measure, its wording, and whether somebody is asking it: the action looks again, locked."""
    actor = actor_of(request)
    with reading(actor, purpose="treatment", permission=CHART):
        patient = treated(actor, patient_id, clock())
        row = offers.instrument(key, patient.organization_id)
        draft = queries.draft_in(patient.pk, [row])
        language = draft.language if draft is not None else patient.language
        return row.read(), offers.text_of(row, language).texts, draft is not None


@requires(*DESK_ROLES)
@require_POST
def measure_give_up(request: HttpRequest, patient_id: UUID, key: str) -> HttpResponse:
    """Throw the answers under way away."""
    actions.give_up(actor=actor_of(request), patient_id=patient_id, key=key)
    return go_to(request, reverse("clinical:measures", args=[patient_id]))


@requires(*DESK_ROLES)
@require_GET
def measure_result(request: HttpRequest, patient_id: UUID, assessment_id: UUID) -> HttpResponse:
    """One administration: its answers, what they say, and what is open of such alerts and tasks."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        patient = treated(actor, patient_id, at)
        ids = rows_of(patient)
        one = queries.administration(ids, assessment_id)
        person = person_card(context, patient, at=at, with_contacts=False)
        context.relation_to(patient.pk)  # a linked row too is named with the relationship and its grant
        context.saw("measure", subjects=[patient.pk], object_type="clinical.Assessment", object_id=one.pk)
        done = queries.standing(ids, at - queries.LOOK_BACK)
        measure = offers.measure_of(one.instrument)
        courses = queries.courses(done, [measure], episode_of(ids, at))
        planning.read_schedule(courses, patient, ids, at)
        course = courses[measure.key]
        queries.note_age(context, patient, [course])
        alerts = open_of_people(ids)
        superseded = queries.correction_of(one)
        may_write = context.broken_glass is None
        tasks = tasks_of_people(ids, TASKS)
        # Asked only where something is somebody else's to do.
        others = any(item.owner_id not in (None, actor.id) for item in tasks)
        lent = stood_in_for(actor.person, patient.pk, at) if others else set()
        may_ask = superseded is None and may_write
        lines = queries.item_lines(one, offers.any_text(one))
        return render(
            request, "clinical/assessments/result.html",
            {
                "patient": patient, "person": person, "one": one,
                "lines": [line for line in lines if line["counts"]],
                "beside": [line for line in lines if not line["counts"]],
                "flags": flag_words(one.flags, queries.item9_of(one)),
                "card": course_row(course, patient_id, at=at),
                "alerts": [alert_row(alert, at) for alert in alerts],
                "tasks": [task_row(item, actor.id, lent, at) for item in tasks],
                "screener": _screener(patient, one, done) if may_ask else "",
                "assess": way_to_assess(patient, runs_of(actor.person.pk)) if may_ask else None,
                "syndrome": syndrome(one.items) if one.instrument.key == "phq9" and one.is_valid else "",
                "needs_help": "item9_endorsed" in one.flags or (one.band in ("moderate", "high")
                and one.instrument.course_key == SCREENER),
                "superseded": superseded, "may_write": may_write,
                "band": queries.band_words(one), "loinc": loinc_words(one.instrument.read()),
            },
        )  # fmt: skip


def _screener(patient: Patient, one: Assessment, done: list[Assessment]) -> str:
    """Return whether the C-SSRS can be asked at once, as item 9 wants it (domain 2.1 rule 3).

    "" where item 9 was not endorsed, or where the screener or the same instrument was answered since.
    """
    since = [row for row in done if row.administered_at >= one.administered_at and row.is_valid]
    keys = {row.instrument.course_key for row in since if row.pk != one.pk}
    answered = not keys.isdisjoint((SCREENER, one.instrument.key))
    if "item9_endorsed" not in one.flags or answered:
        return ""
    return offers.readiness(SCREENER, patient.organization_id)


@requires(*DESK_ROLES)
@require_GET
def measure_print(request: HttpRequest, patient_id: UUID, key: str) -> HttpResponse:
    """The course of one measure on a sheet of paper: the picture, the table and the credit line."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        patient = treated(actor, patient_id, at)
        row = offers.measure_of(offers.instrument(key, patient.organization_id))
        ids = rows_of(patient)
        person = person_card(context, patient, at=at, with_contacts=False)
        context.relation_to(patient.pk)
        context.saw("measure_print", subjects=[patient.pk], object_type="clinical.Assessment")
        done = queries.standing(ids, at - queries.LOOK_BACK)
        courses = queries.courses(done, [row], episode_of(ids, at))
        planning.read_schedule(courses, patient, ids, at)
        course = courses[row.key]
        queries.note_age(context, patient, [course])
        marks = _marks(ids, at - queries.LOOK_BACK)
        return render(
            request, "clinical/assessments/print.html",
            {"patient": patient, "person": person, "card": course_row(course, None, marks, at=at),
             "credit": row.credit, "loinc": loinc_words(row.read()), "notice": offers.notice_of(row),
             "by": actor.person.full_name},
        )  # fmt: skip


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def measure_correct(request: HttpRequest, patient_id: UUID, assessment_id: UUID) -> HttpResponse:
    """Put right what was entered wrongly: a new administration takes the wrong one's place."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        patient = treated(actor, patient_id, at, writes=True)
        wrong = queries.administration(rows_of(patient), assessment_id)
        text = offers.any_text(wrong)
        person = person_card(context, patient, at=at, with_contacts=False)
        context.relation_to(patient.pk)
        context.saw(
            "measure", subjects=[patient.pk], object_type="clinical.Assessment", object_id=wrong.pk,
            sections=["correct"],
        )  # fmt: skip
        definition = wrong.instrument.read()
    form = AnswersForm(
        request.POST if request.method == "POST" else None, definition=definition,
        texts=text.texts if text else {}, initial=wrong.items, auto_id="m_%s",
    )  # fmt: skip
    status, conflict = 422 if form.errors else 200, None
    if form.is_bound and form.is_valid():
        try:
            one, _ = actions.correct_assessment(
                actor=actor, patient_id=patient_id, assessment_id=assessment_id, answers=form.answers()
            )
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            return go_to(request, reverse("clinical:measure_result", args=[patient_id, one.pk]))
    shown = {"patient": patient, "person": person, "form": form, "instrument": wrong.instrument,
             "given": timezone.localtime(wrong.administered_at), "conflict": conflict}  # fmt: skip
    shown |= _asked(wrong.instrument, text) if text else {}
    return render(request, "clinical/assessments/ask.html", shown, status=status)
