"""Reads of the risk feature: the ledger of evidence, the newest assessments, evaluations that are due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Floor, Least

from cortex.accounts.models import Organization
from cortex.ops.postgres.questions import kept
from patients.codes import MINOR_BANDS
from patients.registry.models import Patient

from . import codes
from .models import EngineSetting, Evidence, EvidenceDomain, Lexicon, RiskAssessment, RiskDue
from .rows import ITEM_COLUMNS, item_of
from .switches import LEXICON, RULE, SWITCHABLE, Switches
from .textmodel import ModelState
from .types import EvidenceItem, Source

# What a person's own words are read in, and who says so where it is the text model.
WORDS = tuple(map(str, (
    Source.MESSAGE, Source.TRANSCRIPT, Source.CHECK_IN, Source.ACTIVITY, Source.FEEDBACK, Source.TEXT_MODEL,
)))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """What an evaluation must know of a person; nothing of it is sealed."""

    organization_id: UUID
    is_minor: bool


def subjects(patient_ids: Iterable[UUID]) -> dict[UUID, Subject]:
    """The people of these ids; one query."""
    rows = _subjects(set(patient_ids))
    return {pk: Subject(organization_id, band in MINOR_BANDS) for pk, organization_id, band in rows}


@kept
def _subjects(patient_ids: set[UUID]) -> QuerySet[Patient, Any]:
    rows = Patient.objects.filter(pk__in=patient_ids).order_by()
    return rows.values_list("pk", "organization_id", "age_band")


def ledger(patient_ids: Iterable[UUID], at: datetime) -> dict[UUID, list[EvidenceItem]]:
    """The evidence that counts at `at`, by person, rows of merged records with it; one query.

    Context (shadow readings, what was taken back) decides nothing and is left out: with it, the digest of an
    assessment's inputs would tell whether a model ran in shadow.
    """
    wanted = set(patient_ids)
    found: dict[UUID, list[EvidenceItem]] = {patient_id: [] for patient_id in wanted}
    for person_id, *columns in _counting(wanted, at):
        found[person_id].append(item_of(tuple(columns)))
    return found


@kept
def _counting(people: set[UUID], at: datetime) -> QuerySet[Evidence, Any]:
    rows = Evidence.objects.counting(at).filter(patient__person_id__in=people)
    return rows.exclude(domain=EvidenceDomain.CONTEXT).values_list("patient__person_id", *ITEM_COLUMNS)


def told(source_ids: Iterable[UUID]) -> dict[UUID, set[tuple[str, str]]]:
    """What the ledger has of these sources: code and lexicon entry of each row; one query."""
    found: dict[UUID, set[tuple[str, str]]] = {}
    rows = Evidence.objects.filter(source_id__in=set(source_ids))
    for source_id, code, entry in rows.values_list("source_id", "code", "lexicon_entry"):
        if source_id is not None:
            found.setdefault(source_id, set()).add((code, entry))
    return found


def read_in(source_ids: Iterable[UUID]) -> dict[UUID, list[tuple[str, bool]]]:
    """What was read in the words of these sources: (code, whether it was found to be no sign); one query.

    As the timeline has it: what is known to be absent, shadow readings and what people decided are left out.
    """
    found: dict[UUID, list[tuple[str, bool]]] = {}
    for source_id, code, refuted_at in _read_in(list(source_ids)):
        found.setdefault(source_id, []).append((code, refuted_at is not None))
    return found


@kept
def _read_in(source_ids: list[UUID]) -> QuerySet[Evidence, Any]:
    rows = Evidence.objects.filter(source_id__in=source_ids, source_type__in=WORDS).exclude(status="absent")
    rows = rows.exclude(domain__in=(EvidenceDomain.CONTEXT, EvidenceDomain.REVIEW))
    return rows.order_by("code", "observed_at").values_list("source_id", "code", "refuted_at")


def latest_assessments(patient_ids: Iterable[UUID]) -> dict[UUID, RiskAssessment]:
    """The newest assessment of each person who has one; one query."""
    return {row.patient_id: row for row in _newest(set(patient_ids))}


@kept
def _newest(patient_ids: set[UUID]) -> QuerySet[RiskAssessment]:
    """One step into the index for each person, however many evaluations they have."""
    own = RiskAssessment.objects.filter(patient_id=OuterRef("pk")).order_by("-computed_at", "-id")
    people = Patient.objects.filter(pk__in=patient_ids).order_by()
    # As an array, found before: for `IN` the planner would rather read the table from one end to the other.
    newest = ArraySubquery(people.values_list(Subquery(own.values("pk")[:1])))
    return RiskAssessment.objects.filter(pk__in=newest)


def assessment_before(patient_id: UUID, at: datetime) -> RiskAssessment | None:
    """The newest assessment of somebody before a time."""
    rows = RiskAssessment.objects.filter(patient_id=patient_id, computed_at__lt=at)
    return rows.order_by("-computed_at", "-id").first()


def has_news(patient_id: UUID, since: datetime) -> bool:
    """Whether anything about a person came in since a time, on any of their rows."""
    return Evidence.objects.filter(patient__person_id=patient_id, received_at__gte=since).exists()


class LevelNow(NamedTuple):
    """The level of somebody's newest assessment, since when they have it, and the one before ("": none)."""

    level: str
    entered_at: datetime
    before: str


