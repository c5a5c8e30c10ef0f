"""Ways in and emergencies in a browser: words of a referral, of a broken glass, of a welfare check."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from crisis.alerts.models import RiskAlert
from crisis.reviews.models import WELFARE, ReviewItem
from crisis.welfare.actions import ask_welfare_check
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.faults.room_words import Room

# A word to whoever sent them: it leaves by hand, and no page shows an answered referral's words.
UNSHOWN = ("declined",)
SignIn = Callable[[str], None]


def go_other_ways(room: Room, cast: Cast, compliance: str, sign_in: SignIn) -> None:
    """Refer the person and decline, break their glass and judge it, ask about a welfare check and decide.

    Each word must stand on a page afterwards, as with the therapist's hour. `compliance` is the e-mail of
    who judges; `sign_in` lets somebody else into the same browser.
    """
    makers.scope_all()
    row = Patient.objects.get(pk=room.who)
    shown = _referral(room, row, cast, sign_in)
    shown += _broken_glass(room, row, cast, compliance, sign_in)
    shown += _welfare(room, row, cast, sign_in)
    missing = [one for one in room.typed if one not in shown and not one.endswith(UNSHOWN)]
    assert missing == [], missing


def _referral(room: Room, row: Patient, cast: Cast, sign_in: SignIn) -> str:
    sign_in(cast.sam.email)
    room.send(f"{room.origin}/ways/referrals/new/", {
        "pseudonym": row.anonymous_id, "source": "self", "referrer": room.word("referrer"), "urgency": "soon",
        "reason": room.word("referred"), "asked": str(cast.bob.pk),
    })  # fmt: skip
    sign_in(cast.bob.email)
    room.page.goto(f"{room.origin}/ways/")
    room.page.locator("a[href*='/ways/referrals/']:not([href*='new'])").first.click()
    room.page.wait_for_load_state()
    shown, at = room.page.content(), room.page.url
    room.send(at, {"code": "no_room", "note": room.word("declined")})
    sign_in(cast.sam.email)
    room.page.goto(f"{room.origin}/ways/")
    return shown + room.page.content()


def _broken_glass(room: Room, row: Patient, cast: Cast, compliance: str, sign_in: SignIn) -> str:
    sign_in(cast.bob.email)
    room.send(f"{room.origin}/break-glass/", {
        "asked": row.anonymous_id, "reason_code": "imminent_risk", "reason": room.word("glass"),
    })  # fmt: skip
    sign_in(compliance)
    room.page.goto(f"{room.origin}/break-glass/reviews/")
    room.page.locator("#main a[href*='/break-glass/reviews/']").first.click()
    room.page.wait_for_load_state()
    shown, at = room.page.content(), room.page.url
    room.send(at, {"verdict": "inappropriate", "note": room.word("judged")})
    room.page.goto(at)
    shown += room.page.content()
    room.send(at, {"note": room.word("incident")})
    room.page.goto(at)
    return shown + room.page.content()


def _welfare(room: Room, row: Patient, cast: Cast, sign_in: SignIn) -> str:
    """Let the house ask twice, as after a follow-up that reached nobody; one is sent, one is not."""
    sign_in(cast.sam.email)
    alert = RiskAlert.objects.filter(patient=row).latest("raised_at")
    for decision, field in (("dont_send", "reason"), ("send", "reference"), ("", "")):
        makers.scope_all()
        ask_welfare_check(
            actor=makers.machine(cast.home), patient=row, organization_id=cast.home.pk, source=alert,
            at=makers.now() + timedelta(seconds=1),
        )  # fmt: skip
        makers.scope_all()
        item = ReviewItem.objects.open().get(patient=row, reason_code=WELFARE)
        at = f"{room.origin}/reviews/welfare-checks/{item.pk}/"
        if decision:
            room.send(at, {"decision": decision, field: room.word(f"welfare{decision.replace('_', '')}")})
    room.page.goto(at)  # what was decided before stands beside the next question
    return room.page.content()
