"""The seam where a text model joins: loaded once per process; a model that fails leaves the lexicon alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .screening import Screening

log = logging.getLogger("cortex.risk")


class ModelState(StrEnum):
    """What an organization lets a version do; a version that it does not name is off."""

    OFF = "off"
    SHADOW = "shadow"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class ModelReading:
    """What a model says of one text: a severity in 0..1 and how sure it is (0..1); no words, no spans.

    A shadow reading is recorded and shown to supervisors, and decides nothing.
    """

    severity: float
    confidence: float
    model_version: str
    is_shadow: bool = False


class TextModel(Protocol):
    """A model that reads texts in memory; it must not keep them, log them or send them anywhere."""

    @property
    def version(self) -> str:
        """Names the very weights, so that evidence always says what it came from."""
        ...

    def read_many(
        self, texts: Sequence[str], screenings: Sequence[Screening]
    ) -> Sequence[ModelReading | None]:
        """Read texts that the lexicon has screened; None for each where the model has nothing to say."""
        ...


Loader = Callable[[], TextModel]
_loaded: list[TextModel] = []
_loaders: list[Loader] = []
_failures: dict[str, str] = {}
LOADING, SCORING = "loading", "scoring"


def provide(loader: Loader) -> None:
    """Say how the model is loaded, in place of the one before it; it is, once, when it is first asked for."""
    _loaders[:] = [loader]
    _loaded.clear()
    _failures.clear()


def text_model() -> TextModel | None:
    """The model in force, or None when there is none or it can't be loaded: then the lexicon alone speaks."""
    if not _loaded and _loaders and LOADING not in _failures:
        try:
            _loaded[:] = [_loaders[0]()]
        except Exception as error:
            # The lexicon goes on without it, and readiness says so until the process starts anew.
            log.error("text model not loaded", exc_info=error)
            _failures[LOADING] = type(error).__name__
    return _loaded[0] if _loaded else None


def note_scoring(error: Exception | None) -> None:
    """Keep for readiness whether the newest batch could be scored."""
    if error is None:
        _failures.pop(SCORING, None)
    else:
        log.error("text model could not score", exc_info=error)
        _failures[SCORING] = type(error).__name__


def failures() -> dict[str, str]:
    """What fails (loading, scoring) with the name of its error; empty when nothing does."""
    return dict(_failures)
