"""Lists of the back office: filtered by what they offer, drawn with a look, and forms that wait nowhere."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory

from cortex.audit.models import PhiAccessLog
from cortex.ui.admin import ActionAdmin
from patients.holds.models import LegalHold
from tests import makers
from tests.cast import Cast
from tests.unit.accounts.conftest import sign_in

pytestmark = pytest.mark.django_db
PEEKS = [
    "/admin/clinical/diagnosis/?code__startswith=F11",
    "/admin/clinical/assessment/?items__q9__gte=1",
    "/admin/clinical/assessment/?total__gte=20",
    "/admin/clinical/note/?sensitivity_labels__contains=HIV",
    "/admin/crisis/riskalert/?factors__contains=x",
    "/admin/accounts/user/?pin_hash__startswith=argon2",
    "/admin/accounts/user/?password__startswith=argon2",
    "/admin/patients/patient/?consents__consent_type=part2_tpo",
    "/admin/patients/patient/?email_hash__isnull=0",
    "/admin/patients/patient/?primary_clinician_id=0",
]


@pytest.fixture
def ada(cast: Cast) -> Client:
    client = Client()
    sign_in(client, "ada@example.org", makers.PASSWORD)
    return client


@pytest.mark.parametrize("peek", PEEKS)
def test_an_address_asks_for_no_column_that_the_list_does_not_offer(ada: Client, peek: str) -> None:
    assert ada.get(peek.split("?")[0]).status_code == 200
    assert ada.get(peek).status_code == 400


def test_every_filter_that_a_list_offers_is_one_that_it_takes(rf: RequestFactory, cast: Cast) -> None:
    request = rf.get("/")
    request.user = cast.ada
    checked = 0
    for model, office in admin.site._registry.items():
        if not isinstance(office, ActionAdmin):
            continue
        for one in office.get_list_filter(request):
            name = one[0] if isinstance(one, tuple) else getattr(one, "parameter_name", one)
            assert office.lookup_allowed(str(name), "x", request), (model, name)
            checked += 1
    assert checked > 50


def test_a_list_that_is_posted_without_a_command_is_not_drawn(ada: Client, cast: Cast) -> None:
    before = PhiAccessLog.objects.count()
    one = str(cast.patient.pk)
    for sent in (
        {}, {"action": ""}, {"select_across": "1", "action": ""},
        {"action": "made_up", "_selected_action": one}, {"_save": "1", "_selected_action": one},
    ):  # fmt: skip
        answer = ada.post("/admin/patients/patient/?status=active", sent)
        assert (answer.status_code, answer["Location"]) == (303, "/admin/patients/patient/?status=active")
        assert cast.patient.anonymous_id not in answer.content.decode()
    makers.scope_all()
    assert PhiAccessLog.objects.count() == before


def test_words_that_were_sent_too_late_come_back_and_wait_in_no_session(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = makers.make_user("compliance", cast.home)
    client = Client()
    sign_in(client, officer.email, makers.PASSWORD)
    page = "/admin/patients/legalhold/add/"
    assert client.get(page).status_code == 200
    why = "Her brother sued over the night of the fire."
    sent = {"patient": str(cast.patient.pk), "matter": "HC-1", "record_kinds": [], "reason": why, "why": why}
    monkeypatch.setattr("cortex.accounts.signin.recent.RECENT", timedelta(0))
    answer = client.post(page, sent)
    text = answer.content.decode()
    assert answer.status_code == 200 and why in text and "Confirm that it is you in a second tab" in text
    assert not LegalHold.objects.exists()
    makers.scope_all()
    assert all("brother" not in str(one.get_decoded()) for one in Session.objects.all())


def test_a_form_that_comes_back_shows_its_record_with_a_look(ada: Client, cast: Cast) -> None:
    page = f"/admin/patients/patient/{cast.patient.pk}/change/"
    looks = PhiAccessLog.objects.filter(actor_id=cast.ada.pk, subject=cast.patient.pk)
    before = looks.count()
    answer = ada.post(page, {"status": "no such state"})
    makers.scope_all()
    assert answer.status_code == 200 and cast.patient.anonymous_id in answer.content.decode()
    assert looks.count() == before + 1


def test_a_look_at_what_stands_by_an_alert_is_one_at_its_person(ada: Client, cast: Cast) -> None:
    alert = makers.make_alert(cast.patient)
    makers.scope_all()
    event = alert.events.first()
    assert event is not None
    for page in ("/admin/crisis/alertevent/", f"/admin/crisis/alertevent/{event.pk}/change/"):
        before = PhiAccessLog.objects.filter(actor_id=cast.ada.pk, data_type="alert.admin").count()
        assert ada.get(page).status_code == 200
        makers.scope_all()
        assert (
            PhiAccessLog.objects.filter(actor_id=cast.ada.pk, data_type="alert.admin").count() == before + 1
        )
