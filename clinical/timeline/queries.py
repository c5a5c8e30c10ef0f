"""Reads of a timeline: one page of everything, its pins, and what people said of machine findings."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, F, Func, Q, QuerySet, Value

from clinical.plans.labels import shut_by
from clinical.sessions.labels import reach_by
from clinical.sessions.queries import withheld
from clinical.timeline.models import FindingReview, TimelinePin
from clinical.timeline.registry import Cursor, Entry, Look, sources
from cortex.access.context import AccessContext, holds
from cortex.audit import Actor, NotFound
from cortex.ops.postgres.questions import kept
from cortex.ui.zone import zone_of
from patients.labels.queries import standing
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import rows_of
from patients.sessions.observations import DailyCheckIn

PAGE = 40
# A search goes through so many entries at a time, and says how far back that was.
SEARCHED = 600
MOST_PINS = 30
# What of a daily check-in is sealed.
CHECK_IN_WORDS = ("notes", "metrics")
# The filter under which sessions stand.
SESSIONS = "sessions"
Build = Callable[[list[UUID], datetime], QuerySet[Any]]


@dataclass(slots=True)
class Timeline:
    """One page: entries newest first, the pinned ones, where the next page begins, how far a search went.

    `sessions_withheld` counts the sessions that labels keep back, on whichever page they would stand; the
    first page alone asks.
    """

    patient: Patient
    entries: list[Entry]
    pinned: list[Entry]
    after: Cursor | None
    searched_to: datetime | None = None
    sessions_withheld: int = 0
    may_write: bool = True


def window(build: Build, name: str, look: Look, source: str) -> list[Any]:
    """Return what a source shows, newest first by the column `name`, before the look's cursor.

    `build` is a function of a module that takes (ids of the person's rows, the moment) and returns a source's
    rows up to then; its SQL is kept, so it may neither reckon with them nor branch.
    """
    if look.only is not None:
        return _single(build, look.ids, look.at, list(look.only))
    return _page(build, name, look.limit, look.ids, look.at, *_cursor(look, source))


@kept
def _single(build: Build, ids: list[UUID], at: datetime, only: list[UUID]) -> QuerySet[Any]:
    return build(ids, at).filter(pk__in=only)


@kept
def _page(
    build: Build, name: str, limit: int, ids: list[UUID], at: datetime,
    side: str, before: datetime | None, last: UUID | None,
) -> QuerySet[Any]:  # fmt: skip
    return _placed(build(ids, at), name, limit, side, before, last)


def window_of(rows: QuerySet[Any], name: str, look: Look, source: str) -> QuerySet[Any]:
    """Return the same of rows that depend on more than whose they are and until when: on labels, on a day."""
    if look.only is not None:
        return rows.filter(pk__in=list(look.only))
    return _placed(rows, name, look.limit, *_cursor(look, source))


def noon(name: str, zone: str) -> Func:
    """Return noon of a day in the person's zone: wherever it is read, it stays that day."""
    at_noon = Func(F(name), template="(%(expressions)s + interval '12 hours')", output_field=DateTimeField())
    return Func(Value(zone_of(zone).key), at_noon, function="timezone", output_field=DateTimeField())


def _cursor(look: Look, source: str) -> tuple[str, datetime | None, UUID | None]:
    """Return on which side of the cursor a source goes on, the cursor's moment, and its id for its own."""
    before = look.before
    if before is None:
        return "", None, None
    if source == before.source:
        return "own", before.at, before.id
    # Of the same moment, sources of a lower key are still to come.
    return ("before" if source > before.source else "until"), before.at, None


def _placed(
    rows: QuerySet[Any], name: str, limit: int, side: str, before: datetime | None, last: UUID | None
) -> QuerySet[Any]:
    if side == "before":
        rows = rows.filter(**{f"{name}__lt": before})
    elif side == "until":
        rows = rows.filter(**{f"{name}__lte": before})
    elif side == "own":
        rows = rows.filter(~Q(**{name: before}) | Q(pk__lt=last), **{f"{name}__lte": before})
    return rows.order_by(f"-{name}", "-pk")[:limit]


def timeline(
    context: AccessContext,
    actor: Actor,
    patient_id: UUID,
    at: datetime,
    *,
    kinds: Collection[str] = (),
    before: Cursor | None = None,
    only_pinned: bool = False,
    words: str = "",
) -> Timeline:
    """Return one page of a person's timeline; a fixed number of queries, however long they are known.

    `kinds` narrows it (empty: all). With `words` it is a search through the next SEARCHED entries, by the
    words that the entries show; text that a person wrote is in no index and isn't searched.
    """
    patient = access.treated(actor, patient_id, at)
    depth = SEARCHED if words else PAGE
    look = replace(_look(context, patient, at), limit=depth + 1, before=before)
    pins = _pins(look.ids)
    first = _pinned(look, kinds, pins) if before is None and not words else []
    if only_pinned:
        found, after = (first or _pinned(look, kinds, pins)), None
        first = []
    else:
        found, after = _merged(look, kinds, depth)
    _add_reviews(context, look.ids, [*found, *first])
    for entry in found:
        entry.is_pinned = entry.id in pins.get(entry.source, ())
    searched_to = found[-1].at if words and after and found else None
    if words:
        found = [entry for entry in found if entry.says(words.casefold())]
    asks = not only_pinned and (not kinds or SESSIONS in kinds) and (before is None or before.is_day_end)
    until = min(at, before.at) if before is not None else at
    kept_back = withheld(look.ids, look.reach, until=until) if asks else 0
    may_write = look.reach.relation != access.BREAK_GLASS
    return Timeline(patient, found, first, after, searched_to, kept_back, may_write)


def entry(context: AccessContext, patient: Patient, source: str, item_id: UUID, at: datetime) -> Entry:
    """Return one entry of a person; NotFound for any other."""
    known = {one.key: one for one in sources()}
    if source in known:
        look = replace(_look(context, patient, at), only={item_id})
        for found in known[source].rows(look):
            if found.id == item_id:
                return found
    raise NotFound


def _look(context: AccessContext, patient: Patient, at: datetime) -> Look:
    """Return the look of one entry, with what labels leave open to whoever looks."""
    user = context.actor.person
    stands = standing(user, patient, at)
    reach, shut = reach_by(user.pk, stands), shut_by(user.pk, stands)
    return Look(patient, rows_of(patient), at, 1, context, stands, reach, shut)


def _merged(look: Look, kinds: Collection[str], depth: int) -> tuple[list[Entry], Cursor | None]:
    asked = [one.rows(look) for one in sources() if not kinds or one.kind in kinds]
    merged = heapq.nlargest(depth + 1, (entry for rows in asked for entry in rows), key=_place)
    more = len(merged) > depth
    return merged[:depth], merged[depth - 1].cursor if more else None


def _place(entry: Entry) -> Cursor:
    return entry.cursor


def _pins(ids: Collection[UUID]) -> dict[str, set[UUID]]:
    found: dict[str, set[UUID]] = defaultdict(set)
    rows = TimelinePin.objects.filter(patient_id__in=ids, unpinned_at__isnull=True)
    for source, item in rows.values_list("source", "item_id"):
        found[source].add(item)
    return found


def _pinned(look: Look, kinds: Collection[str], pins: dict[str, set[UUID]]) -> list[Entry]:
    """Return the pinned entries, one query for each source that has any."""
    found: list[Entry] = []
    for one in sources():
        if pins.get(one.key) and (not kinds or one.kind in kinds):
            found += one.rows(replace(look, only=pins[one.key], before=None))
    for entry in found:
        entry.is_pinned = True
    return sorted(found, key=_place, reverse=True)


def _add_reviews(context: AccessContext, ids: Collection[UUID], entries: Iterable[Entry]) -> None:
    """Put beside each finding what people said of it, the oldest first."""
    by_id: dict[UUID, list[Entry]] = defaultdict(list)
    for one in entries:
        if one.finding is not None:
            by_id[one.id].append(one)
    rows = FindingReview.objects.filter(patient_id__in=ids, finding_id__in=list(by_id))
    reviews = list(rows.select_related("reviewed_by").order_by("reviewed_at", "pk"))
    context.open(reviews, ("comment",))
    for review in reviews:
        line = {
            "verdict": review.verdict,
            "words": review.get_verdict_display(),
            "by": review.reviewed_by.full_name,
            "at": review.reviewed_at,
            "comment": review.comment or "",
        }
        for one in by_id[review.finding_id]:
            one.reviews.append(line)


def check_in_words(context: AccessContext, ids: Collection[UUID], check_in_id: UUID) -> DailyCheckIn:
    """Open what somebody wrote in one of their check-ins; NotFound for any other, and for one without."""
    found = DailyCheckIn.objects.filter(pk=check_in_id, patient_id__in=list(ids)).first()
    if found is None or not any(holds(found, name) for name in CHECK_IN_WORDS):
        raise NotFound
    context.open([found], CHECK_IN_WORDS)
    return found


def locked_pin(ids: Collection[UUID], source: str, item_id: UUID) -> TimelinePin | None:
    """Lock and return the pin that holds on an entry of a person whose rows these are, or None."""
    rows = TimelinePin.objects.select_for_update(of=("self",)).filter(unpinned_at__isnull=True)
    return rows.filter(patient_id__in=ids, source=source, item_id=item_id).order_by("pinned_at").first()


def pin_count(ids: Collection[UUID]) -> int:
    """Return how many entries of a person whose rows these are are pinned."""
    return TimelinePin.objects.filter(patient_id__in=ids, unpinned_at__isnull=True).count()
