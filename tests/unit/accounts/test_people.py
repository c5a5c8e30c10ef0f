"""Invitations, the first administrator, roles, and being disabled."""

from __future__ import annotations

import html
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from clinical.backoffice import world
from cortex.accounts import actions
from cortex.accounts.invitations import actions as invitations
from cortex.accounts.invitations.links import path_of
from cortex.accounts.mail.sending import send_due
from cortex.accounts.models import Invitation, Organization, Role, StaffProfile, User
from cortex.accounts.policies import POLICIES
from cortex.audit import SYSTEM, Actor, InputRefused, NotFound, RuleBroken
from cortex.audit.actors import actor_of_user
from cortex.audit.models import AuditLog
from tests.unit.accounts.conftest import PASSWORD, PIN, People, make_user, sign_in

pytestmark = pytest.mark.django_db
CHOSEN = {"full_name": "Nia Njeri", "password": PASSWORD, "again": PASSWORD, "pin": PIN}


@pytest.fixture
def sam(people: People) -> Client:
    """The supervisor's browser."""
    client = Client()
    sign_in(client, "sam@example.org")
    return client


def invite(client: Client, email: str = "nia@example.org", role: str = "counselor") -> object:
    """Post the invitation form."""
    return client.post("/staff/invite", {"email": email, "full_name": "Nia", "role": role})


def link() -> str:
    """The path of the newest mail's link, once the sweeper has sent what waits."""
    send_due()
    return re.search(r"http://testserver(\S+)", mail.outbox[-1].body).group(1)


def accept(path: str, **changes: str) -> object:
    """Follow the link in a fresh browser and post the form."""
    client = Client()
    client.get(path)
    return client.post("/accounts/invitation/", CHOSEN | changes)


def test_an_invited_person_chooses_password_and_pin_and_signs_in(sam: Client, people: People) -> None:
    assert invite(sam).status_code == 303
    path = link()
    assert Invitation.objects.get().sent_at is not None
    assert accept(path).status_code == 302
    nia = User.objects.get(email="nia@example.org")
    assert (nia.role, nia.organization, nia.is_verified, nia.has_pin) == (
        "counselor", people.home, True, True,
    )  # fmt: skip
    assert sign_in(Client(), "nia@example.org").status_code == 302
    verbs = set(AuditLog.objects.values_list("event_type", flat=True))
    assert {"invitation.created", "user.created", "invitation.accepted"} <= verbs


def test_the_link_leaves_the_address_bar_at_once(sam: Client) -> None:
    invite(sam)
    response = Client().get(link())
    assert response.status_code == 302 and response["Location"] == "/accounts/invitation/"


def test_an_invitation_works_once(sam: Client) -> None:
    invite(sam)
    path = link()
    accept(path)
    response = accept(path)
    assert response.status_code == 410 and "no longer works" in response.content.decode()
    assert User.objects.filter(email="nia@example.org").count() == 1


@pytest.mark.parametrize("how", ["expired", "revoked", "renewed", "forged", "disabled", "demoted"])
def test_an_old_link_is_worth_nothing(how: str, sam: Client, people: People) -> None:
    invite(sam)
    path, row = link(), Invitation.objects.get()
    if how == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    elif how in ("disabled", "demoted"):  # whoever invited has no right to any more
        gone = {"is_active": False, "disabled_at": timezone.now()}
        User.objects.filter(pk=people.sam.pk).update(
            **(gone if how == "disabled" else {"role": Role.COUNSELOR})
        )
    elif how == "revoked":
        assert sam.post(f"/staff/invitations/{row.pk}/revoke").status_code == 303
    elif how == "renewed":
        assert sam.post(f"/staff/invitations/{row.pk}/renew").status_code == 303
        assert accept(link()).status_code == 302
        User.objects.filter(email="nia@example.org").exists()
    else:
        path = path[:-5] + "xxxx/"
    assert accept(path).status_code == (409 if how in ("disabled", "demoted") else 410)
    assert how == "renewed" or not User.objects.filter(email="nia@example.org").exists()


def test_the_invited_persons_form_says_what_is_wrong(sam: Client) -> None:
    invite(sam)
    path = link()
    assert accept(path, password="short", again="short").status_code == 422
    assert accept(path, again="another one entirely").status_code == 422
    assert accept(path, pin="123456").status_code == 422


def test_a_supervisor_cannot_make_an_administrator(sam: Client, people: People) -> None:
    assert invite(sam, role="admin").status_code == 422
    with pytest.raises(InputRefused):
        invitations.invite_person(
            actor=actor_of_user(people.sam), organization_id=people.home.pk, email="x@example.org",
            full_name="X", role="admin",
        )  # fmt: skip


