"""Notes and documents on a timeline: what labels shut isn't there, as on their own lists."""

from __future__ import annotations

import pytest

from clinical.documents.actions import label_document
from clinical.notes.actions import label_note
from cortex.accounts.choices import Role
from patients.registry.access import CHART
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.documents.test_documents import bring
from tests.unit.notes.test_notes import join, signed
from tests.unit.timeline.test_kinds import page_of

pytestmark = pytest.mark.django_db
NOTE, DOCUMENT = "Note: SOAP", "Document: report"


def labelled(cast: Cast, label: str) -> None:
    note, document = signed(cast), bring(cast)
    label_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_id=note.pk, labels=[label])
    label_document(
        actor=staff(cast.alice), patient_id=cast.patient.pk, document_id=document.pk, labels=[label]
    )
    makers.scope_all()


def shown(cast: Cast, user: object) -> list[bool]:
    page = page_of(user, cast)
    return [words in page for words in (NOTE, DOCUMENT)]


@pytest.mark.parametrize(("label", "team"), [("R", True), ("HIV", True), ("V", False), ("SUD_PART2", False)])
def test_the_team_finds_what_labels_leave_open_to_it(cast: Cast, label: str, *, team: bool) -> None:
    join(cast, cast.bob)
    assert shown(cast, cast.bob) == [False, False], "nothing is there yet"
    labelled(cast, label)
    assert shown(cast, cast.alice) == [True, True], "whoever wrote and brought them"
    assert shown(cast, cast.bob) == [team, team]


def test_part_2_follows_what_the_person_agreed_to(cast: Cast) -> None:
    join(cast, cast.bob)
    labelled(cast, "SUD_PART2")
    for granted in (True, False):
        makers.consent(cast.patient, "part2_tpo", granted=granted)
        assert shown(cast, cast.bob) == [granted, granted]


def test_a_consultation_finds_nothing_that_is_labelled(cast: Cast) -> None:
    labelled(cast, "R")
    outside = makers.make_user(Role.PSYCHIATRIST, cast.home)
    makers.grant(cast.patient, outside, reason_code="consultation", permission=CHART)
    assert shown(cast, outside) == [False, False]
    assert shown(cast, cast.alice) == [True, True]
