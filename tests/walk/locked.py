"""Two sessions that open nothing: of an account that was disabled, and of one without its second factor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.test import override_settings
from django.urls import reverse

from cortex.accounts.models import Role, User
from tests import makers
from tests.walk.addresses import Address, addresses
from tests.walk.doors import Answer, Doors, undone
from tests.walk.pairs import admin_pairs, page_pairs
from tests.walk.rounds import CALLS, Walk, _visitors, is_turned_away
from tests.walk.world import World


@dataclass(frozen=True)
class Knock:
    """What the one who is let in asks of an address, once."""

    address: Address
    who: str
    method: str
    path: str
    data: Any


def walk_locked_out(world: World, doors: Doors, walk: Walk) -> None:
    """Knock at every address as the one who is let in there, disabled and then before the second factor.

    A disabled account is answered like a visitor without a session, whatever its session says. Before the
    factor each page leads to it, but those that are marked as open by then.
    """
    knocks = list(_knocks(world))
    with undone():
        makers.scope_all()
        User.objects.filter(pk__in=[one.pk for one in world.people.values()]).update(
            is_active=False, disabled_at=makers.now()
        )
        for one in knocks:
            answer = doors.ask(one.who, one.method, one.path, one.data)
            if fault := _shut(doors, one, answer):
                walk.faults.append(f"{one.who}, disabled, {one.method} /{one.address.pattern}: {fault}")
    with override_settings(CORTEX_MFA_REQUIRED_ROLES=[str(role) for role in Role]):
        for one in knocks:
            if _asks_for_factor(one.address):
                answer = doors.ask(one.who, one.method, one.path, one.data)
                if not leads_to_factor(answer):
                    walk.faults.append(
                        f"{one.who}, before the factor, {one.method} /{one.address.pattern}: {answer.status}"
                    )


def _knocks(world: World) -> Iterator[Knock]:
    by_name = page_pairs(world)
    for address in addresses():
        if address.access is None:
            continue
        if address.access.how != "roles":
            call = CALLS[address.name](world) if address.is_api else None
            method, ids = (call.method, call.ids) if call else ("GET", {})
            yield Knock(address, "cleo", method, address.path(**ids), call.body if call else {})
            continue
        who, ids, method, data = _welcome(world, address, by_name)
        yield Knock(address, who, method, address.path(**ids), data)


def _welcome(world: World, address: Address, by_name: dict[str, Any]) -> tuple[str, dict[str, str], str, Any]:
    """Return one who is let in, the ids, a method that is served, and what is sent by it."""
    assert address.access is not None
    if address.ids:
        for pair in admin_pairs(world, address) if address.is_admin else [by_name.get(address.name)]:
            if pair is not None and pair.first:
                return pair.first, pair.ids, pair.methods[0], pair.data
        return "ada", dict.fromkeys(address.ids, "0"), "GET", {}
    people = _visitors(world, address)
    return next(one for one in people if str(world.people[one].role) in address.access.roles), {}, "GET", {}


def _shut(doors: Doors, one: Knock, answer: Answer) -> str:
    """Return how a disabled account was answered otherwise than a visitor; empty when it was not."""
    assert one.address.access is not None
    if one.address.access.how == "roles":
        is_shown_out = is_turned_away(answer) and answer.status != 403
        return "" if is_shown_out else f"{answer.status}, expected the way to sign-in or 401"
    visitor = doors.ask("nobody", one.method, one.path, one.data)
    alike = (answer.status, answer.location) == (visitor.status, visitor.location)
    return "" if alike else f"{answer.status}, a visitor hears {visitor.status}"


def _asks_for_factor(address: Address) -> bool:
    """Whether an address is for signed-in people and shut before their factor."""
    assert address.access is not None
    return address.access.how == "roles" and not getattr(address.view, "open_without_factor", False)


def leads_to_factor(answer: Answer) -> bool:
    """Whether somebody was sent to the question for their factor, or to its set-up."""
    places = reverse("mfa_reauthenticate"), reverse("accounts:factors")
    return answer.status == 302 and answer.location.startswith(places)
