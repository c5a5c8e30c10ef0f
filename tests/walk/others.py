"""What the rounds of pages leave out: other methods, live topics, scheduled tasks, as rows of the matrix."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings

from cortex.access.context import set_scope
from cortex.audit.actors import Actor, actor_of_user
from cortex.audit.machine import QUIET_WRITES
from cortex.live import door, topics
from cortex.live.rooms import Person
from cortex.ops.slots.timetable import said
from tests.walk.addresses import Address, addresses
from tests.walk.doors import TRAIL, USE, Answer, Doors, undone
from tests.walk.pairs import admin_pairs, page_pairs
from tests.walk.rounds import CALLS, EVERY, Walk, _visitors
from tests.walk.world import World

# No page of ours sends them; the last is no method at all.
OTHERS = ("PUT", "PATCH", "DELETE", "BREW")
REFUSED = (403, 404, 405)
# Parts of a person's name in a task's parameters: whoever sends one could say in whose name it works.
PERSONAL = ("actor", "user", "person", "staff", "on_behalf")


def walk_methods(world: World, doors: Doors, walk: Walk) -> None:
    """Knock at every address with the methods that nobody serves, as one who is entitled to come in.

    What is answered otherwise than by a refusal stands in the matrix; nothing may be written by it. The back
    office draws its page whatever the method is, so there one method in turn is enough to see a write.
    """
    by_name = page_pairs(world)
    for number, address in enumerate(addresses()):
        if address.access is None:
            continue
        who, ids, header = _entitled(world, address, by_name)
        answered: dict[int, list[str]] = {}
        for method in OTHERS if EVERY or not address.is_admin else OTHERS[number % 4 :][:1]:
            answer = doors.ask(who, method, address.path(**ids), b"{}" if header else {}, **header)
            fault = _overdone(answer)
            if fault:
                walk.faults.append(f"{who} {method} /{address.pattern}: {fault}")
            if answer.status not in REFUSED:
                answered.setdefault(answer.status, []).append(method)
        if answered and not address.is_admin:
            told = "; ".join(f"{status} {' '.join(methods)}" for status, methods in sorted(answered.items()))
            walk.rows.setdefault(f"/{address.pattern}  [{address.access.describe()}]", []).append(
                f"OTHER {told}, as {who}"
            )


def _overdone(answer: Answer) -> str:
    if answer.status >= 500:
        return str(answer.status)
    written = answer.written - TRAIL - USE
    return f"wrote {sorted(written)}" if written else ""


def _entitled(
    world: World, address: Address, by_name: dict[str, Any]
) -> tuple[str, dict[str, str], dict[str, str]]:
    """Return one who is let in, the ids that are asked for, and the headers that prove it."""
    assert address.access is not None
    if address.is_api:
        call = CALLS[address.name](world)
        return "nobody", call.ids, {"Authorization": world.credentials[call.first[0]]}
    if address.ids:
        pairs = admin_pairs(world, address) if address.is_admin else [by_name.get(address.name)]
        for pair in pairs:
            if pair is not None and pair.first:
                return pair.first, pair.ids, {}
        return "ada", dict.fromkeys(address.ids, str(uuid4())), {}
    if address.access.how == "public":
        return "nobody", {}, {}
    people = _visitors(world, address)
    return next(one for one in people if str(world.people[one].role) in address.access.roles), {}, {}


def topic_keys(world: World) -> dict[str, dict[str, str]]:
    """Return, for each kind of topic, the keys that are asked for, by what they name."""
    cast = world.cast
    return {
        "board": {"home": str(cast.home.pk), "elsewhere": str(cast.elsewhere.pk)},
        "caseload": {name: str(world.people[name].pk) for name in ("alice", "pendo", "charlie", "cleo")},
    }


def walk_topics(world: World, doors: Doors, walk: Walk) -> None:
    """Ask for every registered kind of live topic as everybody: who the door of the sockets lets in."""
    keys = topic_keys(world)
    for kind, source in sorted(_own_sources().items()):
        if kind not in keys:
            walk.unpaired.append(f"live {kind}:<key>")
        asked = keys.get(kind, {}) | {"of nobody": str(uuid4()), "no id": "everything"}
        for name, key in asked.items():
            joined = [
                one for one in [*world.people, "nobody"] if _joins(world, doors, kind, source, key, one)
            ]
            walk.faults += [
                f"{one} joins live {kind}: {name}" for one in joined if not _may(world, kind, name, one)
            ]
            row = walk.rows.setdefault(f"live {kind}:<key>  [socket topic]", [])
            row.append(f"JOIN  {name}: {' '.join(joined) or 'nobody'}")


def _own_sources() -> dict[str, topics.TopicSource]:
    """Return the sources of the house; a test of this process may have left one of its own."""
    return {
        kind: source for kind, source in topics._sources.items()
        if not type(source).__module__.startswith(("tests", "bench"))
    }  # fmt: skip


def _joins(world: World, doors: Doors, kind: str, source: topics.TopicSource, key: str, who: str) -> bool:
    user = world.people.get(who)
    person = Person(user.pk, doors.cookies[who], user.access_version) if user else Person(uuid4(), "none", 0)
    with undone():
        set_scope(None)
        return door._admission(source, f"{kind}:{key}", key, person, None) is not None


def _may(world: World, kind: str, name: str, who: str) -> bool:
    """Whether it may be right at all: one's own caseload, a board of one's own house or of one's shift."""
    user = world.people.get(who)
    if user is None or name in ("of nobody", "no id"):
        return False
    if kind == "caseload":
        return who == name
    house: UUID = getattr(world.cast, name).pk
    return house in actor_of_user(user).reach


