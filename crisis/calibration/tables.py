"""The calibration report as captioned tables of words, the same for the page and the command; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from crisis.alerts.models import Source
from crisis.alerts.wording import LANGUAGES, span_words
from crisis.calibration.figures import (
    LEAST,
    LEAST_DAYS,
    Override,
    Report,
    Row,
    Shadow,
    Share,
    Tally,
    budget,
    withheld,
)
from crisis.risk import codes
from crisis.risk.labels import FACTORS, label
from crisis.risk.reasons import SENTENCES
from patients.codes import AgeBand

COLUMNS = (
    "Alerts", "Verdicts", "Crisis", "Distress", "No risk", "Set aside", "Crisis among judged (95 %)",
    "Without a verdict", "First claim: half, nine in ten", "Contact: half",
)  # fmt: skip
LOOKED = ("Lowered", "Raised")
TIERS = {
    "A": "intent, plan, means or act",
    "B": "active ideation",
    "V": "goodbye",
    "SH": "self-harm",
    "C": "death wish",
    "D": "hopeless, a burden",
}
LINES = {
    "critical_predictive_value": "Critical alerts of the engine that were a crisis",
    "high_predictive_value": "High alerts of the engine that were a crisis",
    "critical_people_per_day": "Active people with a new critical alert, per day",
    "high_people_per_day": "Active people with a new high alert, per day",
    "crises_raised_by_engine": "Alerts that were a crisis and that the engine raised",
}
RAISED_BY = {"engine": "by the engine", "sos": "by the SOS button", "staff": "by a member of staff"}
LEVELS = ("critical", "high", "medium", "low", "")


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what it counts (its caption), its columns, its rows (head first), or why it has none."""

    key: str
    title: str
    caption: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    empty: str = "No alert in this period."

    @property
    def lines(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Each row as its head and (column, cell) pairs, as a phone shows it."""
        return [(row[0], list(zip(self.columns[1:], row[1:], strict=True))) for row in self.rows]


def tables(report: Report) -> list[Table]:
    """Return every table of a report in the order in which a reader asks for them."""
    return [
        _budget(report), _levels(report), _rules(report), _tiers(report), _shadows(report), _missed(report),
        _overrides(report), _readings(report), _bins(report), _versions(report),
        _groups("languages", "By language", "Language", report.languages, language),
        _groups("ages", "By age", "Age", report.ages, lambda band: dict(AgeBand.choices).get(band, band)),
    ]  # fmt: skip


def _budget(report: Report) -> Table:
    rows = [
        (
            LINES[line.name],
            f"at {'least' if line.at_least else 'most'} {line.target * 100:g} %",
            share_words(line.found) if line.found else _unknown(line.name),
            {True: "within", False: "outside", None: "not known"}[line.holds],
        )
        for line in budget(report)
    ]
    caption = (
        "Watched, and never kept by holding anything back. A person counts once a day and level, "
        f"against the {report.active_people} people in care today."
    )
    return Table("budget", "False-alarm budget", caption, ("What", "Target", "Found (95 %)", "Stands"), rows)


def _unknown(name: str) -> str:
    if name.endswith("_per_day"):
        return f"fewer than {LEAST_DAYS} days, or than {LEAST} people in care"
    return f"fewer than {LEAST} judged"


def _levels(report: Report) -> Table:
    sources = list(RAISED_BY)
    order = sorted(report.levels, key=lambda row: (sources.index(row.key[1]), LEVELS.index(row.key[0])))
    rows = [(f"{row.key[0].capitalize()}, {RAISED_BY[row.key[1]]}", *_cells(row.tally)) for row in order]
    caption = "By the highest level that an alert reached, and by who raised it. Merged ones count once."
    return Table("levels", "By level", caption, ("Level", *COLUMNS), rows)


def _rules(report: Report) -> Table:
    order = sorted(report.rules, key=lambda row: _number(row.key[0]))
    rows = [(rule_words(row.key[0]), *_cells(row.tally), *_looks(row.override)) for row in order]
    caption = (
        "An alert counts for every rule that fired on it. Lowered and raised: how often a clinician who "
        "looked at a level set another one while the rule stood."
    )
    return Table("rules", "By rule", caption, ("Rule", *COLUMNS, *LOOKED), rows)


def _tiers(report: Report) -> Table:
    order = sorted(report.tiers, key=lambda row: (row.key[0], _tier_place(row.key[1])))
    rows = [
        (f"{tier_words(row.key[1])}, {row.key[0] or 'no version'}", *_cells(row.tally), *_looks(row.override))
        for row in order
    ]
    caption = (
        "By tier of the words and version of the lexicon that found them, and by version of a live text "
        "model. An alert counts for every tier that it rests on."
    )
    return Table("tiers", "By tier and version", caption, ("Tier and version", *COLUMNS, *LOOKED), rows)


def _shadows(report: Report) -> Table:
    rows = [
        (shadow_words(one), str(one.readings), str(one.people), str(one.beside.alerts), *_judged(one.beside))
        for one in report.shadows
    ]
    caption = (
        "What ran in shadow: recorded, in no figure above, and it paged nobody. Alerts are those that the "
        "same messages were behind for other reasons."
    )
    columns = (
        "What",
        "Times",
        "People",
        "Alerts beside",
        "Verdicts",
        "Crisis",
        "Crisis among judged (95 %)",
    )
    return Table("shadows", "In shadow", caption, columns, rows, "Nothing ran in shadow in this period.")


def _missed(report: Report) -> Table:
    order = sorted(report.missed, key=lambda one: (one.source, LEVELS.index(one.before)))
    rows = [
        (
            f"{'Button' if one.source == Source.SOS else 'By hand'}, engine said {one.before or 'nothing'}",
            str(one.alerts), str(one.judged), str(one.crisis),
        )
        for one in order
    ]  # fmt: skip
    caption = (
        "Alerts that staff raised or the person asked for with the button, by what the engine had said of "
        "them last in the 72 hours before. Where it said low, look at what it did not see."
    )
    return Table(
        "missed", "What the engine did not raise", caption, ("Raised", "Alerts", "Judged", "Crisis"), rows,
        "Nobody was raised by hand or by the button in this period.",
    )  # fmt: skip


def _overrides(report: Report) -> Table:
    rows = [
        (f"Engine said {level or 'nothing'}", *_looks(found), str(found.same))
        for level, found in sorted(report.overrides, key=lambda one: LEVELS.index(one[0]))
    ]
    caption = "What clinicians who reviewed a level made of it."
    columns = ("Before", *LOOKED, "Left as it was")
    return Table(
        "overrides", "Levels set by clinicians", caption, columns, rows,
        "No clinician reviewed a level in this period.",
    )  # fmt: skip


def _readings(report: Report) -> Table:
    names = {"false_alarm": "False alarm", "disposition": "Outcome"}
    rows = [
        (
            names.get(one.kind, one.kind), str(one.asked), str(one.agreed), str(one.refused),
            str(one.withdrawn), str(one.asked - one.agreed - one.refused - one.withdrawn),
        )
        for one in report.readings
    ]  # fmt: skip
    columns = ("Asked about", "Asked", "Agreed", "Did not agree", "Withdrawn", "Open")
    return Table(
        "readings", "Second readings", "Questions to second readers about these alerts.", columns, rows,
        "No second reader was asked in this period.",
    )  # fmt: skip


def _bins(report: Report) -> Table:
    rows = [
        (f"{int(row.key[0]) / 10:.1f} to {(int(row.key[0]) + 1) / 10:.1f}", *_judged(row.tally, alerts=True))
        for row in report.bins
    ]
    caption = (
        "The engine's alerts about self-harm by score. The score orders attention and is no probability: "
        "a share says how reviewers judged, not what happened."
    )
    if report.everything.agreement is not None:
        caption += f" Brier score {report.everything.agreement:.3f}: agreement with reviewers, not outcome."
    columns = ("Score", "Alerts", "Verdicts", "Crisis", "Crisis among judged (95 %)")
    return Table("bins", "By score", caption, columns, rows)


def _versions(report: Report) -> Table:
    rows = [
        (f"Engine {row.key[0]}, lexicon {row.key[1] or 'unknown'}", *_cells(row.tally))
        for row in report.versions
    ]
    caption = "By the versions that made the newest evaluation behind each alert."
    return Table("versions", "By engine version", caption, ("Versions", *COLUMNS), rows)


def _groups(key: str, title: str, head: str, groups: Sequence[Row], words: Callable[[str], str]) -> Table:
    hidden = withheld(groups)
    rows = [(words(row.key[0]), *_cells(row.tally)) for row in groups if row.key not in hidden]
    caption = (
        f"Groups of fewer than {LEAST} people are withheld, and where that is one group alone, the next "
        "smallest with it. A person's sex is sealed and is not opened for a count."
    )
    if hidden:
        caption += f" Withheld: {', '.join(words(row.key[0]) for row in groups if row.key in hidden)}."
    empty = f"No group can be shown: each has fewer than {LEAST} people, or is next to one that has."
    return Table(key, title, caption, (head, *COLUMNS), rows, empty)


def _cells(tally: Tally) -> tuple[str, ...]:
    return (
        str(tally.alerts), str(tally.verdicts), str(tally.crisis), str(tally.distress), str(tally.false),
        str(tally.aside), predictive_words(tally), _without(tally), _claims(tally),
        _seconds(tally.contact_median),
    )  # fmt: skip


def _judged(tally: Tally, *, alerts: bool = False) -> tuple[str, ...]:
    first = (str(tally.alerts),) if alerts else ()
    return (*first, str(tally.verdicts), str(tally.crisis), predictive_words(tally))


def _looks(found: Override) -> tuple[str, ...]:
    return str(found.lowered), str(found.raised)


def _without(tally: Tally) -> str:
    found = tally.without_verdict
    if found is None:
        return "-"
    still = f", {tally.open} open" if tally.open else ""
    return f"{_percent(found.value)}{still}"


def _claims(tally: Tally) -> str:
    if tally.claim_median is None or tally.claim_p90 is None:
        return "never claimed" if tally.alerts else "-"
    never = f"; {tally.unclaimed} never" if tally.unclaimed else ""
    return f"{_seconds(tally.claim_median)}, {_seconds(tally.claim_p90)}{never}"


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else span_words(timedelta(seconds=round(seconds)))


def predictive_words(tally: Tally) -> str:
    """Return the predictive value with its interval, or that there are too few verdicts for one."""
    found = tally.predictive_value
    return share_words(found) if found else f"fewer than {LEAST} judged"


def share_words(share: Share) -> str:
    """Return "62 % (41 to 79)"; small shares with a decimal."""
    return f"{_percent(share.value)} ({_bare(share.low)} to {_bare(share.high)})"


def _percent(value: float) -> str:
    return f"{_bare(value)} %"


def _bare(value: float) -> str:
    return f"{value * 100:.1f}" if 0 < value < 0.1 else f"{value * 100:.0f}"


def rule_words(rule: str) -> str:
    """Return a rule's id with its sentence; the empty one is the score by itself."""
    if not rule:
        return "No rule: the score alone"
    found = SENTENCES.get(rule)
    return f"{rule}: {found[0]}" if found else rule


def shadow_words(one: Shadow) -> str:
    """Return what ran in shadow with its version: a rule, a lexicon's tier or factor, or a text model."""
    code = one.code.removesuffix("_SHADOW")
    if code.startswith("RULE_"):
        return f"{rule_words(code.removeprefix('RULE_'))}, engine {one.version}"
    if code == codes.TEXT_MODEL:
        return f"Text model {one.version}"
    # Of one person it would tell who knows them what their alert doesn't (domain 7.4).
    code = codes.PROTECTED if code in codes.SUBSTANCE else code
    what = tier_words(code.removeprefix("TEXT_")) if code.startswith("TEXT_") else label(FACTORS, code, "en")
    return f"{what}, lexicon {one.version}"


def tier_words(tier: str) -> str:
    """Return a tier's letter with what it means."""
    if tier == codes.TEXT_MODEL:
        return "Text model"
    return f"{tier}: {TIERS[tier]}" if tier in TIERS else tier


def language(code: str) -> str:
    """Return a language in words; an unknown code stands as it is."""
    return LANGUAGES.get(code, code)


def _number(rule: str) -> tuple[int, str]:
    digits = "".join(sign for sign in rule if sign.isdigit())
    return (int(digits) if digits else 99, rule)


def _tier_place(tier: str) -> int:
    return codes.TIERS.index(tier) if tier in codes.TIERS else len(codes.TIERS)


def plain(table: Table) -> Iterable[str]:
    """Return a table as lines of text with aligned columns, its caption under its title."""
    yield f"{table.title}. {table.caption}"
    if not table.rows:
        yield f"  {table.empty}"
        return
    widths = [max(len(cell) for cell in column) for column in zip(table.columns, *table.rows, strict=True)]
    for row in (table.columns, *table.rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
