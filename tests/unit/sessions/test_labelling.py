"""Setting the labels of a session on its page: who may, what is asked first, and what others find."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from clinical.sessions import actions as running
from clinical.sessions.labelling.actions import label_session
from cortex.accounts.models import User
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog
from patients.sessions.merging import apply
from patients.sessions.models import Session
from patients.sessions.records import SessionData
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.sessions.test_labels import agreed, colleague, confirmed, consultant, counselor, labelled
from tests.unit.sessions.test_review import url
from tests.unit.sessions.test_running import client_of

pytestmark = pytest.mark.django_db
BOX = re.compile(r'<input type="checkbox" name="labels" value="(\w+)"[^>]*?( checked)?>')


def run_by_alice(cast: Cast) -> Session:
    begun = running.start_session(actor=staff(cast.alice), patient_id=cast.patient.pk, channel="video")
    running.end_session(actor=staff(cast.alice), patient_id=cast.patient.pk, session_id=begun.pk)
    makers.scope_all()
    return begun


def sent(cast: Cast) -> Session:
    """A chat that the person's app sent: nobody here ran it."""
    at = makers.now() - timedelta(hours=2)
    return makers.make_session(cast.patient, kind="chat", started_at=at, received_at=at)


def put(client: Client, cast: Cast, session: Session, labels: list[str], seen: str = "", **more: str) -> Any:
    answer = client.post(url(cast, session, "label/"), {"labels": labels, "seen": seen, **more})
    makers.scope_all()
    return answer


def standing(session: Session) -> list[str]:
    return Session.objects.get(pk=session.pk).sensitivity_labels


def trail() -> list[dict[str, Any]]:
    rows = AuditLog.objects.filter(event_type="session.labelled").order_by("pk")
    return [row.codes for row in rows]


def boxes(page: str) -> dict[str, bool]:
    return {code: bool(checked) for code, checked in BOX.findall(page)}


def test_who_ran_a_session_sets_its_labels_and_takes_them_away_and_the_trail_says_which(cast: Cast) -> None:
    session, alice, doctor = run_by_alice(cast), client_of(cast.alice), client_of(consultant(cast))
    before = alice.get(url(cast, session)).content.decode()
    assert "No label: whoever opens this chart reads this session." in before
    assert boxes(before) == dict.fromkeys(["R", "V", "SUD_PART2", "HIV", "GBV", "MINOR"], False)
    assert doctor.get(url(cast, session)).status_code == 200
    answer = put(alice, cast, session, ["R", "HIV"])
    assert (answer.status_code, answer["Location"]) == (303, url(cast, session))
    assert standing(session) == ["HIV", "R"]
    assert doctor.get(url(cast, session)).status_code == 404
    page = alice.get(url(cast, session)).content.decode()
    assert "Nobody reads it by break-glass" in page.split('<details class="disclose"')[0]
    assert [code for code, ticked in boxes(page).items() if ticked] == ["R", "HIV"]
    assert 'name="seen" value="HIV R"' in page
    put(alice, cast, session, [], seen="HIV R")
    assert standing(session) == []
    assert doctor.get(url(cast, session)).status_code == 200
    assert trail() == [{"before": [], "after": ["HIV", "R"]}, {"before": ["HIV", "R"], "after": []}]
    row = AuditLog.objects.filter(event_type="session.labelled").first()
    assert row is not None and row.fields == ["sensitivity_labels"]


def test_they_are_set_while_a_session_is_under_way_too(cast: Cast) -> None:
    begun = running.start_session(actor=staff(cast.alice), patient_id=cast.patient.pk, channel="video")
    makers.scope_all()
    alice = client_of(cast.alice)
    assert "R" in boxes(alice.get(url(cast, begun)).content.decode())
    assert put(alice, cast, begun, ["V"]).status_code == 303
    assert "Very restricted" in alice.get(url(cast, begun)).content.decode()
    assert client_of(colleague(cast)).get(url(cast, begun)).status_code == 404


def test_whoever_reads_a_session_reads_its_labels_and_what_each_of_them_does(cast: Cast) -> None:
    session = run_by_alice(cast)
    bob = client_of(colleague(cast))
    assert 'id="labels"' not in bob.get(url(cast, session)).content.decode()
    put(client_of(cast.alice), cast, session, ["GBV"])
    page = bob.get(url(cast, session)).content.decode()
    assert "<dt>Gender-based violence</dt>" in page
    assert "Nobody reads it by break-glass" in page
    assert boxes(page) == {}


