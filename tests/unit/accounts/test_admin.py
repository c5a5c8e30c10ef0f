"""The back office of accounts: looks are scoped, writes go through actions, keys are shown once."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client

from cortex.accounts.apikeys import actions as apikeys
from cortex.accounts.keys import authenticate_key
from cortex.accounts.mail.sending import send_due
from cortex.accounts.models import ApiClient, ApiKey, Invitation, Organization, Role, User
from cortex.audit.actors import actor_of_user
from cortex.audit.models import AuditLog
from cortex.ui.admin import ActionAdmin
from tests.unit.accounts.conftest import PASSWORD, People, make_user, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(people: People) -> Client:
    """The administrator's browser."""
    client = Client()
    sign_in(client, "ada@example.org")
    return client


def verbs() -> list[str]:
    """The audit verbs so far, without those of signing in."""
    rows = AuditLog.objects.exclude(event_type__startswith="session.").order_by("id")
    return list(rows.values_list("event_type", flat=True))


def test_only_our_own_admins_are_registered(db: None) -> None:
    assert all(isinstance(found, ActionAdmin) for found in admin.site._registry.values())
    assert EmailAddress not in admin.site._registry
    assert {Organization, User, ApiClient, ApiKey, Invitation} <= set(admin.site._registry)


def test_every_list_and_page_of_accounts_opens_for_the_administrator(ada: Client, people: People) -> None:
    assert ada.get("/admin/").status_code == 200
    for model in ("organization", "user", "invitation", "apiclient", "apikey", "loginattempt", "staffprofile",
                  "subscription", "usagerecord"):  # fmt: skip
        assert ada.get(f"/admin/accounts/{model}/").status_code == 200, model
    assert ada.get(f"/admin/accounts/user/{people.cleo.pk}/change/").status_code == 200
    assert ada.get(f"/admin/accounts/organization/{people.home.pk}/change/").status_code == 200


def test_a_browser_of_another_language_reads_the_same_sentences_and_times_with_their_zone(
    ada: Client, people: People
) -> None:
    people_list = "/admin/accounts/user/"
    for language in ("en", "sw", "sw-KE,sw;q=0.9,en;q=0.1"):
        page = ada.get(people_list, headers={"Accept-Language": language}).content.decode()
        assert re.search(r"\d\d:\d\d:\d\d EAT", page), language
        assert "Select all" in page or "Last sign-in" in page or "Last login" in page, language
        refused = ada.post(
            f"{people_list}{people.cleo.pk}/change/",
            {"full_name": "Cleo"},
            headers={"Accept-Language": language},
        )
        assert "This field is required." in refused.content.decode(), language


def test_a_counselor_has_no_back_office(people: People) -> None:
    client = Client()
    sign_in(client, "cleo@example.org")
    assert client.get("/admin/").status_code == 403
    assert client.get("/admin/accounts/user/").status_code == 403


def test_a_visitor_is_led_to_the_one_sign_in_page(client: Client, db: None) -> None:
    response = client.get("/admin/accounts/user/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/")


def test_another_organizations_people_are_neither_listed_nor_opened(ada: Client, people: People) -> None:
    assert "Charlie" not in ada.get("/admin/accounts/user/").content.decode()
    page = ada.get(f"/admin/accounts/user/{people.charlie.pk}/change/", follow=True).content.decode()
    assert "Charlie" not in page
    assert ada.get(f"/admin/accounts/organization/{people.elsewhere.pk}/change/").status_code == 404


def test_a_change_of_role_goes_through_the_action(ada: Client, people: People) -> None:
    response = ada.post(
        f"/admin/accounts/user/{people.cleo.pk}/change/", {"full_name": "Cleo", "role": "therapist"}
    )
    assert response.status_code == 302
    people.cleo.refresh_from_db()
    assert (people.cleo.role, people.cleo.access_version) == ("therapist", 2)
    assert verbs() == ["user.changed"]
    assert not LogEntry.objects.exists()


def test_a_broken_rule_is_said_and_nothing_is_changed(ada: Client, people: People) -> None:
    response = ada.post(
        f"/admin/accounts/user/{people.ada.pk}/change/", {"full_name": "Ada", "role": "auditor"}, follow=True
    )
    assert "Ask another administrator" in response.content.decode()
    people.ada.refresh_from_db()
    assert people.ada.role == "admin"


def test_read_only_models_take_no_post(ada: Client, people: People) -> None:
    assert ada.post("/admin/accounts/user/add/", {"full_name": "X", "role": "admin"}).status_code == 403
    assert ada.post(f"/admin/accounts/user/{people.cleo.pk}/delete/", {"post": "yes"}).status_code == 403
    assert ada.post("/admin/accounts/loginattempt/add/", {}).status_code == 403


# Domain 1.2: what each role of the back office is there for.
ROOMS = {
    Role.AUDITOR: {"audit"},
    Role.COMPLIANCE: {"audit", "patients"},
    Role.SUPERVISOR: {"accounts", "crisis"},
}


@pytest.mark.parametrize("role", ROOMS)
def test_each_role_of_the_back_office_sees_its_own_rooms(people: People, role: Role) -> None:
    user = make_user(people.home, role, "guest")
    client = Client()
    client.force_login(user)
    rooms: set[str] = set()
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        status = client.get(path).status_code
        assert status in (200, 403), path
        rooms |= {model._meta.app_label} if status == 200 else set()
    assert rooms == ROOMS[role]


