"""What holds for every organization is an operator's to change, and everybody's to see in the trail."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from cortex.accounts import actions
from cortex.accounts.invitations.actions import accept_invitation, invite_person
from cortex.accounts.models import Invitation, LoginAttempt, Role, User
from cortex.accounts.signin.devices import account_mark, visitor
from cortex.audit import SYSTEM, NotFound, RuleBroken
from cortex.audit.actors import Actor, actor_of_user
from cortex.audit.models import AuditLink, AuditLog
from cortex.clock import clock
from cortex.ops import actions as house
from cortex.ops.models import FeatureFlag, RetentionPolicy, SystemSetting
from crisis.resources.actions import change_resource, verify_resource
from crisis.resources.models import CrisisResource
from tests import stores
from tests.makers import client_of
from tests.unit.accounts.conftest import PASSWORD, People, make_user, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def opal(people: People) -> User:
    """The operator: an administrator of Amani."""
    return make_user(people.home, Role.ADMIN, "opal", is_operator=True)


@pytest.fixture
def esi(people: People) -> User:
    """The administrator of Baraka."""
    return make_user(people.elsewhere, Role.ADMIN, "esi")


def browser(user: User) -> Client:
    """Somebody's browser, signed in."""
    client = Client()
    client.force_login(user)
    return client


def flag(actor: Actor) -> Any:
    return house.add_flag(actor=actor, name="charts")


def switch(actor: Actor) -> Any:
    row = FeatureFlag.objects.get_or_create(name="old")[0]
    return house.change_flag(actor=actor, featureflag_id=row.pk, is_enabled=True)


def setting(actor: Actor) -> Any:
    return house.set_setting(actor=actor, key="session.idle_minutes", value=60)


def retention(actor: Actor) -> Any:
    row = RetentionPolicy.objects.get(model="ops.TelemetryEvent")
    return house.change_policy(actor=actor, retentionpolicy_id=row.pk, days=9)


def line() -> CrisisResource:
    """A crisis line that the whole country sees."""
    values = {"jurisdiction": "KE", "name": "Line", "kind": "suicide_line"}
    return CrisisResource.objects.get_or_create(**values, defaults={"phone": "+254700000999"})[0]


def check_line(actor: Actor) -> Any:
    return verify_resource(actor=actor, resource_id=line().pk)


def change_line(actor: Actor) -> Any:
    return change_resource(actor=actor, resource_id=line().pk, phone="+254700000111")


WRITES: dict[str, Callable[[Actor], Any]] = {
    "flag.created": flag,
    "flag.changed": switch,
    "setting.changed": setting,
    "retention.changed": retention,
    "resource.verified": check_line,
    "resource.changed": change_line,
}


@pytest.mark.parametrize("verb", WRITES)
def test_an_administrator_changes_nothing_that_holds_for_every_organization(
    people: People, esi: User, verb: str
) -> None:
    for user in (people.ada, people.sam, esi):
        with pytest.raises(RuleBroken):
            WRITES[verb](actor_of_user(user))
    assert not AuditLog.objects.filter(event_type=verb).exists()


@pytest.mark.parametrize("verb", WRITES)
def test_the_operators_change_is_on_record_for_the_compliance_of_every_organization(
    people: People, opal: User, verb: str
) -> None:
    WRITES[verb](actor_of_user(opal))
    row = AuditLog.objects.get(event_type=verb)
    assert (row.organization_id, row.actor_id, row.purpose) == (None, opal.pk, "house")
    for number, where in enumerate((people.home, people.elsewhere)):
        reader = browser(make_user(where, Role.COMPLIANCE, f"reader{number}"))
        assert verb in reader.get("/admin/audit/auditlog/").content.decode()


def test_the_back_office_lets_others_look_and_the_operator_type(
    people: People, opal: User, esi: User
) -> None:
    typed = {"key": "session.idle_minutes", "value": "60", "category": "", "description": ""}
    for user in (people.ada, esi):
        assert browser(user).get("/admin/ops/systemsetting/").status_code == 200
        assert browser(user).post("/admin/ops/systemsetting/add/", typed).status_code == 403
    assert not SystemSetting.objects.exists()
    assert client_of(opal).post("/admin/ops/systemsetting/add/", typed).status_code == 302
    assert SystemSetting.objects.get().value == 60


def test_another_organizations_own_line_is_not_found_even_by_an_operator(people: People, opal: User) -> None:
    own = CrisisResource.objects.create(
        organization=people.elsewhere,
        jurisdiction="KE",
        name="Own",
        kind="suicide_line",
        phone="+254700000222",
    )
    with pytest.raises(NotFound):
        verify_resource(actor=actor_of_user(opal), resource_id=own.pk)


def test_attempts_on_other_organizations_people_are_the_operators_to_see(
    people: People, opal: User, esi: User
) -> None:
    marks = {name: account_mark(f"{name}@example.org") for name in ("cleo", "charlie", "nobody")}
    for mark in marks.values():
        LoginAttempt.objects.create(account_hash=mark, outcome="refused")
    seen = {
        user.email: {name for name, mark in marks.items() if mark in page}
        for user in (people.ada, esi, opal)
        if (page := browser(user).get("/admin/accounts/loginattempt/").content.decode())
    }
    assert seen == {
        "ada@example.org": {"cleo"},
        "esi@example.org": {"charlie"},
        "opal@example.org": set(marks),
    }


