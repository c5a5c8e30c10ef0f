"""The page of one's own account."""

from __future__ import annotations

import pytest
from django.test import Client

from cortex.accounts import pins
from cortex.accounts.actions import disable_user
from cortex.accounts.models import SessionState
from cortex.audit.actors import actor_of_user
from cortex.audit.models import AuditLog
from cortex.audit.rules import InputRefused
from tests.unit.accounts.conftest import PASSWORD, PIN, People, sign_in

pytestmark = pytest.mark.django_db
NEW = "another walk in the forest"


@pytest.fixture
def cleo(people: People) -> Client:
    """Cleo's browser, signed in by the page."""
    client = Client()
    sign_in(client, "cleo@example.org")
    return client


def test_the_theme_is_kept_and_rendered_by_the_server(cleo: Client, people: People) -> None:
    assert cleo.post("/me/theme", {"theme": "dark"}, headers={"HX-Request": "true"}).status_code == 204
    people.cleo.refresh_from_db()
    assert people.cleo.theme == "dark"
    assert 'data-theme="dark"' in cleo.get("/me/").content.decode()


def test_privacy_is_kept_with_the_session_and_rendered_by_the_server(cleo: Client) -> None:
    assert cleo.post("/me/privacy", {"on": "1"}, headers={"HX-Request": "true"}).status_code == 204
    for path in ("/me/", "/board/", "/cases/", "/followups/", "/reviews/", "/duty/"):
        assert '<body class="privacy ' in cleo.get(path).content.decode(), path
    other = Client()
    sign_in(other, "cleo@example.org")
    assert '<body class="privacy' not in other.get("/me/").content.decode()
    assert cleo.post("/me/privacy", {"on": "0", "next": "/cases/"})["Location"] == "/cases/"
    assert '<body class="privacy' not in cleo.get("/cases/").content.decode()


def test_an_unknown_theme_is_refused(cleo: Client) -> None:
    assert cleo.post("/me/theme", {"theme": "neon"}).status_code == 422


def test_after_the_theme_a_foreign_next_is_not_followed(cleo: Client) -> None:
    response = cleo.post("/me/theme", {"theme": "dark", "next": "//evil.example/"})
    assert response["Location"] == "/me/"


def test_name_and_preferences_are_saved(cleo: Client, people: People) -> None:
    assert cleo.post("/me/name", {"full_name": "Cleo Cherono"}).status_code == 303
    assert cleo.post("/me/preferences", {"theme": "light", "shortcuts": "on"}).status_code == 303
    people.cleo.refresh_from_db()
    assert people.cleo.full_name == "Cleo Cherono"
    assert people.cleo.preferences == {"theme": "light", "shortcuts": True, "sound": False}


def test_nobody_takes_a_colleague_s_name_into_the_trail(cleo: Client, people: People) -> None:
    sams = people.sam.full_name
    unseen = [f"{sams[:2]}{sign}{sams[2:]}" for sign in "\u200b\u00ad\u202e\u200d"]
    for name in (sams, f"  {sams.upper()} ", *unseen):
        assert cleo.post("/me/name", {"full_name": name}).status_code == 422, ascii(name)
    disable_user(actor=actor_of_user(people.ada), user_id=people.sam.pk)
    assert cleo.post("/me/name", {"full_name": sams}).status_code == 422, "what Sam did stays Sam's"
    people.cleo.refresh_from_db()
    assert people.cleo.full_name != people.sam.full_name


def test_a_new_password_needs_the_old_one(cleo: Client, people: People) -> None:
    response = cleo.post("/me/password", {"current": "wrong wrong wrong", "new": NEW, "again": NEW})
    assert response.status_code == 422 and "not right" in response.content.decode()
    assert sign_in(Client(), "cleo@example.org").status_code == 302


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one(cleo: Client) -> None:
    other = Client()
    sign_in(other, "cleo@example.org")
    before = cleo.session.session_key
    assert cleo.post("/me/password", {"current": PASSWORD, "new": NEW, "again": NEW}).status_code == 303
    assert cleo.get("/me/").status_code == 200
    assert cleo.session.session_key != before
    assert SessionState.objects.filter(session_key=cleo.session.session_key).exists()
    assert other.get("/me/").status_code == 302
    assert sign_in(Client(), "cleo@example.org", NEW).status_code == 302


@pytest.mark.parametrize(
    "weak", ["fourteen chars", "passwordpassword", "1111111qwertyuiop22222", "cleo@example.org"]
)
def test_a_weak_password_is_refused(weak: str, cleo: Client) -> None:
    assert cleo.post("/me/password", {"current": PASSWORD, "new": weak, "again": weak}).status_code == 422


def test_a_long_passphrase_without_digits_or_signs_is_fine(cleo: Client) -> None:
    long = "every morning the herons stand in the shallow water and wait for the small fish to come"
    assert cleo.post("/me/password", {"current": PASSWORD, "new": long, "again": long}).status_code == 303


def test_a_pin_is_set_with_the_password_and_kept_as_a_hash(cleo: Client, people: People) -> None:
    assert cleo.post("/me/pin", {"current": PASSWORD, "pin": PIN}).status_code == 303
    people.cleo.refresh_from_db()
    assert people.cleo.has_pin and PIN not in people.cleo.pin_hash
    assert AuditLog.objects.filter(event_type="pin.changed").count() == 1


@pytest.mark.parametrize(
    "pin", ["123456", "654321", "111111", "121212", "123123", "12345", "48291a", "890123"]
)
def test_a_pin_that_is_easy_to_guess_is_refused(pin: str) -> None:
    with pytest.raises(InputRefused):
        pins.checked(pin)


def test_failures_of_the_current_password_count_against_the_throttle(cleo: Client) -> None:
    for _ in range(5):
        cleo.post("/me/pin", {"current": "wrong wrong wrong", "pin": PIN})
    response = cleo.post("/me/pin", {"current": PASSWORD, "pin": PIN})
    assert response.status_code == 422 and "Too many" in response.content.decode()
