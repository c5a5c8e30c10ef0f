"""Running a therapy session: start, log, undo, assess the risk, end; who may, and what stays."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from clinical.assessments.actions import finish_assessment
from clinical.scheduling.actions import book_appointment
from clinical.scheduling.billing.actions import add_code, bill_appointment
from clinical.scheduling.billing.queries import lines_of_appointment
from clinical.sessions import actions
from clinical.sessions.models import SessionRun
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from crisis.alerts.models import RiskAlert
from crisis.risk.models import Evidence, RiskAssessment
from patients.care.models import CareTeamMember
from patients.sessions.models import Session, SessionActivity
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.crisis.test_risk_reviews import said

pytestmark = pytest.mark.django_db


def begun(cast: Cast, **more: object) -> Session:
    session = actions.start_session(
        actor=staff(cast.alice),
        patient_id=cast.patient.pk,
        channel="video",
        **more,  # type: ignore[arg-type]
    )
    makers.scope_all()
    return session


def client_of(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def test_a_session_is_started_logged_and_ended_and_says_what_comes_next_begins_with(cast: Cast) -> None:
    session = begun(cast)
    who = {"actor": staff(cast.alice), "patient_id": cast.patient.pk, "session_id": session.pk}
    actions.log_entry(**who, kind="interaction", text="Arrived late, spoke of the market.")  # type: ignore[arg-type]
    actions.log_entry(**who, kind="intervention", code="BEHAVIOURAL_ACTIVATION")  # type: ignore[arg-type]
    calm = {f"q{item}": 1 for item in range(1, 8)}
    finish_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key="gad7", answers=calm)
    running = client_of(cast.alice).get(reverse("clinical:session", args=[cast.patient.pk, session.pk]))
    assert "GAD-7" in running.content.decode(), "a running session shows what was taken in it"
    makers.scope_all()
    at = makers.now() + timedelta(minutes=52)
    ended = actions.end_session(**who, at=at)  # type: ignore[arg-type]
    makers.scope_all()
    assert ended.duration_seconds // 60 == 52
    page = client_of(cast.alice).get(reverse("clinical:session", args=[cast.patient.pk, session.pk]))
    assert "GAD-7" in page.content.decode()
    makers.scope_all()
    row = Session.objects.get(pk=session.pk)
    assert (row.kind, row.status, row.ended_at) == ("therapy", "completed", at)
    words = makers.opened(SessionActivity.objects.filter(activity_type="interaction").get(), "activity_data")
    assert words == {"text": "Arrived late, spoke of the market."}
    verbs = set(
        AuditLog.objects.filter(event_type__startswith="session.").values_list("event_type", flat=True)
    )
    assert {"session.started", "session.entry_logged", "session.ended"} <= verbs


def test_a_session_that_was_scheduled_is_started_and_no_other_one_is_made(cast: Cast) -> None:
    planned = makers.make_session(cast.patient, kind="therapy", status="scheduled", client_ref="planned")
    session = begun(cast, session_id=planned.pk)
    assert (session.pk, session.status) == (planned.pk, "in_progress")
    actions.end_session(actor=staff(cast.alice), patient_id=cast.patient.pk, session_id=session.pk)
    with pytest.raises(NotFound):
        begun(cast, session_id=planned.pk)


def test_two_sessions_with_one_person_are_refused_by_the_rule_and_by_the_database(cast: Cast) -> None:
    session = begun(cast)
    with pytest.raises(RuleBroken, match=r"under way since \d\d:\d\d EAT, run by"):
        begun(cast)
    other = makers.make_session(cast.patient, kind="therapy")
    with pytest.raises(IntegrityError), transaction.atomic():
        SessionRun.objects.create(
            organization=cast.home, session=other, patient=cast.patient, clinician=cast.alice,
            begun_at=session.started_at,
        )  # fmt: skip


def test_a_second_session_of_one_s_own_is_asked_about_with_the_name_and_the_way_to_the_first(
    cast: Cast,
) -> None:
    other = makers.make_patient(cast.home, team=[cast.alice], given_name="Nekesa")
    makers.scope_all()
    first = actions.start_session(actor=staff(cast.alice), patient_id=other.pk, channel="video")
    makers.scope_all()
    client, url = client_of(cast.alice), reverse("clinical:session_start", args=[cast.patient.pk])
    answer = client.post(url, {"channel": "phone"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "You run another session" in page and "Nekesa" in page
    assert reverse("clinical:session", args=[other.pk, first.pk]) in page
    assert re.search(r'name="channel" value="phone".*name="beside" value="on"', page, re.DOTALL)
    makers.scope_all()
    assert SessionRun.objects.under_way().count() == 1
    read = PhiAccessLog.objects.filter(Q(subject=other.pk) | Q(subjects__contains=[other.pk]))
    assert read.exists(), "the name was read"
    assert client.post(url, {"channel": "phone", "beside": "on"}).status_code == 303
    makers.scope_all()
    assert SessionRun.objects.under_way().count() == 2
    begun_ = AuditLog.objects.filter(event_type="session.started").latest("id")
    assert begun_.codes["beside"] == 1


def test_whom_one_no_longer_treats_is_not_named_by_one_s_own_session(cast: Cast) -> None:
    other = makers.make_patient(cast.home, team=[cast.alice], given_name="Nekesa")
    makers.scope_all()
    actions.start_session(actor=staff(cast.alice), patient_id=other.pk, channel="video")
    makers.scope_all()
    third = makers.make_patient(cast.home, team=[cast.alice])
    actions.start_session(actor=staff(cast.alice), patient_id=third.pk, channel="video", beside=True)
    makers.scope_all()
    # The one with her is left to her team: what asks is the other one, which can be ended.
    CareTeamMember.objects.filter(patient=other).update(ends_at=makers.now())
    url = reverse("clinical:session_start", args=[cast.patient.pk])
    page = client_of(cast.alice).post(url, {"channel": "phone"}).content.decode()
    assert "another person" in page and "Nekesa" not in page


def test_a_slip_is_taken_back_within_ten_minutes_and_the_trail_keeps_that(cast: Cast) -> None:
    session = begun(cast)
    who = {"actor": staff(cast.alice), "patient_id": cast.patient.pk, "session_id": session.pk}
    slip = actions.log_entry(**who, kind="interaction", text="slip")  # type: ignore[arg-type]
    late = actions.log_entry(**who, kind="interaction", text="stays")  # type: ignore[arg-type]
    actions.take_back_entry(**who, entry_id=slip.pk)  # type: ignore[arg-type]
    with pytest.raises(RuleBroken, match="ten minutes"):
        actions.take_back_entry(**who, entry_id=late.pk, at=makers.now() + timedelta(minutes=11))  # type: ignore[arg-type]
    makers.scope_all()
    assert [one.pk for one in SessionActivity.objects.filter(session=session)] == [late.pk]
    assert AuditLog.objects.filter(event_type="session.entry_taken_back").count() == 1


@pytest.mark.parametrize(
    ("kind", "code", "text"),
    [("interaction", "", "  "), ("intervention", "HYPNOSIS", "x"), ("other", "", "x"),
     ("interaction", "", "x" * 4001)],
)  # fmt: skip
def test_an_entry_that_says_nothing_or_nothing_known_is_refused(
    cast: Cast, kind: str, code: str, text: str
) -> None:
    session = begun(cast)
    with pytest.raises(InputRefused):
        actions.log_entry(
            actor=staff(cast.alice), patient_id=cast.patient.pk, session_id=session.pk, kind=kind, code=code,
            text=text,
        )  # fmt: skip


def test_only_its_clinician_runs_a_session_and_a_stranger_learns_nothing(cast: Cast) -> None:
    session = begun(cast)
    makers.add_to_team(cast.patient, cast.sam, role="supervisor")
    for user, refusal in ((cast.sam, RuleBroken), (cast.bob, NotFound), (cast.charlie, NotFound)):
        with pytest.raises(refusal):
            actions.end_session(actor=staff(user), patient_id=cast.patient.pk, session_id=session.pk)
        makers.scope_all()


def assess(
    cast: Cast, session: Session, level: str, note: str = "", **factors: str
) -> tuple[str, list[RiskAlert]]:
    found = actions.assess_risk(
        actor=staff(cast.alice), patient_id=cast.patient.pk, session_id=session.pk, level=level, note=note,
        factors=factors,
    )  # fmt: skip
    makers.scope_all()
    return found


@pytest.mark.parametrize(
    ("level", "alerts"), [("medium", []), ("high", ["high"]), ("critical", ["critical"])]
)
def test_h4_sets_the_level_and_raises_what_the_level_asks_for_in_the_same_transaction(
    cast: Cast, level: str, alerts: list[str]
) -> None:
    cast.on_duty()
    session = begun(cast)
    after, _ = assess(
        cast, session, level, "Has a plan, no means.", WS_PLAN="present", RF_NSSI="absent",
        RF_HOPELESS="unknown",
    )  # fmt: skip
    assert after == level
    newest = RiskAssessment.objects.filter(patient=cast.patient).latest("id")
    assert (newest.level, newest.level_source) == (level, "clinician")
    assert [one.level for one in RiskAlert.objects.filter(patient=cast.patient)] == alerts
    kept = dict(Evidence.objects.filter(patient=cast.patient).values_list("code", "status"))
    assert kept == {"WS_PLAN": "present", "RF_NSSI": "absent", "CLINICIAN_LEVEL": "present"}


def test_a_level_goes_down_by_one_step_with_a_reason_and_from_critical_not_here(cast: Cast) -> None:
    cast.on_duty()
    said(cast, "B")
    session = begun(cast)
    with pytest.raises(InputRefused, match="one step"):
        assess(cast, session, "low", "better")
    with pytest.raises(InputRefused, match="Say why"):
        assess(cast, session, "medium")
    assert assess(cast, session, "medium", "Plan agreed, means with the brother.")[0] == "medium"
    assess(cast, session, "critical")
    with pytest.raises(RuleBroken, match="second reader"):
        assess(cast, session, "high", "calmer")


@pytest.mark.parametrize("level", ["low", "medium", "same"])
@pytest.mark.parametrize("code", ["WS_INTENT", "WS_PLAN", "WS_PREPARATION", "RF_ATTEMPT_3M"])
def test_a_level_below_high_beside_an_intent_or_a_recent_attempt_asks_for_a_reason(
    cast: Cast, level: str, code: str
) -> None:
    session = begun(cast)
    with pytest.raises(InputRefused, match=r"Say why it is (low|medium)") as refused:
        assess(cast, session, level, " ", **{code: "present"})
    assert refused.value.extra["field"] == "note"
    makers.scope_all()
    assert not Evidence.objects.filter(patient=cast.patient).exists()
    assert assess(cast, session, level, "Said in anger, takes it back.", **{code: "present"})[0] in (
        "low", "medium"
    )  # fmt: skip


def test_access_to_means_or_a_high_level_asks_for_no_reason(cast: Cast) -> None:
    cast.on_duty()
    session = begun(cast)
    assert assess(cast, session, "low", RF_MEANS_ACCESS="present", WS_PLAN="absent")[0] == "low"
    assert assess(cast, session, "high", WS_PLAN="present")[0] == "high"


def test_the_reason_is_asked_for_at_its_field_and_every_answer_stays(cast: Cast) -> None:
    session = begun(cast)
    url = reverse("clinical:session_risk", args=[cast.patient.pk, session.pk])
    sent = {"level": "low", "note": "", "RF_ATTEMPT_3M": "present", "RF_HOPELESS": "absent"}
    answer = client_of(cast.alice).post(url, sent)
    page = " ".join(answer.content.decode().split())
    assert answer.status_code == 422
    assert 'id="risk_note_error"' in page and "attempt in the last 3 months" in page
    assert re.search(r'<textarea name="note"[^>]* required', page)
    assert re.search(r'value="low"[^>]* checked', page)
    selects = dict(re.findall(r'<select name="(\w+)"(.*?)</select>', page))
    assert 'value="present" selected' in selects["RF_ATTEMPT_3M"]
    assert 'value="absent" selected' in selects["RF_HOPELESS"]


def test_the_log_says_what_was_set_and_what_stands_instead_and_why(cast: Cast) -> None:
    session = begun(cast)
    assert assess(cast, session, "low", "Long ago to her.", RF_ATTEMPT_3M="present")[0] == "medium"
    url = reverse("clinical:session", args=[cast.patient.pk, session.pk])
    page = client_of(cast.alice).get(url).content.decode()
    assert "Set low; stands at medium: an attempt within 3 months on record." in page
    makers.scope_all()
    assess(cast, session, "medium", "As the signals.")
    assert '<p class="small">Set medium.</p>' in client_of(cast.alice).get(url).content.decode()


def test_what_the_level_rests_on_names_no_substance_in_the_log(cast: Cast) -> None:
    session = begun(cast)
    assess(cast, session, "low", "Sober now.", RF_ATTEMPT_3M="present", RF_INTOXICATED="present")
    said = makers.opened(SessionActivity.objects.get(activity_type="risk_assessment"), "activity_data")
    assert said["why"] and "RF_INTOXICATED" not in said["why"]


def test_an_assessment_that_leaves_it_to_the_signals_counts_as_a_review(cast: Cast) -> None:
    session = begun(cast)
    assert assess(cast, session, "same", PF_REASONS_LIVING="present")[0] == "low"
    assert Evidence.objects.filter(code="CLINICIAN_REVIEW").count() == 1
    said = makers.opened(SessionActivity.objects.get(activity_type="risk_assessment"), "activity_data")
    assert said["factors"] == {"PF_REASONS_LIVING": "present"}


def test_the_whole_session_in_the_browser_s_own_way_and_left_open_it_is_found_again(cast: Cast) -> None:
    client, who = client_of(cast.alice), cast.patient.pk
    listed = client.get(reverse("clinical:sessions", args=[who])).content.decode()
    assert "Start a therapy session" in listed
    start = client.post(reverse("clinical:session_start", args=[who]), {"channel": "video"})
    assert start.status_code == 303
    url = start["Location"]
    assert "Nothing is logged yet" in client.get(url).content.decode()
    assert client.post(f"{url}log/", {"code": "", "text": ""}).status_code == 422
    assert client.post(f"{url}log/", {"code": "CBT", "text": "Thought record"}).status_code == 303
    text = client.get(url).content.decode()
    assert "Cognitive behavioural therapy" in text
    assert "Thought record" in text
    for page in ("caseload", "chart"):
        args = [] if page == "caseload" else [who]
        assert "under way since" in client.get(reverse(f"clinical:{page}", args=args)).content.decode()
    assert client.post(f"{url}risk/", {"level": "medium", "note": ""}).status_code == 303
    assert "Risk assessment" in client.get(url).content.decode()
    assert client.post(f"{url}end/", {"status": "completed"}).status_code == 303
    done = client.get(url).content.decode()
    assert "Thought record" in done
    assert "Undo" not in done
    assert "under way since" not in client.get(reverse("clinical:caseload")).content.decode()
    again = client.post(f"{url}log/", {"code": "CBT", "text": "late"})
    assert again.status_code == 409
    assert "has ended" in again.content.decode()


def test_a_session_was_the_appointment_that_it_began_near_and_is_billed_once(cast: Cast) -> None:
    code = {"system": "own", "own_label": "Therapy", "service": "psychotherapy", "min_minutes": 30}
    alice = staff(cast.alice)
    add_code(actor=staff(cast.ada), code="TH-50", active_from=makers.now().date(), **code)
    at = makers.now()
    booked, other = (
        book_appointment(
            actor=alice, patient_id=cast.patient.pk, starts=[at + timedelta(minutes=shift)], minutes=50,
            therapist_id=cast.alice.pk,
        )[0]
        for shift in (10, 60 * 5)
    )  # fmt: skip
    session = begun(cast)
    who = {"actor": alice, "patient_id": cast.patient.pk, "session_id": session.pk}
    actions.end_session(**who, at=at + timedelta(minutes=55))  # type: ignore[arg-type]
    makers.scope_all()
    booked.refresh_from_db()
    other.refresh_from_db()
    assert (booked.status, booked.session_id) == ("held", session.pk)
    assert (other.status, other.session_id) == ("scheduled", None)
    assert [line.code for line in lines_of_appointment(booked)] == ["TH-50"]
    with pytest.raises(RuleBroken, match="proposed already"):
        bill_appointment(actor=alice, appointment_id=booked.pk, at=at + timedelta(minutes=56))
    page = client_of(cast.alice).get(reverse("clinical:session", args=[cast.patient.pk, session.pk]))
    assert "TH-50" in page.content.decode()
    assert "Write the note" in page.content.decode()


def test_an_abandoned_session_leaves_its_appointment_and_bills_nothing(cast: Cast) -> None:
    at = makers.now()
    booked = book_appointment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, starts=[at], minutes=50,
        therapist_id=cast.alice.pk,
    )[0]  # fmt: skip
    session = begun(cast)
    actions.end_session(
        actor=staff(cast.alice), patient_id=cast.patient.pk, session_id=session.pk, status="abandoned",
        at=at + timedelta(minutes=5),
    )  # fmt: skip
    makers.scope_all()
    booked.refresh_from_db()
    assert (booked.status, booked.session_id) == ("scheduled", None)
    assert lines_of_appointment(booked) == []