def test_nobody_invites_into_another_organization_or_twice(people: People) -> None:
    ada = actor_of_user(people.ada)
    wanted = {"email": "x@example.org", "full_name": "X", "role": "counselor"}
    with pytest.raises(NotFound):
        invitations.invite_person(actor=ada, organization_id=people.elsewhere.pk, **wanted)
    invitations.invite_person(actor=ada, organization_id=people.home.pk, **wanted)
    with pytest.raises(InputRefused):
        invitations.invite_person(actor=ada, organization_id=people.home.pk, **wanted)
    with pytest.raises(InputRefused):
        invitations.invite_person(
            actor=ada, organization_id=people.home.pk, **(wanted | {"email": "CLEO@example.org"})
        )


def test_the_first_administrator_comes_by_a_command_that_prints_a_link(db: None) -> None:
    out = io.StringIO()
    call_command(
        "create_admin", "--email", "first@example.org", "--organization", "Amani Service", "--name", "First",
        "--base-url", "http://testserver", stdout=out,
    )  # fmt: skip
    path = re.search(r"http://testserver(\S+)", out.getvalue()).group(1)
    assert accept(path).status_code == 302
    first = User.objects.get()
    assert first.role == Role.ADMIN and first.organization == Organization.objects.get(slug="amani-service")


def test_the_command_can_ask_for_a_password_instead(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD)
    arguments = ["--email", "first@example.org", "--organization", "Amani", "--password"]
    call_command("create_admin", *arguments, stdout=io.StringIO())
    assert sign_in(Client(), "first@example.org").status_code == 302
    with pytest.raises(CommandError, match="already"):
        call_command("create_admin", *arguments, stdout=io.StringIO())


def test_a_new_role_raises_the_access_version(people: People) -> None:
    changed = actions.update_user(actor=actor_of_user(people.ada), user_id=people.cleo.pk, role="therapist")
    assert (changed.role, changed.access_version) == ("therapist", 2)
    assert changed.role_changed_at is not None


def test_nobody_changes_or_disables_themselves_and_no_supervisor_an_administrator(people: People) -> None:
    ada, sam = actor_of_user(people.ada), actor_of_user(people.sam)
    with pytest.raises(RuleBroken):
        actions.update_user(actor=ada, user_id=people.ada.pk, role="auditor")
    with pytest.raises(RuleBroken):
        actions.disable_user(actor=ada, user_id=people.ada.pk)
    with pytest.raises(InputRefused):
        actions.disable_user(actor=sam, user_id=people.ada.pk)
    with pytest.raises(NotFound):
        actions.disable_user(actor=ada, user_id=people.charlie.pk)


def test_a_disabled_persons_session_is_dead_at_once_and_lives_again_by_enabling(people: People) -> None:
    client, ada = Client(), actor_of_user(people.ada)
    sign_in(client, "cleo@example.org")
    actions.disable_user(actor=ada, user_id=people.cleo.pk)
    assert client.get("/me/").status_code == 302
    assert sign_in(Client(), "cleo@example.org").status_code == 422
    actions.enable_user(actor=ada, user_id=people.cleo.pk)
    assert sign_in(Client(), "cleo@example.org").status_code == 302


def test_an_administrators_change_of_nothing_leaves_no_row(people: People) -> None:
    actions.update_user(actor=actor_of_user(people.ada), user_id=people.cleo.pk, role="counselor")
    assert not AuditLog.objects.exists()


def set_up(people: People, actor: Actor | None = None, **settings: object) -> Organization:
    """Put settings into force as Amani's administrator, unless it is said who."""
    actor = actor or actor_of_user(people.ada)
    return actions.update_organization(actor=actor, organization_id=people.home.pk, settings=settings)


def test_leads_must_be_the_organizations_own_active_people_of_the_desk(people: People) -> None:
    other = make_user(people.home, Role.COMPLIANCE, "cora")
    for leads in ([str(people.charlie.pk)], ["nobody"], "sam", [str(other.pk)], [str(people.ada.pk)]):
        with pytest.raises(InputRefused):
            set_up(people, leads=leads)
    assert set_up(people, leads=[str(people.sam.pk)]).lead_ids == [str(people.sam.pk)]


def test_nobody_names_themself_a_lead(people: People) -> None:
    sam = actor_of_user(people.sam)
    with pytest.raises(RuleBroken):
        set_up(people, sam, leads=[str(people.sam.pk)])
    set_up(people, leads=[str(people.sam.pk)])
    assert set_up(people, sam, leads=[str(people.sam.pk)], desk_phone="+254 700 1").lead_ids


@pytest.mark.parametrize(
    "settings",
    [
        {"desk_fone": "1"}, {"desk_phone": 5}, {"desk_phone": "<b>1</b>"}, {"desk_phone": "the desk"},
        {"notify_by_email": "no"},
        {"voice_retention_days": 8}, {"voice_retention_days": True}, {"covered_by": ["x"]},
        {"covered_by": {"x": "Agreement"}}, {"leads": {"a": 1}}, {"fictional": True},
    ],
)  # fmt: skip
def test_a_setting_that_nothing_reads_or_of_another_shape_is_refused(
    people: People, settings: dict[str, object]
) -> None:
    with pytest.raises(InputRefused) as refused:
        set_up(people, **settings)
    assert next(iter(settings)) in refused.value.message
    people.home.refresh_from_db()
    assert people.home.settings == {}


