"""An hour whose care has ended, or that a colleague settles: whose it is notes it, and is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from clinical.pathway import actions as ways
from clinical.scheduling import actions
from clinical.scheduling.models import Appointment
from cortex.accounts.models import User
from cortex.ops.models import Notification
from patients.codes import EndingReason
from patients.pathway.actions import EndingData
from tests import makers
from tests.cast import Cast
from tests.makers import client_of, staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
DONE = EndingData(EndingReason.GOALS_REACHED, "She sleeps again.")


def booked(cast: Cast, start: timedelta) -> Appointment:
    (one,) = actions.book_appointment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, starts=[makers.now() + start], minutes=50
    )
    makers.scope_all()
    return one


@pytest.mark.parametrize(
    ("command", "said", "status"),
    [("held", {}, "held"), ("no_show", {}, "no_show"), ("cancel", {"reason": "mistake"}, "cancelled")],
)
def test_an_hour_that_had_begun_when_care_ended_is_noted_by_whose_it_is(
    cast: Cast, command: str, said: dict[str, str], status: str
) -> None:
    one = booked(cast, -timedelta(minutes=50))
    ways.discharge(actor=staff(cast.alice), patient_id=cast.patient.pk, data=DONE)
    makers.scope_all()
    alice = client_of(cast.alice)
    page = reverse("clinical:appointment", args=[one.pk])
    assert "note what became of it" in alice.get(page).content.decode()
    url = reverse(f"clinical:appointment_{command}", args=[one.pk])
    assert client_of(cast.bob).post(url, said).status_code == 404
    answer = alice.post(url, said, follow=True)
    assert answer.status_code == 200 and "Propose a line" not in answer.content.decode()
    makers.scope_all()
    one.refresh_from_db()
    assert one.status == status
    assert alice.post(reverse("clinical:appointment_back", args=[one.pk])).status_code == 404
    makers.scope_all()
    Appointment.objects.filter(pk=one.pk).update(status_by=cast.bob)
    assert alice.get(page).status_code == 404, "what somebody else noted is their care's"


def told(user: User) -> list[str]:
    makers.scope_all()
    return list(Notification.objects.filter(recipient=user).values_list("code", flat=True))


def test_whose_hour_a_colleague_moves_or_calls_off_is_told(cast: Cast) -> None:
    one = booked(cast, 3 * DAY)
    makers.add_to_team(cast.patient, cast.bob)
    who = {"actor": staff(cast.bob), "appointment_id": one.pk}
    actions.move_appointment(**who, start=one.starts_at + DAY)  # type: ignore[arg-type]
    assert told(cast.alice) == ["appointment.moved"]
    actions.cancel_appointment(**who, reason="person_asked")  # type: ignore[arg-type]
    assert sorted(told(cast.alice)) == ["appointment.cancelled", "appointment.moved"]
    page = client_of(cast.alice).get(reverse("clinical:caseload")).content.decode()
    assert "A colleague moved an appointment of yours." in page
    assert "A colleague called off an appointment of yours." in page
    makers.scope_all()
    again = booked(cast, 5 * DAY)
    actions.cancel_appointment(actor=staff(cast.alice), appointment_id=again.pk, reason="person_asked")
    assert len(told(cast.alice)) == 2 and told(cast.bob) == [], "nobody is told what they did themself"


def test_an_hour_that_is_put_back_is_no_sitting_any_more(cast: Cast) -> None:
    one = booked(cast, -timedelta(minutes=50))
    sat = makers.make_session(cast.patient, kind="therapy")
    who = {"actor": staff(cast.alice), "appointment_id": one.pk}
    actions.note_held(**who, session_id=sat.pk)  # type: ignore[arg-type]
    makers.scope_all()
    actions.put_back(**who)  # type: ignore[arg-type]
    makers.scope_all()
    one.refresh_from_db()
    assert (one.status, one.session_id) == ("scheduled", None)
    actions.note_held(**who)  # type: ignore[arg-type]
    makers.scope_all()
    one.refresh_from_db()
    assert (one.status, one.session_id) == ("held", None)
