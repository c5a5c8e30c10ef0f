"""Writes of safety plans: keep a draft or words beside it, finish, find still right, retire, discard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock
from cortex.keys.sealing import key_of
from cortex.spells import Arrival, Page, arrival
from crisis.decisions.actions import state_factors
from crisis.reviews.actions import close_item, make_item
from crisis.reviews.models import PLAN_REVIEW
from crisis.risk.evidence import Origin, from_factor
from crisis.risk.types import Source, Status
from crisis.safetyplans import queries, rules
from crisis.safetyplans.models import (
    MOST_CONTACT,
    MOST_LINES,
    MOST_TEXT,
    PlanStatus,
    SafetyPlan,
    SafetyPlanItem,
    SafetyPlanReview,
)
from crisis.safetyplans.queries import Held, Line, Lines, Reader
from crisis.safetyplans.wording import BESIDE, BY_KEY, DISCARDED, RETIRED
from patients.registry.models import Patient
from patients.registry.queries import rows_of

FACTOR = "PF_SAFETY_PLAN"
# A button that is pressed twice says the same thing once.
SAME_LOOK = timedelta(minutes=5)
CHANGED = "Somebody saved this plan meanwhile. Nothing of yours is lost: it stands below, beside theirs."
SAME = "Nothing is other than in the plan in force. If it is still right, say so on its page."
NEEDS_WORDS = "say who or what belongs to the number."


@dataclass(frozen=True, slots=True)
class Written:
    """What a form says of a plan: lines by section in their order, with whom, when means are looked at."""

    lines: Mapping[str, Sequence[Line]] = field(default_factory=dict)
    created_with_patient: bool = False
    means_review_on: date | None = None

    def kept(self) -> Lines:
        """Return the lines as they are kept: in the order of the steps, empty ones left out."""
        found: Lines = {}
        for key in BY_KEY:
            rows = [(text.strip(), contact.strip()) for text, contact in self.lines.get(key, ())]
            if rows := [one for one in rows if any(one)]:
                found[key] = rows
        return found

    def facts(self) -> tuple[bool, date | None]:
        """Return what is said beside the lines."""
        return self.created_with_patient, self.means_review_on

    def counts(self) -> dict[str, int]:
        """Return how many lines each section has."""
        return {key: len(rows) for key, rows in self.kept().items()}


@quiet("a draft is saved as it is written; each spell of writing is recorded once, when it begins")
def save_draft(
    *, actor: Actor, patient_id: UUID, written: Written, seen: str, page: Page | None = None,
    at: datetime | None = None,
) -> SafetyPlan:  # fmt: skip
    """Keep what is written of a person's plan; what is in force stays in force.

    `seen` is the token that the form was drawn at (`SafetyPlan.token`), `page` says which save of which open
    page this is. One that came before, that a newer one of its page overtook, or that says what stands there
    already changes nothing. RuleBroken `changed_meanwhile` when somebody saved, finished or discarded since:
    `keep_beside` is for the words then. InputRefused names the section.
    """
    who = queries.writer(actor, patient_id, clock(at))
    at, page = clock(at), page or Page()
    held = queries.locked(who.ids)
    how = _arrived(actor, who, held, seen, page)
    if how is Arrival.LATE or (how is not Arrival.GOES_ON and _says(actor, held, held.newest, written)):
        return Unchanged(held.newest)  # type: ignore[return-value]
    if how in (Arrival.AGAIN, Arrival.STALE):
        raise _changed(held)
    draft = _kept(actor, who, held, written, page, at)
    if how is Arrival.BEGINS:
        record(actor, "safety_plan.drafted", draft, subject=who.person.pk, codes={"lines": written.counts()})
    return draft


def _changed(held: Held) -> RuleBroken:
    return RuleBroken(CHANGED, "changed_meanwhile", seen=held.token)


def _arrived(actor: Actor, who: Reader, held: Held, seen: str, page: Page) -> Arrival:
    """Return how a save arrives at what stands; a page goes on in a draft that its own writer saved last.

    Its spell alone would not do: a process of the version before saves without it, finishing leaves it on the
    plan in force, and a page that was gone back to has not heard that its draft was discarded.
    """
    begins = Arrival.BEGINS if held.token == seen else Arrival.STALE
    how = arrival(held.newest, page, knows_newest=held.token == seen) if held.newest else begins
    if how is Arrival.GOES_ON and (held.draft is None or held.draft.authored_by_id != actor.id):
        how = begins
    if how is Arrival.BEGINS and held.draft is None and queries.was_put_away(who.ids, page.spell):
        return Arrival.STALE
    return how


def _says(actor: Actor, held: Held, plan: SafetyPlan | None, written: Written) -> bool:
    """Whether the draft or the version in force, which is opened, says what is written."""
    if plan is None or (plan.created_with_patient, plan.means_review_on) != written.facts():
        return False
    with opening(actor, purpose="treatment") as context:
        if plan.is_draft or plan.is_beside:
            return queries.draft_lines(context, plan) == written.kept()
        return queries.opened_lines(context, held.items) == written.kept()


def _kept(actor: Actor, who: Reader, held: Held, written: Written, page: Page, at: datetime) -> SafetyPlan:
    """Write the draft; what a colleague left in it is kept beside it."""
    lines = written.kept()
    _check(lines)
    if held.draft and held.draft.authored_by_id != actor.id:
        _keep_theirs(actor, who, held.draft, at)
    draft = held.draft or SafetyPlan(
        organization_id=who.person.organization_id, patient=who.person, revision=0,
        supersedes=held.current, authored_by=actor.person,
    )  # fmt: skip
    draft.authored_by, draft.saved_at, draft.revision = actor.person, at, draft.revision + 1
    draft.spell, draft.spell_number = page.spell, page.number
    return _sealed(draft, lines, written.facts(), fresh=held.draft is None)


def _sealed(row: SafetyPlan, lines: Lines, facts: tuple[bool, date | None], *, fresh: bool) -> SafetyPlan:
    """Save lines sealed onto a row; nothing is opened, so a save as somebody types leaves no look."""
    field: Any = SafetyPlan._meta.get_field("draft")
    row.draft = field.seal(lines, pk=row.pk, subject=row.patient_id, key=key_of(row.patient_id))
    row.created_with_patient, row.means_review_on = facts
    row.save(force_insert=fresh)
    return row


def _beside(actor: Actor, who: Reader, page: Page, at: datetime) -> SafetyPlan:
    """Return a row for words that lie beside the plan; it has no number and is never in force."""
    return SafetyPlan(
        organization_id=who.person.organization_id, patient=who.person, status=PlanStatus.RETIRED,
        retire_reason=BESIDE, authored_by=actor.person, saved_at=at, ended_at=at, ended_by=actor.user,
        spell=page.spell, spell_number=page.number,
    )  # fmt: skip


def _keep_theirs(actor: Actor, who: Reader, draft: SafetyPlan, at: datetime) -> None:
    with opening(actor, purpose="treatment") as context:
        lines = queries.draft_lines(context, draft)
    if lines:
        row = _beside(actor, who, Page(number=draft.spell_number), at)
        row.authored_by, row.saved_at = draft.authored_by, draft.saved_at
        _sealed(row, lines, (draft.created_with_patient, draft.means_review_on), fresh=True)
        codes = {"from_revision": draft.revision}
        record(actor, "safety_plan.kept_beside", row, subject=who.person.pk, codes=codes)


@action
def keep_beside(
    *, actor: Actor, patient_id: UUID, written: Written, page: Page, at: datetime | None = None
) -> SafetyPlan:
    """Keep beside the plan what a page says that may not take the place of something newer.

    Each page has one row there, which its newer words take: a page that asks for long pushes nobody out.
    """
    who = queries.writer(actor, patient_id, clock(at))
    at, lines = clock(at), written.kept()
    _check(lines)
    before = queries.said_beside(who.ids, page.spell, actor.person.pk)
    if before is not None:
        if before.spell_number > page.number or _says(actor, Held(), before, written):
            return Unchanged(before)  # type: ignore[return-value]
        before.spell_number, before.saved_at, before.ended_at = page.number, at, at
    row = before or _beside(actor, who, page, at)
    _sealed(row, lines, written.facts(), fresh=before is None)
    codes = {"lines": written.counts()}
    record(actor, "safety_plan.kept_beside", row, subject=who.person.pk, codes=codes)
    return row


def _check(lines: Lines, *, finished: bool = False) -> None:
    for key, rows in lines.items():
        title = BY_KEY[key].title
        if len(rows) > MOST_LINES:
            raise InputRefused(f"{title}: {MOST_LINES} lines at most.", "too_many", field=key)
        for text, contact in rows:
            if finished and not text:
                raise InputRefused(f"{title}: {NEEDS_WORDS}", "required", field=key)
            if len(text) > MOST_TEXT or len(contact) > MOST_CONTACT:
                raise InputRefused(f"{title}: a line is too long.", "too_long", field=key)


@action
def finish_plan(
    *, actor: Actor, patient_id: UUID, written: Written, seen: str, page: Page | None = None,
    at: datetime | None = None,
) -> SafetyPlan:  # fmt: skip
    """Make what is written the person's plan in force; the version before it is kept and replaced.

    Whoever finishes has just gone through it: that counts as a look, ends the task about one, and tells the
    engine whether the plan protects. An incomplete plan is better than none; it counts as no protection.
    """
    who = queries.writer(actor, patient_id, clock(at))
    at, page = clock(at), page or Page()
    held = queries.locked(who.ids)
    writes = _arrived(actor, who, held, seen, page) in (Arrival.BEGINS, Arrival.GOES_ON)
    if not writes and not _says(actor, held, held.newest, written):
        raise _changed(held)
    is_own = held.draft is None and held.current is not None and held.current.spell == page.spell
    if is_own and _says(actor, held, held.current, written):  # the button was pressed twice
        return Unchanged(held.current)  # type: ignore[return-value]
    lines = written.kept()
    if not lines:
        raise InputRefused("Write down at least one thing that helps.", "required", field="warning_signs")
    _check(lines, finished=True)
    if _says(actor, held, held.current, written):  # that is a review
        raise InputRefused(SAME, "unchanged")
    plan = _kept(actor, who, held, written, page, at)
    before = held.current
    withdrawn = any(one.protects(at) for one in held.in_force)
    for one in held.in_force:
        _end(actor, one, PlanStatus.SUPERSEDED, at)
    plan.version = queries.last_version(who.ids) + 1
    plan.status, plan.draft, plan.supersedes = PlanStatus.CURRENT, None, before
    plan.is_complete = rules.is_complete(written.counts())
    plan.finished_at = at
    _looked(actor, plan, at)
    plan.save()
    _write_items(actor, plan, lines)
    _tell_engine(actor, plan, who, at, withdrawn=withdrawn)
    _close_tasks(actor, who, at)
    codes = {"version": plan.version, "complete": plan.is_complete, "together": plan.created_with_patient}
    record(actor, "safety_plan.finished", plan, subject=who.person.pk, codes=codes)
    return plan


def _end(actor: Actor, plan: SafetyPlan, status: PlanStatus, at: datetime, reason: str = "") -> None:
    plan.status, plan.ended_at, plan.ended_by, plan.retire_reason = status, at, actor.user, reason
    plan.save(update_fields=["status", "ended_at", "ended_by", "retire_reason", "updated_at"])


def _looked(actor: Actor, plan: SafetyPlan, at: datetime) -> None:
    plan.reviewed_at, plan.reviewed_by, plan.next_review_at = at, actor.user, at + rules.EVERY


def _write_items(actor: Actor, plan: SafetyPlan, lines: Lines) -> None:
    with opening(actor, purpose="treatment") as context:
        context.load_keys([plan.patient_id])
        SafetyPlanItem.objects.bulk_create(
            SafetyPlanItem(
                organization_id=plan.organization_id, patient_id=plan.patient_id, plan=plan, section=key,
                order=order, text=text, contact=contact or None,
            )
            for key, rows in lines.items()
            for order, (text, contact) in enumerate(rows)
        )  # fmt: skip


def _tell_engine(actor: Actor, plan: SafetyPlan, who: Reader, at: datetime, *, withdrawn: bool) -> None:
    """Put into the ledger that a plan protects, or that one which did no longer does (domain 3.2, 4.2)."""
    if not plan.protects(at) and not withdrawn:
        return
    status = Status.PRESENT if plan.protects(at) else Status.ABSENT
    found = from_factor(FACTOR, Origin(Source.CLINICIAN, at, source_id=plan.pk), status)
    state_factors(actor=actor, patient_id=who.person.pk, drafts=[found], at=at)


def _close_tasks(actor: Actor, who: Reader, at: datetime) -> None:
    for patient_id in who.ids:
        close_item(actor=actor, patient_id=patient_id, reason_code=PLAN_REVIEW, outcome="reviewed", at=at)


@action
def review_plan(*, actor: Actor, patient_id: UUID, plan_id: UUID, at: datetime | None = None) -> SafetyPlan:
    """Say that the actor went through the plan in force with its person, and that it is still right."""
    who = queries.writer(actor, patient_id, clock(at))
    at = clock(at)
    plan, _ = _in_force(who, plan_id)
    if plan.reviewed_by_id == actor.id and plan.reviewed_at and at - plan.reviewed_at < SAME_LOOK:
        return Unchanged(plan)  # type: ignore[return-value]
    SafetyPlanReview.objects.create(
        organization_id=plan.organization_id, patient_id=plan.patient_id, plan=plan, reviewed_at=at,
        reviewed_by=actor.person,
    )  # fmt: skip
    _looked(actor, plan, at)
    fields = ["reviewed_at", "reviewed_by", "next_review_at"]
    plan.save(update_fields=[*fields, "updated_at"])
    _tell_engine(actor, plan, who, at, withdrawn=False)
    _close_tasks(actor, who, at)
    record(
        actor, "safety_plan.reviewed", plan, subject=who.person.pk, fields=fields,
        codes={"version": plan.version},
    )  # fmt: skip
    return plan


def _in_force(who: Reader, plan_id: UUID) -> tuple[SafetyPlan, list[SafetyPlan]]:
    """Return the person's plan, and what is in force behind it on rows that were linked."""
    held = queries.locked(who.ids)
    if held.current is None or held.current.pk != plan_id:
        raise RuleBroken("This version is no longer in force. Look at the plan as it is now.", "not_current")
    return held.current, held.behind


