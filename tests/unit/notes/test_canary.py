"""A word of a note stands nowhere in the clear: no table, index, trail, session, log, nor Redis."""

from __future__ import annotations

import base64
import logging

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from clinical.notes.models import PROCESS, Note, PsychotherapyNote
from cortex.api.throttle import client as redis
from cortex.ids import uuid7
from tests import makers, stores
from tests.cast import Cast

pytestmark = pytest.mark.django_db
WORD = "Xylokarpowitz"
TABLES = """
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname NOT IN ('information_schema', 'pg_catalog')
"""
TEXTUAL = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    JOIN pg_class ON pg_class.oid = indrelid WHERE relname LIKE 'clinical_%%'
"""


def spellings() -> list[str]:
    """The word as it is, in lower case, and as PostgreSQL shows bytes."""
    plain = [WORD, WORD.lower(), WORD.upper()]
    return [
        *plain, *(one.encode().hex() for one in plain), *(one.encode("utf-16-le").hex() for one in plain),
        base64.b64encode(WORD.encode()).decode()[:-4],
    ]  # fmt: skip


def standing(alias: str) -> list[str]:
    """Return the tables of a database in which the word stands in any of its spellings."""
    pattern = "|".join(spellings())
    with stores.role("cortex_owner"), connections[alias].cursor() as cursor:
        cursor.execute(TABLES)
        parts = [
            f"SELECT '{name}' FROM (SELECT * FROM {name}) AS row WHERE row::text ~ %s"  # noqa: S608
            for (name,) in cursor.fetchall()
        ]
        cursor.execute(" UNION ".join(parts), [pattern] * len(parts))
        return sorted(name for (name,) in cursor.fetchall())


def test_a_word_of_a_note_stands_nowhere_in_the_clear(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client, who = Client(), cast.patient.pk
    client.post(reverse("account_login"), {"login": cast.alice.email, "password": makers.PASSWORD})
    for kind, table in (("progress", Note), (PROCESS, PsychotherapyNote)):
        client.post(reverse("clinical:note_begin", args=[who]), {"note_type": kind})
        makers.scope_all()
        note = table.objects.get()
        where = [who, note.pk]
        words = {"free_text": f"It is {WORD} again.", "plan": WORD, "risk_statement": WORD}
        for spell in (uuid7(), uuid7(), uuid7()):
            saved = words | {"version": "1", "spell": spell, "number": "1", "follow_up_on": "2099-01-01"}
            answer = client.post(reverse("clinical:note_save", args=where), saved)
            assert answer.status_code in (303, 409), answer.content
        makers.scope_all()
        version = table.objects.get().version
        assert client.post(reverse("clinical:note_sign", args=where), {"version": version}).status_code == 303
        added = client.post(reverse("clinical:note_addendum", args=where), {"text": f"{WORD}, once more"})
        assert added.status_code == 303
        again = client.session
        again["account_authentication_methods"] = []  # the password was given long ago
        again.save()
        client.post(reverse("clinical:note_addendum", args=where), {"text": f"{WORD}, kept unsigned"})
        client.post(reverse("clinical:note_addendum_sign", args=where), {"version": "1"})
        client.post(reverse("account_reauthenticate"), {"password": makers.PASSWORD})
    found = client.post(reverse("clinical:note_search"), {"q": WORD.lower()})
    assert found.content.decode().count("<mark>") == 2
    makers.scope_all()
    assert standing("default") == []
    assert standing("keys") == []
    assert not [record for record in caplog.records if WORD.lower() in record.getMessage().lower()]
    assert not [key for key in redis().scan_iter() if WORD.encode() in key]


def test_the_canary_s_own_eyes_are_open(cast: Cast) -> None:
    cast.home.name = f"Service {WORD}"
    cast.home.save()
    assert standing("default") == ["public.accounts_organization"]


def test_no_index_of_notes_is_made_of_words(db: None) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(TEXTUAL)
        made = dict(cursor.fetchall())
    sealed = ("free_text", "subjective", "objective", "assessment", "risk_statement", "plan", "sections")
    assert any("note_patient" in name for name in made)
    own = {name: sql for name, sql in made.items() if "note" in name}
    assert not {name: sql for name, sql in own.items() if any(f"({one}" in sql for one in sealed)}
