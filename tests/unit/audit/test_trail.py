"""The trail holds: nothing is done without its row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from cortex.access.context import reading
from cortex.accounts.models import Organization
from cortex.audit import Actor, Unchanged, action, emit, quiet, record
from cortex.audit.models import AuditLog
from cortex.audit.rules import AuditMissing, TrailDown
from crisis.alerts.models import AlertEvent, RiskAlert
from tests.cast import Cast
from tests.makers import make_alert, scope_all, staff

pytestmark = pytest.mark.django_db


# An action and its row


@action
def rename(*, actor: Actor, organization: Organization, name: str, way: str = "recorded") -> Any:
    """Change a row, and say so or not."""
    organization.name = name
    organization.save()
    if way == "recorded":
        record(actor, "organization.renamed", organization, fields=["name"])
    if way == "inner":
        rename(actor=actor, organization=organization, name=name)
    if way == "unspeakable":
        record(actor, "organization.renamed", organization, codes={"what": object()})
    return Unchanged(organization) if way == "unchanged" else organization


@quiet("a test's own write")
def rename_quietly(*, actor: Actor, organization: Organization, name: str) -> Organization:
    """Change a row that needs no audit."""
    organization.name = name
    organization.save()
    return organization


@contextmanager
def superuser() -> Iterator[Any]:
    """Work as the superuser of the cluster, inside this test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("SET LOCAL ROLE cortex_app")


def name_of(organization: Organization) -> str:
    return Organization.objects.get(pk=organization.pk).name


def test_what_is_done_is_written_with_who_what_and_for_whom(cast: Cast) -> None:
    rename(actor=staff(cast.sam), organization=cast.home, name="New")
    scope_all()
    row = AuditLog.objects.get(event_type="organization.renamed")
    assert (row.actor_id, row.actor_role, row.actor_label) == (cast.sam.pk, "supervisor", "Sam Simiyu")
    assert (row.object_type, row.object_id) == ("accounts.Organization", cast.home.pk)
    assert (row.fields, row.codes, row.outcome) == (["name"], {}, "done")


@pytest.mark.parametrize("way", ["silent", "inner"])
def test_an_action_without_its_own_record_is_rolled_back(cast: Cast, way: str) -> None:
    before, rows = name_of(cast.home), AuditLog.objects.count()
    with pytest.raises(AuditMissing):
        rename(actor=staff(cast.sam), organization=cast.home, name="Unsaid", way=way)
    scope_all()
    assert (name_of(cast.home), AuditLog.objects.count()) == (before, rows)


def test_unchanged_and_quiet_are_the_only_ways_out(cast: Cast) -> None:
    rows = AuditLog.objects.count()
    rename(actor=staff(cast.sam), organization=cast.home, name="A", way="unchanged")
    rename_quietly(actor=staff(cast.sam), organization=cast.home, name="B")
    scope_all()
    assert (name_of(cast.home), AuditLog.objects.count()) == ("B", rows)


def test_even_a_quiet_write_may_not_put_an_event_on_the_feed(cast: Cast) -> None:
    @quiet("a test's own write")
    def shout(*, actor: Actor, event: AlertEvent) -> None:
        emit(cast.home.pk, event)

    with pytest.raises(AuditMissing):
        shout(actor=staff(cast.sam), event=AlertEvent())


def test_a_row_that_can_not_be_written_takes_the_change_with_it(cast: Cast) -> None:
    before, rows = name_of(cast.home), AuditLog.objects.count()
    with pytest.raises(TypeError):
        rename(actor=staff(cast.sam), organization=cast.home, name="Lost", way="unspeakable")
    scope_all()
    assert (name_of(cast.home), AuditLog.objects.count()) == (before, rows)


@pytest.mark.parametrize("table", ["audit_auditlog", "audit_auditinbox"])
def test_when_the_trail_is_full_or_broken_no_alert_is_half_raised(cast: Cast, table: str) -> None:
    cast.on_duty()
    with superuser() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK (id IS NULL) NOT VALID")
    with pytest.raises(TrailDown), transaction.atomic():
        make_alert(cast.patient)
    scope_all()
    assert (RiskAlert.objects.count(), AlertEvent.objects.count()) == (0, 0)


@pytest.mark.parametrize("way", ["its own", "swallowed", "out of reach"])
def test_what_a_command_itself_breaks_is_no_trail_that_is_down(cast: Cast, way: str) -> None:
    @action
    def breaking(*, actor: Actor) -> None:
        record(actor, "organization.renamed", cast.home)
        try:
            Organization.objects.filter(pk=cast.home.pk).update(slug=cast.elsewhere.slug)
        except DatabaseError:
            if way == "its own":
                raise
        if way == "out of reach":
            raise OperationalError("no route")

    kind = OperationalError if way == "out of reach" else DatabaseError
    with pytest.raises(kind) as raised, transaction.atomic():
        breaking(actor=staff(cast.sam))
    scope_all()
    assert not isinstance(raised.value, TrailDown)


def test_nothing_is_written_while_somebody_reads(cast: Cast) -> None:
    before = name_of(cast.home)
    with pytest.raises(RuntimeError), reading(staff(cast.sam), purpose="test"):
        rename(actor=staff(cast.sam), organization=cast.home, name="Read and written")
    scope_all()
    assert name_of(cast.home) == before
