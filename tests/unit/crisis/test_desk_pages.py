"""What the desk answers: done, 409 with who and what is allowed, 422 with the form, 404 for strangers."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Max
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cortex.accounts.models import User
from cortex.audit import system
from cortex.audit.models import PhiAccessLog
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.byhand.actions import raise_for_caller
from crisis.casework.commands import COMMANDS
from crisis.casework.views import NAMED
from crisis.escalation.models import SlaPolicy
from crisis.ownership.actions import claim_alert, release_alert
from crisis.reviews.models import SecondReview
from tests.cast import Cast
from tests.makers import make_alert, make_patient, scope_all, staff

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}


@pytest.fixture
def alert(cast: Cast) -> RiskAlert:
    """A critical alert; Cleo and Sam are on shift."""
    cast.on_duty()
    cast.on_duty(cast.sam)
    return make_alert(cast.patient)


def send(user: User, alert: Any, code: str, *, part: bool = False, **data: Any) -> Any:
    """Post a command of the alert as this person's browser would."""
    client = Client()
    client.force_login(user)
    address = reverse(f"crisis:alert_{code}", args=[getattr(alert, "pk", alert)])
    answer = client.post(address, {"seen": last_seen(alert)} | data, headers=PART if part else {})
    scope_all()
    return answer


def last_seen(alert: Any) -> int:
    """The feed number at which a form on a fresh page of this alert is drawn."""
    pk = getattr(alert, "pk", alert)
    return AlertEvent.objects.filter(alert=pk).aggregate(last=Max("feed_number"))["last"] or 0


def get(user: User, name: str, *ids: object) -> Any:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse(f"crisis:{name}", args=ids))
    scope_all()
    return answer


def text(answer: Any) -> str:
    return unescape(answer.content.decode())


def resolved(**changes: Any) -> dict[str, Any]:
    local = timezone.localtime() + timedelta(days=1)
    return {
        "disposition": "remained_community_with_plan",
        "verdict": "true_crisis",
        "notes": "Agreed to a call tomorrow",
        "follow_up_at": local.strftime("%Y-%m-%dT%H:%M"),
        "no_follow_up_reason": "",
    } | changes


# Done


def test_a_claim_leads_to_the_alert(cast: Cast, alert: RiskAlert) -> None:
    answer = send(cast.cleo, alert, "claim")
    assert (answer.status_code, answer["Location"]) == (303, reverse("crisis:alert_page", args=[alert.pk]))
    alert.refresh_from_db()
    assert alert.assigned_to_id == cast.cleo.pk


def test_a_command_by_script_is_answered_with_where_to_go(cast: Cast, alert: RiskAlert) -> None:
    answer = send(cast.cleo, alert, "claim", part=True, next="board")
    assert (answer.status_code, answer["HX-Redirect"]) == (204, reverse("crisis:board"))


def test_the_whole_way_from_claim_to_outcome_by_pages(cast: Cast, alert: RiskAlert) -> None:
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("claim", {}, "acknowledged"),
        ("attempt", {"channel": "phone", "note": "Rang out"}, "acknowledged"),
        ("contact", {"channel": "phone", "note": "She answered"}, "in_contact"),
        ("still_with", {}, "in_contact"),
        ("escalate", {"reason": "I need a second voice"}, "in_contact"),
        ("contact_end", {"note": "Calm for now"}, "monitoring"),
        ("resolve", resolved(), "resolved"),
        ("reopen", {"reason": "She called again"}, "acknowledged"),
        ("release", {"reason": "My shift ends"}, "notified"),
    ]
    for code, data, state in steps:
        answer = send(cast.cleo, alert, code, **data)
        assert answer.status_code == 303, (code, text(answer)[:400])
        alert.refresh_from_db()
        assert alert.status == state, code


# 409


@pytest.mark.parametrize("part", [False, True])
def test_the_second_claimer_is_told_who_has_it(cast: Cast, alert: RiskAlert, part: bool) -> None:
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    answer = send(cast.sam, alert, "claim", part=part)
    assert answer.status_code == 409
    assert "Cleo Cherono" in text(answer)
    assert "take it over" in text(answer)
    assert reverse("crisis:alert_page", args=[alert.pk]) in text(answer)
    assert ("<html" in text(answer)) is not part


