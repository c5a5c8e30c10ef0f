"""The rounds of the walk: who knocks where, and what each address answered, as rows of the access matrix."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from zlib import crc32

from tests.api.conftest import message
from tests.walk.addresses import Address, addresses
from tests.walk.doors import Answer, Doors
from tests.walk.ghosts import unlike_a_ghost
from tests.walk.pairs import Pair, admin_pairs, page_pairs
from tests.walk.world import World

METHODS = ("GET", "POST")
# The long form of `make proof`, and a matrix that is written anew: everybody knocks everywhere.
EVERY = any(os.environ.get(name) for name in ("CORTEX_EXPLORE", "UPDATE_ACCESS_MATRIX"))
# Of those whose role stays out one in so many knocks where not everybody does, others at the next address.
SHARE = 3
# A walk of everybody, or in two parts: the entitled, a visitor and one in `EARLY` of those whom a row or a
# role could refuse; then, in a long run, the others.
EARLY = 8
WHOLE, FIRST, REST = "whole", "first", "rest"
PARTS = (WHOLE,) if EVERY else (FIRST, REST)
# One person of each role, and a counselor off duty: enough where an address names no row.
ROLES = ("alice", "cleo", "kito", "pendo", "sam", "ada", "cora", "otto")
OFFICE = ("ada", "opal", "cora", "otto", "sam", "esi", "cyd", "odo", "sefu", "cleo")
# Where nobody comes in: the administrators of both houses, and one person of the desk.
CLOSED = ("ada", "esi", "cleo")


@dataclass
class Walk:
    """What was found: rows of the matrix, faults, and addresses with an id that nobody wrote a pair for."""

    part: str = WHOLE
    rows: dict[str, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    unpaired: list[str] = field(default_factory=list)
    asked: int = 0
    ghosts: int = 0
    forged: int = 0
    compared: int = 0
    quiet: set[str] = field(default_factory=set)

    def note(self, address: Address, method: str, answers: dict[str, int]) -> None:
        """Keep one row: who heard which status."""
        groups: dict[int, list[str]] = {}
        for who, status in answers.items():
            groups.setdefault(status, []).append(who)
        line = "; ".join(f"{status} {' '.join(groups[status])}" for status in sorted(groups))
        assert address.access is not None
        key = f"/{address.pattern}  [{address.access.describe()}]"
        self.rows.setdefault(key, []).append(f"{method:<5} {line}")


def walk_rows(world: World, doors: Doors, walk: Walk) -> None:
    """Knock at every page with an id: the entitled first, then everybody else with the very same id."""
    by_name = page_pairs(world)
    for address in addresses():
        if not address.ids or address.is_api or address.access is None or address.access.how != "roles":
            continue
        pairs = admin_pairs(world, address) if address.is_admin else [by_name.get(address.name)]
        if None in pairs:
            walk.unpaired.append(address.pattern)
        for pair in pairs:
            if pair is not None:
                _knock(world, doors, walk, address, pair)


def _knock(world: World, doors: Doors, walk: Walk, address: Address, pair: Pair) -> None:
    path = address.path(**pair.ids)
    people = [one for one in _visitors(world, address, pair) if one != pair.first]
    is_told_apart = walk.part != FIRST
    for method in pair.methods if address.is_admin else METHODS:
        headers = {"HX-Request": "true"} if method == "POST" else {}
        answers = {}
        # A method that nobody serves can't tell people apart: one who is let in, one who isn't.
        everybody = address.is_admin or method in pair.methods
        knocking = _telling(world, address, pair, people) if everybody else _one_stranger(people)
        first = [pair.first] if pair.first and walk.part != REST else []
        for who in [*first, *turn(world, address, method, knocking, walk.part)]:
            answer = doors.ask(who, method, path, pair.data, **headers)
            answers[who] = answer.status
            fault = judge(world, address, pair, who, method, answer)
            if fault:
                walk.faults.append(f"{who} {method} /{address.pattern}: {answer.status}, expected {fault}")
            if is_told_apart and answer.status == 404 and method in pair.methods:
                is_told_apart, walk.ghosts = False, walk.ghosts + 1
                walk.faults += [
                    f"{who} {method} /{address.pattern}: {one}"
                    for one in unlike_a_ghost(doors, address, pair, who, method, answer, headers)
                ]
        walk.note(address, method, answers)


def turn(world: World, address: Address, method: str, people: Iterable[str], part: str) -> list[str]:
    """Return who knocks here: all whose role comes in, one in `SHARE` of the others, and a visitor.

    Whom a row refuses is asked; whom the declaration refuses, which is one line for every address, at some of
    them, at the same in each run. So is, in the back office, one of each house for those whose role comes in:
    its rows are a house's. `part` says whether they all come, the first part of them, or the rest.
    """
    assert address.access is not None
    drawn = {one: crc32(f"{method} {address.pattern} {one}".encode()) for one in people}
    if part == WHOLE:
        return [*drawn, "nobody"]
    inside = [one for one in drawn if str(world.people[one].role) in address.access.roles]
    outside = [one for one in drawn if one not in inside and drawn[one] % SHARE == 0]
    if address.is_admin:
        of_house = {world.people[one].organization_id: one for one in sorted(inside, key=drawn.__getitem__)}
        inside = list(of_house.values())
    early = [one for one in drawn if drawn[one] // SHARE % EARLY == 0]
    # Where an address has an id, whom it is of comes first; the lists of the back office are the dearest.
    if not address.ids and not address.is_admin:
        early += inside[:1]
    coming = [one for one in drawn if one in inside or one in outside]
    if part == REST:
        return [one for one in coming if one not in early]
    return [*(one for one in coming if one in early), "nobody"]


def _one_stranger(people: list[str]) -> list[str]:
    return [one for one in people if one in CLOSED][:1]


def _telling(world: World, address: Address, pair: Pair, people: list[str]) -> list[str]:
    """Return who can tell something: of those who are refused for their role alone, one of each role."""
    assert address.access is not None
    admitted = address.access.roles if pair.roles is None else set(address.access.roles) & set(pair.roles)
    first: dict[str, str] = {}
    for one in people:
        first.setdefault(str(world.people[one].role), one)
    welcome = {one for one in people if str(world.people[one].role) in admitted}
    return [one for one in people if one in welcome.union(pair.hidden) or one in first.values()]


def _visitors(world: World, address: Address, pair: Pair | None = None) -> tuple[str, ...]:
    """Return who knocks: everybody at a row of the desk, fewer where fewer can tell a difference."""
    if pair is None:
        return tuple(one for one in OFFICE if one in ROLES) if address.is_admin else ROLES
    if not pair.first:
        return CLOSED
    return OFFICE if address.is_admin else tuple(world.people)


def judge(world: World, address: Address, pair: Pair, who: str, method: str, answer: Answer) -> str:
    """Return what should have been answered when something else was; empty when all is well."""
    if who == "nobody":
        return "" if is_turned_away(answer) else "the way to sign-in, 401 or 403"
    assert address.access is not None
    role = str(world.people[who].role)
    if who in pair.hidden:
        return "" if answer.status == 404 else "404"
    if (
        role not in address.access.roles
        or not pair.first
        or (pair.roles is not None and role not in pair.roles)
        or who in pair.refused
    ):
        return "" if answer.status == 403 else "403"
    if method not in pair.methods:
        return "" if answer.status in (405, 404) else "405"
    if who == pair.first:
        return "" if is_let_in(address, answer) else "2xx or a form's 422"
    if who in pair.also:
        return "" if answer.status not in (401, 403, 404) and answer.status < 500 else "a page or a conflict"
    return "" if answer.status == 404 else "404"


def is_turned_away(answer: Answer) -> bool:
    """Whether a signed-out visitor heard where to sign in, or no."""
    return answer.status in (401, 403) or (answer.status == 302 and "/login/" in answer.location)


def is_let_in(address: Address, answer: Answer) -> bool:
    """Whether the entitled person was served; the back office leads on after a command and to the trail."""
    return answer.is_good or (address.is_admin and answer.status == 302 and "login" not in answer.location)


def walk_pages(world: World, doors: Doors, walk: Walk) -> None:
    """Knock at every page without an id in each role."""
    for address in addresses():
        if address.ids or address.is_api or address.access is None:
            continue
        path = address.path()
        for method in METHODS:
            answers = {}
            few = address.is_admin and method == "POST"
            people = CLOSED if few else _visitors(world, address)
            for who in turn(world, address, method, people, walk.part):
                answer = doors.ask(who, method, path)
                answers[who] = answer.status
                fault = _misplaced(world, address, who, answer)
                if fault:
                    walk.faults.append(
                        f"{who} {method} /{address.pattern}: {answer.status}, expected {fault}"
                    )
            walk.note(address, method, answers)


def _misplaced(world: World, address: Address, who: str, answer: Answer) -> str:
    access = address.access
    assert access is not None
    if access.how == "public":
        return "" if answer.status != 403 else "an open page"
    if who == "nobody":
        return "" if is_turned_away(answer) else "the way to sign-in, 401 or 403"
    if str(world.people[who].role) not in access.roles:
        return "" if answer.status == 403 else "403"
    # A class of the back office may close its list to a declared role: the matrix shows to whom.
    return "" if answer.status != 403 or address.is_admin else "a page"


def table(rows: dict[str, list[str]]) -> str:
    """Return the matrix as text: an address, its declaration, then one line per method."""
    return (
        "\n".join(line for key in sorted(rows) for line in (key, *(f"    {one}" for one in rows[key]), ""))
        + "\n"
    )


def differing(found: dict[str, list[str]], reviewed: str, part: str = WHOLE) -> list[str]:
    """Return where what was found isn't what a matrix says; who didn't knock is asked about nowhere.

    The first part of a walk knocks at every address by the methods that it may serve; the rest at pages, and
    everywhere by the methods that nobody serves.
    """
    known: dict[str, dict[str, list[str]]] = {}
    for block in reviewed.strip().split("\n\n"):
        key, *lines = block.splitlines()
        told = _by_method(line.strip() for line in lines)
        kept = {method: said for method, said in told.items() if part != FIRST or method != "OTHER"}
        if kept:
            known[key] = kept
    if part == REST:  # of what is no page it knows what else was answered, and nothing by the usual methods
        for key, told in known.items():
            asked = {line.partition(" ")[0] for line in found.get(key, ())} | {"OTHER"}
            known[key] = {method: said for method, said in told.items() if method in asked}
        known = {key: told for key, told in known.items() if told or key in found}
    apart = [f"new or gone: {key}" for key in sorted(found.keys() ^ known.keys())]
    for key in sorted(found.keys() & known.keys()):
        heard, expected = _by_method(found[key]), known[key]
        if heard.keys() != expected.keys() or any(not _fits(heard[one], expected[one]) for one in heard):
            reviewed_lines = [line for lines in known[key].values() for line in lines]
            apart.append("\n    ".join([key, *found[key], "but reviewed", *reviewed_lines]))
    return apart


def _by_method(lines: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        found.setdefault(line.partition(" ")[0], []).append(line)
    return found


def _fits(heard: list[str], told: list[str]) -> bool:
    pairs = zip(heard, told, strict=False)
    return len(heard) == len(told) and all(_facts(one) <= _facts(other) for one, other in pairs)


def _facts(line: str) -> set[tuple[str, ...]]:
    """Return what one line says as facts: who heard which status, or the whole of any other line."""
    method, _, told = line.partition(" ")
    if method not in METHODS:
        return {(line,)}
    groups = [group.split() for group in told.split(";") if group.strip()]
    return {(method, status, who) for status, *people in groups for who in people}


def walk_api(world: World, doors: Doors, walk: Walk) -> None:
    """Knock at every address of the API with every kind of credential."""
    for address in addresses():
        if not address.is_api:
            continue
        call = CALLS[address.name](world)
        for method in METHODS:
            answers = {}
            for who, header in world.credentials.items():
                session = who if who in world.people else "nobody"
                headers = {"Authorization": header} if header else {}
                answer = doors.ask(session, method, address.path(**call.ids), call.body, **headers)
                answers[who] = answer.status
                fault = _miscalled(address, call, who, method, answer)
                if fault:
                    walk.faults.append(
                        f"{who} {method} /{address.pattern}: {answer.status}, expected {fault}"
                    )
            walk.note(address, method, answers)


@dataclass(frozen=True)
class Call:
    """What the entitled sender says at one address, and who else is let in there."""

    body: bytes = b"{}"
    method: str = "POST"
    first: tuple[str, ...] = ("home_key",)
    not_found: tuple[str, ...] = ()
    ids: dict[str, str] = field(default_factory=dict)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _batch(world: World) -> bytes:
    return _json({"items": [message(world.patients["contact"])]})


def _pseudonym(world: World) -> str:
    return world.patients["contact"].anonymous_id


OWN = ("token",)
CALM = {"measure": "gad7", "answers": {f"q{number}": 0 for number in range(1, 8)}}
CALLS: dict[str, Callable[[World], Call]] = {
    "api:schema": lambda world: Call(
        method="GET", first=("home_key", "other_key", "narrow_key")
    ),
    "intake:take": lambda world: Call(_batch(world), first=("home_key", "other_key")),
    "intake:sos": lambda world: Call(
        _json({"patient": _pseudonym(world)}), first=("home_key", "narrow_key"), not_found=("other_key",),
    ),
    "intake:patient_register": lambda world: Call(
        _json({"language": "sw"}), first=("home_key", "other_key")
    ),
    "intake:token_mint": lambda world: Call(
        not_found=("other_key",), ids={"pseudonym": _pseudonym(world)}
    ),
    "intake:me_take": lambda world: Call(_batch(world), first=OWN),
    "intake:me_sos": lambda world: Call(first=OWN),
    "intake:me_support": lambda world: Call(method="GET", first=OWN),
    "safetyplans:me_safety_plan": lambda world: Call(method="GET", first=OWN),
    "own_appointments:me_appointments": lambda world: Call(method="GET", first=OWN),
    "own_measures:measures": lambda world: Call(
        method="GET", first=("home_key",), not_found=("other_key",), ids={"pseudonym": _pseudonym(world)}
    ),
    "own_measures:measure_answers": lambda world: Call(
        _json(CALM), first=("home_key",), not_found=("other_key",), ids={"pseudonym": _pseudonym(world)}
    ),
    "own_measures:me_measures": lambda world: Call(method="GET", first=OWN),
    "own_measures:me_measure_answers": lambda world: Call(_json(CALM), first=OWN),
}  # fmt: skip


def _miscalled(address: Address, call: Call, who: str, method: str, answer: Answer) -> str:
    if who in call.first:
        if method != call.method:
            return "" if answer.status == 405 else "405"
        return "" if 200 <= answer.status < 300 else "2xx"
    if method == call.method and who in call.not_found:
        return "" if answer.status in (404, 422) else "404"
    return (
        ""
        if answer.status in (401, 403, 405) and (method != call.method or answer.status != 405)
        else "401 or 403"
    )
