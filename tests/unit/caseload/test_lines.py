"""What a line says: each reader's own news, a mood with gaps, measures due, who is not on track."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from clinical.assessments.actions import finish_assessment
from clinical.assessments.planning.queries import own_people as planned_for
from clinical.caseload.actions import note_look
from clinical.caseload.queries import Case, add_moods, caseload
from clinical.caseload.showing import row_of
from cortex.accounts.models import User
from patients.care.models import CareTeamMember
from patients.registry.models import Patient
from patients.registry.queries import local_day
from patients.sessions.observations import DailyCheckIn
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.caseload.test_live import client_of
from tests.unit.caseload.test_places import assessed

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def line_of(user: User, patient: Patient) -> Case:
    makers.scope_all()
    (found,) = (one for one in caseload(user, makers.now()) if one.who.pk == patient.pk)
    return found


def total(cast: Cast, points: int, at: datetime, key: str = "phq9", patient: Patient | None = None) -> None:
    """A whole questionnaire with so many points; item 9 of a PHQ-9 is none of them."""
    items, left = {f"q{number}": 0 for number in range(1, 10 if key == "phq9" else 8)}, points
    for name in items:
        if name != "q9":
            items[name] = min(3, left)
            left -= items[name]
    assert left == 0
    who = patient or cast.patient
    finish_assessment(actor=staff(cast.alice), patient_id=who.pk, key=key, answers=items, administered_at=at)
    makers.scope_all()


def treated_for(days: int) -> None:
    makers.scope_all()
    CareTeamMember.objects.update(starts_at=makers.now() - days * DAY)


def test_what_is_new_is_new_to_each_therapist_by_when_they_looked_themselves(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob)
    treated_for(2)
    chart = reverse("clinical:chart", args=[cast.patient.pk])
    for user in (cast.alice, cast.bob):
        note_look(actor=staff(user), patient_id=cast.patient.pk, at=makers.now() - DAY)
    assessed(cast, "high", makers.now())
    total(cast, 8, makers.now())
    for user in (cast.alice, cast.bob):
        found = line_of(user, cast.patient)
        assert row_of(found)["news"] == ["level now high", "PHQ-9 8"]
        assert found.place.why == "The level rose to high."
    assert client_of(cast.alice).get(chart).status_code == 200
    mine, theirs = line_of(cast.alice, cast.patient), line_of(cast.bob, cast.patient)
    # No news any more; the level stands high, which a look does not settle.
    assert (row_of(mine)["news"], mine.place.group) == ([], "waiting")
    assert (row_of(theirs)["news"], theirs.place.group) == (["level now high", "PHQ-9 8"], "alert")
    pages = [client_of(user).get("/caseload/").content.decode() for user in (cast.alice, cast.bob)]
    assert ["Since you looked: level now high" in page for page in pages] == [False, True]
    client_of(cast.alice).post(reverse("clinical:case_reviewed", args=[cast.patient.pk]))
    assert line_of(cast.alice, cast.patient).place.group == "reviewed"
    assert line_of(cast.bob, cast.patient).place.group == "alert", "a tick is one's own, too"


def felt(cast: Cast, moods: Sequence[int | None], *, silent: Sequence[int] = ()) -> None:
    """A mood for each of the last days, today last; None: no check-in, and `silent`: one without a mood."""
    today, at = local_day(cast.patient, makers.now()), makers.now()
    for back, mood in enumerate(reversed(moods)):
        if mood is not None or back in silent:
            DailyCheckIn.objects.create(
                organization=cast.home, patient=cast.patient, date=today - back * DAY, mood=mood,
                sleep_quality=5, submitted_at=at, received_at=at,
            )  # fmt: skip


def drawn(cast: Cast) -> tuple[Case, list[int], str]:
    """The line, how many days each stroke of its picture joins, and the picture."""
    found = line_of(cast.alice, cast.patient)
    add_moods([found], makers.now())
    picture = str(row_of(found)["moods"])
    (path,) = re.findall(r' d="([^"]*)"', picture)
    return found, [stroke.count("L") + 1 for stroke in path.split("M")[1:]], picture


def test_a_sparkline_breaks_where_nothing_was_said_and_joins_no_days_across(cast: Cast) -> None:
    felt(cast, [4, 5, 6, None, None, 7, None, 3, 4, 4, 5, None, 6, 6])
    found, strokes, picture = drawn(cast)
    assert found.moods == [4, 5, 6, None, None, 7, None, 3, 4, 4, 5, None, 6, 6]
    assert strokes == [3, 1, 4, 2]
    assert picture.count("<circle") == 2, "the day that stands alone, and the last one"
    assert 'aria-label="Mood over 14 days, 10 answers"' in picture


def test_a_check_in_without_a_mood_is_a_gap_and_no_zero(cast: Cast) -> None:
    felt(cast, [5] * 7 + [None] + [5] * 6, silent=[6])
    found, strokes, _ = drawn(cast)
    assert (found.moods.count(None), strokes) == (1, [7, 6])


def test_the_last_days_without_a_word_stay_empty_to_the_end(cast: Cast) -> None:
    felt(cast, [5] * 4 + [None] * 10)
    _, strokes, picture = drawn(cast)
    assert strokes == [4]
    ends = [float(one) for one in re.findall(r'cx="([\d.]+)%"', picture)]
    assert len(ends) == 1 and ends[0] == pytest.approx(300 / 13, abs=0.1)


def test_measures_that_are_due_stand_on_the_line_and_narrow_the_list(cast: Cast) -> None:
    other = makers.make_patient(cast.home, team=[cast.alice], given_name="Second")
    treated_for(20)
    for key in ("phq9", "gad7"):
        total(cast, 4, makers.now(), key, other)
    client = client_of(cast.alice)

    def shown(query: str) -> tuple[set[str], list[str], str]:
        page = client.get(f"/caseload/{query}").content.decode()
        lines = page.split('id="cases"')[1]
        names = {name for name in ("Zawadi", "Second") if name in lines}
        due = sorted(re.findall(r'<span class="tag">([^<]+) due</span>', lines))
        (count,) = re.findall(r'data-view="due"[^>]*>Measures due <span class="count">(\d+)', page)
        return names, due, count

    assert shown("") == ({"Zawadi", "Second"}, ["GAD-7", "PHQ-9"], "1")
    assert shown("?view=due") == ({"Zawadi"}, ["GAD-7", "PHQ-9"], "1")
    makers.scope_all()
    total(cast, 4, makers.now())
    assert shown("?view=due") == ({"Zawadi"}, ["GAD-7"], "1")
    total(cast, 4, makers.now(), "gad7")
    assert shown("?view=due") == (set(), [], "0")
    assert shown("")[0] == {"Zawadi", "Second"}


@pytest.mark.parametrize(
    ("totals", "off"),
    [
        # By week 8 a PHQ-9 of 19 is expected at about 12; a little above is on its way.
        ([(56, 19), (28, 18), (1, 18)], True),
        ([(56, 19), (28, 15), (1, 12)], False),
        # Six points more are reliably worse, however early.
        ([(15, 12), (1, 18)], True),
        ([(15, 12), (1, 13)], False),
        # Off it once, and back on it: the newest total decides.
        ([(56, 19), (28, 20), (1, 9)], False),
    ],
    ids=["stays high", "falls as expected", "worse", "no worse than by chance", "back on course"],
)
def test_not_on_track_is_said_by_totals_over_time(
    cast: Cast, totals: list[tuple[int, int]], *, off: bool
) -> None:
    treated_for(57)
    for days, points in totals:
        total(cast, points, makers.now() - days * DAY)
    found = line_of(cast.alice, cast.patient)
    assert found.off_track == (("PHQ-9",) if off else ())
    assert (found.place.group, "not on track" in found.place.why) == (
        ("off_track", True) if off else (found.place.group, False)
    )
    page = client_of(cast.alice).get("/caseload/?view=off_track").content.decode()
    assert ("Zawadi" in page.split('id="cases"')[1]) == off
    assert ("PHQ-9 not on track." in page) == off


def test_whoever_joins_a_team_is_asked_for_the_measures_that_the_chart_asks_for(cast: Cast) -> None:
    treated_for(400)
    total(cast, 8, makers.now() - 20 * DAY)
    makers.add_to_team(cast.patient, cast.bob)
    CareTeamMember.objects.filter(user=cast.bob).update(starts_at=makers.now() - 3 * DAY)
    due = {user.full_name: [title for title, _ in line_of(user, cast.patient).due]
           for user in (cast.alice, cast.bob)}  # fmt: skip
    # In care for so long they are asked every four weeks, whoever joined the team three days ago.
    assert due["Alice Achieng"] == due["Bob Barasa"] and "PHQ-9" not in due["Bob Barasa"]
    page = client_of(cast.bob).get(reverse("clinical:chart", args=[cast.patient.pk])).content.decode()
    assert reverse("clinical:measure_ask", args=[cast.patient.pk, "phq9"]) not in page
    listed = {one.patient.pk: one.began for one in planned_for(cast.bob, makers.now())}
    assert listed == {one.patient.pk: one.began for one in planned_for(cast.alice, makers.now())}
