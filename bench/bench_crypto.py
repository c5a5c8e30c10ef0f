"""Measures sealing: one value, one attribute, many rows, cold keys. Run: python -m bench.bench_crypto"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.kept import keep

os.environ.setdefault("CORTEX_TEST_SLOT", "bench")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cortex.settings.test")

GOALS = {"seal and open, 500 B": 5.0, "rows sealed by bulk_create": 15_000.0}
SHOWN: dict[str, str] = {}
WORDS = "I can't go on like this. " * 20


def microseconds(work: Callable[[], Any], times: int = 20_000, rounds: int = 5) -> float:
    """Return the best round's mean microseconds of one call (others use the machine too)."""
    results = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(times):
            work()
        results.append((time.perf_counter() - began) / times * 1e6)
    return min(results)


def show(name: str, value: float, unit: str) -> bool:
    """Print one figure beside its goal; return whether the goal is met."""
    goal, SHOWN[name] = GOALS.get(name), f"{value:,.2f} {unit}"
    met = goal is None or (value <= goal if unit == "µs" else value >= goal)
    sign, verdict = "<=" if unit == "µs" else ">=", "ok" if met else "MISSED"
    note = "" if goal is None else f"   goal {sign} {goal:,.0f} {verdict}"
    print(f"{name:<42}{value:>12,.2f} {unit}{note}")
    return met


def measure_values() -> bool:
    """Measure one value without any database."""
    from cortex.ids import uuid7
    from tests.unit.crypto.letters import Letter, fresh_key, holding, sealed

    subject, pk = uuid7(), uuid7()
    key, field = fresh_key(subject), sealed("note")
    row = Letter(id=pk, patient_id=subject)
    with holding(key):
        enc = field.seal(WORDS, pk=pk, subject=subject)
        row.note = enc

        def both() -> None:
            field.unseal(field.seal(WORDS, pk=pk, subject=subject, key=key), pk=pk, subject=subject, key=key)

        met = show("seal and open, 500 B", microseconds(both), "µs")
        show("read an attribute (context, key, open)", microseconds(lambda: row.note), "µs")
    show("bytes added to a value", float(len(enc.blob) - len(WORDS.encode())), "B")
    return met


def measure_rows(count: int = 10_000) -> bool:
    """Measure rows with one sealed text against the real PostgreSQL, beside the same rows without it."""
    from cortex.ids import uuid7
    from tests.unit.crypto.letters import Card, fresh_key, holding

    subjects = [uuid7() for _ in range(200)]
    met = True
    with holding(*(fresh_key(subject) for subject in subjects)):
        plain = rows_per_second(lambda: [Card(patient_id=subjects[n % 200]) for n in range(count)])
        sealed_rows = rows_per_second(
            lambda: [Card(patient_id=subjects[n % 200], note=WORDS[:100]) for n in range(count)]
        )
        show("rows without a sealed value, bulk_create", plain, "rows/s")
        met = show("rows sealed by bulk_create", sealed_rows, "rows/s")
        began = time.perf_counter()
        opened = sum(len(row.note or "") for row in Card.objects.filter(note__isnull=False).iterator())
        took = time.perf_counter() - began
        assert opened
        show("rows read and opened", Card.objects.filter(note__isnull=False).count() / took, "rows/s")
    return met


def rows_per_second(make: Callable[[], list[Any]]) -> float:
    """Return the best of five inserts, making the instances included."""
    from tests.unit.crypto.letters import Card

    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        rows = make()
        Card.objects.bulk_create(rows, batch_size=2000)
        best = max(best, len(rows) / (time.perf_counter() - began))
    return best


def measure_keys(count: int = 1000) -> None:
    """Measure the key store: making keys, and reading them cold and cached."""
    from cortex.ids import uuid7
    from cortex.keys import queries, store
    from cortex.keys.cache import cache

    subjects = [uuid7() for _ in range(count)]
    show("keys made", seconds(lambda: store.ensure_keys(subjects)) / count * 1e6, "µs each")
    cache.forget()
    cold = seconds(lambda: queries.data_keys(subjects))
    show("keys read cold (one query, unwrapped)", cold / count * 1e6, "µs each")
    show("keys read from the cache", seconds(lambda: queries.data_keys(subjects)) / count * 1e6, "µs each")


def seconds(work: Callable[[], Any]) -> float:
    """Return how long one run takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> int:
    """Run everything on embedded stores of its own; exit 1 when a goal is missed."""
    from tests import stores

    stores.start()
    try:
        import django

        django.setup()
        from django.db import transaction

        from tests.unit.crypto.letters import make_tables

        stores.build_databases()
        met = measure_values()
        with transaction.atomic():
            make_tables()
            met &= measure_rows()
            transaction.set_rollback(True)
        measure_keys()
    finally:
        stores.stop()
    keep("crypto", {"goals": GOALS, "figures": SHOWN})
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
