"""A search of a whole caseload finds, counts and hints at nothing that a label shuts to the reader."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse

from clinical.notes.actions import label_note, sign_note
from clinical.notes.models import Note
from cortex.accounts.choices import Role
from cortex.accounts.models import StaffProfile, User
from cortex.audit.models import PhiAccessLog
from cortex.ids import uuid7
from patients.registry.access import CHART
from patients.registry.actions import create_provisional, link_provisional
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.notes.test_addenda import keep, sign
from tests.unit.notes.test_notes import join, signed
from tests.unit.notes.test_pages import as_user
from tests.walk.notes import write

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r'(?<=value=")[A-Za-z0-9]{64}')
NOTHING = "0 found in 0 notes."


def said_of(user: User, **more: Any) -> str:
    """What a search answers, without what is another one in every answer."""
    answer = as_user(user).post(reverse("clinical:note_search"), {"q": "kalimba"} | more)
    makers.scope_all()
    assert answer.status_code == 200
    return TOKEN.sub("", answer.content.decode().split("<main")[1])


def labelled(cast: Cast, note: Note, *labels: str) -> None:
    label_note(actor=staff(cast.alice), patient_id=note.patient_id, note_id=note.pk, labels=list(labels))
    makers.scope_all()


def note_with_addendum(cast: Cast) -> Note:
    note = signed(cast, plan="Buy a kalimba.")
    sign(cast, note, keep(cast, note, "The kalimba was bought.", 0, uuid7()).addendum.version)
    return Note.objects.get(pk=note.pk)


@pytest.mark.parametrize("label", ["V", "SUD_PART2"])
def test_what_a_label_shuts_leaves_the_page_of_a_caseload_without_a_note(cast: Cast, label: str) -> None:
    join(cast, cast.bob)
    without = said_of(cast.bob)
    assert NOTHING in without
    labelled(cast, note_with_addendum(cast), label)
    before = PhiAccessLog.objects.filter(data_type="note_search", actor_id=cast.bob.pk).count()
    assert said_of(cast.bob) == without, "neither found, nor counted, nor hinted at"
    rows = PhiAccessLog.objects.filter(data_type="note_search", actor_id=cast.bob.pk)
    assert rows.count() == before + 1
    assert not any(row.subjects or row.subject for row in rows), "nothing of anybody was opened"
    assert said_of(cast.bob, patient=cast.patient.pk).count("<mark>") == 0
    mine = said_of(cast.alice)
    assert "1 found in 1 note." in mine and "<mark>" in mine, "its author finds it"


@pytest.mark.parametrize("label", ["R", "HIV", "GBV", "MINOR"])
def test_what_is_open_to_every_team_is_found_by_the_team(cast: Cast, label: str) -> None:
    join(cast, cast.bob)
    labelled(cast, note_with_addendum(cast), label)
    assert "1 found in 1 note." in said_of(cast.bob)
    labelled(cast, Note.objects.get(), label, "V")
    assert NOTHING in said_of(cast.bob), "one label that shuts is enough"


def test_a_shut_note_is_no_reason_to_look_further_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinical.notes.search.BOUND", 1)
    join(cast, cast.bob)
    labelled(cast, note_with_addendum(cast), "V")
    signed(cast, plan="No kalimba any more.")
    mine, theirs = said_of(cast.alice), said_of(cast.bob)
    assert "1 found in 1 note." in mine and "Look further back" in mine
    assert "1 found in 1 note." in theirs and "Look further back" not in theirs


def test_part_2_opens_the_notes_of_those_alone_who_agreed_and_while_they_do(cast: Cast) -> None:
    people = [makers.make_patient(cast.home, team=[cast.alice, cast.bob]) for _ in range(2)]
    for one in people:
        note = write(
            staff(cast.alice), one.pk, "session_note", free_text="A kalimba.", risk_statement="None."
        ).note
        sign_note(actor=staff(cast.alice), patient_id=one.pk, note_id=note.pk, version=note.version)
        labelled(cast, Note.objects.get(pk=note.pk), "SUD_PART2")
    assert NOTHING in said_of(cast.bob)
    makers.consent(people[1], "part2_tpo")
    found = said_of(cast.bob)
    assert "1 found in 1 note." in found
    assert str(people[1].pk) in found and str(people[0].pk) not in found
    makers.consent(people[1], "part2_tpo", granted=False)
    assert NOTHING in said_of(cast.bob)


def test_a_consultation_finds_nothing_labelled_on_a_chart_and_nothing_at_all_on_a_caseload(
    cast: Cast,
) -> None:
    outside = makers.make_user(Role.PSYCHIATRIST, cast.home)
    makers.grant(cast.patient, outside, reason_code="consultation", permission=CHART)
    labelled(cast, note_with_addendum(cast), "R")
    chart: dict[str, Any] = {"patient": cast.patient.pk}
    assert "0 found in 0 notes of" in said_of(outside, **chart)
    signed(cast, plan="A kalimba for all.")
    assert "1 found in 1 note of" in said_of(outside, **chart)
    assert NOTHING in said_of(outside)


def test_a_note_under_a_linked_row_is_found_and_waits_to_be_cosigned_like_the_others(cast: Cast) -> None:
    caller = create_provisional(actor=makers.machine(cast.home), organization_id=cast.home.pk)
    makers.scope_all()
    makers.add_to_team(caller, cast.bob)
    StaffProfile.objects.create(user=cast.bob, organization=cast.home, is_trainee=True)
    note = signed(replace(cast, patient=caller), user=cast.bob, plan="Buy a kalimba.")
    join(cast, cast.sam, "supervisor")
    link_provisional(actor=makers.machine(cast.home), provisional_id=caller.pk, patient_id=cast.patient.pk)
    makers.scope_all()
    assert "1 found in 1 note." in said_of(cast.alice)
    assert said_of(cast.alice, patient=cast.patient.pk).count("<mark>") == 1
    desk = as_user(cast.sam).get(reverse("clinical:note_desk"))
    assert [one["id"] for one in desk.context["to_cosign"]] == [note.pk]
    makers.scope_all()
    # Part 2 goes by the person's consent, whichever row holds the note.
    Note.objects.filter(pk=note.pk).update(sensitivity_labels=["SUD_PART2"])
    makers.scope_all()
    assert NOTHING in said_of(cast.alice)
    makers.consent(cast.patient, "part2_tpo")
    assert "1 found in 1 note." in said_of(cast.alice)
