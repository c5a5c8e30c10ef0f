"""Screens the words of sorted items in memory and lets the limit hold back only what needs nobody; pure."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from crisis.intake.answers import Result
from crisis.intake.items import BETWEEN
from crisis.intake.sorting import Sorted
from crisis.risk.lexicon import Lexicon, Screening
from crisis.risk.lexicons import note_shadow
from crisis.risk.textmodel import ModelState, TextModel, note_scoring
from patients.codes import CODE

SEPARATORS = re.compile(r"[_.:+/-]+")
log = logging.getLogger("cortex.intake")


class Screener(Protocol):
    """How the lexicon is asked."""

    def __call__(self, text: str, *, turn: int | None = None) -> Screening:
        """Screen one text; `turn` counts the person's texts in the conversation from 1."""
        ...


def screen_rows(rows: Iterable[Sorted], screen: Screener, turns: Mapping[int, int]) -> None:
    """Screen every item whose words may be looked at; what can't be screened is marked, never passed over.

    `turns` are the places of messages in their conversations, by index: "I'm fine" to a greeting is courtesy.
    """
    for row in rows:
        if not row.may_screen:
            continue
        try:
            row.screening = screen(words_of(row), turn=turns.get(row.item.index))
            row.outcome.was_screened = True
        except Exception as error:
            # Whatever goes wrong while words are read, a person must look: the alert is raised from the mark.
            log.error("could not screen", exc_info=error)
            row.is_unscreened = True
        row.outcome.wants_support = row.outcome.wants_support or row.needs_person


def maybe_polite(rows: Iterable[Sorted]) -> list[Sorted]:
    """Return the rows in which "I'm fine" may be a courtesy: their place in the conversation decides."""
    return [row for row in rows if row.screening is not None and row.screening.deflections]


def scorable(rows: Iterable[Sorted]) -> list[Sorted]:
    """Return the rows whose words a text model may read: screened, to be stored now, in English.

    An item is stored once, so that its reading is told once, however often it is sent.
    """
    return [row for row in rows if row.screening is not None and row.is_taken and is_english(row)]


def is_english(row: Sorted) -> bool:
    """Whether the words are in English: said by the item, else by its person, and not denied by the lexicon.

    Many apps send "en" for everybody, so words that are mostly known from another language are not English.
    """
    language = row.item.values.get("language") or (row.person.language if row.person is not None else "")
    shares = row.screening.languages if row.screening is not None else {}
    return language.partition("-")[0].lower() == "en" and (not shares or shares.get("en", 0.0) > 0.5)


def score_rows(rows: Sequence[Sorted], model: TextModel, state: ModelState) -> None:
    """Have the text model read rows, in one go; whatever it does, the lexicon's word stands as it is."""
    if state is ModelState.OFF or not rows:
        return
    try:
        screenings = [row.screening or Screening() for row in rows]
        readings = model.read_many([words_of(row) for row in rows], screenings)
        for row, reading in zip(rows, readings, strict=True):
            if reading is not None:
                row.reading = replace(reading, is_shadow=state is ModelState.SHADOW)
    except Exception as error:
        # Intake is never held up for it: readiness and the log say so.
        note_scoring(error)
        for row in rows:
            row.reading = None
    else:
        note_scoring(None)


def shadow_rows(rows: Iterable[Sorted], lexicons: Iterable[Lexicon], turns: Mapping[int, int]) -> None:
    """Have versions of the lexicon in shadow read what is stored now; it changes nothing else."""
    taken = [row for row in rows if row.screening is not None and row.is_taken]
    for one in lexicons:
        try:
            found = [one.screen(words_of(row), turn=turns.get(row.item.index)) for row in taken]
        except Exception as error:
            # A shadow holds up no message: readiness and the log say so.
            note_shadow(one.version, error)
            continue
        note_shadow(one.version, None)
        for row, screening in zip(taken, found, strict=True):
            row.shadows = (*row.shadows, screening)


def words_of(row: Sorted) -> str:
    """Return the words of an item as one text."""
    return BETWEEN.join(map(spoken, row.item.words))


def spoken(text: str) -> str:
    """Return a code as the words that it is made of (`want.to.die`); any other text as it is."""
    return SEPARATORS.sub(" ", text) if CODE.fullmatch(text) else text


def hold_back(rows: Iterable[Sorted]) -> None:
    """Answer what is over the limit with 429; a duplicate of it in the same batch gets the same."""
    limited: set[UUID | None] = set()
    for row in rows:
        if row.is_taken and row.is_over and not row.needs_person:
            row.outcome.result = Result.LIMITED
            limited.add(row.key)
        elif row.outcome.result is Result.DUPLICATE and row.key in limited:
            row.outcome.result = Result.LIMITED


def fail_closed(rows: Iterable[Sorted], closed: set[UUID], needs_seal: Callable[[Sorted], bool]) -> None:
    """Fail what can't be sealed or told from earlier words, because the key of its patient can't be had."""
    for row in rows:
        is_open = (row.is_taken and needs_seal(row)) or (row.is_duplicate and row.is_uncertain)
        if is_open and row.outcome.patient_id in closed:
            row.fail("could_not_store")
