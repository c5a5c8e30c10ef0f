"""Every command with fields that no form of it has: what they hold must reach no statement that writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from django.db import connections

from tests.walk.addresses import Address, addresses
from tests.walk.doors import TRAIL, USE, WRITES, Doors
from tests.walk.pairs import page_pairs
from tests.walk.rounds import CALLS, Walk
from tests.walk.world import World

# Ours, but no row's: whatever takes one of them over has it in a statement.
NUMBER, MOMENT, WORD = 987_654_321, "1999-09-09T09:09:09Z", "forged"
MARKS = (str(NUMBER), "1999, 9, 9", "1999-09-09", WORD)
HOUSES = ("organization", "organization_id", "tenant", "service")
PATIENTS = ("patient", "patient_id", "person", "person_id", "subject")
ROWS = ("id", "pk", "alert", "alert_id")
STAFF = ("user", "author", "actor", "signed_by", "created_by", "decided_by", "assigned_to", "owner")
MOMENTS = (
    "created_at", "updated_at", "signed_at", "exported_at", "claimed_at", "resolved_at", "raised_at",
    "level_since", "decided_at", "ended_at", "date_joined", "last_login",
)  # fmt: skip
NUMBERS = ("epoch", "feed_number", "access_version", "chain_position", "score", "key_version")
WORDS = (
    "status", "state", "level", "risk_level", "role", "source", "origin", "outcome", "signature",
    "content_hash", "anonymous_id", "slug", "policy", "settings", "purpose",
)  # fmt: skip
# A form may hold none of them: whom it would make mighty, or what it would close, only an action decides.
FLAGS = ("is_staff", "is_superuser", "is_operator", "is_active", "is_trainee", "is_fictional")


def forged_fields(world: World) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the fields by their names, and what of their values would stand in a statement."""
    elsewhere, stranger = str(world.cast.elsewhere.pk), str(world.cast.stranger.pk)
    person, nobody = str(world.people["esi"].pk), str(uuid4())
    fields = dict.fromkeys(ROWS, nobody) | dict.fromkeys(HOUSES, elsewhere)
    fields |= dict.fromkeys(PATIENTS, stranger)
    fields |= {name: person for one in STAFF for name in (one, f"{one}_id")}
    fields |= dict.fromkeys(MOMENTS, MOMENT) | dict.fromkeys(NUMBERS, str(NUMBER))
    fields |= dict.fromkeys(WORDS, WORD) | dict.fromkeys(FLAGS, "on")
    return fields, (elsewhere, stranger, person, nobody, *MARKS)


def walk_forged(world: World, doors: Doors, walk: Walk) -> None:
    """Send each command as the one who is let in, with all of these fields beside its own."""
    fields, marks = forged_fields(world)
    by_name = page_pairs(world)
    for address in addresses():
        if address.is_api:
            call = CALLS[address.name](world)
            if call.method == "POST":
                header = {"Authorization": world.credentials[call.first[0]]}
                body = json.dumps(fields | json.loads(call.body)).encode()
                _send(doors, walk, address, ("nobody", call.ids, body, header), marks)
        elif not address.is_admin and (pair := by_name.get(address.name)) and "POST" in pair.methods:
            _send(doors, walk, address, (pair.first, pair.ids, fields | pair.data, {}), marks)


def _send(doors: Doors, walk: Walk, address: Address, sent: tuple[str, Any, Any, Any], marks: Any) -> None:
    who, ids, data, header = sent
    with taken_over(marks) as found:
        answer = doors.ask(who, "POST", address.path(**ids), data, **header)
    walk.forged += answer.status < 300 or answer.status == 303
    walk.faults += [f"{who} POST /{address.pattern}: {one}" for one in sorted(found)]


@contextmanager
def taken_over(marks: tuple[str, ...]) -> Iterator[set[str]]:
    """Gather which marks stand in what statements write, by table; the trail may name what was asked for."""
    found: set[str] = set()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        match = WRITES.match(str(sql))
        if match and match.group(1) not in TRAIL | USE:
            text = " ".join(map(_plain, params or ()))
            found.update(f"{match.group(1)} takes {mark!r} over" for mark in marks if mark in text)
        return execute(sql, params, many, context)

    with connections["default"].execute_wrapper(watch), connections["keys"].execute_wrapper(watch):
        yield found


def _plain(value: Any) -> str:
    return str(getattr(value, "obj", value)) + repr(value)
