"""Plans for the tests of safety plans: a whole one in somebody's words, written by the real actions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from cortex.access.context import reading
from cortex.accounts.models import User
from crisis.safetyplans import queries
from crisis.safetyplans.actions import Written, finish_plan, save_draft
from crisis.safetyplans.models import SafetyPlan
from crisis.safetyplans.queries import Lines
from patients.care.models import CareTeamMember
from tests import makers
from tests.cast import Cast
from tests.makers import staff

WHOLE: Lines = {
    "warning_signs": [("Going over old messages late at night", ""), ("Not answering Tobi", "")],
    "self_coping": [("Cold shower, then the long playlist", "")],
    "people_to_ask": [("Tobi, my brother", "0770 090 0318")],
    "professionals_services": [("This crisis desk, any time", "ext. 4400")],
    "safer_environment": [("The cabinet is locked", "Tobi has the keys")],
}


def written(**said: Any) -> Written:
    """A whole plan, made together; `lines` replaces all of them."""
    values = {"lines": WHOLE, "created_with_patient": True, "means_review_on": date(2027, 1, 4)} | said
    return Written(**values)


def token(cast: Cast) -> str:
    """What a form would have seen now."""
    makers.scope_all()
    return queries.held([cast.patient.pk]).token


def save(cast: Cast, user: User | None = None, seen: str | None = None, **said: Any) -> SafetyPlan:
    """Keep a draft."""
    row = save_draft(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, written=written(**said),
        seen=token(cast) if seen is None else seen,
    )  # fmt: skip
    makers.scope_all()
    return row


def finish(
    cast: Cast, user: User | None = None, seen: str | None = None, at: Any = None, **said: Any
) -> SafetyPlan:
    """Finish a plan, also before the cast's own month."""
    if at is not None:
        CareTeamMember.objects.filter(patient=cast.patient).update(starts_at=at - timedelta(days=1))
    row = finish_plan(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, written=written(**said),
        seen=token(cast) if seen is None else seen, at=at,
    )  # fmt: skip
    makers.scope_all()
    return row


def lines_of(cast: Cast, plan: SafetyPlan, user: User | None = None) -> Lines:
    """What a version says, opened by somebody."""
    with reading(staff(user or cast.alice), purpose="treatment") as context:
        found = queries.opened_lines(context, queries.items_of(plan))
    makers.scope_all()
    return found