def test_an_owner_whose_claim_the_clock_took_is_told_and_may_claim_again(
    cast: Cast, alert: RiskAlert
) -> None:
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    release_alert(actor=system("sweeper"), alert_id=alert.pk, reason="By the clock", code="inactive")
    answer = send(cast.cleo, alert, "contact", channel="phone", note="She answered")
    assert answer.status_code == 409
    assert "waiting for a counselor" in text(answer)
    assert "claim it" in text(answer)


@pytest.mark.parametrize("code", ["attempt", "contact", "release", "resolve", "false_alarm"])
def test_somebody_elses_alert_is_taken_over_first(cast: Cast, alert: RiskAlert, code: str) -> None:
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    answer = send(cast.sam, alert, code, reason="x", channel="phone", note="x", **resolved())
    assert answer.status_code == 409
    assert "Cleo Cherono has this alert. Take it over first" in text(answer)


def test_asking_twice_for_a_second_reader_is_a_conflict(cast: Cast, alert: RiskAlert) -> None:
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    data = {"verdict": "not_risk_language", "notes": "A song"}
    assert send(cast.cleo, alert, "false_alarm", **data).status_code == 303
    assert send(cast.cleo, alert, "false_alarm", **data).status_code == 409


# 422


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("release", {"reason": ""}, "reason"),
    ("take_over", {"reason": "   "}, "reason"),
    ("escalate", {}, "reason"),
    ("contact", {"channel": "pigeon"}, "channel"),
    ("resolve", resolved(disposition=""), "Choose how it ended"),
    ("resolve", resolved(disposition="cured"), "Outcome"),
    ("resolve", resolved(notes=" "), "Write what was agreed"),
    ("resolve", resolved(verdict=""), "verdict"),
    ("resolve", resolved(follow_up_at=""), "say why there is none"),
    ("resolve", resolved(follow_up_at="2020-01-01T10:00"), "must lie ahead"),
    ("resolve", resolved(follow_up_at="soon"), "follow_up_at"),
    ("false_alarm", {"verdict": "true_crisis"}, "notes"),
    ("false_alarm", {"notes": "A song"}, "verdict"),
]


@pytest.mark.parametrize(("code", "data", "said"), FAULTS)
def test_a_form_that_does_not_hold_together_comes_back_with_what_was_typed(
    cast: Cast, alert: RiskAlert, code: str, data: dict[str, Any], said: str
) -> None:
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    who = cast.sam if code == "take_over" else cast.cleo
    for part in (False, True):
        answer = send(who, alert, code, part=part, **data)
        assert answer.status_code == 422, text(answer)[:300]
        assert said in text(answer)
    alert.refresh_from_db()
    assert (alert.status, alert.assigned_to_id) == ("acknowledged", cast.cleo.pk)


def test_a_missing_reader_s_sentence_is_422(cast: Cast, alert: RiskAlert) -> None:
    review = asked(cast, alert)
    answer = decide(cast.sam, review, agreed="yes", note="")
    assert answer.status_code == 422


# 404 and 403


@pytest.mark.parametrize("command", [command.code for command in COMMANDS])
def test_a_stranger_learns_nothing_from_any_command(cast: Cast, alert: RiskAlert, command: str) -> None:
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    data = {"reason": "x", "note": "x", "channel": "phone"} | resolved()
    known = send(cast.charlie, alert, command, **data)
    unknown = send(cast.charlie, uuid4(), command, **data)
    assert (known.status_code, unknown.status_code) == (404, 404)
    assert "Cleo" not in text(known)


@pytest.mark.parametrize("name", ["alert_page", "alert_preview"])
def test_a_strangers_page_is_absent(cast: Cast, alert: RiskAlert, name: str) -> None:
    for stranger in (cast.bob, cast.charlie):
        assert get(stranger, name, alert.pk).status_code == 404


