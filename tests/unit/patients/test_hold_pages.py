"""Legal holds on pages: compliance's part of the back office, the person's page there, a chart's banner."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.assessments.actions import begin_assessment
from clinical.assessments.models import AssessmentDraft
from clinical.plans.allergies.actions import save_allergy
from cortex.accounts.models import User
from cortex.audit.models import AuditLog, PhiAccessLog
from patients.holds.actions import issue_hold, release_hold
from patients.holds.models import LegalHold
from patients.holds.queries import rows_with_hold
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import client_of, staff
from tests.unit.patients.holding import WHY
from tests.walk.plans import ALLERGY

pytestmark = pytest.mark.django_db
LIST, ADD = "/admin/patients/legalhold/", "/admin/patients/legalhold/add/"
FLAG = re.compile(r'<span class="tag tag-warn">(Legal hold since \d+ \w+ \d{4})</span>')


def form(cast: Cast, **typed: Any) -> dict[str, Any]:
    return {
        "patient": cast.patient.pk, "matter": "HC 12/2026", "covers_from": "", "covers_until": "",
        "record_kinds": ["notes"], "why": WHY,
    } | typed  # fmt: skip


def issued(cast: Cast, user: User, matter: str = "HC 12/2026") -> LegalHold:
    done = issue_hold(actor=staff(user), patient_id=cast.patient.pk, matter=matter, reason=WHY)
    makers.scope_all()
    return done


def page_of(one: LegalHold) -> str:
    return f"{LIST}{one.pk}/change/"


def test_a_hold_is_issued_by_its_form_read_and_released_by_somebody_else(
    cast: Cast, cora: User, odo: User
) -> None:
    issuer, other = client_of(cora), client_of(odo)
    answer = issuer.post(ADD, form(cast))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    makers.scope_all()
    one = LegalHold.objects.get()
    assert (one.matter, one.record_kinds, one.issued_by) == ("HC 12/2026", ["notes"], cora)
    listed = issuer.get(LIST).content.decode()
    assert cast.patient.anonymous_id in listed and "HC 12/2026" in listed and WHY not in listed

    shown = issuer.get(page_of(one)).content.decode()
    assert WHY in shown and 'name="why"' not in shown and 'name="_save"' not in shown
    row = PhiAccessLog.objects.filter(data_type="legalhold_admin").latest("id")
    assert (row.subject, row.actor_id) == (cast.patient.pk, cora.pk)
    said = issuer.post(page_of(one), {"why": "I take it back myself"}, follow=True).content.decode()
    assert "somebody else of compliance releases it" in said
    makers.scope_all()
    one.refresh_from_db()
    assert one.is_running

    assert 'name="why"' in other.get(page_of(one)).content.decode()
    assert other.post(page_of(one), {"why": "short"}).status_code == 200
    for _ in range(2):
        assert other.post(page_of(one), {"why": "The claim was settled"}).status_code == 302
    makers.scope_all()
    one.refresh_from_db()
    assert one.released_by == odo
    assert AuditLog.objects.filter(event_type="hold.released").count() == 1
    shown = other.get(page_of(one)).content.decode()
    assert "The claim was settled" in shown and 'name="why"' not in shown
    late = issuer.post(page_of(one), {}, follow=True).content.decode()
    assert "Somebody has released this hold already" in late


def test_a_hold_is_neither_changed_nor_deleted(cast: Cast, cora: User, odo: User) -> None:
    one, other = issued(cast, cora), client_of(odo)
    assert other.post(f"{LIST}{one.pk}/delete/", {"post": "yes"}).status_code == 403
    other.post(page_of(one), form(cast, matter="Other", why="The claim was settled"))
    makers.scope_all()
    one.refresh_from_db()
    assert (one.matter, one.record_kinds, one.is_running) == ("HC 12/2026", [], False)


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ({"matter": "a\x00b"}, "matter"), ({"matter": ""}, "matter"), ({"why": "a\x00b" * 20}, "why"),
        ({"record_kinds": ["everything"]}, "record_kinds"), ({"record_kinds": ["\x00"]}, "record_kinds"),
        ({"covers_from": "2026-02-02", "covers_until": "2026-02-01"}, "covers_until"),
        ({"covers_from": "\x00"}, "covers_from"), ({"patient": "\x00"}, "patient"), ({"why": ""}, "why"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_comes_back_with_the_form(
    cast: Cast, cora: User, typed: dict[str, Any], place: str
) -> None:
    answer = client_of(cora).post(ADD, form(cast, **typed))
    assert answer.status_code == 200 and place in answer.context["adminform"].form.errors
    makers.scope_all()
    assert not LegalHold.objects.exists()


def test_signs_that_nobody_sees_and_a_second_hold_are_answered_in_words(cast: Cast, cora: User) -> None:
    client = client_of(cora)
    said = client.post(ADD, form(cast, matter="HC\u202e12"), follow=True).content.decode()
    assert "in signs that can be read" in said
    assert client.post(ADD, form(cast)).status_code == client.post(ADD, form(cast)).status_code == 302
    said = client.post(ADD, form(cast, record_kinds=[]), follow=True).content.decode()
    assert "keeps this person" in said
    makers.scope_all()
    assert LegalHold.objects.count() == 1
    assert client.get(f"{LIST}%00/change/").status_code == 404
    assert client.post(f"{LIST}%00/change/", {"why": "The claim was settled"}).status_code == 404


def test_another_house_finds_none_and_holds_nobody_here(cast: Cast, cora: User) -> None:
    one = issued(cast, cora)
    stranger = client_of(makers.make_user("compliance", cast.elsewhere))
    assert cast.patient.anonymous_id not in stranger.get(LIST).content.decode()
    assert stranger.get(page_of(one)).status_code == 404
    assert stranger.post(page_of(one), {"why": "The claim was settled"}).status_code == 404
    assert "patient" in stranger.post(ADD, form(cast)).context["adminform"].form.errors


def test_the_person_s_page_in_the_back_office_says_since_when_and_never_why(
    cast: Cast, cora: User, odo: User
) -> None:
    client, path = client_of(cast.ada), f"/admin/patients/patient/{cast.patient.pk}/change/"

    def said() -> str:
        found = re.search(
            r'field-legal_hold.*?class="readonly">([^<]*)<', client.get(path).content.decode(), re.S
        )
        assert found is not None
        return found[1]

    assert said() == "None"
    one = issued(cast, cora)
    assert re.fullmatch(r"Since \d+ \w+ \d{4}", said()) and WHY not in client.get(path).content.decode()
    release_hold(actor=staff(odo), hold_id=one.pk, reason="The claim was settled")
    makers.scope_all()
    assert said() == "None"


def flags(user: User, patient: Patient, name: str = "chart") -> list[str]:
    answer = client_of(user).get(reverse(f"clinical:{name}", args=[patient.pk]))
    assert answer.status_code == 200
    body = answer.content.decode()
    assert WHY not in body and "HC 12" not in body
    return FLAG.findall(body)


@pytest.mark.parametrize("name", ["chart", "timeline", "plan"])
def test_every_page_of_a_chart_says_since_when_until_it_is_released(
    cast: Cast, cora: User, odo: User, name: str
) -> None:
    assert flags(cast.alice, cast.patient, name) == []
    first = issued(cast, cora)
    second = issued(cast, cora, "HC 13/2026")
    day = f"{first.issued_at.astimezone():%Y}"
    (flag,) = flags(cast.alice, cast.patient, name)
    assert flag.endswith(day)
    for one, left in ((first, 1), (second, 0)):
        release_hold(actor=staff(odo), hold_id=one.pk, reason="The claim was settled")
        makers.scope_all()
        assert len(flags(cast.alice, cast.patient, name)) == left


def test_a_hold_of_a_linked_row_flags_the_person_in_no_more_queries(cast: Cast, cora: User) -> None:
    other = makers.make_patient(cast.home)
    one = issue_hold(actor=staff(cora), patient_id=other.pk, matter="HC 12", reason=WHY)
    makers.scope_all()
    assert rows_with_hold(cast.patient) == ([cast.patient.pk], None)
    Patient.objects.filter(pk=other.pk).update(merged_into=cast.patient)
    with CaptureQueriesContext(connection) as seen:
        ids, since = rows_with_hold(cast.patient)
    assert (set(ids), since, len(seen)) == ({cast.patient.pk, other.pk}, one.issued_at, 1)
    assert len(flags(cast.alice, cast.patient)) == 1


def test_a_therapist_is_told_why_a_record_can_not_be_deleted(cast: Cast, cora: User) -> None:
    begin_assessment(actor=staff(cast.alice), patient_id=cast.patient.pk, key="gad7")
    issued(cast, cora)
    client: Client = client_of(cast.alice)
    answer = client.post(reverse("clinical:measure_give_up", args=[cast.patient.pk, "gad7"]))
    assert answer.status_code == 409
    said = answer.content.decode()
    assert "A legal hold keeps this record; it can" in said and "be deleted until it is released." in said
    makers.scope_all()
    assert AssessmentDraft.objects.exists()


def test_words_whose_day_is_over_are_not_said_to_leave_on_it(cast: Cast, cora: User) -> None:
    issued(cast, cora)
    said = []
    for age in (1, 20):
        voice = makers.make_voice(cast.patient, received_at=makers.now() - timedelta(days=age))
        path = reverse("clinical:session", args=[cast.patient.pk, voice.pk])
        said.append(client_of(cast.alice).get(path).content.decode())
        makers.scope_all()
    assert "Kept until" in said[0] and "unless a legal hold keeps it" not in said[0]
    assert "Kept until" not in said[1] and "unless a legal hold keeps it" in said[1]


def test_the_list_tells_holds_in_force_from_released_ones(cast: Cast, cora: User, odo: User) -> None:
    over = issued(cast, cora, "HC 1/2026")
    release_hold(actor=staff(odo), hold_id=over.pk, reason="The claim was settled")
    makers.scope_all()
    issued(cast, cora, "HC 2/2026")
    compliance = client_of(cora)
    words = compliance.get(LIST).content.decode()
    assert "By state" in words and "In force" in words and "Not empty" not in words
    for asked, here, away in (("1", "HC 2/2026", "HC 1/2026"), ("0", "HC 1/2026", "HC 2/2026")):
        listed = compliance.get(LIST, {"released_at__isempty": asked}).content.decode()
        assert here in listed and away not in listed


def test_what_is_dangerous_stands_before_a_hold(cast: Cast, cora: User) -> None:
    issued(cast, cora)
    fields = ALLERGY | {"criticality": "high"}
    save_allergy(actor=staff(cast.alice), patient_id=cast.patient.pk, fields=fields)
    makers.scope_all()
    page = client_of(cast.alice).get(reverse("clinical:chart", args=[cast.patient.pk])).content.decode()
    assert 0 < page.index("Allergy: Penicillin (severe)") < page.index("Legal hold since")
