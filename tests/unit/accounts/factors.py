"""An authenticator app of the tests: it shows the code of a moment, and signs in with it."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from cortex.clock import clock
from tests.unit.accounts.conftest import People, sign_in


def code_of(secret: str, steps: int = 0) -> str:
    """The six digits that the app shows now, or so many steps of 30 seconds from now."""
    return format_hotp_value(hotp_value(secret, int(clock().timestamp()) // 30 + steps))


def wait_for_a_step() -> None:
    """Wait, where a step of 30 seconds is about to end, for the next one: what follows stays within it."""
    left = 30 - clock().timestamp() % 30
    if left < 5:
        time.sleep(left)


def wrong_code(secret: str) -> str:
    """Six digits that no step near now has."""
    near = {code_of(secret, steps) for steps in range(-3, 4)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in near)


def shown_secret(client: Client) -> str:
    """Begin to set an app up; return the secret that the page shows."""
    page = client.get("/me/factors/app").content.decode()
    secret = re.search(r"data-secret>([A-Z2-7 ]+)<", page)
    assert secret, page
    return secret.group(1).replace(" ", "")


def set_up_app(client: Client, **fields: str) -> tuple[str, list[str]]:
    """Walk through the set-up as a signed-in person; return the secret and the recovery codes."""
    text = shown_secret(client)
    wait_for_a_step()
    done = client.post("/me/factors/app", {"code": code_of(text, -1), **fields})
    assert done.status_code in (200, 303), done.content
    codes = re.search(r"data-codes>([\d\n]+)<", done.content.decode())
    return text, codes.group(1).split() if codes else []


def give(client: Client, code: str) -> Any:
    """Type a code at the second step of signing in."""
    return client.post("/accounts/factor/", {"code": code})


def second_step(email: str, code: str, client: Client | None = None) -> tuple[Client, Any]:
    """Sign in with the password and this code, from a fresh browser unless one is given."""
    client = client or Client()
    sign_in(client, email)
    return client, give(client, code)


def at_home(email: str) -> Client:
    """A browser in which this person signed in by password."""
    client = Client()
    sign_in(client, email)
    return client


@pytest.fixture
def app(people: People) -> tuple[str, list[str]]:
    """Cleo's app and recovery codes."""
    return set_up_app(at_home("cleo@example.org"), name="Work phone")
