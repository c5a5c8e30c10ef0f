"""Reads about instruments and administrations, shaped for pages and for the caseload."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Q, QuerySet

from clinical.assessments.definitions import LATER_FORM, Definition
from clinical.assessments.episodes import Episode, episodes
from clinical.assessments.expected import Track, track
from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Assessment, AssessmentDraft, Instrument, InstrumentText
from clinical.assessments.schedule import Own, Taken, missed
from clinical.assessments.scoring import Change, change, cutoff_of, days_between, is_adolescent
from cortex.access.context import AccessContext, holds
from cortex.audit import NotFound
from cortex.crypto.errors import SealedError
from cortex.ops.postgres.planned import planned_cursor
from cortex.ops.postgres.questions import kept
from cortex.ui.zone import zone_of
from patients.registry.models import Patient
from patients.registry.queries import rows_of

# A course older than this says nothing about treatment now.
LOOK_BACK = timedelta(days=730)
# The rows that were linked to each row on record that has any.
Linked = Mapping[UUID, Sequence[UUID]]


def draft_in(patient_id: UUID, forms: Iterable[Instrument]) -> AssessmentDraft | None:
    """Return the answers under way in one of these forms, or None."""
    rows = AssessmentDraft.objects.select_related("instrument")
    return rows.filter(patient_id=patient_id, instrument__in=list(forms)).first()


def drafts_of(patient_id: UUID, course: str) -> list[AssessmentDraft]:
    """Lock and return all answers under way of a measure, in any form or version."""
    rows = AssessmentDraft.objects.select_for_update(of=("self",))
    keys = [course, LATER_FORM.get(course, course)]
    return list(rows.filter(patient_id=patient_id, instrument__key__in=keys).order_by("pk"))


def last_answered(patient_ids: Iterable[UUID], forms: Iterable[Instrument], at: datetime) -> datetime | None:
    """Return when a measure was answered last in any of these forms; None where not within LOOK_BACK."""
    rows = Assessment.objects.standing().valid().filter(
        patient_id__in=list(patient_ids), instrument__in=list(forms), administered_at__gte=at - LOOK_BACK
    )  # fmt: skip
    return rows.order_by("-administered_at").values_list("administered_at", flat=True).first()


def taken_forms(patient_ids: Iterable[UUID], at: datetime) -> set[UUID]:
    """Return which forms these rows have valid answers in that a course counts, none corrected; one query."""
    rows = Assessment.objects.standing().valid().filter(patient_id__in=list(patient_ids))
    rows = rows.filter(administered_at__gte=at - LOOK_BACK).order_by()
    return set(rows.values_list("instrument_id", flat=True).distinct())


class Later(NamedTuple):
    """The form to ask of somebody who answered a measure before, and when they answered it last."""

    form: Instrument
    since: datetime


def later_of(who: Patient, measure: Instrument, at: datetime) -> Later | None:
    """Return a measure's later form, for whoever answered the first one, where it can be asked in words."""
    if measure.key not in LATER_FORM:
        return None
    ids = rows_of(who)
    first = last_answered(ids, [measure], at)
    form = offers.later_form(measure, who.organization_id, who.language) if first is not None else None
    if first is None or form is None:
        return None
    return Later(form, max(first, last_answered(ids, [form], at) or first))


def locked_draft(patient_id: UUID, row: Instrument) -> AssessmentDraft | None:
    """Lock and return the answers under way, or None."""
    rows = AssessmentDraft.objects.select_for_update(of=("self",))
    return rows.filter(patient_id=patient_id, instrument=row).first()


def administration(patient_ids: Iterable[UUID], assessment_id: UUID) -> Assessment:
    """Return one administration of these rows of a person; NotFound for any other."""
    rows = Assessment.objects.select_related("instrument", "administered_by")
    found = rows.filter(pk=assessment_id, patient_id__in=list(patient_ids)).first()
    if found is None:
        raise NotFound
    return found


