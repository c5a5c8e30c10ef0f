"""Several open alerts of one person: none is left behind, and what is logged once stands on all."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.ownership.actions import claim_alert
from tests.cast import Cast
from tests.makers import make_alert, opened, staff
from tests.unit.crisis.test_desk_pages import get, send, text

pytestmark = pytest.mark.django_db


def raised(cast: Cast, kind: str, level: str) -> RiskAlert:
    return make_alert(cast.patient, kind=kind, level=level)


@pytest.fixture
def pair(cast: Cast) -> tuple[RiskAlert, RiskAlert]:
    """Two alerts of one person, both Cleo's."""
    cast.on_duty()
    cast.on_duty(cast.sam)
    harm, medical = raised(cast, "self_harm", "critical"), raised(cast, "medical", "high")
    claim_alert(actor=staff(cast.cleo), alert_id=harm.pk)
    return harm, medical


def states(*alerts: RiskAlert) -> list[str]:
    return [RiskAlert.objects.get(pk=one.pk).status for one in alerts]


def test_the_page_and_the_closing_form_list_what_else_is_open(cast: Cast, pair: Any) -> None:
    harm, medical = pair
    psychosis = raised(cast, "psychosis_disorientation", "high")
    page = text(get(cast.cleo, "alert_page", harm.pk))
    for answer in (page, text(get(cast.cleo, "alert_resolve", harm.pk))):
        assert "Also open for this person" in answer
        for other in (medical, psychosis):
            assert reverse("crisis:alert_page", args=[other.pk]) in answer
        assert "yours, claimed" in answer
        assert "no counselor yet" in answer
        assert answer.count("data-due=") >= 2
    assert "On this alert and on: Medical (high)." in page, "Psychosis is nobody's yet"
    # Somebody who sees cards alone gets the same list: none of it names the person.
    assert reverse("crisis:alert_page", args=[medical.pk]) in text(get(cast.sam, "alert_page", harm.pk))


def test_a_single_alert_says_nothing_of_others(cast: Cast) -> None:
    cast.on_duty()
    alone = raised(cast, "self_harm", "high")
    claim_alert(actor=staff(cast.cleo), alert_id=alone.pk)
    page = text(get(cast.cleo, "alert_page", alone.pk))
    assert "Also open for this person" not in page
    assert 'name="also"' not in page


def test_a_contact_is_logged_on_all_that_the_owner_holds(cast: Cast, pair: Any) -> None:
    answer = send(cast.cleo, pair[0], "contact", channel="phone", note="She answered", also="on")
    assert answer.status_code == 303
    assert states(*pair) == ["in_contact", "in_contact"]
    said = [str(one) for one in get_messages(answer.wsgi_request)]
    assert said == ["Contact logged. It stands on their other alerts, too: Medical (high)."]
    for alert in pair:
        event = AlertEvent.objects.get(alert=alert, kind="contact_made")
        assert opened(event, "note") == "She answered"
    send(cast.cleo, pair[0], "still_with")
    assert AlertEvent.objects.filter(kind="still_with").count() == 2
    send(cast.cleo, pair[0], "contact_end", also="on")
    assert states(*pair) == ["monitoring", "monitoring"]


def test_the_owner_may_say_that_it_is_about_one_alone(cast: Cast, pair: Any) -> None:
    send(cast.cleo, pair[0], "contact", channel="phone")
    assert states(*pair) == ["in_contact", "acknowledged"]


def test_somebody_elses_alert_is_left_alone(cast: Cast, pair: Any) -> None:
    theirs = raised(cast, "safeguarding", "high")
    claim_alert(actor=staff(cast.sam), alert_id=theirs.pk)
    send(cast.cleo, pair[0], "attempt", channel="phone", also="on")
    touched = AlertEvent.objects.filter(kind="contact_attempt").values_list("alert_id", flat=True)
    assert set(touched) == {one.pk for one in pair}
