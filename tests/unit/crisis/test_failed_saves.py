"""A form that was not saved says so above its fields, and what was typed comes back with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cortex.access.context import AccessContext
from cortex.accounts.models import User
from cortex.crypto.errors import KeyProviderError
from crisis.alerts.models import RiskAlert
from crisis.byhand.actions import raise_for_caller
from crisis.endings.actions import Ending, mark_false_alarm, resolve_alert
from crisis.followups.actions import finish_follow_up
from crisis.ownership.actions import claim_alert
from crisis.reviews.models import FollowUp, ReviewItem
from tests.cast import Cast
from tests.makers import UNASKED, UNASKED_FORM, now, scope_all, staff
from tests.unit.crisis.test_desk_pages import PART, get, send, text

pytestmark = pytest.mark.django_db
TYPED = "She goes to her sister's"


@pytest.fixture
def alert(cast: Cast) -> RiskAlert:
    """Claimed by Cleo; Sam is on shift too."""
    return cast.claimed_alert()


def post(user: User, address: str, *, part: bool = False, **data: Any) -> Any:
    client = Client()
    client.force_login(user)
    answer = client.post(address, data, headers=PART if part else {})
    scope_all()
    return answer


def stands_above_the_form(answer: Any, said: str) -> None:
    """What went wrong takes the focus, stands before the first field, and the typed words are there."""
    body = text(answer)
    assert body.index("data-error-summary") < body.index(said) < body.index(TYPED)
    assert TYPED in body


def test_a_lost_claim_is_said_above_the_form_with_the_note_in_it(cast: Cast, alert: RiskAlert) -> None:
    answer = send(cast.sam, alert, "contact", channel="phone", note=TYPED)
    assert answer.status_code == 409
    stands_above_the_form(answer, "Cleo Cherono has this alert. Take it over first")
    # By script the page still holds the form: the answer is what stands in its place for conflicts.
    part = send(cast.sam, alert, "contact", part=True, channel="phone", note=TYPED)
    assert part.status_code == 409
    assert "<form" not in text(part)
    assert "data-error-summary" in text(part)


def test_the_one_who_asked_keeps_their_sentence_when_somebody_else_must_decide(
    cast: Cast, alert: RiskAlert
) -> None:
    ending = Ending(verdict="duplicate", notes="Twice")
    mark_false_alarm(actor=staff(cast.sam), alert_id=take_over(cast, alert), ending=ending)
    review = alert.second_reviews.get()
    seen = alert.events.order_by("-feed_number").values_list("feed_number", flat=True)[0]
    address = reverse("crisis:review_decide", args=[review.pk])
    answer = post(cast.sam, address, agreed="yes", note=TYPED, seen=seen)
    assert answer.status_code == 409
    stands_above_the_form(answer, "Somebody else has to read this")


def take_over(cast: Cast, alert: RiskAlert) -> Any:
    RiskAlert.objects.filter(pk=alert.pk).update(assigned_to=cast.sam)
    return alert.pk


@pytest.mark.parametrize("part", [False, True])
def test_an_unknown_number_brings_the_link_form_back(cast: Cast, alert: RiskAlert, part: bool) -> None:
    told = raise_for_caller(
        actor=staff(cast.cleo), pseudonym="", level="high", kind="medical", note="A neighbour rang"
    )
    claim_alert(actor=staff(cast.cleo), alert_id=told.pk)
    address = reverse("crisis:alert_link", args=[told.pk])
    answer = post(cast.cleo, address, part=part, pseudonym="CX-1", reason=TYPED)
    assert answer.status_code == 422
    stands_above_the_form(answer, "Nobody with this number is on record here")
    assert 'value="CX-1"' in text(answer)
    assert ("<html" in text(answer)) is not part


@pytest.mark.parametrize("part", [False, True])
def test_an_alert_by_hand_that_lacks_something_comes_back(cast: Cast, alert: RiskAlert, part: bool) -> None:
    answer = post(cast.cleo, reverse("crisis:alert_new"), part=part, note=TYPED)
    assert answer.status_code == 422
    stands_above_the_form(answer, "Choose high or critical.")
    assert ("<html" in text(answer)) is not part


def test_every_form_of_the_desk_has_a_place_above_its_fields_for_a_failed_save(
    cast: Cast, alert: RiskAlert
) -> None:
    mine = get(cast.cleo, "alert_resolve", alert.pk), get(cast.cleo, "alert_new")
    ending = Ending("remained_community_with_plan", "Home", "true_crisis", "", now().replace(year=2100))
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    follow_up = FollowUp.objects.filter(alert=alert)[0]
    item = ReviewItem.objects.create(
        organization=cast.home, patient=cast.patient, reason_code="third_party_concern", due_at=now()
    )
    later = get(cast.cleo, "followup_done", follow_up.pk), get(cast.cleo, "review_detail", item.pk)
    for answer in (*mine, *later):
        form = text(answer).split("hx-post=")[-1]
        assert form.index("data-conflict-slot") < form.index("data-sent") < form.index('class="field')


def due_contact(cast: Cast, alert: RiskAlert) -> tuple[FollowUp, str]:
    """The first follow-up of the alert, which has ended, and where what came of it is logged."""
    ending = Ending("remained_community_with_plan", "Home", "true_crisis", "", now().replace(year=2100))
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    follow_up = FollowUp.objects.filter(alert=alert)[0]
    return follow_up, reverse("crisis:followup_done", args=[follow_up.pk])


def test_a_follow_up_that_lacks_something_comes_back_as_a_part(cast: Cast, alert: RiskAlert) -> None:
    _, address = due_contact(cast, alert)
    answer = post(cast.cleo, address, part=True, outcome="no_answer", note=TYPED)
    assert answer.status_code == 422
    assert "<html" not in text(answer)
    stands_above_the_form(answer, "Say how you tried.")


def test_a_follow_up_that_somebody_else_logged_meanwhile_gives_the_words_back(
    cast: Cast, alert: RiskAlert
) -> None:
    follow_up, address = due_contact(cast, alert)
    finish_follow_up(actor=staff(cast.cleo), follow_up_id=follow_up.pk, outcome="reached", checks=UNASKED)
    answer = post(cast.cleo, address, outcome="reached", note=TYPED, **UNASKED_FORM)
    assert answer.status_code == 409
    stands_above_the_form(answer, "This follow-up is not due any more.")
    assert '<option value="reached" selected' in text(answer)
    part = post(cast.cleo, address, part=True, outcome="reached", note=TYPED, **UNASKED_FORM)
    assert (part.status_code, "<form" in text(part)) == (409, False), "its page still holds the form"


def test_a_task_that_somebody_else_did_meanwhile_gives_the_words_back(cast: Cast, alert: RiskAlert) -> None:
    item = ReviewItem.objects.create(
        organization=cast.home, patient=cast.patient, reason_code="third_party_concern", due_at=now()
    )
    address, outcome = reverse("crisis:review_done", args=[item.pk]), "no_action_needed"
    for status in (303, 409):
        answer = post(cast.cleo, address, outcome=outcome, note=TYPED)
        assert answer.status_code == status
    stands_above_the_form(answer, "Somebody has done this already.")
    part = post(cast.cleo, address, part=True, outcome=outcome, note=TYPED)
    assert (part.status_code, "<form" in text(part)) == (409, False)


@pytest.mark.parametrize("what", ["follow-up", "task"])
def test_words_that_can_not_be_sealed_now_come_back_with_their_form(
    cast: Cast, alert: RiskAlert, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    _, address = due_contact(cast, alert)
    outcome, more = "reached", UNASKED_FORM
    if what == "task":
        item = ReviewItem.objects.create(
            organization=cast.home, patient=cast.patient, reason_code="third_party_concern", due_at=now()
        )
        address, outcome, more = reverse("crisis:review_done", args=[item.pk]), "no_action_needed", {}

    def away(*_: object, **__: object) -> None:
        raise KeyProviderError

    monkeypatch.setattr(AccessContext, "load_keys", away)
    answer = post(cast.cleo, address, outcome=outcome, note=TYPED, **more)
    assert answer.status_code == 503
    stands_above_the_form(answer, "Nothing was saved")
