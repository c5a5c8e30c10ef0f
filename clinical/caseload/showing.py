"""A caseload in the words and shapes of its page: rows, what is new, whom to look at first."""

from __future__ import annotations

from hashlib import blake2s
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from clinical.assessments.drawing import spark
from clinical.assessments.wording import band_label, direction, signed
from clinical.caseload.filters import VIEWS, Filters
from clinical.caseload.lines import line
from clinical.caseload.needs import PLAN_REVIEW
from clinical.caseload.queries import MOST, Case
from clinical.caseload.ranking import GROUPS, QUIET
from clinical.pathway.beginning.queries import CONTACT, STEPS
from cortex.ui.paths import path_to
from cortex.ui.templatetags.ui import day, when
from patients.codes import AgeBand

# So many stand in sentences above the list.
FIRST = 3
# So many lines come with the page, twice what a screen holds; the others follow at once, in a second part.
LINES = 30


def groups(cases: list[Case], start: int = 0, end: int = MOST) -> list[dict[str, Any]]:
    """Return the lines from `start` to `end` under their groups; a group without any is left out.

    `count` is the whole group; one that began before `start` goes on without its head.
    """
    found = []
    for key, title, about in GROUPS:
        places = [number for number, case in enumerate(cases) if case.place.group == key]
        shown = [line(row_of(cases[number])) for number in places if start <= number < end]
        if shown:
            found.append({"key": key, "title": title, "about": about, "lines": shown, "count": len(places),
                          "goes_on": places[0] < start})  # fmt: skip
    return found


def order_mark(cases: list[Case]) -> str:
    """Return a digest of who stands on the first lines: a second part fits behind the same ones only."""
    ids = "".join(str(case.who.pk) for case in cases[:LINES])
    return blake2s(ids.encode(), digest_size=8).hexdigest()


def rest(cases: list[Case], filters: Filters, end: int) -> dict[str, Any]:
    """Return how many stand behind the lines shown, where those come from, and a page of everybody."""
    query, page = filters.codes(), path_to("clinical:caseload")
    part = urlencode(query | {"order": order_mark(cases)})
    return {"count": len(cases[end:]), "part": f"{path_to('clinical:case_rest')}?{part}",
            "whole": f"{page}?{urlencode(query | {'whole': '1'})}"}  # fmt: skip


def tabs(cases: list[Case], filters: Filters) -> list[dict[str, Any]]:
    """Return the views with their counts."""
    return [
        {"key": key, "label": label, "href": f"?{filters.query(view=key)}", "current": key == filters.view,
         "count": filters.count(cases, key)}
        for key, label in VIEWS
    ]  # fmt: skip


def row_of(case: Case) -> dict[str, Any]:
    """Return one person as a line of the list; the pseudonym is empty where it stands for the name."""
    name = case.name or case.who.anonymous_id
    return {
        "id": case.who.pk,
        "chart": path_to("clinical:chart", case.who.pk),
        "tick": tick_url(case.who.pk, case.reviewed),
        "name": name,
        "pseudonym": case.who.anonymous_id if case.who.anonymous_id != name else "",
        "age": AgeBand(case.who.age_band).label,
        "level": case.level,
        "why": case.place.why,
        "news": news(case),
        "group": case.place.group,
        "covers": case.covers,
        "moods": spark(case.moods, f"Mood over 14 days, {case.check_ins} answers"),
        "check_ins": case.check_ins,
        "measures": [_measure(case, key) for key in ("phq9", "gad7")],
        "last": day(case.last_heard) if case.last_heard else "",
        "next": when(case.next_at),
        "due": [title for title, _ in case.due],
        "alerts": [
            {"url": path_to("crisis:alert_page", one.pk),
             "owner": one.owner or ""}
            for one in case.alerts
        ],
        "reviewed": case.reviewed,
        "stamp": case.stamp(),
    }  # fmt: skip