def walk_tasks(walk: Walk) -> None:
    """Read of every registered task of Celery what it takes, as whom it acts, and when it runs."""
    from cortex.celery import app

    app.loader.import_default_modules()
    sent: dict[str, list[str]] = {}
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        sent.setdefault(entry["task"], []).append(said(entry["schedule"]))
    for name, task in sorted(app.tasks.items()):
        if name.startswith(("celery.", "tests.")):
            continue
        work = inspect.unwrap(getattr(task.run, "__func__", task.run))
        takes = list(inspect.signature(task.run).parameters.values())
        walk.faults += [
            f"task {name} takes {one.name}" for one in takes
            if any(word in one.name for word in PERSONAL) or one.default is inspect.Parameter.empty
        ]  # fmt: skip
        actors = sorted(set(acting(work)))
        walk.faults += [f"task {name} acts as {one}" for one in actors if one.endswith("!")]
        if not actors:
            walk.faults.append(f"task {name} acts as nobody, and not every write of it is a quiet one")
        queue = getattr(task, "queue", None) or app.conf.task_default_queue
        given = ", ".join(f"{one.name}={one.default}" for one in takes) or "nothing"
        runs = "; ".join(sent.get(name, ["by hand alone"]))
        walk.rows[f"task {name}  [system]"] = [
            f"RUN   as {', '.join(actors)}; takes {given}; {queue}; {runs}"
        ]


def acting(work: FunctionType, seen: frozenset[str] = frozenset()) -> list[str]:
    """Return as whom a task acts: the actors that its source names, its module's own helpers among it.

    One that names none may still do quiet writes, which leave no audit row and need nobody.
    """
    found: list[str] = []
    quiet = loud = False
    for node, value in _named(work):
        if isinstance(value, Actor):
            found.append(value.label if value.kind == "system" else f"{value.kind}!")
        elif node == "system" and isinstance(value, str):
            found.append(f"system:{value}")
        elif value is actor_of_user:
            found.append("a person!")
        elif getattr(value, "is_action", False):
            is_quiet = f"{value.__module__}.{value.__qualname__}" in QUIET_WRITES
            quiet, loud = quiet or is_quiet, loud or not is_quiet
        elif isinstance(value, FunctionType) and value.__module__ == work.__module__ and node not in seen:
            found += acting(value, seen | {node})
    return found or (["nobody, quiet writes"] if quiet and not loud else [])


def _named(work: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a function's source names: globals with their values, and `system("…")` with its text."""
    around = inspect.unwrap(work).__globals__
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(work)))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "system":
            yield "system", getattr(node.args[0], "value", None) if node.args else None
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.attr, getattr(around.get(node.value.id), node.attr, None)
        elif isinstance(node, ast.Name) and node.id in around:
            yield node.id, around[node.id]
