"""API clients and keys: issued once, rotated with overlap, revoked, checked in constant time."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cortex.accounts import keys
from cortex.accounts.apikeys import actions, material
from cortex.accounts.models import ApiClient, ApiKey
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.actors import actor_of_user
from cortex.audit.models import AuditLog
from tests.unit.accounts.conftest import People

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued(people: People) -> actions.IssuedKey:
    """A key of the home organization's app."""
    ada = actor_of_user(people.ada)
    client = actions.create_client(actor=ada, organization_id=people.home.pk, name="Amani app")
    return actions.create_key(actor=ada, client_id=client.pk, scopes=["intake:write"])


def test_a_key_opens_and_is_kept_as_prefix_and_digest_only(issued: actions.IssuedKey) -> None:
    found = keys.authenticate_key(issued.raw)
    assert found == issued.key
    row = ApiKey.objects.values().get()
    secret = issued.raw.rsplit("_", 1)[0] and issued.raw[len("cx_") + 13 :]
    assert len(secret) == 43
    assert not any(secret in str(value) for value in row.values())
    assert not any(secret in str(audit) for audit in AuditLog.objects.values())


@pytest.mark.parametrize("wrong", ["", "cx_", "Bearer x", "cx_aaaaaaaaaaaa_" + "a" * 43, "\x00", "é" * 60])
def test_a_wrong_key_opens_nothing(wrong: str, issued: actions.IssuedKey) -> None:
    assert keys.authenticate_key(wrong) is None


def test_a_right_prefix_with_another_secret_opens_nothing(issued: actions.IssuedKey) -> None:
    other = material.make().raw
    assert keys.authenticate_key(issued.raw[:16] + other[16:]) is None


def test_digests_are_compared_in_constant_time_for_unknown_prefixes_too(
    issued: actions.IssuedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    real = keys.hmac.compare_digest
    monkeypatch.setattr(keys.hmac, "compare_digest", lambda a, b: compared.append(b) or real(a, b))
    keys.authenticate_key("nonsense")
    keys.authenticate_key(issued.raw)
    assert compared == [keys.NO_DIGEST, issued.key.key_hash]


def test_a_revoked_and_an_expired_key_open_nothing(issued: actions.IssuedKey, people: People) -> None:
    ada = actor_of_user(people.ada)
    soon = timezone.now() + timedelta(minutes=1)
    short = actions.create_key(
        actor=ada, client_id=issued.key.client_id, scopes=["intake:write"], expires_at=soon
    )
    assert keys.authenticate_key(short.raw)
    ApiKey.objects.filter(pk=short.key.pk).update(expires_at=timezone.now())
    assert keys.authenticate_key(short.raw) is None
    actions.revoke_key(actor=ada, key_id=issued.key.pk)
    assert keys.authenticate_key(issued.raw) is None


def test_a_key_that_is_about_to_end_is_rotated_with_overlap_into_one_that_is_not(
    issued: actions.IssuedKey, people: People
) -> None:
    ada, now = actor_of_user(people.ada), timezone.now()
    wanted = {"actor": ada, "client_id": issued.key.client_id, "scopes": ["intake:write"]}
    old = actions.create_key(**wanted, expires_at=now + timedelta(days=90))
    made = now - timedelta(days=89, hours=23)
    ApiKey.objects.filter(pk=old.key.pk).update(created_at=made, expires_at=made + timedelta(days=90))
    new = actions.rotate_key(actor=ada, key_id=old.key.pk, at=now)
    assert new.key.expires_at == now + timedelta(days=90)
    later = now + timedelta(hours=2)
    old.key.refresh_from_db()
    assert new.key.works_at(later) and old.key.works_at(now) and not old.key.works_at(later)


def test_a_rotation_takes_a_new_end_that_lies_ahead(issued: actions.IssuedKey, people: People) -> None:
    ada, now = actor_of_user(people.ada), timezone.now()
    with pytest.raises(InputRefused):
        actions.rotate_key(actor=ada, key_id=issued.key.pk, expires_at=now - timedelta(days=1))
    call_command("apikey", "rotate", issued.key.prefix, "--days", "30", stdout=io.StringIO())
    ends = ApiKey.objects.get(rotated_from=issued.key).expires_at
    assert ends is not None and timedelta(days=29) < ends - now < timedelta(days=31)


def test_after_a_rotation_both_keys_work_until_the_overlap_ends(
    issued: actions.IssuedKey, people: People
) -> None:
    new = actions.rotate_key(
        actor=actor_of_user(people.ada), key_id=issued.key.pk, overlap=timedelta(hours=1)
    )
    assert keys.authenticate_key(issued.raw) and keys.authenticate_key(new.raw)
    assert new.key.scopes == issued.key.scopes and new.key.rotated_from == issued.key
    ApiKey.objects.filter(pk=issued.key.pk).update(overlap_until=timezone.now())
    assert keys.authenticate_key(issued.raw) is None
    assert keys.authenticate_key(new.raw)
    with pytest.raises(RuleBroken):
        actions.rotate_key(actor=actor_of_user(people.ada), key_id=issued.key.pk)


def test_a_client_that_is_switched_off_closes_all_its_keys(issued: actions.IssuedKey, people: People) -> None:
    actions.update_client(actor=actor_of_user(people.ada), client_id=issued.key.client_id, is_active=False)
    assert keys.authenticate_key(issued.raw) is None


def test_the_last_use_is_noted_at_most_once_a_minute(issued: actions.IssuedKey) -> None:
    keys.authenticate_key(issued.raw)
    first = ApiKey.objects.get().last_used_at
    keys.authenticate_key(issued.raw)
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(minutes=2))
    keys.authenticate_key(issued.raw)
    assert ApiKey.objects.get().last_used_at > first - timedelta(seconds=1)


