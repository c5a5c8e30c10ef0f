"""Limits of a consent: what is known, how it is said, and the window in which it counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cortex.audit.rules import InputRefused
from patients.privacy.models import Consent
from patients.privacy.queries import consent_state, decisions, has_consent
from patients.privacy.scope import NEVER, fault_of, is_limited, limit_words, window_of
from patients.registry.models import Patient
from tests import makers

pytestmark = pytest.mark.django_db
NOW = makers.now()
DAY = timedelta(days=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def patient() -> Patient:
    return makers.make_patient(consents=())


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        ({}, True),
        ({"purposes": ["care"]}, True),
        ({"from": "", "to": None}, True),
        ({"from": "2026-03-02", "to": "2026-03-02"}, True),
        ({"from": "2026-03-03"}, False),
        ({"to": "2026-03-01"}, False),
        ({"from": "2026-03-02T15:00:00+03:00"}, True),
        ({"from": "2026-03-02T15:00:01+03:00"}, False),
        ({"to": "2026-03-02T12:00:00Z"}, False),
        ({"to": "2026-03-02T12:00:01Z"}, True),
        ({"from": "2026-03-02T00:00:00"}, False),
        ({"to": "some day"}, False),
        ({"to": 7}, False),
        ({"to": "9999-12-31"}, True),
        (["from"], False),
    ],
)
def test_a_window_is_read_to_the_moment_and_what_can_not_be_read_allows_nothing(
    scope: Any, inside: bool
) -> None:
    assert window_of(scope).holds(NOON) is inside


def test_every_question_about_a_consent_asks_its_window(patient: Patient) -> None:
    begins, ends = NOW + 2 * DAY, NOW + 4 * DAY
    scope = {"from": begins.isoformat(), "to": ends.isoformat()}
    makers.consent(patient, "treatment", True, recorded_at=NOW - DAY, scope=scope)
    for days, holds in ((0, False), (2, True), (3, True), (4, False)):
        at = NOW + days * DAY
        assert has_consent(patient.pk, "treatment", at) is holds, days
        assert consent_state([patient.pk], ["treatment"], at)[patient.pk, "treatment"] is holds, days
        assert decisions([patient.pk], ["treatment"], at)[patient.pk, "treatment"].holds(at) is holds, days


def test_a_row_of_before_the_lists_that_nobody_can_read_allows_nothing(patient: Patient) -> None:
    Consent.objects.create(
        organization_id=patient.organization_id, patient=patient, consent_type="research", granted=True,
        recorded_at=NOW - DAY, scope={"from": "next_week", "channels": ["pigeon_post"]},
    )  # fmt: skip
    assert not has_consent(patient.pk, "research", NOW)
    (row,) = Consent.objects.filter(patient=patient, consent_type="research")
    assert row.decision.window is NEVER
    assert limit_words(row.scope) == [
        "only by pigeon post", "from next_week (can't be read: it allows nothing)"
    ]  # fmt: skip


BAD = [
    ({"data_categories": ["everything"]}, "data_categories"),
    ({"channels": ["sms", "pigeon"]}, "channels"),
    ({"purposes": "care"}, "purposes"),
    ({"recipients": [{"a": 1}]}, "recipients"),
    ({"from": "soon"}, "from"),
    ({"from": "2026-03-02", "to": "2026-03-01"}, "to"),
]


@pytest.mark.parametrize(("scope", "key"), BAD)
def test_an_unknown_limit_is_refused_by_name_and_never_holds_up_a_withdrawal(
    patient: Patient, scope: dict[str, Any], key: str
) -> None:
    with pytest.raises(InputRefused) as caught:
        makers.consent(patient, "research", True, scope=scope)
    assert caught.value.extra["field"] == "scope" and key in caught.value.message
    makers.consent(patient, "research", False, scope=scope)
    assert not has_consent(patient.pk, "research", makers.now())


def test_limits_are_said_in_words() -> None:
    scope = {
        "purposes": ["research"], "data_categories": ["measures", "safety_plan"], "recipients": ["insurer"],
        "channels": ["email", "sms"], "exclusions": ["family_doctor"], "from": "2026-03-02T00:00:00+03:00",
        "to": "2026-04-01", "assent": True,
    }  # fmt: skip
    assert fault_of(scope) is None and is_limited(scope) and not is_limited({"assent": True})
    assert limit_words(scope) == [
        "only for research", "only this data: measures, safety plan", "only towards the insurer",
        "only by e-mail, SMS", "not for family doctor", "from 2 Mar 2026", "to 1 Apr 2026", "assent: yes",
    ]  # fmt: skip
