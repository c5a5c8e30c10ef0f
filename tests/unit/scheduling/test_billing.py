"""What is proposed of one sitting: once, as what it was, and gone when it is said that it was not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from clinical.scheduling.actions import note_held, note_no_show, put_back
from clinical.scheduling.billing.actions import bill_appointment, confirm_line, export_lines, void_line
from clinical.scheduling.billing.models import BillingLine
from clinical.scheduling.billing.queries import Wanted, lines_of_appointment
from clinical.scheduling.models import Appointment
from clinical.sessions.actions import end_session, start_session
from cortex.audit import RuleBroken
from cortex.audit.models import AuditLog
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.scheduling.test_appointments import american, book

pytestmark = pytest.mark.django_db


def sat(cast: Cast, minutes: int, **more: Any) -> Appointment:
    """An hour that is booked for now and held here as a session of so many minutes."""
    american(cast)
    at = makers.now()
    one = book(cast, at, minutes=60, **more)
    where: dict[str, Any] = {"actor": staff(cast.alice), "patient_id": cast.patient.pk}
    session = start_session(channel="in_person", at=at, **where)
    makers.scope_all()
    end_session(session_id=session.pk, at=at + timedelta(minutes=minutes), **where)
    makers.scope_all()
    one.refresh_from_db()
    assert (one.status, one.session_id) == ("held", session.pk)
    return one


def bill(cast: Cast, one: Appointment, **more: Any) -> list[str]:
    """The codes that are proposed of an hour when somebody asks for it."""
    made = bill_appointment(actor=staff(cast.alice), appointment_id=one.pk, **more)
    makers.scope_all()
    return [line.code for line in made]


def standing(one: Appointment) -> list[str]:
    makers.scope_all()
    return [line.code for line in lines_of_appointment(one) if line.status != "void"]


def test_one_sitting_is_billed_under_one_code_of_its_kind(cast: Cast) -> None:
    one = sat(cast, 52)
    assert standing(one) == ["90834"]
    with pytest.raises(RuleBroken, match="proposed already") as refused:
        bill(cast, one)
    assert refused.value.code == "already_billed"
    with pytest.raises(RuleBroken, match="proposed already"):
        bill(cast, one, code="90832", minutes=30)
    assert standing(one) == ["90834"]
    makers.scope_all()
    assert bill(cast, one, code="90785") == ["90785"], "an add-on stands beside it"
    with pytest.raises(RuleBroken, match="proposed already"):
        bill(cast, one, code="90785")
    makers.scope_all()
    (base,) = (line for line in lines_of_appointment(one) if line.code == "90834")
    void_line(actor=staff(cast.alice), line_id=base.pk)
    makers.scope_all()
    assert bill(cast, one) == ["90837"], "once that line is out, the planned minutes may be billed"


def test_measures_of_one_sitting_are_billed_beside_each_other(cast: Cast) -> None:
    one = sat(cast, 52)
    assert bill(cast, one, code="96130", minutes=45) == ["96130"]
    assert bill(cast, one, code="96136", minutes=30) == ["96136"]
    with pytest.raises(RuleBroken, match="proposed already"):
        bill(cast, one, code="96136", minutes=30)
    assert standing(one) == ["90834", "96130", "96136"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("session", "90834"), ("review", "90834"), ("intake", "90791"), ("crisis", "90839"),
        ("family", "90847"), ("group", "90853"),
    ],
)  # fmt: skip
def test_a_session_that_was_booked_is_billed_as_what_it_was_booked_as(
    cast: Cast, kind: str, code: str
) -> None:
    one = sat(cast, 52, kind=kind)
    assert standing(one) == [code]
    (line,) = lines_of_appointment(one)
    assert (line.minutes, line.session_id) == (52, one.session_id)
    void_line(actor=staff(cast.alice), line_id=line.pk)
    makers.scope_all()
    assert bill(cast, one, minutes=52) == [code], "as its page does"


def test_a_long_crisis_session_is_billed_with_its_further_half_hours(cast: Cast) -> None:
    assert standing(sat(cast, 80, kind="crisis")) == ["90839", "90840"]


def test_a_crisis_session_that_was_too_short_proposes_nothing(cast: Cast) -> None:
    assert standing(sat(cast, 20, kind="crisis")) == []


def missed(cast: Cast) -> tuple[Appointment, BillingLine]:
    """An hour that nobody came to, with the fee that is proposed for it."""
    american(cast)
    one = book(cast, makers.now() - timedelta(hours=2))
    note_no_show(actor=staff(cast.alice), appointment_id=one.pk)
    makers.scope_all()
    assert bill(cast, one, minutes=0) == ["MISSED"]
    (line,) = lines_of_appointment(one)
    return one, line


def test_what_was_proposed_of_an_hour_goes_with_what_was_noted_of_it(cast: Cast) -> None:
    one, line = missed(cast)
    put_back(actor=staff(cast.alice), appointment_id=one.pk)
    assert standing(one) == []
    said = AuditLog.objects.get(event_type="billing.voided")
    assert (said.object_id, said.subject, said.codes) == (line.pk, cast.patient.pk, {"code": "MISSED"})
    line.refresh_from_db()
    assert (line.status, line.decided_by) == ("void", cast.alice) and line.decided_at is not None
    note_held(actor=staff(cast.alice), appointment_id=one.pk)
    makers.scope_all()
    assert bill(cast, one) == ["90834"]


def test_what_was_proposed_of_a_session_goes_when_its_hour_is_planned_again(cast: Cast) -> None:
    one = sat(cast, 80, kind="crisis")
    makers.add_to_team(cast.patient, cast.bob)
    put_back(actor=staff(cast.bob), appointment_id=one.pk, at=makers.now() + timedelta(hours=2))
    assert standing(one) == []
    said = AuditLog.objects.filter(event_type="billing.voided")
    assert {row.codes["code"] for row in said} == {"90839", "90840"}


def test_an_hour_whose_line_is_confirmed_or_exported_stays_as_it_was_noted(cast: Cast) -> None:
    one, line = missed(cast)
    confirm_line(actor=staff(cast.alice), line_id=line.pk)
    makers.scope_all()
    back = reverse("clinical:appointment_back", args=[one.pk])
    answer = makers.client_of(cast.alice).post(back)
    assert answer.status_code == 409
    said = "A line of it is confirmed (MISSED). Take that line out first, on the billing page."
    assert said in answer.content.decode()
    makers.add_to_team(cast.patient, cast.bob)
    with pytest.raises(RuleBroken, match="Alice Achieng takes that line out first"):
        put_back(actor=staff(cast.bob), appointment_id=one.pk)
    makers.scope_all()
    export_lines(actor=staff(cast.alice), wanted=Wanted())
    makers.scope_all()
    with pytest.raises(RuleBroken, match="Correct it where it was sent") as refused:
        put_back(actor=staff(cast.alice), appointment_id=one.pk)
    makers.scope_all()
    one.refresh_from_db()
    assert (refused.value.code, one.status, standing(one)) == ("line_exported", "no_show", ["MISSED"])


def test_once_a_confirmed_line_is_out_the_hour_is_planned_again(cast: Cast) -> None:
    one, line = missed(cast)
    confirm_line(actor=staff(cast.alice), line_id=line.pk)
    makers.scope_all()
    void_line(actor=staff(cast.alice), line_id=line.pk)
    makers.scope_all()
    put_back(actor=staff(cast.alice), appointment_id=one.pk)
    makers.scope_all()
    one.refresh_from_db()
    assert one.status == "scheduled"
    assert AuditLog.objects.filter(event_type="billing.voided").count() == 1, "the therapist's own, before"


def test_the_page_of_a_planned_hour_shows_the_lines_that_stand(cast: Cast) -> None:
    one, line = missed(cast)
    Appointment.objects.filter(pk=one.pk).update(status="scheduled")
    page, client = reverse("clinical:appointment", args=[one.pk]), makers.client_of(cast.alice)
    shown = client.get(page).content.decode()
    assert 'aria-label="Billing lines"' in shown and ">MISSED<" in shown
    assert "Propose a line" not in shown, "nothing is proposed of an hour that is to come"
    makers.scope_all()
    void_line(actor=staff(cast.alice), line_id=line.pk)
    assert 'aria-label="Billing lines"' not in client.get(page).content.decode()
