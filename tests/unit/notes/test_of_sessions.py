"""Notes about a session: whom its labels shut out, and the measures of the visit below a signed note."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.assessments.actions import correct_assessment, finish_assessment
from clinical.assessments.models import Assessment
from clinical.notes.actions import begin_note
from clinical.notes.models import PROCESS, Note
from clinical.notes.queries import AnyNote
from cortex.audit import NotFound
from cortex.ids import uuid7
from cortex.ui.zone import zone_of
from patients.sessions.models import Session
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.notes.test_notes import SOAP, join, save, sign, texts_of
from tests.unit.notes.test_pages import as_user, url

pytestmark = pytest.mark.django_db


def session_of(cast: Cast, **more: Any) -> Session:
    at = makers.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)
    return makers.make_session(
        cast.patient, kind="therapy", started_at=at, ended_at=at + timedelta(minutes=47),
        duration_seconds=2820, channel="in_person", **more,
    )  # fmt: skip


@pytest.mark.parametrize(("label", "shut"), [("SUD_PART2", True), ("V", True), ("R", False)])
def test_a_session_that_a_label_shuts_fills_no_note(cast: Cast, label: str, *, shut: bool) -> None:
    """Whoever knows its id learns from a note what its page would not say."""
    join(cast, cast.bob)
    session = session_of(cast, sensitivity_labels=[label])
    given = {"note_type": "soap", "session": str(session.pk)}
    client = as_user(cast.bob)
    page = client.get(reverse("clinical:session", args=[cast.patient.pk, session.pk]))
    answer = client.post(url("note_begin", cast), given)
    assert (page.status_code, answer.status_code) == ((404, 404) if shut else (200, 303))
    makers.scope_all()
    assert Note.objects.count() == (0 if shut else 1)
    if shut:
        with pytest.raises(NotFound):
            begin_note(
                actor=staff(cast.bob), patient_id=cast.patient.pk, note_type="soap", session_id=session.pk
            )


# The measures of a visit


LINKS = re.compile(r'<a href="[^"]*/results/([0-9a-f-]+)/">([^<]+)</a>')


def take(cast: Cast, at: datetime, key: str = "gad7", answer: int = 1, count: int = 7) -> Assessment:
    found, _ = finish_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key=key, administered_at=at,
        answers={f"q{number}": answer for number in range(1, count + 1)},
    )  # fmt: skip
    makers.scope_all()
    return found


def signed_about(cast: Cast, session: Session | None, note_type: str = "soap", **texts: str) -> AnyNote:
    note = begin_note(
        actor=staff(cast.alice), patient_id=cast.patient.pk, note_type=note_type,
        session_id=session.pk if session else None,
    )  # fmt: skip
    given = texts_of(cast, note) | ({**SOAP, "objective": ""} if note_type == "soap" else {}) | texts
    kept = save(
        cast, note, given, note.version, uuid7(), follow_up_on=makers.now().date() + timedelta(days=7)
    ).note
    return sign(cast, note, kept.version)


def page_of(cast: Cast, note: AnyNote) -> str:
    makers.scope_all()
    return as_user(cast.alice).get(url("note_page", cast, note.pk)).content.decode()


def test_measures_within_the_session_stand_below_objective_whatever_the_note_says(cast: Cast) -> None:
    session = session_of(cast)
    inside = take(cast, session.started_at + timedelta(minutes=10))
    take(cast, session.started_at - timedelta(days=1), "phq9", 0, 9)
    page = page_of(cast, signed_about(cast, session))
    day = f"{session.started_at.astimezone(zone_of(cast.home.default_timezone)):%-d %b %Y}"
    assert LINKS.findall(page) == [(str(inside.pk), f"GAD-7 7 of 21 (mild), {day}")]
    assert page.index("<h3>Objective") < page.index(f"Measures, {day}") < page.index("<h3>Assessment")


@pytest.mark.parametrize(("zone", "later"), [("Africa/Nairobi", 1), ("America/Lima", 0)])
def test_a_measure_s_day_is_that_of_the_person_it_is_of(cast: Cast, zone: str, later: int) -> None:
    """Half past ten at night in UTC is another day in Nairobi, not in Lima; lines of UTC's days count too."""
    cast.patient.timezone = zone
    cast.patient.save()
    at = (makers.now() - timedelta(days=2)).replace(hour=22, minute=30)
    ended = at + timedelta(minutes=50)
    session = makers.make_session(cast.patient, kind="therapy", started_at=at, ended_at=ended)
    before, utc, day = (f"{at + timedelta(days=days):%-d %b %Y}" for days in (later - 1, -1, later))
    inside = take(cast, at + timedelta(minutes=5))
    note = begin_note(
        actor=staff(cast.alice), patient_id=cast.patient.pk, note_type="soap", session_id=session.pk
    )
    facts = texts_of(cast, note)["objective"].splitlines()
    assert facts[0].startswith(f"Therapy, {day}, ") and facts[1].startswith(f"GAD-7 7 of 21 (mild), {day}"), (
        facts
    )
    apart = take(cast, at - timedelta(days=1))
    said = LINKS.findall(
        page_of(cast, signed_about(cast, session, objective=f"GAD-7 7 of 21 (mild), {utc}."))
    )
    assert dict(said) == {
        str(inside.pk): f"GAD-7 7 of 21 (mild), {day}", str(apart.pk): f"GAD-7 7 of 21 (mild), {before}"
    }  # fmt: skip