@pytest.mark.parametrize(
    ("session_of", "reader", "may"),
    [
        (run_by_alice, colleague, False), (run_by_alice, confirmed, False), (sent, colleague, True),
        (sent, counselor, True), (sent, consultant, False), (sent, confirmed, False),
    ],
)  # fmt: skip
def test_only_who_ran_it_sets_labels_and_the_team_where_nobody_did(
    cast: Cast, session_of: Callable[[Cast], Session], reader: Callable[[Cast], User], may: bool
) -> None:
    session = session_of(cast)
    client = client_of(reader(cast))
    assert bool(boxes(client.get(url(cast, session)).content.decode())) is may
    answer = put(client, cast, session, ["R"])
    assert answer.status_code == (303 if may else 409)
    assert may or 'class="note note-warn" role="alert"' in answer.content.decode()
    assert standing(session) == (["R"] if may else [])
    assert bool(trail()) is may


def test_who_ran_it_and_came_back_by_break_glass_reads_only(cast: Cast) -> None:
    session = run_by_alice(cast)
    client = client_of(confirmed(cast))
    run = Session.objects.get(pk=session.pk).run  # type: ignore[attr-defined]
    run.clinician = cast.bob
    run.save(update_fields=["clinician"])
    page = client.get(url(cast, session))
    assert page.status_code == 200 and boxes(page.content.decode()) == {}
    assert put(client, cast, session, ["R"]).status_code == 409
    assert standing(session) == []


def test_whom_a_label_shuts_out_hears_of_no_session_and_changes_nothing(cast: Cast) -> None:
    session, shut = run_by_alice(cast), client_of(consultant(cast))
    put(client_of(cast.alice), cast, session, ["MINOR"])
    answer = put(shut, cast, session, [], seen="MINOR")
    assert answer.status_code == 404 and "confidence" not in answer.content.decode()
    assert standing(session) == ["MINOR"]
    with pytest.raises(NotFound):  # of the team, but nobody agreed to Part 2
        label_session(
            actor=staff(colleague(cast)), patient_id=cast.patient.pk, labels=[], seen=["SUD_PART2"],
            session_id=labelled(cast, "SUD_PART2").pk, told=["SUD_PART2"],
        )  # fmt: skip
    with pytest.raises(NotFound):
        label_session(
            actor=staff(cast.cleo), patient_id=cast.patient.pk, session_id=session.pk, labels=[],
            seen=["MINOR"],
        )  # fmt: skip


def test_the_second_of_two_people_is_told_and_keeps_what_they_ticked(cast: Cast) -> None:
    session, alice, bob = sent(cast), client_of(cast.alice), client_of(colleague(cast))
    put(alice, cast, session, ["R"])
    answer = put(bob, cast, session, ["GBV"])
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody changed these labels meanwhile." in page
    assert "<dt>Restricted</dt>" in page
    assert [code for code, ticked in boxes(page).items() if ticked] == ["GBV"]
    assert 'name="seen" value="R"' in page
    assert '<details class="disclose" open>' in page
    assert standing(session) == ["R"]
    assert put(bob, cast, session, ["GBV", "R"], seen="R").status_code == 303
    assert standing(session) == ["GBV", "R"]


def test_two_who_want_the_same_find_nothing_to_change(cast: Cast) -> None:
    session = sent(cast)
    put(client_of(cast.alice), cast, session, ["R"])
    assert put(client_of(colleague(cast)), cast, session, ["R"]).status_code == 303
    assert trail() == [{"before": [], "after": ["R"]}]


def test_a_label_that_shuts_its_writer_out_is_a_question_first(cast: Cast) -> None:
    session, alice = sent(cast), client_of(cast.alice)
    asked = put(alice, cast, session, ["SUD_PART2"])
    page = asked.content.decode()
    assert asked.status_code == 409
    assert "With Substance use (Part 2) you will no longer read this session" in page
    assert "nobody can take the label away" in page
    assert 'name="told" value="SUD_PART2"' in page
    assert boxes(page)["SUD_PART2"] is True
    assert (standing(session), trail()) == ([], [])
    told = put(alice, cast, session, ["SUD_PART2"], told="SUD_PART2")
    listed = alice.get(told["Location"]).content.decode()
    assert "That session is closed to you now." in listed
    assert alice.get(url(cast, session)).status_code == 404
    makers.consent(cast.patient, "part2_tpo")
    assert alice.get(url(cast, session)).status_code == 200


