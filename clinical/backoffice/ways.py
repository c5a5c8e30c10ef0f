"""What the demo shows of ways in and out: referrals, an absence, a hand-over, break-glass."""

from __future__ import annotations

from datetime import timedelta

from clinical.backoffice import queries
from clinical.pathway.actions import refer, transfer
from clinical.pathway.queries import unsigned_about
from cortex.accounts.models import User
from cortex.audit.actors import actor_of_user
from cortex.clock import clock
from patients.breakglass.actions import break_glass
from patients.codes import EndingReason
from patients.covers.actions import plan_absence
from patients.pathway.actions import EndingData, ReferralData
from patients.registry.queries import rows_of
from patients.registry.records import RegisterPatient

SENT = (
    ("Pendo", "+254700090001", "hospital", "urgent", "Left the ward yesterday; needs a call within a day."),
    ("Baraka", "+254700090002", "physician", "soon", "Low for three months, tablets alone don't help."),
    ("Neema", "+254700090003", "self", "routine", "Would like to talk about a loss, in Kiswahili."),
)  # fmt: skip


def make_ways(staff: list[User]) -> int:
    """Let fictional staff refer, hand over, plan an absence and break the glass, once; return how many."""
    by_role = {role: [one for one in staff if one.role == role] for role in ("supervisor", "therapist")}
    psychiatrist = next((one for one in staff if one.role == "psychiatrist"), None)
    if len(by_role["therapist"]) < 2 or not by_role["supervisor"] or psychiatrist is None:
        return 0
    first, second = by_role["therapist"][:2]
    if queries.has_referral(first.organization_id):
        return 0
    at = clock()
    treated = queries.treated_by(second.pk, at)
    # Nobody is handed over at once with a note that waits for a signature.
    given = next((one for one in treated if not unsigned_about(rows_of(one), second.pk)), None)
    stays = next((one for one in treated if one != given), None)
    if given is not None and stays is not None:
        ending = EndingData(EndingReason.PERSON_ASKED, "Met four times. She would like to go on with Lena.")
        transfer(
            actor=actor_of_user(second), patient_id=given.pk, to_id=first.pk, data=ending
        )  # fmt: skip
        break_glass(
            actor=actor_of_user(psychiatrist), asked=stays.anonymous_id, reason_code="imminent_risk",
            reason="Her brother rang the ward: she is at the bridge, and Tobi can't be reached.",
        )  # fmt: skip
    plan_absence(
        actor=actor_of_user(second), user_id=second.pk, cover_id=first.pk, starts_at=at,
        ends_at=at + timedelta(days=5),
    )  # fmt: skip
    for number, (name, phone, source, urgency, reason) in enumerate(SENT):
        data = ReferralData(source, urgency, reason, asked_id=first.pk if number < 2 else None)
        newcomer = RegisterPatient(given_name=name, family_name="Newcomer (fictional)", phone=phone)
        refer(actor=actor_of_user(by_role["supervisor"][0]), data=data, newcomer=newcomer)
    return len(SENT)
