"""Who may open which row: for each address with an id, the row and the people whom it is open to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.contrib import admin

from cortex.accounts.models import LoginAttempt
from cortex.audit.models import AuditLink, AuditLog, PhiAccessLog
from cortex.ui.admin import ActionAdmin, HouseAdmin
from tests import makers
from tests.walk.addresses import Address
from tests.walk.documents import document_pairs
from tests.walk.plans import plan_pairs
from tests.walk.safety import safety_pairs
from tests.walk.sessions import ANSWERS
from tests.walk.stepdown import step_down_pairs
from tests.walk.ways_pairs import ways_pairs
from tests.walk.welfare import welfare_pairs
from tests.walk.world import World, specimen

DESK = ("cleo", "alice", "sam")
OPERATOR = "opal"
ADMINS = ("ada", OPERATOR)


@dataclass(frozen=True)
class Pair:
    """One row at one address: `first` is let in, `also` too or hears why not now, everybody else is refused.

    `methods` are those that the address serves; `data` is what is posted; `roles` narrows the declaration
    (a class of the back office does); `refused` hear no (403) although their role is named, `hidden` hear
    that there is no such row although theirs isn't. Without a `first` the address is closed to everybody.
    """

    ids: dict[str, str]
    first: str
    also: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("GET", "POST")
    data: dict[str, Any] = field(default_factory=dict)
    roles: frozenset[str] | None = None
    refused: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


NOTE = {"note": "It is quiet now."}
REASON = {"reason": "Nobody answers."}
# A form drawn at this very moment: nothing came in since.
VERDICT = {"verdict": "true_crisis", "notes": "They stay with family.", "seen": str(2**40)}


def page_pairs(world: World) -> dict[str, Pair]:
    """Return the pairs of the desk's and the people's pages, by URL name."""
    resolve = VERDICT | {
        "disposition": "remained_community_with_plan",
        "follow_up_at": f"{makers.now() + timedelta(hours=20):%Y-%m-%dT%H:%M}",
    }

    def alert(name: str, first: str = "cleo", data: Any = None, **more: Any) -> Pair:
        ids = {"alert_id": world.id_of(name), **more.pop("ids", {})}
        also = tuple(one for one in DESK if one != first) + more.pop("more", ())
        return Pair(ids, first, also, data=data or {}, **more)

    treated = {"patient_id": str(world.patients["contact"].pk)}

    def chart(*methods: str, ids: Any = None, data: Any = None) -> Pair:
        """A page of one person's chart: open to who treats them, and to nobody else."""
        return Pair(treated | (ids or {}), "alice", (), methods, data or {})

    assert world.notes is not None
    draft, written = {"note_id": world.notes.draft}, {"note_id": world.notes.signed}
    saved = {
        "version": str(world.notes.version),
        "spell": "0" * 31 + "1",
        "number": "1",
        "free_text": "More.",
    }
    pinned = {"source": "measure", "item_id": world.assessment_id}

    def meeting(*methods: str, data: Any = None) -> Pair:
        """An appointment: open to who treats the person."""
        return Pair({"appointment_id": world.appointment_id}, "alice", (), methods, data or {})

    held = {"appointment_id": world.held_id}

    soon = makers.now() + timedelta(days=9)
    later = {"day": f"{soon:%Y-%m-%d}", "time": "11:15", "minutes": "50"}
    line = {"line_id": world.line_id}
    measure, result = {"key": "gad7"}, {"assessment_id": world.assessment_id}
    calm = {f"q{number}": "0" for number in range(1, 8)}
    assert world.follow_up and world.review and world.second and world.invitation
    invited = {"invitation_id": str(world.invitation.pk)}
    return ways_pairs(world, Pair) | {
        "clinical:chart": chart("GET"),
        "clinical:case_reviewed": chart("POST"),
        "clinical:case_unreviewed": chart("POST"),
        "clinical:timeline": chart("GET", "POST", data={"q": "check"}),
        "clinical:day_words": chart(
            "POST", ids={"item_id": world.check_in_id}, data={"purpose": "treatment"}
        ),
        "clinical:timeline_pin": chart("POST", ids=pinned),
        "clinical:timeline_unpin": chart("POST", ids=pinned),
        "clinical:finding_review": chart(
            "POST", ids={"source": "level", "item_id": world.level_id}, data={"verdict": "accepted"}
        ),
        "clinical:case_view_remove": Pair({"view_id": world.case_view_id}, "alice", methods=("POST",)),
        "clinical:measures": chart("GET"),
        "clinical:measure_ask": chart("GET", "POST", ids=measure, data={"mode": "phone", "language": "en"}),
        "clinical:measure_answer": chart("POST", ids=measure, data={"item": "q1", "value": "1"}),
        "clinical:measure_finish": chart("POST", ids=measure, data=calm),
        "clinical:measure_give_up": chart("POST", ids=measure),
        "clinical:measure_result": chart("GET", ids=result),
        "clinical:measure_correct": chart("GET", "POST", ids=result, data=calm),
        "clinical:notes": chart("GET"),
        "clinical:note_export": chart("GET", "POST", data={"reason": "person"}),
        "clinical:note_begin": chart("POST", data={"note_type": "supervision"}),
        "clinical:note_page": chart("GET", ids=written),
        "clinical:note_edit": chart("GET", ids=draft),
        "clinical:note_save": chart("POST", ids=draft, data=saved),
        "clinical:note_versions": chart("GET", ids=draft),
        "clinical:note_print": chart("GET", ids=written),
        "clinical:note_sign": chart("POST", ids=draft, data={"version": str(world.notes.version)}),
        "clinical:note_cosign": chart("POST", ids={"note_id": world.notes.to_cosign}),
        "clinical:note_label": chart("POST", ids=draft, data={"labels": "R"}),
        "clinical:note_discard": chart("GET", "POST", ids=draft),
        "clinical:note_restore": chart("POST", ids={"note_id": world.notes.discarded}),
        "clinical:note_addendum": chart("POST", ids=written, data={"text": "More.", "version": "1"}),
        "clinical:note_addendum_sign": chart("GET", "POST", ids=written, data={"version": "1"}),
        "clinical:text_block_retire": Pair({"block_id": world.notes.block}, "alice", (), ("POST",)),
        **document_pairs(world.document_id, chart),
        **safety_pairs(world.safety, treated["patient_id"], Pair),
        **welfare_pairs(world.ways["welfare"], Pair),
        **step_down_pairs(world.ways["step_down"], str(world.patients["ended"].pk), Pair),
        **plan_pairs(world.plans, chart),
        "clinical:plan_approve": Pair(
            {"patient_id": world.plans["waits"].patient_id, "version": "2"}, "sam", (), ("GET", "POST"),
            {"approved": "yes"},
        ),
        "clinical:measure_plan": chart("POST", ids=measure, data={"interval_days": "7", "reason": "closer"}),
        "clinical:measure_plan_clear": chart("POST", ids=measure),
        "clinical:measure_print": chart("GET", ids=measure),
        "clinical:person_appointments": chart("GET"),
        "clinical:appointment": meeting("GET"),
        "clinical:appointment_move": meeting("POST", data=later),
        "clinical:appointment_cancel": meeting("POST", data={"reason": "mistake"}),
        "clinical:appointment_held": meeting("POST"),
        "clinical:appointment_no_show": meeting("POST"),
        "clinical:appointment_back": Pair(held, "alice", (), ("POST",)),
        "clinical:appointment_bill": Pair(held, "alice", (), ("POST",), {"minutes": "50"}),
        "clinical:calendar_seen": Pair({"notice_id": world.notice_id}, "alice", (), ("POST",)),
        "clinical:line_confirm": Pair(line, "alice", ADMINS, ("POST",)),
        "clinical:line_void": Pair(line, "alice", ADMINS, ("POST",)),
        **session_pairs(world, chart),
        "crisis:alert_page": alert("contact", methods=("GET",)),
        "crisis:alert_preview": alert("waiting", methods=("GET",)),
        "crisis:alert_source": alert("contact", methods=("GET",), ids={"source_id": world.source_id}),
        "crisis:alert_claim": alert("waiting"),
        "crisis:alert_contact": alert("claimed", data=NOTE | {"channel": "phone"}),
        "crisis:alert_attempt": alert("claimed", data=NOTE | {"channel": "phone"}),
        "crisis:alert_still_with": alert("contact"),
        "crisis:alert_contact_end": alert("contact", data=NOTE),
        "crisis:alert_note": alert("waiting", data=NOTE),
        "crisis:alert_escalate": alert("waiting", data=REASON),
        "crisis:alert_resolve": alert("contact", data=resolve),
        "crisis:alert_take_over": alert("claimed", first="sam", data=REASON),
        "crisis:alert_release": alert("claimed", data=REASON),
        "crisis:alert_false_alarm": alert("contact", data=VERDICT),
        "crisis:alert_reopen": alert("ended", data=REASON, more=("pendo",)),
        # Without a word: their person agreed, so that an exception would be a conflict.
        "crisis:alert_contacts": alert("claimed"),
        "crisis:alert_link": Pair(
            {"alert_id": world.id_of("unknown")}, "cleo", ("sam",), ("POST",),
            {"pseudonym": world.patients["ended"].anonymous_id, "reason": "The teacher named them."},
        ),
        "crisis:alert_unlink": Pair(
            {"alert_id": world.id_of("linked")}, "cleo", ("sam", "alice"), ("POST",), REASON
        ),
        "crisis:followup_done": Pair(
            {"follow_up_id": str(world.follow_up.pk)}, "cleo", ("sam",),
            data={"outcome": "reached"} | makers.UNASKED_FORM,
        ),
        "crisis:review_detail": Pair({"item_id": str(world.review.pk)}, "cleo", ("sam",), ("GET",)),
        "crisis:review_done": Pair(
            {"item_id": str(world.review.pk)}, "cleo", ("sam",), ("POST",), {"outcome": "reviewed"}
        ),
        "crisis:review_decide": Pair(
            {"review_id": str(world.second.pk)}, "sam", ("alice",), ("POST",),
            {"agreed": "yes", "note": "It was a song.", "seen": str(2**40)},
        ),
        "accounts:staff_unlock": Pair({"user_id": str(world.cast.bob.pk)}, "sam", ADMINS, ("POST",)),
        "accounts:staff_factors_reset": Pair(
            {"user_id": str(world.cast.bob.pk)}, "sam", ADMINS, data={"reason": "lost"}
        ),
        "accounts:invitation_renew": Pair(invited, "sam", ADMINS, ("POST",)),
        "accounts:invitation_revoke": Pair(invited, "sam", ADMINS, ("POST",)),
    }  # fmt: skip