def tick_url(patient_id: UUID, reviewed: bool) -> str:
    """Return where the button of a line posts: to tick somebody off, or to take that back."""
    return path_to(f"clinical:case_{'unreviewed' if reviewed else 'reviewed'}", patient_id)


def news(case: Case) -> list[str]:
    """Return what came since this reader last looked, in few words; nothing where they never did."""
    seen = case.looked_at
    if seen is None:
        return []
    found = []
    if case.level_since is not None and case.level_since > seen:
        found.append(f"level now {case.level}")
    ended = case.ended_last
    if ended is not None and ended.resolved_at is not None and ended.resolved_at > seen:
        found.append(f"alert ended {day(ended.resolved_at)}")
    for course in case.courses.values():
        if course.latest is not None and course.latest.at > seen:
            change = course.since_last()
            words = f" {signed(change.points)}" if change else f" {course.latest.total}"
            found.append(f"{course.definition.title}{words}")
    if case.last_session_at is not None and case.last_session_at > seen:
        found.append(f"session {day(case.last_session_at)}")
    fresh = sum(item.created_at > seen for item in case.items)
    if fresh:
        found.append(f"{fresh} new task{'s' if fresh != 1 else ''}")
    return found


def first(cases: list[Case], reader_id: UUID) -> dict[str, Any]:
    """Return whom to look at first, as sentences with the one thing to do, and of how many people these are.

    Nobody who is steady, and nobody whom the reader has reviewed.
    """
    asking = [case for case in cases if case.place.group not in QUIET]
    return {"cases": [_sentence(case, reader_id) for case in asking[:FIRST]], "count": len(asking)}


def _sentence(case: Case, reader_id: UUID) -> dict[str, Any]:
    chart = path_to("clinical:chart", case.who.pk)
    url, label = chart, "Open chart"
    words = case.place.why
    worst = case.worst
    if worst is not None:
        words += f" {worst.owner} has it." if worst.owner else " Nobody has it yet."
        url, label = path_to("crisis:alert_page", worst.pk), "Open the alert"
    elif case.place.group == "overdue" and case.due and case.due[0][0] in words:
        key = next(key for key, one in case.courses.items() if one.definition.title == case.due[0][0])
        url = path_to("clinical:measure_ask", case.who.pk, key)
        label = f"Ask {case.due[0][0]}"
    elif case.place.group == "overdue" and words.startswith(PLAN_REVIEW):
        url, label = path_to("clinical:plan_review", case.who.pk), "Review the plan"
    elif case.place.group in ("overdue", "waiting") and words.startswith(CONTACT):
        url, label = path_to("clinical:first_steps", case.who.pk), "See why they were sent"
    elif case.place.group in ("overdue", "waiting") and words.startswith(STEPS):
        url, label = path_to("clinical:first_steps", case.who.pk), "Open the first steps"
    elif case.place.group in ("overdue", "waiting") and _is_promise(case):
        url, label = path_to("crisis:followups"), "Open the contacts"
    elif case.place.group in ("overdue", "waiting") and case.items:
        # The one that the words name: the first that is due, or the one that has waited longest.
        waits = case.place.group == "waiting"
        item = min(case.items, key=lambda one: one.created_at if waits else one.due_at)
        task = item.page_for(reader_id, case.stands_in_for)
        url, label = (task, "Open the task") if task else (chart, label)
    return {
        "id": case.who.pk, "name": case.name or case.who.anonymous_id, "chart": chart, "words": words,
        "news": ", ".join(news(case)), "level": case.level, "next": case.next_at, "url": url, "label": label,
    }  # fmt: skip


def _is_promise(case: Case) -> bool:
    return any(case.place.why.startswith(one.words) for one in case.promises)


def _measure(case: Case, key: str) -> dict[str, Any] | None:
    course = case.courses.get(key)
    if course is None or course.latest is None:
        return None
    change = course.since_last()
    return {
        "title": course.definition.title,
        "total": course.latest.total,
        "band": band_label(course, course.latest.band),
        "delta": signed(change.points) if change else "",
        "direction": direction(course),
    }
