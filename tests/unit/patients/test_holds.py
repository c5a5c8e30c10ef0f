"""Legal holds: who issues and releases them, what they keep from deletion or change, and what goes on."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from cortex.access.context import set_scope
from cortex.accounts.models import User
from cortex.audit import InputRefused, NotFound, RuleBroken
from patients.codes import HeldRecords
from patients.holds.actions import issue_hold
from patients.holds.models import LegalHold
from patients.holds.queries import held_since, is_held
from patients.registry.actions import create_provisional, link_provisional
from patients.registry.models import Patient
from patients.upkeep.actions import purge_voice
from tests import makers
from tests.cast import Cast
from tests.unit.patients.holding import WHY, hold, release, trail

pytestmark = pytest.mark.django_db
NOW = makers.now()
DAY = timedelta(days=1)
# Who may, and how often


def test_compliance_issues_a_hold_whose_reason_is_sealed_and_in_no_trail(cast: Cast, cora: User) -> None:
    one = hold(cast, cora, record_kinds=["notes", "sessions"], covers_from=date(2026, 1, 2))
    assert (one.issued_by, one.organization_id, one.is_running) == (cora, cast.home.pk, True)
    assert one.record_kinds == ["sessions", "notes"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason, matter FROM patients_legalhold")
        ((reason, matter),) = cursor.fetchall()
    assert WHY.encode() not in bytes(reason) and matter == "HC 12/2026"
    (row,) = trail("hold.issued")
    assert (row.actor_id, row.subject, row.object_id) == (cora.pk, cast.patient.pk, one.pk)
    assert row.codes == {
        "matter": "HC 12/2026", "kinds": ["sessions", "notes"], "from": "2026-01-02", "until": "",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["alice", "sam", "ada", "cleo"])
def test_nobody_else_issues_or_releases_one(cast: Cast, cora: User, name: str) -> None:
    user = getattr(cast, name)
    with pytest.raises(NotFound):
        hold(cast, user)
    one = hold(cast, cora)
    with pytest.raises(NotFound):
        release(one, user)
    with pytest.raises(NotFound):
        issue_hold(
            actor=makers.machine(cast.home), patient_id=cast.patient.pk, matter="Own", reason=WHY
        )  # fmt: skip
    makers.scope_all()
    assert LegalHold.objects.get() == one and one.is_running


def test_who_issued_it_waits_for_somebody_else_and_a_release_counts_once(
    cast: Cast, cora: User, odo: User
) -> None:
    one = hold(cast, cora)
    with pytest.raises(RuleBroken) as refused:
        release(one, cora)
    assert refused.value.code == "own_hold"
    done = release(one, odo)
    assert (done.released_by, done.is_running) == (odo, False)
    assert release(one, odo).released_at == done.released_at, "the same form, sent twice"
    third = makers.make_user("compliance", cast.home)
    for user in (third, cora):
        with pytest.raises(RuleBroken) as late:
            release(one, user)
        assert late.value.code == "already_released"
    (row,) = trail("hold.released")
    assert (row.actor_id, row.subject, row.codes) == (odo.pk, cast.patient.pk, {"matter": "HC 12/2026"})


def test_the_same_form_twice_makes_one_hold_and_another_scope_needs_another_reference(
    cast: Cast, cora: User, odo: User
) -> None:
    one = hold(cast, cora)
    assert hold(cast, cora) == one
    for user, fields in ((cora, {"record_kinds": ["notes"]}), (odo, {})):
        with pytest.raises(RuleBroken) as refused:
            hold(cast, user, **fields)
        assert refused.value.code == "already_held"
    hold(cast, cora, "HC 13/2026")
    release(one, odo)
    assert hold(cast, cora) != one, "the matter came up again"
    assert (LegalHold.objects.count(), len(trail("hold.issued"))) == (3, 3)


BAD = [
    ({"matter": " "}, "matter"), ({"matter": "a\x00b"}, "matter"), ({"matter": "x" * 81}, "matter"),
    ({"matter": "a\u202eb"}, "matter"), ({"reason": "  short \x00"}, "reason"),
    ({"reason": "x" * 2001}, "reason"), ({"record_kinds": ["everything"]}, "record_kinds"),
    ({"covers_from": date(2026, 2, 2), "covers_until": date(2026, 2, 1)}, "covers_until"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "place"), BAD)
def test_what_does_not_hold_together_is_refused_at_its_field(
    cast: Cast, cora: User, fields: dict[str, Any], place: str
) -> None:
    with pytest.raises(InputRefused) as refused:
        hold(cast, cora, **({"matter": "HC 12/2026"} | fields))
    assert refused.value.extra["field"] == place
    makers.scope_all()
    assert not LegalHold.objects.exists()


def test_a_release_says_why(cast: Cast, cora: User, odo: User) -> None:
    one = hold(cast, cora)
    with pytest.raises(InputRefused):
        release(one, odo, "\x00" * 30)
    makers.scope_all()
    one.refresh_from_db()
    assert one.is_running


def test_another_organization_sees_holds_and_releases_nothing(cast: Cast, cora: User) -> None:
    stranger = makers.make_user("compliance", cast.elsewhere)
    one = hold(cast, cora)
    with pytest.raises(NotFound):
        hold(cast, stranger)
    with pytest.raises(NotFound):
        hold(cast, cora, patient_id=cast.stranger.pk)
    with pytest.raises(NotFound):
        release(one, stranger)
    with transaction.atomic():
        set_scope(makers.machine(cast.elsewhere))
        assert not LegalHold.objects.exists()
        set_scope(makers.machine(cast.home))
        assert LegalHold.objects.get() == one


def test_an_erased_person_is_held_no_more(cast: Cast, cora: User) -> None:
    Patient.objects.filter(pk=cast.patient.pk).update(status="deleted")
    with pytest.raises(NotFound):
        hold(cast, cora)


# What the database holds to it


def test_the_database_keeps_a_hold_as_it_was_issued_and_takes_its_release_once(
    cast: Cast, cora: User, odo: User
) -> None:
    one = hold(cast, cora)
    rows = LegalHold.objects.filter(pk=one.pk)
    changes: list[dict[str, Any]] = [
        {"matter": "Other"}, {"covers_until": date(2026, 1, 1)}, {"record_kinds": ["notes"]},
        {"issued_by": odo},
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(IntegrityError, match="keeps what was issued"), transaction.atomic():
            rows.update(**change)
    release(one, odo)
    for change in (*changes, {"released_at": NOW}, {"released_at": None, "released_by": None}):
        with pytest.raises(IntegrityError, match="keeps what was issued"), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"released": True}, "hold_released_by_another"), ({"released_at": NOW}, "hold_release_whole"),
        ({"covers_from": date(2026, 2, 2), "covers_until": date(2026, 2, 1)}, "hold_range_in_order"),
        ({"record_kinds": ["everything"]}, "hold_kinds_known"), ({"matter": ""}, "hold_names_a_matter"),
    ],
)  # fmt: skip
def test_the_database_refuses_what_no_action_writes(
    cast: Cast, cora: User, change: dict[str, Any], name: str
) -> None:
    columns: dict[str, Any] = {
        "organization_id": cast.home.pk, "patient_id": cast.patient.pk, "matter": "M", "record_kinds": [],
        "issued_by_id": cora.pk, "issued_at": NOW, "reason": b"sealed", "covers_from": None,
        "covers_until": None, "released_at": None, "released_by_id": None, "release_reason": None,
        "legacy_ids": "{}", "updated_at": NOW,
    }  # fmt: skip
    if change.pop("released", False):
        change = {"released_at": NOW, "released_by_id": cora.pk, "release_reason": b"sealed"}
    columns |= change
    names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
    with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO patients_legalhold (id, {names}) VALUES (gen_random_uuid(), {places})",  # noqa: S608
            list(columns.values()),
        )


# Whose records, which of them, and of which days


def test_a_hold_keeps_every_row_that_is_linked_to_a_person(cast: Cast, cora: User) -> None:
    caller = create_provisional(actor=makers.machine(cast.home), organization_id=cast.home.pk)
    makers.scope_all()
    link_provisional(actor=makers.machine(cast.home), provisional_id=caller.pk, patient_id=cast.patient.pk)
    makers.scope_all()
    one = hold(cast, cora, patient_id=caller.pk)
    assert one.patient_id == cast.patient.pk, "it stands with the person on record"
    for row in (caller, cast.patient):
        assert held_since(row.pk) == one.issued_at and is_held(row.pk, HeldRecords.NOTES)
    assert held_since(makers.make_patient(cast.home).pk) is None


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("fields", "at", "held"),
    [
        ({}, "2026-03-05T12:00", True),
        ({"covers_from": date(2026, 3, 5)}, "2026-03-05T00:00", True),
        ({"covers_from": date(2026, 3, 5)}, "2026-03-04T00:00", True),  # the day before, somewhere
        ({"covers_from": date(2026, 3, 5)}, "2026-03-03T23:59", False),
        ({"covers_until": date(2026, 3, 5)}, "2026-03-06T23:59", True),
        ({"covers_until": date(2026, 3, 5)}, "2026-03-07T00:00", False),
        ({"record_kinds": ["notes"]}, "2026-03-05T12:00", False),
        ({"record_kinds": ["notes", "sessions"]}, "2026-03-05T12:00", True),
    ],
)
def test_kinds_and_days_bound_what_is_held(
    cast: Cast, cora: User, fields: dict[str, Any], at: str, held: bool
) -> None:
    hold(cast, cora, **fields)
    assert is_held(cast.patient.pk, HeldRecords.SESSIONS, moment(at)) is held
    makers.make_voice(cast.patient, received_at=moment(at))
    actor = makers.machine(cast.home, "retention")
    assert purge_voice(actor=actor, at=moment(at) + 20 * DAY).held == held, "the purge says the same"
