"""What is proposed of one sitting: once, as what it was, and gone when it is said that it was not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clinical.scheduling.billing.actions import bill_appointment, void_line
from clinical.scheduling.billing.queries import lines_of_appointment
from clinical.scheduling.models import Appointment
from clinical.sessions.actions import end_session, start_session
from cortex.audit import RuleBroken
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
