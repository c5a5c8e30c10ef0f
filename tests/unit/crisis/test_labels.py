"""Sensitivity labels in crisis work: whose words stay closed, and what stands for substance use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.sessions import actions as running
from cortex.accounts.models import User
from cortex.audit.models import PhiAccessLog
from cortex.ids import uuid7
from crisis.alerts.cards import SOURCES, cards
from crisis.alerts.models import RiskAlert, Source
from crisis.calibration.figures import Shadow, Tally
from crisis.calibration.tables import shadow_words
from crisis.ownership.actions import claim_alert
from crisis.risk.models import Evidence, RiskAssessment
from crisis.risk.protected import without_protected
from patients.breakglass.actions import confirm_protected
from patients.registry.access import CHART
from patients.sessions.models import Session
from patients.sessions.records import ActivityData, Batch, FeedbackData
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.crisis.test_desk_pages import get, text
from tests.unit.sessions.test_running import client_of

pytestmark = pytest.mark.django_db
TOLD = "I sold the goat yesterday"
KEPT_BACK = "These words are kept back from you under a sensitivity label."
OPENED = ("source_message", "source_withheld")


def factor(code: str, domain: str = "text", source: UUID | None = None, **more: Any) -> dict[str, Any]:
    """A factor as an alert keeps it."""
    return {
        "code": code, "domain": domain, "source_type": "message", "source_id": str(source or uuid7()),
        "observed_at": makers.now().isoformat(), "confidence": 0.9, "contribution": 0.2, "share": 0.5,
    } | more  # fmt: skip


def alert_with(cast: Cast, *factors: dict[str, Any]) -> RiskAlert:
    """An alert that stands on these factors, which Cleo claimed."""
    alert = makers.make_alert(cast.patient, facts={"factors": list(factors), "rules_fired": ["H11"]})
    cast.on_duty()
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    makers.scope_all()
    return alert


def asked(user: User, alert: RiskAlert, source: UUID) -> str:
    answer = get(user, "alert_source", alert.pk, source)
    assert answer.status_code == 200
    return text(answer)


def cleo(cast: Cast) -> User:
    return cast.cleo


def alice(cast: Cast) -> User:
    return cast.alice


def agreed(cast: Cast) -> User:
    """Alice, whose person agreed to Part 2 records serving their treatment."""
    makers.consent(cast.patient, "part2_tpo")
    return cast.alice


def claimed_and_agreed(cast: Cast) -> User:
    """Cleo, who has the alert of somebody who agreed: that opens Part 2 to the team, not to a claim."""
    makers.consent(cast.patient, "part2_tpo")
    return cast.cleo


def glass(cast: Cast) -> User:
    """Sam, who supervises and opened the chart by break-glass."""
    return makers.glass(cast.patient, cast.sam)


def confirmed(cast: Cast) -> User:
    """Sam confirmed a second time that the emergency needs what is protected."""
    return makers.glass(cast.patient, cast.sam, confirmed=True)


def supervisor(cast: Cast) -> User:
    return cast.sam


def consultant(cast: Cast) -> User:
    """Bob was asked for a second opinion."""
    makers.grant(cast.patient, cast.bob, reason_code="consultation", permission=CHART)
    return cast.bob


SHUT: list[tuple[list[str], Callable[[Cast], User], bool]] = [
    ([], cleo, False), (["N"], cleo, False), (["R"], cleo, True), (["MINOR"], cleo, True),
    (["SUD_PART2"], cleo, True), (["SUD_PART2"], claimed_and_agreed, True), (["R"], supervisor, True),
    (["R"], alice, False), (["HIV"], alice, False), (["SUD_PART2"], alice, True),
    (["SUD_PART2"], agreed, False), (["V"], agreed, True), (["SUD_PART2"], glass, True),
    (["SUD_PART2"], confirmed, False), (["GBV"], confirmed, True), (["R"], consultant, True),
]  # fmt: skip


@pytest.mark.parametrize(("labels", "reader", "shut"), SHUT)
def test_the_words_behind_a_factor_open_to_whom_their_label_opens_in_the_chart(
    cast: Cast, labels: list[str], reader: Callable[[Cast], User], shut: bool
) -> None:
    message = makers.make_message(cast.patient, TOLD, sensitivity_labels=labels)
    alert = alert_with(cast, factor("TEXT_B", source=message.pk))
    user = reader(cast)
    shown = asked(user, alert, message.pk)
    assert (TOLD in shown) is not shut
    assert (KEPT_BACK in shown) is shut
    if shut:
        assert not any(one in shown for one in ("Part 2", "Substance", "MINOR", "GBV")), "no label is named"
    (look,) = PhiAccessLog.objects.filter(actor_id=user.pk, data_type__in=OPENED)
    assert (look.data_type, look.object_id) == (OPENED[shut], message.pk)
    assert bool(look.break_glass) is (reader is confirmed and not shut), "judged with all that it opened"
    assert look.relationship, "the trail says by which right somebody asked"


def test_who_may_read_it_and_all_that_is_needed_to_act_stay_on_the_page(cast: Cast) -> None:
    message = makers.make_message(cast.patient, TOLD, sensitivity_labels=["R"])
    alert = alert_with(cast, factor("TEXT_B", source=message.pk))
    assert "the person's care team as far as the label" in asked(cast.cleo, alert, message.pk)
    page = text(get(cast.cleo, "alert_page", alert.pk))
    for kept in ("Words about suicide", "Zawadi Planted", "+254", "Suggested now", "critical"):
        assert kept in page, kept
    source = reverse("crisis:alert_source", args=[alert.pk, message.pk])
    assert source in page, "that there are words is no secret: whoever asks is told who may read them"


@pytest.mark.parametrize("kind", ["message", "transcript", "activity", "feedback"])
def test_the_label_of_a_session_keeps_back_all_that_was_said_in_it(cast: Cast, kind: str) -> None:
    at, common = makers.now(), (cast.patient.pk, cast.home.pk, makers.now())
    if kind == "message":
        row: Any = makers.make_message(cast.patient, TOLD)
    elif kind == "transcript":
        row = makers.make_voice(cast.patient, TOLD)
    else:
        session = makers.make_session(cast.patient, kind="chat")
        data: Any = (
            ActivityData(*common, session_id=session.pk, activity_type="breathing", started_at=at,
                         user_feedback=TOLD)
            if kind == "activity"
            else FeedbackData(*common, session_id=session.pk, given_at=at, feedback_text=TOLD)
        )  # fmt: skip
        rows = {"activity": "activities", "feedback": "feedback"}[kind]
        makers.store(
            actor=makers.machine(cast.home), patient=cast.patient, sessions=[], batch=Batch(**{rows: [data]})
        )
        makers.scope_all()
        row = {"activity": session.activities, "feedback": session.feedback}[kind].get()  # type: ignore[attr-defined]
    alert = alert_with(cast, factor("TEXT_B", source=row.pk, source_type=kind))
    assert TOLD in asked(cast.cleo, alert, row.pk)
    Session.objects.filter(patient=cast.patient).update(sensitivity_labels=["HIV"])
    assert TOLD not in asked(cast.cleo, alert, row.pk)
    assert TOLD in asked(cast.alice, alert, row.pk)


def test_who_ran_a_session_opens_its_words_from_the_alert_too(cast: Cast) -> None:
    begun = running.start_session(actor=staff(cast.alice), patient_id=cast.patient.pk, channel="video")
    makers.scope_all()
    Session.objects.filter(pk=begun.pk).update(sensitivity_labels=["V"])
    message = makers.make_message(cast.patient, TOLD, session=Session.objects.get(pk=begun.pk))
    alert = alert_with(cast, factor("TEXT_B", source=message.pk))
    makers.add_to_team(cast.patient, cast.bob)
    assert TOLD in asked(cast.alice, alert, message.pk)
    assert TOLD not in asked(cast.bob, alert, message.pk)


SUBSTANCE = ("RF_DX_SUD", "RF_INTOXICATED", "WS_INTOX_ESCALATION")
SPOKEN = ("substance", "intoxicated", "drinks", "dx sud", "intox")


@pytest.mark.parametrize("code", SUBSTANCE)
def test_substance_use_is_a_protected_factor_on_panel_and_page_to_whom_part_2_is_closed(
    cast: Cast, code: str
) -> None:
    alert = alert_with(cast, factor(code, "history", share=0.6), factor("TEXT_B", share=0.4))
    assert "Protected factor" in text(get(cast.alice, "alert_page", alert.pk)), "nobody agreed"
    makers.consent(cast.patient, "part2_tpo")
    for user, name, closed in (
        (cast.cleo, "alert_preview", True), (cast.cleo, "alert_page", True), (cast.sam, "alert_page", True),
        (cast.alice, "alert_page", False),
    ):  # fmt: skip
        page = text(get(user, name, alert.pk))
        assert ("Protected factor" in page) is closed, name
        assert any(one in page.lower() for one in SPOKEN) is not closed, name
        assert "Words about suicide" in page
        assert "60 %" in page and "40 %" in page
    assert RiskAlert.objects.get(pk=alert.pk).factors[0]["code"] == code, "the engine keeps what it found"


def test_one_line_stands_for_all_of_them_with_neither_domain_nor_source(cast: Cast) -> None:
    hour = timedelta(hours=1)
    old, new = ((makers.now() - count * hour).isoformat() for count in (50, 3))
    alert = alert_with(
        cast,
        factor("RF_DX_SUD", "history", share=0.3, source_type="clinician", observed_at=old),
        factor("TEXT_B", share=0.4),
        factor("WS_INTOX_ESCALATION", "warning", share=None, observed_at=old),
        factor("RF_INTOXICATED", "state", share=0.2, observed_at=new),
    )
    page = text(get(cast.cleo, "alert_page", alert.pk))
    assert page.count("Protected factor") == 1
    assert "Kept back from you · under a sensitivity label · 3 h ago" in page
    assert "50 %" in page
    for other in ("History", "Warning sign", "Current state", "a clinician"):
        assert other not in page, other
    assert page.count("Open source") == 1


def test_words_that_a_protected_factor_alone_leads_to_stay_closed(cast: Cast) -> None:
    message = makers.make_message(cast.patient, TOLD)
    only = alert_with(cast, factor("RF_INTOXICATED", "state", message.pk), factor("TEXT_B"))
    assert KEPT_BACK in asked(cast.cleo, only, message.pk)
    makers.consent(cast.patient, "part2_tpo")
    assert TOLD in asked(cast.alice, only, message.pk)
    RiskAlert.objects.filter(pk=only.pk).update(
        factors=[factor("RF_INTOXICATED", "state", message.pk), factor("TEXT_B", source=message.pk)]
    )
    assert TOLD in asked(cast.cleo, only, message.pk), "what they said of suicide is theirs to read"


def test_words_that_break_glass_opens_by_their_factor_alone_are_judged_with_it(cast: Cast) -> None:
    message = makers.make_message(cast.patient, TOLD)
    alert = alert_with(cast, factor("RF_INTOXICATED", "state", message.pk), factor("TEXT_B"))
    assert KEPT_BACK in asked(glass(cast), alert, message.pk)
    confirm_protected(actor=staff(cast.sam), patient_id=cast.patient.pk)
    assert TOLD in asked(cast.sam, alert, message.pk)
    makers.scope_all()
    before, after = PhiAccessLog.objects.filter(actor_id=cast.sam.pk, data_type__in=OPENED).order_by("id")
    assert (before.data_type, before.relationship, before.break_glass) == (OPENED[1], "supervision", None)
    assert (after.data_type, after.relationship) == (OPENED[0], "grant:break_glass")
    assert after.break_glass is not None


def test_a_card_does_not_tell_where_a_protected_factor_came_from(cast: Cast) -> None:
    voice = factor("RF_INTOXICATED", "state", source_type="voice")
    alert = makers.make_alert(cast.patient, source="engine", facts={"factors": [voice, factor("TEXT_B")]})
    makers.scope_all()
    rows = RiskAlert.objects.for_cards().filter(pk=alert.pk)
    assert cards(list(rows))[0]["source_label"] == "In a chat message"
    RiskAlert.objects.filter(pk=alert.pk).update(factors=[voice])
    assert cards(list(rows.all()))[0]["source_label"] == SOURCES[Source.ENGINE][1]


def test_the_sentence_of_an_ended_alert_names_a_protected_factor(cast: Cast) -> None:
    alert = alert_with(cast, factor("RF_INTOXICATED", "state"))
    RiskAlert.objects.filter(pk=alert.pk).update(status="false_alarm", resolved_at=makers.now())
    assert "Signals: protected factor (now)." in text(get(cast.cleo, "alert_page", alert.pk))
    makers.consent(cast.patient, "part2_tpo")
    assert "Signals: intoxicated (now)." in text(get(cast.alice, "alert_page", alert.pk))


def test_an_alert_without_such_a_factor_asks_nobody_and_one_with_it_two_questions_more(cast: Cast) -> None:
    def cost(*factors: dict[str, Any]) -> int:
        RiskAlert.objects.filter(pk=alert.pk).update(factors=list(factors))
        client = client_of(cast.cleo)
        where = reverse("crisis:alert_page", args=[alert.pk])
        client.get(where)
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert client.get(where).status_code == 200
        makers.scope_all()
        return len(found)

    alert = alert_with(cast, factor("TEXT_B"))
    plain, one = cost(factor("TEXT_B")), cost(factor("RF_DX_SUD"))
    assert (one - plain, cost(*(factor(code) for code in SUBSTANCE * 4)) - one) == (2, 0)


def evidence(cast: Cast, code: str) -> Evidence:
    return Evidence.objects.create(
        organization=cast.home, patient=cast.patient, code=code, domain="state", source_type="message",
        observed_at=makers.now() - timedelta(hours=1), received_at=makers.now(),
    )  # fmt: skip


def test_a_timeline_says_protected_factor_and_finds_it_by_no_other_word(cast: Cast) -> None:
    for code in SUBSTANCE:
        evidence(cast, code)
    where = reverse("clinical:timeline", args=[cast.patient.pk])
    page = text(client_of(cast.alice).get(where))
    assert page.count(">Protected factor</p>") == 3
    assert not any(one in page.lower() for one in SPOKEN)
    sought = text(client_of(cast.alice).post(where, {"q": "drinks"}))
    assert ">Protected factor</p>" not in sought
    found = text(client_of(cast.alice).post(where, {"q": "protected"}))
    assert found.count(">Protected factor</p>") == 3
    makers.consent(cast.patient, "part2_tpo")
    page = text(client_of(cast.alice).get(where))
    assert "Protected factor" not in page
    assert "Drinks or uses more" in page and "Intoxicated" in page


def test_what_people_said_of_such_a_signal_stays_closed_and_nobody_is_asked_whether_it_is_right(
    cast: Cast,
) -> None:
    row = evidence(cast, "RF_INTOXICATED")
    where = reverse("clinical:finding_review", args=[cast.patient.pk, "signal", row.pk])
    said = {"verdict": "accepted", "comment": "He smelled of it."}
    assert client_of(cast.alice).post(where, said).status_code == 404
    makers.consent(cast.patient, "part2_tpo")
    assert client_of(cast.alice).post(where, said).status_code in (302, 303)
    makers.scope_all()
    page = reverse("clinical:timeline", args=[cast.patient.pk])
    assert "He smelled of it." in text(client_of(cast.alice).get(page))
    shut = text(client_of(consultant(cast)).get(page))
    assert "Protected factor" in shut
    assert "He smelled of it." not in shut


def test_a_chart_explains_the_level_by_a_protected_factor(cast: Cast) -> None:
    at = makers.now()
    RiskAssessment.objects.create(
        organization=cast.home, patient=cast.patient, level="medium", engine_level="medium",
        level_source="score", score="0.40", score_raw="0.4000", protective_applied=0, engine_version="1.2.0",
        missing_inputs=[], inputs_digest="0" * 64, computed_at=at, entered_level_at=at,
        factors=[factor("RF_DX_SUD", "history")],
    )  # fmt: skip
    where = reverse("clinical:chart", args=[cast.patient.pk])
    page = text(client_of(cast.alice).get(where))
    assert "Protected factor" in page
    assert "substance" not in page.lower()
    makers.consent(cast.patient, "part2_tpo")
    page = text(client_of(cast.alice).get(where))
    assert "A substance use disorder on record" in page
    assert "Protected factor" not in page


def test_the_back_office_shows_no_factor_of_an_alert(cast: Cast) -> None:
    alert = alert_with(cast, factor("RF_DX_SUD"))
    page = client_of(cast.ada).get(reverse("admin:crisis_riskalert_change", args=[alert.pk]))
    assert page.status_code == 200
    assert "RF_DX_SUD" not in page.content.decode()
    assert "text_a" in page.content.decode()


def test_the_table_of_shadows_names_no_substance_use() -> None:
    words = [shadow_words(Shadow(f"{code}_SHADOW", "2", 1, 1, Tally())) for code in (*SUBSTANCE, "RF_NSSI")]
    assert words == ["protected factor, lexicon 2"] * 3 + ["self-harm on record, lexicon 2"]


def test_factors_about_something_else_are_told_as_they_are() -> None:
    told = [factor("TEXT_B"), factor("RF_NSSI", "history")]
    assert without_protected(told) == told
    unscored = without_protected([factor("RF_INTOXICATED", "state", share=None)])
    assert [(one["code"], one["share"], one["source_id"]) for one in unscored] == [("PROTECTED", None, None)]


@pytest.mark.parametrize("reader", [cleo, alice, supervisor, glass])
def test_words_of_a_session_that_the_person_keeps_to_themself_stay_theirs_behind_an_alert(
    cast: Cast, reader: Callable[[Cast], User]
) -> None:
    own = makers.make_session(cast.patient, kind="self_guided")
    message = makers.make_message(cast.patient, TOLD, session=own)
    alert = alert_with(cast, factor("TEXT_B", source=message.pk))
    user = reader(cast)
    page = asked(user, alert, message.pk)
    assert TOLD not in page and "have not shared" in page
    (look,) = PhiAccessLog.objects.filter(actor_id=user.pk, data_type__in=OPENED)
    assert (look.data_type, bool(look.break_glass)) == ("source_withheld", False)
    Session.objects.filter(pk=own.pk).update(is_shared=True)
    assert TOLD in asked(user, alert, message.pk)
