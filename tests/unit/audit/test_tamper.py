"""No row of the trail can be changed by whoever serves, and whoever does it all the same is found."""

# ruff: noqa: S608 - the statements are attacks by somebody who has the cluster, built from this test's own ids
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from cortex.audit import anchors as kept
from cortex.audit import sequencer as chain
from cortex.audit import signing
from cortex.audit.canonical import COLUMNS
from cortex.audit.models import AuditInbox, AuditLink, AuditLog, PhiAccessLog
from cortex.ids import uuid7
from cortex.ops.embedded import superuser_address
from tests import stores
from tests.cast import Cast
from tests.makers import staff
from tests.unit.audit.chains import TABLES, cut_after, link_all, number_of, relink, tamper, verdict
from tests.unit.audit.test_trail import rename

pytestmark = pytest.mark.django_db


# No row can be changed


def attempt(role: str, statement: str) -> str:
    """Run a statement as a role and return the name of the refusal, or `done`; nothing of it stays."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {role}")
            cursor.execute(statement)
            transaction.set_rollback(True)
        return "done"
    except DatabaseError as error:
        return type(error.__cause__).__name__
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL ROLE cortex_app")


CHANGES = ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", CHANGES)
def test_the_trail_is_append_only_by_grants_and_by_triggers(
    trail: list[AuditLog], table: str, change: str
) -> None:
    key = "number" if table == "audit_auditlink" else "id"
    statement = change.format(table, key)
    assert {role: attempt(role, statement) for role in ("cortex_app", "cortex_system", "cortex_eraser")} == {
        "cortex_app": "InsufficientPrivilege",
        "cortex_system": "InsufficientPrivilege",
        "cortex_eraser": "InsufficientPrivilege",
    }
    assert {role: attempt(role, statement) for role in ("cortex_owner", "NONE")} == {
        "cortex_owner": "RestrictViolation",
        "NONE": "RestrictViolation",
    }


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("cortex_app", "INSERT INTO audit_auditinbox (trail, row_id) VALUES ('audit', gen_random_uuid())"),
        ("cortex_system", "INSERT INTO audit_auditinbox (trail, row_id) VALUES ('audit', gen_random_uuid())"),
        ("cortex_app", "DELETE FROM audit_auditinbox"),
        ("cortex_app", "UPDATE audit_auditinbox SET trail = 'x'"),
        ("cortex_app", "INSERT INTO audit_auditlink SELECT * FROM audit_auditlink"),
        ("cortex_app", "ALTER TABLE audit_auditlog DISABLE TRIGGER ALL"),
        ("cortex_system", "ALTER TABLE audit_auditlog DISABLE TRIGGER ALL"),
        ("cortex_app", "SET session_replication_role = replica"),
    ],
)
def test_nobody_who_serves_goes_around_the_sequencer(role: str, statement: str) -> None:
    assert attempt(role, statement) == "InsufficientPrivilege"


# Whoever does it all the same is found


def check(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run the command as an operator would; return its exit status and what it said."""
    with stores.role("cortex_system"):
        try:
            call_command("verify_audit")
        except SystemExit as end:
            return int(end.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().out


def test_a_clean_trail_holds_and_the_command_says_so(
    trail: list[AuditLog], capsys: pytest.CaptureFixture[str]
) -> None:
    found = verdict()
    assert found.holds
    assert found.links == AuditLog.objects.count() + PhiAccessLog.objects.count()
    assert (found.waiting, AuditInbox.objects.count()) == (0, 0)
    assert check(capsys)[0] == 0


def test_every_batch_ends_in_a_signed_head(trail: list[AuditLog]) -> None:
    signed = list(AuditLink.objects.filter(signature__isnull=False).values_list("number", flat=True))
    assert number_of(trail[3]) in signed
    assert AuditLink.objects.count() in signed
    assert number_of(trail[2]) not in signed


def test_a_step_back_of_the_databases_clock_breaks_no_trail(
    cast: Cast, trail: list[AuditLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    head = AuditLink.objects.order_by("-number")[0]
    monkeypatch.setattr(chain, "clock", lambda: head.linked_at - timedelta(hours=1))
    rename(actor=staff(cast.ada), organization=cast.home, name="Back in time")
    link_all()
    later = AuditLink.objects.order_by("-number")[0]
    assert later.number > head.number and later.linked_at == head.linked_at
    assert verdict().holds, verdict().reason


def test_rows_that_wait_are_counted_and_linked_once(cast: Cast, trail: list[AuditLog]) -> None:
    rename(actor=staff(cast.sam), organization=cast.home, name="Waiting")
    assert verdict().waiting == 1
    link_all()
    link_all()
    assert (verdict().waiting, verdict().holds) == (0, True)


@pytest.mark.django_db(transaction=True)
def test_one_sequencer_works_at_a_time(cast: Cast) -> None:
    rename(actor=staff(cast.sam), organization=cast.home, name="Waiting")
    with psycopg.connect(superuser_address(stores.DATA_DIR, "main", "cortex_test")) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [chain.LOCK])
        with stores.role("cortex_system"):
            assert chain.link_pending() == 0
    link_all()
    assert verdict().waiting == 0


EDITS = {
    "id": "gen_random_uuid()",
    "occurred_at": "occurred_at + interval '1 microsecond'",
    "fields": "ARRAY['other']::varchar[]",
    "codes": "'{\"count\": 2}'",
    "legacy_ids": "'{\"a\": 1}'",
    "details": "'\\xc0ffee'::bytea",
}


@pytest.mark.parametrize("column", COLUMNS["audit"])
def test_an_edit_of_any_column_is_found_at_its_row(trail: list[AuditLog], column: str) -> None:
    field = AuditLog._meta.get_field(column)
    value = EDITS.get(column) or ("gen_random_uuid()" if "UUID" in type(field).__name__ else "'forged'")
    tamper(f"UPDATE audit_auditlog SET {column} = {value} WHERE id = '{trail[1].pk}'")
    found = verdict()
    assert found.bad_number == AuditLink.objects.get(row_id=trail[1].pk).number
    assert found.reason in ("the row was changed after it was written", "the row is gone")
    assert str(trail[1].pk) in found.bad_row


def test_an_edit_of_who_looked_is_found(trail: list[AuditLog]) -> None:
    look = PhiAccessLog.objects.latest("id")
    tamper(f"UPDATE audit_phiaccesslog SET actor_label = 'Nobody' WHERE id = '{look.pk}'")
    assert verdict().bad_row == f"access {look.pk}"


def drop_row(row: AuditLog) -> str:
    return f"DELETE FROM audit_auditlog WHERE id = '{row.pk}'"


def test_a_deleted_row_is_found(trail: list[AuditLog]) -> None:
    tamper(drop_row(trail[2]))
    assert (verdict().bad_number, verdict().reason) == (number_of(trail[2]), "the row is gone")


def test_a_row_deleted_with_its_link_is_found(trail: list[AuditLog]) -> None:
    number = number_of(trail[2])
    tamper(drop_row(trail[2]), f"DELETE FROM audit_auditlink WHERE number = {number}")
    assert (verdict().bad_number, verdict().reason) == (number, "a link is missing")


def test_closing_the_gap_of_a_deleted_row_is_found(trail: list[AuditLog]) -> None:
    number = number_of(trail[2])
    tamper(
        drop_row(trail[2]),
        f"DELETE FROM audit_auditlink WHERE number = {number}",
        f"UPDATE audit_auditlink SET number = -number WHERE number > {number}",
        "UPDATE audit_auditlink SET number = -number - 1 WHERE number < 0",
    )
    assert (verdict().bad_number, verdict().reason) == (number, "the chain was cut here")


def test_a_row_put_in_behind_the_trail_is_found(trail: list[AuditLog]) -> None:
    forged = uuid7()
    columns = ", ".join(column for column in COLUMNS["audit"] if column != "id")
    tamper(
        f"INSERT INTO audit_auditlog (id, {columns}) SELECT '{forged}', {columns} FROM audit_auditlog"
        f" WHERE id = '{trail[0].pk}'"
    )
    found = verdict()
    assert (found.bad_row, found.reason) == (f"audit {forged}", "the row was put in behind the trail")


def test_two_rows_that_swapped_their_words_are_found_at_the_first(trail: list[AuditLog]) -> None:
    one, two = trail[0], trail[5]
    tamper(
        f"UPDATE audit_auditlog SET actor_label = 'x' WHERE id = '{one.pk}'",
        "UPDATE audit_auditlog a SET occurred_at = b.occurred_at FROM audit_auditlog b"
        f" WHERE a.id = '{one.pk}' AND b.id = '{two.pk}'",
    )
    assert verdict().bad_number == number_of(one)


def test_two_links_that_swapped_places_are_found_at_the_first(trail: list[AuditLog]) -> None:
    one, two = number_of(trail[0]), number_of(trail[1])
    tamper(
        f"UPDATE audit_auditlink SET number = -1 WHERE number = {one}",
        f"UPDATE audit_auditlink SET number = {one} WHERE number = {two}",
        f"UPDATE audit_auditlink SET number = {two} WHERE number = -1",
    )
    assert (verdict().bad_number, verdict().reason) == (one, "the chain was cut here")


def test_a_tail_that_was_cut_off_is_found(trail: list[AuditLog]) -> None:
    cut_after(number_of(trail[5]))
    found = verdict()
    assert (found.bad_number, found.links) == (number_of(trail[5]), number_of(trail[5]))
    assert "tail was cut off" in found.reason


def test_links_that_were_cut_off_from_their_rows_are_found(trail: list[AuditLog]) -> None:
    # Cut right behind a signed head.
    head = AuditLink.objects.exclude(signature=None).earliest("number")
    tamper(f"DELETE FROM audit_auditlink WHERE number > {head.number}")
    assert verdict().reason == "the row was put in behind the trail"


def test_a_roll_back_to_an_earlier_signed_head_is_found_by_the_anchor(
    trail: list[AuditLog], anchors: Path
) -> None:
    assert chain.anchor_head()
    assert not chain.anchor_head(), "the same head is anchored once"
    cut_after(number_of(trail[3]))
    assert verdict().holds, "without the anchor an earlier state of the house looks whole"
    assert "rolled back" in verdict(anchors).reason


def test_an_anchor_that_was_torn_by_a_crash_does_not_hide_the_one_before(
    trail: list[AuditLog], anchors: Path
) -> None:
    assert chain.anchor_head()
    told = kept.last(anchors)
    with anchors.open("a") as out:
        out.write('{"number": 99')
    assert kept.last(anchors) == told
    cut_after(number_of(trail[3]))
    assert "rolled back" in verdict(anchors).reason


def test_anchors_go_on_after_a_torn_one(cast: Cast, trail: list[AuditLog], anchors: Path) -> None:
    chain.anchor_head()
    with anchors.open("a") as out:
        out.write('{"number": 99')
    rename(actor=staff(cast.sam), organization=cast.home, name="One more")
    link_all()
    assert chain.anchor_head()
    assert kept.last(anchors).number == AuditLink.objects.count()


@pytest.mark.parametrize(
    ("sign", "reason"),
    [
        (Ed25519PrivateKey.generate().sign, "the signature is not ours"),
        (lambda value: None, "the tail was cut off: the last link carries no signature"),
        (lambda value: b"", "the signature is not ours"),
    ],
)
def test_a_chain_that_was_written_again_without_the_key_is_found(
    trail: list[AuditLog], sign: Callable[[bytes], bytes | None], reason: str
) -> None:
    tamper(f"UPDATE audit_auditlog SET actor_label = 'Nobody' WHERE id = '{trail[1].pk}'")
    tamper(*relink(trail[1], sign))
    assert verdict().reason == reason


def test_a_chain_that_was_written_again_with_the_stolen_key_differs_from_its_anchor(
    trail: list[AuditLog], anchors: Path
) -> None:
    assert chain.anchor_head()
    tamper(f"UPDATE audit_auditlog SET actor_label = 'Nobody' WHERE id = '{trail[1].pk}'")
    tamper(*relink(trail[1], lambda value: signing.sign(value)[0]))
    assert verdict().holds
    assert "differs from its last anchor" in verdict(anchors).reason


def test_the_command_names_the_first_bad_row_and_ends_with_one(
    trail: list[AuditLog], capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(f"UPDATE audit_auditlog SET outcome = 'refused' WHERE id IN ('{trail[4].pk}', '{trail[1].pk}')")
    status, said = check(capsys)
    assert status == 1
    assert f"link {number_of(trail[1])} " in said
    assert str(trail[1].pk) in said
    assert str(trail[4].pk) not in said
