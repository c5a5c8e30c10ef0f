"""The cast, written by few statements, is the one that the makers and so the real actions would write."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps

from cortex.crypto.fields import SealedMixin
from tests import makers
from tests.cast import NAMES, PLAYERS, SERVICES, Cast, make_cast
from tests.walk.doors import undone

pytestmark = pytest.mark.django_db
# What is another each time, whoever writes it.
DRAWN = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}|Fictional\d+|person\d+|CX-\d+|argon2\S+")


def by_the_makers() -> None:
    houses = {key: makers.make_organization(name=name, slug=slug) for key, (name, slug) in SERVICES.items()}
    users = {
        key: makers.make_user(role, houses[where], email=f"{key}@example.org", full_name=name)
        for key, (role, where, name) in PLAYERS.items()
    }
    makers.make_patient(houses["home"], team=[users["alice"]], **NAMES["patient"])
    makers.make_patient(houses["elsewhere"], team=[users["charlie"]], **NAMES["stranger"])


def written() -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table without what differs each time: ids, times and sealed bytes."""
    found = {}
    for model in apps.get_models():
        if model.__module__.startswith("tests."):
            continue  # another test's own, whose table is gone
        rows = model._default_manager.using("keys" if model._meta.app_label == "keys" else "default")
        names = [one.attname for one in model._meta.concrete_fields]
        sealed = {one.attname for one in model._meta.concrete_fields if isinstance(one, SealedMixin)}
        told = [
            {name: _plain(row[name], sealed=name in sealed) for name in names} for row in rows.values(*names)
        ]
        found[model._meta.label] = sorted(told, key=repr)
    return found


def _plain(value: Any, *, sealed: bool) -> Any:
    if value is None or (isinstance(value, bool | int) and not sealed):
        return "a number" if type(value) is int else value
    if sealed or isinstance(value, bytes | memoryview) or hasattr(value, "tzinfo"):
        return type(value).__name__
    return DRAWN.sub("drawn", repr(value))


def test_the_cast_is_what_the_makers_would_write() -> None:
    with undone():
        nothing = written()
        by_the_makers()
        wanted = written()
    makers.scope_all()
    make_cast()
    assert written() == wanted
    new = {label for label, rows in wanted.items() if rows != nothing[label]}
    assert {"patients.Patient", "patients.Consent", "audit.AuditLog", "keys.SubjectKey"} <= new


def test_people_of_the_cast_open_as_they_were_registered(cast: Cast) -> None:
    assert makers.opened(cast.patient, "given_name") == "Zawadi"
    assert makers.opened(cast.stranger, "home_address") == "12 Made-up Road"
    assert cast.cleo.check_password(makers.PASSWORD)
