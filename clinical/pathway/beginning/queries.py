"""Reads of how care began by a referral: by when somebody was to be seen, and what is missing since."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from clinical.notes.models import Note, NoteStatus, NoteType
from clinical.scheduling.models import Appointment, Status
from clinical.sessions.labels import LABELS, MEMBER, open_sessions
from cortex.ops.postgres.questions import kept
from patients.codes import MET, ConsentType, ReferralStatus, Urgency
from patients.labels.rules import closed_to
from patients.pathway.models import Referral
from patients.privacy.queries import consent_state
from patients.registry.person import EmergencyContact
from patients.sessions.models import Session

# [P] how soon each urgency asks for the first contact, from when the referral was taken down; "in turn" has
# no day, and is told by its missing steps.
PROMISES = {Urgency.URGENT: timedelta(days=1), Urgency.SOON: timedelta(days=7)}
# [P] first steps that are missing for so long are overdue, as a measure is.
STEPS_WITHIN = timedelta(days=7)
CONSENTS = {
    ConsentType.TREATMENT: "consent to treatment",
    ConsentType.PRIVACY_NOTICE: "the privacy notice",
}
CALLS = "somebody to call"
# How what is owed at the beginning of care begins in words.
STEPS, CONTACT = "First steps", "First contact"
SITTINGS = ("therapy", "crisis_contact")
# Whatever the person agreed to of Part 2: a contact that may be shut to the reader tells them nothing.
SHUT = tuple(sorted(closed_to(MEMBER, part2=False)))


class Owed(NamedTuple):
    """What is still to do for whose care begins, in words: since when it is, and when it is overdue."""

    words: str
    since: datetime
    due: datetime


@dataclass(frozen=True, slots=True)
class Beginning:
    """How care began by a referral that was accepted; `missing` are first steps in words, measures apart.

    `is_met` says whether somebody has met or called the person since, as far as labels tell the reader.
    """

    referral_id: UUID
    urgency: str
    received_at: datetime
    accepted_at: datetime
    is_met: bool
    missing: tuple[str, ...] = ()

    @property
    def promised_at(self) -> datetime | None:
        """By when the first contact is owed; None once it took place, and where no day was promised."""
        span = PROMISES.get(Urgency(self.urgency))
        return None if self.is_met or span is None else self.received_at + span

    @property
    def words(self) -> str:
        """How soon the referral asks for somebody, inside a sentence."""
        return Urgency(self.urgency).label.lower()

    @property
    def promise(self) -> Owed | None:
        """The first contact, as long as it is owed."""
        promised = self.promised_at
        words = f"{CONTACT} {self.words}, as the referral asks"
        return Owed(words, self.received_at, promised) if promised else None

    def step(self, words: str) -> Owed:
        """One first step that is missing."""
        return Owed(words, self.accepted_at, self.accepted_at + STEPS_WITHIN)

    def owed(self, measures: Iterable[str] = ()) -> list[Owed]:
        """Return the contact that is owed, and the missing first steps as one; `measures` are titles."""
        found = [self.promise] if self.promise else []
        if missing := [*self.missing, *measures]:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            found.append(self.step(f"{STEPS} missing: {missing[0]}{more}"))
        return found


def beginnings(ids: Collection[UUID], user_id: UUID, at: datetime) -> dict[UUID, Beginning]:
    """Return, by the row that was referred, how care of these rows began, of whom a referral was accepted.

    One query, and one more where there are any. A contact since then counts on any row of the person.
    """
    found = list(_accepted(ids, user_id, at))
    if not found:
        return {}
    held = consent_state([row[1] for row in found], list(CONSENTS), at)
    return {
        row: Beginning(
            referral_id,
            urgency,
            received_at,
            accepted_at,
            met or noted or came,
            (
                *(words for kind, words in CONSENTS.items() if not held[person, kind]),
                *(() if called else (CALLS,)),
            ),
        )
        for row, person, referral_id, urgency, received_at, accepted_at, met, noted, came, called in found
    }


def beginning_of(ids: Collection[UUID], user_id: UUID, at: datetime) -> Beginning | None:
    """Return how care of the one person whose rows these are began, by their newest referral."""
    found = beginnings(ids, user_id, at).values()
    return max(found, key=lambda one: one.accepted_at, default=None)


@kept
def _accepted(ids: Collection[UUID], user_id: UUID, at: datetime) -> QuerySet[Referral, Any]:
    """Each row's newest accepted referral, and whether somebody was with the person since."""
    own: dict[str, Any] = {"patient__person_id": OuterRef("patient__person_id")}
    since = OuterRef("decided_at")
    met = Session.objects.filter(
        open_sessions(user_id, SHUT), kind__in=SITTINGS, status__in=MET, started_at__gte=since,
        started_at__lte=at, **own,
    )  # fmt: skip
    seen = Q(author=user_id) | ~Q(**{f"{LABELS}__overlap": list(SHUT)})
    noted = Note.objects.filter(seen, status=NoteStatus.SIGNED, occurred_at__gte=since, **own)
    came = Appointment.objects.filter(status=Status.HELD, starts_at__gte=since, **own)
    called = EmergencyContact.objects.filter(is_active=True, **own)
    rows = Referral.objects.filter(
        patient_id__in=ids, status=ReferralStatus.ACCEPTED, decided_at__lte=at
    ).order_by("patient_id", "-received_at")
    return (
        rows.distinct("patient_id")
        .annotate(
            met=Exists(met), noted=Exists(noted.exclude(note_type=NoteType.SUPERVISION)), came=Exists(came),
            called=Exists(called),
        )
        .values_list(
            "patient_id", "patient__person_id", "pk", "urgency", "received_at", "decided_at", "met", "noted",
            "came", "called",
        )
    )  # fmt: skip
