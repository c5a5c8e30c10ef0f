"""Nobody ends an alert on what they have not seen: a form knows at which number of the feed it was drawn."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cortex.accounts.models import User
from crisis.alerts.models import RiskAlert
from crisis.byhand.actions import raise_for_caller
from crisis.endings.actions import Ending, mark_false_alarm
from crisis.ownership.actions import escalate_alert
from crisis.reviews.models import SecondReview
from tests.cast import Cast
from tests.makers import make_alert, scope_all, staff

pytestmark = pytest.mark.django_db
TYPED = "She goes to her sister's"


def raised(cast: Cast, level: str = "high", **extra: Any) -> RiskAlert:
    return make_alert(cast.patient, level, **{"reason_code": "H11", **extra})


@pytest.fixture
def alert(cast: Cast) -> RiskAlert:
    """Claimed by Cleo; Sam is on shift too."""
    return cast.claimed_alert("high", reason_code="H11")


class Page:
    """A browser with the alert's page open since `open`."""

    def __init__(self, user: User, alert: RiskAlert) -> None:
        self.client = Client()
        self.client.force_login(user)
        self.alert = alert
        page = self.client.get(reverse("crisis:alert_page", args=[alert.pk])).content.decode()
        scope_all()
        self.seen = self.number_in(page)

    @staticmethod
    def number_in(page: str) -> str:
        numbers = set(re.findall(r'name="seen" value="(\d+)"', page))
        assert len(numbers) == 1, numbers
        return numbers.pop()

    def send(self, name: str, *ids: Any, part: bool = False, **data: str) -> Any:
        headers = {"HX-Request": "true"} if part else {}
        address = reverse(f"crisis:{name}", args=ids or [self.alert.pk])
        answer = self.client.post(address, {"seen": self.seen} | data, headers=headers)
        scope_all()
        return answer

    def status(self) -> str:
        self.alert.refresh_from_db()
        return self.alert.status


ENDINGS: dict[str, dict[str, str]] = {
    "alert_resolve": {
        "disposition": "remained_community_with_plan",
        "verdict": "true_crisis",
        "notes": TYPED,
        "follow_up_at": f"{timezone.localtime() + timedelta(days=1):%Y-%m-%dT%H:%M}",
    },
    "alert_false_alarm": {"verdict": "not_risk_language", "notes": TYPED},
}
NEWS: dict[str, tuple[dict[str, Any], str]] = {
    "level_raised": ({"level": "critical"}, "level went up"),
    "renotified": ({"renotify": True}, "new signals, people told again"),
    "evidence_added": ({}, "more signals arrived"),
    "note": ({"hand_note": "A neighbour rang"}, "note, more signals arrived"),
}


@pytest.mark.parametrize(
    ("form", "news", "part"),
    [
        *(("alert_resolve", news, False) for news in NEWS),
        ("alert_resolve", "level_raised", True),
        ("alert_false_alarm", "evidence_added", False),
    ],
)
def test_what_came_in_since_is_named_and_what_was_typed_is_kept(
    cast: Cast, alert: RiskAlert, form: str, news: str, part: bool
) -> None:
    page = Page(cast.cleo, alert)
    extra, words = NEWS[news]
    raised(cast, **extra)
    answer = page.send(form, part=part, **ENDINGS[form])
    body = unescape(answer.content.decode())
    assert answer.status_code == 409
    assert f"This alert has changed since you opened the form: {words}. Look again first." in body
    assert TYPED in body
    assert page.status() == "acknowledged"
    # Told once is enough: the form that came back knows of it.
    page.seen = Page.number_in(body)
    again = page.send(form, **ENDINGS[form])
    assert again.status_code == 303


@pytest.mark.parametrize("form", list(ENDINGS))
def test_what_is_no_news_stops_nobody(cast: Cast, alert: RiskAlert, form: str) -> None:
    page = Page(cast.cleo, alert)
    escalate_alert(actor=staff(cast.sam), alert_id=alert.pk, reason="A second voice")
    assert page.send(form, **ENDINGS[form]).status_code == 303
    assert page.status() in ("resolved", "false_alarm")


@pytest.mark.parametrize("form", [*ENDINGS, "review_decide"])
def test_a_form_without_its_number_is_not_taken(cast: Cast, alert: RiskAlert, form: str) -> None:
    data, ids = ENDINGS.get(form, {"agreed": "yes", "note": TYPED}), (alert.pk,)
    page = Page(cast.cleo, alert)
    if form == "review_decide":
        raised(cast, "critical")
        ending = Ending(verdict="not_risk_language", notes="A song")
        mark_false_alarm(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
        page, ids = Page(cast.sam, alert), (SecondReview.objects.get(alert=alert).pk,)
    page.seen = ""
    assert page.send(form, *ids, **data).status_code == 422
    assert page.status() == "acknowledged"


def asked(cast: Cast, alert: RiskAlert) -> SecondReview:
    raised(cast, "critical")
    ending = Ending(verdict="not_risk_language", notes="A song")
    mark_false_alarm(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    return SecondReview.objects.get(alert=alert)


@pytest.mark.parametrize(("reader", "part"), [("sam", False), ("alice", True)])
def test_the_second_reader_hears_what_came_in_and_keeps_their_sentence(
    cast: Cast, alert: RiskAlert, reader: str, part: bool
) -> None:
    review = asked(cast, alert)
    page = Page(getattr(cast, reader), alert)
    raise_for_caller(
        actor=staff(cast.cleo), pseudonym=cast.patient.anonymous_id, level="high", kind="self_harm",
        note="Her brother found a letter",
    )  # fmt: skip
    answer = page.send("review_decide", review.pk, part=part, agreed="yes", note=TYPED)
    body = unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "note, new signals, people told again" in body
    assert TYPED in body
    assert page.status() == "acknowledged"
    # The question was taken back with the news: there is nothing left to agree to.
    page.seen = Page.number_in(body)
    assert page.send("review_decide", review.pk, agreed="yes", note=TYPED).status_code == 404
    assert page.status() == "acknowledged"


def test_the_second_reader_s_sentence_that_lacks_an_answer_comes_back(cast: Cast, alert: RiskAlert) -> None:
    review = asked(cast, alert)
    page = Page(cast.sam, alert)
    answer = page.send("review_decide", review.pk, note=TYPED)
    assert answer.status_code == 422
    assert TYPED in unescape(answer.content.decode())
    assert page.send("review_decide", review.pk, agreed="yes", note=TYPED).status_code == 303
    assert page.status() == "false_alarm"
