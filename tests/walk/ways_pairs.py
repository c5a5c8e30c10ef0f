"""Who may open which row of ways in and out, break-glass and a chart's sections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.walk.world import World


def ways_pairs(world: World, pair: Callable[..., Any]) -> dict[str, Any]:
    """Return the pairs by URL name; `pair` makes one (`Pair`)."""
    treated = {"patient_id": str(world.patients["contact"].pk)}
    opened = {"patient_id": str(world.cast.patient.pk)}
    glass = {"glass_id": world.ways["glass_pendo"]}
    incident = {"glass_id": world.ways["glass_bob"]}
    referral = {"referral_id": world.ways["referral"]}
    absence = {"absence_id": world.ways["absence"]}
    judged = {"verdict": "appropriate", "note": "It was right."}
    consent = {"consent_type": "research", "granted": "yes", "method": "paper", "language": "en"}
    called = {"name": "Auntie", "phone": "+254700000009", "place": "1"}
    contact, seen = {"contact_id": world.ways["contact"]}, {"seen": world.ways["contact_seen"]}
    both = ("GET", "POST")

    def chart(*methods: str, ids: Any = None, data: Any = None) -> Any:
        return pair(treated | (ids or {}), "alice", (), methods, data or {})

    return {
        "clinical:chart_people": chart(*both, data={"role": "caregiver", "outside_name": "Auntie"}),
        "clinical:chart_team_end": chart("POST", ids={"member_id": world.ways["member"]}),
        "clinical:chart_contact_add": chart(*both, data=called),
        "clinical:chart_contact": chart(*both, ids=contact, data=called | seen),
        "clinical:chart_contact_retire": chart("POST", ids=contact, data=seen),
        "clinical:chart_contact_restore": chart("POST", ids=contact),
        "clinical:chart_consent": chart(*both, data=consent),
        "clinical:chart_consent_withdraw": chart("POST", ids={"consent_type": "voice_processing"}),
        "clinical:chart_access": chart("GET"),
        "clinical:chart_crisis": chart("GET"),
        "clinical:first_steps": chart("GET"),
        # Forms without a word: a discharge would close the chart for the visits that follow.
        "clinical:discharge": chart(*both),
        "clinical:transfer": chart(*both),
        "clinical:glass_end": pair(opened, "pendo", (), ("POST",)),
        "clinical:glass_protected": pair(opened, "pendo", (), both),
        "clinical:glass_review": pair(glass, "cora", (), both, judged),
        "clinical:glass_incident": pair(incident, "cora", (), ("POST",), {"note": "We spoke."}),
        "clinical:notice_seen": pair({"notice_id": world.ways["notice"]}, "alice", (), ("POST",)),
        "clinical:referral": pair(referral, "pendo", ("sam",), ("GET",)),
        "clinical:referral_name": pair(
            referral, "sam", (), ("POST",), {"user": str(world.people["pendo"].pk)}
        ),
        "clinical:referral_accept": pair(referral, "pendo", (), ("POST",)),
        "clinical:referral_decline": pair(referral, "pendo", ("sam",), ("POST",), {"code": "no_room"}),
        "clinical:absence_end": pair(absence, "alice", ("sam", "ada", "opal"), ("POST",)),
        "clinical:absence_extend": pair(absence, "alice", ("sam", "ada", "opal"), ("POST",)),
        "clinical:leaver": pair({"user_id": str(world.cast.alice.pk)}, "sam", ("ada", "opal"), both),
    }
