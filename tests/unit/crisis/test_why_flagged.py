"""Why an alert was flagged: the rule that decided stands first, with the time of the last rise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crisis.alerts.wording import reason_sentence
from crisis.casework.evidence_words import factor_rows
from tests.cast import Cast
from tests.makers import make_alert, now
from tests.unit.crisis.test_desk_pages import get, text
from tests.unit.crisis.test_labels import factor

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_the_rule_that_decided_stands_first_since_the_last_rise(cast: Cast) -> None:
    at, facts = now(), {"rules_fired": ["H5"], "factors": [factor("TEXT_A")]}
    make_alert(cast.patient, "high", reason_code="H5", facts=facts, at=at - 5 * HOUR)
    alert = make_alert(cast.patient, "critical", reason_code="H5", facts=facts, at=at - 3 * HOUR)
    first, second = factor_rows(alert, alert.factors, at, linked=True)
    assert (first["label"], first["source"], first["age"]) == (
        reason_sentence("H5"), "a fixed rule", "3 h ago",
    )  # fmt: skip
    assert (first["share"], first["source_url"], bool(second["source_url"])) == (None, "", True)
    cast.on_duty()
    page = text(get(cast.cleo, "alert_preview", alert.pk)).split("Why this was flagged")[1]
    assert page.index(reason_sentence("H5")) < page.index("a chat message")


def test_what_no_rule_decided_has_no_such_row(cast: Cast) -> None:
    alert = make_alert(cast.patient, facts={"rules_fired": [], "factors": [factor("TEXT_A")]})
    assert [row["source"] for row in factor_rows(alert, alert.factors, now(), linked=False)] == [
        "a chat message"
    ]