def test_known_settings_of_the_right_shape_are_taken(people: People) -> None:
    good = {
        "desk_phone": "ext. 4400", "notify_by_email": False, "voice_retention_days": 0,
        "covered_by": {str(people.elsewhere.pk): "Agreement 7"}, "leads": [],
    }  # fmt: skip
    assert set_up(people, **good).settings == good
    for one in world.read("people")["organizations"]:
        assert POLICIES["desk_phone"].fits(one["desk_phone"])


def test_what_the_demo_says_of_itself_is_not_taken_out_by_hand(people: People) -> None:
    set_up(people, SYSTEM, fictional=True)
    with pytest.raises(InputRefused):
        set_up(people, desk_phone="+254 700 1")
    assert set_up(people, fictional=True, desk_phone="+254 700 1").settings["fictional"] is True


@pytest.mark.parametrize("zone", ["Africa/Nairobbi", "EAT+3", "nairobi", "", "../etc/passwd"])
def test_an_organization_takes_no_zone_that_is_none(people: People, zone: str) -> None:
    ada = actor_of_user(people.ada)
    with pytest.raises(InputRefused, match="default time zone") as refused:
        actions.update_organization(actor=ada, organization_id=people.home.pk, default_timezone=zone)
    assert (refused.value.code, refused.value.extra["field"]) == ("timezone_unknown", "default_timezone")
    with pytest.raises(InputRefused, match="Africa/Nairobi"):
        actions.create_organization(actor=SYSTEM, name="Chema", default_timezone=zone)
    found = actions.update_organization(
        actor=ada, organization_id=people.home.pk, default_timezone="Africa/Kampala"
    )
    assert found.default_timezone == "Africa/Kampala"


def test_the_back_office_says_which_zone_to_give(people: People) -> None:
    client = Client()
    sign_in(client, "ada@example.org")
    page = f"/admin/accounts/organization/{people.home.pk}/change/"
    said = {
        "name": "Amani Service", "domain": "", "jurisdiction": "KE", "default_timezone": "Nairobi",
        "default_language": "en", "emergency_number": "999", "settings": "{}",
    }  # fmt: skip
    answer = client.post(page, said, follow=True).content.decode()
    assert "Give its name, like Africa/Nairobi" in answer
    people.home.refresh_from_db()
    assert people.home.default_timezone == "Africa/Nairobi"
    client.post(page, said | {"default_timezone": "Africa/Kampala"})
    people.home.refresh_from_db()
    assert people.home.default_timezone == "Africa/Kampala"


def test_the_declared_list_is_what_the_code_reads_and_what_the_pages_say(people: People) -> None:
    root = Path(__file__).resolve().parents[3]
    reads = re.compile(
        r'settings\.get\(\s*"(\w+)"|settings__(\w+?)(?:__|=(?!{))|^SETTING = "(\w+)"', re.MULTILINE
    )
    texts = [path.read_text() for floor in ("cortex", "patients", "crisis", "clinical")
             for path in (root / floor).rglob("*.py")]  # fmt: skip
    found = {name for text in texts for groups in reads.findall(text) for name in groups if name}
    assert found == set(POLICIES)
    pages = (root / "docs" / "OPERATIONS.md").read_text()
    client = Client()
    sign_in(client, "ada@example.org")
    form = html.unescape(
        client.get(f"/admin/accounts/organization/{people.home.pk}/change/").content.decode()
    )
    for name, policy in POLICIES.items():
        assert f"`{name}`" in pages, name
        assert policy.help in form or not policy.by_people, name


def test_a_licence_is_sealed_with_the_organizations_key(people: People) -> None:
    from django.db import connection

    from cortex.access.context import reading

    ada = actor_of_user(people.ada)
    profile = actions.save_staff_profile(
        actor=ada, user_id=people.cleo.pk, title="Counselor", license_number="KE-4711", verified=True
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT license_number FROM accounts_staffprofile")
        assert b"4711" not in bytes(cursor.fetchone()[0])
    with reading(ada, purpose="staff_record") as look:
        row = StaffProfile.objects.get(pk=profile.pk)
        look.open([row], ["license_number"])
        assert row.license_number == "KE-4711"


def test_the_link_of_an_invitation_is_kept_nowhere(sam: Client) -> None:
    invite(sam)
    row = Invitation.objects.get()
    token = path_of(row).rstrip("/").rsplit("/", 1)[1]
    assert not any(token in str(value) for value in Invitation.objects.values().get().values())
    assert not any(token in str(value) for value in AuditLog.objects.values())
