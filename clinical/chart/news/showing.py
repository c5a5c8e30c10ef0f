"""What happened to a person since a moment, as short lines; no query, nothing is opened here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, tzinfo
from itertools import groupby
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from clinical.chart.parts import Line
from clinical.notes.models import Note
from clinical.notes.wording import names_of
from clinical.plans.allergies.models import Allergy
from clinical.plans.allergies.showing import NONE_KNOWN, told_words
from clinical.plans.diagnoses.models import Diagnosis
from clinical.plans.medications.models import Medication
from clinical.plans.models import PlanVersion
from clinical.plans.wording import (
    DIAGNOSIS_ADDED,
    DIAGNOSIS_CHANGED,
    IN_ERROR,
    MEDICATION_BEGUN,
    MEDICATION_RECORDED,
    MEDICATION_STOPPED,
    diagnosis_words,
    medication_words,
    version_words,
)
from clinical.scheduling.models import Appointment, Status
from clinical.timeline.wording import joined_words
from crisis.safetyplans.models import SafetyPlan
from patients.care.models import CareTeamMember
from patients.care.queries import seat, seats
from patients.codes import ConsentType
from patients.privacy.records import Decision

# Of a day without a time: wherever it is read it stays that day.
NOON = time(12)


def is_touched(row: Any, since: datetime | None) -> bool:
    """Whether a row came or was changed since a moment; nothing was since None."""
    return since is not None and max(row.created_at, row.updated_at) > since


def medication_lines(rows: Iterable[Medication], since: datetime, url: str) -> Iterator[Line]:
    """Say of touched medications, opened, what was begun, changed, paused or stopped."""
    day = timezone.localtime(since).date()
    for one in rows:
        is_new = one.created_at > since
        if one.is_in_error:
            if not is_new:
                words = medication_words(IN_ERROR, one)
                yield Line(words, one.updated_at, url, "first-aid-kit")
            continue
        words = medication_words(_became(one, day, is_new=is_new), one)
        over = f"on {one.stop:%-d %b %Y}" if one.status == "stopped" and one.stop else ""
        if over and not words.startswith(MEDICATION_STOPPED):
            over = f"stopped {over}"
        at = one.created_at if is_new else one.updated_at
        yield Line(", ".join(filter(None, (words, over))), at, url, "first-aid-kit")


def _became(one: Medication, day: date, *, is_new: bool) -> str:
    """Return what became of a medication since a day; an end or a beginning of before is no news."""
    if one.status == "stopped" and (one.stop >= day if one.stop else not is_new):
        return MEDICATION_STOPPED
    if one.status == "on_hold":
        return "Medication paused"
    if not is_new:
        return "Medication changed"
    is_begun = one.status == "active" and one.start is not None and one.start >= day
    return MEDICATION_BEGUN if is_begun else MEDICATION_RECORDED


def allergy_lines(rows: Iterable[Allergy], since: datetime, url: str) -> Iterator[Line]:
    """Say of touched allergies, opened, what was recorded, changed, or stood and was an error.

    The statement that none is known is told when it is made: what ends it is told by itself.
    """
    for one in rows:
        is_new = one.created_at > since
        if one.none_known:
            if is_new and one.holds:
                yield Line(f"{NONE_KNOWN} is on record", one.created_at, url, "first-aid-kit")
            continue
        if one.is_in_error and is_new:
            continue
        at = one.created_at if is_new else one.updated_at
        yield Line(told_words(one, is_new=is_new), at, url, "alert-triangle")


def diagnosis_lines(rows: Iterable[Diagnosis], since: datetime, url: str) -> Iterator[Line]:
    """Say of touched diagnoses what was added or changed, and how each stands now."""
    for one in rows:
        is_new = one.created_at > since
        if one.is_in_error:
            if not is_new:
                yield Line(diagnosis_words(IN_ERROR, one), one.updated_at, url, "stethoscope")
            continue
        said = DIAGNOSIS_ADDED if is_new else DIAGNOSIS_CHANGED
        at = one.created_at if is_new else one.updated_at
        state = one.get_status_display().lower()
        yield Line(f"{diagnosis_words(said, one)}, {state}", at, url, "stethoscope")


def version_lines(rows: Iterable[PlanVersion]) -> Iterator[Line]:
    """Say when a plan was signed, and by whom."""
    for one in rows:
        by = f" by {one.signed_by.full_name}" if one.signed_by else ""
        url = reverse("clinical:plan_version", args=[one.patient_id, one.plan_id, one.version])
        yield Line(f"{version_words(one.version)}{by}", one.signed_at, url, "list-details")


def safety_lines(one: SafetyPlan | None) -> Iterator[Line]:
    """Say when the safety plan in force was finished."""
    if one is not None:
        said = "Safety plan made" if one.version == 1 else f"Safety plan changed, version {one.version}"
        url = reverse("crisis:safety_plan_version", args=[one.patient_id, one.pk])
        yield Line(said, one.finished_at, url, "lifebuoy")


def note_lines(rows: Iterable[Note]) -> Iterator[Line]:
    """Say who signed which type of note; never a word of it."""
    for one in rows:
        url = reverse("clinical:note_page", args=[one.patient_id, one.pk])
        words = f"{one.author.full_name} signed a note: {one.get_note_type_display()}"
        yield Line(words, one.signed_at, url, "notes")


def last_note_line(note: Note, zone: tzinfo) -> Line:
    """Lead to the last note: what was agreed in words, homework with it, opens there and nowhere before."""
    url = reverse("clinical:note_page", args=[note.patient_id, note.pk])
    signed = f", signed {note.signed_at.astimezone(zone):%-d %b %Y}" if note.signed_at else ""
    held = "its plan says the next step and homework" if "plan" in names_of(note.note_type) else ""
    return Line(f"Last note{signed}", None, url, "notes", detail=held)


def contact_line(note: Note, zone: tzinfo, *, late: bool = False) -> Line:
    """Say when a note wants the next contact; `late`: the day is over and nobody met the person since."""
    day = datetime.combine(note.follow_up_on or note.occurred_at.date(), NOON, zone)
    words = "No session since the agreed contact is on record" if late else "Next contact"
    url = reverse("clinical:note_page", args=[note.patient_id, note.pk])
    said = f"by the note of {note.occurred_at.astimezone(zone):%-d %b}"
    return Line(words, day, url, "notes", late, said)


def consent_lines(decided: Mapping[str, Decision], at: datetime) -> Iterator[Line]:
    """Say what was agreed to, withdrawn or refused, and what ran out; what came at once is one line."""
    told: dict[tuple[str, datetime], list[str]] = {}
    for kind, one in decided.items():
        said, when = "Consent given" if one.granted else "Consent withdrawn or refused", one.at
        if one.granted and one.expires_at is not None and one.expires_at <= at:
            said, when = "Consent ran out", one.expires_at
        told.setdefault((said, when), []).append(ConsentType(kind).label)
    for (said, when), names in told.items():
        yield Line(f"{said}: {', '.join(sorted(names))}", when, icon="file-certificate")


def appointment_lines(rows: Iterable[Appointment]) -> Iterator[Line]:
    """Say what was missed or cancelled; what was cancelled in one go is one line."""
    for (state, reason, noted), alike in groupby(rows, key=_as_noted):
        group = sorted(alike, key=lambda one: one.starts_at)
        said = "missed" if state == Status.NO_SHOW else "cancelled"
        why = f": {group[0].get_cancel_reason_display().lower()}" if reason else ""
        first = f"{timezone.localtime(group[0].starts_at):%-d %b %H:%M}"
        what = f"Appointment of {first}" if len(group) == 1 else f"{len(group)} appointments from {first} on"
        url = reverse("clinical:appointment", args=[group[0].pk])
        yield Line(f"{what} {said}{why}", noted, url, "calendar")


def _as_noted(one: Appointment) -> tuple[str, str, datetime | None]:
    return one.status, one.cancel_reason, one.status_at


def team_lines(
    team: Iterable[CareTeamMember], ended: Iterable[CareTeamMember], reader_id: UUID
) -> Iterator[Line]:
    """Say who came to the team or covers, the reader left out, and who left it."""
    here = seats(team)
    # Whose place on one row ended and who has the same on another has left nothing.
    ended = [one for one in ended if seat(one) not in {*map(seat, here)}]
    for one in [*here, *ended]:
        if one.user_id != reader_id:
            role = one.get_role_display()
            words = joined_words(_who(one), role, _covered(one), one.ends_at)
            yield Line(words, one.starts_at, icon="users")
    for one in ended:
        said = f"no longer covers for {_covered(one)}" if _covered(one) else "left the team"
        yield Line(f"{_who(one)} {said}", one.ends_at, icon="logout")


def _who(one: CareTeamMember) -> str:
    return one.user.full_name if one.user else "Somebody without an account"


def _covered(one: CareTeamMember) -> str:
    return one.cover_for.user.full_name if one.cover_for_id and one.cover_for and one.cover_for.user else ""
