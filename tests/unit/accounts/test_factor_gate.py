"""The gate: who must give a second factor opens nothing else before, whichever way they came in."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cortex.accounts import queries
from cortex.accounts.actions import update_organization
from cortex.accounts.factors.gate import SecondFactorMiddleware
from cortex.accounts.factors.required import house_roles, is_required
from cortex.accounts.models import SessionState
from cortex.audit.actors import actor_of_user
from cortex.audit.rules import InputRefused
from cortex.settings.env import Environment
from tests.unit.accounts import test_people, test_reset
from tests.unit.accounts.conftest import PASSWORD, PIN, People, sign_in, verbs
from tests.unit.accounts.factors import code_of, give, set_up_app, shown_secret
from tests.walk.addresses import addresses

pytestmark = pytest.mark.django_db
SET_UP = "/me/factors/"
# Reviewed by hand, beside signing out: what answers before the second factor.
OPEN_BEFORE = [
    "account_reauthenticate",
    "accounts:cover",
    "accounts:factor_app",
    "accounts:factor_key",
    "accounts:factors",
    "accounts:unlock",
    "mfa_reauthenticate",
]


@pytest.fixture
def strict(people: People) -> People:
    """Everybody at home must give a second factor."""
    people.home.settings = {"mfa_required_roles": ["counselor", "supervisor", "admin"]}
    people.home.save()
    return people


def fresh(email: str, password: str = PASSWORD) -> Client:
    """A browser in which this person typed their password."""
    client = Client()
    sign_in(client, email, password)
    return client


def is_shut(client: Client) -> bool:
    """Whether the home page leads to the set-up."""
    answer = client.get("/")
    return answer.status_code == 302 and answer["Location"].startswith(SET_UP)


def test_whoever_must_have_a_factor_and_has_none_is_led_to_set_one_up(strict: People) -> None:
    client = fresh("cleo@example.org")
    answer = client.get("/me/")
    assert answer.status_code == 302 and answer["Location"] == "/me/factors/?next=%2Fme%2F"
    page = client.get(SET_UP).content.decode()
    assert "Amani Service asks everybody in your role" in page and "Sign out" in page
    before = client.session.session_key
    set_up_app(client)
    assert client.session.session_key != before
    assert client.get("/me/").status_code == 200


@pytest.mark.parametrize(
    ("wanted", "landing"), [("/me/?a=1&b=2#x", "/me/?a=1&b=2#x"), ("//evil.example/", "/"), ("", "/")]
)
def test_setting_up_goes_on_to_the_page_that_was_asked_for(strict: People, wanted: str, landing: str) -> None:
    client = fresh("cleo@example.org")
    page = client.get(SET_UP, {"next": wanted}).content.decode()
    ways = [html.unescape(way) for way in re.findall(r'class="way" href="([^"]+)"', page)]
    for way in ways:
        page = client.get(way).content.decode()
        kept = re.findall(r'name="next" value="([^"]+)"', page)
        assert [html.unescape(one) for one in kept] == ([wanted] if wanted == landing else [])
    assert len(ways) == 2

    def set_up() -> Any:
        code = code_of(shown_secret(client))
        return client.post("/me/factors/app", {"code": code, "next": wanted})

    assert f'href="{landing}">I have kept them' in html.unescape(set_up().content.decode())
    assert set_up()["Location"] == (landing if wanted == landing else "/me/")  # another has no new codes


def test_the_gate_is_shut_at_every_address_of_signed_in_people(strict: People) -> None:
    ada = fresh("ada@example.org")
    request = ada.get("/me/").wsgi_request  # the gate keeps what it asked: her, and her session's row
    gate = SecondFactorMiddleware(lambda _: HttpResponse())
    opened = []
    for one in addresses():
        if one.access is None or one.access.how != "roles":
            continue
        answer = gate.process_view(request, one.view, (), {})
        if answer is None or not answer["Location"].startswith(SET_UP):
            opened.append(one.name)
    assert sorted(set(opened)) == sorted([*OPEN_BEFORE, "accounts:logout"])


def test_our_own_pages_and_commands_are_shut_through_the_whole_chain(strict: People) -> None:
    ada = fresh("ada@example.org")
    ends_it = ("accounts:logout", "accounts:cover")
    opened = set()
    for one in addresses():
        is_ours = one.name.startswith(("accounts:", "mfa_", "account_")) and one.name not in ends_it
        if is_ours and one.access is not None and one.access.how == "roles":
            path = one.path(**dict.fromkeys(one.groups, "00000000-0000-7000-8000-000000000000"))
            for answer in (ada.get(path), ada.post(path)):
                if not answer.get("Location", "").startswith(SET_UP):
                    opened.add(one.name)
    assert sorted(opened) == [name for name in OPEN_BEFORE if name not in ends_it]


def test_signing_out_and_the_crisis_lines_stay_open(strict: People) -> None:
    client = fresh("cleo@example.org")
    assert client.get(reverse("crisis:resources")).status_code == 200
    assert client.post("/accounts/logout/")["Location"] == "/accounts/login/"


def test_a_part_of_a_page_and_a_script_hear_no_and_where_to_go(strict: People) -> None:
    client = fresh("cleo@example.org")
    for headers in ({"HX-Request": "true"}, {"Sec-Fetch-Mode": "cors"}):
        answer = client.get("/me/", headers=headers)
        assert answer.status_code == 403 and answer["HX-Redirect"] == SET_UP and answer.content == b""


def test_the_back_office_and_the_staffs_reference_of_the_api_are_shut(strict: People) -> None:
    ada = fresh("ada@example.org")
    for path in ("/admin/", "/admin/accounts/user/", "/api/reference/", "/api/reference/schema.json"):
        assert ada.get(path)["Location"].startswith(SET_UP)


def test_a_socket_is_shut_until_then_and_opens_afterwards(strict: People) -> None:
    client = fresh("cleo@example.org")
    client.get("/me/")
    pair = (client.session.session_key or "", strict.cleo.pk, strict.cleo.access_version)
    assert queries.sockets_still_valid([pair]) == {pair}
    assert not queries.live_sessions(strict.cleo.pk, timezone.now()).exists()
    set_up_app(client)
    pair = (client.session.session_key or "", *pair[1:])
    assert queries.sockets_still_valid([pair]) == set()
    assert queries.live_sessions(strict.cleo.pk, timezone.now()).exists()


def test_a_new_password_by_mail_opens_no_gate(strict: People) -> None:
    owner = fresh("cleo@example.org")
    secret, _ = set_up_app(owner)
    test_reset.ask("cleo@example.org")
    browser = Client()
    test_reset.set_password(browser, test_reset.link())
    assert "_auth_user_id" not in browser.session
    assert sign_in(browser, "cleo@example.org", test_reset.NEW)["Location"] == "/accounts/factor/"
    assert give(browser, code_of(secret)).status_code == 302
    assert not is_shut(browser)


def test_an_invited_person_sets_a_factor_up_first(strict: People) -> None:
    ada = fresh("ada@example.org")
    set_up_app(ada)
    test_people.invite(ada, "nia@example.org")
    assert test_people.accept(test_people.link()).status_code == 302
    assert is_shut(fresh("nia@example.org", test_people.CHOSEN["password"]))


def test_a_rule_that_comes_in_the_middle_of_a_session_asks_at_the_next_page(people: People) -> None:
    client = fresh("cleo@example.org")
    assert client.get("/me/").status_code == 200
    update_organization(
        actor=actor_of_user(people.ada),
        organization_id=people.home.pk,
        settings={"mfa_required_roles": ["counselor"]},
    )
    assert client.get("/me/").status_code == 302


def test_a_covered_session_that_must_give_a_factor_comes_out_by_its_pin_and_is_then_asked(
    strict: People,
) -> None:
    strict.cleo.pin_hash = make_password(PIN)
    strict.cleo.save()
    client = fresh("cleo@example.org")
    client.get("/me/")
    SessionState.objects.update(locked_at=timezone.now())
    where = client.get("/me/")["Location"]
    assert where.startswith("/accounts/cover") and client.get(where).status_code == 200
    assert client.post("/accounts/unlock", {"pin": PIN, "next": "/me/"})["Location"] == "/me/"
    assert is_shut(client)


def test_who_stands_before_the_second_step_can_go_back_and_sign_in_as_somebody_else(people: People) -> None:
    set_up_app(fresh("cleo@example.org"))
    client = fresh("cleo@example.org")
    assert "Sign in as somebody else" in client.get("/accounts/factor/").content.decode()
    assert client.post("/accounts/factor/", {"leave": "yes"})["Location"] == "/accounts/login/"
    assert client.get("/accounts/login/").status_code == 200
    assert sign_in(client, "sam@example.org").status_code == 302
    assert client.get("/me/").content.decode().count("sam@example.org") and verbs("factor.used") == []


def test_a_session_whose_person_has_a_factor_is_asked_for_it(strict: People) -> None:
    secret, _ = set_up_app(fresh("cleo@example.org"))
    client = Client()
    client.force_login(strict.cleo)  # a session that came by no sign-in page of ours
    where = client.get("/me/")["Location"]
    assert where == "/accounts/reauthenticate/factor/?next=%2Fme%2F"
    assert "asks for a second factor now" in client.get(where).content.decode()
    done = client.post(where, {"code": code_of(secret), "next": "/me/"})
    assert done["Location"] == "/me/" and client.get("/me/").status_code == 200


def test_the_password_alone_does_not_open_it(strict: People) -> None:
    set_up_app(fresh("cleo@example.org"))
    client = Client()
    client.force_login(strict.cleo)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert client.get("/me/").status_code == 302
    assert not SessionState.objects.get(session_key=client.session.session_key).factor_passed_at


def test_without_a_rule_of_its_own_an_organization_asks_everybody(
    people: People, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CORTEX_MFA_REQUIRED_ROLES = Environment({}).roles("X", ("counselor", "admin"))
    assert is_required(people.cleo) and is_shut(fresh("cleo@example.org"))
    people.home.settings = {"mfa_required_roles": []}
    people.home.save()
    people.cleo.refresh_from_db()
    assert not is_required(people.cleo) and not is_shut(fresh("cleo@example.org"))


def test_the_houses_default_is_every_role_and_a_wrong_one_fails_loudly() -> None:
    from cortex.accounts.choices import Role
    from cortex.settings import base

    assert set(base.CORTEX_MFA_REQUIRED_ROLES) == set(Role.values)
    every = tuple(Role.values)
    assert Environment({"X": "none"}).roles("X", every) == []
    assert Environment({"X": "admin, supervisor"}).roles("X", every) == ["admin", "supervisor"]
    with pytest.raises(Exception, match="X must be none"):
        Environment({"X": "admin,adminn"}).roles("X", every)
    assert house_roles() == []


def test_the_rule_is_a_list_of_roles(people: People) -> None:
    for wrong in ("admin", ["boss"], {"admin": True}, None):
        with pytest.raises(InputRefused):
            update_organization(
                actor=actor_of_user(people.ada),
                organization_id=people.home.pk,
                settings={"mfa_required_roles": wrong},
            )
