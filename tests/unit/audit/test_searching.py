"""Who looked at somebody is found in the trail, also where they were one of a list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse

from cortex.audit.models import PhiAccessLog
from cortex.ids import uuid7
from cortex.ui.searches import TYPED
from tests import makers, stores
from tests.cast import Cast
from tests.makers import client_of, make_user

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:audit_phiaccesslog_changelist")


def look(cast: Cast, at: datetime, **fields: Any) -> UUID:
    with stores.role("cortex_owner"):
        row = PhiAccessLog.objects.create(
            id=uuid7(at), organization_id=cast.home.pk, actor_kind="user", actor_id=cast.bob.pk,
            actor_label="Bob", actor_role="therapist", data_type="made", **fields,
        )  # fmt: skip
    return row.pk


def found(cast: Cast, words: str) -> set[UUID]:
    client = client_of(make_user("auditor", cast.home))
    answer = client.post(PAGE, {TYPED: words}, follow=True)
    makers.scope_all()
    assert answer.status_code == 200
    return {row.pk for row in answer.context["cl"].result_list if row.data_type == "made"}


def test_a_patient_s_id_finds_lists_that_named_them(cast: Cast) -> None:
    at, subject, other = makers.now(), cast.patient.pk, uuid7()
    alone = look(cast, at, subject=subject)
    listed = look(cast, at - timedelta(days=20), subjects=[other, subject])
    look(cast, at, subjects=[other])
    before = look(cast, at - timedelta(days=40), subject=subject)
    long_ago = look(cast, at - timedelta(days=40), subjects=[subject])
    assert found(cast, str(subject)) == {alone, listed, before}
    month = f"{at - timedelta(days=40):%Y-%m}"
    assert found(cast, f"{subject} {month}") >= {before, long_ago}
    assert not found(cast, f"{subject} {month}") & {alone}
    assert found(cast, f"{subject} 2026-13") == set()


def test_lists_of_another_organization_are_not_found(cast: Cast) -> None:
    with stores.role("cortex_owner"):
        PhiAccessLog.objects.create(
            organization_id=cast.elsewhere.pk, actor_kind="user", actor_label="x", actor_role="therapist",
            data_type="made", subjects=[cast.patient.pk],
        )  # fmt: skip
    assert found(cast, str(cast.patient.pk)) == set()
    assert found(cast, f"{cast.patient.pk} {makers.now():%Y-%m}") == set()


def test_the_page_says_how_far_lists_are_looked_for(cast: Cast) -> None:
    page = client_of(make_user("auditor", cast.home)).get(PAGE).content.decode()
    assert "the last 31 days" in page and "with a month behind the id" in page