def latest_levels(patient_ids: Iterable[UUID]) -> dict[UUID, LevelNow]:
    """The level of each person who was assessed; one query, and no instance is made."""
    rows = _levels(set(patient_ids))
    return {person: LevelNow(level, entered, before or "") for person, level, entered, before in rows}


@kept
def _levels(patient_ids: set[UUID]) -> QuerySet[RiskAssessment, Any]:
    own = RiskAssessment.objects.filter(patient_id=OuterRef("patient_id"))
    before = own.filter(computed_at__lt=OuterRef("entered_level_at")).order_by("-computed_at", "-id")
    return _newest.build(patient_ids).values_list(
        "patient_id", "level", "entered_level_at", Subquery(before.values("level")[:1])
    )


def latest_assessment(patient_id: UUID) -> RiskAssessment | None:
    """The newest assessment of one person."""
    return latest_assessments([patient_id]).get(patient_id)


def assessments(patient_id: UUID, *, limit: int = 50) -> list[RiskAssessment]:
    """A person's assessments, newest first."""
    return list(RiskAssessment.objects.filter(patient_id=patient_id).order_by("-computed_at", "-id")[:limit])


def screeners_since(patient_ids: Iterable[UUID], since: datetime, *, limit: int = 5) -> list[Evidence]:
    """The C-SSRS screeners of one person that were asked since, of each sitting what is known last."""
    asked = (codes.CSSRS, codes.CSSRS_SINCE, codes.CSSRS_PARTIAL)
    rows = Evidence.objects.filter(patient_id__in=list(patient_ids), code__in=asked, refuted_at__isnull=True)
    rows = rows.filter(source_type=Source.INSTRUMENT, observed_at__gte=since, source_id__isnull=False)
    known = {row.observed_at: row for row in rows.order_by("received_at", "pk")}
    return [known[moment] for moment in sorted(known, reverse=True)][:limit]


def due_evaluations(at: datetime, *, limit: int = 100) -> list[UUID]:
    """The ids of evaluations that are due and not done, the longest waiting first."""
    rows = RiskDue.objects.filter(due_at__lte=at, done_at__isnull=True).order_by("due_at", "pk")
    return list(rows.values_list("pk", flat=True)[:limit])


def locked_due(due_id: UUID) -> RiskDue | None:
    """Lock and return an evaluation that is due; None when it is done or somebody else has it."""
    rows = RiskDue.objects.select_for_update(of=("self",), skip_locked=True)
    return rows.filter(pk=due_id, done_at__isnull=True).first()


def model_state(organization_id: UUID, version: str) -> ModelState:
    """What the organization lets this version of the text model do (settings: `text_models`); one query."""
    settings = next(iter(_settings(organization_id)), None)
    named = settings.get("text_models") if isinstance(settings, dict) else None
    state = named.get(version) if isinstance(named, dict) else None
    return ModelState(state) if state in set(ModelState) else ModelState.OFF


