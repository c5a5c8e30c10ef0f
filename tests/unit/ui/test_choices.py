"""What the widgets of the back office offer: to whoever may fill in the form, from their own rows."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from cortex.accounts.choices import Role
from cortex.audit.models import AuditLog
from crisis.duty.models import DutyShift
from patients.care.models import CareTeamMember
from patients.privacy.models import Consent
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db


browser = makers.client_of


def choices(client: Client, model: str, field: str, term: str = "") -> dict[str, str]:
    """Ask as the widget on the form of `app.model` does; return names by id."""
    page = client.get(f"/admin/{model.replace('.', '/')}/add/").content.decode()
    widget = re.search(rf'<select name="{field}"[^>]*>', page)
    assert widget is not None, page[:200]
    facts = dict(re.findall(r'data-([\w-]+)="([^"]*)"', widget.group()))
    asked = {name: facts[name.replace("_", "-")] for name in ("app_label", "model_name", "field_name")}
    answer = client.post(facts["ajax--url"], {**asked, "term": term})
    assert answer.status_code == 200, answer.status_code
    return {one["id"]: one["text"] for one in answer.json()["results"]}


def at(days: int, hour: int = 8) -> str:
    return f"{makers.now() + timedelta(days=days):%Y-%m-%d}T{hour:02}:00"


def test_compliance_chooses_a_person_for_a_consent_without_seeing_their_page(cast: Cast) -> None:
    cora = browser(makers.make_user(Role.COMPLIANCE, cast.home))
    assert cora.get("/admin/patients/patient/").status_code == 403
    offered = choices(cora, "patients.consent", "patient", cast.patient.anonymous_id)
    assert offered == {str(cast.patient.pk): str(cast.patient)}
    typed = {
        "patient": next(iter(offered)), "consent_type": "research", "granted": "on", "method": "paper",
        "version": "2", "language": "sw", "expires_at": "", "evidence_ref": "Folder 7",
    }  # fmt: skip
    assert cora.post("/admin/patients/consent/add/", typed).status_code == 302
    makers.scope_all()
    assert Consent.objects.filter(patient=cast.patient, consent_type="research").exists()


def test_a_supervisor_plans_the_shift_of_somebody_chosen_by_the_widget(cast: Cast) -> None:
    sam = browser(cast.sam)
    assert "/admin/" in sam.get("/board/").content.decode(), "the way to the back office stands in the rail"
    offered = choices(sam, "crisis.dutyshift", "user", "Cleo")
    assert offered == {str(cast.cleo.pk): "Cleo Cherono"}
    typed = {"user": next(iter(offered)), "role": "counselor", "planned_start": at(1),
             "planned_end": at(1, 16), "agreement": "", "phone": ""}  # fmt: skip
    assert sam.post("/admin/crisis/dutyshift/add/", typed).status_code == 302
    shift = DutyShift.objects.get()
    assert (shift.user_id, shift.covers) == (cast.cleo.pk, [cast.home.pk])
    assert sam.post(f"/admin/crisis/dutyshift/{shift.pk}/delete/", {"post": "yes"}).status_code == 302


def test_a_cover_is_planned_for_a_place_named_by_who_holds_it(cast: Cast) -> None:
    ada = browser(cast.ada)
    offered = choices(ada, "patients.plannedcover", "cover_for", cast.patient.anonymous_id)
    ((place, name),) = offered.items()
    assert name == f"Alice Achieng, Primary therapist of {cast.patient}"
    assert str(cast.bob.pk) in choices(ada, "patients.plannedcover", "user", "Bob")
    typed = {"cover_for": place, "user": cast.bob.pk, "starts_at": at(0, 0), "ends_at": at(3)}
    answer = ada.post("/admin/patients/plannedcover/add/", typed)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    makers.scope_all()
    cover = CareTeamMember.objects.covers().get()
    assert (cover.user_id, str(cover.cover_for_id), cover.patient_id) == (cast.bob.pk, place, cast.patient.pk)
    assert AuditLog.objects.filter(event_type="cover.planned").exists()
    assert "Bob Barasa" in ada.get("/admin/patients/plannedcover/").content.decode()
    assert ada.get(f"/admin/patients/plannedcover/{cover.pk}/change/").status_code == 200
    ada.post("/admin/patients/plannedcover/", {"action": "end_now", "_selected_action": [cover.pk]})
    makers.scope_all()
    cover.refresh_from_db()
    assert cover.ends_at is not None and cover.ends_at < makers.now() + timedelta(days=1)


def test_nobody_is_offered_what_their_form_does_not_ask_for(cast: Cast) -> None:
    cora, sam = browser(makers.make_user(Role.COMPLIANCE, cast.home)), browser(cast.sam)
    for client, model, field in (
        (sam, "patients.consent", "patient"),
        (cora, "crisis.dutyshift", "user"),
        (cora, "patients.consent", "recorded_by"),
        (cora, "patients.careteammember", "patient"),
    ):
        app, name = model.split(".")
        asked = {"app_label": app, "model_name": name, "field_name": field}
        assert client.post("/admin/autocomplete/", asked).status_code == 403, (model, field)


def test_people_of_other_organizations_are_offered_to_nobody(cast: Cast) -> None:
    ada = browser(cast.ada)
    assert choices(ada, "patients.consent", "patient", cast.stranger.anonymous_id) == {}
    assert choices(ada, "crisis.dutyshift", "user", "Charlie") == {}