def session_pairs(world: World, chart: Callable[..., Pair]) -> dict[str, Pair]:
    """Return the pairs of sessions, of the review of emotions and of neural audio."""
    running, over = {"session_id": world.sessions["session"]}, {"session_id": world.sessions["over"]}
    entry = running | {"entry_id": world.sessions["entry"]}
    emotion, proposal = (
        {"observation_id": world.sessions["emotion"]},
        {"proposal_id": world.sessions["proposal"]},
    )
    return {
        "clinical:sessions": chart("GET"),
        "clinical:session_start": chart("POST", data={"channel": "telepathy"}),
        "clinical:session": chart("GET", ids=over),
        "clinical:session_entry": chart("POST", ids=running, data={"code": "CBT", "text": "x"}),
        "clinical:session_entry_undo": chart("POST", ids=entry),
        "clinical:session_risk": chart("GET", "POST", ids=running, data={"level": "same"}),
        "clinical:session_end": chart("POST", ids=running, data={"status": "completed"}),
        "clinical:session_words": chart("POST", ids=over, data={"purpose": "treatment"}),
        "clinical:session_label": chart("POST", ids=over, data={"seen": ""}),
        "clinical:emotion_review": chart("POST", ids=emotion, data={"verdict": "confirmed"}),
        "clinical:emotion_undo": chart("POST", ids={"observation_id": world.sessions["reviewed"]}),
        "clinical:neural": chart("GET"),
        "clinical:neural_check": chart("POST", data=ANSWERS),
        "clinical:neural_assign": chart("POST", data={"band": "theta"}),
        "clinical:neural_end": chart("POST"),
        "clinical:neural_profile": chart("POST", data={"volume_level": "40", "sensitivity_level": "5"}),
        "clinical:neural_decide": chart("POST", ids=proposal, data={"decision": "refuse"}),
    }


