"""The strips about opened charts and the notices of one's own, and the rows of the review."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from clinical.assessments.planning.actions import NOTICE as OVERDUE
from clinical.notes.reminders.queries import TO_COSIGN_WAITS, WAITS
from clinical.scheduling.queries import CALLED_OFF, MOVED, REBOOK, REMINDER, TAKEN_OFF
from cortex.access.context import AccessContext, scoped
from cortex.access.current import OPEN
from cortex.accounts.choices import Role
from cortex.audit import actor_of
from cortex.audit.bulkreads.actions import NOTICE as BULK
from cortex.clock import clock
from cortex.ops.models import Notification
from cortex.ops.notices.queries import unseen
from patients.breakglass import queries
from patients.breakglass.actions import BREAKERS
from patients.breakglass.models import BreakGlassGrant

ABOUT_ONE = frozenset({"patient_id", "alert_id"})
# So many opened charts are told of one by one; each page has room for its own matter besides.
MOST_GLASSES = 3
# Pages of lists, one for the desk among them: counselors have no other.
LISTS = frozenset(
    {"clinical:caseload", "clinical:ways", "clinical:leavers", "clinical:glass_reviews",
     "clinical:plan_reviews", "crisis:review_list"}
)  # fmt: skip
# So many notices that are not urgent stand in one line, which opens: what the page is about stays in sight.
FOLDED_FROM = 2
# Each of these is something to do, and leads to it.
ALONE = frozenset({"plan_given_back"})
# The calendar lists both by themselves: the one needs no line here, the other is ticked off there.
ELSEWHERE = frozenset({REMINDER})
TICKED_THERE = frozenset({REBOOK})


def glass_strip(request: HttpRequest) -> dict[str, Any] | None:
    """Say on every page of a chart that is open by break-glass until when, with the way to end it.

    The access context knows the relationship by which the page opened; whoever treats the person costs no
    query here.
    """
    match = request.resolver_match
    role = str(request.user.role)  # type: ignore[union-attr]
    if match is None or not ABOUT_ONE & match.kwargs.keys() or role not in set(map(str, BREAKERS)):
        return None
    context = OPEN.get()
    found: BreakGlassGrant | None = None
    if isinstance(context, AccessContext) and (context.is_related or "patient_id" not in match.kwargs):
        found = queries.by_id(context.broken_glass) if context.broken_glass else None
    elif "patient_id" in match.kwargs:
        with scoped(actor_of(request)):
            found = queries.running_of(request.user, match.kwargs["patient_id"], clock())  # type: ignore[arg-type]
    if found is None:
        return None
    return {
        "template": "clinical/breakglass/_strip.html",
        "until": found.grant.ends_at,
        "protected": found.protected_at is not None,
        "end_url": reverse("clinical:glass_end", args=[found.patient_id]),
        "more_url": reverse("clinical:glass_protected", args=[found.patient_id]),
    }


# code: words and where it leads; nobody is named.
NOTICES = {
    "break_glass": "Somebody outside the care team opened a chart by break-glass.",
    "break_glass_incident": "An opening by break-glass was found inappropriate.",
    BULK: "Somebody looked at unusually many people within an hour.",
    "referral": "Somebody was referred to you.",
    "referral_declined": "A referral was declined.",
    "referral_accepted": "A colleague took somebody into care who was referred.",
    "transfer": "A colleague handed a person over to you.",
    "caseload": "People of a colleague who leaves are yours now.",
    "contacts_opened": "Emergency contacts were opened without consent: read why.",
    "cover": "You stand in for a colleague, or somebody stands in for you.",
    "plan_waiting": "A plan waits for your approval.",
    "plan_approved": "A plan was approved.",
    "plan_given_back": "A plan was given back: read what is missing.",
    "welfare_check_asked": "Nobody reached a person: a supervisor decides on a welfare check.",
    "welfare_check_decided": "A supervisor decided on a welfare check for somebody whom you tried to reach.",
    "step_down_asked": "A step down from critical waits for a second reader.",
    "step_down_decided": "A second reader decided on a step down from critical.",
    WAITS: "Something that you wrote waits for your signature.",
    TO_COSIGN_WAITS: "A note or addendum of a colleague in training waits for your signature too.",
    REBOOK: "Appointments of people handed over to you met others of yours: book them anew.",
    OVERDUE: "A measure is more than three weeks late.",
    CALLED_OFF: "Appointments of yours were called off: a person's care has ended.",
    MOVED: "A colleague moved an appointment of yours.",
    TAKEN_OFF: "A colleague called off an appointment of yours.",
}


def notice_strip(request: HttpRequest) -> dict[str, Any] | None:
    """Tell on the clinical pages, and on the desk's list of tasks, what somebody has not put away.

    An opened chart is told on each of them; the rest waits for a page of lists, and folds where it is more
    than one.
    """
    match = request.resolver_match
    if match is None or (match.app_name != "clinical" and match.view_name not in LISTS):
        return None
    kinds: dict[str, list[Notification]] = {}
    glasses = 0
    for one in unseen(request.user.pk, besides=ELSEWHERE):  # type: ignore[arg-type]
        if match.view_name not in LISTS and not _is_glass(one):
            continue
        glasses += _is_glass(one)
        if _is_glass(one) and glasses > MOST_GLASSES:
            continue  # it comes up as those before it are put away
        # Of what is no matter of its own one line tells how many there are.
        alone = _is_glass(one) or one.code in ALONE
        kinds.setdefault(str(one.pk) if alone else one.code, []).append(one)
    rows = [_notice(found, str(request.user.role)) for found in kinds.values()]  # type: ignore[union-attr]
    stays = request.path if request.method == "GET" else ""
    template = "clinical/breakglass/_notices.html"
    more = max(0, glasses - MOST_GLASSES)
    folded = [one for one in rows if not one["urgent"]]
    if len(folded) < FOLDED_FROM:
        folded = []
    open_ones = [one for one in rows if one not in folded]
    shown = {"template": template, "open": open_ones, "folded": folded, "more": more, "next": stays}
    return shown if rows else None


def _notice(found: list[Notification], role: str) -> dict[str, Any]:
    """Return the newest of one kind, with how many there are."""
    one = found[0]
    return {
        "count": len(found),
        "words": NOTICES.get(one.code, one.code.replace("_", " ").capitalize()),
        "at": one.created_at,
        "url": _list_of(found) or _leads_to(one, role),
        "seen_url": "" if one.code in TICKED_THERE else reverse("clinical:notice_seen", args=[one.pk]),
        "urgent": _is_glass(one),
    }


def _list_of(found: list[Notification]) -> str:
    """Return where several people stand who are told of in one line; empty when the line leads to one."""
    several = len({one.object_id for one in found}) > 1
    lists = {OVERDUE: "clinical:measures_due", TO_COSIGN_WAITS: "clinical:note_desk"}
    name = lists.get(found[0].code, "") if several else ""
    return reverse(name) if name else ""


def _is_glass(one: Notification) -> bool:
    return one.code.startswith("break_glass")


def _leads_to(one: Notification, role: str) -> str:
    if _is_glass(one):
        if role == Role.COMPLIANCE:
            return reverse("clinical:glass_review", args=[one.object_id])
        patient = one.codes.get("patient")
        return reverse("clinical:chart_access", args=[patient]) if patient and role != Role.ADMIN else ""
    if one.code == BULK:
        looks = f"{reverse('admin:audit_phiaccesslog_changelist')}?q={one.object_id}"
        return looks if role == Role.COMPLIANCE else ""
    if one.code == "contacts_opened":
        return reverse("crisis:review_detail", args=[one.object_id])
    if one.code in (REBOOK, CALLED_OFF, MOVED, TAKEN_OFF):
        return reverse("clinical:calendar")
    if one.code == WAITS:
        return reverse("clinical:note_desk")
    if one.code == TO_COSIGN_WAITS:
        return reverse("clinical:note_page", args=[one.codes["patient"], one.codes["note"]])
    if one.code == "plan_waiting":
        return reverse("clinical:plan_reviews")
    if one.code in ("plan_approved", "plan_given_back"):
        return reverse("clinical:plan", args=[one.codes["patient"]])
    if one.code == "welfare_check_asked":
        return reverse("crisis:welfare_check", args=[one.object_id])
    if one.code == "welfare_check_decided":
        is_alert = one.object_type == "crisis.RiskAlert"
        return reverse("crisis:alert_page" if is_alert else "crisis:followup_done", args=[one.object_id])
    if one.code == "step_down_asked":
        return reverse("crisis:step_down_review", args=[one.object_id])
    if one.code == "step_down_decided":
        return reverse("crisis:step_down", args=[one.codes["patient"]])
    if one.code == OVERDUE:
        return reverse("clinical:measures", args=[one.object_id])
    if one.code == "transfer":
        return reverse("clinical:chart", args=[one.object_id])
    return reverse("clinical:caseload" if one.code == "caseload" else "clinical:ways")


def queue_row(one: BreakGlassGrant, at: datetime) -> dict[str, Any]:
    """Return one opened chart as a line of the review's lists."""
    return {
        "pseudonym": one.patient.anonymous_id,
        "who": one.user.full_name,
        "role": one.user.get_role_display(),
        "reason": one.get_reason_code_display(),
        "at": one.grant.starts_at,
        "ends_at": one.grant.ends_at,
        "holds": one.holds(at),
        "due_at": one.review_due_at,
        "late": one.reviewed_at is None and one.review_due_at <= at,
        "verdict": one.verdict,
        "verdict_words": one.get_verdict_display(),
        "reviewed_at": one.reviewed_at,
        "url": reverse("clinical:glass_review", args=[one.pk]),
    }
