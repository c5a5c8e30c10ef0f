"""Session, person and clocks come with one statement, and whoever may not go on is not signed in by it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cortex.accounts.sessions.models import SessionState
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db
ROWS = ("django_session", "accounts_sessionstate", "accounts_user")


def came(client: Client, **how: Any) -> int:
    """Return how a page of one's own is answered: 200 signed in, 302 not."""
    return client.get("/me/", **how).status_code


@pytest.fixture
def browser(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.cleo)
    assert came(client) == 200
    return client


def test_one_statement_reads_who_is_signed_in(browser: Client) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        assert browser.get("/board/").status_code == 200
    reads = [one["sql"] for one in seen if "django_session" in one["sql"]]
    assert len(reads) == 1 and all(name in reads[0] for name in ROWS)
    rest = [one["sql"] for one in seen if one["sql"] not in reads]
    assert not [sql for sql in rest if sql.startswith("SELECT") and 'FROM "accounts_sessionstate"' in sql]


@pytest.mark.parametrize("change", ["password", "disabled", "house", "expired", "deleted"])
def test_whoever_lost_the_right_is_out_with_the_next_page(browser: Client, cast: Cast, change: str) -> None:
    session = browser.session
    if change == "password":
        cast.cleo.set_password("another long passphrase 4711")
        cast.cleo.save()
    elif change == "disabled":
        cast.cleo.is_active, cast.cleo.disabled_at = False, timezone.now()
        cast.cleo.save()
    elif change == "house":
        cast.home.is_active = False
        cast.home.save()
    elif change == "expired":
        session.set_expiry(-1)
        session.save()
    else:
        session.delete()
    assert came(browser) == 302


def test_clocks_of_somebody_else_sign_nobody_in(browser: Client, cast: Cast) -> None:
    key = browser.session.session_key
    SessionState.objects.filter(session_key=key).update(user=cast.charlie)
    page = browser.get("/me/")
    assert page.status_code == 200 and page.wsgi_request.user == cast.cleo
    assert SessionState.objects.get(session_key=key).user_id == cast.cleo.pk, "the clocks begin anew"


def test_a_session_of_another_backend_is_djangos_own_business(browser: Client) -> None:
    session = browser.session
    session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    assert came(browser) == 302


def test_a_session_without_clocks_gets_them(browser: Client) -> None:
    key = browser.session.session_key
    SessionState.objects.filter(session_key=key).delete()
    assert came(browser) == 200
    assert SessionState.objects.filter(session_key=key).exists()


def test_a_password_whose_hash_is_renewed_when_it_is_given_again_ends_no_session(
    cast: Cast, settings: Any
) -> None:
    client, before = makers.client_of(cast.alice), cast.alice.password
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    done = client.post("/accounts/reauthenticate/", {"password": makers.PASSWORD, "next": "/me/"})
    cast.alice.refresh_from_db()
    assert cast.alice.password != before
    assert done["Location"] == "/me/" and came(client) == 200
