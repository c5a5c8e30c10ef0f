"""One request as it came through the door: who sent it, under which key, and its items or its refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from cortex.api.parsers import Body
from cortex.api.strict import BodyRefused
from crisis.intake.fields import NAME
from crisis.intake.items import MAX_ITEMS
from crisis.intake.kinds import BUTTONS

T = TypeVar("T")
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,200}")
BUTTON = re.compile(rb'"button"\s*:\s*"(\w{1,20})"')
PATIENT = re.compile(rb'"?patient"?\s*[:=]\s*"?([A-Za-z0-9_.:@+-]{1,64})')


@dataclass(slots=True)
class Parcel:
    """A batch before anything is decided; `refusal` says why it can't be read as one.

    Answers are kept for the `sender`, item ids for the `client` whose key it is or minted the token.
    `allowed` is how many of its items are within the sender's rate, `wait` the seconds until the next window.
    """

    organization_id: UUID
    sender: str
    client: str
    route: str
    digest: bytes
    idempotency_key: str = ""
    patient_id: UUID | None = None
    raw_items: list[Any] = field(default_factory=list)
    repaired: frozenset[str] = frozenset()
    refusal: BodyRefused | None = None
    allowed: int = MAX_ITEMS
    wait: int = 1


def read_parcel(parcel: Parcel, body: Body, header: str | None) -> Parcel:
    """Fill in the items and the Idempotency-Key, or the refusal."""
    try:
        parcel.idempotency_key = _key(header)
        parsed = body.read()
        parcel.raw_items = _items(parsed.value)
        parcel.repaired = parsed.repaired
    except BodyRefused as refused:
        parcel.refusal = refused
    return parcel


def read_form(
    parcel: Parcel, body: Body, header: str | None, read: Callable[[dict[str, Any]], T]
) -> tuple[Parcel, T | None]:
    """Fill in the Idempotency-Key and return what `read` makes of the body's members, or keep the refusal."""
    try:
        parcel.idempotency_key = _key(header)
        value = body.read().value
        if not isinstance(value, dict):
            raise BodyRefused("not_an_object", "Send one JSON object.", pointer="")
        return parcel, read(value)
    except BodyRefused as refused:
        parcel.refusal = refused
    return parcel, None


def _key(header: str | None) -> str:
    if header is None:
        return ""
    if IDEMPOTENCY_KEY.fullmatch(header) is None:
        raise BodyRefused("bad_idempotency_key", "An Idempotency-Key is 1 to 200 visible ASCII characters.")
    return header


def _items(value: Any) -> list[Any]:
    if not isinstance(value, dict):
        raise BodyRefused("not_an_object", 'Send one object: {"items": [...]}.', pointer="")
    items = value.get("items")
    if not isinstance(items, list):
        raise BodyRefused("items_missing", "`items` must be a list of items.", status=422, pointer="/items")
    if not items:
        raise BodyRefused("items_empty", "`items` is empty.", status=422, pointer="/items")
    if len(items) > MAX_ITEMS:
        raise BodyRefused("too_many_items", f"Send at most {MAX_ITEMS} items.", status=422, pointer="/items")
    return items


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed SOS button: the patient's pseudonym if one could be read, and the button."""

    pseudonym: str
    button: str


def read_press(raw: bytes, named: str = "") -> Press:
    """Read an SOS from whatever was sent: strict JSON, broken JSON, a form, or nothing but a query.

    `named` is the patient of the query string. A missing or unreadable button means danger.
    """
    value = _leniently(raw)
    pseudonym, button = (_text(value.get("patient")), _text(value.get("button"))) if value else ("", "")
    if not pseudonym:
        found = PATIENT.search(raw)
        pseudonym = found.group(1).decode() if found else named
    if not value and not button:
        found = BUTTON.search(raw)
        button = found.group(1).decode() if found else ""
    known_shape = NAME.fullmatch(pseudonym) is not None
    return Press(pseudonym if known_shape else "", button if button in BUTTONS else BUTTONS[0])


def _leniently(raw: bytes) -> dict[str, Any]:
    try:
        value = Body(raw).read().value
    except BodyRefused:
        return {}
    candidates: Iterator[Any] = iter((value, *(value.get("items", []) if _has_items(value) else [])))
    return next((one for one in candidates if isinstance(one, dict) and "patient" in one), {})


def _has_items(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("items"), list)


def _text(value: Any) -> str:
    return value[:64] if isinstance(value, str) else ""
