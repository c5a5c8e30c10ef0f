"""Opens what was said and written in one session, part by part, with what was read in it; for one look."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clinical.sessions.coding import code_words
from clinical.sessions.queries import Review
from clinical.sessions.told import exercise_of, lines_of
from clinical.sessions.words.queries import Part, part_of
from clinical.sessions.words.showing import read_words
from cortex.access.context import AccessContext
from crisis.risk.queries import read_in

Marks = Mapping[UUID, list[tuple[str, bool]]]


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance, opened; `read` is what was read in it as a sign of risk, in words."""

    who: str
    at: datetime | None
    text: str
    read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What a person wrote of an exercise or in feedback, opened, with what was read in it."""

    title: str
    text: str
    read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exercise:
    """What was entered in an exercise and what the app's machine made of it, opened, as lines.

    What was read in it stands with what the person wrote of it, where they wrote anything.
    """

    title: str
    entered: list[str]
    analysis: list[str]
    read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What was said and written in one session, opened for one look; of its messages one part.

    `heard` is what was read in the transcript, of which nobody keeps the place.
    """

    part: Part
    transcript: str = ""
    heard: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    notes: tuple[Written, ...] = ()
    exercises: tuple[Exercise, ...] = ()
    details: tuple[tuple[str, list[str]], ...] = ()


def open_words(
    context: AccessContext, found: Review, number: int, at: datetime, closed: Collection[str] = ()
) -> Words:
    """Open one part of a session's messages, with the first one also everything else that was said.

    That is the transcript, and what was written of exercises, in feedback and to the assistant's tools.
    `closed` are codes of signs that are not named to the reader: whatever rests on them has no mark.
    """
    part = part_of(found.session, found.said, found.shut, number, at)
    context.open(part.messages, ["content"])
    rest = [] if part.number > 1 else [found.session, *found.activities, *found.feedback]
    marks = read_in([row.pk for row in (*part.messages, *rest)])
    lines = tuple(
        Line(
            one.get_role_display(), one.sent_at, one.content or "", read_words(marks.get(one.pk, ()), closed)
        )
        for one in part.messages
    )
    if part.number > 1:
        return Words(part, lines=lines)
    return _with_the_rest(context, found, part, lines, marks, closed)


def _with_the_rest(
    context: AccessContext, found: Review, part: Part, lines: tuple[Line, ...], marks: Marks,
    closed: Collection[str],
) -> Words:  # fmt: skip
    voice = found.voice
    if voice is not None:
        context.open([voice], ["transcript_encrypted"])
    context.open(found.activities, ["user_feedback", "activity_data", "ai_analysis"])
    context.open(found.feedback, ["feedback_text"])
    context.open(found.tools, ["params", "error"])
    notes = [(code_words(one.activity_type), one.user_feedback, one.pk) for one in found.activities]
    notes += [("feedback", one.feedback_text, one.pk) for one in found.feedback]
    transcript = (voice.transcript_encrypted or "") if voice is not None else ""
    return Words(
        part,
        transcript=transcript,
        heard=read_words(marks.get(found.session.pk, ()), closed) if transcript else (),
        lines=lines,
        notes=tuple(
            Written(title.capitalize(), text, read_words(marks.get(pk, ()), closed))
            for title, text, pk in notes
            if text
        ),
        exercises=tuple(
            Exercise(*row, () if one.user_feedback else read_words(marks.get(one.pk, ()), closed))
            for one in found.activities
            if any((row := exercise_of(one))[1:])
        ),
        details=tuple(
            (one.tool_name, told)
            for one in found.tools
            if (told := [*lines_of(one.params), *lines_of(one.error, "Error")])
        ),
    )
