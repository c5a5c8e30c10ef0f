"""A caseload that is told what changed, and the views that somebody keeps."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinical.assessments.actions import finish_assessment
from clinical.caseload.actions import MOST_VIEWS, keep_view
from clinical.caseload.filters import Filters
from clinical.caseload.live import CaseloadSource
from clinical.caseload.models import CaseView
from cortex.audit import RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.live import topics
from tests import makers
from tests.cast import Cast
from tests.makers import staff

pytestmark = pytest.mark.django_db
CALM = {f"q{number}": 1 for number in range(1, 9)} | {"q9": 0}


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def badges(cast: Cast, query: str = "") -> dict[str, Any]:
    answer = client_of(cast.alice).get(reverse("clinical:case_badges") + query)
    makers.scope_all()
    return dict(answer.json())


def test_a_caseload_s_topic_is_its_own_therapist_s_alone(cast: Cast) -> None:
    found = topics.resolve(f"caseload:{cast.alice.pk}")
    assert found is not None
    source = found[0]
    assert source.may_join(cast.alice.pk, "", str(cast.alice.pk))
    assert not source.may_join(cast.bob.pk, "", str(cast.alice.pk))
    assert not source.may_join(cast.cleo.pk, "", str(cast.cleo.pk)), "a counselor has no caseload"
    own = str(cast.alice.pk)
    for spelled in ("no id", "x", own.upper(), cast.alice.pk.hex, own.replace("-", "", 1)):
        assert not source.may_join(cast.alice.pk, "", spelled), spelled


def test_its_mark_changes_with_an_alert_and_a_measure_and_with_nothing_of_somebody_else(cast: Cast) -> None:
    source, key = CaseloadSource(), str(cast.alice.pk)
    first = source.marks([key])[key]["people"]
    other = makers.make_patient(cast.home, team=[cast.bob])
    makers.make_alert(other)
    assert source.marks([key])[key]["people"] == first
    makers.make_alert(cast.patient)
    second = source.marks([key])[key]["people"]
    assert second != first
    finish_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9", answers=CALM)
    assert source.marks([key])[key]["people"] != second


def test_badges_name_nobody_say_what_is_now_and_leave_a_row(cast: Cast) -> None:
    who = str(cast.patient.pk)
    before = badges(cast)
    makers.make_alert(cast.patient, "high")
    after = badges(cast)
    assert after["mark"] != before["mark"]
    assert after["rows"][who]["stamp"] != before["rows"][who]["stamp"]
    why = "Several signals together need a look. An alert is open, high."
    assert (after["rows"][who]["why"], after["counts"]["need"]) == (why, 1)
    assert "Zawadi" not in str(after)
    row = PhiAccessLog.objects.filter(data_type="caseload").latest("id")
    assert (row.sections, row.subject) == (["badges"], cast.patient.pk)


def test_looking_or_ticking_off_is_no_news(cast: Cast) -> None:
    before = badges(cast)
    client_of(cast.alice).post(reverse("clinical:case_reviewed", args=[cast.patient.pk]))
    client_of(cast.alice).get(reverse("clinical:chart", args=[cast.patient.pk]))
    after = badges(cast)
    assert after["rows"][str(cast.patient.pk)]["stamp"] == before["rows"][str(cast.patient.pk)]["stamp"]


def test_ticking_off_by_the_page_s_own_script_answers_with_the_button_that_undoes_it(cast: Cast) -> None:
    url = reverse("clinical:case_reviewed", args=[cast.patient.pk])
    answer = client_of(cast.alice).post(url, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "data-undo" in answer.content.decode()


def test_filters_narrow_by_level_place_and_next_appointment(cast: Cast) -> None:
    makers.make_alert(makers.make_patient(cast.home, team=[cast.alice], given_name="Second"), "high")
    client, url = client_of(cast.alice), reverse("clinical:caseload")
    both = {"Zawadi", "Second"}
    for query, names in (
        ("level=none", both), ("level=low", set()), ("place=cover", set()), ("view=need", both),
        ("view=off_track", set()), ("coming=booked", set()), ("view=no&level=x", both),
    ):  # fmt: skip
        text = client.get(f"{url}?{query}").content.decode().split('id="cases"')[1]
        assert {name for name in ("Zawadi", "Second") if name in text} == names, query


def test_a_kept_view_is_one_s_own_and_its_name_is_sealed(cast: Cast) -> None:
    client, url = client_of(cast.alice), reverse("clinical:case_view_keep")
    assert (
        client.post(url, {"name": "Wanjiru and others", "view": "need", "level": "high"}).status_code == 303
    )
    makers.scope_all()
    view = CaseView.objects.get()
    assert view.filters == {"view": "need", "level": "high"}
    assert b"Wanjiru" not in bytes(view.__dict__["name"].blob)
    page = client.get(reverse("clinical:caseload")).content.decode()
    assert "Wanjiru and others" in page
    assert "?view=need&amp;level=high" in page
    assert "Wanjiru" not in client_of(cast.bob).get(reverse("clinical:caseload")).content.decode()
    remove = reverse("clinical:case_view_remove", args=[view.pk])
    assert client_of(cast.bob).post(remove).status_code == 404
    assert client.post(remove).status_code == 303
    makers.scope_all()
    assert not CaseView.objects.exists()
    events = AuditLog.objects.filter(event_type__startswith="case_view.").order_by("id")
    assert [one.event_type for one in events] == ["case_view.kept", "case_view.removed"]


def test_a_view_without_a_name_comes_back_and_there_is_an_end_to_their_number(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = client_of(cast.alice).post(reverse("clinical:case_view_keep"), {"name": " ", "view": "need"})
    assert refused.status_code == 422
    assert "Give the view a name." in refused.content.decode()
    assert MOST_VIEWS > 1
    monkeypatch.setattr("clinical.caseload.actions.MOST_VIEWS", 1)
    keep_view(actor=staff(cast.alice), name="First", filters=Filters(view="need"))
    keep_view(actor=staff(cast.alice), name="First, renamed", filters=Filters(view="need"))
    with pytest.raises(RuleBroken):
        keep_view(actor=staff(cast.alice), name="Second", filters=Filters(view="due"))


def test_whom_to_look_at_first_is_said_in_sentences_with_one_thing_to_do(cast: Cast) -> None:
    alert = makers.make_alert(cast.patient, "high", reason_code="H11")
    makers.scope_all()
    text = client_of(cast.alice).get(reverse("clinical:caseload")).content.decode()
    card = text.split('class="cl-first"')[1].split("</ul>")[0]
    assert "Speaks of suicide. An alert is open, high. Nobody has it yet." in card
    assert reverse("crisis:alert_page", args=[alert.pk]) in card