@action
def retire_plan(
    *, actor: Actor, patient_id: UUID, plan_id: UUID, reason: str, at: datetime | None = None
) -> SafetyPlan:
    """Take the plan in force out of force, with a coded reason; it stays readable.

    What it took the place of on a row that was linked doesn't come back by that: it is replaced for good.
    """
    if reason not in RETIRED:
        raise InputRefused("Say why.", "required", field="reason")
    who = queries.writer(actor, patient_id, clock(at))
    at = clock(at)
    plan, behind = _in_force(who, plan_id)
    protected = any(one.protects(at) for one in (plan, *behind))
    for one in behind:
        _end(actor, one, PlanStatus.SUPERSEDED, at)
    _end(actor, plan, PlanStatus.RETIRED, at, reason)
    _tell_engine(actor, plan, who, at, withdrawn=protected)
    record(actor, "safety_plan.retired", plan, subject=who.person.pk, codes={"reason": reason})
    return plan


@action
def discard_draft(*, actor: Actor, patient_id: UUID, seen: str, at: datetime | None = None) -> SafetyPlan:
    """Put a draft away unfinished; what is in force stays in force."""
    who = queries.writer(actor, patient_id, clock(at))
    at = clock(at)
    held = queries.locked(who.ids)
    if held.token != seen:
        raise _changed(held)
    if held.draft is None:
        raise RuleBroken("There is no draft.", "no_draft")
    _end(actor, held.draft, PlanStatus.RETIRED, at, DISCARDED)
    codes = {"reason": DISCARDED}
    record(actor, "safety_plan.retired", held.draft, subject=who.person.pk, codes=codes)
    return held.draft


