"""Two people of one name are told apart by their pseudonyms wherever one of them is chosen or acted on."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from clinical.notes.actions import begin_note, save_draft
from clinical.scheduling.actions import book_appointment
from cortex.ids import uuid7
from patients.registry.models import Patient
from patients.sessions.observations import EmotionObservation
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db
NAME = "Achieng Twice"


@pytest.fixture
def both(cast: Cast) -> list[Patient]:
    rows = [
        makers.make_patient(cast.home, team=[cast.alice], given_name="Achieng", family_name="Twice")
        for _ in range(2)
    ]
    alice, at = makers.staff(cast.alice), makers.now()
    for number, one in enumerate(rows):
        note = begin_note(actor=alice, patient_id=one.pk, note_type="session_note")
        save_draft(
            actor=alice, patient_id=one.pk, note_id=note.pk, version=note.version, spell=uuid7(), number=1,
            sections={"free_text": "The river."},
        )  # fmt: skip
        (hour,) = book_appointment(
            actor=alice, patient_id=one.pk, starts=[at + timedelta(minutes=5 + 60 * number)], minutes=50
        )
        assert hour.pk
        makers.scope_all()
        EmotionObservation.objects.create(
            id=uuid7(), organization=cast.home, patient=one, session=makers.make_session(one),
            observed_at=at, received_at=at, expires_at=at + timedelta(days=90), source="text",
            label="hopeless", confidence=0.9, is_flagged=True,
        )  # fmt: skip
    return rows


@pytest.mark.parametrize(
    "place", ["measures_due", "emotions", "note_desk", "note_search", "calendar", "appointment_new"]
)
def test_namesakes_are_told_apart_on_every_list(cast: Cast, both: list[Patient], place: str) -> None:
    client, where = makers.client_of(cast.alice), reverse(f"clinical:{place}")
    answer = client.post(where, {"q": "river"}) if place == "note_search" else client.get(where)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.count(NAME) >= 2
    for one in both:
        said = rf"""{NAME}(</a>)?(</span>)?[\s,]*(<span class="[\w ]*muted[\w ]*">)?{one.anonymous_id}"""
        assert re.search(said, page), f"{one.anonymous_id} does not stand beside the name"


def test_a_person_is_chosen_by_typing_the_name_and_the_pseudonym_decides(
    cast: Cast, both: list[Patient]
) -> None:
    page = makers.client_of(cast.alice).get(reverse("clinical:appointment_new")).content.decode()
    offered = re.findall(r'<option value="[^"]+"[^>]*>([^<]+)</option>', page)
    namesakes = [one for one in offered if one.startswith(NAME)]
    assert namesakes == sorted(f"{NAME}, {one.anonymous_id}" for one in both)
