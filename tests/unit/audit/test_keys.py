"""Exchanged keys, versions of the digest, anchors, the auditor's own program and the daily walk."""

# ruff: noqa: S608 - the statements are attacks, built from the tests' own ids
from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command

from cortex.audit import publickeys, signing
from cortex.audit import sequencer as chain
from cortex.audit.canonical import COLUMNS
from cortex.audit.models import AuditLink, AuditLog
from cortex.audit.tasks import verify_trail_daily
from cortex.clock import clock
from cortex.ids import uuid7
from cortex.ops.embedded import superuser_address
from cortex.ops.health import VERIFIED
from cortex.ops.models import ServiceHeartbeat
from tests import stores
from tests.cast import Cast
from tests.makers import staff
from tests.unit.audit.chains import (
    cut_after,
    digest_now,
    link_all,
    number_of,
    own_key,
    relink,
    tamper,
    verdict,
)
from tests.unit.audit.test_trail import rename

pytestmark = pytest.mark.django_db


def test_an_exchanged_key_is_found_at_the_first_signature(trail: list[AuditLog]) -> None:
    first = AuditLink.objects.filter(signature__isnull=False).order_by("number").first()
    assert first is not None
    other = Ed25519PrivateKey.generate()
    listed = publickeys.line_of(other.public_key())
    found = verdict(keys=listed)
    assert (found.bad_number, found.reason) == (first.number, "it is signed by a key that is not on the list")
    # Under the name of a listed key it is no better.
    tamper(f"UPDATE audit_auditlink SET key_id = '{listed.partition(':')[0]}' WHERE signature IS NOT NULL")
    assert verdict(keys=f"{own_key()}, {listed}").reason == "the signature is not ours"


def exchange_key(settings: Any) -> str:
    """Sign with another key from now on, as after a rotation; return the old key's line."""
    old = own_key()
    seed = Ed25519PrivateKey.generate().private_bytes_raw()
    settings.CORTEX_AUDIT_SIGNING_KEY = base64.b64encode(seed).decode()
    signing.private_key.cache_clear()
    return old


@pytest.fixture
def fresh_key() -> Iterator[None]:
    """Forget a key that this test exchanged."""
    yield
    signing.private_key.cache_clear()


def test_a_chain_over_an_honest_exchange_of_keys_holds_with_both_on_the_list(
    cast: Cast, trail: list[AuditLog], anchors: Path, settings: Any, fresh_key: None
) -> None:
    old = exchange_key(settings)
    rename(actor=staff(cast.sam), organization=cast.home, name="After the exchange")
    link_all()
    assert chain.anchor_head()
    both = f"{old}  # until today\n{own_key()}\n"
    assert verdict(anchors, both).holds
    settings.CORTEX_AUDIT_PUBLIC_KEYS = both
    assert set(signing.public_keys()) == {line.partition(":")[0] for line in (old, own_key())}
    assert "not on the list" in verdict(anchors, old).reason
    assert "not on the list" in verdict(anchors, own_key()).reason


def test_rows_that_were_linked_before_the_details_were_bound_still_hold(
    trail: list[AuditLog],
) -> None:
    assert digest_now("audit", trail[0].pk, version=1) != digest_now("audit", trail[0].pk, version=2)
    tamper(*relink(trail[0], lambda value: signing.sign(value)[0], version=1))
    assert verdict().holds
    tamper(f"UPDATE audit_auditlog SET codes = '{{}}', outcome = 'x' WHERE id = '{trail[1].pk}'")
    assert verdict().bad_number == number_of(trail[1])


def test_a_row_with_a_link_before_the_first_is_found(trail: list[AuditLog]) -> None:
    forged = uuid7()
    columns = ", ".join(column for column in COLUMNS["audit"] if column != "id")
    others = "trail, row_digest, previous_hash, hash, key_id, linked_at"
    tamper(
        f"INSERT INTO audit_auditlog (id, {columns}) SELECT '{forged}', {columns} FROM audit_auditlog"
        f" WHERE id = '{trail[0].pk}'",
        f"INSERT INTO audit_auditlink (number, row_id, {others}) SELECT -5, '{forged}', {others}"
        " FROM audit_auditlink WHERE number = 1",
    )
    assert (verdict().bad_row, verdict().reason) == (
        f"audit {forged}", "a link was put in before the first",
    )  # fmt: skip


