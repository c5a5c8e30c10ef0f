"""What measures are called elsewhere (LOINC), what a low wellbeing leads to, and how a response is said."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from django.urls import reverse

from clinical.assessments.actions import finish_assessment
from clinical.assessments.definitions import packaged
from clinical.assessments.models import Assessment
from clinical.assessments.scoring import change
from clinical.assessments.wording import change_words
from cortex.ui.zone import zone_of
from crisis.reviews.models import ReviewItem
from patients.registry.queries import local_day
from tests import makers
from tests.cast import Cast
from tests.makers import client_of, staff
from tests.unit.assessments.test_results import page_of, taken
from tests.unit.plans.test_switches import switch

DAY = timedelta(days=1)
PHQ9_ITEMS = (
    "44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8",
)  # fmt: skip
HOW_OFTEN = ("LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9")
# Domain 2: panel, total (of a screener its risk level), items, answers.
CODES = {
    "phq9": ("44249-1", "44261-6", (*PHQ9_ITEMS, "69722-7"), HOW_OFTEN),
    "phq2": ("55757-9", "55758-7", PHQ9_ITEMS[:2], HOW_OFTEN),
    "gad7": (
        "69737-5", "70274-6",
        ("69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"),
        HOW_OFTEN,
    ),
    "cssrs": (
        "93373-9", "93374-7",
        ("93246-7", "93247-5", "93248-3", "93249-1", "93250-9", "93267-3", "93269-9"),
        ("LA32-8", "LA33-6"),
    ),
    # None is confirmed: nothing is guessed.
    "who5": ("", "", ("",) * 5, ("",) * 6),
    "isi": ("", "", ("",) * 7, ("",) * 5),
}  # fmt: skip


@pytest.mark.parametrize("key", CODES)
def test_measures_carry_the_codes_that_were_checked_and_no_others(key: str) -> None:
    one = packaged()[key]
    items, answers = tuple(item.loinc for item in one.items), tuple(answer.loinc for answer in one.answers)
    assert (one.loinc_panel, one.loinc_total, items, answers) == CODES[key]


@pytest.mark.django_db
def test_a_result_and_its_printed_course_name_the_codes(cast: Cast) -> None:
    assert "LOINC 44249-1, total 44261-6." in page_of(cast, taken(cast, 0))
    printed = reverse("clinical:measure_print", args=[cast.patient.pk, "phq9"])
    assert "LOINC 44249-1, total 44261-6." in client_of(cast.alice).get(printed).content.decode()
    assert "LOINC 93373-9, risk level 93374-7." in page_of(cast, taken(cast, 0, "cssrs"))
    switch(cast, "who5", True)
    assert "LOINC" not in page_of(cast, wellbeing(cast, 60))


def wellbeing(cast: Cast, total: int, at: datetime | None = None) -> Assessment:
    left, answers = total // 4, {}
    for number in range(1, 6):
        answers[f"q{number}"] = min(5, left)
        left -= answers[f"q{number}"]
    one, _ = finish_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key="who5", answers=answers,
        administered_at=at,
    )  # fmt: skip
    makers.scope_all()
    assert one.total == total
    return one


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("total", "due"), [(0, "today"), (28, "today"), (32, "later"), (48, "later"), (52, "")]
)
def test_a_low_wellbeing_offers_a_phq9_and_a_very_low_one_asks_for_it_today(
    cast: Cast, total: int, due: str
) -> None:
    switch(cast, "who5", True)
    before = makers.now()
    one = wellbeing(cast, total)
    found = ReviewItem.objects.filter(patient=cast.patient, reason_code="phq9_due").first()
    if not due:
        assert found is None
        return
    assert found is not None and (found.source_id, found.owner_id) == (one.pk, cast.alice.pk)
    zone = zone_of(cast.home.default_timezone)
    if due == "today":
        tomorrow = local_day(cast.patient, one.administered_at) + DAY
        assert found.due_at == datetime.combine(tomorrow, time.min, zone)
    else:
        assert before + 2 * DAY <= found.due_at <= makers.now() + 2 * DAY
    task = client_of(cast.alice).get(reverse("crisis:review_detail", args=[found.pk])).content.decode()
    assert "Offer a PHQ-9" in task
    assert reverse("clinical:measure_ask", args=[cast.patient.pk, "phq9"]) in task


@pytest.mark.parametrize(
    ("totals", "words"),
    [
        ((16, 8), "\N{MINUS SIGN}8, reliably better, response"),
        ((20, 10), "\N{MINUS SIGN}10, reliably better, response"),
        ((10, 5), "\N{MINUS SIGN}5, better, response"),
        ((20, 11), "\N{MINUS SIGN}9, reliably better"),
        ((9, 5), "\N{MINUS SIGN}4, no clear change"),
        ((16, 4), "\N{MINUS SIGN}12, in remission"),
        ((8, 16), "+8, reliably worse"),
    ],
)
def test_half_of_a_total_of_ten_or_more_gone_is_said_to_be_a_response(
    totals: tuple[int, int], words: str
) -> None:
    assert change_words(change(packaged()["phq9"], *totals)) == words
