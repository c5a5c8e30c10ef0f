"""Reads of neural audio: the profile, what sessions said of it, and what is proposed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from clinical.sessions.labels import Reach
from clinical.sessions.neural.contraindications import FACTORS
from clinical.sessions.neural.proposals import Heard, Standing, band_of, norm, worst_of
from cortex.access.context import AccessContext
from cortex.audit import NotFound
from crisis.risk.models import Evidence, FactorStatus
from patients.codes import SessionKind, SessionStatus
from patients.registry.models import Patient
from patients.sessions.models import Session
from patients.sessions.neural import USUAL_HZ, NeuralProfile, NeuralProfileProposal, ProposalStatus

LOOK_BACK = timedelta(days=180)
# Feedback comes within this span of its session; the index knows sessions by their time.
RATED_WITHIN = timedelta(days=30)
# What is kept of the past on the page.
RECENT = 10


def profile_of(patient_ids: Collection[UUID]) -> NeuralProfile | None:
    """Return a person's profile, or None when nobody made one."""
    rows = NeuralProfile.objects.select_related("checked_by", "assigned_by", "patient")
    return rows.filter(patient_id__in=patient_ids).order_by("pk").first()


def locked_profile(patient: Patient, patient_ids: Collection[UUID]) -> NeuralProfile:
    """Lock and return a person's profile, an empty unsaved one when there is none; the person is locked."""
    rows = NeuralProfile.objects.select_for_update(of=("self",))
    found = rows.filter(patient_id__in=patient_ids).order_by("pk").first()
    return found or NeuralProfile(patient=patient, organization_id=patient.organization_id)


def factors_of(patient: Patient, at: datetime) -> set[str]:
    """Return the coded risk factors on record that forbid neural audio; the newest word on each counts."""
    rows = (
        Evidence.objects.counting(at)
        .filter(patient__person_id=patient.person_id, code__in=list(FACTORS))
        .order_by("code", "-observed_at", "-id")
        .distinct("code")
    )
    return {one.code for one in rows if one.status == FactorStatus.PRESENT}


def proposals_told(patient_ids: Collection[UUID], who: Reach) -> QuerySet[NeuralProfileProposal]:
    """Return what the rules proposed of a person, as far as labels of its sessions leave it open.

    A proposal says what its sessions said: where one of its time is shut, so is the proposal.
    """
    asked = Session.objects.filter(
        who.shuts(), patient_id__in=patient_ids, kind=SessionKind.NEURAL_AUDIO,
        started_at__range=(OuterRef("created_at") - LOOK_BACK, OuterRef("newest_at")),
    ).exclude(run__clinician=who.user_id)  # fmt: skip
    return NeuralProfileProposal.objects.filter(~Exists(asked), patient_id__in=patient_ids)


def proposals_withheld(patient_ids: Collection[UUID], who: Reach) -> int:
    """Return how many proposals labels keep back from somebody."""
    rows = NeuralProfileProposal.objects.filter(patient_id__in=patient_ids)
    return rows.exclude(pk__in=proposals_told(patient_ids, who).values("pk")).count()


def waiting_fields(patient_ids: Collection[UUID]) -> set[tuple[str, str]]:
    """Return on which fields and bands something waits already, whoever may read it."""
    rows = NeuralProfileProposal.objects.filter(patient_id__in=patient_ids, status=ProposalStatus.OPEN)
    return set(rows.values_list("field", "band"))


def open_proposals(patient_ids: Collection[UUID], who: Reach) -> list[NeuralProfileProposal]:
    """Return what waits for a clinician and is open to somebody."""
    rows = proposals_told(patient_ids, who).filter(status=ProposalStatus.OPEN)
    return list(rows.order_by("band", "field"))


def decided_proposals(patient_ids: Collection[UUID], who: Reach) -> list[NeuralProfileProposal]:
    """Return what was decided lately and is open to somebody."""
    rows = proposals_told(patient_ids, who).exclude(status=ProposalStatus.OPEN)
    return list(rows.select_related("decided_by").order_by("-decided_at")[:RECENT])


