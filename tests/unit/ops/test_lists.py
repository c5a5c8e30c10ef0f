"""A list given to PostgreSQL comes back as it was, whoever writes it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db
IDS = [UUID(int=0), UUID(int=2**128 - 1), uuid4()]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (IDS, "uuid[]"),
        ([*IDS, None], "uuid[]"),
        ([], "uuid[]"),
        ([IDS], "uuid[]"),
        (["a,b", '"', ""], "text[]"),
    ],
    ids=["ids", "with a gap", "nothing", "nested", "texts"],
)
def test_a_list_comes_back_as_it_was(given: list[Any], kind: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}", [given])
        assert cursor.fetchone() == (given,)


def test_an_id_is_found_in_a_list_of_ids() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s = ANY(%s), %s = ANY(%s)", [IDS[2], IDS, uuid4(), IDS])
        assert cursor.fetchone() == (True, False)
