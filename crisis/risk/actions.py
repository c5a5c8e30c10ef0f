"""Writes of the risk feature: evidence, evaluations, evaluations that are due, and the lexicon's version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from cortex.audit import Actor, Unchanged, action, part, quiet, record
from cortex.clock import clock
from cortex.ids import uuid7
from cortex.ops.bulk import insert_rows
from patients.registry.queries import locked as lock_patients
from patients.registry.queries import person_ids

from . import hysteresis, queries
from .engine import assess
from .evaluation import Evaluation
from .evidence import Draft, from_rule_in_shadow
from .lexicon import lexicon
from .lexicons import lexicon_of
from .models import Evidence, LevelSource, Lexicon, LexiconEntry, RiskAssessment, RiskDue
from .policy import ENGINE_VERSION, POLICY
from .queries import Subject
from .rows import assessment_of, evidence_of, standing_of
from .switches import NOTHING, Switches
from .types import EvidenceItem, Inputs, Level

WATCH = "level_watch"


@action
def append_evidence(
    *, actor: Actor, drafts: Mapping[UUID, Iterable[Draft]], at: datetime | None = None
) -> dict[UUID, list[Evidence]]:
    """Append evidence to the ledger, by person; the caller's transaction holds the people's locks.

    Raises KeyError for a person who isn't on record. Evaluating is a step of its own, so that a batch
    evaluates each person once.
    """
    drafts = {patient_id: list(rows) for patient_id, rows in drafts.items()}
    if not any(drafts.values()):
        return Unchanged({})  # type: ignore[return-value]
    at = clock(at)
    people = queries.subjects(drafts)
    made = {
        patient_id: [
            evidence_of(
                draft,
                patient_id=patient_id,
                organization_id=people[patient_id].organization_id,
                received_at=at,
            )
            for draft in rows
        ]
        for patient_id, rows in drafts.items()
    }
    insert_rows([row for rows in made.values() for row in rows])
    codes = {str(patient_id): [row.code for row in rows] for patient_id, rows in made.items()}
    record(actor, "evidence.added", subject=_only(made), codes={"evidence": codes})
    return made


@part
@action
def evaluate_patients(
    *, actor: Actor, patient_ids: Iterable[UUID], at: datetime | None = None,
    instead: Mapping[UUID, RiskAssessment | None] | None = None,
) -> dict[UUID, Evaluation]:  # fmt: skip
    """Decide about each person once, store the evaluations, and return them for the alert desk.

    Six queries at most however many people there are; raises no alert. What a rule in shadow would have set
    goes into the ledger, once for each piece of evidence, by queries of its own. A person who isn't on record
    is left out. Who stays at medium or high gets the next look in 6 h, since a level comes down only by
    looking again. `instead` names what stood before where it isn't the newest assessment (None: nothing).
    """
    wanted = sorted(set(patient_ids))
    at = clock(at)
    people = queries.subjects(wanted)
    if not people:
        return Unchanged({})  # type: ignore[return-value]
    ledger = queries.ledger(people, at)
    before: dict[UUID, RiskAssessment | None] = {**queries.latest_assessments(people), **(instead or {})}
    switches = queries.switches(subject.organization_id for subject in people.values())
    evaluations = {
        patient_id: _evaluate(
            patient_id,
            subject,
            ledger[patient_id],
            before.get(patient_id),
            switches.get(subject.organization_id, NOTHING),
            at,
        )
        for patient_id, subject in people.items()
    }
    rows = [each.assessment for each in evaluations.values()]
    insert_rows(rows)
    _watch(rows, at)
    _tell_shadows(actor, evaluations, at)
    levels = {str(row.pk): row.level for row in rows}
    record(actor, "risk.assessed", subject=_only(evaluations), codes={"assessments": levels})
    return evaluations


@action
def carry_level(
    *, actor: Actor, from_id: UUID, patient_id: UUID, at: datetime | None = None
) -> RiskAssessment | None:
    """Let the level of a row that turned out to be this person stand for them where it is the higher one.

    People alone end a critical level (domain 3.8), on whichever of a person's rows it was found: held it
    stays until somebody does. The caller's transaction holds both rows' locks.
    """
    at = clock(at)
    found = queries.latest_assessments([from_id, patient_id])
    theirs, own = found.get(from_id), found.get(patient_id)
    if theirs is None or (own is not None and Level(own.level).rank >= Level(theirs.level).rank):
        return Unchanged(None)  # type: ignore[return-value]
    theirs.pk, theirs.patient_id, theirs.level_source = uuid7(), patient_id, LevelSource.HELD
    theirs.organization_id = queries.subjects([patient_id])[patient_id].organization_id
    theirs.computed_at = theirs.entered_level_at = theirs.created_at = at
    theirs.save(force_insert=True)
    codes = {"from": str(from_id), "level": theirs.level}
    record(actor, "risk.level_carried", theirs, subject=patient_id, codes=codes)
    return theirs


@part
@action
def return_level(
    *, actor: Actor, patient_id: UUID, since: datetime | None, at: datetime | None = None
) -> RiskAssessment | None:
    """Look at somebody anew to whom a stranger's row was linked `since`; None when they are not on record.

    Where nothing of their own came in meanwhile, their level goes on from what stood before: what was said of
    somebody else is not held against them. Else it is held, for people to look at.
    """
    at = clock(at)
    instead = {}
    if since is not None and not queries.has_news(patient_id, since):
        instead[patient_id] = queries.assessment_before(patient_id, since)
    found = evaluate_patients(actor=actor, patient_ids=[patient_id], at=at, instead=instead)
    if patient_id not in found:
        return Unchanged(None)  # type: ignore[return-value]
    row = found[patient_id].assessment
    record(
        actor, "risk.level_returned", row, subject=patient_id, codes={"level": row.level, "own": not instead}
    )
    return row


@action
def schedule_evaluation(
    *, actor: Actor, patient_id: UUID, due_at: datetime, reason_code: str, source_id: UUID | None = None
) -> RiskDue | None:
    """Ask for an evaluation at `due_at`; None when one with this reason is open already."""
    subject = queries.subjects([patient_id])[patient_id]
    due = RiskDue(
        patient_id=patient_id, organization_id=subject.organization_id, due_at=due_at,
        reason_code=reason_code, source_id=source_id,
    )  # fmt: skip
    # The partial unique index decides, so that two builders at once leave one row.
    RiskDue.objects.bulk_create([due], ignore_conflicts=True)
    if not RiskDue.objects.filter(pk=due.pk).exists():
        return Unchanged(None)  # type: ignore[return-value]
    record(actor, "risk.scheduled", due, subject=patient_id, codes={"reason": reason_code})
    return due


@action
def take_due(*, actor: Actor, due_id: UUID, at: datetime | None = None) -> dict[UUID, Evaluation]:
    """Do one due evaluation; empty when it is done or held elsewhere. The caller tells the alert desk."""
    due = queries.locked_due(due_id)
    if due is None:
        return Unchanged({})  # type: ignore[return-value]
    # The person before everything else: an evaluation of older evidence must not land as the newest. The
    # evidence of a row that was merged since counts for the person behind it.
    person_id = person_ids([due.patient_id])[due.patient_id]
    lock_patients([person_id])
    at = clock(at)
    # Done before evaluating, so that the evaluation may ask for the next look under the same reason.
    RiskDue.objects.filter(pk=due.pk).update(claimed_at=at, done_at=at, attempts=due.attempts + 1)
    record(actor, "risk.due_taken", due, codes={"reason": due.reason_code})
    return evaluate_patients(actor=actor, patient_ids=[person_id], at=at)


@quiet("the version of the lexicon that ships with the code; no person's data")
def install_lexicon(*, actor: Actor, at: datetime | None = None) -> Lexicon:
    """Put the packaged lexicon and its entries into the tables and make it the active version, once."""
    packaged = lexicon()
    queries.one_installer_at_a_time()
    at = clock(at)
    row = queries.lexicon_row(packaged.checksum)
    if row is not None and row.is_active:
        return row
    Lexicon.objects.filter(is_active=True).update(is_active=False)
    if row is None:
        row = Lexicon.objects.create(
            version=packaged.version, languages=list(packaged.languages), checksum=packaged.checksum,
            entry_count=len(packaged.entries), signed=packaged.signed, is_active=True, activated_at=at,
        )  # fmt: skip
        LexiconEntry.objects.bulk_create(
            LexiconEntry(
                lexicon=row, code=entry.id, tier=entry.tier, language=entry.language, role=entry.role,
                patterns=list(entry.patterns), cues=list(entry.cues), note=entry.note,
            )
            for entry in packaged.entries
        )  # fmt: skip
    else:
        Lexicon.objects.filter(pk=row.pk).update(is_active=True, activated_at=at)
        row.refresh_from_db()
    return row


def _evaluate(
    patient_id: UUID,
    subject: Subject,
    items: list[EvidenceItem],
    before: RiskAssessment | None,
    switches: Switches,
    at: datetime,
) -> Evaluation:
    inputs = Inputs(
        at=at,
        evidence=tuple(items),
        is_minor=subject.is_minor,
        raised_at=before.raised_at if before else None,
        lexicon_version=lexicon_of(switches.live_lexicon).version,
        resting=switches.resting,
    )
    result = assess(inputs)
    standing = hysteresis.after(standing_of(before), result)
    row = assessment_of(result, standing, patient_id=patient_id, organization_id=subject.organization_id)
    return Evaluation(result, before, row)


def _tell_shadows(actor: Actor, evaluations: Mapping[UUID, Evaluation], at: datetime) -> None:
    """Keep what rules in shadow would have set; what one was told of before is no news."""
    found = {
        patient_id: [from_rule_in_shadow(floor, ENGINE_VERSION) for floor in each.result.shadow_floors]
        for patient_id, each in evaluations.items()
        if each.result.shadow_floors
    }
    if not found:
        return
    times = (row.item.observed_at for rows in found.values() for row in rows)
    told = queries.shadow_rules_told(found, times)
    news = {
        patient_id: [row for row in rows if (patient_id, row.item.code, row.item.observed_at) not in told]
        for patient_id, rows in found.items()
    }
    append_evidence(actor=actor, drafts=news, at=at)


def _watch(rows: Iterable[RiskAssessment], at: datetime) -> None:
    """Leave one open look for everybody whose level could come down by itself."""
    due_at = at + timedelta(hours=POLICY.down_gap_hours)
    looks = [
        RiskDue(
            patient_id=row.patient_id,
            organization_id=row.organization_id,
            due_at=due_at,
            reason_code=WATCH,
        )
        for row in rows
        if row.level in (Level.MEDIUM, Level.HIGH)
    ]
    insert_rows(looks, ignore=True)


def _only(found: Mapping[UUID, object]) -> UUID | None:
    """The one person whom a record is about; None when there are several, whom its codes name."""
    return next(iter(found)) if len(found) == 1 else None
