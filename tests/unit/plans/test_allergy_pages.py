"""The pages of allergies: the form, whom they open to, people linked as one, and what the trail says."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from clinical.plans.allergies.actions import mark_error, save_allergy, say_none_known, undo_error
from clinical.plans.allergies.models import Allergy
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.crypto.errors import KeyProviderError
from patients.registry.access import CHART
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.unit.plans.conftest import Planned
from tests.unit.plans.test_allergies import SEVERE, add, client_of, flags, own, page, section, url
from tests.walk.plans import ALLERGY

pytestmark = pytest.mark.django_db


def test_a_form_works_without_a_script_and_refused_words_come_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, where = client_of(cast.alice), url(cast, "allergy_add")
    given = {name: value for name, value in ALLERGY.items() if value is not None}
    late = f"{makers.now() + timedelta(days=3):%Y-%m-%d}"
    for bad in (
        {"substance": ""}, {"substance": "x" * 10_000}, {"substance": "a\x00b"}, {"substance": "a\u202eb"},
        {"reaction": "x" * 10_000}, {"reaction": "\x00"}, {"since": late}, {"since": "\x00"},
        {"kind": "poison"}, {"category": ""}, {"criticality": "\x00"}, {"verification": "entered-in-error"},
    ):  # fmt: skip
        answer = client.post(where, given | {"reaction": "Hives on both arms."} | bad)
        assert answer.status_code == 422, bad
        if "reaction" not in bad:
            assert "Hives on both arms." in answer.content.decode(), bad
    makers.scope_all()
    assert not Allergy.objects.exists()
    with pytest.raises(InputRefused, match="still to come"):
        add(cast, since=makers.now().date() + timedelta(days=3))

    def away(**_: object) -> None:
        raise KeyProviderError("the keys are away")

    with monkeypatch.context() as patched:
        patched.setattr("clinical.plans.allergies.views.actions.save_allergy", away)
        answer = client.post(where, given)
    assert answer.status_code == 503 and 'value="Penicillin"' in answer.content.decode()
    assert client.post(where, given | {"reaction": "Hives.", "since": "2020-02-01"}).status_code == 303
    told = section(cast)
    for words in ("Penicillin", "Hives.", "since 1 Feb 2020", "said by the person", "Unconfirmed"):
        assert words in told, words
    row = Allergy.objects.get()
    edit = client.get(url(cast, "allergy_edit", row.pk)).content.decode()
    assert 'value="Penicillin"' in edit and "Hives." in edit
    answer = client.post(url(cast, "allergy_edit", row.pk), given | {"criticality": "high"})
    assert answer.status_code == 303 and flags(cast) == [("Allergy: Penicillin (severe)", "crit")]
    makers.scope_all()
    codes = AuditLog.objects.filter(event_type="allergy.changed").latest("id").codes
    assert (codes["before"]["criticality"], codes["criticality"]) == ("low", "high")


def test_a_save_that_changes_nothing_leaves_no_row(cast: Cast) -> None:
    row = add(cast)
    add(cast, row=row)
    assert not AuditLog.objects.filter(event_type="allergy.changed").exists()


def test_strangers_find_nothing_and_other_people_s_rows_open_nowhere(cast: Cast) -> None:
    row = add(cast)
    makers.add_to_team(cast.patient, cast.bob, role="primary_therapist")
    other = makers.make_patient(organization=cast.home)
    makers.add_to_team(other, cast.alice)
    places = [
        ("get", "allergy_add", ()), ("post", "allergies_none_known", ()), ("get", "allergy_edit", (row.pk,)),
        ("post", "allergy_edit", (row.pk,)), ("post", "allergy_error", (row.pk,)),
        ("post", "allergy_error_undo", (row.pk,)),
    ]  # fmt: skip
    charlie = client_of(cast.charlie)
    for method, name, ids in places:
        assert getattr(charlie, method)(url(cast, name, *ids)).status_code == 404, name
    alice = client_of(cast.alice)
    for name in ("allergy_edit", "allergy_error", "allergy_error_undo"):
        where = reverse(f"clinical:{name}", args=[other.pk, row.pk])
        assert alice.post(where, {}).status_code == 404, name
    makers.scope_all()
    with pytest.raises(NotFound):
        mark_error(actor=makers.staff(cast.charlie), patient_id=cast.patient.pk, allergy_id=row.pk)
    said = say_none_known(actor=makers.staff(cast.alice), patient_id=other.pk)
    where = reverse("clinical:allergy_edit", args=[other.pk, said.pk])
    assert alice.get(where).status_code == 404, "the statement has no form"
    assert client_of(cast.sam).post(url(cast, "allergies_none_known")).status_code == 403


def test_break_glass_reads_the_banner_and_the_list_and_writes_nothing(cast: Cast) -> None:
    row = add(cast)
    makers.grant(
        cast.patient, cast.bob, reason_code="break_glass", reason="Her team does not answer.",
        permission=CHART, ends_at=makers.now() + timedelta(hours=2),
    )  # fmt: skip
    told = page(cast, "plan", cast.bob)
    assert "Allergy: Penicillin" in told and "plan/allergies/" not in told
    bob = client_of(cast.bob)
    for method, name, ids in (
        ("get", "allergy_add", ()), ("post", "allergies_none_known", ()), ("get", "allergy_edit", (row.pk,)),
        ("post", "allergy_error", (row.pk,)), ("post", "allergy_error_undo", (row.pk,)),
    ):  # fmt: skip
        assert getattr(bob, method)(url(cast, name, *ids)).status_code == 409, name
    makers.scope_all()
    assert Allergy.objects.get().stands


def test_rows_of_one_person_are_read_together(cast: Cast) -> None:
    other = makers.make_patient(organization=cast.home)
    makers.add_to_team(other, cast.alice)
    save_allergy(
        actor=makers.staff(cast.alice), patient_id=other.pk, fields=ALLERGY | {"substance": "Iodine"}
    )
    makers.scope_all()
    Patient.objects.filter(pk=other.pk).update(merged_into=cast.patient)
    assert flags(cast) == [("Allergy: Iodine", "warn")]
    with pytest.raises(RuleBroken, match="active allergy"):
        say_none_known(**own(cast))
    with pytest.raises(InputRefused, match="on the list already"):
        add(cast, "Iodine")
    mark_error(**own(cast, Allergy.objects.get()))
    makers.scope_all()
    assert flags(cast) == []


def test_the_trail_names_the_person_and_the_log_the_section_and_neither_the_substance(cast: Cast) -> None:
    row = add(cast, "Qwertyzin", reaction="Zxcvb swelling")
    add(cast, "Qwertyzin", row=row, reaction="Zxcvb again", **SEVERE)
    mark_error(**own(cast, row))
    undo_error(**own(cast, row))
    say = AuditLog.objects.filter(event_type__startswith="allergy.")
    assert set(say.values_list("subject", flat=True)) == {cast.patient.pk} and say.count() == 4
    page(cast, "timeline")
    page(cast)
    looks = PhiAccessLog.objects.filter(subject=cast.patient.pk, data_type="plan")
    assert "allergies" in looks.latest("id").sections
    logged = [*AuditLog.objects.values(), *PhiAccessLog.objects.values()]
    assert not any(word in str(logged) for word in ("Qwertyzin", "Zxcvb"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT substance::text, reaction::text FROM clinical_allergy")
        stored = str(cursor.fetchall())
    assert len(stored) > 100 and not any(word in stored for word in ("Qwertyzin", "Zxcvb"))
    admin = makers.client_of(cast.ada)
    listed = admin.get(reverse("admin:clinical_allergy_changelist")).content.decode()
    assert cast.patient.anonymous_id in listed and "Qwertyzin" not in listed


def paper(planned: Planned) -> str:
    """What the printed plan says, without its tags."""
    sheet = page(planned.cast, "plan_print").split('class="sheet-b"')[1].split("</article>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", sheet).split())


def test_the_printed_plan_says_what_stands_that_none_is_known_or_nothing(planned: Planned) -> None:
    cast = planned.cast
    assert "Allergies" not in paper(planned), "nobody asked"
    say_none_known(**own(cast))
    makers.scope_all()
    assert "Allergies None known. When it gets too much" in paper(planned)
    add(cast, "Latex", reaction="Itching where it touched.")
    over = add(cast, "Nuts", clinical_status="resolved")
    doubted = add(cast, "Eggs", verification="refuted")
    add(cast, "Penicillin", **SEVERE)
    said = paper(planned)
    assert "food: Penicillin This can be dangerous for you. Latex When it gets too much" in said
    for words in ("None known", "Nuts", "Eggs", "Itching", "severe", "criticality", "unconfirmed"):
        assert words not in said, words
    look = PhiAccessLog.objects.filter(subject=cast.patient.pk, data_type="plan").latest("id")
    assert look.sections == ["plan.print", "allergies"]
    for one in Allergy.objects.exclude(pk__in=[over.pk, doubted.pk]).filter(none_known=False):
        mark_error(**own(cast, one))
        makers.scope_all()
    assert "Allergies" not in paper(planned)
