"""The people of these tests: two organizations, no patient."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.test import Client

from cortex.accounts.models import Organization, Role, User
from cortex.accounts.sessions import clocks
from cortex.accounts.signin import status
from cortex.audit.models import AuditLog

PASSWORD = "a long walk by the lake"
PIN = "482915"
LOCKED = "Too many failed attempts."


@dataclass(frozen=True)
class People:
    """Who works where."""

    home: Organization
    elsewhere: Organization
    cleo: User
    sam: User
    ada: User
    charlie: User


def make_user(organization: Organization, role: Role, name: str, **fields: object) -> User:
    """A person who can sign in with PASSWORD."""
    return User.objects.create_user(
        f"{name}@example.org",
        PASSWORD,
        full_name=name.title(),
        role=role,
        organization=organization,
        **fields,
    )


@pytest.fixture
def people(db: None) -> People:
    """Cleo the counselor, Sam the supervisor and Ada the administrator; Charlie works elsewhere."""
    home = Organization.objects.create(name="Amani Service", slug="amani")
    elsewhere = Organization.objects.create(name="Baraka Service", slug="baraka")
    return People(
        home=home,
        elsewhere=elsewhere,
        cleo=make_user(home, Role.COUNSELOR, "cleo"),
        sam=make_user(home, Role.SUPERVISOR, "sam"),
        ada=make_user(home, Role.ADMIN, "ada"),
        charlie=make_user(elsewhere, Role.COUNSELOR, "charlie"),
    )


@pytest.fixture(autouse=True)
def _fresh_minds() -> None:
    """Forget what a process remembers between requests."""
    clocks._limits = (0.0, clocks.Limits())
    status._kept = (0.0, [])


def sign_in(client: Client, email: str, password: str = PASSWORD, **extra: str) -> object:
    """Post the sign-in form."""
    return client.post("/accounts/login/", {"login": email, "password": password}, **extra)


def verbs(prefix: str = "") -> list[str]:
    """The audit verbs so far that begin so, in order."""
    rows = AuditLog.objects.filter(event_type__startswith=prefix).order_by("id")
    return list(rows.values_list("event_type", flat=True))
