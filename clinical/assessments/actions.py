"""Writes of measures: begin, answer, finish, give up, correct; instruments and their texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from clinical.assessments import queries, scoring
from clinical.assessments.definitions import LATER_FORM, Definition
from clinical.assessments.episodes import episode_of
from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Assessment, AssessmentDraft, Instrument, InstrumentText, Mode
from clinical.assessments.planning.actions import end_overdue
from cortex.access.context import KEYS_DOWN, opening
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock
from cortex.crypto.errors import SealedError
from cortex.ui.zone import zone_of
from crisis.alerts.models import RiskAlert
from crisis.decisions.actions import apply_decisions
from crisis.reviews.actions import close_item, make_item
from crisis.reviews.queries import open_reasons
from crisis.risk.actions import append_evidence, evaluate_patients
from crisis.risk.evidence import Draft, Origin, from_cssrs, from_item9, from_phq_total
from crisis.risk.measures import is_complete, triage_of
from patients.codes import HeldRecords
from patients.holds.queries import refuse_held
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import local_day, lock_with_record, rows_of

# [P] domain 2.1: a rise is looked at within two days, a declined screener within four hours.
WORSE_WITHIN = timedelta(hours=48)
DECLINED_WITHIN = timedelta(hours=4)
WELLBEING_LOW, WELLBEING_VERY_LOW = 50, 28
# [P] the same answers of the same person on a page that nobody asks on any more: Finish was pressed twice.
TWICE_WITHIN = timedelta(minutes=10)
NOT_BEGUN = "Nobody is answering this measure. Begin it again."
# What a screener without an answer to each question asks for.
DECLINED = "cssrs_declined"
# The tasks that ask for a measure, by its key: once it was taken, nobody has to.
ANSWERS = {
    "phq9": frozenset({"phq9_due", "phq9_suggested"}),
    "cssrs": frozenset({"cssrs_due", DECLINED, "item9_missing"}),
}


@action
def begin_assessment(
    *, actor: Actor, patient_id: UUID, key: str, language: str = "", mode: str = Mode.INTERVIEWER,
    at: datetime | None = None,
) -> AssessmentDraft:  # fmt: skip
    """Begin to ask a measure, or go on where somebody began: one form of it is under way at a time."""
    if mode not in Mode.values:
        raise InputRefused("Say how the answers are given.", "mode_unknown", field="mode")
    who, _ = _locked(actor, patient_id)
    at = clock(at)
    row = offers.instrument(key, who.organization_id)
    text = offers.text_of(row, language or who.language)
    measure = offers.measure_of(row)
    if row.pk != measure.pk and queries.last_answered(rows_of(who), [measure], at) is None:
        raise RuleBroken(f"Ask the {measure.title} first: nobody has yet.", "first_form_first")
    existing = queries.draft_in(who.pk, offers.forms_of(measure, who.organization_id))
    if existing is not None:
        return Unchanged(existing)  # type: ignore[return-value]
    draft = AssessmentDraft.objects.create(
        organization_id=who.organization_id, patient=who, instrument=row, language=text.language,
        mode=mode, started_by=actor.user,
    )  # fmt: skip
    record(actor, "measure.begun", draft, subject=who.pk, codes={"instrument": key, "mode": mode})
    return draft


@quiet("answers are kept one by one while they are given; the finished administration is recorded")
def save_answer(
    *, actor: Actor, patient_id: UUID, key: str, item: str, value: int | None, at: datetime | None = None
) -> AssessmentDraft:
    """Keep one answer; None takes it back. InputRefused for an item or a value that the measure hasn't."""
    who = access.treated(actor, patient_id, clock(at))
    row = offers.instrument(key, who.organization_id)
    draft = queries.locked_draft(who.pk, row)
    if draft is None:
        raise RuleBroken(NOT_BEGUN, "not_begun")
    _check(row.read(), {item: value}, item)
    draft.items = draft.items | {item: value}
    draft.save(update_fields=["items", "updated_at"])
    return draft


@action
def give_up(*, actor: Actor, patient_id: UUID, key: str, at: datetime | None = None) -> int:
    """Throw the answers under way away: nothing was finished."""
    who = access.treated(actor, patient_id, clock(at))
    draft = queries.locked_draft(who.pk, offers.instrument(key, who.organization_id))
    if draft is None:
        return Unchanged(0)  # type: ignore[return-value]
    refuse_held(who.pk, HeldRecords.MEASURES, draft.created_at)
    record(actor, "measure.given_up", draft, subject=who.pk, codes={"instrument": key})
    draft.delete()
    return 1


