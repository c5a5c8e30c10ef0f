"""Reads one item of a batch, without a database; a refused item still gives up its words for screening."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cortex.horizon import is_far
from crisis.intake import fields as f
from crisis.intake.kinds import COMMON, KINDS, Kind
from patients.codes import SessionKind
from patients.privacy.scope import fault_of
from patients.sessions.records import clamped

MAX_ITEMS = 500
# With +14:00 it is tomorrow somewhere, and further on nowhere.
DAY_AHEAD = timedelta(days=1)
# A sentence end between two texts of one item.
BETWEEN = "\n.\n"
# What the assistant or the service says about the person is sealed and never evidence (domain 1.4).
NOT_THEIRS = frozenset({"service_context", "safety_analysis", "ai_analysis"})
log = logging.getLogger("cortex.intake")
KNOWN_COMMON = frozenset(field.name for field in COMMON)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an item isn't taken: a code, and the JSON pointer of the place below the item."""

    reason: str
    field: str = ""


@dataclass(slots=True)
class Item:
    """One item as it was read. `at` is within bounds, `sent_at` is the time as the app said it, if it did.

    `words` are the person's own (to be screened), also those of a refused item; `values` are checked members.
    `is_voiced`: an emotion that was read from the voice.
    """

    index: int
    id: str = ""
    kind: str = ""
    pseudonym: str = ""
    at: datetime | None = None
    sent_at: datetime | None = None
    values: dict[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    replaced: int = 0
    ignored: tuple[str, ...] = ()
    refusal: Refusal | None = None
    is_voiced: bool = False

    @property
    def carries_words(self) -> bool:
        """Whether anything in it has to be screened."""
        return bool(self.words)

    @property
    def wording(self) -> str:
        """All its words as one text to screen and to tell from another; no pattern reaches across a join."""
        return BETWEEN.join(self.words)

    @property
    def saying(self) -> str:
        """What an item of the same id must say to be the same: its words, and of a decision what it is."""
        if self.kind != "consent" or self.refusal is not None:
            return self.wording
        decided = {name: str(self.values.get(name)) for name in sorted(self.values)}
        return BETWEEN.join((self.wording, json.dumps(decided)))

    @property
    def needs_voice(self) -> bool:
        """Whether its kind, where it could be read, is of the person's voice, or it says so itself."""
        return self.is_voiced or (self.kind in KINDS and KINDS[self.kind].needs_voice)

    @property
    def schema(self) -> Kind:
        """The kind's own description; only for items that were not refused."""
        return KINDS[self.kind]

    @property
    def button(self) -> str:
        """The button of an SOS; what is missing or unreadable counts as danger."""
        return str(self.values.get("button", "in_danger"))

    def moment(self) -> datetime:
        """The time that the item is filed under; `read_items` sets it for every item."""
        if self.at is None:
            raise ValueError("an item gets its time when it is read")
        return self.at


def pseudonyms_of(raw: Iterable[Any]) -> set[str]:
    """Return the patients that items name, before anything else of them is read."""
    named = (item.get("patient") for item in raw if isinstance(item, dict))
    return {name for name in named if isinstance(name, str) and f.NAME.fullmatch(name)}


def read_items(
    raw: Iterable[Any], received: datetime, repaired: Iterable[str] = (), own: Sequence[str] = ()
) -> list[Item]:
    """Read every item of a batch; `own` are the names of a patient's own token: nobody else may be named."""
    per_item = _repaired_by_item(repaired)
    return [_read(index, value, received, per_item.get(index, 0), own) for index, value in enumerate(raw)]


def _repaired_by_item(pointers: Iterable[str]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for pointer in pointers:
        steps = pointer.split("/")
        if len(steps) > 2 and steps[1] == "items" and steps[2].isdigit():
            counts[int(steps[2])] = counts.get(int(steps[2]), 0) + 1
    return counts


def _read(index: int, raw: Any, received: datetime, replaced: int, own: Sequence[str]) -> Item:
    item = Item(index=index, at=received, replaced=replaced)
    if own:
        item.pseudonym = own[0]
    if not isinstance(raw, dict):
        item.words = tuple(strings(raw))
        item.refusal = Refusal("wrong_type")
        return item
    refusals: list[f.Refused] = []
    try:
        _read_head(item, raw, received, own, refusals)
        if item.kind:
            _read_members(item, raw, received, refusals)
    except Exception as error:
        # A reader that fails is a defect of ours: it must not cost the items beside this one.
        log.error("item not read", exc_info=error)
        refusals.append(f.Refused("unreadable"))
    item.words = tuple(_own_words(item, raw, is_whole=not refusals))
    # The button is always taken; whatever else is wrong with it is beside the point.
    if refusals and item.kind != "sos":
        item.refusal = Refusal(refusals[0].code, refusals[0].field)
    return item


def _read_head(
    item: Item, raw: Mapping[str, Any], received: datetime, own: Sequence[str], refusals: list[f.Refused]
) -> None:
    """Read what all kinds share; everything readable is kept beside what is refused."""
    kind = raw.get("kind")
    item.kind = kind if isinstance(kind, str) and kind in KINDS else ""
    if not item.kind:
        refusals.append(f.Refused("missing" if kind is None else "unknown_kind", "/kind"))
    item.is_voiced = item.kind == "emotion" and _is_voiced(raw)
    item.id = _member(raw, COMMON[0], refusals) or ""
    named = _member(raw, COMMON[2], refusals) or ""
    if not own:
        item.pseudonym = named
        if "patient" not in raw and not (item.kind and KINDS[item.kind].is_anonymous):
            refusals.append(f.Refused("missing", "/patient"))
    elif named and named not in own:
        refusals.append(f.Refused("wrong_patient", "/patient"))
    item.sent_at = _member(raw, COMMON[3], refusals)
    if item.sent_at is not None:
        item.at = clamped(item.sent_at, received)


def _is_voiced(raw: Mapping[str, Any]) -> bool:
    """Whether an emotion was read from the voice: it says so, however it is spelled, or it has its sound."""
    source = raw.get("source")
    return bool(raw.get("prosody")) or (isinstance(source, str) and source.strip().lower() == "voice")


def _member(raw: Mapping[str, Any], field: f.Field, refusals: list[f.Refused]) -> Any:
    value = raw.get(field.name)
    if value is None:
        if field.required:
            refusals.append(f.Refused("missing", f"/{field.name}"))
        return None
    try:
        return field.read(value)
    except f.Refused as refused:
        refusals.append(f.Refused(refused.code, f"/{field.name}{refused.field}"))
        return None


def _read_members(item: Item, raw: Mapping[str, Any], received: datetime, refusals: list[f.Refused]) -> None:
    kind = KINDS[item.kind]
    for member in kind.fields:
        value = _member(raw, member, refusals)
        if value is not None:
            item.values[member.name] = value
    known = {member.name for member in kind.fields} | KNOWN_COMMON
    item.ignored = tuple(sorted(key for key in raw if key not in known))
    if not refusals:
        try:
            _check_together(item, received)
        except f.Refused as refused:
            refusals.append(refused)


def _check_together(item: Item, received: datetime) -> None:
    """Rules over several members of one item, and over a day and the clock."""
    values = item.values
    if item.kind == "checkin" and values["date"] > received.astimezone(UTC).date() + DAY_AHEAD:
        raise f.Refused("out_of_range", "/date")
    if item.kind == "emotion":
        if ("session" in values) == ("message" in values):
            raise f.Refused("one_of_session_and_message", "/session")
        if values["source"] == "voice" and values.get("label") in ("trust", "anticipation"):
            raise f.Refused("not_a_choice", "/label")
        if not values.keys() & {"label", "valence", "plutchik", "probabilities", "clinical_markers"}:
            raise f.Refused("missing", "/label")
    if (
        item.kind == "session_started"
        and values.get("neural_audio")
        and values["session_kind"] != SessionKind.NEURAL_AUDIO
    ):
        raise f.Refused("wrong_session_kind", "/neural_audio")
    if item.kind == "feedback":
        values["effectiveness_scale"] = 5 if values.get("effectiveness_scale") == "1-5" else 10
        if values.get("effectiveness", 1) > values["effectiveness_scale"]:
            raise f.Refused("out_of_range", "/effectiveness")
    for later in ("completed_at", "finished_at"):
        if later in values and item.sent_at is not None and values[later] < item.sent_at:
            raise f.Refused("before_start", f"/{later}")
    if (
        item.kind == "consent"
        and values.get("expires_at") is not None
        and values["expires_at"] <= item.moment()
    ):
        raise f.Refused("before_start", "/expires_at")
    ends = values.get("expires_at") if item.kind == "consent" and values["granted"] else None
    if ends is not None and is_far(ends, received):
        raise f.Refused("out_of_range", "/expires_at")
    if item.kind == "consent" and values["granted"] and (fault := fault_of(values.get("scope", {}))):
        raise f.Refused(fault[0], f"/scope/{fault[1]}")


def _own_words(item: Item, raw: Mapping[str, Any], *, is_whole: bool) -> Iterator[str]:
    """The person's own words: those of assistant and staff are never evidence.

    Of a whole item, the members that are words and whatever it has no member for. Of one that is wrong
    somewhere everything that could not be read as what it should be: a wrong name must not hide a sentence.
    """
    if item.kind == "message" and raw.get("role") in ("assistant", "staff"):
        return
    if is_whole:
        names = [member.name for member in item.schema.fields if member.words and member.name in raw]
        names += [name for name in item.ignored if name not in NOT_THEIRS]
    else:
        read: dict[str, Any] = {"id": item.id, "kind": item.kind, "at": item.sent_at}
        read["patient"] = raw.get("patient") == item.pseudonym
        names = [name for name in raw if not read.get(name) and name not in NOT_THEIRS]
    yield from strings({name: raw[name] for name in names})


def strings(value: Any) -> Iterator[str]:
    """Yield every text inside a JSON value, at any depth; object keys too when they are more than a name."""
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not key.replace("_", "").isalnum() and key.strip():
                yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