def test_the_auditor_reads_the_trail_alone_and_changes_nothing(people: People) -> None:
    client = Client()
    client.force_login(make_user(people.home, Role.AUDITOR, "otto"))
    assert client.get("/admin/audit/auditlog/").status_code == 200
    assert client.get("/admin/audit/phiaccesslog/").status_code == 200
    for closed in ("accounts/user", "accounts/organization", "accounts/invitation", "accounts/loginattempt",
                   "accounts/apikey", "audit/auditlink"):  # fmt: skip
        assert client.get(f"/admin/{closed}/").status_code == 403, closed
    change = client.post(f"/admin/accounts/user/{people.sam.pk}/change/", {"full_name": "S", "role": "admin"})
    assert change.status_code == 403


def test_whoever_administers_stands_in_the_trail_and_does_not_read_it(ada: Client, people: People) -> None:
    assert ada.get("/admin/audit/auditlog/").status_code == 403
    assert ada.get("/admin/audit/phiaccesslog/").status_code == 403
    page = f"/admin/accounts/user/{people.cleo.pk}/"
    assert "historylink" not in ada.get(f"{page}change/").content.decode()
    assert ada.get(f"{page}history/").status_code == 403


def test_people_are_disabled_and_unlocked_from_the_list(ada: Client, people: People) -> None:
    chosen = {"_selected_action": [str(people.cleo.pk)]}
    assert ada.post("/admin/accounts/user/", chosen | {"action": "disable"}).status_code == 302
    people.cleo.refresh_from_db()
    assert not people.cleo.is_active
    for _ in range(5):
        sign_in(Client(), "sam@example.org", "not the password at all")
    chosen = {"_selected_action": [str(people.sam.pk)], "action": "unlock"}
    ada.post("/admin/accounts/user/", chosen)
    assert sign_in(Client(), "sam@example.org").status_code == 302
    assert "account.unlocked" in verbs()


def test_an_invitation_from_the_back_office_is_mailed_by_the_sweeper(
    ada: Client, people: People, mailoutbox: list
) -> None:
    values = {
        "email": "nia@example.org",
        "full_name": "Nia",
        "role": "auditor",
        "organization": people.home.pk,
    }
    assert ada.post("/admin/accounts/invitation/add/", values).status_code == 302
    assert not mailoutbox
    send_due()
    assert mailoutbox[0].to == ["nia@example.org"]
    foreign = values | {"email": "x@example.org", "organization": people.elsewhere.pk}
    assert ada.post("/admin/accounts/invitation/add/", foreign).status_code == 200
    assert Invitation.objects.count() == 1
    send_due()
    assert len(mailoutbox) == 1


def test_a_key_is_made_and_shown_once(ada: Client, people: People) -> None:
    ada.post("/admin/accounts/apiclient/add/", {"organization": people.home.pk, "name": "App"})
    client = ApiClient.objects.get()
    response = ada.post("/admin/accounts/apikey/add/", {"client": client.pk, "scopes": ["intake:write"]})
    raw = re.search(r"data-key-once>(cx_[^<]+)<", response.content.decode()).group(1)
    assert authenticate_key(raw).client == client
    assert "no-store" in response["Cache-Control"]
    key = ApiKey.objects.get()
    for path in ("/admin/accounts/apikey/", f"/admin/accounts/apikey/{key.pk}/change/"):
        assert raw not in ada.get(path).content.decode()
    assert verbs() == ["api_client.created", "api_key.created"]


def test_making_a_key_asks_for_the_password_when_the_sign_in_is_old(ada: Client, people: People) -> None:
    session = ada.session
    for row in session["account_authentication_methods"]:
        row["at"] -= 600
    session.save()
    response = ada.get("/admin/accounts/apikey/add/")
    assert response.status_code == 302 and response["Location"].startswith("/accounts/reauthenticate/")
    back = ada.post(response["Location"], {"password": PASSWORD, "next": "/admin/accounts/apikey/add/"})
    assert back["Location"] == "/admin/accounts/apikey/add/"
    assert ada.get("/admin/accounts/apikey/add/").status_code == 200


def test_keys_are_rotated_and_revoked_from_the_list(ada: Client, people: People) -> None:
    actor = actor_of_user(people.ada)
    client = apikeys.create_client(actor=actor, organization_id=people.home.pk, name="App")
    old = apikeys.create_key(actor=actor, client_id=client.pk, scopes=["intake:write"])
    chosen = {"_selected_action": [str(old.key.pk)]}
    shown = ada.post("/admin/accounts/apikey/", chosen | {"action": "rotate"}).content.decode()
    new = re.search(r"data-key-once>(cx_[^<]+)<", shown).group(1)
    assert authenticate_key(new) and authenticate_key(old.raw)
    ada.post("/admin/accounts/apikey/", chosen | {"action": "revoke"})
    assert authenticate_key(old.raw) is None


def test_a_staff_profile_is_added_with_a_sealed_licence_and_shown_to_the_administrator(
    ada: Client, people: People
) -> None:
    values = {"user": people.cleo.pk, "title": "Counselor", "specialty": "", "license_number": "KE-4711"}
    assert ada.post("/admin/accounts/staffprofile/add/", values).status_code == 302
    from cortex.accounts.models import StaffProfile

    row = StaffProfile.objects.get()
    assert "KE-4711" in ada.get(f"/admin/accounts/staffprofile/{row.pk}/change/").content.decode()


def test_the_back_offices_own_login_and_password_pages_lead_to_ours(ada: Client) -> None:
    assert ada.get("/admin/login/")["Location"] == "/admin/"
    assert ada.get("/admin/password_change/")["Location"] == "/me/"
    assert ada.post("/admin/logout/")["Location"] == "/accounts/logout/"
