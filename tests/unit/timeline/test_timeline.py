"""A person's timeline: what stands on it, in which order, for whom, and what people add to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.assessments.actions import finish_assessment
from clinical.timeline.actions import pin_entry, review_finding, unpin_entry
from clinical.timeline.models import FindingReview, TimelinePin
from clinical.timeline.queries import PAGE, timeline
from clinical.timeline.registry import Cursor, Entry, kinds, sources
from cortex.access.context import reading
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from crisis.risk.models import Evidence, RiskAssessment
from crisis.risk.queries import latest_assessment
from patients.care.actions import end_care_team_place
from patients.care.models import CareTeamMember
from patients.privacy.models import Consent
from patients.registry.access import CHART
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn
from tests import makers, stores
from tests.cast import Cast
from tests.explained import plan_of
from tests.makers import staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LARGE = ("patients_session", "patients_dailycheckin", "crisis_evidence")
CALM = {f"q{number}": 1 for number in range(1, 9)} | {"q9": 0}


def look(cast: Cast, **asked: Any) -> Any:
    makers.scope_all()
    with reading(staff(cast.alice), purpose="treatment", permission=CHART) as context:
        found = timeline(context, staff(cast.alice), cast.patient.pk, makers.now() + DAY, **asked)
        context.saw("timeline", subjects=[cast.patient.pk])
    makers.scope_all()
    return found


def all_pages(cast: Cast, **asked: Any) -> list[Entry]:
    found: list[Entry] = []
    before: Cursor | None = None
    for _ in range(200):
        page = look(cast, before=before, **asked)
        found += page.entries
        before = page.after
        if before is None:
            return found
    raise AssertionError("the timeline has no end")


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def add_days(cast: Cast, count: int, *, same_moment: bool = False) -> None:
    """So many days, each with a session and a check-in."""
    at = makers.now() - DAY
    home, who = cast.home, cast.patient
    Session.objects.bulk_create(
        Session(
            organization=home, patient=who, kind="chat", status="completed", received_at=at,
            started_at=at if same_moment else at - DAY * number,
        )
        for number in range(count)
    )  # fmt: skip
    DailyCheckIn.objects.bulk_create(
        DailyCheckIn(
            organization=home, patient=who, date=(at - DAY * number).date(), mood=5, submitted_at=at,
            received_at=at,
        )
        for number in range(count)
    )  # fmt: skip


def add_signal(cast: Cast) -> Evidence:
    at = makers.now() - DAY
    return Evidence.objects.create(
        organization=cast.home, patient=cast.patient, code="TEXT_C", domain="text", tier="C", confidence=0.5,
        source_type="message", source_id=uuid4(), observed_at=at, received_at=at, lexicon_version="1.1.0",
    )  # fmt: skip


def add_level(cast: Cast, level: str = "medium", days: int = 1) -> RiskAssessment:
    at = makers.now() - DAY * days
    return RiskAssessment.objects.create(
        organization=cast.home, patient=cast.patient, level=level, engine_level=level, level_source="score",
        score="0.40", score_raw="0.4000", protective_applied=0, engine_version="1.2.0",
        missing_inputs=["cssrs"], inputs_digest="0" * 64, computed_at=at, entered_level_at=at,
    )  # fmt: skip


def test_everything_that_exists_stands_on_one_timeline_newest_first(cast: Cast) -> None:
    add_days(cast, 2)
    finish_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9", answers=CALM)
    add_signal(cast)
    add_level(cast)
    alert = makers.make_alert(cast.patient)
    place = CareTeamMember.objects.get(patient=cast.patient, user=cast.alice)
    found = look(cast).entries
    assert [one.cursor for one in found] == sorted((one.cursor for one in found), reverse=True)
    assert {one.kind for one in found} >= {
        "sessions",
        "measures",
        "alerts",
        "signals",
        "days",
        "consents",
        "team",
    }
    raised = next(one for one in found if one.id == alert.pk)
    assert [words for _, words, _ in raised.steps] == ["Alert raised"]
    assert any(one.id == place.pk and "Alice Achieng joined" in one.title for one in found)


def test_who_left_and_what_was_withdrawn_is_told(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob, starts_at=makers.now() - DAY, at=makers.now() - DAY)
    place = CareTeamMember.objects.get(patient=cast.patient, user=cast.bob)
    end_care_team_place(actor=staff(cast.ada), member_id=place.pk)
    makers.scope_all()
    titles = [one.title for one in look(cast, kinds=["team"]).entries]
    assert "Bob Barasa left the team" in titles
    assert Consent.objects.filter(patient=cast.patient, granted=True).count() == sum(
        one.title.endswith("agreed") for one in look(cast, kinds=["consents"]).entries
    )


@pytest.mark.parametrize("same_moment", [False, True], ids=["day after day", "all in one moment"])
def test_pages_hold_every_entry_once_and_in_order(cast: Cast, same_moment: bool) -> None:
    add_days(cast, PAGE + 7, same_moment=same_moment)
    found = all_pages(cast)
    ids = [one.id for one in found]
    assert len(ids) == len(set(ids))
    assert [one.cursor for one in found] == sorted((one.cursor for one in found), reverse=True)
    assert sum(one.kind == "sessions" for one in found) == PAGE + 7
    assert sum(one.kind == "days" for one in found) == PAGE + 7


@pytest.mark.parametrize("kind", ["sessions", "days", "measures"])
def test_a_filter_shows_its_kind_alone(cast: Cast, kind: str) -> None:
    add_days(cast, 3)
    finish_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9", answers=CALM)
    assert {one.kind for one in look(cast, kinds=[kind]).entries} == {kind}


def test_a_search_is_posted_finds_words_of_entries_and_says_how_far_back_it_looked(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_days(cast, 30)
    finish_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9", answers=CALM,
        administered_at=makers.now() - 20 * DAY,
    )  # fmt: skip
    client, url = client_of(cast.alice), reverse("clinical:timeline", args=[cast.patient.pk])
    text = client.post(url, {"q": "phq-9: 8"}).content.decode()
    assert "1 entry says" in text
    assert "Searched to the beginning." in text
    assert "Daily check-in" not in text.split("te-page")[1]
    monkeypatch.setattr("clinical.timeline.queries.SEARCHED", 10)
    near = client.post(url, {"q": "phq-9: 8"}).content.decode()
    assert "No entry says that" in near
    assert "Search further back" in near
    assert 'value="phq-9"' not in client.get(url, {"q": "phq-9"}).content.decode(), "an address asks nothing"


def test_a_pin_is_the_team_s_and_taking_it_off_is_on_record(cast: Cast) -> None:
    add_days(cast, 1)
    session = Session.objects.get(patient=cast.patient)
    where = {"patient_id": cast.patient.pk, "source": "session", "item_id": session.pk}
    pin_entry(actor=staff(cast.alice), **where)
    pin_entry(actor=staff(cast.alice), **where)
    makers.add_to_team(cast.patient, cast.bob, starts_at=makers.now() - DAY, at=makers.now() - DAY)
    url = reverse("clinical:timeline", args=[cast.patient.pk])
    assert "Take the pin off: Chat" in client_of(cast.bob).get(url).content.decode()
    assert [one.id for one in look(cast, only_pinned=True).entries] == [session.pk]
    unpin_entry(actor=staff(cast.bob), **where)
    makers.scope_all()
    assert look(cast, only_pinned=True).entries == []
    assert TimelinePin.objects.get().unpinned_by == cast.bob
    verbs = AuditLog.objects.filter(event_type__startswith="timeline.").values_list("event_type", flat=True)
    assert list(verbs.order_by("id")) == ["timeline.pinned", "timeline.unpinned"]


def test_pins_have_a_number_and_only_entries_of_this_person_are_pinned(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_days(cast, 2)
    first, second = Session.objects.filter(patient=cast.patient)
    other = makers.make_session(makers.make_patient(cast.home))
    makers.scope_all()
    where: dict[str, Any] = {"actor": staff(cast.alice), "patient_id": cast.patient.pk, "source": "session"}
    for strange in (other.pk, uuid4()):
        with pytest.raises(NotFound):
            pin_entry(item_id=strange, **where)
    with pytest.raises(NotFound):
        pin_entry(**where | {"source": "no_such"}, item_id=first.pk)
    monkeypatch.setattr("clinical.timeline.queries.MOST_PINS", 1)
    pin_entry(item_id=first.pk, **where)
    with pytest.raises(RuleBroken):
        pin_entry(item_id=second.pk, **where)


def test_every_machine_finding_says_who_said_it_and_how_sure_it_is(cast: Cast) -> None:
    signal, level = add_signal(cast), add_level(cast)
    by_id = {one.id: one for one in look(cast, kinds=["signals"]).entries}
    told = by_id[signal.pk].finding
    assert (told.said_by, told.confidence) == ("Lexicon 1.1.0", "not sure: look for yourself")
    assert by_id[level.pk].finding.said_by == "Engine 1.2.0"
    assert "no C-SSRS in 30 days" in by_id[level.pk].detail


def test_a_finding_is_accepted_rejected_or_commented_once_and_for_good(cast: Cast) -> None:
    signal = add_signal(cast)
    client = client_of(cast.alice)
    url = reverse("clinical:finding_review", args=[cast.patient.pk, "signal", signal.pk])
    assert client.post(url, {"verdict": "rejected", "comment": "A line of a song."}).status_code == 303
    assert client.post(url, {"verdict": "accepted"}).status_code == 303
    makers.scope_all()
    rows = list(FindingReview.objects.order_by("reviewed_at"))
    assert [one.verdict for one in rows] == ["rejected", "accepted"]
    assert (rows[0].said_by, rows[0].code, rows[0].kind) == ("Lexicon 1.1.0", "TEXT_C", "evidence")
    signal.refresh_from_db()
    assert signal.refuted_at is None, "a verdict alone lowers nothing"
    page = client.get(reverse("clinical:timeline", args=[cast.patient.pk])).content.decode()
    assert page.count('name="csrfmiddlewaretoken"') >= page.count('<form method="post"'), (
        "each form may be sent"
    )
    assert "Rejected by Alice Achieng" in page
    assert "A line of a song." in page
    verbs = AuditLog.objects.filter(event_type__startswith="finding.").order_by("id")
    assert [one.event_type for one in verbs] == ["finding.rejected", "finding.accepted"]
    assert "song" not in str([one.codes for one in verbs])
    with pytest.raises(Exception, match=r"append-only|permission denied"), stores.role("cortex_app"):
        FindingReview.objects.update(verdict="accepted")


def test_a_comment_without_words_comes_back_and_no_session_is_a_finding(cast: Cast) -> None:
    signal = add_signal(cast)
    add_days(cast, 1)
    session = Session.objects.get(patient=cast.patient)
    client = client_of(cast.alice)
    url = reverse("clinical:finding_review", args=[cast.patient.pk, "signal", signal.pk])
    refused = client.post(url, {"verdict": "commented", "comment": " "})
    assert refused.status_code == 422
    assert "Write the comment first." in refused.content.decode()
    long = client.post(url, {"verdict": "accepted", "comment": "x" * 2001})
    assert long.status_code == 422
    assert "x" * 2001 in long.content.decode()
    asked: dict[str, Any] = {"actor": staff(cast.alice), "patient_id": cast.patient.pk}
    with pytest.raises(NotFound):
        review_finding(**asked, source="session", finding_id=session.pk, verdict="accepted")
    with pytest.raises(InputRefused):
        review_finding(**asked, source="signal", finding_id=signal.pk, verdict="loved")


def test_each_opening_leaves_one_row_and_a_stranger_learns_nothing(cast: Cast) -> None:
    url = reverse("clinical:timeline", args=[cast.patient.pk])
    for opened in (
        lambda c: c.get(url),
        lambda c: c.post(url, {"q": "chat"}),
        lambda c: c.get(url + "?kind=days"),
    ):
        before = PhiAccessLog.objects.filter(data_type="timeline").count()
        assert opened(client_of(cast.alice)).status_code == 200
        makers.scope_all()
        assert PhiAccessLog.objects.filter(data_type="timeline").count() == before + 1
    row = PhiAccessLog.objects.filter(data_type="timeline").latest("id")
    assert (row.purpose, row.subject, row.sections) == ("treatment", cast.patient.pk, ["days"])
    assert client_of(cast.bob).get(url).status_code == 404
    assert client_of(cast.charlie).post(url, {"q": "a"}).status_code == 404


@pytest.mark.parametrize(
    "bad",
    [
        "x", "~", "2026-01-01~session~no", f"9999-99-99T00:00~a~{'0' * 32}", "\x00",
        f"2026-01-01T00:00~session~{UUID(int=1)}",
    ],
)  # fmt: skip
def test_an_address_that_says_nothing_gives_the_first_page(cast: Cast, bad: str) -> None:
    client, url = client_of(cast.alice), reverse("clinical:timeline", args=[cast.patient.pk])
    for query in ({"before": bad}, {"kind": bad}, {"until": bad}):
        assert client.get(url, query).status_code == 200


def test_up_to_a_day_shows_that_day_and_what_was_before(cast: Cast) -> None:
    add_days(cast, 5)
    client, url = client_of(cast.alice), reverse("clinical:timeline", args=[cast.patient.pk])
    day = (makers.now() - 3 * DAY).date()
    text = client.get(url, {"until": f"{day:%Y-%m-%d}", "kind": "days"}).content.decode()
    assert f'datetime="{day:%Y-%m-%d}"' in text
    assert f'datetime="{day + DAY:%Y-%m-%d}"' not in text


def test_ten_years_cost_as_many_statements_as_ten_days_and_no_plan_reads_a_table_whole(cast: Cast) -> None:
    add_level(cast)
    add_signal(cast)
    add_days(cast, 10)

    def cost() -> tuple[int, list[str]]:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            look(cast)
        return len(asked), [one["sql"] for one in asked.captured_queries]

    few, _ = cost()
    other = makers.make_patient(cast.home)
    makers.scope_all()
    for who in (cast.patient, other):
        _fill(cast, who)
    with stores.role("cortex_owner"), connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE patients_session, patients_dailycheckin, crisis_evidence, crisis_riskassessment"
        )
    makers.scope_all()
    many, statements = cost()
    assert many == few
    with connection.cursor() as cursor:
        for sql in statements:
            if not any(
                name in sql for name in ("patients_session", "patients_dailycheckin", "crisis_evidence")
            ):
                continue
            if not sql.startswith("SELECT"):
                continue
            plan = plan_of(cursor, sql)
            assert not any(f"Seq Scan on {name}" in plan for name in LARGE), plan


def _fill(cast: Cast, who: Any) -> None:
    """Ten years of somebody: a session a week, a check-in a day, signals."""
    at = makers.now() - 12 * DAY
    common = {"organization": cast.home, "patient": who, "received_at": at}
    Session.objects.bulk_create(
        Session(kind="chat", status="completed", started_at=at - 7 * DAY * number, **common)
        for number in range(150)
    )
    DailyCheckIn.objects.bulk_create(
        DailyCheckIn(date=(at - DAY * number).date(), mood=5, submitted_at=at, **common)
        for number in range(500)
    )
    Evidence.objects.bulk_create(
        Evidence(code="TEXT_D", domain="text", source_type="message", observed_at=at - DAY * number, **common)
        for number in range(400)
    )


def test_features_add_sources_under_filters_of_their_own() -> None:
    assert len({one.key for one in sources()}) == len(sources())
    assert list(kinds()) == list(dict.fromkeys(one.kind for one in sources()))
    assert Cursor.read(Cursor(datetime(2026, 1, 1, tzinfo=UTC), "day", UUID(int=5)).text()) is not None


def test_the_level_of_a_person_is_found_by_its_own_row(cast: Cast) -> None:
    older, newer = add_level(cast, "low", 9), add_level(cast, "high", 2)
    assert [one.id for one in look(cast, kinds=["signals"]).entries] == [newer.pk, older.pk]
    assert latest_assessment(cast.patient.pk) == newer


def test_a_session_leads_to_its_page_from_the_timeline_and_from_the_overview(cast: Cast) -> None:
    add_days(cast, 1)
    one = Session.objects.get(patient=cast.patient)
    client, where = client_of(cast.alice), reverse("clinical:session", args=[cast.patient.pk, one.pk])
    for name in ("timeline", "chart"):
        page = client.get(reverse(f"clinical:{name}", args=[cast.patient.pk])).content.decode()
        assert f'<a href="{where}">Chat' in page, name
    assert client.get(where).status_code == 200
    makers.scope_all()
    (entry,) = look(cast, kinds=["sessions"]).entries
    assert entry.url == where
