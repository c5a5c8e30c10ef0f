"""A claim on which nothing was logged says on the page and in the lists when the clock gives it back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from cortex.ui.templatetags.ui import iso
from crisis.alerts.models import RiskAlert
from crisis.casework.actions import log_contact
from crisis.endings.actions import Ending, mark_false_alarm
from tests.cast import Cast
from tests.makers import staff
from tests.unit.crisis.test_desk_pages import get, text

pytestmark = pytest.mark.django_db
RELEASED_AFTER = timedelta(seconds=300)


@pytest.fixture
def claimed(cast: Cast) -> RiskAlert:
    """A critical alert that Cleo claimed just now."""
    return cast.claimed_alert()


def test_the_page_and_the_lists_count_down_to_the_release(cast: Cast, claimed: RiskAlert) -> None:
    entry = claimed.last_entry_at
    assert entry is not None
    with timezone.override(cast.home.default_timezone):
        ends = f'data-due="{iso(entry + RELEASED_AFTER)}"'
    page = text(get(cast.cleo, "alert_page", claimed.pk))
    assert "or your claim goes back to the queue" in page
    assert ends in page
    assert "Cleo Cherono has logged nothing since" in text(get(cast.sam, "alert_page", claimed.pk))
    for name in ("my_cases", "board"):
        shown = text(get(cast.cleo, name))
        assert "Claim ends" in shown, name
        assert ends in shown, name


def test_an_entry_with_contact_ends_the_warning(cast: Cast, claimed: RiskAlert) -> None:
    log_contact(actor=staff(cast.cleo), alert_id=claimed.pk)
    assert "data-claim-ends" not in text(get(cast.cleo, "alert_page", claimed.pk))
    assert "Claim ends" not in text(get(cast.cleo, "my_cases"))


def test_it_rests_while_a_second_reader_is_asked(cast: Cast, claimed: RiskAlert) -> None:
    ending = Ending(verdict="duplicate", notes="She pressed it twice.")
    mark_false_alarm(actor=staff(cast.cleo), alert_id=claimed.pk, ending=ending)
    assert "data-claim-ends" not in text(get(cast.cleo, "alert_page", claimed.pk))
    assert "Claim ends" not in text(get(cast.cleo, "my_cases"))