@action
def finish_assessment(
    *, actor: Actor, patient_id: UUID, key: str, answers: Mapping[str, int | None] | None = None,
    mode: str = "", administered_at: datetime | None = None, session_id: UUID | None = None,
    language: str = "", is_page: bool = False, at: datetime | None = None,
) -> tuple[Assessment, list[RiskAlert]]:  # fmt: skip
    """Score the answers under way (or the given ones), and let what they say reach a person at once.

    Item 9 and the C-SSRS write evidence, the engine decides, and an alert opens in this same transaction
    (domain 2.1 rule 3). Return the administration and the alerts that it raised or joined.

    The given answers of a page (`is_page`) are those under way: once nobody asks any more, RuleBroken
    `not_begun`, but a second press on Finish gets what the first one stored.
    """
    who, person_id = _locked(actor, patient_id)
    at = clock(at)
    row = offers.instrument(key, who.organization_id)
    drafts = queries.drafts_of(who.pk, row.course_key)
    draft = next((one for one in drafts if one.instrument_id == row.pk), None)
    if draft is None and is_page:
        return Unchanged((_pressed_twice(actor, who, row, answers or {}, at), []))  # type: ignore[return-value]
    if answers is None and draft is None:
        raise RuleBroken(NOT_BEGUN, "not_begun")
    given = dict(draft.items if answers is None and draft is not None else answers or {})
    language = language or (draft.language if draft is not None else who.language)
    how = mode or (draft.mode if draft is not None else Mode.INTERVIEWER)
    when = administered_at or at
    if how == Mode.PAPER and administered_at is None:
        raise InputRefused("Say when the paper was filled in.", "required", field="administered_at")
    if when > at:
        raise InputRefused("This lies in the future.", "in_the_future", field="administered_at")
    one = _write(actor, who, row, given, how, language, when, session_id=session_id)
    for under_way in drafts:
        under_way.delete()
    record(actor, "measure.finished", one, subject=who.pk, codes=_codes(row, one))
    return one, _settle(actor, who, person_id, row, one, at)


def _pressed_twice(
    actor: Actor, patient: Patient, row: Instrument, answers: Mapping[str, int | None], at: datetime
) -> Assessment:
    """Return what the actor stored of these same answers just now; RuleBroken `not_begun` without it."""
    found = queries.stored_alike(patient.pk, row, actor.id, _asked(row.read(), answers), at - TWICE_WITHIN)
    if found is None:
        raise RuleBroken(NOT_BEGUN, "not_begun")
    return found


@action
def correct_assessment(
    *, actor: Actor, patient_id: UUID, assessment_id: UUID, answers: Mapping[str, int | None],
    at: datetime | None = None,
) -> tuple[Assessment, list[RiskAlert]]:  # fmt: skip
    """Put another administration in the place of a wrong one; the wrong one stays on record."""
    who, person_id = _locked(actor, patient_id)
    at = clock(at)
    wrong = queries.administration([who.pk], assessment_id)
    if queries.correction_of(wrong) is not None:
        raise RuleBroken("This was corrected already. Correct the newer one.", "already_corrected")
    row = wrong.instrument
    one = _write(
        actor, who, row, dict(answers), wrong.mode, wrong.language, wrong.administered_at, supersedes=wrong
    )
    record(actor, "measure.corrected", one, subject=who.pk, codes=_codes(row, one))
    return one, _settle(actor, who, person_id, row, one, at)


def _write(
    actor: Actor, patient: Patient, row: Instrument, answers: dict[str, int | None], mode: str, language: str,
    when: datetime, *, session_id: UUID | None = None, supersedes: Assessment | None = None,
) -> Assessment:  # fmt: skip
    definition = row.read()
    _check(definition, answers)
    asked = _asked(definition, answers)
    if all(value is None for value in asked.values()) and definition.scoring != "cssrs":
        raise InputRefused("Nothing was answered.", "nothing_answered", field="items")
    found = scoring.score(definition, asked, adolescent=_is_adolescent(actor, patient, definition, when))
    return Assessment.objects.create(
        organization_id=patient.organization_id, patient=patient, instrument=row, language=language,
        mode=mode, administered_at=when, items=asked, total=found.total, band=found.band,
        prorated=found.prorated, is_valid=found.is_valid, flags=list(found.flags),
        scored_by_version=scoring.VERSION, administered_by=actor.user, session_id=session_id,
        supersedes=supersedes,
    )  # fmt: skip


def _asked(definition: Definition, answers: Mapping[str, int | None]) -> dict[str, int | None]:
    """Return what is kept of answers: one to each question that they ask, None where none was given."""
    return {
        item.key: answers.get(item.key) if definition.is_asked(item, answers) else None
        for item in definition.items
    }