def locked_proposal(patient_ids: Collection[UUID], who: Reach, proposal_id: UUID) -> NeuralProfileProposal:
    """Lock and return one open proposal of these rows of a person; NotFound for any other."""
    rows = proposals_told(patient_ids, who).select_for_update(of=("self",))
    found = rows.filter(pk=proposal_id).first()
    if found is None:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    return found


def told_before(patient_ids: Collection[UUID]) -> dict[tuple[str, str], datetime]:
    """Return the newest evidence that was proposed on already, by (field, band): nothing is asked twice."""
    rows = NeuralProfileProposal.objects.filter(patient_id__in=patient_ids)
    found: dict[tuple[str, str], datetime] = {}
    for name, band, newest in rows.values_list("field", "band", "newest_at"):
        found[name, band] = max(newest, found.get((name, band), newest))
    return found


def standing_of(profile: NeuralProfile | None) -> Standing:
    """Return what of a profile the rules look at; a new one when there is none."""
    one = profile or NeuralProfile()
    return Standing(
        bounds=one.bounds(),
        volume_level=one.volume_level,
        sensitivity_level=one.sensitivity_level,
        preferred_hz=one.preferred_hz,
        paused_bands=tuple(one.paused_bands),
    )


def heard_of(
    context: AccessContext, patient_ids: Collection[UUID], profile: NeuralProfile | None, at: datetime
) -> list[Heard]:
    """Return what a person's neural-audio sessions said, newest first; opens the effects of each."""
    rows = list(
        Session.objects.filter(
            patient_id__in=patient_ids, kind=SessionKind.NEURAL_AUDIO, started_at__gte=at - LOOK_BACK,
            neural_audio__isnull=False,
        )
        .select_related("neural_audio")
        .prefetch_related("feedback")
        .order_by("-started_at")
    )  # fmt: skip
    answers = [one for row in rows for one in row.feedback.all()]
    context.open([row.neural_audio for row in rows], ["side_effects"])
    context.open(answers, ["physical_effects", "mental_effects"])
    bounds = standing_of(profile).bounds
    found = []
    for row in rows:
        given = list(row.feedback.all())
        raw = [(one.effectiveness_raw, one.effectiveness_scale) for one in given]
        norms = [norm(value, scale) for value, scale in raw if value is not None]
        effects = [effect for one in given for effect in (one.physical_effects, one.mental_effects)]
        found.append(
            Heard(
                band=band_of(row.neural_audio.target_frequency_hz, bounds),
                at=row.started_at,
                effectiveness=sum(norms) / len(norms) if norms else None,
                worst_effect=worst_of(row.neural_audio.side_effects, *effects),
            )
        )
    return found


def people_with_news(since: datetime) -> list[UUID]:
    """Return the persons of whose neural-audio sessions something came since a time that may propose.

    That is feedback, side effects, or, after either of them, how the session was set.
    """
    said = Q(feedback__isnull=False) | Q(neural_audio__side_effects__isnull=False)
    rows = Session.objects.filter(
        Q(feedback__received_at__gte=since) | Q(neural_audio__updated_at__gte=since) & said,
        kind=SessionKind.NEURAL_AUDIO, status__in=SessionStatus.values,
        started_at__gte=since - RATED_WITHIN,
    )  # fmt: skip
    return sorted(set(rows.values_list("patient__person_id", flat=True)))


def warnings_of(profile: NeuralProfile) -> list[str]:
    """Return what lies outside of the usual bounds of a band, in words (domain 1.7)."""
    found = []
    for band, (low, high) in profile.bounds().items():
        usual_low, usual_high = USUAL_HZ[band]
        if low < usual_low or high > usual_high:
            usual = f"{usual_low:g}-{usual_high:g} Hz"
            found.append(f"{band.capitalize()} is set to {low:g}-{high:g} Hz; usual is {usual}.")
    if profile.preferred_hz is not None and not band_of(profile.preferred_hz, profile.bounds()):
        found.append(f"The preferred {profile.preferred_hz:g} Hz lies in no band.")
    return found
