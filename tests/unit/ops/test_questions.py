"""SQL that is made once and filled again: the same rows as Django's, and a plain word where it can't be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cortex.accounts.models import Organization, User
from cortex.ops.postgres import questions
from cortex.ops.postgres.questions import Word, kept
from patients.care.models import CareTeamMember
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@kept
def team(patient_id: UUID, at: datetime) -> Any:
    rows = CareTeamMember.objects.filter(patient_id=patient_id, starts_at__lte=at)
    return rows.select_related("user").order_by("starts_at")


@kept
def names(people: list[UUID], flat: bool) -> Any:
    rows = Patient.objects.filter(pk__in=people).order_by("anonymous_id")
    return rows.values_list("anonymous_id", flat=True) if flat else rows.prefetch_related("organization")


def test_other_values_give_other_rows(cast: Cast) -> None:
    at = makers.now()
    assert [one.user for one in team(cast.patient.pk, at)] == [cast.alice]
    assert [one.user for one in team(cast.stranger.pk, at)] == [cast.charlie]
    assert team(cast.patient.pk, at - timedelta(days=400)) == []
    assert team(uuid4(), at) == []
    assert len(team.shapes) == 1


def test_what_was_joined_and_prefetched_is_there_without_another_query(cast: Cast) -> None:
    names([cast.stranger.pk], False)
    with CaptureQueriesContext(connection) as asked:
        (member,) = team(cast.patient.pk, makers.now())
        found = names([cast.patient.pk, cast.stranger.pk], False)
        assert member.user.full_name == "Alice Achieng"
        assert {one.organization for one in found} == {cast.home, cast.elsewhere}
    assert len(asked) == 3


def test_lists_of_any_length_are_one_question_and_an_empty_one_asks_nobody(cast: Cast) -> None:
    both = {cast.patient.pk: "first", cast.stranger.pk: "second"}
    assert names([cast.patient.pk], True) == [cast.patient.anonymous_id]
    assert set(names(both, True)) == {cast.patient.anonymous_id, cast.stranger.anonymous_id}
    with CaptureQueriesContext(connection) as asked:
        assert names([], True) == []
    assert len(asked) == 0


def test_what_isnt_an_id_or_a_time_is_part_of_the_question(cast: Cast) -> None:
    @kept
    def people(role: str, organization_id: UUID) -> Any:
        return User.objects.filter(role=role, organization_id=organization_id)

    assert people("therapist", cast.elsewhere.pk) == [cast.charlie]
    assert people("supervisor", cast.home.pk) == [cast.sam]
    assert len(people.shapes) == 2


def test_a_day_is_taken_in_the_zone_of_the_moment(cast: Cast) -> None:
    @kept
    def since(day: date) -> Any:
        return CareTeamMember.objects.filter(starts_at__date__gte=day).values_list("patient_id", flat=True)

    CareTeamMember.objects.update(starts_at=datetime(2026, 3, 1, 22, tzinfo=UTC))
    for zone, days in (("UTC", 0), ("Africa/Nairobi", 2), ("UTC", 0)):
        with timezone.override(zone):
            assert len(since(date(2026, 3, 2))) == days


def test_whoever_reckons_with_an_argument_is_told(cast: Cast) -> None:
    @kept
    def before(at: datetime) -> Any:
        return CareTeamMember.objects.filter(starts_at__lt=at - timedelta(days=7))

    @kept
    def twice(at: datetime) -> Any:
        return CareTeamMember.objects.filter(starts_at__lt=at, ends_at__gt=at + timedelta(days=1))

    @kept
    def unasked(patient_id: UUID) -> Any:
        return CareTeamMember.objects.all()

    @kept
    def spelled(pseudonym: Word) -> Any:
        return Patient.objects.filter(anonymous_id=f"{pseudonym}-b")

    with pytest.raises(TypeError, match="pass a list"):
        names(iter([cast.patient.pk]), True)
    for query, argument in ((before, makers.now()), (twice, makers.now())):
        with pytest.raises(TypeError, match="reckons with an argument"):
            query(argument)
    with pytest.raises(TypeError, match="doesn't ask with its arguments"):
        unasked(cast.patient.pk)
    with pytest.raises(TypeError, match="reckons with an argument"):
        spelled(Word(cast.patient.anonymous_id))


def test_words_that_vary_are_one_question_whatever_stands_in_them(cast: Cast) -> None:
    @kept
    def called(name: Word) -> Any:
        return Patient.objects.filter(anonymous_id=name)

    @kept
    def among(names: list[Word], house_id: UUID) -> Any:
        return Patient.objects.filter(anonymous_id__among=names, organization_id=house_id)

    one, other = cast.patient, cast.stranger
    odd = [Word(text) for text in ("%s", "$1", "{a,b}", 'say "NULL"', "NULL", "", "ä\\'", "\ue0000\ue001")]
    assert called(Word(one.anonymous_id)) == [one]
    assert called(Word(other.anonymous_id)) == [other]
    assert [called(word) for word in odd] == [[]] * len(odd)
    assert among([*odd, Word(one.anonymous_id), Word(other.anonymous_id)], cast.home.pk) == [one]
    assert among([Word(other.anonymous_id)], cast.elsewhere.pk) == [other]
    assert among([], cast.home.pk) == []
    assert len(called.shapes) == 1
    for word in odd:
        Patient.objects.filter(pk=one.pk).update(anonymous_id=word)
        assert called(word) == among(odd, cast.home.pk) == [one]


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_held_by_its_transaction_and_there_is_none_without(cast: Cast) -> None:
    @kept
    def locked(user_id: UUID) -> Any:
        return User.objects.select_for_update(of=("self",)).filter(pk=user_id)

    def is_free() -> bool:
        try:
            with transaction.atomic():
                return bool(User.objects.select_for_update(skip_locked=True).filter(pk=cast.bob.pk))
        finally:
            connections.close_all()

    for _ in range(2):
        with ThreadPoolExecutor(1) as beside:
            with transaction.atomic():
                assert locked(cast.bob.pk) == [cast.bob]
                assert not beside.submit(is_free).result()
            assert beside.submit(is_free).result()
    with pytest.raises(TransactionManagementError):
        locked(cast.bob.pk)


def test_a_question_that_asks_partly_may_leave_out_what_its_other_arguments_decide(cast: Cast) -> None:
    def build(patient_id: UUID, all_of_them: bool) -> Any:
        return Patient.objects.all() if all_of_them else Patient.objects.filter(pk=patient_id)

    partly = kept(build, partly=True)
    assert partly(cast.patient.pk, False) == [cast.patient]
    assert set(partly(cast.patient.pk, True)) == set(Patient.objects.all())


def test_what_nothing_can_answer_asks_nobody(cast: Cast) -> None:
    @kept
    def nobody(patient_id: UUID) -> Any:
        return Patient.objects.none()

    with CaptureQueriesContext(connection) as asked:
        assert nobody(cast.patient.pk) == []
    assert len(asked) == 0


def test_no_stand_in_ever_reaches_the_database(cast: Cast) -> None:
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            team(cast.patient.pk, makers.now())
            names([cast.patient.pk], True)
        text = " ".join(one["sql"] for one in asked.captured_queries)
        assert not any(f"{one:%Y-%m-%d}" in text for one in (*questions.TIMES, *questions.DAYS))
        assert not any(str(one) in text for one in questions.UUIDS)


@pytest.mark.django_db(transaction=True)
def test_threads_ask_each_on_its_own_connection(cast: Cast) -> None:
    @kept
    def houses(organization_id: UUID) -> Any:
        return Organization.objects.filter(pk=organization_id)

    def ask(house: Organization) -> bool:
        try:
            return all(houses(house.pk) == [house] for _ in range(50))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, [cast.home, cast.elsewhere] * 4))
