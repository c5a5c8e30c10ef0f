"""Measures screening and deciding, without queries. Run: python -m bench.bench_risk [--texts file.csv.gz]"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from bench.kept import keep
from crisis.risk import codes
from crisis.risk.engine import assess
from crisis.risk.lexicon import Lexicon, lexicon
from crisis.risk.pii import pii_present
from crisis.risk.types import EvidenceItem, Inputs

GOALS = {
    "screening, messages of an ordinary day": 60.0,
    "text model, a message in a batch": 60.0,
    "loading the text model, once per process": 200_000.0,
    "deciding, a full ledger": 1000.0,
}
SHOWN: dict[str, float] = {}
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)

# Our own sentences; 1 in 12 of the day's mix is of a hard day, and one is long.
ORDINARY = (
    "Good morning, I slept a bit better and went for a walk before work.",
    "niko sawa, leo nimekula vizuri na nimelala mapema",
    "Sasa, leo nilikuwa na watu wengi kazini lakini niliweza kupumzika kidogo jioni.",
    "My sister came over and we cooked together, it was nice to laugh again.",
    "msee hii wiki imekuwa noma, lakini napambana na hali yangu",
    "I'm fine, just tired. The exam is on friday and I still have three chapters left to read!!",
    "The breathing exercise helped a little, I will try it again tonight before bed.",
    "Mama yangu alinipigia simu jana, tukaongea kwa muda mrefu sana kuhusu shamba na mvua.",
    "ok thanks",
    "I argued with my boss about the schedule, then I took a long matatu ride home and listened to music.",
)
HARD = (
    "I can't do this anymore. I keep thinking that everyone would be better off without me.",
    "nimechoka na maisha, natamani kufa tu. sioni future",
)
LONG = " ".join(ORDINARY) + " I feel like a burden to my family and I don't see a way out."


def microseconds(work: Callable[[], object], times: int, rounds: int = 7) -> float:
    """Return the best round's mean microseconds of processor time (others use the machine too)."""
    results = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            work()
        results.append((time.process_time() - began) / times * 1e6)
    return min(results)


def show(name: str, value: float) -> bool:
    """Print one figure beside its goal; return whether the goal is met."""
    goal, SHOWN[name] = GOALS.get(name), round(value, 2)
    met = goal is None or value <= goal
    note = "" if goal is None else f"   goal <= {goal:,.0f} {'ok' if met else 'MISSED'}"
    print(f"{name:<44}{value:>10,.1f} µs{note}")
    return met


def measure_screening(words: Lexicon) -> bool:
    """Measure the lexicon on a day's mix and on its parts, and the check for contact data."""
    day = [*ORDINARY, *ORDINARY[:9], *HARD, *ORDINARY[:2], LONG]
    met = show("screening, messages of an ordinary day", _mean(words, day))
    for name, texts in (("ordinary", ORDINARY), ("of a hard day", HARD), ("long (900 characters)", [LONG])):
        show(f"screening, {name}", _mean(words, texts))
    show("contact data, ordinary", microseconds(lambda: [pii_present(text) for text in day], 40) / len(day))
    return met


def measure_model(words: Lexicon) -> bool:
    """Measure loading the text model (with numpy's import), and reading a day's mix in a batch and alone."""
    began = time.process_time()
    from crisis.risk.linear import load

    model = load(words=words)
    met = show("loading the text model, once per process", (time.process_time() - began) * 1e6)
    day = [*ORDINARY, *ORDINARY[:9], *HARD, *ORDINARY[:2], LONG] * 10
    screenings = [words.screen(text) for text in day]
    batch = microseconds(lambda: model.read_many(day, screenings), 3) / len(day)
    met &= show("text model, a message in a batch", batch)
    alone = microseconds(lambda: model.read_many(day[:1], screenings[:1]), 100)
    show("text model, one message alone", alone)
    return met


def _mean(words: Lexicon, texts: Sequence[str]) -> float:
    return microseconds(lambda: [words.screen(text) for text in texts], 60) / len(texts)


def measure_deciding() -> bool:
    """Measure the engine on a full ledger of a week and on an ordinary one."""
    full, ordinary = Inputs(NOW, tuple(ledger(40))), Inputs(NOW, tuple(ledger(6)))
    show(f"deciding, {len(ordinary.evidence)} items", microseconds(lambda: assess(ordinary), 300))
    print(f"{'the full ledger holds':<44}{len(full.evidence):>10} items")
    return show("deciding, a full ledger", microseconds(lambda: assess(full), 100))


def ledger(moods: int) -> Iterable[EvidenceItem]:
    """Evidence of a week: `moods` observations, words, voice, questionnaires, history and situation."""

    def item(code: str, domain: str, hours: float, **facts: object) -> EvidenceItem:
        at = NOW - timedelta(hours=hours)
        source = "clinician" if domain in ("history", "protective") else "message"
        return EvidenceItem(
            code, domain, source, at, UUID(int=int(hours)), local_day=at.date(), **facts  # type: ignore[arg-type]
        )  # fmt: skip

    for number in range(moods):
        yield item("EMO_HOPELESS" if number % 3 else "EMO_SAD", "emotion", number * 4, confidence=0.8)
    for number in range(moods // 6):
        yield item(codes.DISSONANCE_MASKED, "dissonance", number * 20, value=0.7, session_id=UUID(int=number))
        yield item(codes.BASELINE, "baseline", number * 20, value=2.5, session_id=UUID(int=number))
        yield item("TEXT_D", "text", number * 9, tier="D")
    yield item("TEXT_C", "text", 5, tier="C")
    yield item(codes.ITEM9, "phq", 60, value=1.0)
    yield item(codes.CSSRS, "cssrs", 100, tier="low", floor="medium")
    yield item("TRAJECTORY_DECLINING", "trajectory", 10, confidence=0.7)
    for code in ("RF_ATTEMPT_LIFETIME", "RF_NSSI"):
        yield item(code, "history", 500)
    for code in ("RF_LEGAL", "RF_JOB_FINANCE"):
        yield item(code, "stressors", 200)


def measure_file(words: Lexicon, path: Path) -> None:
    """Measure screening on the `text` column of a file, and the share that it flags; prints numbers only."""
    csv.field_size_limit(sys.maxsize)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        texts = [row["text"] for row in csv.DictReader(lines)]
    began = time.process_time()
    flagged = sum(words.screen(text).is_flagged for text in texts)
    spent = (time.process_time() - began) / len(texts) * 1e6
    print(f"{path.name:<44}{spent:>10,.1f} µs   {len(texts):,} texts, {flagged / len(texts):.3%} flagged")


def main() -> int:
    """Measure everything; return 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--texts", type=Path, action="append", default=[], help="gzipped CSV with a column text"
    )
    arguments = parser.parse_args()
    began = time.process_time()
    words = lexicon()
    show("compiling the lexicon, once per process", (time.process_time() - began) * 1e6)
    met = [measure_model(words), measure_screening(words), measure_deciding()]
    for path in arguments.texts:
        measure_file(words, path)
    keep("risk", {"unit": "µs of processor time", "goals": GOALS, "figures": SHOWN, "lexicon": words.version})
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
