"""A board joined of kept parts is the board made anew, whatever has changed, and nobody gets another's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cortex.accounts.actions import set_preferences, update_organization
from cortex.accounts.models import Role, User
from cortex.accounts.sessions.models import SessionState
from cortex.audit.models import PhiAccessLog
from cortex.ops.held import Held
from crisis.alerts.cards import RENDERED
from crisis.alerts.models import RiskAlert, Verdict
from crisis.alerts.states import WAITING
from crisis.casework.actions import log_attempt
from crisis.desk import boards, facts
from crisis.duty.actions import end_shift, mute_sound, pause_shift, plan_shift, start_shift
from crisis.duty.models import DutyShift
from crisis.endings.actions import Ending, mark_false_alarm
from crisis.escalation.models import SlaPolicy
from crisis.ownership.actions import claim_alert
from crisis.reviews.actions import finish_item, make_item
from crisis.reviews.models import FollowUp, ReviewItem
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db
# Tokens and the time of an answer.
OWN = re.compile(
    r"(?<=csrfmiddlewaretoken\" value=\")\w+|(?<=X-CSRFToken\": \")\w+|(?<=data-now=\")[^\"]+"
    r"|(?<=data-noted=\")\d+|(?<=is as of )\d\d:\d\d"
    r"|(?<=data-tray-since>)\d\d:\d\d|(?<=data-tray-last>)\d\d:\d\d"
)
ON_CALL = "+254 700 200 001"


def forget() -> None:
    """Make the next board anew."""
    boards.forget()
    RENDERED._kept.clear()


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    forget()
    yield
    forget()


class Browser:
    """One signed-in person who looks at the board."""

    def __init__(self, user: User) -> None:
        self.client = Client()
        self.client.force_login(user)

    def board(self, query: str = "", **headers: str) -> str:
        """The board's text, but for what differs with every answer."""
        answer = self.client.get(reverse("crisis:board") + query, headers=headers)
        makers.scope_all()
        assert answer.status_code == 200
        return OWN.sub("", answer.content.decode())


Change = Callable[[Cast, RiskAlert], Any]


def _raise(cast: Cast, alert: RiskAlert) -> None:
    makers.make_alert(makers.make_patient(cast.home), "high", waiting=True)


def _claim(cast: Cast, alert: RiskAlert) -> None:
    claim_alert(actor=makers.staff(cast.cleo), alert_id=alert.pk)


def _second_reading(cast: Cast, alert: RiskAlert) -> None:
    mark_false_alarm(
        actor=makers.staff(cast.cleo), alert_id=alert.pk,
        ending=Ending(verdict=Verdict.NOT_RISK_LANGUAGE, notes="It was a song."),
    )  # fmt: skip


def _another_shift(cast: Cast, alert: RiskAlert) -> None:
    cast.on_duty(cast.bob)


def _break(cast: Cast, alert: RiskAlert) -> None:
    pause_shift(actor=makers.staff(cast.bob), minutes=10)


def _break_is_over(cast: Cast, alert: RiskAlert) -> None:
    DutyShift.objects.filter(user=cast.bob).update(paused_until=makers.now() - timedelta(minutes=1))


def _leave(cast: Cast, alert: RiskAlert) -> None:
    end_shift(actor=makers.staff(cast.bob))


def _task(cast: Cast, alert: RiskAlert) -> None:
    make_item(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=cast.patient,
        reason_code="medium_risk",
    )  # fmt: skip


def _task_done(cast: Cast, alert: RiskAlert) -> None:
    found = ReviewItem.objects.get(patient=cast.patient, reason_code="medium_risk")
    finish_item(actor=makers.staff(cast.cleo), item_id=found.pk, outcome="reviewed")


def _promise(cast: Cast, alert: RiskAlert) -> None:
    FollowUp.objects.create(
        organization=cast.home, alert=alert, patient=cast.patient, due_at=makers.now(), label="24h"
    )


