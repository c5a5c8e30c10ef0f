"""What an alert of one kind keeps of an evaluation: coded columns, of its own rules and score alone; pure."""

from __future__ import annotations

from typing import Any

from crisis.risk.evaluation import Evaluation
from crisis.risk.types import EvidenceItem, FactorShare, Kind, KindSignal

# What an alert without a score shows of its rules' evidence.
MOST_SHOWN = 12


def facts_of(evaluation: Evaluation, signal: KindSignal) -> dict[str, Any]:
    """Return the coded columns of an alert: rules, factors, what is missing, score and evidence.

    The score is about self-harm (domain 4.2), so its factors with their shares stand on that kind's alert
    alone; one of another kind shows what fired its rules. `evidence` are the rows of the ledger behind this
    kind: what a false alarm of it refutes, and nothing else.
    """
    result = evaluation.result
    if signal.kind is Kind.SELF_HARM:
        factors = [_scored(one) for one in sorted(result.factors, key=lambda one: -one.share)]
    else:
        factors = [_unscored(one) for one in signal.items[:MOST_SHOWN]]
    return {
        "rules_fired": list(signal.rules),
        "factors": factors,
        "missing_inputs": list(result.missing_inputs),
        "score": round(signal.score, 2),
        "evidence": [item.row_id for item in signal.items if item.row_id is not None],
        "assessment_id": evaluation.assessment.pk,
    }


def _scored(one: FactorShare) -> dict[str, Any]:
    return _factor(one) | {"contribution": round(one.contribution, 4), "share": round(one.share, 4)}


def _unscored(one: EvidenceItem) -> dict[str, Any]:
    return _factor(one) | {"contribution": None, "share": None}


def _factor(one: FactorShare | EvidenceItem) -> dict[str, Any]:
    return {
        "code": one.code,
        "domain": one.domain,
        "source_type": str(one.source_type),
        "source_id": str(one.source_id) if one.source_id else None,
        "observed_at": one.observed_at.isoformat(),
        "confidence": one.confidence,
    }
