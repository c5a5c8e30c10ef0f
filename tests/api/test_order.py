"""Whatever order items arrive in, the same state stands in the end."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from crisis.alerts.models import RiskAlert
from patients.privacy.queries import has_consent
from patients.sessions.messages import AssistantRationale, Message
from patients.sessions.models import Session, SessionFeature
from patients.sessions.observations import DailyCheckIn, EmotionObservation
from tests import makers
from tests.api.conftest import TIER_A, Api, item, message, results
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def state(cast: Cast) -> dict[str, Any]:
    """What stands after all items came, without the ids that are made by chance."""
    session = Session.objects.get(client_ref="v1")
    said = Message.objects.get()
    return {
        "session": (
            session.kind,
            session.status,
            session.started_at,
            session.ended_at,
            session.start_is_inferred,
            session.duration_seconds,
        ),
        "message": (said.session_id == session.pk, said.sent_at),
        "emotion": [row.message_id == said.pk for row in EmotionObservation.objects.all()],
        "rationale": [row.message_id == said.pk for row in AssistantRationale.objects.all()],
        "features": SessionFeature.objects.get(session=session).pitch_mean,
        "research": has_consent(cast.patient.pk, "research", makers.now()),
        "alerts": sorted(RiskAlert.objects.exclude(kind="no_cover").values_list("kind", "level")),
    }


SENT_AT = makers.now()


def items(cast: Cast) -> list[dict[str, Any]]:
    def ago(minutes: int) -> str:
        return (SENT_AT - timedelta(minutes=minutes)).isoformat()

    who = cast.patient
    said = message(who, TIER_A, session="v1", at=ago(50))
    return [
        item("session_started", who, session="v1", session_kind="voice_checkin", at=ago(60)),
        said,
        item("emotion", who, message=said["id"], source="text", label="sad", confidence=0.8, at=ago(50)),
        item("rationale", who, message=said["id"], policy_selected="listen", at=ago(49)),
        item("voice_features", who, session="v1", pitch_mean=170, at=ago(45)),
        item("session_ended", who, session="v1", at=ago(40)),
        item("consent", who, consent_type="research", granted=True, at=ago(30)),
        item("consent", who, consent_type="research", granted=False, at=ago(20)),
    ]


def test_the_end_is_the_same_whatever_came_first(api: Api, cast: Cast) -> None:
    sent = items(cast)
    orders = [*itertools.islice(itertools.permutations(range(len(sent))), 0, None, 1681), range(7, -1, -1)]
    found = []
    for order in orders:
        with transaction.atomic():
            for number in order:
                assert results(api.send(sent[number])) == ["stored"]
            found.append(state(cast))
            transaction.set_rollback(True)
    assert len(orders) > 20
    assert all(one == found[0] for one in found)
    assert found[0]["research"] is False
    assert found[0]["session"][:2] == ("voice_checkin", "completed")
    assert found[0]["session"][-1] == 20 * 60


def test_one_batch_ends_as_many_requests_do(api: Api, cast: Cast) -> None:
    sent = items(cast)
    with transaction.atomic():
        for one in sent:
            api.send(one)
        apart = state(cast)
        transaction.set_rollback(True)
    assert results(api.send(*reversed(sent))) == ["stored"] * 8
    assert state(cast) == apart


def test_an_older_check_in_that_comes_late_fills_only_what_the_newer_left_open(api: Api, cast: Cast) -> None:
    def day(minutes: int, **values: Any) -> dict[str, Any]:
        at = (makers.now() - timedelta(minutes=minutes)).isoformat()
        return item("checkin", cast.patient, date="2026-11-20", at=at, **values)

    older = day(60, mood=2, sleep_quality=3, notes="nipigie 0712 345 678", metrics={"steps": 1})
    newer = day(5, mood=8, stress_level=4, notes="Leo ni sawa.")
    found = []
    for sent in ([[older], [newer]], [[newer], [older]], [[newer, older]]):
        with transaction.atomic():
            for batch in sent:
                assert set(results(api.send(*batch))) == {"stored"}
            row = DailyCheckIn.objects.get(patient=cast.patient)
            found.append((
                row.mood, row.sleep_quality, row.stress_level, row.pii_present, row.submitted_at,
                makers.opened(row, "notes"), makers.opened(row, "metrics"),
            ))  # fmt: skip
            transaction.set_rollback(True)
    assert found[0] == found[1] == found[2]
    assert found[0][:4] == (8, 3, 4, False)
    assert found[0][5:] == ("Leo ni sawa.", {"steps": 1})
