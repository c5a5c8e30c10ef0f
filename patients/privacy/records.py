"""What a door hands over to record a consent: a dataclass, no table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from patients.codes import ConsentMethod


@dataclass(slots=True)
class ConsentData:
    """One decision of a person; `recorded_at` is when they took it (default: the action's time)."""

    consent_type: str
    granted: bool
    scope: dict[str, Any] = field(default_factory=dict)
    version: str = ""
    language: str = ""
    method: str = ConsentMethod.APP
    recorded_at: datetime | None = None
    expires_at: datetime | None = None
    guardian: str | None = None
    evidence_ref: str = ""
    legacy_ids: dict[str, Any] = field(default_factory=dict)
