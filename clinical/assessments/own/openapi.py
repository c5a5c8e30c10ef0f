"""What the API reference says about measures: one schema of answers per instrument, from its definition."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

from clinical.assessments.definitions import Definition, packaged
from cortex.api.schema import SHARED, TEXT, TIME, object_of, ref, refusals
from crisis.intake.openapi import IDEMPOTENCY, PSEUDONYM

VALUE = {"type": "integer"}


def _answers(one: Definition) -> dict[str, Any]:
    values = {"type": "integer", "enum": [answer.value for answer in one.answers]}
    return object_of(
        f"Answers to the {one.title}. A question that was left out has no member.", ("measure", "answers"),
        measure={"type": "string", "enum": [one.key]},
        answers={
            "type": "object", "minProperties": 1, "additionalProperties": False,
            "properties": {item.key: values for item in one.items},
        },
        answered_at=TIME | {"description": "When they were given: clamped to 60 days back and to now."},
        language=TEXT | {"pattern": "^[A-Za-z]{2,8}$", "description": "Of the text that was shown."},
    ) | {"additionalProperties": False}  # fmt: skip


CHOICE = object_of("An answer and what it is called.", ("value", "text"), value=VALUE, text=TEXT)
QUESTION = object_of(
    "One question. `asked_if` names the answers after which it is asked; without it, always.",
    ("key", "text", "choices"), key=TEXT, text=TEXT, choices={"type": "array", "items": CHOICE},
    asked_if={"type": "object", "additionalProperties": VALUE},
)  # fmt: skip
SHARED.update({
    "MeasureAnswers": {
        "oneOf": [ref(f"MeasureAnswers_{key}") for key in sorted(packaged())],
        "discriminator": {"propertyName": "measure"},
    },
    **{f"MeasureAnswers_{key}": _answers(one) for key, one in packaged().items()},
    "DueMeasure": {
        "type": "object",
        "description": "A measure that is due, in the person's language where a wording is installed; "
        "show its `notice` and `credit` unaltered. `since` is set where the form asks what has been since it "
        "was answered last: show the day beside the questions.",
        "properties": {
            **dict.fromkeys(("measure", "version", "title", "about", "language", "stem"), TEXT),
            **dict.fromkeys(("notice", "credit"), TEXT),
            "since": {"type": ["string", "null"], "format": "date-time"},
            "minutes": VALUE, "due_at": TIME, "questions": {"type": "array", "items": QUESTION},
        },
        "required": ["measure", "version", "title", "due_at", "since", "language", "questions"],
    },
})  # fmt: skip
HELD = object_of(
    "A measure that is due and must not be shown now: `alert_open` (nobody is there to read an answer), or "
    "`no_consent`.", ("measure", "reason"), measure=TEXT,
    reason={"type": "string", "enum": ["alert_open", "no_consent"]},
)  # fmt: skip
OFFER = object_of(
    "What is due, what is held back, and where help is near.", ("measures", "held_back", "support"),
    measures={"type": "array", "items": ref("DueMeasure")}, held_back={"type": "array", "items": HELD},
    support=ref("Support"),
)  # fmt: skip
TAKEN = object_of(
    "The answers are stored; a total is for a clinician to explain and isn't sent. Show `support` at once "
    "whenever it is there.", ("result", "record", "measure", "version", "received_at"),
    result=TEXT, record={"type": "string", "format": "uuid"}, measure=TEXT, version=TEXT, received_at=TIME,
    support=ref("Support"),
)  # fmt: skip
EXAMPLE = OpenApiExample("A GAD-7", request_only=True, value={
    "measure": "gad7", "answers": {f"q{number}": 1 for number in range(1, 8)}, "language": "en",
})  # fmt: skip
DUE_DOCS: dict[str, Any] = {"tags": ["Measures"], "responses": {200: OFFER, **refusals(401)}}
DUE_OF_DOCS: dict[str, Any] = {
    "tags": ["Measures"], "parameters": [PSEUDONYM], "responses": {200: OFFER, **refusals(401, 403, 404)},
}  # fmt: skip
ANSWER_DOCS: dict[str, Any] = {
    "tags": ["Measures"], "request": {"application/json": ref("MeasureAnswers")}, "examples": [EXAMPLE],
    "responses": {201: TAKEN, **refusals(400, 401, 403, 404, 409, 413, 415, 422)},
}  # fmt: skip
OWN_ANSWER_DOCS = ANSWER_DOCS | {"parameters": [IDEMPOTENCY]}
ANSWER_OF_DOCS = ANSWER_DOCS | {"parameters": [PSEUDONYM, IDEMPOTENCY]}
