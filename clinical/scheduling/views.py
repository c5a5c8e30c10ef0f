"""Doors of the calendar: a week, booking, one appointment and what becomes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.chart.banner import beside
from clinical.scheduling import actions, queries
from clinical.scheduling.billing import queries as billing
from clinical.scheduling.billing.showing import line_row
from clinical.scheduling.forms import BookForm, CancelForm, WhenForm, ZoneForm
from clinical.scheduling.handover import queries as handover
from clinical.scheduling.models import Status
from clinical.scheduling.showing import NOBODY, clock_words, entry, grid, notice_rows, week_links
from clinical.scheduling.week import monday_of, read_week, span, week_name, week_of
from clinical.sessions.labels import reach
from cortex.access.context import KEYS_DOWN, reading, scoped
from cortex.access.declare import requires
from cortex.accounts.models import Role, User
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ops.notices.actions import mark_seen
from cortex.ui.pages import go_to, is_partial
from cortex.ui.rules import given_back
from patients.registry.access import CHART, treated
from patients.registry.queries import Named, person_card, rows_of

THERAPISTS = (Role.THERAPIST, Role.PSYCHIATRIST)


@requires(*THERAPISTS)
@require_GET
def calendar(request: HttpRequest) -> HttpResponse:
    """A week of one's own appointments, in one's own time zone."""
    return _week(request)


def _week(request: HttpRequest, form: ZoneForm | None = None, status: int = 200) -> HttpResponse:
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        user, zone = actor.person, queries.zone(actor.person)
        today = at.astimezone(zone).date()
        monday = read_week(request.GET.get("week", ""), today)
        rows, notices = queries.week(user, *span(monday, zone)), queries.notices(user, at)
        lent = handover.covered(user, *span(monday, zone), at)
        people = [one.patient for one in (*rows, *lent)] + [one["appointment"].patient for one in notices]
        names = queries.open_names(context, people)
        entries = [entry(one, names[one.patient_id], zone, at) for one in rows]
        week = week_of(monday, zone, entries, at)
        with timezone.override(zone):
            return render(
                request, "clinical/scheduling/calendar.html",
                grid(week) | {
                    "week": week_links(monday, today), "first": week.days[0].date, "last": week.days[-1].date,
                    "count": sum(one.status != Status.CANCELLED for one in rows), "zone": zone.key,
                    "notices": notice_rows(notices, names),
                    "lent": [_line(one, zone, at, names[one.patient_id]) for one in lent],
                    "form": form or ZoneForm(initial={"timezone": zone.key}, auto_id="zone_%s"),
                    "unsettled": sum(one["unsettled"] for one in entries),
                },
                status=status,
            )  # fmt: skip


@requires(*THERAPISTS)
@require_POST
def calendar_zone(request: HttpRequest) -> HttpResponse:
    """Read one's calendar in another time zone from now on."""
    form = ZoneForm(request.POST, auto_id="zone_%s")
    if not form.is_valid():
        return _week(request, form, 422)
    try:
        actions.choose_zone(actor=actor_of(request), timezone=form.cleaned_data["timezone"].strip())
    except RuleBroken as error:
        return _week(request, form, given_back(request, form, error)[0])
    return go_to(request, reverse("clinical:calendar"))


