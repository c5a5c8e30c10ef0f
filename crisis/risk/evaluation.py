"""One evaluation as the alert desk takes it: the engine's result with the row before and the row now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .types import Result

if TYPE_CHECKING:
    from .models import RiskAssessment


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The engine's result, the person's assessment before it (None the first time), and the stored one.

    `assessment.level` is the level that stands after the hysteresis; `result.level` is the engine's own.
    """

    result: Result
    previous: RiskAssessment | None
    assessment: RiskAssessment
