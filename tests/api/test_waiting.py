"""What is decided while a batch waits for its people: it was decided without knowing the words."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction

from cortex.clock import clock
from crisis.alerts.models import RiskAlert
from crisis.risk import actions, evidence
from crisis.risk.evidence import Origin
from crisis.risk.models import Evidence
from patients.registry.models import Patient
from patients.registry.queries import locked
from tests import makers
from tests.api.conftest import TIER_A, Api, issue_key, message, results
from tests.cast import make_cast

pytestmark = pytest.mark.django_db(transaction=True)


def while_it_waits(api: Api, patient: Patient, change: Callable[[], None]) -> list[str]:
    """Send a message that waits for its person's lock while `change` is committed; return its results."""
    found: list[str] = []

    def post() -> None:
        found.extend(results(Api(api.header).send(message(patient, TIER_A))))
        connections.close_all()

    sender = threading.Thread(target=post)
    with transaction.atomic():
        locked([patient.pk])
        sender.start()
        wait_for_a_waiter()
        change()
    sender.join(20)
    makers.scope_all()
    return found


def wait_for_a_waiter() -> None:
    """Return when another connection waits for a row that this one holds."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody came to wait")


def test_words_that_waited_behind_a_resolution_are_newer_than_it() -> None:
    cast = make_cast()
    api = Api(f"Api-Key {issue_key(cast.home)[1]}")
    api.send(message(cast.patient, TIER_A))
    first = RiskAlert.objects.get(kind="self_harm")

    def resolve() -> None:
        ended = clock()
        RiskAlert.objects.filter(pk=first.pk).update(status="resolved", resolved_at=ended)
        end = evidence.from_resolution("self_harm", Origin("alert", ended, source_id=first.pk))
        actor = makers.machine(cast.home)
        actions.append_evidence(actor=actor, drafts={cast.patient.pk: [end]}, at=ended)

    assert while_it_waits(api, cast.patient, resolve) == ["stored"]
    second = RiskAlert.objects.open().get(kind="self_harm")
    assert (second.level, second.pk != first.pk) == ("critical", True)


def test_words_that_waited_behind_a_merge_land_with_the_person() -> None:
    cast = make_cast()
    api = Api(f"Api-Key {issue_key(cast.home)[1]}")
    row = makers.make_patient(cast.home)

    def merge() -> None:
        Patient.objects.filter(pk=row.pk).update(merged_into=cast.patient)

    assert while_it_waits(api, row, merge) == ["stored"]
    assert set(Evidence.objects.values_list("patient_id", flat=True)) == {cast.patient.pk}
    assert RiskAlert.objects.get(kind="self_harm").patient_id == cast.patient.pk