def _is_adolescent(actor: Actor, patient: Patient, definition: Definition, when: datetime) -> bool:
    """Whether the cut-off of the young holds: 10 to 19 years, by the date of birth where it is known.

    Without one, or when it does not open, the band says it: answers never wait for a key.
    """
    if definition.cutoff_adolescent is None:
        return False
    try:
        with opening(actor, purpose="treatment") as context:
            context.open([patient], ["date_of_birth"])
            born = patient.date_of_birth
    except (*KEYS_DOWN, SealedError):
        born = None
    return scoring.is_adolescent(born, patient.is_minor, local_day(patient, when))


def _codes(row: Instrument, one: Assessment) -> dict[str, Any]:
    return {"instrument": row.key, "version": row.version, "band": one.band, "flags": one.flags}


def _settle(
    actor: Actor, patient: Patient, person_id: UUID, row: Instrument, one: Assessment, at: datetime
) -> list[RiskAlert]:
    """End the tasks that an administration, or a correction, answers, and let what it says reach a person."""
    _end_what_asked(actor, patient, row, one, at)
    joined = _follow(actor, patient, person_id, row.read(), one, at)
    # After the level that it came to: a high one asks for more.
    end_overdue(actor=actor, patient=patient, outcome="measure_offered", at=at)
    return joined


def _follow(
    actor: Actor, patient: Patient, person_id: UUID, definition: Definition, one: Assessment, at: datetime
) -> list[RiskAlert]:
    """Write the evidence, let the engine decide, and make the tasks that the rules of domain 2.1 ask for."""
    drafts = _evidence(definition, one)
    joined: list[RiskAlert] = []
    if drafts:
        append_evidence(actor=actor, drafts={person_id: drafts}, at=at)
        evaluations = evaluate_patients(actor=actor, patient_ids=[person_id], at=at)
        joined = apply_decisions(actor=actor, evaluations=evaluations, at=at).get(person_id, [])
    for reason, due in _tasks(patient, definition, one, at):
        make_item(
            actor=actor, organization_id=patient.organization_id, patient=patient, reason_code=reason,
            source_type="measure", source_id=one.pk, due_at=due, at=at,
        )  # fmt: skip
    return joined


def _end_what_asked(actor: Actor, patient: Patient, row: Instrument, one: Assessment, at: datetime) -> None:
    """Close the tasks that asked for this measure before it was taken; what it shows makes its own."""
    asked = ANSWERS.get(row.course_key)
    if asked is None or not one.is_valid:
        return
    ids = rows_of(patient)
    for patient_id, reason in open_reasons(ids, asked, one.administered_at):
        close_item(actor=actor, patient_id=patient_id, reason_code=reason, outcome="measure_offered", at=at)
    if one.supersedes is not None and DECLINED in asked:
        _end_declined(actor, ids, one, at)


def _end_declined(actor: Actor, ids: list[UUID], one: Assessment, at: datetime) -> None:
    """Close the task that a wrong screener made by being declined, unless a later one was declined too."""
    course = one.instrument.course_key
    later = [row for row in queries.standing(ids, one.administered_at) if row.pk != one.pk]
    if any(row.instrument.course_key == course for row in later):
        return
    wrong = one.supersedes
    while wrong is not None:
        close_item(
            actor=actor, patient_id=wrong.patient_id, reason_code=DECLINED, outcome="measure_offered", at=at,
            source_id=wrong.pk,
        )  # fmt: skip
        wrong = wrong.supersedes


def _evidence(definition: Definition, one: Assessment) -> list[Draft]:
    origin = Origin("instrument", one.administered_at, source_id=one.pk, session_id=one.session_id)
    if definition.key == "phq9":
        drafts = [from_item9(one.items.get("q9"), origin)]
        return [*drafts, from_phq_total(one.total, origin)] if one.total is not None else drafts
    if definition.scoring == "cssrs":
        screener = scoring.screener_of(one.items)
        triage = triage_of(screener)
        return [
            from_cssrs(
                triage.triage, triage.floor, origin, complete=is_complete(screener),
                behaviour=screener.behaviour, since_contact=definition.key in LATER_FORM.values(),
            )
        ]  # fmt: skip
    return []


