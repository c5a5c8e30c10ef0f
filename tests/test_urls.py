"""Every address of the house: declared, closed to strangers, on record, and as in the reviewed matrix."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings as settings_of
from django.contrib import admin
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.test import Client

from cortex.accounts.invitations import links
from cortex.accounts.models import Organization
from cortex.accounts.signin.links import reset_path
from cortex.audit.models import PhiAccessLog
from patients.holds.models import LegalHold
from tests import makers, scopes
from tests.walk.addresses import addresses
from tests.walk.doors import Answer, Doors, header_faults, leaks, undone
from tests.walk.forged import FLAGS, HOUSES, ROWS, forged_fields, taken_over, walk_forged
from tests.walk.ghosts import unlike_a_ghost
from tests.walk.locked import Knock, leads_to_factor, walk_locked_out
from tests.walk.others import walk_methods, walk_tasks, walk_topics
from tests.walk.pairs import page_pairs
from tests.walk.reads import QUIET, Reads, reads, unmatched, unnamed
from tests.walk.rounds import (
    FIRST,
    PARTS,
    REST,
    WHOLE,
    Walk,
    differing,
    is_turned_away,
    table,
    walk_api,
    walk_pages,
    walk_rows,
)
from tests.walk.unhurried import unhurried
from tests.walk.unwritten import Written, as_it_was, unlike_refused, walk_unwritten
from tests.walk.world import World, make_world

MATRIX = Path(__file__).with_name("access_matrix.txt")
APPS = ("cortex", "patients", "crisis", "clinical")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
# Reviewed by hand: everything that answers without a key, a token or a session.
OPEN = {
    "account_login",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "accounts:invitation_accept",
    "accounts:invitation_open",
    "admin:login",
    "crisis:resources",
    "mfa_authenticate",
    "ops:alive_show",
    "ops:csp_report_take",
    "ops:metrics_show",
    "ops:readiness_show",
}
# What answers a signed-in person before the second factor, beside what is open to everybody.
BEFORE_FACTOR = {
    "account_reauthenticate",
    "accounts:cover",
    "accounts:factor_app",
    "accounts:factor_key",
    "accounts:factors",
    "accounts:logout",
    "accounts:unlock",
    "mfa_reauthenticate",
}
# Browsers report by themselves and bring no page's token; that door refuses other sites itself.
REPORTS = "ops:csp_report_take"


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: object) -> Iterator[World]:
    """The world of the walk, made once and rolled back at the end."""
    main, keys = transaction.atomic(), transaction.atomic(using="keys")
    main._from_testcase = keys._from_testcase = True  # type: ignore[attr-defined]  # keys commit "durably" inside
    with django_db_blocker.unblock(), main, keys:  # type: ignore[attr-defined]
        with scopes.every_organization(), unhurried():
            yield make_world()
        transaction.set_rollback(True)
        transaction.set_rollback(True, using="keys")


@pytest.fixture(scope="module", params=PARTS)
def walked(world: World, request: pytest.FixtureRequest) -> Walk:
    """The round, or a part of it; what its thousands of refusals would log nobody reads."""
    walk, doors = Walk(request.param), Doors(world)
    logging.disable(logging.CRITICAL)
    try:
        walk_rows(world, doors, walk)
        walk_pages(world, doors, walk)
        if walk.part != REST:
            walk_api(world, doors, walk)
            walk_topics(world, doors, walk)
            walk_tasks(walk)
        if walk.part != FIRST:
            walk_methods(world, doors, walk)
            walk_locked_out(world, doors, walk)
            walk_forged(world, doors, walk)
    finally:
        logging.disable(logging.NOTSET)
    walk.faults += doors.faults
    walk.asked, walk.compared, walk.quiet = doors.asked, doors.compared, doors.quiet
    return walk


def test_every_address_declares_who_may_use_it() -> None:
    assert [address.pattern for address in addresses() if address.access is None] == []


def test_the_open_addresses_are_the_written_ones() -> None:
    open_ones = {one.name for one in addresses() if one.access is not None and one.access.how == "public"}
    assert open_ones == OPEN


def test_the_addresses_before_the_second_factor_are_the_written_ones() -> None:
    marked = {one.name for one in addresses() if getattr(one.view, "open_without_factor", False)}
    assert marked - OPEN == BEFORE_FACTOR


def test_every_address_with_an_id_has_a_pair(walked: Walk) -> None:
    assert walked.unpaired == []


def test_the_entitled_come_in_and_strangers_find_nothing(walked: Walk) -> None:
    print(f"{walked.asked} requests")
    assert walked.asked > {WHOLE: 10_000, FIRST: 2_000, REST: 4_000}[walked.part]
    if walked.part != FIRST:
        assert walked.ghosts > 100, "few refusals were told apart"
        assert walked.forged > 60, "few commands went through with forged fields"
    assert walked.faults == [], "\n".join(["", *walked.faults])


def test_whoever_was_read_is_named_by_the_trail_and_nobody_else(walked: Walk, world: World) -> None:
    """Every page, form and command that was answered: words opened and rows name the same people, both ways.

    Opened is what the data keys unsealed, seen below the access context. A list of pseudonyms is a look, too:
    whose rows a page that was answered has loaded is named as well, or the page stands in `quiet_looks.txt`
    with the reason. What is read by columns alone (`values`) makes no row that could be seen. The limits:
    what the world's five people, their alerts and rows make a page show; what a command opens of whom it
    does something to stands in the trail by its own row; the sockets and the sweeper are not walked; a card
    that a process kept from before is read by nobody, and that no word stands in it is what `leaks` looks
    for.
    """
    print(f"{walked.compared} pages opened words")
    assert walked.compared >= 10, "hardly a page opened anything, so nothing was compared"
    assert [one for one in walked.faults if "access row" in one] == []


def test_each_look_that_names_nobody_is_still_one(walked: Walk) -> None:
    """The reviewed list holds no page that shows, or loads, other things by now."""
    board = {"GET /board/"}
    expected = {WHOLE: QUIET.keys(), FIRST: QUIET.keys() - board, REST: board}[walked.part]
    assert expected - walked.quiet == set()


def test_an_unnoted_look_and_a_note_of_no_look_are_seen(world: World) -> None:
    patient = world.patients["contact"]
    doors = Doors(world)
    with reads() as read:
        assert doors.ask("cleo", "GET", f"/alerts/{world.id_of('contact')}/").status == 200
    assert patient.pk in read.opened
    assert unmatched(read, set(), doors.everybody), "an unnoted look would be seen"
    assert unmatched(Reads(), {patient.pk}, doors.everybody), "a row about nobody's look would be seen"
    assert unnamed(Reads(loaded=read.loaded), set(), doors.everybody), "a person loaded unnoted would be seen"
    assert unnamed(Reads(loaded=read.loaded), {*read.loaded}, doors.everybody) == []
    assert (doors.faults, doors.compared) == ([], 1)
    doors.compare("a command", Reads(opened={patient.pk}), set(), done={patient.pk})
    assert doors.faults == [], "what was done to somebody stands in the trail"
    doors.compare("a command", Reads(opened={patient.pk}), set(), done={world.patients["ended"].pk})
    assert doors.faults, "an unnoted look of a command would be seen"


def test_what_leaves_no_row_shows_nothing_and_does_nothing(world: World) -> None:
    """Every page, command and call that leaves a row of a trail, while neither of its tables takes any."""
    logging.disable(logging.CRITICAL)
    try:
        looks, commands, faults = walk_unwritten(world, Doors(world))
    finally:
        logging.disable(logging.NOTSET)
    print(f"{looks} looks, {commands} commands")
    assert faults == [], "\n".join(["", *faults])
    assert looks > 100 and commands > 100


def test_a_door_that_goes_on_without_its_row_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pair, doors = page_pairs(world)["crisis:alert_page"], Doors(world)
    (address,) = [one for one in addresses() if one.name == "crisis:alert_page"]
    knock = Knock(address, pair.first, "GET", address.path(**pair.ids), {})
    monkeypatch.setattr("cortex.access.context.ACCESS_ROWS.append", lambda rows: None)
    found = unlike_refused(world, doors, Written(knock, frozenset(), {}))
    assert "200, expected 503" in found[0] and any("shows" in one for one in found)
    with undone(), as_it_was({"accounts_organization"}) as changed:
        Organization.objects.filter(pk=world.cast.home.pk).update(name="North")
    assert changed == ["accounts_organization"]


def test_the_matrix_is_the_reviewed_one(walked: Walk) -> None:
    """Two parts ask fewer of those whose role stays out; `make proof` all, to the same letter."""
    if os.environ.get("UPDATE_ACCESS_MATRIX") == "1":
        MATRIX.write_text(table(walked.rows))
    reviewed = MATRIX.read_text()
    apart = differing(walked.rows, reviewed, walked.part)
    assert apart == [], "\n".join(["access changed; review it, then run with UPDATE_ACCESS_MATRIX=1", *apart])
    assert walked.part != WHOLE or table(walked.rows) == reviewed


def test_a_status_that_changed_and_an_address_that_is_gone_are_seen() -> None:
    reviewed = "/a/  [roles x]\n    GET   200 ada; 403 cleo esi\n    OTHER 302 PUT, as ada\n"
    rows = {"/a/  [roles x]": ["GET   200 ada; 403 esi", "OTHER 302 PUT, as ada"]}
    assert differing(rows, reviewed) == []
    for line in ("GET   200 ada esi", "GET   200 ada kito", "POST  200 ada"):
        assert differing({"/a/  [roles x]": [line, "OTHER 302 PUT, as ada"]}, reviewed), line
    assert differing({"/a/  [roles x]": rows["/a/  [roles x]"][:1]}, reviewed)
    assert differing({}, reviewed) and differing(rows | {"/b/  [roles x]": ["GET   200 ada"]}, reviewed)


def test_each_part_of_a_walk_is_held_to_what_it_asks() -> None:
    page, other = "GET   200 ada; 403 cleo esi", "OTHER 302 PUT, as ada"
    reviewed = f"/a/  [roles x]\n    {page}\n    {other}\n\n/api/  [key]\n    GET   200 key\n"
    key = "/a/  [roles x]"
    assert differing({key: ["GET   200 ada"], "/api/  [key]": ["GET   200 key"]}, reviewed, FIRST) == []
    assert differing({key: ["GET   200 ada"]}, reviewed, FIRST), "an address that is gone"
    assert differing({key: ["GET   403 cleo", other]}, reviewed, REST) == []
    for lines in (["GET   200 esi", other], ["POST  200 ada", other], ["GET   403 cleo"],
                  ["GET   403 cleo", "OTHER 302 PUT DELETE, as ada"]):  # fmt: skip
        assert differing({key: lines}, reviewed, REST), lines
    assert differing({}, reviewed, REST), "what is answered by no method that is served, and is gone"
    assert differing({key: [page, other], "/b/  [x]": ["GET   200 ada"]}, reviewed, REST), "a new address"


def test_the_short_address_of_the_back_office_leads_every_id_on(world: World) -> None:
    doors = Doors(world)
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{uuid4()}/"
        answer = doors.ask("opal", "GET", path)
        assert (answer.status, answer.location.rsplit("/", 3)[-2]) == (302, "change"), path
        # Legal holds are compliance's alone: no administrator learns of any.
        missing = 403 if model is LegalHold else 404
        assert doors.ask("opal", "GET", f"{path}change/").status == missing, path
    assert doors.faults == []


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Stand in for the page of a missing token, so that no other refusal counts as one."""
    return HttpResponse(status=403, headers={"X-Missing-Token": "1"})