def stored_alike(
    patient_id: UUID, row: Instrument, user_id: UUID | None, items: Mapping[str, int | None], since: datetime
) -> Assessment | None:
    """Return the newest administration that somebody stored since a time with just these answers, or None."""
    rows = Assessment.objects.filter(patient_id=patient_id, instrument=row, items=dict(items))
    rows = rows.filter(administered_by_id=user_id, created_at__gte=since)
    return rows.order_by("-created_at").first()


def standing(patient_ids: Iterable[UUID], since: datetime | None = None) -> list[Assessment]:
    """Return the administrations of these rows that no correction stands for, oldest first; three queries.

    Their answers stay unread but for the ninth, as `item9`; each instrument is read once, however many
    administrations it has.
    """
    return _standing(list(patient_ids), since)


@kept
def _standing(patient_ids: list[UUID], since: datetime | None) -> QuerySet[Assessment]:
    rows = Assessment.objects.standing().filter(patient_id__in=patient_ids)
    if since is not None:
        rows = rows.filter(administered_at__gte=since)
    rows = rows.annotate(item9=F("items__q9")).defer("items")
    rows = rows.prefetch_related("instrument", "administered_by")
    return rows.order_by("administered_at", "pk")


def around(
    patient_ids: Iterable[UUID], start: datetime, end: datetime, session_id: UUID | None
) -> list[Assessment]:
    """Return these rows' standing administrations of a time, or of a session, oldest first; one query."""
    return _around(list(patient_ids), start, end, session_id)


@kept
def _around(
    patient_ids: list[UUID], start: datetime, end: datetime, session_id: UUID | None
) -> QuerySet[Assessment]:
    wanted = Q(administered_at__range=(start, end))
    if session_id is not None:
        wanted |= Q(session_id=session_id)
    rows = Assessment.objects.standing().filter(wanted, patient_id__in=patient_ids)
    return rows.select_related("instrument").defer("items").order_by("administered_at", "pk")


@dataclass(frozen=True, slots=True)
class Point:
    """One valid administration on a course; `item9` is its answer in a PHQ-9, where its answers were read."""

    assessment_id: UUID
    at: datetime
    total: int
    band: str
    prorated: bool
    flags: tuple[str, ...]
    item9: int | None = None


@dataclass(slots=True)
class Course:
    """The valid totals of one measure, oldest first, with what they say.

    `episode` is the treatment that goes on, from whose beginning change is reckoned; `is_young` says that the
    cut-off of adolescents held at the newest total. `began` (None: with the first total) and `own` are what
    the schedule is reckoned by, for a course that is drawn.
    """

    definition: Definition
    points: list[Point] = field(default_factory=list)
    declined: int = 0
    episode: Episode | None = None
    is_young: bool = False
    began: datetime | None = None
    own: Own = field(default_factory=Own)

    @property
    def latest(self) -> Point | None:
        """Return the newest point."""
        return self.points[-1] if self.points else None

    @property
    def opening(self) -> Point | None:
        """Return the first point around the beginning of the treatment; None without either."""
        if self.episode is None:
            return None
        opens, closes = self.episode.opens, self.episode.closes
        return next((one for one in self.points if opens <= one.at < closes), None)

    @property
    def baseline(self) -> Point | None:
        """Return where change is reckoned from: the treatment's first point, else the first of the course."""
        return self.opening or (self.points[0] if self.points else None)

    @property
    def cutoff(self) -> int | None:
        """Return the cut-off that scoring holds totals against; None without one."""
        return cutoff_of(self.definition, adolescent=self.is_young)

    def since_baseline(self) -> Change | None:
        """Return the change from the baseline; None when nothing was taken after it."""
        baseline = self.baseline
        return None if baseline is None or baseline is self.latest else self._change(baseline)

    def since_last(self) -> Change | None:
        """Return the change from the point before; None with fewer than two."""
        return self._change(self.points[-2]) if len(self.points) > 1 else None

    def _change(self, before: Point) -> Change:
        now, first, below = self.points[-1], self.baseline or before, self.definition.change.remission_below
        found = change(self.definition, before.total, now.total, days_between(before.at, now.at))
        # What treatment has come to is told from its baseline, whichever point this one is held against.
        since = change(self.definition, first.total, now.total)
        # Who began below the limit was not ill by it, so nothing remits.
        remission = found.remission and not (below is not None and first.total < below)
        return replace(found, response=since.response, recovered=since.recovered, remission=remission)

    def track(self) -> Track:
        """Return whether the course goes as expected since the baseline."""
        baseline, now = self.baseline, self.latest
        if baseline is None or now is None or baseline is now:
            return Track("unknown", "One total says nothing about a course yet.", None)
        return track(self.definition, baseline.total, now.total, days_between(baseline.at, now.at))

    def taken(self) -> tuple[Taken, ...]:
        """Return the points as the schedule reads them."""
        below = self.definition.change.remission_below
        return tuple(Taken(one.at, below is not None and one.total < below) for one in self.points)

    def gaps(self) -> set[datetime]:
        """Return the times of the points before which visits are missing, by the schedule of their time."""
        if not self.points:
            return set()
        return missed(self.definition.key, self.taken(), self.began or self.points[0].at, self.own)


