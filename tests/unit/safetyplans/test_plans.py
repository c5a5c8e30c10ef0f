"""Safety plans from the draft to the version that replaces it: rows, trail, evidence, tasks and refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from cortex.access.context import scoped
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog
from crisis.ownership.actions import claim_alert
from crisis.reviews.actions import make_item
from crisis.reviews.models import PLAN_REVIEW, ReviewItem
from crisis.risk.models import Evidence, RiskAssessment
from crisis.safetyplans import queries
from crisis.safetyplans.actions import discard_draft, retire_plan, review_plan, save_draft
from crisis.safetyplans.models import SafetyPlan, SafetyPlanItem, SafetyPlanReview
from patients.breakglass.actions import break_glass
from tests import makers, scopes
from tests.cast import Cast
from tests.makers import staff
from tests.unit.safetyplans.plans import WHOLE, finish, lines_of, save, token, written

pytestmark = pytest.mark.django_db


def verbs(cast: Cast) -> list[str]:
    rows = AuditLog.objects.filter(event_type__startswith="safety_plan.").order_by("id")
    return list(rows.values_list("event_type", flat=True))


def told(cast: Cast) -> list[str]:
    rows = Evidence.objects.filter(patient=cast.patient, code="PF_SAFETY_PLAN").order_by("observed_at", "id")
    return list(rows.values_list("status", flat=True))


def test_a_draft_is_kept_sealed_and_again_and_nothing_is_in_force(cast: Cast) -> None:
    one = save(cast)
    assert (one.status, one.version, one.revision, one.authored_by) == ("draft", None, 1, cast.alice)
    with connection.cursor() as cursor:
        cursor.execute("SELECT draft FROM crisis_safetyplan")
        assert b"Tobi" not in bytes(cursor.fetchone()[0])
    again = save(cast, lines={"self_coping": [("Walk", "")]})
    assert (again.pk, again.revision, makers.opened(again, "draft")) == (
        one.pk, 2, {"self_coping": [["Walk", ""]]},
    )  # fmt: skip
    save(cast, lines={"self_coping": [("Walk", "")]})
    assert (SafetyPlan.objects.get().revision, verbs(cast)) == (2, ["safety_plan.drafted"] * 2)
    assert queries.current([cast.patient.pk]) is None and told(cast) == []


def test_a_finished_plan_is_in_force_counts_as_looked_at_and_protects(cast: Cast) -> None:
    save(cast)
    plan = finish(cast)
    assert (plan.status, plan.version, plan.is_complete, plan.draft) == ("current", 1, True, None)
    assert plan.reviewed_at == plan.finished_at and plan.reviewed_by == cast.alice
    assert plan.next_review_at is not None and plan.finished_at is not None
    assert plan.next_review_at - plan.finished_at == timedelta(days=30)
    assert lines_of(cast, plan) == WHOLE
    assert verbs(cast) == ["safety_plan.drafted", "safety_plan.finished"]
    row = AuditLog.objects.get(event_type="safety_plan.finished")
    assert row.codes == {"version": 1, "complete": True, "together": True} and row.subject == cast.patient.pk
    evidence = Evidence.objects.get(code="PF_SAFETY_PLAN")
    assert (evidence.status, evidence.source_type, evidence.source_id) == ("present", "clinician", plan.pk)
    assert evidence.expires_at is not None and evidence.expires_at - evidence.observed_at == timedelta(
        days=90
    )
    assert RiskAssessment.objects.filter(patient=cast.patient).latest("id").protective_applied > 0


@pytest.mark.parametrize(
    "said",
    [
        {"created_with_patient": False},
        {"lines": {key: rows for key, rows in WHOLE.items() if key != "safer_environment"}},
    ],
)
def test_an_incomplete_plan_or_one_made_alone_is_in_force_and_protects_nobody(
    cast: Cast, said: dict[str, object]
) -> None:
    plan = finish(cast, **said)
    assert plan.in_force and not plan.protects(makers.now())
    assert told(cast) == []


def test_a_change_is_a_new_version_and_the_old_one_stays_readable(cast: Cast) -> None:
    first = finish(cast)
    other = WHOLE | {"self_coping": [("Walk to the canal lights and back", "")]}
    second = finish(cast, lines=other)
    first.refresh_from_db()
    assert (first.status, first.ended_by, second.version, second.supersedes) == (
        "superseded", cast.alice, 2, first,
    )  # fmt: skip
    assert lines_of(cast, first) == WHOLE and lines_of(cast, second) == other
    assert [one.version for one in queries.versions([cast.patient.pk])] == [2, 1]
    assert told(cast) == ["present", "present"]
    third = finish(cast, lines={"self_coping": [("Walk", "")]})
    assert not third.is_complete and told(cast) == ["present", "present", "absent"]


def test_a_version_that_says_the_same_is_no_version(cast: Cast) -> None:
    finish(cast)
    with pytest.raises(InputRefused, match="still right"):
        finish(cast)
    assert SafetyPlan.objects.count() == 1
    with pytest.raises(InputRefused, match="at least one thing"):
        finish(cast, lines={"self_coping": [(" ", "")]})


def test_whoever_saved_first_is_not_written_over_unseen(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist")
    seen = token(cast)
    save(cast, lines={"self_coping": [("Mine", "")]}, seen=seen)
    with pytest.raises(RuleBroken, match="meanwhile") as broken:
        save(cast, cast.bob, seen=seen)
    assert (broken.value.status, broken.value.code) == (409, "changed_meanwhile")
    makers.scope_all()
    assert makers.opened(SafetyPlan.objects.get(), "draft") == {"self_coping": [["Mine", ""]]}
    draft = token(cast)
    finish(cast)
    for late in (draft, ""):
        with pytest.raises(RuleBroken, match="meanwhile"):
            finish(cast, cast.bob, seen=late, lines={"self_coping": [("Late", "")]})
    makers.scope_all()
    assert SafetyPlan.objects.count() == 1


def test_a_plan_that_is_still_right_is_reviewed_once_per_press_and_ends_its_task(cast: Cast) -> None:
    at = makers.now()
    plan = finish(cast, at=at - timedelta(days=28))
    make_item(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=cast.patient,
        reason_code=PLAN_REVIEW,
    )  # fmt: skip
    makers.scope_all()
    for _ in range(2):
        review_plan(actor=staff(cast.alice), patient_id=cast.patient.pk, plan_id=plan.pk)
    makers.scope_all()
    plan.refresh_from_db()
    assert SafetyPlanReview.objects.get().reviewed_by == cast.alice
    assert plan.reviewed_at is not None and plan.next_review_at is not None
    assert plan.reviewed_at > at and plan.next_review_at - plan.reviewed_at == timedelta(days=30)
    item = ReviewItem.objects.get(reason_code=PLAN_REVIEW)
    assert (item.done_by, item.outcome) == (cast.alice, "reviewed")
    assert told(cast) == ["present", "present"]
    assert verbs(cast) == ["safety_plan.finished", "safety_plan.reviewed"]


def test_a_retired_plan_has_a_reason_and_protects_no_more(cast: Cast) -> None:
    plan = finish(cast)
    with pytest.raises(InputRefused):
        retire_plan(actor=staff(cast.alice), patient_id=cast.patient.pk, plan_id=plan.pk, reason="tired")
    retire_plan(actor=staff(cast.alice), patient_id=cast.patient.pk, plan_id=plan.pk, reason="elsewhere")
    makers.scope_all()
    plan.refresh_from_db()
    assert (plan.status, plan.retire_reason, told(cast)) == ("retired", "elsewhere", ["present", "absent"])
    assert AuditLog.objects.get(event_type="safety_plan.retired").codes == {"reason": "elsewhere"}
    for call in (review_plan, retire_plan):
        with pytest.raises(RuleBroken, match="no longer in force"):
            more = {"reason": "declined"} if call is retire_plan else {}
            call(actor=staff(cast.alice), patient_id=cast.patient.pk, plan_id=plan.pk, **more)
    makers.scope_all()
    assert finish(cast).version == 2


def test_a_discarded_draft_leaves_the_plan_in_force_and_no_number(cast: Cast) -> None:
    plan = finish(cast)
    save(cast, lines={"self_coping": [("Walk", "")]})
    discard_draft(actor=staff(cast.alice), patient_id=cast.patient.pk, seen=token(cast))
    makers.scope_all()
    plan.refresh_from_db()
    assert plan.in_force and SafetyPlan.objects.get(version=None).retire_reason == "discarded"
    assert finish(cast, lines={"self_coping": [("Run", "")]}).version == 2
    with pytest.raises(RuleBroken, match="no draft"):
        discard_draft(actor=staff(cast.alice), patient_id=cast.patient.pk, seen=token(cast))


def test_the_database_holds_one_in_force_one_draft_and_whole_versions(cast: Cast) -> None:
    plan = finish(cast)
    save(cast, lines={"self_coping": [("Walk", "")]})
    for values in ({"status": "current"}, {"status": "draft"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SafetyPlan.objects.create(
                organization=cast.home, patient=cast.patient, authored_by=cast.alice, saved_at=makers.now(),
                **values,
            )  # fmt: skip
    for values in ({"finished_at": None}, {"status": "superseded"}, {"retire_reason": "declined"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SafetyPlan.objects.filter(pk=plan.pk).update(**values)
    for change in (
        lambda: SafetyPlanItem.objects.filter(plan=plan).update(order=7),
        lambda: SafetyPlanItem.objects.filter(plan=plan).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert SafetyPlanItem.objects.filter(plan=plan).count() == 6


def test_strangers_learn_nothing_and_whoever_only_reads_writes_nothing(cast: Cast) -> None:
    finish(cast)
    seen = token(cast)
    for user in (cast.bob, cast.charlie, cast.cleo, cast.ada):
        with pytest.raises(NotFound):
            save_draft(actor=staff(user), patient_id=cast.patient.pk, written=written(), seen=seen)
    makers.scope_all()
    doctor = makers.make_user("therapist", cast.home)
    break_glass(
        actor=staff(doctor), asked=cast.patient.anonymous_id, reason_code="care_continuity",
        reason="The team's telephone rings out.",
    )  # fmt: skip
    makers.scope_all()
    assert queries.reader(staff(doctor), cast.patient.pk, makers.now()).relation == "grant:break_glass"
    with pytest.raises(RuleBroken, match="for reading"):
        save_draft(actor=staff(doctor), patient_id=cast.patient.pk, written=written(), seen=seen)


def test_whoever_has_claimed_an_alert_writes_the_plan_and_their_supervisor_reads_it(cast: Cast) -> None:
    alert = makers.make_alert(cast.patient)
    cast.on_duty()
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    makers.scope_all()
    plan = finish(cast, cast.cleo)
    assert plan.authored_by == cast.cleo
    assert lines_of(cast, plan, cast.sam) == WHOLE
    with pytest.raises(RuleBroken, match="read here"):
        save(cast, cast.sam, lines={"self_coping": [("Walk", "")]})


def test_another_organization_sees_no_row_in_the_database_itself(cast: Cast) -> None:
    finish(cast)
    save(cast, lines={"self_coping": [("Walk", "")]})
    review = {"reviewed_at": makers.now(), "reviewed_by": cast.alice}
    plan = SafetyPlan.objects.get(status="current")
    SafetyPlanReview.objects.create(organization=cast.home, patient=cast.patient, plan=plan, **review)
    with scopes.nobody_named(), scoped(staff(cast.charlie)):
        assert [one.objects.count() for one in (SafetyPlan, SafetyPlanItem, SafetyPlanReview)] == [0, 0, 0]
