"""Measures intake: items per second and batch times on the real path. Run: python -m bench.bench_intake"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import threading
import time
from typing import Any

os.environ.setdefault("CORTEX_TEST_SLOT", "bench")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cortex.settings.test")

CALM = (
    "Leo nimelala vizuri na nimekula chakula kizuri na familia yangu.",
    "I went to the market and met my sister, it was a nice day.",
    "Kazi ilikuwa nyingi leo lakini nimemaliza.",
)
TIER_A = "leo usiku nitajiua, nimeandaa kamba"
PEOPLE = 40


class Load:
    """People on record, a key, and batches of fresh messages; one in a hundred is a crisis."""

    def __init__(self) -> None:
        from tests import makers
        from tests.api.conftest import issue_key

        home = makers.make_organization()
        self.people = [makers.make_patient(home).anonymous_id for _ in range(PEOPLE)]
        self.key = issue_key(home)[1]
        self.number = 0
        self.lock = threading.Lock()

    def batch(self, size: int, crises: bool) -> bytes:
        """Return the body of one request."""
        with self.lock:
            first = self.number
            self.number += size
        items = []
        for number in range(first, first + size):
            who = self.people[number % PEOPLE]
            text = TIER_A if crises and number % 100 == 99 else CALM[number % 3]
            items.append({"id": f"b-{number}", "kind": "message", "patient": who, "session": f"s-{who}",
                          "role": "patient", "text": text})  # fmt: skip
        return json.dumps({"items": items}).encode()

    def post(self, body: bytes) -> Any:
        """Send one request through the whole application."""
        from django.test import Client

        headers = {"Authorization": f"Api-Key {self.key}"}
        answer = Client().post("/api/v1/intake", body, content_type="application/json", headers=headers)
        if answer.status_code != 200:
            raise SystemExit(f"{answer.status_code} {answer.content[:300]!r}")
        return answer


def measure(load: Load, size: int, requests: int, senders: int, crises: bool) -> None:
    """Send `requests` batches of `size` items by `senders` threads and print one line."""
    from django.db import connections

    times: list[float] = []

    def send() -> None:
        for _ in range(requests // senders):
            body = load.batch(size, crises)
            began = time.perf_counter()
            load.post(body)
            times.append(time.perf_counter() - began)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(senders)]
    cpu, began = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, used = time.perf_counter() - began, time.process_time() - cpu
    count = len(times) * size
    ranked = sorted(times)
    p95 = ranked[min(len(ranked) - 1, int(len(ranked) * 0.95))]
    kind = "1 % crises" if crises else "calm"
    print(
        f"{size:>4} items x {len(times):<4} {senders} senders, {kind:<10} {count / took:>8,.0f} items/s   "
        f"p50 {statistics.median(times) * 1000:>6.0f} ms   p95 {p95 * 1000:>6.0f} ms   "
        f"CPU {used / count * 1e6:>6.0f} µs/item (web process)"
    )


def main() -> None:
    """Run on embedded stores of its own; one process, so one core of Python."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=24)
    options = parser.parse_args()
    from tests import stores

    stores.start()
    try:
        import django

        django.setup()
        logging.disable(logging.CRITICAL)
        stores.build_databases()
        load = Load()
        load.post(load.batch(50, False))
        for crises in (False, True):
            for size, senders in ((1, 1), (100, 1), (100, 4), (500, 1)):
                measure(load, size, options.requests, senders, crises)
    finally:
        stores.stop()


if __name__ == "__main__":
    main()