def admin_pairs(world: World, address: Address) -> list[Pair]:
    """Return the pairs of a row's page of the back office, by what its class declares."""
    _, app, model_name, *rest = address.pattern.split("/")
    found = [
        one
        for one in admin.site._registry
        if (one._meta.app_label, one._meta.model_name) == (app, model_name)
    ]
    kind, row = admin.site._registry[found[0]], specimen(world, found[0])
    assert isinstance(kind, ActionAdmin) and row is not None, found[0]
    return _PAGES[rest[1] if len(rest) > 1 else ""](world, kind, row)


READERS = frozenset({"compliance", "auditor"})


def _of(world: World, kind: ActionAdmin, row: Any, roles: Any) -> tuple[str, ...]:
    """Return who has one of the roles and stands in the row's organization, Ada first."""
    home = world.cast.home.pk
    if isinstance(row, LoginAttempt):
        return ADMINS
    if isinstance(row, AuditLink):
        return (OPERATOR,)
    # A row of the house itself has no organization at all, so each administrator may look at it.
    is_common = isinstance(kind, HouseAdmin)
    chosen = [
        name for name, user in world.people.items()
        if user.role in roles and (is_common or user.organization_id == home)
    ]  # fmt: skip
    return tuple(sorted(chosen, key=lambda name: (name != "ada", name)))


