"""Signing in and out, and the throttle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import identify_hasher, make_password
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from django.utils import timezone

from cortex.accounts.choices import Attempt
from cortex.accounts.models import LoginAttempt, SessionState, User
from cortex.accounts.signin import actions
from cortex.accounts.signin.devices import Marks
from cortex.audit.actors import actor_of_user
from cortex.audit.models import AuditLog
from cortex.settings import base
from tests.unit.accounts.conftest import LOCKED, PASSWORD, People, sign_in, verbs

pytestmark = pytest.mark.django_db
MESSAGE = "The e-mail or the password is not right."


def fail(client: Client, email: str, times: int = 1, **extra: str) -> object:
    """Sign in with a wrong password."""
    response = None
    for _ in range(times):
        response = sign_in(client, email, "not the password at all", **extra)
    return response


def test_the_right_password_signs_in_whatever_the_case_of_the_email(people: People) -> None:
    client = Client()
    response = sign_in(client, "CLEO@Example.org")
    assert response.status_code == 302
    state = SessionState.objects.get()
    assert state.user_id == people.cleo.pk and state.session_key == client.session.session_key
    assert verbs() == ["session.accepted", "session.started"]


def test_two_people_cannot_have_one_email_in_different_case(people: People) -> None:
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(
            email="CLEO@example.org", role="counselor", organization=people.home, full_name="Another"
        )


def test_a_wrong_password_is_refused_and_recorded(people: People) -> None:
    response = fail(Client(), "cleo@example.org")
    assert response.status_code == 422
    assert MESSAGE in response.content.decode()
    row = AuditLog.objects.get(event_type="session.refused")
    assert row.object_id == people.cleo.pk and row.organization_id == people.home.pk and row.ip_hash


def test_known_unknown_and_disabled_accounts_get_the_same_answer(people: People) -> None:
    from cortex.accounts.actions import disable_user

    disable_user(actor=actor_of_user(people.ada), user_id=people.cleo.pk)
    bodies = []
    for email, password in (
        ("nobody@example.org", PASSWORD),
        ("sam@example.org", "not the password at all"),
        ("cleo@example.org", PASSWORD),
    ):
        response = sign_in(Client(), email, password)
        assert response.status_code == 422
        import re

        body = re.sub(r'value="[^"]*"', "", response.content.decode())
        bodies.append(re.sub(r"X-CSRFToken[^}]*", "", body))
    assert len(set(bodies)) == 1


def test_unknown_and_known_accounts_take_the_same_time(people: People, settings: Any) -> None:
    """Of the processor, turn by turn, the least of each: what else a machine does meanwhile slows both.

    With the hasher that is used in production: one that is quick would hide that nothing is hashed.
    """
    from django.contrib.auth import authenticate

    settings.PASSWORD_HASHERS = base.PASSWORD_HASHERS
    people.cleo.set_password(PASSWORD)
    people.cleo.save()
    least = {"cleo@example.org": float("inf"), "nobody@example.org": float("inf")}
    for turn in range(40):
        for email, known in least.items():
            begun = time.process_time()
            authenticate(None, email=email, password="not the password at all")
            least[email] = min(known, time.process_time() - begun)
        known, unknown = least.values()
        if turn >= 4 and abs(known - unknown) < 0.25 * known:
            return
    raise AssertionError(f"the one takes {known:.3f} s, the other {unknown:.3f} s")


def test_five_failures_lock_the_account_for_new_devices(people: People) -> None:
    fail(Client(), "cleo@example.org", 5)
    response = sign_in(Client(), "cleo@example.org")
    assert response.status_code == 422
    assert LOCKED in response.content.decode()
    people.cleo.refresh_from_db()
    assert people.cleo.is_locked
    assert verbs().count("account.locked") == 1


def test_an_account_that_does_not_exist_is_locked_just_the_same(people: People) -> None:
    fail(Client(), "nobody@example.org", 5)
    assert LOCKED in sign_in(Client(), "nobody@example.org").content.decode()


def test_the_lock_ends_after_fifteen_minutes(people: People) -> None:
    fail(Client(), "cleo@example.org", 5)
    LoginAttempt.objects.update(at=timezone.now() - timedelta(minutes=16))
    assert sign_in(Client(), "cleo@example.org").status_code == 302


def test_four_failures_and_a_success_start_the_count_anew(people: People) -> None:
    fail(Client(), "cleo@example.org", 4)
    assert sign_in(Client(), "cleo@example.org").status_code == 302
    fail(Client(), "cleo@example.org", 4)
    assert sign_in(Client(), "cleo@example.org").status_code == 302


def test_a_device_that_signed_in_before_is_not_locked_out_by_others(people: People) -> None:
    known = Client()
    sign_in(known, "cleo@example.org")
    known.post("/accounts/logout/")
    fail(Client(), "cleo@example.org", 6)
    assert LOCKED in sign_in(Client(), "cleo@example.org").content.decode()
    assert sign_in(known, "cleo@example.org").status_code == 302


def test_a_known_device_is_locked_by_its_own_failures(people: People) -> None:
    known = Client()
    sign_in(known, "cleo@example.org")
    known.post("/accounts/logout/")
    fail(known, "cleo@example.org", 5)
    assert LOCKED in sign_in(known, "cleo@example.org").content.decode()
    assert sign_in(Client(), "cleo@example.org").status_code == 302


def test_a_forged_device_cookie_is_worth_nothing(people: People) -> None:
    fail(Client(), "cleo@example.org", 5)
    forger = Client()
    forger.cookies["cortex_device"] = '{"d":"x","a":["whatever"]}'
    assert LOCKED in sign_in(forger, "cleo@example.org").content.decode()


def test_the_device_cookie_is_signed_and_closed_to_scripts(people: People) -> None:
    client = Client()
    response = sign_in(client, "cleo@example.org")
    cookie = response.cookies["cortex_device"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert "cleo" not in cookie.value


def test_a_network_that_fails_on_five_accounts_is_locked_for_new_devices(people: People) -> None:
    for number in range(5):
        fail(Client(), f"guess{number}@example.org", REMOTE_ADDR="203.0.113.9")
    assert LOCKED in sign_in(Client(), "cleo@example.org", REMOTE_ADDR="203.0.113.9").content.decode()
    assert sign_in(Client(), "cleo@example.org", REMOTE_ADDR="203.0.113.77").status_code == 302


def test_one_colleague_who_mistypes_does_not_lock_the_desk_behind_the_same_address(people: People) -> None:
    fail(Client(), "sam@example.org", 5, REMOTE_ADDR="203.0.113.9")
    assert sign_in(Client(), "cleo@example.org", REMOTE_ADDR="203.0.113.9").status_code == 302


def test_parallel_guesses_cannot_pass_the_limit_together(people: People) -> None:
    marks = Marks("an account", "a network")
    outcomes = [actions.reserve_attempt(marks=marks).outcome for _ in range(8)]
    assert outcomes == [Attempt.TRIED] * 5 + [Attempt.BLOCKED] * 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("marks_of", [lambda n: Marks("one", f"net {n}"), lambda n: Marks(f"acc {n}", "one")])
def test_guesses_at_the_same_moment_cannot_pass_the_limit_of_an_account_or_a_network(
    marks_of: Callable[[int], Marks],
) -> None:
    together = threading.Barrier(12)

    def guess(number: int) -> str:
        together.wait()
        try:
            return str(actions.reserve_attempt(marks=marks_of(number)).outcome)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        outcomes = sorted(pool.map(guess, range(12)))
    assert outcomes == [Attempt.BLOCKED] * 7 + [Attempt.TRIED] * 5


def test_known_devices_are_not_counted_with_their_network(people: People) -> None:
    for number in range(5):
        actions.reserve_attempt(marks=Marks(f"acc {number}", "one"))
    assert actions.reserve_attempt(marks=Marks("mine", "one", "my device")).outcome == Attempt.TRIED
    assert actions.reserve_attempt(marks=Marks("mine", "one")).outcome == Attempt.BLOCKED


def test_a_supervisor_unlocks_a_colleague_at_once(people: People) -> None:
    fail(Client(), "cleo@example.org", 5)
    supervisor = Client()
    supervisor.force_login(people.sam)
    page = supervisor.get("/staff/")
    assert "Locked until" in page.content.decode()
    assert supervisor.post(f"/staff/{people.cleo.pk}/unlock").status_code == 303
    assert sign_in(Client(), "cleo@example.org").status_code == 302
    assert "account.unlocked" in verbs()


def test_a_supervisor_unlocks_a_device_that_locked_itself(people: People) -> None:
    known = Client()
    sign_in(known, "cleo@example.org")
    known.post("/accounts/logout/")
    fail(known, "cleo@example.org", 5)
    assert LOCKED in sign_in(known, "cleo@example.org").content.decode()
    unlock(people)
    assert sign_in(known, "cleo@example.org").status_code == 302


def test_a_supervisor_unlocks_who_sits_behind_a_locked_network(people: People) -> None:
    where = {"REMOTE_ADDR": "203.0.113.9"}
    for number in range(5):
        fail(Client(), f"guess{number}@example.org", **where)
    assert LOCKED in sign_in(Client(), "cleo@example.org", **where).content.decode()
    unlock(people)
    assert sign_in(Client(), "cleo@example.org", **where).status_code == 302
    assert LOCKED in sign_in(Client(), "sam@example.org", **where).content.decode()


def unlock(people: People) -> None:
    """Press the button on the page of people, which is there whatever the lock is."""
    supervisor = Client()
    supervisor.force_login(people.sam)
    path = f"/staff/{people.cleo.pk}/unlock"
    assert path in supervisor.get("/staff/").content.decode()
    assert supervisor.post(path).status_code == 303
    assert LoginAttempt.objects.filter(outcome=Attempt.UNLOCKED).count() == 2  # password and second factor
    assert verbs().count("account.unlocked") == 1


def test_a_supervisor_of_another_organization_finds_nobody_to_unlock(people: People) -> None:
    from cortex.audit import NotFound

    with pytest.raises(NotFound):
        actions.unlock_account(actor=actor_of_user(people.sam), user_id=people.charlie.pk)


def test_a_counselor_may_not_open_the_page_of_people(people: People) -> None:
    client = Client()
    client.force_login(people.cleo)
    assert client.get("/staff/").status_code == 403


def test_no_address_and_no_email_is_kept_in_clear_by_the_throttle(people: People) -> None:
    fail(Client(), "cleo@example.org", REMOTE_ADDR="203.0.113.9")
    row = LoginAttempt.objects.get()
    kept = f"{row.account_hash} {row.network_hash} {row.device_hash}"
    assert "cleo" not in kept and "203.0" not in kept


def test_signing_in_changes_the_session_key(people: People) -> None:
    client = Client()
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = "x"
    session.save()
    before = session.session_key
    sign_in(client, "cleo@example.org")
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_signing_out_ends_the_session_and_clears_what_the_browser_kept(people: People) -> None:
    client = Client()
    sign_in(client, "cleo@example.org")
    key = client.session.session_key
    response = client.post("/accounts/logout/")
    assert response.status_code == 302 and "storage" in response["Clear-Site-Data"]
    assert not Session.objects.filter(session_key=key).exists()
    assert not SessionState.objects.exists()
    assert "session.ended" in verbs()


def test_signing_out_needs_a_post(people: People) -> None:
    client = Client()
    client.force_login(people.cleo)
    assert client.get("/accounts/logout/").status_code == 405


def test_passwords_are_kept_by_argon2_and_old_bcrypt_ones_are_moved_over(people: People, settings) -> None:
    assert "BCryptSHA256" in base.PASSWORD_HASHERS[1]
    settings.PASSWORD_HASHERS = [*settings.PASSWORD_HASHERS, base.PASSWORD_HASHERS[1]]
    assert identify_hasher(people.cleo.password).algorithm == "argon2"
    old = make_password(PASSWORD, hasher="bcrypt_sha256")
    User.objects.filter(pk=people.cleo.pk).update(password=old)
    assert sign_in(Client(), "cleo@example.org").status_code == 302
    people.cleo.refresh_from_db()
    assert identify_hasher(people.cleo.password).algorithm == "argon2"


def test_nobody_can_sign_up_and_nothing_else_of_the_library_is_routed(client: Client, db: None) -> None:
    for path in ("signup/", "email/", "confirm-email/", "password/change/", "password/set/", "inactive/"):
        assert client.get(f"/accounts/{path}").status_code == 404


def test_the_sign_in_page_shows_how_the_service_really_is(client: Client, db: None, monkeypatch) -> None:
    from cortex.accounts.signin import status

    parts = {name: {"state": "ok"} for name in ("database", "keys", "migrations", "redis")}
    monkeypatch.setattr(
        status, "readiness", lambda: (200, {"parts": parts | {"sweeper": {"state": "degraded"}}})
    )
    page = client.get("/accounts/login/").content.decode()
    assert page.count('data-state="ok"') == 2 and 'data-state="degraded"' in page and "Delayed" in page


def test_a_page_of_another_host_is_not_where_signing_in_leads(people: People) -> None:
    response = Client().post(
        "/accounts/login/", {"login": "cleo@example.org", "password": PASSWORD, "next": "//evil.example/"}
    )
    assert response["Location"] == "/"
