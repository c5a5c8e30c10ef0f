"""Every write of the care floor is closed to actors of another organization, whatever the door forgot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cortex.audit import Actor, InputRefused, NotFound
from patients.care import actions as care
from patients.care.models import CareTeamMember, PatientUserObjectPermission
from patients.privacy.actions import record_consent
from patients.privacy.records import ConsentData
from patients.registry import actions as registry
from patients.registry.records import RegisterPatient
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db
Write = Callable[[Actor, Cast], Any]


def place_of(cast: Cast) -> CareTeamMember:
    return CareTeamMember.objects.get(patient=cast.patient)


def grant(actor: Actor, cast: Cast) -> Any:
    return care.grant_access(
        actor=actor, patient_id=cast.patient.pk, user_id=cast.bob.pk, reason_code="break_glass",
        permission="view_chart", reason="Found collapsed", ends_at=makers.now() + timedelta(hours=4),
    )  # fmt: skip


def cover(actor: Actor, cast: Cast) -> Any:
    now = makers.now()
    return care.plan_cover(
        actor=actor, member_id=place_of(cast).pk, user_id=cast.bob.pk, starts_at=now,
        ends_at=now + timedelta(hours=8),
    )  # fmt: skip


def link(actor: Actor, cast: Cast) -> Any:
    row = registry.create_provisional(actor=makers.machine(cast.home), organization_id=cast.home.pk)
    makers.scope_all()
    return registry.link_provisional(actor=actor, provisional_id=row.pk, patient_id=cast.patient.pk)


def end_grant(actor: Actor, cast: Cast) -> Any:
    row = PatientUserObjectPermission.objects.filter(content_object=cast.patient).first()
    return care.end_grant(actor=actor, grant_id=(row or makers.grant(cast.patient, cast.bob)).pk)


WRITES: dict[str, Write] = {
    "team": lambda actor, cast: care.add_to_care_team(
        actor=actor, patient_id=cast.patient.pk, role="psychiatrist", user_id=cast.bob.pk
    ),
    "cover": cover,
    "grant": grant,
    "end of a grant": end_grant,
    "end of a place": lambda actor, cast: care.end_care_team_place(
        actor=actor, member_id=place_of(cast).pk
    ),
    "change": lambda actor, cast: registry.update_patient(
        actor=actor, patient_id=cast.patient.pk, changes={"language": "sw"}
    ),
    "link": link,
    "registration": lambda actor, cast: registry.register_patient(
        actor=actor, organization_id=cast.home.pk, data=RegisterPatient()
    ),
    "provisional": lambda actor, cast: registry.create_provisional(
        actor=actor, organization_id=cast.home.pk
    ),
    "consent": lambda actor, cast: record_consent(
        actor=actor, patient=cast.patient, consents=[ConsentData("research", granted=True)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITES)
def test_another_house_finds_nothing_to_write_at(cast: Cast, name: str) -> None:
    # Charlie works elsewhere; a shift that covers the house lets him reach it, not run it.
    shift = cast.on_duty(cast.charlie)
    shift.covers = [cast.elsewhere.pk, *([] if name == "link" else [cast.home.pk])]
    shift.save()
    for stranger in (makers.staff(cast.charlie), makers.machine(cast.elsewhere)):
        with pytest.raises(NotFound):
            WRITES[name](stranger, cast)
        makers.scope_all()
    assert WRITES[name](makers.staff(cast.ada), cast)


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_breaking_the_glass_needs_a_word_of_why(cast: Cast, reason: str | None) -> None:
    with pytest.raises(InputRefused):
        care.grant_access(
            actor=makers.staff(cast.ada), patient_id=cast.patient.pk, user_id=cast.bob.pk,
            reason_code="break_glass", reason=reason, ends_at=makers.now() + timedelta(hours=1),
        )  # fmt: skip
