"""The therapist's pages with their filters taken out: PostgreSQL shows nobody of another organization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse

from clinical.caseload import queries as caseload
from clinical.documents import queries as documents
from clinical.notes import queries as notes
from clinical.notes.actions import sign_note
from clinical.timeline import queries as timeline
from cortex.accounts.models import User
from patients.care.models import CareTeamMember
from patients.care.queries import Treated
from patients.registry import access
from tests import makers, stores
from tests.cast import Cast
from tests.walk.addresses import addresses
from tests.walk.documents import bring_letter
from tests.walk.notes import write

pytestmark = pytest.mark.django_db
CHART_PAGES = ("chart", "timeline", "documents", "notes")


@dataclass(frozen=True)
class Shown:
    """One page as Alice got it, and what it says of her own person and of somebody elsewhere."""

    body: str
    own: str
    foreign: str


def write_down(user: User, patient_id: UUID, where: str) -> None:
    """A signed note and a document, each with a word that is found nowhere else."""
    who = {"actor": makers.staff(user), "patient_id": patient_id}
    saved = write(who["actor"], patient_id, "session_note", risk_statement=f"mbuyu {where}")
    sign_note(note_id=saved.note.pk, version=saved.note.version, **who)  # type: ignore[arg-type]
    bring_letter(user, patient_id, f"barua {where}")


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch, cast: Cast) -> Callable[[], dict[str, Shown]]:
    """A note and a document in each organization, the filters taken out; gives a reader of Alice's pages."""
    write_down(cast.alice, cast.patient.pk, "nyumbani")
    write_down(cast.charlie, cast.stranger.pk, "ugenini")
    both = [cast.patient.pk, cast.stranger.pk]

    def of_everybody(user: Any, at: Any, most: int) -> list[Treated]:
        places = CareTeamMember.objects.select_related("patient__organization")
        return [
            Treated(
                one.patient.pk, one.patient.person_id, one.patient.anonymous_id, one.patient.age_band,
                one.patient.timezone, one.patient.organization.default_timezone, one.starts_at, None,
            )
            for one in places
        ]  # fmt: skip

    monkeypatch.setattr(
        access, "_standings", lambda user, ids, *rest: [(one, "care_team", None) for one in ids]
    )
    monkeypatch.setattr(access, "patients_related", lambda user, ids, *rest: dict.fromkeys(ids, "care_team"))
    monkeypatch.setattr(caseload, "treated", of_everybody)
    monkeypatch.setattr(notes, "treated_ids", lambda user, at: set(both))
    for module in (documents, notes, timeline):
        monkeypatch.setattr(module, "rows_of", lambda patient: list(both))

    def read() -> dict[str, Shown]:
        client = makers.client_of(cast.alice)
        found = {}
        for name, own, foreign in (
            ("caseload", cast.patient.anonymous_id, cast.stranger.anonymous_id),
            ("note_search", "nyumbani", "ugenini"),
            ("documents", "barua nyumbani", "barua ugenini"),
            ("timeline", str(cast.patient.pk), str(cast.stranger.pk)),
            ("notes", str(cast.patient.pk), str(cast.stranger.pk)),
        ):
            ids = [cast.patient.pk] if name in CHART_PAGES else []
            path = reverse(f"clinical:{name}", args=ids)
            answer = client.post(path, {"q": "mbuyu"}) if name == "note_search" else client.get(path)
            assert answer.status_code == 200, name
            found[name] = Shown(answer.content.decode(), own, foreign)
        return found

    return read


def test_a_page_that_forgot_its_filter_shows_nothing_of_another_organization(
    pages: Callable[[], dict[str, Shown]],
) -> None:
    with stores.role("cortex_system"):
        unguarded = pages()
    assert [name for name, one in unguarded.items() if one.foreign not in one.body] == [], "no mutation there"
    guarded = pages()
    assert [name for name, one in guarded.items() if one.own not in one.body] == []
    assert [name for name, one in guarded.items() if one.foreign in one.body] == []


def test_no_page_about_a_person_of_another_organization_is_found_without_the_filter(
    pages: Callable[[], dict[str, Shown]], cast: Cast
) -> None:
    """Every page that needs no more than a person: what opens with the filter and the rows' guard gone."""
    client = makers.client_of(cast.alice)
    about_one = [one for one in addresses() if set(one.ids) == {"patient_id"} and not one.is_admin]
    paths = [one.path(patient_id=str(cast.stranger.pk)) for one in about_one]
    with stores.role("cortex_system"):
        opened = [path for path in paths if client.get(path).status_code == 200]
    assert len(opened) >= 25, opened
    assert {reverse(f"clinical:{name}", args=[cast.stranger.pk]) for name in CHART_PAGES} <= set(opened)
    found = {path: client.get(path).status_code for path in opened}
    assert {path: status for path, status in found.items() if status != 404} == {}
