"""Typed words come back also where the page of their form can't be shown."""

from __future__ import annotations

from typing import Any

import pytest

from clinical.plans.endings.actions import end_plan
from cortex.access.context import AccessContext
from cortex.crypto.errors import KeyProviderError
from tests import makers
from tests.unit.plans.conftest import Planned
from tests.unit.plans.test_pages import as_user, url

pytestmark = pytest.mark.django_db
WORDS = "Forty minutes of <b>words</b>"
SAFE = "Forty minutes of &lt;b&gt;words&lt;/b&gt;"


def test_words_come_back_when_the_plan_ended_meanwhile(planned: Planned) -> None:
    planned.sign()
    end_plan(actor=planned.alice, patient_id=planned.who, how="complete", reason="discharge")
    makers.scope_all()
    client, where = as_user(planned.cast.alice), url(planned, "plan_review")
    given = {"patient_view": WORDS, "summary": "Steady.", "decision": "continue"}
    answer = client.post(where, given)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert SAFE in page and "Steady." in page and "There is no plan yet" in page and WORDS not in page
    assert SAFE not in client.get(where).content.decode()


def test_words_come_back_while_the_keys_are_away(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise KeyProviderError("the keys are away")

    client, where = as_user(planned.cast.alice), url(planned, "goal_add")
    client.get(where)
    makers.scope_all()
    with monkeypatch.context() as patched:
        patched.setattr(AccessContext, "load_keys", away)
        answer = client.post(where, {"specific": WORDS, "steps": ""})
        empty = client.post(where, {"specific": " "})
    assert answer.status_code == 503 and SAFE in answer.content.decode()
    assert empty.status_code == 503 and "Forty" not in empty.content.decode()


def test_a_stranger_hears_that_there_is_nothing_whatever_they_typed(planned: Planned) -> None:
    answer = as_user(planned.cast.charlie).post(url(planned, "plan_begin"), {"presenting_problem": WORDS})
    assert answer.status_code == 404 and "Forty" not in answer.content.decode()