def test_who_ran_a_session_is_asked_nothing_and_reads_on(cast: Cast) -> None:
    session, alice = run_by_alice(cast), client_of(cast.alice)
    assert put(alice, cast, session, ["SUD_PART2", "V"]).status_code == 303
    assert alice.get(url(cast, session)).status_code == 200
    assert put(alice, cast, session, [], seen="SUD_PART2 V").status_code == 303
    assert standing(session) == []


def test_what_came_with_a_session_is_taken_away_by_nobody_who_has_not_been_told(cast: Cast) -> None:
    session, bob = labelled(cast, "SUD_PART2"), client_of(agreed(cast))
    asked = put(bob, cast, session, ["HIV"], seen="SUD_PART2")
    page = asked.content.decode()
    assert asked.status_code == 409
    assert "Without Substance use (Part 2) more people may read this session." in page
    assert "no longer read" not in page
    assert standing(session) == ["SUD_PART2"]
    assert put(bob, cast, session, [], seen="SUD_PART2", told="HIV").status_code == 409
    assert put(bob, cast, session, ["HIV"], seen="SUD_PART2", told="SUD_PART2").status_code == 303
    assert trail() == [{"before": ["SUD_PART2"], "after": ["HIV"]}]


def test_a_psychotherapy_label_comes_with_a_session_and_stays(cast: Cast) -> None:
    session, alice = run_by_alice(cast), client_of(cast.alice)
    refused = put(alice, cast, session, ["PSYTHPN"])
    assert refused.status_code == 422 and "Choose labels of the list." in refused.content.decode()
    with pytest.raises(InputRefused):
        label_session(
            actor=staff(cast.alice), patient_id=cast.patient.pk, session_id=session.pk, labels=["PSYTHPN"],
            seen=[],
        )  # fmt: skip
    Session.objects.filter(pk=session.pk).update(sensitivity_labels=["N", "PSYTHPN", "R"])
    assert "It came with the session and stays." in alice.get(url(cast, session)).content.decode()
    assert put(alice, cast, session, [], seen="N PSYTHPN R").status_code == 303
    assert standing(session) == ["N", "PSYTHPN"]


def test_nobody_shuts_everybody_out_of_a_session_that_nobody_ran(cast: Cast) -> None:
    session, alice = sent(cast), client_of(cast.alice)
    assert "V" not in boxes(alice.get(url(cast, session)).content.decode())
    refused = put(alice, cast, session, ["V"], told="V")
    assert refused.status_code == 422
    assert "nobody at all would read it" in refused.content.decode()
    assert standing(session) == []


def test_a_session_that_the_person_keeps_to_themself_takes_labels_and_shows_no_more_for_it(
    cast: Cast,
) -> None:
    session = makers.make_session(cast.patient, kind="self_guided", is_shared=False)
    alice = client_of(cast.alice)
    assert put(alice, cast, session, ["HIV"]).status_code == 303
    page = alice.get(url(cast, session)).content.decode()
    assert "<dt>HIV</dt>" in page and "Only its times stand here." in page


def test_a_sender_adds_labels_and_takes_none_away(cast: Cast) -> None:
    session = labelled(cast, "GBV")
    data: dict[str, Any] = {
        "patient_id": cast.patient.pk, "organization_id": cast.home.pk, "received_at": makers.now(),
        "client_ref": "c1",
    }  # fmt: skip
    assert "sensitivity_labels" not in apply(session, SessionData(**data))
    assert "sensitivity_labels" not in apply(session, SessionData(**data, sensitivity_labels=[]))
    assert session.sensitivity_labels == ["GBV"]
    assert "sensitivity_labels" in apply(session, SessionData(**data, sensitivity_labels=["R"]))
    assert session.sensitivity_labels == ["GBV", "R"]


def test_what_a_therapist_is_asked_about_is_named_for_machines(cast: Cast) -> None:
    session = sent(cast)
    with pytest.raises(RuleBroken) as asked:
        label_session(
            actor=staff(cast.alice), patient_id=cast.patient.pk, session_id=session.pk,
            labels=["SUD_PART2"], seen=[],
        )  # fmt: skip
    assert (asked.value.code, asked.value.extra) == ("labels_ask", {"shuts": ["SUD_PART2"], "opens": []})
