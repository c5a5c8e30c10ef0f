"""What a signed version holds, whether it still does, and how two of them differ; no query but the keys'."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from clinical.plans.models import PlanVersion
from clinical.plans.wording import number
from cortex.crypto.digest import keyed_digest
from cortex.keys.queries import data_keys

ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Fields of the plan itself, then of its parts: the key, and what a reader calls it.
PLAN = (
    ("presenting_problem", "Presenting problem"),
    ("formulation", "Formulation"),
    ("start", "Start"),
    ("target_end", "Planned end"),
    ("review_interval_days", "Days between reviews"),
    ("risk_level", "Level when saved"),
    ("safety_plan", "Safety plan"),
)
PARTS: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "goals": (
        "Goal",
        "specific",
        (
            ("specific", "What"), ("measured", "Measured by"), ("baseline", "From"), ("target", "To"),
            ("steps", "Milestones"), ("achievable_note", "Why it can be reached"), ("serves", "Serves"),
            ("due_date", "By"), ("weight", "Weight"), ("status", "Status"),
        ),
    ),
    "interventions": (
        "Intervention",
        "title",
        (
            ("title", "What"), ("frequency", "How often"), ("sessions_planned", "Sessions planned"),
            ("evidence_level", "Evidence"), ("goals", "For"), ("note", "Note"), ("ended_on", "Ended"),
        ),
    ),
    "diagnoses": (
        "Diagnosis", "title", (("title", "What"), ("status", "Status"), ("onset", "Since")),
    ),
    "medications": (
        "Medication",
        "name",
        (("name", "What"), ("dose", "Dose"), ("frequency", "How often"), ("status", "Status")),
    ),
    "team": ("Care team", "name", (("name", "Who"), ("role", "Role"))),
}  # fmt: skip


# What stands for a diagnosis that labels keep back from the reader.
PROTECTED = "a protected entry"


@dataclass(frozen=True, slots=True)
class Hidden:
    """What labels keep back of a plan's content: ids of diagnoses and medications, titles of diagnoses."""

    ids: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is other: `kind` is added, removed or changed; an addition has no `before`."""

    what: str
    kind: str
    before: str = ""
    after: str = ""


def canonical(content: Mapping[str, Any]) -> str:
    """Return the one text of a content, for its hash."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def is_intact(signed: PlanVersion) -> bool | None:
    """Whether an opened version still holds what was signed; None when a key of that time may be gone."""
    keys = data_keys([signed.patient_id]).get(signed.patient_id, [])
    text, known = canonical(signed.content), bytes(signed.content_hash)
    fits = [hmac.compare_digest(keyed_digest(key, text), known) for key in keys if not key.is_destroyed]
    return any(fits) or (None if len(fits) < len(keys) or not keys else False)


def without(content: Mapping[str, Any], hidden: Hidden) -> dict[str, Any]:
    """Return a content as somebody reads it from whom labels keep back a part; `withheld` says how much."""
    kept = {
        key: [one for one in content.get(key, []) if one["id"] not in hidden.ids]
        for key in ("diagnoses", "medications")
    }
    goals = [
        one | {"serves": [PROTECTED if word in hidden.titles else word for word in one.get("serves", [])]}
        for one in content.get("goals", [])
    ]
    withheld = sum(len(content.get(key, [])) - len(rows) for key, rows in kept.items())
    return {**content, **kept, "goals": goals, "withheld": withheld}


def readable(value: Any) -> Any:
    """Return a content, or a part of one, with its days and numbers as people write them."""
    if isinstance(value, Mapping):
        return {key: readable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [readable(one) for one in value]
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str) and ISO_DAY.fullmatch(value):
        return _day(value)
    return value


def _day(text: str) -> str:
    """Return a day in words; somebody's own words that only look like one stay as they are."""
    try:
        return f"{date.fromisoformat(text):%-d %b %Y}"
    except ValueError:
        return text


def said(value: Any) -> str:
    """Return a value as a reader sees it."""
    if value is None:
        return ""
    found = readable(value)
    return "; ".join(str(one) for one in found) if isinstance(found, list) else str(found)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return what differs from one content to another, plan first, then its parts in their order."""
    found = _fields("", PLAN, before, after)
    for key, (title, name, fields) in PARTS.items():
        old = {_identity(key, one): one for one in before.get(key, [])}
        new = {_identity(key, one): one for one in after.get(key, [])}
        for identifier, part in new.items():
            if identifier not in old:
                found.append(Difference(title, "added", after=said(part[name])))
            else:
                label = f'{title} "{said(part[name])[:60]}": '
                found += _fields(label, fields, old[identifier], part)
        found += [
            Difference(title, "removed", before=said(part[name]))
            for identifier, part in old.items()
            if identifier not in new
        ]
    return found


def _identity(key: str, part: Mapping[str, Any]) -> str:
    """Return what a part of a plan is known by; who has another place as what they were is no other."""
    return f"{part['name']}\n{part['role']}" if key == "team" else str(part["id"])


def _fields(
    label: str, fields: tuple[tuple[str, str], ...], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[Difference]:
    pairs = ((title, said(before.get(key)), said(after.get(key))) for key, title in fields)
    found = []
    for title, old, new in pairs:
        if old != new:
            what = f"{label}{title.lower()}" if label else title
            found.append(Difference(what, "changed", old, new))
    return found
