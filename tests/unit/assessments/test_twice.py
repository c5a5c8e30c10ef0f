"""Finish that is pressed twice stores one administration, however close the two come."""

from __future__ import annotations

import threading

import pytest
from django.db import connections, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from clinical.assessments.actions import begin_assessment
from clinical.assessments.models import Assessment, AssessmentDraft
from cortex.accounts.models import User
from cortex.audit.models import AuditLog
from tests import makers
from tests.api.test_waiting import wait_for_a_waiter
from tests.cast import Cast
from tests.makers import client_of, staff

CALM = {f"q{number}": "1" for number in range(1, 8)}


def begun(cast: Cast, user: User | None = None, mode: str = "interviewer") -> None:
    begin_assessment(actor=staff(user or cast.alice), patient_id=cast.patient.pk, key="gad7", mode=mode)
    makers.scope_all()


def finish(cast: Cast, client: Client, **changed: str) -> HttpResponseBase:
    return client.post(reverse("clinical:measure_finish", args=[cast.patient.pk, "gad7"]), CALM | changed)


def result_of(cast: Cast) -> str:
    """The page of the one administration that there is."""
    makers.scope_all()
    (one,) = Assessment.objects.filter(patient=cast.patient)
    assert AuditLog.objects.filter(event_type="measure.finished", object_id=one.pk).count() == 1
    return reverse("clinical:measure_result", args=[cast.patient.pk, one.pk])


@pytest.mark.django_db(transaction=True)
def test_of_two_presses_at_once_the_second_is_shown_what_the_first_stored(cast: Cast) -> None:
    """The second finds the answers under way, then waits for the person while the first takes them away."""
    begun(cast)
    first, second = client_of(cast.alice), client_of(cast.alice)
    shown: list[HttpResponseBase] = []

    def press() -> None:
        try:
            shown.append(finish(cast, second))
        finally:
            connections.close_all()

    other = threading.Thread(target=press)
    with transaction.atomic():
        shown.append(finish(cast, first))
        other.start()
        wait_for_a_waiter()
    other.join(20)
    assert [one.status_code for one in shown] == [303, 303]
    assert {one["Location"] for one in shown} == {result_of(cast)}


@pytest.mark.django_db
def test_a_second_press_after_the_first_is_shown_what_that_one_stored(cast: Cast) -> None:
    begun(cast)
    client = client_of(cast.alice)
    pages = [finish(cast, client)["Location"] for _ in range(2)]
    assert pages == [result_of(cast)] * 2
    begun(cast)
    assert finish(cast, client)["Location"] not in pages, "asked anew, the same answers are new ones"
    makers.scope_all()
    assert Assessment.objects.filter(patient=cast.patient).count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(("who", "changed"), [("alice", "2"), ("bob", "1")])
def test_other_answers_or_another_s_are_not_stored_once_nobody_asks_any_more(
    cast: Cast, who: str, changed: str
) -> None:
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist")
    begun(cast)
    finish(cast, client_of(cast.alice))
    stored = result_of(cast)
    late = finish(cast, client_of(getattr(cast, who)), q1=changed)
    assert late.status_code == 409
    assert "Nobody is answering this measure. Begin it again." in late.content.decode()  # type: ignore[attr-defined]
    assert 'name="mode"' in late.content.decode(), "it can be begun there"  # type: ignore[attr-defined]
    assert result_of(cast) == stored
    assert not AssessmentDraft.objects.exists()


@pytest.mark.django_db
def test_it_is_stored_as_it_was_begun(cast: Cast) -> None:
    begun(cast, mode="phone")
    finish(cast, client_of(cast.alice))
    makers.scope_all()
    assert Assessment.objects.get(patient=cast.patient).mode == "phone"
