"""A person's own appointments in their app: what lies before them, as it stands now."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinical.scheduling import actions
from clinical.scheduling.actions import REMIND_BEFORE
from cortex.audit.models import PhiAccessLog
from tests import makers
from tests.api.conftest import Api, issue_key
from tests.cast import Cast
from tests.makers import staff
from tests.unit.scheduling.test_appointments import book

pytestmark = pytest.mark.django_db


@pytest.fixture
def device(cast: Cast) -> Api:
    key = Api(f"Api-Key {issue_key(cast.home)[1]}")
    return Api(f"Bearer {key.post(f'patients/{cast.patient.anonymous_id}/tokens', {}).json()['token']}")


def test_an_app_learns_when_with_whom_and_when_to_remind(cast: Cast, device: Api) -> None:
    assert device.get("me/appointments").json()["appointments"] == []
    makers.scope_all()
    start = makers.now() + timedelta(days=3)
    row = book(cast, start, channel="video")
    answer = device.get("me/appointments")
    assert answer["Cache-Control"] == "no-store"
    assert answer.json() == {
        "timezone": cast.patient.zone(),
        "appointments": [
            {
                "id": str(row.pk), "starts_at": start.isoformat(),
                "ends_at": (start + timedelta(minutes=50)).isoformat(), "kind": "session", "channel": "video",
                "with": cast.alice.full_name, "status": "scheduled", "moved_from": None,
                "remind_at": (start - REMIND_BEFORE).isoformat(),
            }
        ],
    }  # fmt: skip
    makers.scope_all()
    look = PhiAccessLog.objects.filter(data_type="own_appointments", actor_kind="patient").latest("pk")
    assert (look.subject, look.relationship) == (cast.patient.pk, "self")


def test_moved_and_called_off_are_told_and_what_is_over_or_anothers_is_not(cast: Cast, device: Api) -> None:
    at = makers.now()
    moved, gone, soon = (book(cast, at + timedelta(days=days)) for days in (3, 5, 0.5))
    other = makers.make_patient(cast.home, team=[cast.alice])
    book(cast, at + timedelta(days=4), who=other)
    actions.move_appointment(
        actor=staff(cast.alice), appointment_id=moved.pk, start=at + timedelta(days=6), minutes=50
    )
    actions.cancel_appointment(actor=staff(cast.alice), appointment_id=gone.pk, reason="care_ended")
    makers.scope_all()
    answer = device.get("me/appointments")
    found = {one["id"]: one for one in answer.json()["appointments"]}
    assert list(found) == [str(soon.pk), str(gone.pk), str(moved.pk)]
    assert found[str(moved.pk)]["moved_from"] == (at + timedelta(days=3)).isoformat()
    assert (found[str(gone.pk)]["status"], found[str(gone.pk)]["remind_at"]) == ("cancelled", None)
    assert found[str(soon.pk)]["remind_at"] is None, "it begins sooner than anybody is reminded"
    assert "care_ended" not in answer.content.decode(), "why is for the person who called it off to say"