def test_every_unsafe_method_wants_a_token_of_the_page(world: World, settings: object) -> None:
    settings.CSRF_FAILURE_VIEW = f"{__name__}.csrf_failed"  # type: ignore[attr-defined]
    client = Client(enforce_csrf_checks=True)
    client.cookies[settings_of.SESSION_COOKIE_NAME] = Doors(world).cookies["sam"]
    open_to_a_forger = []
    for address in addresses():
        if address.is_api or address.name == REPORTS:
            continue
        path = address.path(**dict.fromkeys(address.ids, str(uuid4())))
        # Only an exempted view could tell the methods apart, and each view is asked with one of them.
        for method in UNSAFE if os.environ.get("CORTEX_EXPLORE") else UNSAFE[:1]:
            with undone():
                answer = client.generic(method, path)
            if answer.get("X-Missing-Token") != "1":
                open_to_a_forger.append(f"{method} {path}: {answer.status_code}")
    assert open_to_a_forger == []


def test_no_page_takes_a_command_from_another_site(world: World) -> None:
    pages = [one for one in addresses() if not one.is_api]
    exempt = [one.name for one in pages if getattr(one.view, "csrf_exempt", False)]
    assert exempt == [REPORTS]
    client, taken = Client(), []
    asked = pages if os.environ.get("CORTEX_EXPLORE") else pages[::8]
    for address in [*asked, *(one for one in pages if one.name in exempt)]:
        path = address.path(**dict.fromkeys(address.ids, str(uuid4())))
        with undone():
            answer = client.post(path, headers={"Sec-Fetch-Site": "cross-site"})
        if answer.status_code != 403:
            taken.append(f"{path}: {answer.status_code}")
    assert taken == []