def test_the_administrator_has_no_desk(cast: Cast, alert: RiskAlert) -> None:
    assert get(cast.ada, "board").status_code in (403, 404)
    assert send(cast.ada, alert, "claim").status_code in (403, 404)


def test_an_unknown_address_of_an_alert_is_404_and_a_get_of_a_command_is_its_form(
    cast: Cast, alert: RiskAlert
) -> None:
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    assert get(cast.cleo, "alert_page", uuid4()).status_code == 404
    assert get(cast.cleo, "alert_resolve", alert.pk).status_code == 200


# Second readings


def asked(cast: Cast, alert: RiskAlert) -> SecondReview:
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    send(cast.cleo, alert, "false_alarm", verdict="not_risk_language", notes="A song")
    return SecondReview.objects.get(alert=alert, decided_at=None)


def decide(user: User, review: SecondReview, **data: str) -> Any:
    client = Client()
    client.force_login(user)
    data = {"seen": last_seen(review.alert_id)} | data  # type: ignore[dict-item]
    answer = client.post(reverse("crisis:review_decide", args=[review.pk]), data)
    scope_all()
    return answer


def test_a_second_reader_agrees_and_the_alert_ends(cast: Cast, alert: RiskAlert) -> None:
    review = asked(cast, alert)
    assert decide(cast.sam, review, agreed="yes", note="A song title").status_code == 303
    alert.refresh_from_db()
    assert alert.status == "false_alarm"
    assert decide(cast.sam, review, agreed="yes", note="Again").status_code == 404


def test_who_asked_can_not_be_the_second_reader(cast: Cast, alert: RiskAlert) -> None:
    review = asked(cast, alert)
    assert decide(cast.cleo, review, agreed="yes", note="It is fine").status_code in (404, 409)
    alert.refresh_from_db()
    assert alert.status == "acknowledged"


def test_a_counselor_is_no_second_reader_even_with_the_page_open(cast: Cast, alert: RiskAlert) -> None:
    from tests.makers import make_user

    other = make_user("counselor", cast.home)
    cast.on_duty(other)
    review = asked(cast, alert)
    second = make_alert(cast.patient, kind="medical", level="high", reason_code="text_b")
    claim_alert(actor=staff(other), alert_id=second.pk)  # this claim opens the person to them
    scope_all()
    assert get(other, "alert_page", alert.pk).status_code == 200
    assert decide(other, review, agreed="yes", note="Looks fine to me").status_code == 404
    alert.refresh_from_db()
    assert alert.status == "acknowledged"


def test_a_refused_ending_gives_its_owner_fresh_minutes(cast: Cast, alert: RiskAlert) -> None:
    review = asked(cast, alert)
    RiskAlert.objects.filter(pk=alert.pk).update(last_entry_at=timezone.now() - timedelta(minutes=20))
    assert decide(cast.sam, review, agreed="no", note="She means it").status_code == 303
    alert.refresh_from_db()
    (release,) = alert.steps.filter(done_at=None, epoch=alert.epoch, kind="release_claim")
    assert release.due_at > timezone.now() + timedelta(minutes=4)


def test_new_evidence_takes_the_question_to_the_second_reader_back(cast: Cast, alert: RiskAlert) -> None:
    RiskAlert.objects.filter(pk=alert.pk).update(level="high")
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    send(cast.cleo, alert, "resolve", **resolved(disposition="not_a_crisis"))
    review = SecondReview.objects.get(alert=alert, decided_at=None)
    make_alert(cast.patient)
    scope_all()
    assert decide(cast.sam, review, agreed="yes", note="Fine").status_code == 404
    alert.refresh_from_db()
    assert (alert.status, alert.level) == ("acknowledged", "critical")


# Access


def test_opening_a_page_is_written_down(cast: Cast, alert: RiskAlert) -> None:
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    before = PhiAccessLog.objects.filter(actor_id=cast.cleo.pk).count()
    assert get(cast.cleo, "alert_page", alert.pk).status_code == 200
    assert PhiAccessLog.objects.filter(actor_id=cast.cleo.pk).count() > before


