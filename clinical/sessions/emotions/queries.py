"""Reads of emotions: of one session, and of those that wait for a clinician over the reader's own people."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.core.paginator import Page
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, When

from clinical.sessions.labels import Reach, shut_to_teams
from clinical.sessions.words.queries import kept_back, messages_of, window_of
from cortex.accounts.models import User
from cortex.audit import NotFound
from cortex.ids import time_of
from cortex.ui.pages import page_of
from patients.care.queries import treated_ids
from patients.codes import ConsentType, PatientStatus, ReviewStatus
from patients.privacy.queries import consent_state
from patients.registry.models import Patient
from patients.sessions.messages import Message
from patients.sessions.models import Session, private
from patients.sessions.observations import EmotionObservation

# [P] what is older says little about now; it can still be reviewed on its session's page.
WAITS = timedelta(days=60)
AHEAD = timedelta(days=1)
# A curve is drawn from so many readings; of a longer session from as many, spread over all of it.
MOST_DRAWN = 300
PER_PAGE = 100
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Readings:
    """The emotions of one session: how many there are, those that its curve shows, one page of its list."""

    total: int = 0
    withheld: int = 0
    drawn: list[EmotionObservation] = field(default_factory=list)
    page: Page[Any] | None = None
    rows: list[EmotionObservation] = field(default_factory=list)

    @property
    def is_thinned(self) -> bool:
        """Whether the curve leaves some out."""
        return len(self.drawn) < self.total


def readings_of(
    patient_ids: Collection[UUID], session: Session, shut: Collection[str], number: str | None, at: datetime
) -> Readings:
    """Return the emotions of an open session and of its messages; two queries, however many.

    Those that a label of their own or of their message keeps back are counted only.
    """
    rows = EmotionObservation.objects.in_window(*window_of(session, at))
    messages = messages_of(session, at).order_by()
    whose = Q(session_id=session.pk) | Q(message_id__in=messages.values("pk"))
    closed = kept_back(shut) | Q(message_id__in=messages.filter(kept_back(shut)).values("pk"))
    known = rows.filter(patient_id__in=patient_ids).filter(whose).order_by("observed_at", "pk")
    known = known.annotate(closed=Case(When(closed, then=True), default=False))
    every = list(known.values_list("pk", "is_flagged", "closed"))
    marks = [(pk, flagged) for pk, flagged, is_closed in every if not is_closed]
    drawn = set(spread(marks))
    page = page_of([pk for pk, _ in marks], number, PER_PAGE)
    wanted = drawn | set(page.object_list)
    found = {one.pk: one for one in rows.filter(pk__in=wanted).select_related("reviewed_by")}
    return Readings(
        total=len(marks), withheld=len(every) - len(marks),
        drawn=[found[pk] for pk, _ in marks if pk in drawn and pk in found], page=page,
        rows=[found[pk] for pk in page.object_list if pk in found],
    )  # fmt: skip


def spread(marks: Sequence[tuple[UUID, bool]], most: int = MOST_DRAWN) -> list[UUID]:
    """Return which of (id, is flagged), in the order of time, a curve shows: `most` at the most.

    All of a short session; of a longer one as many evenly over all of it, its first and its last among them,
    and its flagged ones, up to half.
    """
    if len(marks) <= most:
        return [pk for pk, _ in marks]
    flagged = _evenly([pk for pk, is_flagged in marks if is_flagged], most // 2)
    return list(dict.fromkeys([*_evenly([pk for pk, _ in marks], most - len(flagged)), *flagged]))


def _evenly(rows: Sequence[Item], most: int) -> list[Item]:
    """Return at most so many (two or more) of these, evenly, the first and the last among them."""
    if len(rows) <= most:
        return list(rows)
    return [rows[place * (len(rows) - 1) // (most - 1)] for place in range(most)]


@dataclass(frozen=True, slots=True)
class People:
    """The rows of a therapist's own people, and those of them who agreed to Part 2 care."""

    ids: list[UUID]
    agreed: list[UUID]
    reader_id: UUID


def own_people(user: User, at: datetime) -> People:
    """Return every row of the people whom `user` treats or covers now."""
    people = treated_ids(user, at)
    persons = Patient.objects.filter(pk__in=people).values("person_id")
    rows = Patient.objects.filter(person_id__in=persons).exclude(status=PatientStatus.DELETED)
    whose = dict(rows.values_list("pk", "person_id"))
    state = consent_state(set(whose.values()), [ConsentType.PART2_TPO], at)
    agreed = [pk for pk, person in whose.items() if state[person, ConsentType.PART2_TPO]]
    return People(list(whose), agreed, user.pk)


