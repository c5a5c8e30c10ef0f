"""A supervisor decides on a welfare check on its page, and is told what comes next."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crisis.reviews.models import ReviewItem
from crisis.welfare.models import WelfareDecision
from tests.cast import Cast
from tests.makers import make_alert, now, scope_all
from tests.unit.crisis.test_desk_pages import text
from tests.unit.crisis.test_welfare_checks import asked

pytestmark = pytest.mark.django_db


def test_the_supervisor_decides_on_the_page(cast: Cast) -> None:
    item = asked(cast)
    client = Client()
    client.force_login(cast.sam)
    sent = client.post(
        reverse("crisis:welfare_check", args=[item.pk]), {"decision": "send", "reference": "OB 12"}
    )
    assert (sent.status_code, sent["Location"]) == (303, reverse("crisis:review_list"))
    scope_all()
    assert WelfareDecision.objects.get().decision == "send"


@pytest.mark.parametrize("is_alert", [True, False])
def test_who_lets_it_be_tried_again_is_told_what_asks_them_next(cast: Cast, *, is_alert: bool) -> None:
    item = asked(cast)
    if is_alert:
        alert = make_alert(cast.patient, "high", kind="medical")
        ReviewItem.objects.filter(pk=item.pk).update(source_type="alert", source_id=alert.pk)
    client = Client()
    client.force_login(cast.sam)
    by = timezone.localtime(now() + timedelta(hours=6))
    form = {"decision": "try_again", "again_by": f"{by:%Y-%m-%dT%H:%M}"}
    sent = client.post(reverse("crisis:welfare_check", args=[item.pk]), form, follow=True)
    assert ("its owner goes on" in text(sent), "you are asked once more" in text(sent)) == (
        is_alert, not is_alert,
    )  # fmt: skip
