"""Rows of ways in and out for the walk: charts and contacts opened, a referral, an absence, a notice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cortex.accounts.choices import Role
from cortex.ops.models import Notification
from patients.breakglass.actions import break_glass, review_break_glass
from patients.care.actions import add_to_care_team
from patients.contacts.actions import open_exception
from patients.covers.actions import plan_absence
from patients.holds.actions import issue_hold
from patients.pathway.actions import EndingData, ReferralData, make_referral, transfer_care
from patients.registry.person import EmergencyContact
from tests import makers

if TYPE_CHECKING:
    from tests.walk.world import World

WHY = {"reason_code": "imminent_risk", "reason": "glasswritten1, she says goodbye"}


def add_ways(world: World) -> None:
    """Let Pendo and Bob break the glass of the cast's patient, and Alice hand over, be away and be told."""
    cast, people = world.cast, world.people
    for user in (people["pendo"], cast.bob):
        one = break_glass(actor=makers.staff(user), asked=cast.patient.anonymous_id, **WHY)  # type: ignore[arg-type]
        assert one is not None
        world.ways[f"glass_{user.email.partition('@')[0]}"] = str(one.pk)
    review_break_glass(
        actor=makers.staff(people["cora"]), glass_id=one.pk, verdict="inappropriate",
        note="glasswritten1, no",
    )  # fmt: skip
    makers.scope_all()
    world.planted["glasswritten1"] = cast.patient.pk
    patient = world.patients["contact"]
    caregiver = add_to_care_team(
        actor=makers.staff(cast.ada), patient_id=patient.pk, role="caregiver", outside_name="Wambuifar3"
    )
    world.ways["member"] = str(caregiver.pk)
    contact = EmergencyContact.objects.filter(patient=patient).get()
    world.ways |= {"contact": str(contact.pk), "contact_seen": contact.updated_at.isoformat()}
    world.planted["Wambuifar3"] = patient.pk
    referred = make_referral(
        actor=makers.staff(cast.alice), patient=patient,
        data=ReferralData("colleague", "soon", "handwritten9, tablets", asked_id=people["pendo"].pk),
    )  # fmt: skip
    world.ways["referral"] = str(referred.pk)
    world.planted["handwritten9"] = patient.pk
    lent = makers.make_patient(cast.home, team=[cast.bob])
    transfer_care(
        actor=makers.staff(cast.bob), patient=lent, from_id=cast.bob.pk, to_id=people["pendo"].pk,
        data=EndingData("person_asked", "handwritten10"),
    )  # fmt: skip
    world.planted["handwritten10"] = lent.pk
    silent = makers.make_patient(cast.home, team=[cast.alice], consents=("treatment",))
    alert = makers.make_alert(silent)
    open_exception(
        actor=makers.staff(cast.sam), patient=silent, alert_id=alert.pk, level=alert.level,
        reason="dangerwritten1, on the bridge",
    )  # fmt: skip
    world.planted["dangerwritten1"] = silent.pk
    # Of records that no door of this walk deletes, so that none is shut by it.
    held = issue_hold(
        actor=makers.staff(makers.make_user(Role.COMPLIANCE, cast.home)), matter="HC 12/2026",
        patient_id=world.patients["ended"].pk, reason="holdwritten1, the claim", record_kinds=["documents"],
    )  # fmt: skip
    world.planted["holdwritten1"] = held.patient_id
    at = makers.now() + timedelta(days=30)
    away = plan_absence(
        actor=makers.staff(cast.alice), user_id=cast.alice.pk, cover_id=people["pendo"].pk, starts_at=at,
        ends_at=at + timedelta(days=5),
    )  # fmt: skip
    world.ways["absence"] = str(away.pk)
    makers.scope_all()
    notice = Notification.objects.filter(recipient=cast.alice).first()
    assert notice is not None
    world.ways["notice"] = str(notice.pk)