def _tasks(
    patient: Patient, definition: Definition, one: Assessment, at: datetime
) -> list[tuple[str, datetime]]:
    """Return (reason, due) of what a person has to do about an administration."""
    today = zone_of(patient.zone())
    end = (at.astimezone(today) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    tasks = []
    if "item9_missing" in one.flags:
        tasks.append(("item9_missing", end))
    if "item9_endorsed" in one.flags:
        tasks.append(("cssrs_due", end))
    if definition.scoring == "cssrs" and not one.is_valid:
        tasks.append((DECLINED, at + DECLINED_WITHIN))
    if definition.key == "who5" and one.total is not None and one.total <= WELLBEING_LOW:
        tasks.append(("phq9_due", end if one.total <= WELLBEING_VERY_LOW else at + WORSE_WITHIN))
    if definition.key == "phq2" and "above_cutoff" in one.flags:
        tasks.append(("phq9_due", end))
    if _is_worse(patient, definition, one, at):
        tasks.append(("measure_worse", at + WORSE_WITHIN))
    return tasks


def _is_worse(patient: Patient, definition: Definition, one: Assessment, at: datetime) -> bool:
    """Whether this total is a deterioration against the baseline or the one before, of this same version.

    What was taken later says nothing of it: an older form may be entered, or corrected, afterwards.
    """
    if one.total is None:
        return False
    ids = rows_of(patient)
    before = queries.standing(ids, at - queries.LOOK_BACK)
    others = [row for row in before if row.administered_at < one.administered_at]
    measure = offers.measure_of(one.instrument)
    course = queries.courses(others, [measure], episode_of(ids, at))[measure.key]
    earlier = {point.total for point in (course.baseline, course.latest) if point is not None}
    return any(scoring.change(definition, total, one.total).is_deterioration for total in earlier)


def _check(definition: Definition, answers: Mapping[str, int | None], item: str = "items") -> None:
    try:
        scoring.check(definition, answers)
    except ValueError as error:
        raise InputRefused(f"{error}.", "answer_unknown", field=item) from error


def _locked(actor: Actor, patient_id: UUID) -> tuple[Patient, UUID]:
    """Lock the person (their row on record too), then ask again whether the actor may write here."""
    person = lock_with_record(patient_id)
    return access.treated(actor, patient_id, clock(None)), person


@action
def install_text(
    *, actor: Actor, key: str, version: str, language: str, texts: Mapping[str, Any], source: str = "",
    notice: str = "",
) -> InstrumentText:  # fmt: skip
    """Load the wording of an instrument from an operator's file, unaltered; it takes the older one's place.

    InputRefused when a question or an answer is missing, or when there is one that the instrument hasn't.
    """
    row = Instrument.objects.filter(key=key, version=version).first()
    if row is None:
        raise NotFound(f"There is no instrument {key} {version}.", "instrument_unknown")
    _check_texts(row.read(), texts)
    found, _ = InstrumentText.objects.update_or_create(
        instrument=row, language=language,
        defaults={"texts": dict(texts), "source": source, "notice": notice},
    )  # fmt: skip
    record(actor, "measure.text_installed", found, codes={"instrument": key, "language": language})
    return found


def _check_texts(definition: Definition, texts: Mapping[str, Any]) -> None:
    keys = {item.key for item in definition.items}
    values = {str(answer.value) for answer in definition.answers}
    if set(texts.get("items", {})) != keys:
        odd = sorted(keys ^ set(texts.get("items", {})))
        raise InputRefused(f"The instrument's questions differ: {', '.join(odd)}.", "text_incomplete")
    if set(texts.get("answers", {})) != values:
        raise InputRefused(f"Give the answers {', '.join(sorted(values))}.", "text_incomplete")


@action
def offer_instrument(*, actor: Actor, instrument_id: UUID) -> Instrument:
    """Offer one version of an instrument, in place of another; it needs a text first."""
    row = offers.locked_instrument(instrument_id)
    if row.is_enabled:
        return Unchanged(row)  # type: ignore[return-value]
    offers.text_of(row, "en")
    Instrument.objects.filter(key=row.key, is_enabled=True).update(is_enabled=False)
    return _switch(actor, row, "measure.offered", on=True)


@action
def withdraw_instrument(*, actor: Actor, instrument_id: UUID) -> Instrument:
    """Stop offering an instrument; what was answered stays."""
    row = offers.locked_instrument(instrument_id)
    if not row.is_enabled:
        return Unchanged(row)  # type: ignore[return-value]
    return _switch(actor, row, "measure.withdrawn", on=False)


def _switch(actor: Actor, row: Instrument, verb: str, *, on: bool) -> Instrument:
    row.is_enabled = on
    row.save(update_fields=["is_enabled", "updated_at"])
    record(actor, verb, row, codes={"instrument": row.key, "version": row.version})
    return row
