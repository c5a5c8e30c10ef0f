"""Small makers of evidence for the tests of the risk rules; no rule is repeated here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from crisis.risk import codes
from crisis.risk.engine import assess
from crisis.risk.types import EvidenceItem, Inputs, Result

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def ago(days: float = 0, hours: float = 0) -> datetime:
    """A moment before NOW."""
    return NOW - timedelta(days=days, hours=hours)


def session(number: int) -> UUID:
    """A steady session id."""
    return UUID(int=number)


def text(tier: str, days: float = 0) -> EvidenceItem:
    return EvidenceItem(codes.text_code(tier), "text", "message", ago(days), UUID(int=900), tier=tier)


def mood(label: str, confidence: float, days: float = 0, number: int = 1) -> EvidenceItem:
    at = ago(days)
    return EvidenceItem(
        f"EMO_{label.upper()}", "emotion", "voice", at, UUID(int=800 + number), confidence=confidence,
        session_id=session(number), local_day=at.date(),
    )  # fmt: skip


def gap(score: float, days: float = 0, number: int = 1, masked: bool = False) -> EvidenceItem:
    at = ago(days)
    code = codes.DISSONANCE_MASKED if masked else codes.DISSONANCE
    return EvidenceItem(
        code, "dissonance", "voice", at, session(number), value=score, session_id=session(number),
        local_day=at.date(),
    )  # fmt: skip


def baseline(deviation: float, days: float = 0, number: int = 1, code: str = codes.BASELINE) -> EvidenceItem:
    at = ago(days)
    return EvidenceItem(
        code, "baseline", "voice", at, session(number), value=deviation, session_id=session(number),
        local_day=at.date(),
    )  # fmt: skip


def trajectory(confidence: float, days: float = 0, code: str = "TRAJECTORY_DECLINING") -> EvidenceItem:
    return EvidenceItem(code, "trajectory", "pattern", ago(days), UUID(int=700), confidence=confidence)


def item9(value: int, days: float = 0) -> EvidenceItem:
    return EvidenceItem(codes.ITEM9, "phq", "instrument", ago(days), UUID(int=600), value=value)


def phq_total(value: int, days: float = 0) -> EvidenceItem:
    return EvidenceItem(codes.PHQ_TOTAL, "phq", "instrument", ago(days), UUID(int=600), value=value)


def cssrs(
    triage: str, floor: str, days: float = 0, code: str = codes.CSSRS, behaviour: float | None = None
) -> EvidenceItem:
    return EvidenceItem(
        code, "cssrs", "instrument", ago(days), UUID(int=500), tier=triage, floor=floor, value=behaviour
    )


def factor(code: str, days: float = 0, source: str = "clinician", status: str = "present") -> EvidenceItem:
    return EvidenceItem(code, codes.domain_of(code), source, ago(days), UUID(int=400), status=status)


def clinician(level: str, direction: str, days: float = 0) -> EvidenceItem:
    return EvidenceItem(
        codes.CLINICIAN_LEVEL, "review", "clinician", ago(days), UUID(int=300), tier=direction, floor=level
    )


def resolved(kind: str, days: float = 0, hours: float = 0) -> EvidenceItem:
    return EvidenceItem(codes.ALERT_RESOLVED, "review", "alert", ago(days, hours), UUID(int=200), tier=kind)


def decide(*evidence: EvidenceItem, **facts: object) -> Result:
    """The engine's result at NOW."""
    return assess(Inputs(at=NOW, evidence=tuple(evidence), **facts))  # type: ignore[arg-type]
