"""An escalation chain in the back office: rows that a person reads and changes."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from crisis.escalation.models import SlaPolicy
from tests.cast import Cast
from tests.makers import client_of, scope_all

pytestmark = pytest.mark.django_db
CLOCKS = (
    "acknowledge_seconds",
    "contact_seconds",
    "disposition_seconds",
    "confirm_seconds",
    "warn_claim_seconds",
    "release_claim_seconds",
    "check_in_seconds",
    "owner_gone_seconds",
    "repeat_seconds",
)


class Page:
    """The change page of everybody's clocks of one level, as Ada sees it."""

    def __init__(self, cast: Cast, level: str = "critical") -> None:
        self.client = client_of(cast.ada)
        self.policy = SlaPolicy.objects.get(organization=None, level=level)
        self.address = reverse("admin:crisis_slapolicy_change", args=[self.policy.pk])

    def read(self) -> str:
        return unescape(self.client.get(self.address).content.decode())

    def send(self, *steps: tuple[Any, str]) -> Any:
        data = {name: getattr(self.policy, name) for name in CLOCKS}
        rows = [*steps, *[("", "")] * (8 - len(steps))]
        for number, (after, who) in enumerate(rows):
            data |= {f"chain_{2 * number}": after, f"chain_{2 * number + 1}": who}
        answer = self.client.post(self.address, data)
        scope_all()
        return answer


def test_the_chain_is_shown_as_rows_with_the_people_in_words(cast: Cast) -> None:
    page = Page(cast).read()
    assert '{"after"' not in page
    assert page.count('<th scope="row">') == 8
    assert 'value="600"' in page
    assert '<option value="lead" selected>The lead of the service</option>' in page


def test_what_was_typed_becomes_the_organization_s_own_chain(cast: Cast) -> None:
    answer = Page(cast).send((0, "on_duty"), (60, "supervisor"), (240, "lead"))
    assert answer.status_code == 302, answer.content.decode()[:2000]
    own = SlaPolicy.objects.get(organization=cast.home, level="critical")
    assert own.chain == [
        {"after": 0, "who": "on_duty"},
        {"after": 60, "who": "supervisor"},
        {"after": 240, "who": "lead"},
    ]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([(0, "on_duty"), (901, "lead")], "a time of at most 900 seconds"),
        ([(0, "on_duty"), (60, "")], "Step 2 needs a time and somebody to call."),
        ([(10, "on_duty"), (60, "lead")], "starts at 0 seconds with everybody on shift"),
        ([(0, "on_duty"), (60, "second")], "ends at a supervisor"),
    ],
)
def test_a_chain_that_would_not_keep_people_safe_stays_in_its_rows(
    cast: Cast, steps: list[tuple[Any, str]], said: str
) -> None:
    answer = Page(cast).send(*steps)
    page = unescape(answer.content.decode())
    assert answer.status_code == 200
    assert said in page
    assert f'name="chain_2" value="{steps[1][0]}"' in page
    assert not SlaPolicy.objects.filter(organization=cast.home).exists()


def test_a_page_that_is_sent_unchanged_changes_nothing(cast: Cast) -> None:
    page = Page(cast)
    answer = page.send(*[(step["after"], step["who"]) for step in page.policy.chain])
    assert answer.status_code == 302
    assert not SlaPolicy.objects.filter(organization=cast.home).exists()
