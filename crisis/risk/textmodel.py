"""The seam where a text model joins; none is registered, and the engine limits what it says (4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ModelReading:
    """What a model says of one text: a severity in 0..1 and how sure it is (0..1); no words, no spans."""

    severity: float
    confidence: float
    model_version: str


class TextModel(Protocol):
    """A model that reads one text in memory; it must not keep it, log it or send it anywhere."""

    version: str

    def read(self, text: str) -> ModelReading | None:
        """Read one text; None where the model can't say."""
        ...


_registered: list[TextModel] = []


def register(model: TextModel) -> None:
    """Put a model in place of the one before it; called at start only."""
    _registered[:] = [model]


def unregister() -> None:
    """Go back to the lexicon alone."""
    _registered.clear()


def text_model() -> TextModel | None:
    """The model in force, or None: then the lexicon alone speaks for words."""
    return _registered[0] if _registered else None
