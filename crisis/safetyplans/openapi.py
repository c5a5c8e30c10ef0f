"""What the API reference says of a person's own safety plan."""

from __future__ import annotations

from typing import Any

from cortex.api.schema import COUNT, TEXT, TIME, object_of, refusals
from crisis.safetyplans.wording import SECTIONS

LINE = object_of(
    "One line; `contact` is a number to ring, a place, or a name.", ("text",), text=TEXT, contact=TEXT
)
STEP = object_of(
    "One step that holds a line, in the order in which they are gone through.", ("section", "title", "lines"),
    section={"type": "string", "enum": [one.key for one in SECTIONS]}, title=TEXT,
    lines={"type": "array", "items": LINE},
)  # fmt: skip
PLAN = object_of(
    "The version in force.", ("version", "finished_at", "reviewed_at", "steps"),
    version=COUNT, finished_at=TIME, reviewed_at=TIME, steps={"type": "array", "items": STEP},
) | {"type": ["object", "null"]}  # fmt: skip
ANSWER = object_of("The plan, or null where none is in force.", ("plan",), plan=PLAN)
DOCS: dict[str, Any] = {"responses": {200: ANSWER, **refusals(401)}}
