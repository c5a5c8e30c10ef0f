"""Every frame that a page can stand in leads to the crisis lines, before a session and when all fails."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from tests.cast import Cast

pytestmark = pytest.mark.django_db
FAILED = ("403.html", "403_csrf.html", "404.html", "409.html", "413.html", "500.html", "503.html")


def leads(text: str) -> bool:
    return f'href="{reverse("crisis:resources")}"' in text


def test_each_frame_leads_to_the_crisis_lines(cast: Cast) -> None:
    client = Client()
    before = ("account_login", "account_reset_password")
    assert [one for one in before if not leads(client.get(reverse(one)).content.decode())] == []
    client.force_login(cast.ada)
    after = ("accounts:factors", "accounts:me", "admin:index")
    assert [one for one in after if not leads(client.get(reverse(one)).content.decode())] == []


@pytest.mark.parametrize("name", FAILED)
def test_a_page_that_says_what_failed_leads_there_too(name: str) -> None:
    assert leads(render_to_string(name, {}))
