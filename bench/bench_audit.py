"""Writes, links and verifies a long clean trail: no false alarm, and how long each takes.

Run: python -m bench.bench_audit [--rows 1000000]; it fails when a clean trail is blamed. The figures are kept
in `bench/results/audit.json`.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.kept import ROOT, keep

os.environ.setdefault("CORTEX_TEST_SLOT", "bench")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cortex.settings.test")

# Both trails as their own triggers take them, in ids of rising time; ten looks for each change.
WRITE = """
    INSERT INTO {table} (id, occurred_at, actor_kind, actor_label, actor_role, purpose, {kind}, object_type)
    SELECT uuidv7(), clock_timestamp(), 'staff', 'Person ' || n, 'counselor', 'care', '{what}', 'alert'
    FROM generate_series(1, {rows}) AS n
"""


def write(rows: int) -> None:
    """Write rows of both trails in one statement each."""
    from django.db import connection

    with connection.cursor() as cursor:
        changes = rows // 11
        for table, kind, what, count in (
            ("audit_auditlog", "event_type", "bench.written", changes),
            ("audit_phiaccesslog", "data_type", "alert.page", rows - changes),
        ):
            # Columns that a model fills itself have no default in the table.
            cursor.execute(
                "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = %s"
                " AND is_nullable = 'NO' AND column_default IS NULL",
                [table],
            )
            given = {"id", "occurred_at", "actor_kind", "actor_label", "actor_role", "purpose", kind}
            given.add("object_type")
            empty = {"bool": "false", "jsonb": "'{}'", "bytea": "''"}
            more = {
                name: empty.get(udt, "'{}'" if udt.startswith("_") else "''")
                for name, udt in cursor.fetchall()
                if name not in given
            }
            statement = WRITE.format(table=table, kind=kind, what=what, rows=count)
            names = "".join(f", {name}" for name in more)
            values = "".join(f", {value}" for value in more.values())
            statement = statement.replace("object_type)", f"object_type{names})")
            statement = statement.replace("'alert'\n", f"'alert'{values}\n")
            cursor.execute(statement)


def timed(what: str, rows: int, began: float) -> dict[str, Any]:
    """Print one figure and return it."""
    took = time.perf_counter() - began
    print(f"{what:28} {took:8.1f} s   {rows / took:9.0f} rows a second", flush=True)
    return {"what": what, "rows": rows, "seconds": round(took, 1), "a_second": round(rows / took)}


def run(rows: int) -> dict[str, Any]:
    """Write, link, anchor and verify; return the figures, and whether the trail holds (`right`)."""
    from django.conf import settings

    from cortex.audit import publickeys, sequencer, signing

    anchors = Path(tempfile.mkdtemp(prefix="cortex-anchors-")) / "anchors.jsonl"
    settings.CORTEX_AUDIT_ANCHOR_FILE = str(anchors)
    began = time.perf_counter()
    write(rows)
    figures = [timed("written by statement", rows, began)]
    began, linked = time.perf_counter(), 0
    while count := sequencer.link_pending():
        linked += count
    figures.append(timed("linked and signed by 2,000", linked, began))
    sequencer.anchor_head()
    keys = anchors.with_name("keys.txt")
    keys.write_text(publickeys.line_of(signing.private_key().public_key()) + "\n")
    began = time.perf_counter()
    ran = verify(keys, anchors)
    figures.append(timed("verified by its own program", linked, began))
    verdict = (ran.stdout or ran.stderr).strip()
    print(verdict)
    right = ran.returncode == 0 and linked == rows and str(linked) in verdict.replace(",", "")
    return {"rows": rows, "right": right, "verdict": verdict, "figures": figures}


def verify(keys: Path, anchors: Path) -> subprocess.CompletedProcess[str]:
    """Verify as an auditor does: a process with the public key, the anchors and a way to read, no more."""
    from cortex.ops.embedded import superuser_address
    from tests import stores

    where = superuser_address(stores.DATA_DIR, *stores.DATABASES["default"])
    told = ["--database", where, "--keys", str(keys), "--anchors", str(anchors)]
    return subprocess.run(
        [sys.executable, "-m", "cortex.audit.verifier", *told],
        env={"PATH": os.environ["PATH"]}, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def main() -> int:
    """Build stores of the bench's own, run, keep the figures; 1 when a clean trail is blamed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    from tests import stores

    stores.start()
    try:
        import django

        django.setup()
        logging.disable(logging.CRITICAL)
        stores.build_databases()
        with stores.role("cortex_system"):
            found = run(rows)
    finally:
        stores.stop()
    keep("audit", found)
    return 0 if found["right"] else 1


if __name__ == "__main__":
    sys.exit(main())