def _renamed_owner(cast: Cast, alert: RiskAlert) -> None:
    User.objects.filter(pk=cast.cleo.pk).update(full_name="Cleo Newname")


def _another_age(cast: Cast, alert: RiskAlert) -> None:
    Patient.objects.filter(pk=cast.patient.pk).update(age_band="13_17")


def _clocks(cast: Cast, alert: RiskAlert) -> None:
    SlaPolicy.objects.filter(level="critical", organization=None).update(acknowledge_seconds=77)


def _phone(cast: Cast, alert: RiskAlert) -> None:
    update_organization(
        actor=makers.machine(cast.home), organization_id=cast.home.pk,
        settings={**cast.home.settings, "desk_phone": "ext. 77"},
    )  # fmt: skip


def _past_target(cast: Cast, alert: RiskAlert) -> None:
    RiskAlert.objects.filter(pk=alert.pk).update(claim_due_at=makers.now() - timedelta(minutes=1))


def _muted(cast: Cast, alert: RiskAlert) -> None:
    mute_sound(actor=makers.staff(cast.sam))


def _theme(cast: Cast, alert: RiskAlert) -> None:
    set_preferences(user_id=cast.sam.pk, theme="dark")


def _attempt(cast: Cast, alert: RiskAlert) -> None:
    log_attempt(actor=makers.staff(cast.cleo), alert_id=alert.pk, note="Nobody answers.")


CHANGES: list[Change] = [
    _raise, _past_target, _claim, _attempt, _renamed_owner, _another_age, _second_reading,
    _another_shift, _break, _break_is_over, _leave, _task, _task_done, _promise, _clocks, _phone,
    _theme, _muted,
]  # fmt: skip


def test_after_every_change_the_kept_board_is_the_board_made_anew(cast: Cast) -> None:
    """Sam supervises: his board holds everything. The first look after a change comes from what is kept."""
    cast.on_duty()
    alert = makers.make_alert(cast.patient)
    sam = Browser(cast.sam)
    before = sam.board()
    for change in CHANGES:
        change(cast, alert)
        makers.scope_all()
        kept = sam.board()
        forget()
        assert kept == sam.board(), change.__name__
        assert kept != before, f"{change.__name__} is not to be seen"
        before = kept


def test_a_kept_board_is_the_same_with_every_filter_and_as_a_part(cast: Cast) -> None:
    cast.on_duty()
    makers.make_alert(cast.patient)
    mine = makers.make_alert(makers.make_patient(cast.home, language="sw"), "high")
    claim_alert(actor=makers.staff(cast.cleo), alert_id=mine.pk)
    cleo, sam = Browser(cast.cleo), Browser(cast.sam)
    for query in ("", "?mine=1", "?level=critical", "?language=sw", "?mine=1&level=critical"):
        for who in (cleo, sam):
            for headers in ({}, {"HX-Request": "true"}):
                first = who.board(query, **headers)
                assert first == who.board(query, **headers)
                forget()
                assert first == who.board(query, **headers), query


def test_nobody_gets_the_board_of_another_service_or_person(cast: Cast) -> None:
    cast.on_duty()
    petra = makers.make_user(Role.COUNSELOR, cast.elsewhere, full_name="Petra Planted")
    cast.on_duty(petra)
    here, there = makers.make_alert(cast.patient), makers.make_alert(cast.stranger)
    boards_seen = {}
    for _ in range(2):
        for user in (cast.cleo, cast.sam, petra):
            boards_seen[user.pk] = Browser(user).board()
    for user, own, other in ((cast.cleo, here, there), (cast.sam, here, there), (petra, there, here)):
        text = boards_seen[user.pk]
        assert f'id="q-{own.pk}"' in text and str(other.pk) not in text
        assert f'data-me="{user.pk}"' in text and f'<span class="sb">{user.full_name}</span>' in text
    assert "Cleo Cherono (you)" in boards_seen[cast.cleo.pk]
    assert "(you)" not in boards_seen[cast.sam.pk]


