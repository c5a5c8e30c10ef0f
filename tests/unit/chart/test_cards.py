"""The cards below a chart's first screen: who answers now, the daily check-ins, the folded signals."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from cortex.ui.zone import zone_of
from crisis.risk.queries import latest_assessment
from patients.covers.actions import plan_absence
from patients.sessions.records import Batch, FeedbackData
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.chart.test_overview import assessed, moods, opened, session, take

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def card(page: str, name: str) -> str:
    """The words of one card of a chart, by the id of its heading."""
    html = page.split(f'id="{name}"')[1].split("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", html.split(">", 1)[1]).split())


def test_a_chart_says_who_answers_now_and_what_nobody_watches_out_of_hours(cast: Cast) -> None:
    said = card(opened(cast), "an")
    assert said.startswith("Who answers now Alice Achieng Primary therapist")
    assert "Nobody is at the desk now alerts call whoever is on call, then the leads" in said
    assert "Watched at any hour: what the person writes, says or answers in the app" in said
    assert "Not watched out of hours: calls and e-mails to the therapist, and what is on paper" in said
    cast.on_duty()
    cast.home.settings = cast.home.settings | {"desk_phone": "+254 20 555 0100"}
    cast.home.save()
    page = opened(cast)
    assert "The desk, 1 on shift answers alerts at any hour +254 20 555 0100" in card(page, "an")
    assert 'href="tel:+254205550100"' in page


def test_while_somebody_is_away_the_cover_answers_with_its_end(cast: Cast) -> None:
    at = makers.now()
    plan_absence(
        actor=staff(cast.alice), user_id=cast.alice.pk, cover_id=cast.bob.pk, starts_at=at,
        ends_at=at + 7 * DAY,
    )  # fmt: skip
    makers.scope_all()
    until = (at + 7 * DAY).astimezone(zone_of(cast.home.default_timezone))
    for reader in (cast.alice, cast.bob):
        said = card(opened(cast, reader), "an")
        assert f"Bob Barasa covers for Alice Achieng until {until:%-d %b}" in said
        assert "Primary therapist" not in said


def test_without_a_consent_to_treatment_the_chart_says_that_messages_are_not_screened(cast: Cast) -> None:
    makers.consent(cast.patient, "treatment", granted=False)
    said = card(opened(cast), "an")
    assert "Messages are not screened: the consent to treatment is missing." in said
    assert "Watched at any hour" not in said
    assert "Only the emergency button is watched." in said and "Not watched out of hours" in said


def test_the_check_ins_stand_beside_the_summary_of_progress_of_the_same_days(cast: Cast) -> None:
    moods(cast, 3, 5, 8)
    done = [session(cast, days) for days in (2, 9, 45)]
    feedback = [
        FeedbackData(
            patient_id=cast.patient.pk, organization_id=cast.home.pk, received_at=makers.now(),
            session_id=one.pk, given_at=makers.now() - days * DAY, effectiveness_raw=raw,
            effectiveness_scale=scale,
        )
        for one, days, raw, scale in zip(done, (2, 9, 45), (5, 1, 1), (5, 10, 5), strict=True)
    ]  # fmt: skip
    batch = Batch(feedback=feedback)
    makers.store(actor=makers.machine(cast.home), patient=cast.patient, sessions=[], batch=batch)
    makers.scope_all()
    said = card(opened(cast), "da")
    assert said.startswith("Daily check-ins 3 of 30 days Day by day")
    assert "Mood higher is better" in said and "mean 5.3, last 3, 3 days" in said
    assert "Stress higher is worse" in said and "no answers" in said.split("Stress")[1].split("Focus")[0]
    # The third session and its answer are older than the days that the card is about.
    assert said.endswith("Sessions 2 Helped, 1 to 5 3.0 Sleep 6.0 Focus 4.0 Means of the last 30 days.")


def test_signals_are_folded_below_with_what_each_is_from_and_its_share(cast: Cast) -> None:
    assert "pc-signals" not in opened(cast)
    take(cast, 2, 0)
    assessed(cast, "low", "Long ago to her.", RF_ATTEMPT_3M="present")
    page = opened(cast)
    found = re.search(r'<details class="card wide pc-signals">(.*?)</details>', page)
    assert found is not None, "folded: without `open`"
    assert page.index('id="wk"') < found.start(), "below the five answers"
    shown = found[1]
    makers.scope_all()
    newest = latest_assessment(cast.patient.person_id)
    assert newest is not None and len(newest.factors) >= 2
    assert f"{len(newest.factors)} behind the level" in shown
    lines = shown.split("<tbody>")[1].split("</tr>")
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in lines]
    rows = {row[0]: row[1:] for row in cells if row}
    assert len(rows) == len(newest.factors)
    domain, source, age, _ = rows["An attempt within 3 months on record"]
    assert (domain, source, age) == ("History", "a clinician", "just now")
    assert any(share.endswith(" %") for *_, share in rows.values())
    assert "Coded by a machine" in shown
