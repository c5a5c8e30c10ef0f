"""Sessions whose clinician is not there any more to end them: nobody is blocked by one for good."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from clinical.pathway import actions as ways
from clinical.scheduling.billing.actions import add_code
from clinical.scheduling.billing.models import BillingLine
from clinical.sessions import actions
from clinical.sessions.models import SessionRun
from cortex.accounts.models import User
from cortex.audit import NotFound, RuleBroken
from cortex.audit.models import AuditLog
from cortex.ui.zone import zone_of
from patients.care.models import CareTeamMember
from patients.codes import EndingReason
from patients.pathway.actions import EndingData
from patients.sessions.models import Session
from tests import makers
from tests.cast import Cast
from tests.makers import client_of, staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
ASKED = EndingData(EndingReason.PERSON_ASKED, "They asked for somebody nearer.")
DONE = EndingData(EndingReason.GOALS_REACHED, "She sleeps again.")


def begun(cast: Cast, who: User, **more: object) -> Session:
    session = actions.start_session(
        actor=staff(who),
        patient_id=cast.patient.pk,
        channel="video",
        **more,  # type: ignore[arg-type]
    )
    makers.scope_all()
    return session


def shut(cast: Cast, who: User) -> None:
    """End somebody's place on the team a moment ago."""
    places = CareTeamMember.objects.filter(patient=cast.patient, user=who)
    places.update(starts_at=makers.now() - 9 * DAY, ends_at=makers.now() - timedelta(minutes=1))


def therapy(cast: Cast) -> None:
    """Let a code fit whatever took a minute."""
    code = {"system": "own", "own_label": "Therapy", "service": "psychotherapy", "min_minutes": 1}
    add_code(actor=staff(cast.ada), code="TH", active_from=(makers.now() - DAY * 9).date(), **code)  # type: ignore[arg-type]
    makers.scope_all()


def test_whoever_runs_a_session_ends_it_before_they_hand_the_person_over(cast: Cast) -> None:
    session = begun(cast, cast.alice)
    told = {"actor": staff(cast.alice), "patient_id": cast.patient.pk, "data": ASKED}
    with pytest.raises(RuleBroken, match=r"Your session .* still open"):
        ways.transfer(**told, to_id=cast.bob.pk)  # type: ignore[arg-type]
    makers.scope_all()
    with pytest.raises(RuleBroken, match="A session of Alice Achieng"):
        ways.discharge(**told | {"data": DONE})  # type: ignore[arg-type]
    makers.scope_all()
    actions.end_session(actor=staff(cast.alice), patient_id=cast.patient.pk, session_id=session.pk)
    makers.scope_all()
    ways.transfer(**told, to_id=cast.bob.pk)  # type: ignore[arg-type]


def test_a_colleagues_session_hinders_a_discharge_and_no_transfer(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob)
    session = begun(cast, cast.bob)
    told = {"actor": staff(cast.alice), "patient_id": cast.patient.pk, "data": ASKED}
    with pytest.raises(RuleBroken, match="A session of Bob Barasa"):
        ways.discharge(**told | {"data": DONE})  # type: ignore[arg-type]
    makers.scope_all()
    ways.transfer(**told, to_id=cast.bob.pk)  # type: ignore[arg-type]
    makers.scope_all()
    assert SessionRun.objects.get(session=session).ended_at is None


def test_what_a_leaver_left_open_is_broken_off_when_their_caseload_moves(cast: Cast) -> None:
    at = makers.now() - timedelta(hours=2)
    session = begun(cast, cast.alice, at=at)
    makers.scope_all()
    actions.log_entry(
        actor=staff(cast.alice), patient_id=cast.patient.pk, session_id=session.pk, kind="interaction",
        text="Spoke of the market.", at=at + timedelta(minutes=20),
    )  # fmt: skip
    makers.scope_all()
    plan = {cast.patient.pk: cast.bob.pk}
    ways.move_caseload(actor=staff(cast.sam), user_id=cast.alice.pk, plan=plan)
    makers.scope_all()
    row = Session.objects.get(pk=session.pk)
    assert (row.status, row.ended_at) == ("abandoned", at + timedelta(minutes=20))
    assert SessionRun.objects.get(session=session).ended_at == row.ended_at
    [told] = AuditLog.objects.filter(event_type="session.ended")
    assert told.codes["left_by"] == str(cast.alice.pk)
    begun(cast, cast.bob)


@pytest.mark.parametrize("how", ["place", "account", "a day"])
def test_the_team_ends_what_its_clinician_left_without_a_line(cast: Cast, how: str) -> None:
    therapy(cast)
    makers.add_to_team(cast.patient, cast.bob)
    at = makers.now() - (timedelta(hours=25) if how == "a day" else timedelta(hours=2))
    CareTeamMember.objects.filter(patient=cast.patient).update(starts_at=at - DAY)
    session = begun(cast, cast.alice, at=at)
    if how == "place":
        shut(cast, cast.alice)
    elif how == "account":
        User.objects.filter(pk=cast.alice.pk).update(is_active=False, disabled_at=makers.now())
    with pytest.raises(RuleBroken, match="End it first"):
        begun(cast, cast.bob)
    makers.scope_all()
    bob = client_of(cast.bob)
    page = bob.get(reverse("clinical:sessions", args=[cast.patient.pk])).content.decode()
    assert "A session was left open" in page
    end = reverse("clinical:session_end", args=[cast.patient.pk, session.pk])
    assert end in page
    assert bob.post(end, {"status": "completed"}).status_code == 303
    makers.scope_all()
    row = Session.objects.get(pk=session.pk)
    assert (row.status, row.ended_at, row.duration_seconds) == ("completed", at, 0)
    assert not BillingLine.objects.exists()
    begun(cast, cast.bob)


