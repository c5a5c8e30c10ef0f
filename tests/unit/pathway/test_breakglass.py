"""Break-glass: who may, what it asks, what it opens and to whom it is told, and how it is judged."""

from __future__ import annotations

import re
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from clinical.assessments.actions import begin_assessment
from cortex.accounts.models import User
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.ops.models import Notification
from patients.breakglass import actions, queries
from patients.breakglass.models import BreakGlassGrant
from patients.registry import access
from tests import makers
from tests.cast import Cast
from tests.makers import staff

pytestmark = pytest.mark.django_db
WHY = {"reason_code": "imminent_risk", "reason": "Called the desk, says goodbye to everybody."}


def as_user(user: User) -> Client:
    return makers.client_of(user)


def broken(cast: Cast, **fields: object) -> BreakGlassGrant:
    values = WHY | {"asked": cast.patient.anonymous_id} | fields
    one = actions.break_glass(actor=staff(cast.bob), **values)  # type: ignore[arg-type]
    makers.scope_all()
    assert one is not None
    return one


def test_a_stranger_finds_nothing_until_the_reason_is_given_and_then_reads_for_four_hours(cast: Cast) -> None:
    client, chart = as_user(cast.bob), reverse("clinical:chart", args=[cast.patient.pk])
    assert client.get(chart).status_code == 404
    door = reverse("clinical:glass_open")
    both = [
        client.post(door, {"asked": asked, "reason_code": "imminent_risk", "reason": "", "hours": "4"})
        for asked in (cast.patient.anonymous_id, "CX-00000000")
    ]
    assert [one.status_code for one in both] == [422, 422]
    told = [one.content.decode().replace(cast.patient.anonymous_id, "CX-00000000") for one in both]
    assert told[0].split("<form")[-1][200:] == told[1].split("<form")[-1][200:]
    at = makers.now()
    answer = client.post(door, WHY | {"asked": cast.patient.anonymous_id.lower(), "hours": "4"})
    assert (answer.status_code, answer["Location"]) == (303, chart)
    makers.scope_all()
    one = BreakGlassGrant.objects.get()
    assert timedelta(hours=3, minutes=59) < one.grant.ends_at - at < timedelta(hours=4, minutes=1)
    text = client.get(chart).content.decode()
    assert "Open by break-glass until" in text
    assert "Zawadi Planted" in text
    makers.scope_all()
    row = PhiAccessLog.objects.filter(data_type="chart").latest("id")
    assert (row.relationship, row.break_glass) == ("grant:break_glass", one.pk)
    later = one.grant.ends_at
    assert access.relationship_of(cast.bob, cast.patient.pk, later, access.CHART) is None


@pytest.mark.parametrize(
    "page", ["chart", "measures", "documents", "chart_people", "chart_consent", "chart_access"]
)
def test_every_page_of_the_chart_says_so_and_lets_it_end(cast: Cast, page: str) -> None:
    broken(cast)
    client = as_user(cast.bob)
    url = reverse(f"clinical:{page}", args=[cast.patient.pk])
    assert "Open by break-glass until" in client.get(url).content.decode()
    assert "Open by break-glass" not in as_user(cast.alice).get(url).content.decode()
    assert client.post(reverse("clinical:glass_end", args=[cast.patient.pk])).status_code == 303
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("button", ["End now", "Seen"])
def test_the_strips_own_forms_carry_their_token(cast: Cast, button: str) -> None:
    broken(cast)
    reader = cast.bob if button == "End now" else cast.alice
    client = Client(enforce_csrf_checks=True)
    client.force_login(reader)
    text = client.get(reverse("clinical:chart", args=[cast.patient.pk])).content.decode()
    form = text[: text.index(button)].rpartition("<form")[2]
    action, token = re.findall(r'action="([^"]+)".*?csrfmiddlewaretoken" value="([^"]+)"', form, re.DOTALL)[0]
    assert client.post(action, {"csrfmiddlewaretoken": token}).status_code == 303


def test_it_reads_and_does_not_write(cast: Cast) -> None:
    broken(cast)
    with pytest.raises(RuleBroken) as refused:
        begin_assessment(actor=staff(cast.bob), patient_id=cast.patient.pk, key="phq9")
    assert refused.value.code == "read_only"
    begin_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9")


