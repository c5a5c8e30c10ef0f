"""Interventions that are logged in a session count up the plan when it ends: each once, and only then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from clinical.plans.interventions.actions import (
    count_session,
    end_intervention,
    save_intervention,
    uncount_session,
)
from clinical.plans.models import PlannedIntervention, TreatmentPlan
from clinical.sessions import actions
from cortex.audit import RuleBroken
from cortex.audit.models import AuditLog
from patients.registry.models import Patient
from patients.sessions.models import Session
from tests import makers
from tests.unit.plans.conftest import Planned
from tests.unit.plans.test_pages import as_user, text, url

pytestmark = pytest.mark.django_db
COUNTED = "intervention.session_held"


def begun(planned: Planned) -> Session:
    session = actions.start_session(actor=planned.alice, patient_id=planned.who, channel="video")
    makers.scope_all()
    return session


def log(planned: Planned, session: Session, code: str) -> Any:
    return actions.log_entry(
        actor=planned.alice, patient_id=planned.who, session_id=session.pk, kind="intervention", code=code
    )


def end(planned: Planned, session: Session, **more: Any) -> None:
    actions.end_session(actor=planned.alice, patient_id=planned.who, session_id=session.pk, **more)
    makers.scope_all()


def held(planned: Planned) -> dict[str, int]:
    return dict(PlannedIntervention.objects.values_list("code", "sessions_held"))


def also(planned: Planned, code: str, **more: Any) -> PlannedIntervention:
    return save_intervention(
        actor=planned.alice, patient_id=planned.who, code=code, frequency="weekly", evidence_level="B", **more
    )


def test_what_was_logged_is_counted_once_when_the_session_ends(planned: Planned) -> None:
    also(planned, "ACT", sessions_planned=12)
    session = begun(planned)
    for code in ("CBT", "CBT", "CBT", "ERP"):
        log(planned, session, code)
    assert held(planned) == {"CBT": 0, "ACT": 0}
    end(planned, session)
    assert held(planned) == {"CBT": 1, "ACT": 0}
    row = AuditLog.objects.get(event_type=COUNTED)
    one = PlannedIntervention.objects.get(code="CBT")
    assert (row.object_id, row.codes) == (one.pk, {"code": "CBT", "held": 1, "session": str(session.pk)})
    with pytest.raises(RuleBroken, match="has ended"):
        end(planned, session)
    makers.scope_all()
    assert held(planned)["CBT"] == 1
    assert "1 session held" in text(as_user(planned.cast.alice), url(planned, "plan"))
    makers.scope_all()
    again = begun(planned)
    log(planned, again, "CBT")
    log(planned, again, "ACT")
    end(planned, again)
    assert held(planned) == {"CBT": 2, "ACT": 1}
    assert planned.fresh().version == planned.plan.version


def test_a_page_that_ends_a_session_twice_counts_it_once(planned: Planned) -> None:
    session = begun(planned)
    log(planned, session, "CBT")
    page = reverse("clinical:session_end", args=[planned.who, session.pk])
    client = as_user(planned.cast.alice)
    answers = [client.post(page, {"status": "completed"}).status_code for _ in range(2)]
    makers.scope_all()
    assert answers == [303, 409]
    assert held(planned) == {"CBT": 1}


def test_what_was_taken_back_is_not_counted(planned: Planned) -> None:
    session = begun(planned)
    slip = log(planned, session, "CBT")
    actions.take_back_entry(
        actor=planned.alice, patient_id=planned.who, session_id=session.pk, entry_id=slip.pk
    )
    end(planned, session)
    assert held(planned) == {"CBT": 0}
    assert not AuditLog.objects.filter(event_type=COUNTED).exists()


def test_one_of_two_entries_taken_back_leaves_one_that_counts(planned: Planned) -> None:
    session = begun(planned)
    slip = log(planned, session, "CBT")
    log(planned, session, "CBT")
    actions.take_back_entry(
        actor=planned.alice, patient_id=planned.who, session_id=session.pk, entry_id=slip.pk
    )
    end(planned, session)
    assert held(planned) == {"CBT": 1}


def test_neither_what_broke_off_nor_what_is_over_nor_an_ended_plan_is_counted(planned: Planned) -> None:
    session = begun(planned)
    log(planned, session, "CBT")
    end(planned, session, status="abandoned")
    assert held(planned) == {"CBT": 0}
    row = PlannedIntervention.objects.get()
    end_intervention(actor=planned.alice, patient_id=planned.who, intervention_id=row.pk)
    session = begun(planned)
    log(planned, session, "CBT")
    end(planned, session)
    assert held(planned) == {"CBT": 0}
    also(planned, "CBT")
    planned.sign()
    makers.scope_all()
    TreatmentPlan.objects.filter(pk=planned.plan.pk).update(status="completed", ended_at=makers.now())
    session = begun(planned)
    log(planned, session, "CBT")
    end(planned, session)
    assert sum(PlannedIntervention.objects.values_list("sessions_held", flat=True)) == 0


def by_hand(planned: Planned, move: Any = count_session, **more: Any) -> None:
    row = PlannedIntervention.objects.get(code="CBT")
    move(actor=planned.alice, patient_id=planned.who, intervention_id=row.pk, **more)
    makers.scope_all()


def test_a_session_that_was_counted_by_hand_is_not_counted_again_by_its_log(planned: Planned) -> None:
    session = begun(planned)
    log(planned, session, "CBT")
    by_hand(planned)
    end(planned, session)
    assert held(planned) == {"CBT": 1}
    another = begun(planned)
    log(planned, another, "CBT")
    end(planned, another)
    assert held(planned) == {"CBT": 2}, "the count by hand stands for one session, not for a day"


def test_a_second_one_of_a_day_is_counted_by_hand_when_it_is_meant(planned: Planned) -> None:
    session = begun(planned)
    log(planned, session, "CBT")
    end(planned, session)
    with pytest.raises(RuleBroken, match="counted already"):
        by_hand(planned)
    by_hand(planned, again=True)
    assert held(planned) == {"CBT": 2}
    PlannedIntervention.objects.update(held_on=makers.now().date() - timedelta(days=3))
    by_hand(planned)
    assert held(planned) == {"CBT": 3}


def test_only_what_was_counted_by_hand_today_is_taken_back(planned: Planned) -> None:
    with pytest.raises(RuleBroken, match="by hand today"):
        by_hand(planned, uncount_session)
    by_hand(planned)
    by_hand(planned, uncount_session)
    assert held(planned) == {"CBT": 0}
    assert AuditLog.objects.filter(event_type="intervention.session_taken_back").count() == 1
    session = begun(planned)
    log(planned, session, "CBT")
    end(planned, session)
    with pytest.raises(RuleBroken, match="by hand today"):
        by_hand(planned, uncount_session)
    assert held(planned) == {"CBT": 1}


def test_every_count_by_hand_stands_for_one_session_of_its_log(planned: Planned) -> None:
    by_hand(planned)
    by_hand(planned, again=True)
    for total in (2, 2, 3):
        session = begun(planned)
        log(planned, session, "CBT")
        end(planned, session)
        assert held(planned) == {"CBT": total}
    by_hand(planned, again=True)
    by_hand(planned, uncount_session)
    with pytest.raises(RuleBroken, match="counted already"):
        by_hand(planned)
    assert held(planned) == {"CBT": 3}, "what the logs counted today is still known"


def test_the_page_offers_what_can_be_done_with_today_s_session(planned: Planned) -> None:
    client, page = as_user(planned.cast.alice), url(planned, "plan")
    move = url(planned, "intervention_move", PlannedIntervention.objects.get().pk)
    for pressed, shown, hidden in (
        ("", ["Session held"], ["One more today", "Take it back"]),
        ("held", ["1 session held, 1 of them today", "One more today", "Take it back"], ["Session held"]),
        ("back", ["Session held"], ["One more today", "Take it back"]),
    ):
        if pressed:
            assert client.post(move, {"move": pressed}).status_code == 303
        said = text(client, page)
        assert [one for one in shown if one not in said] == []
        assert [one for one in hidden if one in said] == []
    makers.scope_all()


def test_pm_plus_is_what_the_plan_calls_problem_solving_therapy(planned: Planned) -> None:
    also(planned, "PROBLEM_SOLVING_THERAPY")
    session = begun(planned)
    log(planned, session, "PM_PLUS")
    log(planned, session, "PROBLEM_SOLVING_THERAPY")
    end(planned, session)
    assert held(planned) == {"CBT": 0, "PROBLEM_SOLVING_THERAPY": 1}


def test_a_plan_of_another_row_of_the_person_is_theirs_too(planned: Planned) -> None:
    cast = planned.cast
    other, stranger = makers.make_patient(cast.home), makers.make_patient(cast.home)
    Patient.objects.filter(pk=other.pk).update(is_provisional=True, merged_into=cast.patient)
    PlannedIntervention.objects.update(patient=other)
    TreatmentPlan.objects.filter(pk=planned.plan.pk).update(patient=other)
    session = begun(planned)
    log(planned, session, "CBT")
    end(planned, session)
    assert held(planned) == {"CBT": 1}
    TreatmentPlan.objects.filter(pk=planned.plan.pk).update(patient=stranger)
    session = begun(planned)
    log(planned, session, "CBT")
    end(planned, session)
    assert held(planned) == {"CBT": 1}


def test_a_count_that_fails_leaves_the_session_open(
    planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = begun(planned)
    log(planned, session, "CBT")

    def broken(*_: Any, **__: Any) -> None:
        raise IntegrityError("made up")

    monkeypatch.setattr(PlannedIntervention, "save", broken)
    with pytest.raises(IntegrityError), transaction.atomic():
        end(planned, session, at=makers.now() + timedelta(minutes=50))
    makers.scope_all()
    assert Session.objects.get(pk=session.pk).ended_at is None
