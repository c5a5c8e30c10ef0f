"""Who is on shift and what waits for a second reader, live on the board; nothing moves under the pointer."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from crisis.alerts.models import Disposition, Verdict
from crisis.duty.actions import end_shift, start_shift
from crisis.endings.actions import Ending, decide_review, mark_false_alarm, resolve_alert
from crisis.ownership.actions import claim_alert
from crisis.reviews.actions import finish_item, make_item
from crisis.reviews.models import FollowUp, SecondReview
from tests import makers
from tests.browser.test_board import Visit, board_of, raise_for
from tests.cast import Cast


def test_a_colleague_who_comes_is_listed_without_a_reload(visit: Visit, people: Cast) -> None:
    people.on_duty()
    visitor, page = board_of(visit, people)
    page.mouse.move(5, 5)
    start_shift(actor=makers.staff(people.sam), shift_id=None, sound_tested=True)
    expect(page.locator("#shift")).to_contain_text(people.sam.full_name)
    expect(page.locator("[data-on-shift]")).to_have_text("2")
    expect(page.locator("#say-polite")).to_contain_text("Who is on shift has changed.")
    page.locator("#shift").hover()
    end_shift(actor=makers.staff(people.sam))
    page.wait_for_timeout(2_500)  # long after it was told
    expect(page.locator("#shift")).to_contain_text(people.sam.full_name)
    page.mouse.move(5, 5)
    expect(page.locator("#shift")).not_to_contain_text(people.sam.full_name)
    expect(page.locator("[data-on-shift]")).to_have_text("1")
    assert visitor.axe() == []


def test_a_second_reading_appears_and_leaves_without_a_reload(visit: Visit, people: Cast) -> None:
    people.on_duty()
    for colleague in (people.sam, people.alice):
        people.on_duty(colleague)
    alert = raise_for(people)
    _, page = board_of(visit, people)
    page.mouse.move(5, 5)
    expect(page.locator("#readings section")).to_have_count(0)
    sam = makers.staff(people.sam)
    claim_alert(actor=sam, alert_id=alert.pk)
    ending = Ending(verdict="not_risk_language", notes="It was a song.")
    mark_false_alarm(actor=sam, alert_id=alert.pk, ending=ending)
    expect(page.locator("#readings")).to_contain_text("Waiting for a second reader")
    expect(page.locator("#readings")).to_contain_text(str(alert.patient and alert.patient.anonymous_id))
    review = SecondReview.objects.get()
    decide_review(actor=makers.staff(people.alice), review_id=review.pk, agreed=False, note="It was none.")
    expect(page.locator("#readings section")).to_have_count(0)


def test_the_figures_of_what_is_due_and_done_follow_without_a_reload(visit: Visit, people: Cast) -> None:
    people.on_duty()
    _, page = board_of(visit, people)
    page.mouse.move(5, 5)
    tile = '[data-tile="{}"] [data-n]'
    alert = raise_for(people)
    sam = makers.staff(people.sam)
    claim_alert(actor=sam, alert_id=alert.pk)
    ending = Ending(
        disposition=Disposition.COMMUNITY, verdict=Verdict.TRUE_CRISIS, notes="At home.",
        follow_up_at=makers.now() + timedelta(hours=5),
    )  # fmt: skip
    resolve_alert(actor=sam, alert_id=alert.pk, ending=ending)
    expect(page.locator(tile.format("resolved"))).to_have_text("1")
    # The call that was promised, and what of the level's series falls into the next day.
    due = str(FollowUp.objects.filter(due_at__lte=makers.now() + timedelta(hours=24)).count())
    assert due != "0"
    expect(page.locator(tile.format("followups"))).to_have_text(due)
    expect(page.locator('[data-count="followups"] [data-n]')).to_have_text(due)
    item = make_item(
        actor=makers.machine(people.home), organization_id=people.home.pk, patient=people.patient,
        reason_code="medium_risk",
    )  # fmt: skip
    expect(page.locator("#today .plainlist li")).to_have_count(1)
    finish_item(actor=sam, item_id=item.pk, outcome="reviewed")
    expect(page.locator("#today")).to_contain_text("Nothing to review today.")
    expect(page.locator('[data-count="reviews"]')).to_be_hidden()