@kept
def _settings(organization_id: UUID) -> QuerySet[Organization, Any]:
    return Organization.objects.filter(pk=organization_id).order_by().values_list("settings", flat=True)


def switches(organization_ids: Iterable[UUID]) -> dict[UUID, Switches]:
    """What each of these organizations lets rules and lexicons do now; one query."""
    states: dict[UUID, dict[str, dict[str, ModelState]]] = {}
    for organization_id, kind, name, state in _in_force(set(organization_ids)):
        states.setdefault(organization_id, {}).setdefault(kind, {})[name] = ModelState(state)
    return {
        organization_id: Switches(found.get(RULE, {}), found.get(LEXICON, {}))
        for organization_id, found in states.items()
    }


@kept
def _in_force(organization_ids: set[UUID]) -> QuerySet[EngineSetting, tuple[UUID, str, str, str]]:
    one = ("organization_id", "kind", "name")
    rows = EngineSetting.objects.filter(organization_id__in=organization_ids, in_force_at__isnull=False)
    return rows.order_by(*one, "-in_force_at", "-pk").distinct(*one).values_list(*one, "state")


def shadow_rules_told(
    patient_ids: Iterable[UUID], times: Iterable[datetime]
) -> set[tuple[UUID, str, datetime]]:
    """What rules in shadow were told of before: person, code and moment; one query."""
    rows = Evidence.objects.filter(
        patient_id__in=set(patient_ids), observed_at__in=set(times),
        code__in=[codes.rule_code(rule) for rule in SWITCHABLE],
    )  # fmt: skip
    return set(rows.values_list("patient_id", "code", "observed_at"))


@dataclass(frozen=True, slots=True)
class ReadingCount:
    """How many readings of a version fell into a band of shares; how many of their texts had a tier too."""

    version: str
    is_shadow: bool
    tenth: int
    readings: int
    with_tier: int

    @property
    def band(self) -> str:
        """The band in words: "0.2 to 0.3"."""
        return f"{self.tenth / 10:.1f} to {(self.tenth + 1) / 10:.1f}"


def model_counts(organization_ids: Iterable[UUID], since: datetime) -> list[ReadingCount]:
    """The text model's readings by version, state and band, the strongest first; one query."""
    rows = (
        _readings(organization_ids, since)
        .annotate(tenth=Least(Floor(F("value") * 10), Value(9.0)))
        .values_list("lexicon_version", "code", "tenth")
        .annotate(count=Count("pk"), tiered=Count("pk", filter=Q(has_tier=True)))
        .order_by("lexicon_version", "code", "-tenth")
    )
    return [
        ReadingCount(version, code == codes.TEXT_MODEL_SHADOW, int(tenth), count, tiered)
        for version, code, tenth, count, tiered in rows
    ]


def model_readings(organization_ids: Iterable[UUID], since: datetime) -> QuerySet[Evidence]:
    """The text model's readings with their people, newest first, each marked `has_tier`."""
    return _readings(organization_ids, since).select_related("patient").order_by("-observed_at", "-pk")


def _readings(organization_ids: Iterable[UUID], since: datetime) -> QuerySet[Evidence]:
    tiers = Evidence.objects.filter(
        source_id=OuterRef("source_id"), code__in=[codes.text_code(tier) for tier in codes.TIERS]
    )
    return Evidence.objects.filter(
        organization_id__in=set(organization_ids), observed_at__gte=since,
        code__in=(codes.TEXT_MODEL, codes.TEXT_MODEL_SHADOW),
    ).annotate(has_tier=Exists(tiers))  # fmt: skip


def lexicon_row(checksum: str) -> Lexicon | None:
    """The stored version with these entries, if it was installed."""
    return Lexicon.objects.filter(checksum=checksum).first()


def one_installer_at_a_time() -> None:
    """Wait until no other transaction installs a lexicon; the lock ends with this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('cortex.lexicon'))")