def _of_people(people: People, since: datetime, at: datetime) -> QuerySet[EmotionObservation]:
    """Return these people's readings that no label of theirs, of their session or message shuts."""
    rows = EmotionObservation.objects.in_window(since, at + AHEAD).filter(patient_id__in=people.ids)
    return rows.filter(_open(people.reader_id, partial(shut_to_teams, people.agreed)))


def _open(reader_id: UUID, shut: Callable[[str], Q]) -> Q:
    """Return the condition on readings: of a session that the reader ran, or shut by nothing around them.

    `shut` gives the condition that labels shut a row, for the path to it. What was read in a session that the
    person keeps to themself is shut too.
    """
    session = Session.objects.filter(pk=OuterRef("session_id")).filter(shut("") | private())
    around = shut("") | shut("session__") | private("session__")
    message = Message.objects.filter(pk=OuterRef("message_id")).filter(around)
    return Q(session__run__clinician=reader_id) | ~shut("") & ~Exists(session) & ~Exists(message)


def _is_private() -> Q:
    """Return the condition on readings of a session that the person keeps to themself, or of its messages."""
    message = Message.objects.filter(private("session__"), pk=OuterRef("message_id"))
    return Q(private("session__")) | Q(Exists(message))


def withheld(people: People, shown: int, at: datetime) -> int:
    """Return how many flagged emotions of these people wait beside those that are shown: labels keep them."""
    rows = EmotionObservation.objects.in_window(at - WAITS, at + AHEAD).filter(
        patient_id__in=people.ids, is_flagged=True, review_status=ReviewStatus.UNREVIEWED
    )
    return int(rows.exclude(_is_private()).count()) - shown


def waiting(people: People, at: datetime) -> QuerySet[EmotionObservation]:
    """Return the flagged emotions of these people that nobody has reviewed, newest first."""
    rows = _of_people(people, at - WAITS, at).filter(is_flagged=True, review_status=ReviewStatus.UNREVIEWED)
    return rows.select_related("patient", "session").order_by("-observed_at", "-pk")


def reviewed_lately(people: People, since: datetime, at: datetime) -> list[EmotionObservation]:
    """Return what the reader reviewed since a time, which they may still take back."""
    rows = _of_people(people, at - WAITS, at).filter(reviewed_by_id=people.reader_id, reviewed_at__gte=since)
    return list(rows.select_related("patient", "session").order_by("-reviewed_at")[:10])


@dataclass(frozen=True, slots=True)
class Tally:
    """What reviews said about one version of a model."""

    model: str
    version: str
    confirmed: int
    corrected: int
    rejected: int

    @property
    def total(self) -> int:
        """How many were reviewed."""
        return self.confirmed + self.corrected + self.rejected


def tallies(people: People, at: datetime) -> list[Tally]:
    """Return the reviews of these people's emotions per version of a model; one query."""
    rows = _of_people(people, at - 3 * WAITS, at)
    counted = (
        rows.exclude(review_status=ReviewStatus.UNREVIEWED)
        .order_by()
        .values_list("model_name", "model_version")
        .annotate(
            confirmed=Count("pk", filter=Q(review_status=ReviewStatus.CONFIRMED)),
            corrected=Count("pk", filter=Q(review_status=ReviewStatus.CORRECTED)),
            rejected=Count("pk", filter=Q(review_status=ReviewStatus.REJECTED)),
        )
    )
    return sorted((Tally(*row) for row in counted), key=lambda one: (one.model, one.version))


def locked_observation(patient_ids: list[UUID], observation_id: UUID, who: Reach) -> EmotionObservation:
    """Lock and return one observation of these rows of a person; NotFound for any other, or one kept back.

    Its key holds its time, so that the question touches its month only.
    """
    try:
        when = time_of(observation_id)
    except ValueError:
        raise NotFound("This does not exist, or it is not open to you.", "not_found") from None
    rows = EmotionObservation.objects.in_window(when - timedelta(minutes=1), when + timedelta(minutes=1))
    rows = rows.filter(_open(who.user_id, who.shuts))
    found = rows.select_for_update(of=("self",)).filter(pk=observation_id, patient_id__in=patient_ids).first()
    if found is None:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    return found
