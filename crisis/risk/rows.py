"""Turns evidence and results into rows and back; field by field, no query and no rule."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from .evidence import Draft
from .hysteresis import Standing
from .models import AssessmentSource, Evidence, LevelSource, RiskAssessment
from .types import EvidenceItem, FactorShare, KindSignal, Level, Result

ITEM_COLUMNS = (
    "code", "domain", "source_type", "observed_at", "source_id", "tier", "value", "confidence", "floor",
    "status", "session_ref", "local_day", "received_at", "id",
)  # fmt: skip


def item_of(columns: tuple[Any, ...]) -> EvidenceItem:
    """The engine's item of one row's ITEM_COLUMNS, in their order."""
    facts: dict[str, Any] = dict(zip(ITEM_COLUMNS, columns, strict=True))
    facts["session_id"], facts["row_id"] = facts.pop("session_ref"), facts.pop("id")
    return EvidenceItem(**facts)


def evidence_of(draft: Draft, *, patient_id: UUID, organization_id: UUID, received_at: datetime) -> Evidence:
    """The unsaved row of one draft."""
    item = draft.item
    return Evidence(
        patient_id=patient_id, organization_id=organization_id, code=item.code, domain=item.domain,
        tier=item.tier, value=item.value, confidence=item.confidence, floor=item.floor, status=item.status,
        source_type=item.source_type, source_id=item.source_id, session_ref=item.session_id,
        local_day=item.local_day, observed_at=item.observed_at, received_at=received_at,
        created_at=received_at,
        expires_at=draft.expires_at, lexicon_entry=draft.lexicon_entry, lexicon_version=draft.lexicon_version,
        flags=list(draft.flags),
    )  # fmt: skip


def standing_of(row: RiskAssessment | None) -> Standing | None:
    """What the hysteresis needs of the assessment before."""
    if row is None:
        return None
    return Standing(Level(row.level), row.entered_level_at, row.calm_since, row.raised_at, row.is_held)


def assessment_of(
    result: Result, standing: Standing, *, patient_id: UUID, organization_id: UUID
) -> RiskAssessment:
    """The unsaved row of one evaluation."""
    held = standing.level.rank > result.level.rank
    return RiskAssessment(
        patient_id=patient_id, organization_id=organization_id, level=standing.level.value,
        level_source=LevelSource.HELD if held else result.level_source, engine_level=result.level.value,
        score=result.score, score_raw=result.score_raw, protective_applied=result.protective_applied,
        caps=list(result.caps), factors=[factor_json(factor) for factor in result.factors],
        rules_fired=list(result.rules_fired), signals=[signal_json(signal) for signal in result.signals],
        reviews=list(result.reviews), missing_inputs=list(result.missing_inputs),
        engine_version=result.engine_version, lexicon_version=result.lexicon_version,
        inputs_digest=result.inputs_digest, source=AssessmentSource.ENGINE, computed_at=result.computed_at,
        rule_states=dict(result.resting), entered_level_at=standing.entered_at,
        calm_since=standing.calm_since, raised_at=standing.raised_at,
    )  # fmt: skip


def factor_json(factor: FactorShare) -> dict[str, Any]:
    """A factor as the JSON columns keep it."""
    return {
        "code": factor.code,
        "domain": factor.domain,
        "contribution": factor.contribution,
        "share": factor.share,
        "source_type": str(factor.source_type),
        "source_id": str(factor.source_id) if factor.source_id else None,
        "observed_at": factor.observed_at.isoformat(),
        "confidence": factor.confidence,
    }


def signal_json(signal: KindSignal) -> dict[str, Any]:
    """The urgency of one kind as the JSON column keeps it."""
    return {
        "kind": str(signal.kind), "level": str(signal.level), "score": signal.score,
        "rules": list(signal.rules), "newest_at": signal.newest_at.isoformat() if signal.newest_at else None,
    }  # fmt: skip


def newest_of(row: RiskAssessment | None, kind: str) -> datetime | None:
    """When the newest evidence for one kind could be known, as an assessment saw it."""
    stored = next((one for one in row.signals if one["kind"] == kind), None) if row is not None else None
    return datetime.fromisoformat(stored["newest_at"]) if stored and stored["newest_at"] else None
