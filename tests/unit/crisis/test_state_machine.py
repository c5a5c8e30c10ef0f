"""Whatever people and the clock do to alerts in whatever order, the promises of domain 3.1 hold.

`CORTEX_EXPLORE=300 pytest …` walks 300 fresh random histories instead of the few fixed ones of every run.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from cortex.accounts.models import User
from cortex.audit import RuleBroken, system
from cortex.audit.models import AuditLog
from crisis.alerts.actions import mark_notified
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.alerts.states import OPEN, OWNED, OWNERS_MOVES, WAITING, Move, Status, after
from crisis.byhand.actions import link_person, raise_for_caller, unlink_person
from crisis.casework.actions import end_contact, log_attempt, log_contact, still_with_them
from crisis.endings.actions import Ending, decide_review, mark_false_alarm, resolve_alert
from crisis.escalation.models import AlertStep, NotificationAttempt, StepKind
from crisis.ownership.actions import claim_alert, escalate_alert, release_alert, take_over_alert
from crisis.reopening.actions import reopen_alert
from crisis.reviews.models import SecondReview
from crisis.sweep import actions as sweeper
from tests.cast import Cast
from tests.makers import make_alert, now, staff

EXPLORE = int(os.environ.get("CORTEX_EXPLORE", "0"))
SWEEPER = system("sweeper")
RANK = {"high": 0, "critical": 1}
CALM = (Status.IN_CONTACT, Status.MONITORING)
UNFENCED = (StepKind.STILL_HIGH, StepKind.REVIEW_OVERDUE, StepKind.CONFIRM)
PEOPLE = st.sampled_from(["cleo", "sam"])
ANY = st.integers(0, 5)
SIMPLE = {
    Move.ATTEMPT: log_attempt,
    Move.CONTACT: log_contact,
    Move.CONTACT_END: end_contact,
    Move.STILL_WITH: still_with_them,
}


class Desk(RuleBasedStateMachine):
    """Two people, one patient, callers whom nobody knows yet, alerts of two kinds, and a clock."""

    cast: Cast

    def __init__(self) -> None:
        super().__init__()
        self.at = now()
        self.frame = transaction.atomic()
        self.frame.__enter__()
        self.seen: dict[UUID, dict[str, Any]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.frame.__exit__(None, None, None)

    def person(self, name: str) -> User:
        user: User = getattr(self.cast, name)
        return user

    def pick(self, number: int) -> RiskAlert | None:
        alerts = list(RiskAlert.objects.order_by("id"))
        return alerts[number % len(alerts)] if alerts else None

    def move(self, move: Move, who: str, number: int, run: Any, *, may_refuse: bool = False) -> None:
        """Make a move; it passes exactly when the table and the ownership let it."""
        self.at += timedelta(seconds=1)
        alert = self.pick(number)
        if alert is None:
            return
        user = self.person(who)
        mine = alert.assigned_to_id == user.pk
        legal = after(alert.status, move) is not None and (move not in OWNERS_MOVES or mine)
        legal = legal or (move is Move.CLAIM and alert.status in OWNED and mine)
        try:
            with transaction.atomic():
                run(actor=staff(user), alert_id=alert.pk, at=self.at)
        except RuleBroken as refused:
            assert not legal or may_refuse, f"{move} by {who} on {alert.status}: {refused}"
            assert refused.status in (404, 409)
        else:
            assert legal, f"{move} by {who} on {alert.status} passed"

    @rule(
        level=st.sampled_from(["high", "critical"]),
        kind=st.sampled_from(["self_harm", "medical"]),
        waiting=st.booleans(),
        renotify=st.booleans(),
    )
    def something_comes_in(self, level: str, kind: str, waiting: bool, renotify: bool) -> None:
        self.at += timedelta(seconds=1)
        alert = make_alert(
            self.cast.patient, kind=kind, level=level, waiting=waiting, renotify=renotify, at=self.at
        )
        assert alert.is_open
        assert RANK[alert.level] >= RANK[level]

    @rule(number=ANY)
    def a_channel_confirms(self, number: int) -> None:
        alert = self.pick(number)
        if alert is not None:
            NotificationAttempt.objects.filter(alert=alert).update(state="confirmed")
            mark_notified(actor=system("hub"), alert_id=alert.pk, at=self.at)

    @rule(who=PEOPLE, number=ANY)
    def claim(self, who: str, number: int) -> None:
        self.move(Move.CLAIM, who, number, claim_alert)

    @rule(who=PEOPLE, number=ANY)
    def release(self, who: str, number: int) -> None:
        self.move(Move.RELEASE, who, number, lambda **one: release_alert(reason="Two at once", **one))

    @rule(who=PEOPLE, number=ANY)
    def take_over(self, who: str, number: int) -> None:
        self.move(Move.TAKE_OVER, who, number, lambda **one: take_over_alert(reason="Called away", **one))

    @rule(who=PEOPLE, number=ANY, move=st.sampled_from(sorted(SIMPLE)))
    def work(self, who: str, number: int, move: Move) -> None:
        self.move(move, who, number, SIMPLE[move])

    @rule(number=ANY)
    def owner_reaches_the_person(self, number: int) -> None:
        alert = self.pick(number)
        if alert is not None and alert.assigned_to_id:
            who = "cleo" if alert.assigned_to_id == self.cast.cleo.pk else "sam"
            self.move(Move.CONTACT, who, number, log_contact)

    @rule(who=PEOPLE, number=ANY)
    def escalate(self, who: str, number: int) -> None:
        self.move(Move.ESCALATE, who, number, lambda **one: escalate_alert(reason="A voice more", **one))

    @rule(who=PEOPLE, number=ANY, disposition=st.sampled_from(["emergency_department", "not_a_crisis"]))
    def resolve(self, who: str, number: int, disposition: str) -> None:
        ending = Ending(
            disposition=disposition,
            verdict="true_crisis",
            notes="Agreed",
            follow_up_at=self.at + timedelta(days=1),
        )
        self.move(
            Move.RESOLVE,
            who,
            number,
            lambda **one: resolve_alert(ending=ending, **one),
            may_refuse=disposition == "not_a_crisis" and self.is_asked(number),
        )

    @rule(who=PEOPLE, number=ANY)
    def false_alarm(self, who: str, number: int) -> None:
        ending = Ending(verdict="not_risk_language", notes="A song")
        self.move(
            Move.FALSE_ALARM,
            who,
            number,
            lambda **one: mark_false_alarm(ending=ending, **one),
            may_refuse=self.is_asked(number),
        )

    def is_asked(self, number: int) -> bool:
        alert = self.pick(number)
        return alert is not None and self.pending().filter(alert=alert).exists()

    @rule(agreed=st.booleans())
    def second_reader_decides(self, agreed: bool) -> None:
        review = self.pending().select_related("alert").first()
        if review is None:
            return
        reader = self.cast.sam if review.asked_by_id != self.cast.sam.pk else self.cast.alice
        decide_review(actor=staff(reader), review_id=review.pk, agreed=agreed, note="I read it", at=self.at)
        review.alert.refresh_from_db()
        assert (review.alert.status in OPEN) is not agreed

    @rule(who=PEOPLE, number=ANY)
    def reopen(self, who: str, number: int) -> None:
        self.move(
            Move.REOPEN,
            who,
            number,
            lambda **one: reopen_alert(reason="They called", **one),
            may_refuse=True,  # another of its kind may be open, or a day may have passed
        )

    @rule(number=ANY, gone=st.booleans())
    def owner_leaves_or_comes_back(self, number: int, gone: bool) -> None:
        alert = self.pick(number)
        if alert is not None:
            note = sweeper.note_owner_gone if gone else sweeper.note_owner_back
            note(actor=SWEEPER, alert_id=alert.pk, at=self.at)

    @rule(number=ANY, stays=st.booleans())
    def owner_leaves_in_contact(self, number: int, stays: bool) -> None:
        """The deep state: the chain runs beside an absent owner, who may come back."""
        self.claim("cleo", number)
        self.owner_reaches_the_person(number)
        self.owner_leaves_or_comes_back(number, gone=True)
        self.time_passes(620)
        self.owner_leaves_or_comes_back(number, gone=not stays)

    def owned_and_critical(self) -> int:
        """The number of a critical alert about self-harm that Cleo has."""
        self.something_comes_in("critical", "self_harm", waiting=False, renotify=False)
        alert = RiskAlert.objects.get(
            patient__person_id=self.cast.patient.pk, kind="self_harm", status__in=OPEN
        )
        number = list(RiskAlert.objects.order_by("id").values_list("pk", flat=True)).index(alert.pk)
        if alert.assigned_to_id == self.cast.sam.pk:
            self.take_over("cleo", number)
        self.claim("cleo", number)
        return number

    @rule()
    def owner_of_a_critical_alert_calls_it_a_false_alarm(self) -> None:
        """The other deep state: a question waits for its second reader."""
        self.false_alarm("cleo", self.owned_and_critical())

    @rule(ends=st.booleans())
    def things_go_on_while_the_question_waits(self, ends: bool) -> None:
        """And the deepest: more comes in, or the owner ends it in another way."""
        number = self.owned_and_critical()
        self.false_alarm("cleo", number)
        if ends:
            self.resolve("cleo", number, "emergency_department")
            self.what_has_ended_waits_for_nobody_and_says_where_it_went()
            self.reopen("cleo", number)
        else:
            self.something_comes_in("high", "self_harm", waiting=False, renotify=True)

    @rule(seconds=st.sampled_from([1, 31, 125, 310, 620, 1300, 4000, 90_000]))
    def time_passes(self, seconds: int) -> None:
        """The sweeper runs what is due; once in contact no timer takes the owner away."""
        self.at += timedelta(seconds=seconds)
        calm = dict(RiskAlert.objects.filter(status__in=CALM).values_list("pk", "assigned_to_id"))
        for step in AlertStep.objects.due(self.at).order_by("due_at", "id"):
            sweeper.run_step(actor=SWEEPER, step_id=step.pk, at=self.at)
        kept = RiskAlert.objects.filter(pk__in=calm, status__in=CALM).values_list("pk", "assigned_to_id")
        assert dict(kept) == calm

    @rule(kind=st.sampled_from(["self_harm", "medical"]), level=st.sampled_from(["high", "critical"]))
    def a_neighbour_rings(self, kind: str, level: str) -> None:
        """About somebody whom nobody knows yet."""
        self.at += timedelta(seconds=1)
        raise_for_caller(
            actor=staff(self.cast.cleo), pseudonym="", level=level, kind=kind, note="A neighbour", at=self.at
        )

    @rule(linked=st.booleans())
    def a_caller_is_known_after_all(self, linked: bool) -> None:
        """Linked to the person on record, or unlinked again when they were not them."""
        self.at += timedelta(seconds=1)
        on_provisional = RiskAlert.objects.filter(patient__is_provisional=True, status__in=OPEN)
        alert = on_provisional.filter(patient__merged_into__isnull=linked).order_by("id").last()
        if alert is None:
            return
        one = {"actor": staff(self.cast.sam), "alert_id": alert.pk, "at": self.at}
        if linked:
            kept = link_person(pseudonym=self.cast.patient.anonymous_id, reason="By name", **one)
            assert kept.kind == alert.kind
            assert kept.is_open
        else:
            unlink_person(reason="Another street", **one)
            assert RiskAlert.objects.get(pk=alert.pk).person_id == alert.patient_id

    @rule(kind=st.sampled_from(["self_harm", "medical"]), level=st.sampled_from(["high", "critical"]))
    def the_caller_speaks_of_somebody_with_an_alert(self, kind: str, level: str) -> None:
        self.something_comes_in("high", kind, waiting=False, renotify=False)
        self.a_neighbour_rings(kind, level)
        self.a_caller_is_known_after_all(linked=True)

    def pending(self) -> Any:
        return SecondReview.objects.filter(decided_at__isnull=True)

    @invariant()
    def an_open_alert_has_an_owner_exactly_when_it_is_owned(self) -> None:
        for alert in RiskAlert.objects.filter(status__in=OPEN):
            assert (alert.assigned_to_id is not None) == (alert.status in OWNED), alert

    @invariant()
    def feed_numbers_have_no_gap(self) -> None:
        numbers = list(AlertEvent.objects.order_by("feed_number").values_list("feed_number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def one_alert_of_a_kind_is_open_for_a_person(self) -> None:
        kinds = RiskAlert.objects.filter(status__in=OPEN).values_list("patient__person_id", "kind")
        assert len(kinds) == len(set(kinds))

    @invariant()
    def what_has_ended_waits_for_nobody_and_says_where_it_went(self) -> None:
        assert not self.pending().exclude(alert__status__in=OPEN).exists()
        merged = RiskAlert.objects.filter(status=Status.MERGED)
        assert not merged.filter(merged_into=None).exists()
        assert not merged.filter(resolved_at=None).exists()
        assert not RiskAlert.objects.exclude(status__in=OPEN).filter(has_unconfirmed_step=True).exists()

    @invariant()
    def the_timers_fit_the_state(self) -> None:
        asked = set(self.pending().values_list("alert_id", flat=True))
        for alert in RiskAlert.objects.filter(status__in=OPEN):
            steps = AlertStep.objects.filter(alert=alert, done_at=None, epoch=alert.epoch)
            kinds = Counter(steps.exclude(kind__in=UNFENCED).values_list("kind", flat=True))
            assert not [kind for kind, count in kinds.items() if count > 1], (alert.status, kinds)
            assert (kinds["chain"] == 1) == (alert.status in WAITING or alert.chain_beside), alert.status
            if alert.status in OWNED and alert.pk not in asked:
                own = "release_claim" if alert.status == Status.ACKNOWLEDGED else "check_in"
                assert kinds[own] == 1, (alert.status, kinds)
                said = AlertStep.objects.filter(
                    alert=alert, kind="disposition_overdue", done_at__gte=alert.level_since
                ).exclude(outcome="stale")
                assert kinds["disposition_overdue"] == 1 or said.exists(), (alert.status, kinds)
            assert not (alert.status in WAITING and alert.pk in asked), (
                "nobody's question waits for an answer"
            )

    @invariant()
    def every_change_has_its_audit_row_and_no_level_falls(self) -> None:
        rows = Counter(AuditLog.objects.values_list("object_id", flat=True))
        names = ("status", "level", "assigned_to_id", "epoch", "waiting_person", "resolved_at")
        for row in RiskAlert.objects.values("pk", *names):
            key = row.pop("pk")
            before = self.seen.get(key)
            if before is not None:
                assert row == before["row"] or rows[key] > before["audit"], f"unrecorded: {before} {row}"
                assert RANK[row["level"]] >= RANK[before["row"]["level"]]
            self.seen[key] = {"row": row, "audit": rows[key]}


@pytest.mark.django_db
def test_no_order_of_moves_breaks_a_promise(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    machine = type("DeskOfThisTest", (Desk,), {"cast": cast})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXPLORE or 8,
            stateful_step_count=40 if EXPLORE else 25,
            derandomize=not EXPLORE,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