def _pair(
    world: World, kind: ActionAdmin, row: Any, roles: Any, methods: tuple[str, ...], data: Any = None
) -> Pair:
    first, *also = _of(world, kind, row, roles)
    refused = ("ada", "esi") if isinstance(row, AuditLink) else ()
    return Pair(
        {"object_id": str(row.pk)},
        first,
        tuple(also),
        methods,
        data or {},
        frozenset(str(one) for one in roles) | ({"admin"} if isinstance(row, AuditLink) else set()),
        refused,
        # The operator reads the house's own rows of the trail, not those of an organization.
        (OPERATOR,) if isinstance(row, AuditLog | PhiAccessLog) else (),
    )


def _only(world: World, pair: Pair, people: tuple[str, ...]) -> Pair:
    """Keep these people of a pair; the others of its roles hear no."""
    first, *also = [one for one in (pair.first, *pair.also) if one in people] or [""]
    others = tuple(
        one for one, user in world.people.items() if user.role in (pair.roles or ()) and one not in people
    )
    return replace(pair, first=first, also=tuple(also), refused=pair.refused + others)


def _change(world: World, kind: ActionAdmin, row: Any) -> list[Pair]:
    """Looking, and typing where the class names an action; without one, typing is closed to everybody."""
    looking = _pair(world, kind, row, kind.view_roles | kind.write_roles, ("GET",))
    if kind.change_action is None:
        return [looking, Pair({"object_id": str(row.pk)}, "", methods=("POST",))]
    typing = _pair(world, kind, row, kind.write_roles, ("POST",))
    return [looking, _only(world, typing, (OPERATOR,)) if isinstance(kind, HouseAdmin) else typing]


def _delete(world: World, kind: ActionAdmin, row: Any) -> list[Pair]:
    if kind.delete_action is None:
        return [Pair({"object_id": str(row.pk)}, "")]
    return [_pair(world, kind, row, kind.write_roles, ("GET", "POST"), {"post": "yes"})]


def _history(world: World, kind: ActionAdmin, row: Any) -> list[Pair]:
    """Of those who may look, the readers of the trail and the operator are led on to it."""
    looking = _pair(world, kind, row, kind.view_roles | kind.write_roles, ("GET",))
    readers = [name for name, user in world.people.items() if user.role in READERS]
    return [_only(world, looking, (OPERATOR, *readers))]


def _leads_on(world: World, kind: ActionAdmin, row: Any) -> list[Pair]:
    """The short address leads every id, known or not, to its `change/`."""
    return []


_PAGES: dict[str, Callable[[World, ActionAdmin, Any], list[Pair]]] = {
    "change": _change, "delete": _delete, "history": _history, "": _leads_on,
}  # fmt: skip