def test_rows_of_no_organization_show_to_the_operator_and_rows_of_organizations_do_not(
    people: People, opal: User
) -> None:
    for verb, where in (("keys.swept", None), ("cover.planned", people.home.pk)):
        AuditLog.objects.create(
            event_type=verb, actor_kind="system", actor_label="system:x", actor_role="system",
            organization_id=where,
        )  # fmt: skip
    cora = make_user(people.home, Role.COMPLIANCE, "cora")
    seen = {user.role: browser(user).get("/admin/audit/auditlog/").content.decode() for user in (opal, cora)}
    assert "keys.swept" in seen["admin"] and "cover.planned" not in seen["admin"]
    assert "keys.swept" not in seen["compliance"] and "cover.planned" in seen["compliance"]


def test_the_chain_is_listed_to_the_operator_and_a_rows_own_link_stands_on_its_page(
    people: People, opal: User
) -> None:
    row = AuditLog.objects.create(
        event_type="x.done", actor_kind="user", actor_label="Cleo", actor_role="counselor",
        organization_id=people.home.pk,
    )  # fmt: skip
    with stores.role("cortex_system"):
        AuditLink.objects.create(
            number=4711, trail="audit", row_id=row.pk, row_digest=b"1", previous_hash=b"2", hash=b"3",
            linked_at=clock(),
        )  # fmt: skip
    otto = browser(make_user(people.home, Role.AUDITOR, "otto"))
    assert otto.get("/admin/audit/auditlink/").status_code == 403
    assert browser(people.ada).get("/admin/audit/auditlink/").status_code == 403
    assert browser(opal).get("/admin/audit/auditlink/").status_code == 200
    assert "4711" in otto.get(f"/admin/audit/auditlog/{row.pk}/change/").content.decode()


# Who becomes one


def operator(*arguments: str) -> str:
    """Run the command and return what it said."""
    out = StringIO()
    call_command("operator", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_gives_and_takes_and_every_step_is_on_record(people: People) -> None:
    assert "runs the whole house" in operator("grant", "Ada@example.org")
    people.ada.refresh_from_db()
    assert people.ada.is_operator and "ada@example.org  amani" in operator("list")
    operator("revoke", "ada@example.org")
    people.ada.refresh_from_db()
    assert not people.ada.is_operator and people.ada.access_version == 3
    rows = AuditLog.objects.filter(event_type__startswith="operator.").order_by("id")
    assert [(row.event_type, row.organization_id) for row in rows] == [
        ("operator.granted", None),
        ("operator.revoked", None),
    ]


def test_only_an_active_administrator_is_made_one(people: People) -> None:
    for email in ("cleo@example.org", "nobody@example.org"):
        with pytest.raises(CommandError):
            operator("grant", email)
    actions.disable_user(actor=SYSTEM, user_id=people.ada.pk)
    with pytest.raises(CommandError):
        operator("grant", "ada@example.org")


def test_nobody_makes_an_operator_from_within(people: People, opal: User) -> None:
    actor = actor_of_user(opal)
    with pytest.raises(NotFound):
        actions.set_operator(actor=actor, user_id=people.ada.pk, is_operator=True)
    wanted = {"organization_id": people.home.pk, "email": "x@example.org", "full_name": "X", "role": "admin"}
    with pytest.raises(NotFound):
        actions.create_user(actor=actor, **wanted, is_operator=True)
    with pytest.raises(NotFound):
        invite_person(actor=actor, **wanted, is_operator=True)


def test_who_is_no_administrator_any_more_is_no_operator(people: People, opal: User) -> None:
    actions.update_user(actor=actor_of_user(people.ada), user_id=opal.pk, role=Role.COUNSELOR)
    opal.refresh_from_db()
    assert not opal.is_operator
    assert AuditLog.objects.filter(event_type="operator.revoked").exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=opal.pk).update(is_operator=True)


def test_the_first_administrator_of_the_house_is_its_operator_and_the_next_one_is_not(db: None) -> None:
    for number in (1, 2):
        call_command(
            "create_admin", email=f"first{number}@example.org", organization=f"Service {number}",
            stdout=StringIO(),
        )  # fmt: skip
    first, second = Invitation.objects.order_by("created_at")
    assert (first.is_operator, second.is_operator) == (True, False)
    made = [
        accept_invitation(actor=SYSTEM, invitation_id=one.pk, full_name="N", password=PASSWORD, pin="482915")
        for one in (first, second)
    ]
    assert [user.is_operator for user in made] == [True, False]


def test_an_operators_invitation_is_never_made_by_the_form(people: People, opal: User) -> None:
    client = Client()
    sign_in(client, "opal@example.org")
    typed = {"email": "nia@example.org", "full_name": "Nia", "role": "admin", "organization": people.home.pk}
    client.post("/admin/accounts/invitation/add/", typed | {"is_operator": "on"})
    assert not Invitation.objects.get().is_operator


def test_a_visitor_is_not_the_system_and_opens_nothing(people: People, rf: Any) -> None:
    guest = visitor(rf.get("/"))
    assert not guest.is_system
    for verb in WRITES:
        with pytest.raises(RuleBroken):
            WRITES[verb](guest)
    for write in (
        partial(actions.update_user, user_id=people.cleo.pk, role="admin"),
        partial(actions.set_operator, user_id=people.ada.pk, is_operator=True),
        partial(actions.update_organization, organization_id=people.home.pk, name="Mine"),
        partial(actions.create_user, organization_id=people.home.pk, email="x@example.org", full_name="X",
                role="admin"),
    ):  # fmt: skip
        with pytest.raises(RuleBroken):
            write(actor=guest)
    sign_in(Client(), "cleo@example.org", "not the password at all")
    assert AuditLog.objects.get(event_type="session.refused").actor_kind == "visitor"
