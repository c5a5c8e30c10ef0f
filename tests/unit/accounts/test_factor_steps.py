"""Steps that weigh more ask again for password or factor; supervisors and the command line reset factors."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from cortex.accounts.actions import enable_user
from cortex.accounts.factors import actions
from cortex.accounts.invitations.actions import invite_person
from cortex.accounts.mail.sending import send_due
from cortex.accounts.models import PendingMail
from cortex.audit.actors import actor_of_user, system
from cortex.audit.models import AuditLog
from tests.unit.accounts.conftest import PASSWORD, People, verbs
from tests.unit.accounts.factors import app, at_home, code_of, second_step, set_up_app

pytestmark = pytest.mark.django_db
__all__ = ["app"]


def test_changing_factors_asks_again_unless_it_was_said_just_now(
    people: People, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = second_step("cleo@example.org", code_of(app[0]))
    monkeypatch.setattr("cortex.accounts.signin.recent.RECENT", timedelta(0))
    for path in ("/me/factors/app", "/me/factors/key"):
        assert client.get(path)["Location"].startswith("/accounts/reauthenticate/")
    for path in ("/me/factors/codes", "/me/factors/remove"):
        assert client.post(path)["Location"].startswith("/accounts/reauthenticate/")
    page = client.get("/accounts/reauthenticate/?next=/me/")
    assert "/accounts/reauthenticate/factor/?next=" in page.content.decode()
    monkeypatch.undo()
    before = client.session.session_key
    again = client.post("/accounts/reauthenticate/factor/", {"code": app[1][0], "next": "/me/"})
    assert again.status_code == 302 and again["Location"] == "/me/"
    assert client.session.session_key != before and client.get("/me/").status_code == 200


def test_a_supervisor_resets_a_colleagues_factors_which_ends_their_sessions_and_mails_them(
    people: People, app: Any
) -> None:
    cleo, _ = second_step("cleo@example.org", code_of(app[0]))
    version = people.cleo.access_version
    sam = at_home("sam@example.org")
    assert "Reset factors" in sam.get("/staff/").content.decode()
    path = f"/staff/{people.cleo.pk}/factors/reset"
    assert "Work phone" in sam.get(path).content.decode()
    assert sam.post(path, {"reason": "nonsense"}).status_code == 422
    assert sam.post(path, {"reason": "lost"}).status_code == 303
    assert not Authenticator.objects.exists() and cleo.get("/me/").status_code == 302
    people.cleo.refresh_from_db()
    assert people.cleo.access_version == version + 1
    row = AuditLog.objects.get(event_type="factor.reset")
    assert row.codes == {"reason": "lost", "count": 1} and row.actor_id == people.sam.pk
    send_due()
    assert [m.to for m in mail.outbox] == [["cleo@example.org"]] and "second factors" in mail.outbox[0].body


def test_a_reset_that_finds_nothing_mails_nobody_and_says_so(people: People) -> None:
    sam = at_home("sam@example.org")
    answer = sam.post(f"/staff/{people.cleo.pk}/factors/reset", {"reason": "lost"}, follow=True)
    assert "There was nothing to reset" in answer.content.decode()
    assert not PendingMail.objects.exists() and verbs("factor.") == []


def test_nobody_resets_their_own_factors_or_those_of_a_higher_role(people: People) -> None:
    sam = at_home("sam@example.org")
    set_up_app(sam)
    assert sam.post(f"/staff/{people.sam.pk}/factors/reset", {"reason": "lost"}).status_code == 409
    set_up_app(at_home("ada@example.org"))
    assert sam.post(f"/staff/{people.ada.pk}/factors/reset", {"reason": "lost"}).status_code == 422
    assert sam.post(f"/staff/{people.charlie.pk}/factors/reset", {"reason": "lost"}).status_code == 404
    assert Authenticator.objects.filter(type="totp").count() == 2
    actions.reset_factors(actor=system("command"), user_id=people.ada.pk, reason="lost", base_url="/")
    assert Authenticator.objects.filter(type="totp").count() == 1


def grown_old(client: Client) -> Client:
    """The same browser ten minutes after its last password or code."""
    session = client.session
    for row in session["account_authentication_methods"]:
        row["at"] -= 600
    session.save()
    return client


def test_what_weighs_more_asks_again_and_then_goes_on_with_the_very_request(people: People, app: Any) -> None:
    client, _ = second_step("cleo@example.org", code_of(app[0]))
    where = grown_old(client).post("/me/factors/codes")["Location"]
    assert where == "/accounts/reauthenticate/?next=%2Fme%2Ffactors%2Fcodes"
    page = client.post(where, {"password": PASSWORD, "next": "/me/factors/codes"})
    assert "data-codes" in page.content.decode() and verbs("factor.")[-1] == "factor.codes_renewed"
    sam = grown_old(at_home("sam@example.org"))
    path = f"/staff/{people.cleo.pk}/factors/reset"
    set_up_app(at_home("sam@example.org"))
    where = sam.post(path, {"reason": "stolen"})["Location"].replace(
        "reauthenticate/", "reauthenticate/factor/"
    )
    spare = Authenticator.objects.get(user=people.sam, type="recovery_codes").wrap().get_unused_codes()[0]
    assert sam.post(where, {"code": spare, "next": path}).status_code == 303
    assert verbs("factor.")[-1] == "factor.reset"


@pytest.mark.parametrize(
    ("who", "path", "data"),
    [
        ("sam", "/staff/invite", {"email": "nia@example.org", "full_name": "Nia", "role": "counselor"}),
        ("ada", "/admin/accounts/invitation/add/", {}),
        ("ada", "/admin/accounts/apikey/add/", {}),
        ("ada", "/admin/accounts/user/{cleo}/change/", {"full_name": "Cleo", "role": "supervisor"}),
        ("ada", "/admin/accounts/organization/{home}/change/", {"name": "Other"}),
        ("ada", "/admin/accounts/user/", {"action": "disable", "_selected_action": "{cleo}"}),
        ("ada", "/staff/{cleo}/factors/reset", {"reason": "lost"}),
    ],
)
def test_each_sensitive_step_asks_again_after_five_minutes(
    people: People, who: str, path: str, data: dict[str, str]
) -> None:
    ids = {"cleo": people.cleo.pk, "home": people.home.pk}
    sent = {name: value.format(**ids) for name, value in data.items()}
    client = at_home(f"{who}@example.org")
    fresh = client.post(path.format(**ids), sent)
    assert "reauthenticate" not in fresh.get("Location", "")
    people.cleo.refresh_from_db()
    if not people.cleo.is_active:
        enable_user(actor=actor_of_user(people.ada), user_id=people.cleo.pk)
    old = grown_old(client).post(path.format(**ids), sent)
    assert old["Location"].startswith("/accounts/reauthenticate/")


@pytest.mark.parametrize(
    "path",
    [
        "accounts/invitation",
        "accounts/apikey",
        "patients/patientuserobjectpermission",
        "patients/careteammember",
        "patients/plannedcover",
        "patients/consent",
    ],
)
def test_the_back_office_asks_before_something_new_is_typed_and_only_whom_it_lets_add(
    people: People, path: str
) -> None:
    assert "/accounts/reauthenticate/" in grown_old(at_home("ada@example.org")).get(f"/admin/{path}/add/").url
    assert grown_old(at_home("cleo@example.org")).get(f"/admin/{path}/add/").status_code == 403


def again(client: Client, path: str, data: dict[str, str]) -> Any:
    """Send a form ten minutes after the last password, give the password as the page asks, and land."""
    where = grown_old(client).post(path, data)["Location"]
    asked = client.get(where).content.decode()
    following = re.search(r'name="next" value="([^"]+)"', asked)
    assert following, asked
    landed = client.post(where, {"password": PASSWORD, "next": html.unescape(following.group(1))})
    assert landed.status_code in (200, 302, 303), landed.content
    return landed


def test_a_command_from_a_searched_or_filtered_list_is_done_after_the_password(people: People) -> None:
    ada, cleo = at_home("ada@example.org"), people.cleo
    page = f"/admin/accounts/user/{cleo.pk}/change/?_changelist_filters=q%3Dcleo"
    landed = again(ada, page, {"full_name": "Cleo", "role": "therapist"})
    cleo.refresh_from_db()
    assert cleo.role == "therapist" and landed["Location"].endswith("/admin/accounts/user/?q=cleo")
    chosen = {"action": "disable", "_selected_action": str(cleo.pk)}
    landed = again(ada, "/admin/accounts/user/?q=cleo&is_active__exact=1", chosen)
    cleo.refresh_from_db()
    assert not cleo.is_active and landed["Location"].endswith("?q=cleo&is_active__exact=1")
    invited = invite_person(
        actor=actor_of_user(people.ada),
        email="nia@example.org",
        full_name="Nia",
        role="counselor",
        organization_id=people.home.pk,
    )
    chosen = {"action": "renew", "_selected_action": str(invited.pk)}
    again(ada, "/admin/accounts/invitation/?q=nia", chosen)
    assert AuditLog.objects.filter(event_type="invitation.renewed").count() == 1


def test_the_command_resets_whoever_nobody_else_may_help(people: People, app: Any) -> None:
    from django.core.management import CommandError, call_command

    with pytest.raises(CommandError, match="Nobody here"):
        call_command("reset_factors", "nobody@example.org", "--reason", "lost")
    with pytest.raises(CommandError, match="no second factor"):
        call_command("reset_factors", "ada@example.org", "--reason", "lost")
    call_command("reset_factors", "Cleo@example.org", "--reason", "lost")
    assert not Authenticator.objects.exists() and verbs("factor.")[-1] == "factor.reset"
    send_due()
    assert mail.outbox[0].to == ["cleo@example.org"]


def test_a_session_of_the_password_alone_changes_no_factor_of_somebody_who_has_one(people: People) -> None:
    earlier = at_home("cleo@example.org")  # before the factor was set up, by whoever knew the password
    _, codes = set_up_app(at_home("cleo@example.org"))
    for path in ("/me/factors/app", "/me/factors/key"):
        assert earlier.get(path)["Location"].startswith("/accounts/reauthenticate/factor/")
    for path in ("/me/factors/app", "/me/factors/codes", "/me/factors/remove"):
        assert earlier.post(path, {"code": "1"})["Location"].startswith("/accounts/reauthenticate/factor/")
    assert Authenticator.objects.filter(type="totp").count() == 1
    where = earlier.post("/me/factors/codes")["Location"]
    page = earlier.post(where, {"code": codes[0], "next": "/me/factors/codes"})
    assert "data-codes" in page.content.decode()