# Of one measure of one row's person: its standing valid administrations of late.
_VALID = """
SELECT one.id, one.administered_at, one.total, one.band, one.prorated, one.flags
  FROM clinical_assessment one
 WHERE one.patient_id = asked.patient_id AND one.instrument_id = measure.id
   AND one.administered_at >= $3 AND one.is_valid AND one.total IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM clinical_assessment other WHERE other.supersedes_id = one.id)
"""
# The first, the last two, and the first around the beginning of a treatment; each is looked up in the index.
_ENDS = f"""
SELECT asked.patient_id, measure.id, point.*
  FROM unnest($1::uuid[], $4::timestamptz[], $5::timestamptz[])
       AS asked (patient_id, opens, closes)
 CROSS JOIN unnest($2::uuid[]) AS measure (id)
 CROSS JOIN LATERAL (
   ({_VALID} ORDER BY one.administered_at, one.id LIMIT 1) UNION
   ({_VALID} ORDER BY one.administered_at DESC, one.id DESC LIMIT 2) UNION
   ({_VALID} AND one.administered_at >= asked.opens AND one.administered_at < asked.closes
    ORDER BY one.administered_at, one.id LIMIT 1)
 ) AS point (id, at, total, band, prorated, flags)
 ORDER BY point.at, point.id
"""  # noqa: S608


def ends(
    patient_ids: Iterable[UUID], offered: Iterable[UUID], since: datetime,
    treated: Mapping[UUID, Episode] | None = None,
) -> Iterable[tuple[UUID, UUID, Point]]:  # fmt: skip
    """Return of each offered measure of each row the first valid administration, the baseline, the last two.

    Oldest first, as (row, instrument, point): what a list of many people reads of a course is where it and
    the row's treatment (`treated`) began, where it stands, and what changed. One query; no instance is made.
    """
    rows = list(patient_ids)
    spans = [treated.get(pk) if treated else None for pk in rows]
    opens, closes = [one and one.opens for one in spans], [one and one.closes for one in spans]
    with planned_cursor() as cursor:
        cursor.execute(_ENDS, [rows, list(offered), since, opens, closes])
        found = cursor.fetchall()
    for patient_id, instrument_id, pk, at, total, band, prorated, flags in found:
        yield patient_id, instrument_id, Point(pk, at, total, band, prorated, tuple(flags))


def courses(
    rows: Iterable[Assessment], offered: Iterable[Instrument], episode: Episode | None = None
) -> dict[str, Course]:
    """Return the course of each offered instrument by key, all forms in one; other versions don't count."""
    found = {(row.key, row.version): Course(row.read(), episode=episode) for row in offered}
    for one in rows:
        course = found.get((one.instrument.course_key, one.instrument.version))
        if course is None:
            continue
        if one.total is not None and one.is_valid:
            flags = tuple(one.flags)
            item9 = item9_of(one)
            course.points.append(
                Point(one.pk, one.administered_at, one.total, one.band, one.prorated, flags, item9)
            )
        elif "declined" in one.flags:
            course.declined += 1
    return {course.definition.key: course for course in found.values()}