@requires(*THERAPISTS)
@require_POST
def calendar_seen(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Tick off a reminder, or what was to be booked anew."""
    mark_seen(actor=actor_of(request), notice_id=notice_id)
    return go_to(request, reverse("clinical:calendar"))


def _zone(request: HttpRequest) -> ZoneInfo:
    actor = actor_of(request)
    with scoped(actor):
        return queries.zone(actor.person)


@requires(*THERAPISTS)
@require_http_methods(["GET", "POST"])
def appointment_new(request: HttpRequest) -> HttpResponse:
    """Book an appointment or a weekly series with somebody whom one treats."""
    if request.method == "POST":
        return _book(request)
    return _new(request)


def _new(request: HttpRequest, sent: Any = None, error: Exception | None = None) -> HttpResponse:
    """Show the form; `sent` comes back with what was typed, and with what a rule said about it."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        zone = queries.zone(actor.person)
        form = _form(context, actor.person, at, zone, sent, _asked_time(request, zone, at))
        status, conflict = (200, None) if sent is None else (422, None)
        if error is not None:
            form.is_valid()
            status, conflict = given_back(request, form, error)
        shown = {"form": form, "zone": zone.key, "conflict": conflict, "ways": _ways(error, zone)}
        with timezone.override(zone):
            return render(request, "clinical/scheduling/new.html", shown, status=status)


def _form(
    context: Any, user: User, at: datetime, zone: ZoneInfo, sent: Any, initial: dict[str, Any]
) -> BookForm:
    people = queries.own_people(user, at)
    names = queries.open_names(context, people)
    choices = [(str(pk), str(who)) for pk, who in sorted(names.items(), key=lambda pair: pair[1])]
    return BookForm(sent, people=choices, zone=zone, initial=initial, auto_id="new_%s")


def _asked_time(request: HttpRequest, zone: ZoneInfo, at: datetime) -> dict[str, Any]:
    """Return what the form begins with: the hour whose cell was chosen, else the next whole hour."""
    try:
        asked = parse_datetime(request.GET.get("at", ""))
    except ValueError:
        asked = None
    local = asked.replace(tzinfo=None) if asked else at.astimezone(zone).replace(minute=0)
    person = request.GET.get("person", "")
    return {"day": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}", "person": person[:36]}


def _ways(error: Exception | None, zone: ZoneInfo) -> list[str]:
    """Return the times that are in the way, as they are read in a zone."""
    clashes = error.extra.get("clashes", []) if isinstance(error, RuleBroken) else []
    return [
        f"{one['start'].astimezone(zone):%a %-d %b}, {clock_words(one['start'], zone)} to "
        f"{one['end'].astimezone(zone):%H:%M}"
        for one in clashes[:8]
    ]


def _named(error: RuleBroken, zone: ZoneInfo) -> RuleBroken:
    """Return the same refusal with the times that are in the way: a script shows one sentence."""
    ways = "; ".join(_ways(error, zone))
    return RuleBroken(f"{error.message} {ways}".strip(), error.code, status=error.status) if ways else error


def _book(request: HttpRequest) -> HttpResponse:
    actor, zone = actor_of(request), _zone(request)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        form = _form(context, actor.person, clock(), zone, request.POST, {})
        valid = form.is_valid()
    if not valid:
        return _new(request, request.POST)
    data = form.cleaned_data
    try:
        rows = actions.book_appointment(
            actor=actor, patient_id=UUID(data["person"]), starts=form.starts, minutes=data["minutes"],
            kind=data["kind"], channel=data["channel"], leave_out_taken=data["leave_out_taken"],
            beside_others=data["beside_others"],
        )  # fmt: skip
    except (RuleBroken, *KEYS_DOWN) as error:
        return _new(request, request.POST, error)
    return go_to(request, _calendar_at(rows[0].starts_at, zone, rows[0].pk))


def _calendar_at(moment: datetime, zone: ZoneInfo, appointment_id: UUID) -> str:
    week = week_name(monday_of(moment.astimezone(zone).date()))
    return f"{reverse('clinical:calendar')}?week={week}#a-{appointment_id}"


@requires(*THERAPISTS)
@require_GET
def appointment(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """One appointment: what it is, what became of it, and what can be done."""
    return appointment_page(request, appointment_id)


def appointment_page(
    request: HttpRequest, appointment_id: UUID, error: Exception | None = None, **bound: Any
) -> HttpResponse:
    """Show an appointment; a form in `bound` (move, cancel, bill) comes back with what was typed."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        (one, treats), zone = queries.appointment(actor, appointment_id, at), queries.zone(actor.person)
        names = queries.open_names(context, [one.patient])
        local = one.starts_at.astimezone(zone)
        forms = {
            "move": WhenForm(zone=zone, auto_id="move_%s", initial={
                "day": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}", "minutes": one.minutes}),
            "cancel": CancelForm(auto_id="cancel_%s"),
        } | bound  # fmt: skip
        status, conflict = (422, None) if any(form.errors for form in bound.values()) else (200, None)
        if error is not None:
            status, conflict = given_back(request, next(iter(bound.values()), CancelForm()), error)
        codes = billing.codes(one.patient.organization, local.date())
        shown = forms | {
            "one": entry(one, names[one.patient_id], zone, at), "row": one, "zone": zone.key,
            "conflict": conflict, "ways": _ways(error, zone), "begun": one.starts_at <= at,
            "lines": [line_row(line) for line in billing.lines_of_appointment(one)],
            "codes": codes, "own": one.therapist_id == actor.id, "treats": treats,
            "back": _calendar_at(one.starts_at, zone, one.pk),
            "may_put_back": treats and not one.is_open() and queries.still_theirs(actor, one, at),
        }  # fmt: skip
        shown["standing"] = [line for line in shown["lines"] if line["stands"]]
        with timezone.override(zone):
            return render(request, "clinical/scheduling/appointment.html", shown, status=status)


@requires(*THERAPISTS)
@require_POST
def appointment_move(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Move an appointment, by its form or from the week by keyboard."""
    zone = _zone(request)
    form = WhenForm(request.POST, zone=zone, auto_id="move_%s")
    if not form.is_valid():
        return appointment_page(request, appointment_id, move=form)
    try:
        one = actions.move_appointment(
            actor=actor_of(request), appointment_id=appointment_id, start=form.starts[0],
            minutes=form.cleaned_data["minutes"], beside_others=form.cleaned_data["beside_others"],
        )  # fmt: skip
    except (RuleBroken, *KEYS_DOWN) as error:
        if isinstance(error, RuleBroken) and is_partial(request):
            raise _named(error, zone) from error
        return appointment_page(request, appointment_id, error, move=form)
    return go_to(request, _calendar_at(one.starts_at, zone, one.pk))


@requires(*THERAPISTS)
@require_POST
def appointment_cancel(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Call an appointment off, with a reason."""
    form = CancelForm(request.POST, auto_id="cancel_%s")
    if not form.is_valid():
        return appointment_page(request, appointment_id, cancel=form)
    try:
        actions.cancel_appointment(
            actor=actor_of(request), appointment_id=appointment_id, **form.cleaned_data
        )
    except (RuleBroken, *KEYS_DOWN) as error:
        return appointment_page(request, appointment_id, error, cancel=form)
    return _done(request, appointment_id)


@requires(*THERAPISTS)
@require_POST
def appointment_held(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Note that it took place."""
    return _settle(request, appointment_id, actions.note_held)


@requires(*THERAPISTS)
@require_POST
def appointment_no_show(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Note that the person did not come."""
    return _settle(request, appointment_id, actions.note_no_show)


@requires(*THERAPISTS)
@require_POST
def appointment_back(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Take back what was noted."""
    return _settle(request, appointment_id, actions.put_back)


def _settle(request: HttpRequest, appointment_id: UUID, command: Any) -> HttpResponse:
    try:
        command(actor=actor_of(request), appointment_id=appointment_id)
    except RuleBroken as error:
        if error.status == 404:
            raise
        return appointment_page(request, appointment_id, error)
    return _done(request, appointment_id)


def _done(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    return go_to(request, reverse("clinical:appointment", args=[appointment_id]))


@requires(*THERAPISTS)
@require_GET
def person_appointments(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """A person's appointments with anybody: what is to come, and what became of the others."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        patient = treated(actor, patient_id, at)
        person = person_card(context, patient, at=at, with_contacts=False)
        context.saw("appointments", subjects=[patient.pk], object_type="clinical.Appointment")
        zone = queries.zone(actor.person)
        coming, behind = queries.of_person(rows_of(patient), reach(actor, patient, at), at)
        shown = beside(context, patient, person, at) | {
            "tab": "appointments", "zone": zone.key,
            "coming": [_line(one, zone, at) for one in coming],
            "behind": [_line(one, zone, at) for one in behind],
            "new_url": f"{reverse('clinical:appointment_new')}?person={patient.pk}",
        }  # fmt: skip
        with timezone.override(zone):
            return render(request, "clinical/scheduling/person.html", shown)


def _line(one: Any, zone: ZoneInfo, at: datetime, who: Named = NOBODY) -> dict[str, Any]:
    return entry(one, who, zone, at) | {"with": one.therapist.full_name}