def test_every_answer_has_its_own_token_and_access_row(cast: Cast) -> None:
    cast.on_duty()
    makers.make_alert(cast.patient)
    client = Client()
    client.force_login(cast.cleo)
    before = PhiAccessLog.objects.filter(data_type="board").count()
    texts = {client.get(reverse("crisis:board")).content for _ in range(5)}
    makers.scope_all()
    assert len(texts) == 5, "a token is masked anew for each answer"
    assert PhiAccessLog.objects.filter(data_type="board").count() == before + 5
    assert not any(b"\xee\x80\x80" in text for text in texts), "a mark was left in"


def test_the_phone_of_whoever_is_on_call_is_shown_and_never_kept(cast: Cast) -> None:
    cast.on_duty()
    now = makers.now()
    shift = plan_shift(
        actor=makers.machine(cast.home), user_id=cast.bob.pk, organization_id=cast.home.pk, role="on_call",
        planned_start=now, planned_end=now + timedelta(hours=8), phone=ON_CALL,
    )  # fmt: skip
    start_shift(actor=makers.staff(cast.bob), shift_id=shift.pk, sound_tested=True)
    makers.scope_all()
    cleo = Browser(cast.cleo)
    assert all(ON_CALL in cleo.board() for _ in range(2))
    held = [part for parts in boards.SHELLS._held.values() for part in parts]
    assert held and not any("700 200 001" in part or "700200001" in part for part in held)


def test_a_message_is_shown_once(cast: Cast) -> None:
    cast.on_duty()
    alert = makers.make_alert(cast.patient)
    client = Client()
    client.force_login(cast.cleo)
    client.get(reverse("crisis:board"))
    client.post(reverse("crisis:alert_claim", args=[alert.pk]))
    client.post(reverse("crisis:alert_release", args=[alert.pk]), {"reason": "Off home."})
    answers = [client.get(reverse("crisis:board")).content.decode() for _ in range(2)]
    makers.scope_all()
    assert ["Given back" in text for text in answers] == [True, False]


def test_a_kept_board_says_how_long_ago_this_session_s_input_was(cast: Cast) -> None:
    cast.on_duty()
    client = Client()
    client.force_login(cast.cleo)
    shown = []
    for seconds in (0, 40):
        client.get(reverse("crisis:board"))
        makers.scope_all()
        SessionState.objects.update(last_input_at=makers.now() - timedelta(seconds=seconds))
        text = client.get(reverse("crisis:board")).content.decode()
        shown.append(int(re.findall(r'data-noted="(\d+)"', text)[0]))
    assert shown[0] < 20 and shown[1] >= 40


def test_the_alerts_stand_in_the_order_of_the_board(cast: Cast) -> None:
    for number in range(6):
        patient = makers.make_patient(cast.home)
        makers.make_alert(patient, "critical" if number % 3 == 0 else "high", waiting=number % 2 == 0)
    read = facts.facts_of(cast.sam, [cast.home.pk], 200)
    ordered = RiskAlert.objects.open().filter(organization=cast.home).urgent_first()
    assert [pk for pk, _ in read.rows] == list(ordered.values_list("pk", flat=True))
    assert read.waiting == ordered.filter(status__in=WAITING).count()
    assert len(facts.facts_of(cast.sam, [cast.home.pk], 2).rows) == 2


def test_what_is_kept_is_bounded_by_number_and_by_weight() -> None:
    kept: Held[str] = Held(3, 10, len)
    for number in range(5):
        kept.put(number, "xx")
    assert len(kept) == 3 and kept.get(1) is None and kept.get(2) == "xx"
    kept.put(9, "x" * 8)
    assert kept.get(2) == "xx" and kept.get(9) and len(kept) == 2
    kept.put(9, "x" * 11)
    assert len(kept) == 0 and kept.put(1, "x" * 10) and kept.get(1)