def test_another_organization_finds_no_key_to_revoke(issued: actions.IssuedKey, people: People) -> None:
    with pytest.raises(NotFound):
        actions.revoke_key(actor=actor_of_user(people.charlie), key_id=issued.key.pk)


def test_unknown_scopes_and_ends_in_the_past_are_refused(issued: actions.IssuedKey, people: People) -> None:
    ada = actor_of_user(people.ada)
    with pytest.raises(InputRefused):
        actions.create_key(actor=ada, client_id=issued.key.client_id, scopes=["everything:write"])
    with pytest.raises(InputRefused):
        actions.create_key(
            actor=ada, client_id=issued.key.client_id, scopes=["intake:write"], expires_at=timezone.now()
        )


def test_every_step_of_a_key_is_in_the_trail(issued: actions.IssuedKey, people: People) -> None:
    ada = actor_of_user(people.ada)
    new = actions.rotate_key(actor=ada, key_id=issued.key.pk)
    actions.revoke_key(actor=ada, key_id=new.key.pk)
    told = list(AuditLog.objects.order_by("id").values_list("event_type", flat=True))
    assert told == ["api_client.created", "api_key.created", "api_key.rotated", "api_key.revoked"]
    assert set(AuditLog.objects.values_list("organization_id", flat=True)) == {people.home.pk}


def run(*arguments: str) -> str:
    """Run the command and return what it printed."""
    out = io.StringIO()
    call_command("apikey", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_creates_rotates_lists_and_revokes(people: People) -> None:
    raw = run("create", "--organization", "amani", "--client", "Phone app").splitlines()[-1]
    assert keys.authenticate_key(raw).client == ApiClient.objects.get(name="Phone app")
    prefix = material.prefix_of(raw)
    newer = run("rotate", prefix, "--overlap-hours", "0").splitlines()[-1]
    assert keys.authenticate_key(newer) and keys.authenticate_key(raw) is None
    listing = run("list")
    assert prefix in listing and raw not in listing and newer not in listing
    assert re.search(rf"{prefix}\s+over", listing)
    run("revoke", material.prefix_of(newer))
    assert keys.authenticate_key(newer) is None


def test_the_command_says_what_is_wrong(people: People) -> None:
    with pytest.raises(CommandError, match="no organization"):
        run("create", "--organization", "nowhere", "--client", "x")
    with pytest.raises(CommandError, match="no key"):
        run("revoke", "aaaaaaaaaaaa")
