"""What an administration sets off: the row, the evidence, the alert and the tasks, in one transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from clinical.assessments.actions import (
    begin_assessment,
    correct_assessment,
    finish_assessment,
    give_up,
    install_text,
    save_answer,
)
from clinical.assessments.models import Assessment, AssessmentDraft, Instrument
from clinical.assessments.queries import LOOK_BACK
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog
from crisis.alerts.models import RiskAlert
from crisis.reviews.actions import make_item
from crisis.reviews.models import ReviewItem
from crisis.risk.models import Evidence
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.assessments.test_results import screener_texts
from tests.unit.caseload.test_linked import linked

pytestmark = pytest.mark.django_db


def phq9(*values: int | None) -> dict[str, int | None]:
    return {f"q{number}": value for number, value in enumerate(values, 1)}


def give(cast: Cast, answers: dict[str, int | None], key: str = "phq9", **more: Any) -> Assessment:
    one, _ = finish_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key=key, answers=answers, **more
    )
    makers.scope_all()
    return one


def tasks(cast: Cast) -> set[str]:
    makers.scope_all()
    return set(ReviewItem.objects.filter(patient=cast.patient).values_list("reason_code", flat=True))


def test_answers_are_kept_one_by_one_and_scored_by_the_server(cast: Cast) -> None:
    actor, who = staff(cast.alice), cast.patient.pk
    begin_assessment(actor=actor, patient_id=who, key="phq9")
    for number in range(1, 10):
        save_answer(actor=actor, patient_id=who, key="phq9", item=f"q{number}", value=1 if number < 9 else 0)
    one, alerts = finish_assessment(actor=actor, patient_id=who, key="phq9")
    makers.scope_all()
    assert (one.total, one.band, one.is_valid, one.prorated) == (8, "mild", True, False)
    assert alerts == []
    assert not AssessmentDraft.objects.exists()
    assert AuditLog.objects.filter(event_type="measure.finished", subject=who).count() == 1


def test_item_9_at_two_opens_an_owned_clocked_alert_in_the_same_transaction(cast: Cast) -> None:
    cast.on_duty()
    one, alerts = finish_assessment(
        actor=staff(cast.alice),
        patient_id=cast.patient.pk,
        key="phq9",
        answers=phq9(2, 2, 2, 2, 2, 2, 1, 1, 2),
    )
    makers.scope_all()
    (alert,) = alerts
    assert (alert.level, alert.reason_code) == ("high", "H7a")
    assert alert.claim_due_at is not None
    codes = set(Evidence.objects.filter(source_id=one.pk).values_list("code", flat=True))
    assert len(codes) == 2
    assert "cssrs_due" in tasks(cast)


def test_an_alert_that_cannot_be_raised_takes_the_answers_with_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clinical.assessments import actions

    def fail(**_: Any) -> None:
        raise RuntimeError("the engine broke")

    monkeypatch.setattr(actions, "evaluate_patients", fail)
    with pytest.raises(RuntimeError):
        finish_assessment(
            actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9", answers=phq9(*[2] * 9)
        )
    makers.scope_all()
    assert not Assessment.objects.exists()
    assert not RiskAlert.objects.exists()


@pytest.mark.parametrize(
    ("key", "answers", "expected"),
    [
        ("phq9", phq9(1, 1, 1, 1, 1, 1, 1, 1, 1), {"cssrs_due", "risk_review", "first_contact"}),
        ("phq9", phq9(1, 1, 1, 1, 1, 1, 1, 1, None), {"item9_missing"}),
        ("phq2", phq9(2, 2), {"phq9_due"}),
        ("cssrs", {"q1": 0}, {"cssrs_declined"}),
        ("cssrs", {"q1": 1, "q2": 1}, {"cssrs_declined", "risk_review", "first_contact"}),
    ],
)
def test_what_a_person_has_to_do_becomes_a_task(
    cast: Cast, key: str, answers: dict[str, int | None], expected: set[str]
) -> None:
    Instrument.objects.filter(key=key).update(is_enabled=True)
    give(cast, answers, key)
    assert tasks(cast) == expected


CALM, SCREENED = phq9(0, 0, 0, 0, 0, 0, 0, 0, 0), {"q1": 0, "q2": 0, "q6_lifetime": 0}


def asked(cast: Cast, *reasons: str) -> None:
    for reason in reasons:
        make_item(
            actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=cast.patient,
            reason_code=reason,
        )  # fmt: skip
    makers.scope_all()


SCREENS = {"cssrs_due", "cssrs_declined", "item9_missing"}


@pytest.mark.parametrize(
    ("key", "answers", "stays"),
    [
        ("phq9", CALM, SCREENS),
        ("cssrs", SCREENED, {"phq9_due", "phq9_suggested"}),
        ("cssrs", {"q1": 0}, {"phq9_due", "phq9_suggested"} | SCREENS),
        ("gad7", {f"q{number}": 0 for number in range(1, 8)}, {"phq9_due", "phq9_suggested"} | SCREENS),
    ],
)
def test_a_measure_that_was_taken_ends_the_tasks_that_asked_for_it(
    cast: Cast, key: str, answers: dict[str, int | None], stays: set[str]
) -> None:
    Instrument.objects.filter(key=key).update(is_enabled=True)
    every = {"phq9_due", "phq9_suggested"} | SCREENS
    asked(cast, *every)
    give(cast, answers, key)
    rows = ReviewItem.objects.filter(patient=cast.patient)
    assert set(rows.open().values_list("reason_code", flat=True)) == stays
    assert set(rows.filter(done_by=cast.alice, outcome="measure_offered").values_list(
        "reason_code", flat=True)) == every - stays  # fmt: skip


def test_an_older_form_that_is_entered_later_ends_no_task(cast: Cast) -> None:
    Instrument.objects.filter(key="cssrs").update(is_enabled=True)
    asked(cast, "phq9_due", "cssrs_due")
    before = makers.now() - timedelta(hours=1)
    for key, answers in (("phq9", CALM), ("cssrs", SCREENED)):
        give(cast, answers, key, mode="paper", administered_at=before)
    assert ReviewItem.objects.open().filter(patient=cast.patient).count() == 2


def test_a_new_item_9_after_the_screener_is_a_new_task(cast: Cast) -> None:
    Instrument.objects.filter(key="cssrs").update(is_enabled=True)
    endorsed = phq9(1, 1, 1, 1, 1, 1, 1, 1, 1)
    give(cast, endorsed)
    give(cast, SCREENED, "cssrs")
    give(cast, endorsed)
    rows = ReviewItem.objects.filter(patient=cast.patient, reason_code="cssrs_due").order_by("created_at")
    assert [one.done_at is None for one in rows] == [False, True]


def test_a_task_of_a_linked_row_ends_with_the_persons_measure(cast: Cast) -> None:
    other = linked(cast).patient
    make_item(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=other, reason_code="phq9_due"
    )
    give(cast, CALM)
    assert not ReviewItem.objects.open().filter(patient=other).exists()


def test_a_rise_of_five_points_is_a_task_within_two_days(cast: Cast) -> None:
    at = makers.now()
    give(cast, phq9(1, 1, 1, 1, 1, 0, 0, 0, 0), administered_at=at - timedelta(days=14))
    assert tasks(cast) == set()
    give(cast, phq9(2, 2, 2, 2, 2, 0, 0, 0, 0))
    assert tasks(cast) == {"measure_worse"}
    item = ReviewItem.objects.get(reason_code="measure_worse")
    assert timedelta(hours=47) < item.due_at - at < timedelta(hours=49)


def test_an_older_form_is_compared_with_what_came_before_it_alone(cast: Cast) -> None:
    at = makers.now()
    worse, better = phq9(2, 2, 2, 2, 2, 0, 0, 0, 0), phq9(1, 1, 1, 1, 1, 0, 0, 0, 0)
    give(cast, better, administered_at=at - timedelta(days=1))
    early = give(cast, worse, administered_at=at - timedelta(days=20))
    assert tasks(cast) == set(), "it is better since"
    actor, more = staff(cast.alice), phq9(2, 2, 2, 2, 2, 1, 0, 0, 0)
    early, _ = correct_assessment(
        actor=actor, patient_id=cast.patient.pk, assessment_id=early.pk, answers=more
    )
    assert tasks(cast) == set()
    give(cast, better, administered_at=at - timedelta(days=30))
    correct_assessment(actor=actor, patient_id=cast.patient.pk, assessment_id=early.pk, answers=worse)
    assert tasks(cast) == {"measure_worse"}


def test_a_total_of_before_what_a_course_looks_back_on_is_no_baseline(cast: Cast) -> None:
    long_ago = makers.now() - LOOK_BACK - timedelta(days=1)
    give(cast, phq9(1, 1, 1, 1, 1, 0, 0, 0, 0), administered_at=long_ago)
    give(cast, phq9(2, 2, 2, 2, 2, 0, 0, 0, 0))
    assert tasks(cast) == set()


def test_whoever_is_not_on_the_team_can_neither_ask_nor_write(cast: Cast) -> None:
    for stranger in (cast.bob, cast.charlie, cast.cleo, cast.ada):
        with pytest.raises(NotFound):
            begin_assessment(actor=staff(stranger), patient_id=cast.patient.pk, key="phq9")
        with pytest.raises(NotFound):
            finish_assessment(
                actor=staff(stranger), patient_id=cast.patient.pk, key="phq9", answers=phq9(*[0] * 9)
            )
    makers.scope_all()
    assert not Assessment.objects.exists()


def test_an_administration_is_never_changed_but_corrected(cast: Cast) -> None:
    wrong = give(cast, phq9(3, 3, 3, 3, 3, 3, 3, 3, 0))
    with pytest.raises(DatabaseError, match=r"append-only|permission denied"), transaction.atomic():
        Assessment.objects.filter(pk=wrong.pk).update(total=1)
    makers.scope_all()
    right, _ = correct_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, assessment_id=wrong.pk,
        answers=phq9(0, 0, 0, 0, 0, 0, 0, 0, 0),
    )  # fmt: skip
    makers.scope_all()
    assert right.administered_at == wrong.administered_at
    assert list(Assessment.objects.standing()) == [right]
    with pytest.raises(RuleBroken):
        correct_assessment(
            actor=staff(cast.alice), patient_id=cast.patient.pk, assessment_id=wrong.pk, answers=phq9(1)
        )


@pytest.mark.parametrize("bad", [{"q1": 9}, {"q99": 1}, {}, {"q1": None}])
def test_bad_answers_are_refused_with_a_word_and_nothing_is_written(cast: Cast, bad: dict[str, Any]) -> None:
    with pytest.raises(InputRefused):
        finish_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9", answers=bad)
    makers.scope_all()
    assert not Assessment.objects.exists()


def test_a_measure_without_its_text_is_not_begun_and_one_with_it_is(cast: Cast) -> None:
    actor = staff(cast.alice)
    with pytest.raises(RuleBroken, match="text of the C-SSRS screener is not installed"):
        begin_assessment(actor=actor, patient_id=cast.patient.pk, key="cssrs")
    makers.scope_all()
    texts = screener_texts("cssrs")
    with pytest.raises(InputRefused, match="q6_3m"):
        install_text(
            actor=makers.machine(cast.home), key="cssrs", version="1", language="en",
            texts=texts | {"items": dict.fromkeys(list(texts["items"])[:-1], "?")},
        )  # fmt: skip
    install_text(actor=makers.machine(cast.home), key="cssrs", version="1", language="en", texts=texts)
    makers.scope_all()
    assert begin_assessment(actor=actor, patient_id=cast.patient.pk, key="cssrs").language == "en"
    assert give_up(actor=actor, patient_id=cast.patient.pk, key="cssrs") == 1