@pytest.mark.parametrize("label", [None, "SUD_PART2"])
def test_what_a_label_shuts_is_ended_too_and_leads_to_a_page_that_is_open(
    cast: Cast, label: str | None
) -> None:
    makers.add_to_team(cast.patient, cast.bob)
    session = begun(cast, cast.alice)
    Session.objects.filter(pk=session.pk).update(sensitivity_labels=[label] if label else [])
    shut(cast, cast.alice)
    bob, person = client_of(cast.bob), cast.patient.pk
    own = reverse("clinical:session", args=[person, session.pk])
    end = reverse("clinical:session_end", args=[person, session.pk])
    assert bob.get(own).status_code == (404 if label else 200)
    later = (makers.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    for wrong in ({"status": "nonsense"}, {"status": "completed", "ended_at": later}):
        page = bob.post(end, wrong)
        assert page.status_code == 422, wrong
        assert "One thing is needed" in page.content.decode() and end in page.content.decode()
    makers.scope_all()
    assert SessionRun.objects.get(session=session).ended_at is None
    answer = bob.post(end, {"status": "completed"}, follow=True)
    assert answer.redirect_chain == [(reverse("clinical:sessions", args=[person]) if label else own, 303)]
    assert answer.status_code == 200 and "was left open" not in answer.content.decode()
    makers.scope_all()
    assert SessionRun.objects.get(session=session).ended_at is not None


def test_nobody_ends_a_colleagues_session_while_the_colleague_may(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob)
    session = begun(cast, cast.alice)
    told = {"patient_id": cast.patient.pk, "session_id": session.pk}
    with pytest.raises(RuleBroken, match="Alice Achieng runs this session"):
        actions.end_session(actor=staff(cast.bob), **told)  # type: ignore[arg-type]
    makers.scope_all()
    page = client_of(cast.bob).get(reverse("clinical:sessions", args=[cast.patient.pk])).content.decode()
    assert "was left open" not in page
    makers.scope_all()
    shut(cast, cast.alice)
    with pytest.raises(NotFound):
        actions.end_session(actor=staff(cast.sam), **told)  # type: ignore[arg-type]


def test_whom_the_chart_is_open_to_for_a_while_ends_nobodys_session(cast: Cast) -> None:
    session = begun(cast, cast.alice)
    makers.grant(cast.patient, cast.bob, permission="view_chart")
    shut(cast, cast.alice)
    with pytest.raises(RuleBroken) as told:
        actions.end_session(actor=staff(cast.bob), patient_id=cast.patient.pk, session_id=session.pk)
    assert told.value.code == "team_only"


def test_a_session_that_one_can_not_end_any_more_holds_up_no_other_one(cast: Cast) -> None:
    begun(cast, cast.alice)
    shut(cast, cast.alice)
    other = makers.make_patient(organization=cast.home)
    makers.add_to_team(other, cast.alice)
    actions.start_session(actor=staff(cast.alice), patient_id=other.pk, channel="phone")


def test_a_session_that_was_open_for_days_ends_and_no_line_is_proposed_of_its_minutes(cast: Cast) -> None:
    therapy(cast)
    at = makers.now() - timedelta(hours=63)
    session = begun(cast, cast.alice, at=at)
    alice = client_of(cast.alice)
    end = reverse("clinical:session_end", args=[cast.patient.pk, session.pk])
    assert alice.post(end, {"status": "completed"}).status_code == 303
    makers.scope_all()
    assert not BillingLine.objects.exists()
    page = alice.get(reverse("clinical:session", args=[cast.patient.pk, session.pk])).content.decode()
    assert "No billing line is proposed: the session was open for more than eight hours." in page


def test_whoever_forgot_to_end_a_session_says_when_it_was_over(cast: Cast) -> None:
    therapy(cast)
    at = makers.now().replace(second=30) - timedelta(hours=63)
    session = begun(cast, cast.alice, at=at)
    told = {"actor": staff(cast.alice), "patient_id": cast.patient.pk, "session_id": session.pk}
    last = at + timedelta(minutes=40)
    actions.log_entry(**told, kind="interaction", text="Spoke of the market.", at=last)  # type: ignore[arg-type]
    makers.scope_all()
    alice = client_of(cast.alice)
    end = reverse("clinical:session_end", args=[cast.patient.pk, session.pk])
    zone = zone_of(cast.home.default_timezone)
    for wrong in (last - timedelta(minutes=1), makers.now() + timedelta(minutes=2)):
        form = {"status": "completed", "ended_at": wrong.astimezone(zone).strftime("%Y-%m-%dT%H:%M")}
        page = alice.post(end, form)
        assert page.status_code == 422, wrong
        assert form["ended_at"] in page.content.decode(), "what was typed stays"
    form = {"status": "completed", "ended_at": last.astimezone(zone).strftime("%Y-%m-%dT%H:%M")}
    assert alice.post(end, form).status_code == 303
    makers.scope_all()
    assert Session.objects.get(pk=session.pk).ended_at == last, "the entry's own moment, not its minute"
    assert [line.minutes for line in BillingLine.objects.all()] == [40]
