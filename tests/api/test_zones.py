"""A person's days are counted where they live; a zone that nobody knows counts as UTC and stops nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from clinical.plans.medications.actions import save_medication
from cortex.audit import InputRefused
from crisis.alerts.models import RiskAlert
from crisis.intake import storing
from crisis.risk.models import Evidence
from patients.registry.actions import register_patient, update_age_bands, update_patient
from patients.registry.models import Patient
from patients.registry.records import RegisterPatient
from patients.sessions.messages import Message
from patients.sessions.models import Session
from tests import makers
from tests.api.conftest import TIER_A, Api, item, message, results
from tests.cast import Cast
from tests.unit.timeline.test_timeline import look
from tests.walk.plans import MEDICINE

pytestmark = pytest.mark.django_db
TYPO = "Africa/Nairobbi"


@pytest.fixture
def misspelt(cast: Cast) -> Cast:
    """The home organization with a zone that was taken before names were checked; its people have none."""
    type(cast.home).objects.filter(pk=cast.home.pk).update(default_timezone=TYPO)
    Patient.objects.filter(organization=cast.home).update(timezone="")
    for row in (cast.home, cast.patient.organization):
        row.default_timezone = TYPO
    return cast


def test_a_misspelt_zone_costs_nobody_the_engine(api: Api, misspelt: Cast) -> None:
    misspelt.on_duty()
    assert results(api.send(message(misspelt.patient, TIER_A))) == ["stored"]
    assert list(RiskAlert.objects.values_list("kind", "level")) == [("self_harm", "critical")]
    told = Evidence.objects.get(patient=misspelt.patient, code="TEXT_A")
    assert told.local_day == told.observed_at.date()


def test_a_misspelt_zone_costs_nobody_their_age_band(misspelt: Cast) -> None:
    person = makers.make_patient(misspelt.home, date_of_birth=date(1980, 1, 1))
    Patient.objects.filter(pk=person.pk).update(age_band="unknown", timezone="")
    update_age_bands(actor=makers.machine(misspelt.home))
    makers.scope_all()
    assert Patient.objects.get(pk=person.pk).age_band == "45_54"


def test_a_misspelt_zone_stops_no_report_and_no_timeline(misspelt: Cast) -> None:
    out = StringIO()
    makers.make_alert(misspelt.patient, "critical")
    today = makers.now().date()
    call_command(
        "calibration_report", "--organization", "amani", "--since", f"{today - timedelta(days=9)}", stdout=out
    )
    assert "amani, alerts raised" in out.getvalue()
    makers.scope_all()
    taken: dict[str, Any] = MEDICINE | {"name": "Methadone", "start": today - timedelta(days=3), "stop": None}
    save_medication(actor=makers.staff(misspelt.alice), patient_id=misspelt.patient.pk, fields=taken)
    (begun,) = look(misspelt, kinds=["medications"]).entries
    assert begun.title.startswith("Medication begun: Methadone")


# Days that begin elsewhere


def night() -> datetime:
    """Nine in the evening of the day before yesterday by UTC: midnight in Nairobi."""
    return datetime.combine(makers.now().date() - timedelta(days=2), time(21), UTC)


def test_a_nights_messages_without_a_session_are_one_chat_where_the_person_lives(
    api: Api, cast: Cast
) -> None:
    said = [timedelta(minutes=-30), timedelta(minutes=30), timedelta(hours=4)]
    for span in said:
        one = message(cast.patient, at=(night() + span).isoformat())
        del one["session"]
        assert results(api.send(one)) == ["stored"]
    rows = Message.objects.select_related("session").order_by("sent_at")
    names = [row.session.client_ref for row in rows]
    eve, day = night().date(), night().date() + timedelta(days=1)
    assert names == [f"chat:{eve}", f"chat:{day}", f"chat:{day}"]


def test_what_was_stored_under_another_day_is_not_stored_again(
    api: Api, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = message(cast.patient, at=(night() + timedelta(minutes=30)).isoformat())
    del one["session"]
    monkeypatch.setattr(storing, "local_day", lambda person, at: at.date())
    assert results(api.send(one)) == ["stored"]
    monkeypatch.undo()
    assert results(api.send(one)) == ["duplicate"]
    assert (Message.objects.count(), Session.objects.count()) == (1, 1)


def test_a_birthday_is_counted_where_the_person_lives(cast: Cast) -> None:
    """Half past ten in the evening by UTC: it is tomorrow already, and somebody is born or of age."""
    at = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    actor, born = makers.machine(cast.home), date(2026, 3, 2)
    data = RegisterPatient(given_name="Neema", date_of_birth=born)
    child = register_patient(actor=actor, organization_id=cast.home.pk, data=data, at=at)
    assert child.age_band == "under_13"
    data = RegisterPatient(given_name="Neema", date_of_birth=born, timezone="Atlantic/Azores")
    with pytest.raises(InputRefused, match="date of birth"):
        register_patient(actor=actor, organization_id=cast.home.pk, data=data, at=at)
    grown = date(2008, 3, 2)
    row = register_patient(
        actor=actor, organization_id=cast.home.pk, data=RegisterPatient(date_of_birth=grown), at=at
    )
    assert row.age_band == "18_24"
    changes = {"date_of_birth": grown, "timezone": "Atlantic/Azores"}
    assert update_patient(actor=actor, patient_id=child.pk, changes=changes, at=at).age_band == "13_17"
    changes = {"date_of_birth": born, "timezone": ""}
    assert update_patient(actor=actor, patient_id=child.pk, changes=changes, at=at).age_band == "under_13"


@pytest.mark.parametrize(("days", "taken"), [(0, True), (1, True), (2, False), (3000, False), (-400, True)])
def test_a_check_in_of_a_day_that_has_begun_nowhere_is_refused_and_its_words_are_read(
    api: Api, cast: Cast, days: int, taken: bool
) -> None:
    # With +14:00 it is tomorrow somewhere; further on it is nowhere.
    day = (makers.now().astimezone(UTC) + timedelta(days=days)).date()
    answer = api.send(item("checkin", cast.patient, date=day.isoformat(), mood=3, notes=TIER_A))
    told = answer.json()["items"][0]
    assert results(answer) == ["stored" if taken else "rejected"]
    assert (told.get("reason"), told.get("field")) == ((None, None) if taken else ("out_of_range", "/date"))
    assert told["support"]["emergency_number"]
    assert RiskAlert.objects.get(kind="self_harm").level == "critical"