def test_a_note_that_is_written_late_has_the_measures_of_its_contact_and_none_of_later(cast: Cast) -> None:
    zone = zone_of(cast.home.default_timezone)
    at = makers.now() - timedelta(days=20)
    session = makers.make_session(
        cast.patient, kind="therapy", started_at=at, ended_at=at + timedelta(minutes=50)
    )
    take(cast, at - timedelta(days=16), answer=2)
    of_it = take(cast, at + timedelta(minutes=5))
    take(cast, at + timedelta(days=3), answer=3)
    take(cast, at + timedelta(days=3), "phq9", 0, 9)
    note = begin_note(
        actor=staff(cast.alice), patient_id=cast.patient.pk, note_type="soap", session_id=session.pk
    )
    (_, said) = texts_of(cast, note)["objective"].splitlines()
    day = f"{of_it.administered_at.astimezone(zone):%-d %b %Y}"
    assert said == f"GAD-7 7 of 21 (mild), {day}: −7, reliably better, response.", "since the one before it"


def test_measures_that_were_pulled_in_are_linked_also_when_newer_ones_were_taken_since(cast: Cast) -> None:
    session = session_of(cast)
    earlier = take(cast, session.started_at - timedelta(days=2))
    take(cast, session.started_at - timedelta(days=3), "phq9", 0, 9)
    note = begin_note(
        actor=staff(cast.alice), patient_id=cast.patient.pk, note_type="soap", session_id=session.pk
    )
    facts = texts_of(cast, note)["objective"].splitlines()
    kept = "\n".join(one for one in facts if "PHQ-9" not in one)  # its writer took one line out again
    assert "GAD-7 7 of 21" in kept and len(facts) == 3
    done = signed_about(cast, session, objective=f"Calm.\n{kept}")
    take(cast, makers.now(), answer=2)
    found = LINKS.findall(page_of(cast, done))
    assert [pk for pk, _ in found] == [str(earlier.pk)]


@pytest.mark.parametrize(
    ("earlier", "now", "said"),
    [
        (((3, 0), (7, 0)), (9, 2), r": \+2, no clear change; since the baseline \(3 on \d+ \w+ \d+\) \+6, "
         r"reliably worse\. Item 9: more than half the days\.$"),
        (((3, 0), (7, 0)), (8, 0), r": \+1, no clear change\. Item 9: not at all\.$"),
        (((3, 0),), (9, 3), r": \+6, reliably worse\. Item 9: nearly every day\.$"),
        ((), (9, None), r"\d{4}\. Item 9 was left out\.$"),
    ],
)  # fmt: skip
def test_a_prefilled_note_names_item_9_and_a_reliable_change_since_the_baseline(
    cast: Cast, earlier: tuple[tuple[int, int], ...], now: tuple[int, int | None], said: str
) -> None:
    session = session_of(cast)
    for number, total in enumerate((*earlier, now)):
        phq9(cast, session.started_at - timedelta(days=14 * (len(earlier) - number)), *total)
    note = begin_note(
        actor=staff(cast.alice), patient_id=cast.patient.pk, note_type="soap", session_id=session.pk
    )
    lines = texts_of(cast, note)["objective"].splitlines()
    assert re.search(said, lines[1]), lines[1]


def phq9(cast: Cast, at: datetime, total: int, item9: int | None) -> None:
    """A PHQ-9 of a total with an answer to item 9; one that was left out is prorated to the same total."""
    rest = total - (item9 or 0)
    answers: dict[str, int | None] = {
        f"q{number}": min(3, max(0, rest - 3 * (number - 1))) for number in range(1, 9)
    }
    finish_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9", administered_at=at,
        answers=answers | {"q9": item9},
    )  # fmt: skip
    makers.scope_all()


def test_a_corrected_measure_is_linked_as_it_was_corrected(cast: Cast) -> None:
    session = session_of(cast)
    wrong = take(cast, session.started_at)
    note = signed_about(cast, session)
    right, _ = correct_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, assessment_id=wrong.pk,
        answers={f"q{number}": 2 for number in range(1, 8)},
    )  # fmt: skip
    assert [pk for pk, _ in LINKS.findall(page_of(cast, note))] == [str(right.pk)]


def test_a_note_without_measures_and_a_process_note_name_none(cast: Cast) -> None:
    take(cast, makers.now() - timedelta(hours=1))
    for kind, texts in (("soap", {}), (PROCESS, {"free_text": "GAD-7 7 of 21"})):
        page = page_of(cast, signed_about(cast, None, kind, **texts))
        assert "Measures, " not in page, kind


def test_how_many_measures_there_are_costs_no_statement(cast: Cast) -> None:
    session = session_of(cast)
    note = signed_about(cast, session)
    where, client = url("note_page", cast, note.pk), as_user(cast.alice)
    counts = []
    for minutes in (5, 10, 15):
        client.get(where)
        makers.scope_all()
        with CaptureQueriesContext(
            connection,
        ) as statements:
            client.get(where)
        counts.append(len(statements))
        makers.scope_all()
        take(cast, session.started_at + timedelta(minutes=minutes))
    assert len(set(counts)) == 1
    assert len(LINKS.findall(page_of(cast, note))) == 3
