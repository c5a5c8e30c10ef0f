"""What a chart that is open by break-glass offers: reading, and nothing that would be refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from patients.registry.access import CHART
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db
# What posts and only reads: words are opened for a purpose, lists are searched, break-glass is ended.
READS = re.compile(r"/(search|words|timeline|sign-out|signout|end|lines)/$")
SECTIONS = [
    "chart", "chart_people", "chart_consent", "chart_crisis", "notes", "sessions", "documents", "neural",
    "person_appointments", "measures", "timeline", "plan", "first_steps",
]  # fmt: skip
OFFERS = (
    "Begin a note", "Start a therapy session", "Add a document", "Let somebody join", "Withdraw<",
    "Take down a consent", "New appointment", "Hand over to a colleague", ">Discharge<", "Ask PHQ",
    "Do it now", "Save the schedule", "somebody to call", "Save the answers", "Retire<",
)  # fmt: skip


def page(client: Client, cast: Cast, name: str) -> str:
    answer = client.get(reverse(f"clinical:{name}", args=[cast.patient.pk]))
    assert answer.status_code == 200, name
    return re.sub(r"(?s)<header class=\"top.*?</header>", "", answer.content.decode())


@pytest.mark.parametrize("name", SECTIONS)
def test_break_glass_is_offered_nothing_that_writes(cast: Cast, name: str) -> None:
    reader = makers.client_of(makers.glass(cast.patient, cast.bob))
    shown = page(reader, cast, name)
    assert "Open by break-glass" in shown
    assert [words for words in OFFERS if words in shown] == []
    posted = re.findall(r'<form[^>]*method="post"[^>]*action="([^"?]*)', shown)
    chart = str(cast.patient.pk)
    assert [to for to in posted if chart in to and not READS.search(to)] == []
    assert not re.search(r'<form(?=[^>]*method="post")(?![^>]*(action=|role="search"))', shown)


def test_the_team_is_offered_all_of_it(cast: Cast) -> None:
    client = makers.client_of(cast.alice)
    shown = "".join(page(client, cast, name) for name in SECTIONS)
    missing = [words for words in OFFERS if words not in shown]
    assert missing == []


def test_a_consultant_is_offered_no_decision_about_care(cast: Cast) -> None:
    makers.grant(cast.patient, cast.bob, permission=CHART)
    client = makers.client_of(cast.bob)
    shown = page(client, cast, "chart_people") + page(client, cast, "chart_consent")
    for words in ("Let somebody join", "Hand over to a colleague", "Withdraw<", "Take down a consent"):
        assert words not in shown
    assert "somebody to call" in shown, "a contact is corrected by whoever reads the chart to help"


@pytest.mark.parametrize(
    ("came", "leads"),
    [
        ("http://testserver/patients/", "/patients/"),
        ("http://testserver/caseload/?view=all", "/caseload/?view=all"),
        ("https://elsewhere.example/patients/", ""),
        ("http://testserver//elsewhere.example/", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_what_is_refused_leads_back_to_the_page_that_one_came_from(cast: Cast, came: str, leads: str) -> None:
    client = makers.client_of(makers.glass(cast.patient, cast.bob))
    headers: dict[str, Any] = {"headers": {"referer": came}} if came else {}
    where = reverse("clinical:note_begin", args=[cast.patient.pk])
    answer = client.post(where, {"note_type": "soap"}, **headers)
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "Go to your start page" in shown
    found = re.search(r'href="([^"]*)">Back to the page before', shown)
    assert (found.group(1) if found else "") == leads
    assert "elsewhere.example" not in shown