def test_a_refused_look_shows_no_name(cast: Cast, alert: RiskAlert) -> None:
    answer = get(cast.cleo, "alert_preview", alert.pk)  # on shift, not claimed: the coded card only
    assert answer.status_code == 200
    assert "Zawadi" not in text(answer)
    assert "Planted" not in text(answer)


def test_a_caller_who_is_linked_stands_as_the_person_on_record_and_once_in_the_timeline(cast: Cast) -> None:
    cast.on_duty()
    told = raise_for_caller(
        actor=staff(cast.cleo), pseudonym="", level="high", kind="self_harm", note="A neighbour rang."
    )
    raised_as = told.patient.anonymous_id
    send(cast.cleo, told, "claim")
    for _press in range(2):
        link = {"pseudonym": cast.patient.anonymous_id, "reason": "The neighbour gave the full name"}
        assert send(cast.cleo, told, "link", **link).status_code == 303
    assert list(told.events.values_list("kind", flat=True)).count("person_linked") == 1
    page = get(cast.cleo, "alert_page", told.pk).content.decode()
    assert "Linked to the person on record" in page
    assert f'raised as <span class="nowrap pii">{raised_as}</span>' in page


def test_the_demo_says_on_every_page_that_its_people_are_fictional(cast: Cast) -> None:
    words = "everybody here is fictional"
    assert words not in get(cast.cleo, "board").content.decode()
    cast.home.settings = {"fictional": True}
    cast.home.save(update_fields=["settings"])
    for page in ("board", "my_cases", "duty", "resources"):
        assert words in get(cast.cleo, page).content.decode(), page


def test_pages_beside_the_board_listen_for_whoever_hears_it_and_name_nobody(
    cast: Cast, alert: RiskAlert
) -> None:
    for name in ("my_cases", "followups", "review_list", "resolved", "duty", "alert_new", "resources"):
        shown = text(get(cast.cleo, name))
        assert f'"board:{cast.home.pk}"' in shown, name
        assert str(alert.pk) in shown, name
        assert alert.patient is not None
        # A critical alert makes a task of the safety plan, and a list of tasks names whose it is.
        assert (alert.patient.anonymous_id in shown) is (name == "review_list"), name
    assert "data-topics" not in text(get(cast.alice, "my_cases")), "she is not on shift"
    assert text(get(cast.cleo, "board")).count("data-waiting=") == 0, "the board hears for itself"


def test_the_board_names_the_targets_that_its_services_really_have(cast: Cast) -> None:
    cast.on_duty()
    shown = get(cast.cleo, "board").content.decode()
    assert "Targets: critical 2 min, high 15 min, waiting person 2 min" in shown
    assert "First contact: critical 5 min, high 1 h, waiting person 5 min" in shown
    default = SlaPolicy.objects.get(organization=None, level="high")
    default.pk, default.organization, default.acknowledge_seconds = None, cast.home, 600
    default.save(force_insert=True)
    assert "Targets: critical 2 min, high 10 min, waiting" in get(cast.cleo, "board").content.decode()


def test_an_alert_s_page_names_the_most_urgent_that_wait_and_counts_the_others(cast: Cast) -> None:
    alert = cast.claimed_alert()
    others = [make_alert(make_patient(cast.home), "critical") for _ in range(NAMED + 3)]
    client = Client()
    client.force_login(cast.cleo)
    text = client.get(reverse("crisis:alert_page", args=[alert.pk])).content.decode()
    found = re.search(r'data-waiting="([^"]*)"', text)
    assert found is not None
    waiting = json.loads(unescape(found[1]))
    assert [one["id"] for one in waiting] == [str(one.pk) for one in others]
    assert [("who" in one) for one in waiting] == [True] * NAMED + [False] * 3
    scope_all()
    row = PhiAccessLog.objects.filter(object_type="waiting").latest("pk")
    assert set(row.subjects) == {one.patient_id for one in others[:NAMED]}
