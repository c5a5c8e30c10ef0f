"""The access context opens what a relationship opens: whose, which fields, and what the trail says of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from cortex.access.context import AccessContext, opening, reading
from cortex.accounts.models import User
from cortex.audit import Actor, NotFound, action, record, system
from cortex.audit.models import PhiAccessLog
from cortex.crypto.errors import KeyNotOpened
from crisis.duty.models import DutyShift
from crisis.ownership.actions import claim_alert
from patients.registry.models import Patient
from patients.registry.predicate import CHART, CONSENTS
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def name_of(actor: Actor, patient: Patient, **how: Any) -> str:
    """Open the given name of a person in a reading of their own."""
    with reading(actor, purpose="curious", **how) as ctx:
        ctx.open([patient], ["given_name"])
        name = patient.given_name
    makers.scope_all()
    return str(name)


def device_of(patient: Patient) -> Actor:
    """The actor of a patient's own device."""
    return Actor(
        kind="patient", id=patient.pk, label="device", role="patient",
        organization_id=patient.organization_id, org_ids=(patient.organization_id,),
    )  # fmt: skip


def client_of(organization_id: UUID) -> Actor:
    """The actor of an API client."""
    return Actor(
        kind="api", id=uuid4(), label="App", role="api_client", organization_id=organization_id,
        org_ids=(organization_id,),
    )  # fmt: skip


@pytest.mark.parametrize("who", ["charlie", "bob", "cleo", "sam"])
def test_whoever_has_no_relationship_opens_nothing_and_leaves_no_row(cast: Cast, who: str) -> None:
    cast.on_duty(cast.cleo)
    before = PhiAccessLog.objects.count()
    with pytest.raises(NotFound):
        name_of(makers.staff(getattr(cast, who)), cast.patient)
    makers.scope_all()
    assert PhiAccessLog.objects.count() == before
    assert name_of(makers.staff(cast.alice), cast.patient) == "Zawadi"


def test_what_an_action_opens_is_written_with_the_action(cast: Cast) -> None:
    session = makers.make_session(cast.patient)
    message = makers.make_message(cast.patient, "about the lake", session=session)
    before = PhiAccessLog.objects.filter(subject=cast.patient.pk, purpose="test").count()
    assert makers.opened(message, "content") == "about the lake"
    assert PhiAccessLog.objects.filter(subject=cast.patient.pk, purpose="test").count() == before + 1


def test_one_stranger_closes_the_whole_list(cast: Cast) -> None:
    with pytest.raises(NotFound), reading(makers.staff(cast.alice), purpose="list") as ctx:
        ctx.open([cast.patient, cast.stranger])


def test_the_row_names_the_relationship_of_the_predicate_never_a_word_of_the_door(cast: Cast) -> None:
    for user, name in ((cast.alice, "care_team"), (cast.ada, "administration")):
        assert name_of(makers.staff(user), cast.patient, relationship="duty") == "Zawadi"
        row = PhiAccessLog.objects.filter(actor_id=user.pk).latest("id")
        assert (row.subject, row.relationship, row.break_glass) == (cast.patient.pk, name, None)
    with pytest.raises(ValueError, match="no ground"):
        name_of(makers.staff(cast.alice), cast.patient, relationship="an old friend")


def test_a_list_writes_one_row_for_each_relationship(cast: Cast) -> None:
    other = makers.make_patient(cast.home, team=[cast.bob])
    makers.grant(cast.patient, cast.bob)
    named = makers.make_patient(cast.home)
    with reading(makers.staff(cast.bob), purpose="list", relationship="duty") as ctx:
        ctx.saw("people", subjects=[cast.patient.pk, other.pk, named.pk])
        ctx.open([cast.patient, other])
    rows = PhiAccessLog.objects.filter(data_type="people")
    found = {row.relationship: row.subject for row in rows}
    assert found == {"grant:consultation": cast.patient.pk, "care_team": other.pk, "duty": named.pk}


def test_a_look_by_break_glass_names_its_grant(cast: Cast) -> None:
    end = makers.now() + timedelta(hours=2)
    grant = makers.grant(
        cast.patient, cast.bob, reason_code="break_glass", reason="Found collapsed", ends_at=end
    )
    assert name_of(makers.staff(cast.bob), cast.patient) == "Zawadi"
    row = PhiAccessLog.objects.filter(actor_id=cast.bob.pk).latest("id")
    assert (row.relationship, row.break_glass) == ("grant:break_glass", grant.pk)
    name_of(makers.staff(cast.alice), cast.patient)
    assert PhiAccessLog.objects.filter(actor_id=cast.alice.pk).latest("id").break_glass is None


def test_what_must_be_open_is_asked_too(cast: Cast) -> None:
    officer = makers.make_user("compliance", cast.home)
    assert name_of(makers.staff(officer), cast.patient, permission=CONSENTS) == "Zawadi"
    for user, permission in ((officer, ""), (officer, CHART), (cast.ada, CHART)):
        with pytest.raises(NotFound):
            name_of(makers.staff(user), cast.patient, permission=permission)


def test_keys_devices_and_the_system_reach_their_own_only(cast: Cast) -> None:
    own = (
        (client_of(cast.home.pk), "api"), (device_of(cast.patient), "self"),
        (makers.machine(cast.home), "system"), (system("sweeper"), "system"),
    )  # fmt: skip
    for actor, name in own:
        assert name_of(actor, cast.patient) == "Zawadi"
        assert PhiAccessLog.objects.latest("id").relationship == name
    strangers = (
        client_of(cast.elsewhere.pk), device_of(makers.make_patient(cast.home)),
        device_of(cast.stranger), makers.machine(cast.elsewhere),
    )  # fmt: skip
    for actor in strangers:
        with pytest.raises(NotFound):
            name_of(actor, cast.patient)
    assert name_of(system("sweeper"), cast.stranger) == "Imani"