@action
def ask_for_review(
    *, actor: Actor, plan: SafetyPlan, planned: datetime, at: datetime | None = None
) -> SafetyPlan:
    """Make a look at a plan whose time comes a task of whoever leads the care, else of the desk."""
    at = clock(at)
    patient = plan.patient
    make_item(
        actor=actor, organization_id=plan.organization_id, patient=patient, reason_code=PLAN_REVIEW,
        source_type="safety_plan", source_id=plan.pk,
        due_at=rules.due_after(planned, at), at=at,
    )  # fmt: skip
    return Unchanged(plan)  # type: ignore[return-value]


@action
def ask_at_discharge(
    *, actor: Actor, patient: Patient, owner_id: UUID | None, at: datetime | None = None
) -> SafetyPlan | None:
    """Make a look at the plan a task when somebody leaves care and nobody went through it in the last week.

    `owner_id` is who may still open it (None: the desk). None where there is no plan, or it was looked at.
    """
    at = clock(at)
    plan = queries.current(rows_of(patient))
    if plan is None or (plan.reviewed_at is not None and at - plan.reviewed_at < rules.BEFORE_LEAVING):
        return Unchanged(None)  # type: ignore[return-value]
    make_item(
        actor=actor, organization_id=plan.organization_id, patient=patient, reason_code=PLAN_REVIEW,
        source_type="safety_plan", source_id=plan.pk, due_at=at + rules.AHEAD, owner_id=owner_id, at=at,
    )  # fmt: skip
    return Unchanged(plan)  # type: ignore[return-value]