@pytest.mark.django_db(transaction=True)
def test_guesses_that_run_beside_each_other_are_counted_one_by_one(cast: Cast) -> None:
    outcomes: list[object] = []

    def guess(number: int) -> None:
        try:
            asked = f"CX-0000{number:04}"
            outcomes.append(actions.break_glass(actor=staff(cast.bob), asked=asked, **WHY))  # type: ignore[arg-type]
        except RuleBroken as broken:
            outcomes.append(broken.code)
        finally:
            connection.close()

    threads = [Thread(target=guess, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (outcomes.count(None), outcomes.count("too_many_misses")) == (5, 5)


def test_the_alert_of_the_person_opens_with_it(cast: Cast) -> None:
    alert = makers.make_alert(cast.patient)
    url = reverse("crisis:alert_page", args=[alert.pk])
    client = as_user(cast.bob)
    assert client.get(url).status_code == 404
    broken(cast)
    assert "Open by break-glass until" in client.get(url).content.decode()


def test_team_and_compliance_are_told_at_once_and_see_it(cast: Cast) -> None:
    cora = makers.make_user("compliance", cast.home)
    one = broken(cast)
    told = set(Notification.objects.values_list("recipient_id", flat=True))
    assert told == {cast.alice.pk, cora.pk}
    text = as_user(cast.alice).get(reverse("clinical:caseload")).content.decode()
    assert "Somebody outside the care team opened a chart by break-glass." in text
    notice = Notification.objects.get(recipient=cast.alice)
    as_user(cast.alice).post(reverse("clinical:notice_seen", args=[notice.pk]))
    assert "break-glass." not in as_user(cast.alice).get(reverse("clinical:caseload")).content.decode()
    assert one.review_due_at - one.grant.starts_at == timedelta(hours=72)


def test_a_telephone_or_an_e_mail_finds_one_person_and_a_shared_one_nobody(cast: Cast) -> None:
    makers.make_patient(cast.home, phone="+254700333444", email="one@example.org")
    makers.make_patient(cast.home, phone="+254700555666")
    makers.make_patient(cast.home, phone="+254700555666")
    makers.scope_all()
    assert queries.exactly(cast.bob, "0700 333 444") == queries.exactly(cast.bob, "ONE@example.org")
    assert queries.exactly(cast.bob, "0700 333 444") is not None
    assert queries.exactly(cast.bob, "0700 555 666") is None
    assert queries.exactly(cast.bob, cast.stranger.anonymous_id) is None
    assert queries.exactly(cast.bob, cast.patient.anonymous_id[:-1]) is None


def test_who_asks_for_nobody_is_counted_and_stopped(cast: Cast) -> None:
    for _ in range(5):
        assert actions.break_glass(actor=staff(cast.bob), asked="CX-00000000", **WHY) is None  # type: ignore[arg-type]
    assert AuditLog.objects.filter(event_type="break_glass.missed").count() == 5
    with pytest.raises(RuleBroken) as refused:
        broken(cast)
    assert refused.value.code == "too_many_misses"


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"reason_code": "curious"}, "reason_code"),
        ({"reason": "  short "}, "reason"),
        ({"hours": 13}, "hours"),
    ],
)
def test_the_reason_has_to_hold(cast: Cast, bad: dict[str, object], field: str) -> None:
    with pytest.raises(InputRefused) as refused:
        broken(cast, **bad)
    assert refused.value.extra["field"] == field


def test_the_door_asks_for_the_password_and_a_form_that_was_left_open_loses_no_word(cast: Cast) -> None:
    door, form = reverse("clinical:glass_open"), WHY | {"asked": cast.patient.anonymous_id, "hours": "4"}

    def typed(minutes: int) -> Client:
        return makers.client_of(cast.bob, makers.now() - timedelta(minutes=minutes))

    assert typed(6).get(door)["Location"].startswith(reverse("account_reauthenticate"))
    late = typed(16).post(door, form)
    assert late.status_code == 422
    assert all(str(value) in late.content.decode() for value in form.values())
    assert "Confirm in a new tab" in late.content.decode()
    makers.scope_all()
    assert not BreakGlassGrant.objects.exists()
    assert typed(14).post(door, form).status_code == 303


def test_only_clinicians_open_and_only_what_is_not_theirs(cast: Cast) -> None:
    for user in (cast.cleo, cast.ada):
        with pytest.raises(NotFound):
            actions.break_glass(actor=staff(user), asked=cast.patient.anonymous_id, **WHY)  # type: ignore[arg-type]
    client, door = as_user(cast.alice), reverse("clinical:glass_open")
    answer = client.post(door, WHY | {"asked": cast.patient.anonymous_id, "hours": "4"})
    assert answer["Location"] == reverse("clinical:chart", args=[cast.patient.pk])
    makers.scope_all()
    assert not BreakGlassGrant.objects.exists()


def test_protected_notes_need_a_second_confirmation(cast: Cast) -> None:
    broken(cast)
    client, at = as_user(cast.bob), makers.now()
    assert not queries.opens_protected(cast.bob, cast.patient.pk, at)
    url = reverse("clinical:glass_protected", args=[cast.patient.pk])
    assert "bona fide emergency" in client.get(url).content.decode()
    client.post(url)
    makers.scope_all()
    assert queries.opens_protected(cast.bob, cast.patient.pk, makers.now())


def test_compliance_reads_why_and_what_and_an_inappropriate_one_becomes_an_incident(cast: Cast) -> None:
    cora = makers.make_user("compliance", cast.home)
    one = broken(cast)
    as_user(cast.bob).get(reverse("clinical:chart", args=[cast.patient.pk]))
    client, url = as_user(cora), reverse("clinical:glass_review", args=[one.pk])
    assert cast.patient.anonymous_id in client.get(reverse("clinical:glass_reviews")).content.decode()
    text = client.get(url).content.decode()
    assert "says goodbye to everybody" in text
    assert "Chart" in text
    assert client.post(url, {"verdict": "inappropriate", "note": ""}).status_code == 422
    assert client.post(url, {"verdict": "inappropriate", "note": "A neighbour's chart."}).status_code == 303
    assert as_user(cast.bob).get(reverse("clinical:chart", args=[cast.patient.pk])).status_code == 404
    makers.scope_all()
    assert Notification.objects.filter(code="break_glass_incident", recipient=cast.sam).exists()
    assert "Open incidents" in client.get(reverse("clinical:glass_reviews")).content.decode()
    done = client.post(reverse("clinical:glass_incident", args=[one.pk]), {"note": "Spoke with them."})
    assert done.status_code == 303
    assert "Open incidents" not in client.get(reverse("clinical:glass_reviews")).content.decode()
    again = client.post(url, {"verdict": "appropriate", "note": "Changed my mind."})
    assert again.status_code == 409
