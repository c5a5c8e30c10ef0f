"""`make bench-chart`: a chart's overview and a caseload of 300 among a million people, one reader at a time.

Builds the house once (`manage.py synth`, as `make bench-board`; kept in `.cortex/bench-chart-<people>`).
Reads over HTTP from one web process: the overview of people with ten years and with one year on record, their
timeline, the caseload of the therapist who treats them (as it is kept, and when a tenth of them have news),
the search of diagnoses; then in a browser, how soon
the largest thing on each page is painted, beside the page of signing in. Checks: access rows equal the reads
of people, the number of statements is the same for one year and for ten, no plan reads a large table whole.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.bench_board import LARGE, House, Servers  # noqa: E402
from bench.chart_paint import paints  # noqa: E402
from bench.kept import LOAD, keep  # noqa: E402

CHILDREN = str(ROOT / "bench" / "chart_children.py")
LETTER = "a letter of a diagnosis"
NEWS = "a tenth with news"
# Milliseconds at p95.
AIMS = {
    "overview, ten years": 150.0,
    "overview, one year": 150.0,
    "caseload of 300": 60.0,
    NEWS: 60.0,
    LETTER: 30.0,
}
# What a therapist has typed so far, letter by letter, of a few diagnoses.
TYPED = [
    word[:end] for word in ("depression", "anxiety", "f33.1", "post traumatic") for end in range(2, len(word))
]
# A caseload of fewer people, as small houses have, is measured without an aim.


class ChartHouse(House):
    """The bench's stores, with children that know the therapist's pages."""

    def __init__(self, people: int) -> None:
        super().__init__(people)
        self.folder = ROOT / ".cortex" / f"bench-chart-{people}"
        self.stores = type(self.stores)(self.folder)
        self.built = self.folder / "built.json"

    def ask(self, task: str, *arguments: str, role: str = "app") -> Any:
        """Run one task of `chart_children` and return its answer."""
        return json.loads(self.run(CHILDREN, task, *arguments, role=role).splitlines()[-1])


class News:
    """Says of some people at a time that a row of theirs was written, as the triggers do."""

    def __init__(self, house: ChartHouse, people: list[str]) -> None:
        owner = house.environment("owner")["DATABASE_OWNER_URL"]
        self.connection = psycopg.connect(owner, autocommit=True)
        self.people, self.share = people, max(1, len(people) // 10)

    def tell(self, number: int) -> None:
        """Tell of the next tenth."""
        first = number * self.share % len(self.people)
        self.connection.execute(
            "INSERT INTO patients_change (patient_id, organization_id) "
            "SELECT id, organization_id FROM patients_patient WHERE id = ANY(%s::uuid[])",
            [self.people[first : first + self.share]],
        )


def read(port: int, cookie: str, path: str) -> tuple[float, int]:
    """Ask for a page over a connection of its own; return seconds to its last byte, and its size."""
    connection = http.client.HTTPConnection("localhost", port, timeout=60)
    headers = {"Cookie": f"sessionid={cookie}", "Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
    connection.connect()
    begun = time.perf_counter()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    took = time.perf_counter() - begun
    connection.close()
    if answer.status != 200 or b"</html>" not in body:
        raise SystemExit(f"{path.split('/')[1]}: {answer.status}")
    return took, len(body)


def search(port: int, cookie: str, typed: str) -> tuple[float, int]:
    """Ask for diagnoses by what is typed, as the field does after a letter; seconds and size as `read`."""
    form = "b" * 32  # the cookie and the header say the same, as a page makes them
    headers = {
        "Cookie": f"sessionid={cookie}; csrftoken={form}", "X-CSRFToken": form, "HX-Request": "true",
        "Content-Type": "application/x-www-form-urlencoded",
    }  # fmt: skip
    connection = http.client.HTTPConnection("localhost", port, timeout=60)
    connection.connect()
    begun = time.perf_counter()
    connection.request("POST", "/codes/search/", urlencode({"q": typed}), headers)
    answer = connection.getresponse()
    body = answer.read()
    took = time.perf_counter() - begun
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"the search for {typed!r}: {answer.status}")
    return took, len(body)


def measure(house: ChartHouse, rounds: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]], bool]:
    """Read every page `rounds` times, people in turn; return figures, paints, whether the rows are right."""
    facts = house.ask("prepare", role="system")
    pages = {
        "overview, ten years": [f"/charts/{one}/" for one in facts["long"]],
        "overview, one year": [f"/charts/{one}/" for one in facts["short"]],
        "timeline, ten years": [f"/charts/{one}/timeline/" for one in facts["long"]],
        f"caseload of {len(facts['people'])}": ["/caseload/"],
        NEWS: ["/caseload/"],
    }
    news, servers = News(house, facts["people"]), Servers(house, "embedded")
    times: dict[str, list[float]] = defaultdict(list)
    sizes: dict[str, int] = {}
    try:
        servers.wait()
        for paths in pages.values():
            for path in paths[:3]:
                read(servers.ports[0], facts["cookie"], path)
        before, load = house.ask("count", role="system"), os.getloadavg()[0]
        for number in range(rounds):
            for name, paths in pages.items():
                if name == NEWS:
                    news.tell(number)
                took, size = read(servers.ports[0], facts["cookie"], paths[number % len(paths)])
                times[name].append(took)
                sizes[name] = max(size, sizes.get(name, 0))
            took, size = search(servers.ports[0], facts["cookie"], TYPED[number % len(TYPED)])
            times[LETTER].append(took)
            sizes[LETTER] = max(size, sizes.get(LETTER, 0))
        rows = house.ask("count", role="system") - before
        painted = paints(
            servers.ports[0], facts["cookie"], {name: one[0] for name, one in pages.items() if name != NEWS}
        )
    finally:
        servers.stop()
        news.connection.close()
    figures = [_figures(name, sorted(found), sizes[name], load) for name, found in times.items()]
    asked = rounds * len(pages)
    print(f"access rows {rows} of {asked} requests")
    return figures, painted, rows == asked


def _figures(name: str, times: list[float], size: int, load: float) -> dict[str, Any]:
    cut = {key: round(times[min(len(times) - 1, int(len(times) * part))] * 1000, 1)
           for key, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}  # fmt: skip
    aim = AIMS.get(name)
    met = aim is None or cut["p95"] <= aim
    told = "" if aim is None else f"   aim {aim:g} ms: {'met' if met else 'MISSED'}"
    print(f"{name:<22} p50 {cut['p50']} p95 {cut['p95']} p99 {cut['p99']} ms   {size:,} bytes{told}")
    return {"page": name, "requests": len(times), **cut, "bytes": size, "aim": aim, "met": met,
            "load_before": round(load, 2)}  # fmt: skip


def check_plans(house: ChartHouse) -> tuple[dict[str, Any], bool]:
    """Print how many statements each page costs, and every plan that reads a large table whole."""
    found = house.ask("explain")
    counts = found["statements"]
    print("statements: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    for one in found["scans"]:
        print(f"  {one['page']} reads {one['table']} from one end to the other: {one['sql'][:300]}")
    fixed = all(counts[page] == counts[page.replace("ten years", "one year")]
                for page in counts if "ten years" in page)  # fmt: skip
    if not fixed:
        print("the number of statements grows with the years")
    return found, fixed and not found["scans"]


def main() -> int:
    """Build, measure, check, keep the figures; exit status 1 when a check fails, or an aim with --strict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=LARGE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--strict", action="store_true", help="a missed aim is a failure, too")
    options = parser.parse_args()
    house = ChartHouse(options.patients)
    house.stores.start()
    try:
        built = house.build(options.seed)
        print(f"{built['people']:,} people built in {built['seconds']:,} s, load then {built['load_before']}")
        print(f"load now {LOAD}, {os.cpu_count()} cores")
        plans, planned = check_plans(house)
        figures, painted, counted = measure(house, options.rounds)
    finally:
        house.stores.stop()
    right = planned and counted
    found = {"built": built, "right": right, "pages": figures, "painted": painted, "plans": plans}
    keep(f"chart-{options.patients}", found)
    return 0 if right and (not options.strict or all(one["met"] for one in [*figures, *painted])) else 1


if __name__ == "__main__":
    sys.exit(main())
