"""Two who change teams and absences in the same moment: one waits for the other, and sees what it did."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connections, transaction

from cortex.audit import RuleBroken
from cortex.clock import clock
from patients.care.actions import end_care_team_place
from patients.care.models import CareTeamMember
from patients.covers.actions import end_absence, plan_absence
from patients.covers.models import Absence
from patients.pathway.queries import locked_places
from patients.registry.models import Patient
from patients.registry.queries import lock_person
from tests import makers
from tests.api.test_waiting import wait_for_a_waiter
from tests.cast import Cast
from tests.makers import staff

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


def beside(
    work: Callable[[], object], meanwhile: Callable[[], object], first: Callable[[], object]
) -> list[str]:
    """Do `first`, start `work` elsewhere, do `meanwhile` once that waits; return what the other one heard."""
    heard: list[str] = []

    def run() -> None:
        try:
            work()
            heard.append("done")
        except RuleBroken as broken:
            heard.append(broken.code)
        except Exception as error:
            heard.append(type(error).__name__)
        finally:
            connections.close_all()

    other = threading.Thread(target=run)
    with transaction.atomic():
        makers.scope_all()
        first()
        other.start()
        wait_for_a_waiter()
        meanwhile()
    other.join(20)
    makers.scope_all()
    return heard


def test_a_place_ends_while_a_discharge_has_the_person_and_neither_dies_of_it(cast: Cast) -> None:
    place = CareTeamMember.objects.get(patient=cast.patient, user=cast.alice)
    Patient.objects.filter(pk=cast.patient.pk).update(primary_clinician=cast.alice)
    heard = beside(
        lambda: end_care_team_place(actor=staff(cast.ada), member_id=place.pk),
        first=lambda: lock_person(cast.patient.pk),
        meanwhile=lambda: locked_places([cast.patient.pk], clock()),
    )
    assert heard == ["done"]
    assert Patient.objects.get(pk=cast.patient.pk).primary_clinician_id is None


def test_of_two_absences_at_once_the_second_hears_of_the_first(cast: Cast) -> None:
    away = {"starts_at": clock() + DAY, "ends_at": clock() + 3 * DAY}

    def plan(actor: str, user: str, cover: str) -> Absence:
        who = staff(getattr(cast, actor))
        ids = {"user_id": getattr(cast, user).pk, "cover_id": getattr(cast, cover).pk}
        return plan_absence(actor=who, **ids, **away)

    heard = beside(
        lambda: plan("sam", "alice", "bob"), first=lambda: plan("alice", "alice", "bob"), meanwhile=int
    )
    assert heard == ["absence_overlaps"]
    one = Absence.objects.get()
    end_absence(actor=staff(cast.alice), absence_id=one.pk)
    makers.scope_all()
    # Each in the other's place: nobody would be there.
    heard = beside(
        lambda: plan("bob", "bob", "alice"), first=lambda: plan("alice", "alice", "bob"), meanwhile=int
    )
    assert heard == ["cover_away"]
    assert Absence.objects.filter(ended_at__isnull=True).count() == 1