def test_only_the_named_fields_open(cast: Cast) -> None:
    with reading(makers.staff(cast.alice), purpose="test") as ctx:
        ctx.open([cast.patient], ["given_name"])
        assert cast.patient.given_name == "Zawadi"
        for name in ("family_name", "email", "home_address"):
            with pytest.raises(KeyNotOpened):
                getattr(cast.patient, name)
        ctx.open([cast.patient])
        assert cast.patient.family_name == "Planted"


def test_a_key_that_seals_opens_nothing(cast: Cast) -> None:
    @action
    def write(*, actor: Actor) -> None:
        with opening(actor, purpose="test") as ctx:
            ctx.load_keys([cast.patient.pk])
            cast.patient.pronouns = "she"
            cast.patient.save(update_fields=["pronouns"])
            with pytest.raises(KeyNotOpened):
                cast.patient.given_name  # noqa: B018
        record(actor, "test.written", cast.patient)

    write(actor=makers.staff(cast.bob))
    makers.scope_all()
    assert makers.opened(Patient.objects.get(pk=cast.patient.pk), "pronouns") == "she"


def test_a_look_at_many_asks_once(cast: Cast, django_assert_num_queries: Any) -> None:
    many = [cast.patient, *(makers.make_patient(cast.home, team=[cast.alice]) for _ in range(4))]
    actor = makers.staff(cast.alice)
    context = AccessContext(actor, purpose="test")
    with django_assert_num_queries(1):
        context.open(many)
    with django_assert_num_queries(0):
        context.open(many, ["given_name"])


def on_call(user: User, *covers: UUID) -> DutyShift:
    """A clinician on call, with a sealed phone."""
    return _plan_on_call(actor=makers.machine(user.organization_id), user=user, covers=list(covers))


@action
def _plan_on_call(*, actor: Actor, user: User, covers: list[UUID]) -> DutyShift:
    now = makers.now()
    with opening(actor, purpose="test") as ctx:
        ctx.load_keys([user.organization_id], create=True)
        shift = DutyShift.objects.create(
            organization_id=user.organization_id, user=user, role="on_call", status="active", covers=covers,
            planned_start=now, planned_end=now + timedelta(hours=8), phone="+254700000042",
        )  # fmt: skip
    record(actor, "test.planned", shift)
    return shift


def test_a_house_key_opens_for_its_own_people_and_for_those_whom_it_covers(cast: Cast) -> None:
    shift = on_call(cast.bob, cast.home.pk)
    for user, opens in ((cast.cleo, True), (cast.charlie, False)):
        context = AccessContext(makers.staff(user), purpose="duty")
        if opens:
            context.open([shift], ["phone"])
        else:
            with pytest.raises(NotFound):
                context.open([shift], ["phone"])
    shift.covers = [cast.home.pk, cast.elsewhere.pk]
    shift.save()
    AccessContext(makers.staff(cast.charlie), purpose="duty").open([shift], ["phone"])
    with pytest.raises(NotFound):
        AccessContext(device_of(cast.patient), purpose="duty").open([shift], ["phone"])


def covering(cast: Cast) -> DutyShift:
    """Cleo's shift, which covers the other organization by agreement."""
    cast.elsewhere.settings = {"covered_by": {str(cast.home.pk): "Agreement 7"}}
    cast.elsewhere.save()
    shift = cast.on_duty()
    shift.covers = [cast.home.pk, cast.elsewhere.pk]
    shift.save()
    return shift


def test_people_reach_whom_they_cover_and_whose_alerts_they_hold_and_run_only_their_own(cast: Cast) -> None:
    assert makers.staff(cast.cleo).reach == (cast.home.pk,)
    shift = covering(cast)
    actor = makers.staff(cast.cleo)
    assert actor.reach == (cast.home.pk, cast.elsewhere.pk) and actor.org_ids == (cast.home.pk,)
    alert = makers.make_alert(cast.stranger)
    claim_alert(actor=actor, alert_id=alert.pk)
    makers.scope_all()
    shift.status = "ended"
    shift.save()
    assert makers.staff(cast.cleo).covers == (cast.elsewhere.pk,), "the claim outlives the shift"


def test_who_signed_in_comes_with_their_reach_in_one_query(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    from cortex.accounts.queries import signed_in_user

    covering(cast)
    with django_assert_num_queries(1):
        user = signed_in_user(cast.cleo.pk)
        assert user is not None and makers.staff(user).covers == (cast.elsewhere.pk,)
    cast.elsewhere.settings = {}
    cast.elsewhere.save()
    user = signed_in_user(cast.cleo.pk)
    assert user is not None and makers.staff(user).covers == (), "the agreement ended"


def test_by_which_right_a_look_asks_is_settled_before_it_opens_anybody(cast: Cast) -> None:
    cleo = makers.staff(cast.claimed_alert().assigned_to)  # type: ignore[arg-type]
    with reading(cleo, purpose="curious") as ctx:
        ctx.open([cast.patient], ["given_name"])
        with pytest.raises(RuntimeError):
            ctx.by(CHART)
    with pytest.raises(NotFound), reading(cleo, purpose="curious") as ctx:
        ctx.by(CHART)
        ctx.open([cast.patient], ["given_name"])