def note_age(context: AccessContext, patient: Patient, found: Iterable[Course]) -> None:
    """Say of these courses of a person whether the cut-off of adolescents held at their newest total.

    The birthday opens only where a measure has such a cut-off and was taken.
    """
    asking = [one for one in found if one.definition.cutoff_adolescent is not None and one.points]
    if not asking:
        return
    born = None
    if holds(patient, "date_of_birth"):
        context.open([patient], ("date_of_birth",))
        with suppress(SealedError):  # as in scoring: the band says it, and no result is withheld
            born = patient.date_of_birth
    zone = zone_of(patient.zone())
    for one in asking:
        one.is_young = is_adolescent(born, patient.is_minor, one.points[-1].at.astimezone(zone).date())


def courses_of_ends(
    rows: Iterable[tuple[UUID, Point]], offered: Iterable[tuple[UUID, Definition]],
    episode: Episode | None = None,
) -> dict[str, Course]:  # fmt: skip
    """Return the course of each offered instrument by key from its ends, as (instrument, point)."""
    found = {pk: Course(definition, episode=episode) for pk, definition in offered}
    for instrument_id, point in rows:
        found[instrument_id].points.append(point)
    return {course.definition.key: course for course in found.values()}


def courses_of_many(
    patient_ids: Collection[UUID], offered: Iterable[Instrument], at: datetime, linked: Linked
) -> tuple[dict[UUID, dict[str, Course]], Mapping[UUID, Episode]]:
    """Return the courses of many people, and their treatments, by row; two queries, however many they are."""
    treated = episodes([*patient_ids, *(row for rows in linked.values() for row in rows)], at)
    return courses_at_ends(patient_ids, offered, at, treated, linked), treated


def courses_at_ends(
    patient_ids: Collection[UUID], offered: Iterable[Instrument], at: datetime,
    treated: Mapping[UUID, Episode], linked: Linked,
) -> dict[UUID, dict[str, Course]]:  # fmt: skip
    """Return the courses of many people whose treatments are known; they hold their ends alone. One query.

    What was taken of a row that is linked to one of them is of the same course: the ends of each row.
    """
    done: dict[UUID, list[tuple[UUID, Point]]] = defaultdict(list)
    rows = list(offered)
    read = [(row.pk, row.read()) for row in rows]
    first = {form: row.pk for row in rows for form in row.with_forms}
    owner = {row: pk for pk, others in linked.items() for row in others}
    spans = {**treated, **{row: treated[pk] for row, pk in owner.items() if pk in treated}}
    for row, instrument_id, point in ends([*patient_ids, *owner], first, at - LOOK_BACK, spans):
        done[owner.get(row, row)].append((first[instrument_id], point))
    return {pk: courses_of_ends(done[pk], read, treated.get(pk)) for pk in patient_ids}


def item_lines(one: Assessment, text: InstrumentText | None) -> list[dict[str, Any]]:
    """Return the answers of one administration as lines of a table: key, question, answer, value.

    `counts` is false for what stands beside the total.
    """
    definition = one.instrument.read()
    words = text.texts if text is not None else {}
    lines = []
    for item in definition.items:
        value = one.items.get(item.key)
        answers = words.get("item_answers", {}).get(item.key) or words.get("answers", {})
        lines.append(
            {
                "key": item.key,
                "question": words.get("items", {}).get(item.key, ""),
                "answer": answers.get(str(value), "") if value is not None else "",
                "value": value,
                "asked": definition.is_asked(item, one.items),
                "counts": item.in_total,
                "rings": definition.key == "phq9" and item.key == "q9" and bool(value),
            }
        )
    return lines


def item9_of(one: Any) -> int | None:
    """Return the answer to item 9 of a PHQ-9 that was read with its answers or by `standing`; else None."""
    if one.instrument.key != "phq9":
        return None
    return one.item9 if hasattr(one, "item9") else one.items.get("q9")


def correction_of(one: Assessment) -> Assessment | None:
    """Return the administration that stands in the place of this one, or None."""
    return Assessment.objects.filter(supersedes=one).first()


def band_words(one: Assessment) -> str:
    """Return the name of an administration's band, or ""."""
    return next((band.label for band in one.instrument.read().bands if band.code == one.band), "")