def test_an_older_anchor_that_is_appended_again_hides_no_roll_back(
    cast: Cast, trail: list[AuditLog], anchors: Path
) -> None:
    assert chain.anchor_head()
    first = anchors.read_text()
    rename(actor=staff(cast.sam), organization=cast.home, name="One more")
    link_all()
    assert chain.anchor_head()
    with anchors.open("a") as out:
        out.write(first)
    cut_after(json.loads(first)["number"])
    assert "rolled back" in verdict(anchors).reason


def test_an_anchor_that_nobody_signed_is_found(trail: list[AuditLog], anchors: Path) -> None:
    assert chain.anchor_head()
    told = json.loads(anchors.read_text())
    anchors.write_text(json.dumps(told | {"signature": base64.b64encode(bytes(64)).decode()}) + "\n")
    assert verdict(anchors).reason == "the last anchor is not signed by a key on the list"


# The auditor's own program

PROGRAM = """
import sys
import cortex.audit.verifier as verifier
status = verifier.main(sys.argv[1:])
assert not [name for name in sys.modules if name.split(".")[0] == "django"], "it must not need Django"
sys.exit(status)
"""


def audit(database: str, keys: Path, anchors: Path) -> subprocess.CompletedProcess[str]:
    """Run the program as an auditor does: without a secret of the house and without its settings."""
    told = ["--database", database, "--keys", str(keys), "--anchors", str(anchors)]
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *told], cwd=stores.ROOT, env={"PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_an_auditor_verifies_with_public_keys_a_reading_role_and_a_copy_of_the_anchors(
    trail: list[AuditLog], anchors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    child_environment: dict[str, str],
) -> None:  # fmt: skip
    assert chain.anchor_head()
    call_command("audit_key")
    keys = tmp_path / "keys.txt"
    keys.write_text(f"# handed over today\n{capsys.readouterr().out}")
    database = child_environment["DATABASE_SYSTEM_URL"]
    good = audit(database, keys, anchors)
    assert (good.returncode, good.stderr) == (0, "")
    assert f"{AuditLink.objects.count()} rows linked" in good.stdout
    with psycopg.connect(superuser_address(stores.DATA_DIR, "main", "cortex_test")) as intruder:
        intruder.execute("SET LOCAL session_replication_role = replica")
        intruder.execute("UPDATE audit_auditlog SET actor_label = 'x' WHERE id = %s", [trail[1].pk])
    bad = audit(database, keys, anchors)
    assert bad.returncode == 1 and f"link {number_of(trail[1])} " in bad.stderr
    keys.write_text("nonsense")
    assert audit(database, keys, anchors).returncode == 2


# The daily walk


def rounds() -> list[tuple[str, Any]]:
    """What the trail says of its own verifications."""
    rows = AuditLog.objects.filter(event_type="trail.verified").order_by("id")
    return [(row.outcome, row.codes["reason"]) for row in rows]


def test_the_trail_is_verified_once_a_day_and_says_so_itself(
    trail: list[AuditLog], anchors: Path, as_system: None
) -> None:
    chain.anchor_head()
    for _ in range(3):
        verify_trail_daily()
    assert rounds() == [("done", "")]
    beat = ServiceHeartbeat.objects.get(name=VERIFIED)
    assert beat.detail == {"holds": True, "link": AuditLink.objects.count(), "reason": ""}
    ServiceHeartbeat.objects.update(last_run_at=clock() - timedelta(hours=24))
    tamper(f"UPDATE audit_auditlog SET actor_label = 'Nobody' WHERE id = '{trail[1].pk}'")
    with stores.role("cortex_system"):
        verify_trail_daily()
    assert rounds()[1:] == [("refused", "the row was changed after it was written")]
    beat.refresh_from_db()
    assert (beat.detail["holds"], beat.detail["link"]) == (False, number_of(trail[1]))