def test_what_is_missing_or_broken_keeps_the_headers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    doors = Doors(world)
    for who in ("nobody", "cleo"):
        assert doors.ask(who, "GET", "/no/such/page").status == 404
    assert doors.faults == []

    def fail(*given: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr("crisis.desk.views.board_text", fail)
    answer = doors.ask("cleo", "GET", "/board/")
    assert (answer.status, header_faults(answer)) == (500, [])


def test_a_mailed_invitation_opens_by_its_own_token_alone(world: World) -> None:
    assert world.invitation is not None
    right = links.path_of(world.invitation)
    other = right.replace(str(world.invitation.pk), str(uuid4()))
    for path, status in ((right, 200), (f"{right[:-6]}AAAAA/", 410), (other, 410)):
        with undone():
            assert Client().get(path, follow=True).status_code == status, path


def test_a_mailed_reset_opens_by_its_own_key_alone(world: World) -> None:
    makers.scope_all()
    alice, bob = (reset_path(world.people[name]) for name in ("alice", "bob"))
    mixed = f"{alice.rsplit('/', 2)[0]}/{_owner(alice)}-{bob.rsplit('/', 2)[1].split('-', 1)[1]}/"
    for path, opens in ((alice, True), (bob, True), (mixed, False), (f"{alice[:-6]}00000/", False)):
        with undone():
            page = Client().get(path, follow=True).content.decode()
        assert ('name="password1"' in page) is opens, path


def _owner(path: str) -> str:
    return path.rsplit("/", 2)[1].split("-", 1)[0]


def test_a_refusal_that_tells_a_row_from_none_is_seen(world: World) -> None:
    (address,) = [one for one in addresses() if one.name == "crisis:alert_page"]
    doors, pair = Doors(world), page_pairs(world)["crisis:alert_page"]
    there = doors.ask("charlie", "GET", address.path(**pair.ids))
    assert there.status == 404
    asked = (doors, address, pair, "charlie", "GET")
    assert unlike_a_ghost(*asked, there, {}) == []
    longer = replace(there, body=there.body.replace(b"</main>", b"<p>It was closed.</p></main>"))
    (told,) = unlike_a_ghost(*asked, longer, {})
    assert "body" in told and "size" in told
    assert unlike_a_ghost(*asked, replace(there, status=403), {})
    assert unlike_a_ghost(*asked, replace(there, written=frozenset({"crisis_alertevent"})), {})


def test_a_forged_field_that_is_taken_over_is_seen(world: World) -> None:
    marks, home = forged_fields(world)[1], world.cast.home
    for name in ("forged", f"house {world.cast.elsewhere.pk}", "North 987654321"):
        with undone(), taken_over(marks) as found:
            Organization.objects.filter(pk=home.pk).update(name=name)
        assert found, name
    with undone(), taken_over(marks) as found:
        Organization.objects.filter(pk=home.pk).update(name="North")
    assert found == set()


def test_no_form_holds_a_field_that_only_an_action_decides() -> None:
    """The back office's own forms are judged by their actions, each with tests of its own."""
    ours = [one for one in _forms(BaseForm) if one.__module__.split(".")[0] in APPS]
    assert len(ours) > 50
    held = [
        f"{one.__module__}.{one.__qualname__}: {name}"
        for one in ours if not one.__module__.endswith(".admin")
        for name in getattr(one, "base_fields", ()) if name in {*FLAGS, *ROWS, *HOUSES}
    ]  # fmt: skip
    assert held == []


def _forms(kind: type) -> set[type]:
    return {kind}.union(*(_forms(one) for one in kind.__subclasses__()))


def test_a_disabled_session_and_one_before_its_factor_are_seen_to_come_in() -> None:
    inside = Answer(200, b"", "", frozenset())
    assert not is_turned_away(inside) and not leads_to_factor(inside)
    assert not leads_to_factor(Answer(302, b"", "/accounts/login/?next=/", frozenset()))
    assert leads_to_factor(Answer(302, b"", "/me/factors/?next=/board/", frozenset()))


def test_the_eyes_see(world: World) -> None:
    patient = world.patients["contact"]
    assert leaks(world.planted, b"<td>Zuhura3x</td>", [])
    assert leaks(world.planted, b"<td>Zuhura3x</td>", [PhiAccessLog(subject=world.patients["ended"].pk)])
    assert not leaks(world.planted, b"<td>Zuhura3x</td>", [PhiAccessLog(subject=patient.pk)])
    assert not leaks(world.planted, b"<td>Zuhura3x</td>", [PhiAccessLog(subjects=[patient.pk])])
    assert header_faults(Answer(200, b"", "", frozenset(), {"x-frame-options": "DENY"}))
    assert "cross-origin-opener-policy is None" in header_faults(Answer(200, b"", "", frozenset()))
