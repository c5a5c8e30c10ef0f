"""Four people label one session at the same moment over connections of their own: one is heard."""

from __future__ import annotations

import pytest

from clinical.sessions.labelling.actions import label_session
from cortex.audit import RuleBroken
from cortex.audit.models import AuditLog
from patients.sessions.models import Session
from tests import cast as players
from tests import makers
from tests.faults.test_claims import at_once
from tests.makers import staff

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases=["default", "keys"])]


def test_of_four_labels_set_at_once_one_stands_and_the_rest_are_told() -> None:
    cast = players.make_cast()
    session = makers.make_session(cast.patient, kind="chat")
    people = {label: makers.make_user("therapist", cast.home) for label in ("R", "HIV", "GBV", "MINOR")}
    for one in people.values():
        makers.add_to_team(cast.patient, one)
    who = {"patient_id": cast.patient.pk, "session_id": session.pk, "seen": []}
    results = at_once(
        [
            lambda one=one, label=label: label_session(actor=staff(one), labels=[label], **who)
            for label, one in people.items()
        ]
    )
    makers.scope_all()
    assert results.count(True) == 1
    assert [one.code for one in results if isinstance(one, RuleBroken)] == ["stale"] * 3
    after = Session.objects.get(pk=session.pk).sensitivity_labels
    assert [row.codes for row in AuditLog.objects.filter(event_type="session.labelled")] == [
        {"before": [], "after": after}
    ]
