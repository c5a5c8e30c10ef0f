"""Mood, level and measures over one time axis, as SVG text; pure drawing, no query.

Three panels share their x: the days' moods with their seven-day mean, the level as steps, and totals as a
share of each measure's highest. Lines lie in inner pictures that are stretched; dots and words keep their
size. A day without an answer is a gap, and so are visits that are missing before a total: nothing is drawn
across them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from html import escape

from django.utils.safestring import SafeString, mark_safe

from clinical.assessments.drawing import Scale, _n, line, table_row
from clinical.chart.parts import Mark

MOOD = (14, 96)
LEVEL = (114, 138)
MEASURES = (158, 222)
MARKS, DATES, HEIGHT = 240, 262, 270
RANKS = {"low": 1, "medium": 2, "high": 3, "critical": 4}
DOTS = ("", "tj-m1", "tj-m2")
STEPS = ("", "tj-l1", "tj-l2", "tj-l3", "tj-l4")
# A mean of fewer days than this says nothing about a week.
LEAST = 3
WEEK = 7


@dataclass(slots=True)
class Axis:
    """What is drawn: days from the first to the last, and what happened on them."""

    first: date
    last: date
    moods: Mapping[date, int]
    # (day on which it began, level), oldest first; the first may lie before the axis.
    levels: Sequence[tuple[date, str]]
    # title, highest, higher is better, [(day, total)]
    measures: Sequence[tuple[str, int, Sequence[tuple[date, int]]]]
    marks: Sequence[tuple[date, Mark]] = field(default_factory=list)
    # title: the days of the totals before which visits are missing
    gaps: Mapping[str, Collection[date]] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.last - self.first).days + 1

    def x(self, day: date) -> float:
        """Return where a day lies, 0 to 1000."""
        return ((day - self.first).days + 0.5) / self.days * 1000

    def each(self) -> list[date]:
        """Return all its days."""
        return [self.first + timedelta(days=number) for number in range(self.days)]


def means(axis: Axis) -> list[float | None]:
    """Return for each day the mean mood of the seven days up to it; None with fewer than three answers."""
    found: list[float | None] = []
    for day in axis.each():
        known = [axis.moods[one] for back in range(WEEK) if (one := day - timedelta(days=back)) in axis.moods]
        # A week that has no answer on the day itself, nor on the two before, ends where the answers end.
        fresh = any(day - timedelta(days=back) in axis.moods for back in range(LEAST))
        found.append(sum(known) / len(known) if len(known) >= LEAST and fresh else None)
    return found


def drawn(axis: Axis, description: str) -> SafeString:
    """Draw the axis; "" when there is nothing at all on it."""
    if not (axis.moods or axis.levels or any(points for _, _, points in axis.measures) or axis.marks):
        return SafeString("")
    stretched = _mood_line(axis) + _level_area(axis) + _measure_lines(axis)
    return mark_safe(  # noqa: S308
        '<div class="cx tj"><svg width="66" height="270" aria-hidden="true">'
        f"{_names()}</svg>"
        f'<svg width="100%" height="{HEIGHT}" role="img" aria-labelledby="tj-t tj-d"><title id="tj-t">'
        "Mood, level and measures over time</title>"
        f'<desc id="tj-d">{escape(description)}</desc>{_grid()}'
        f'<svg width="100%" height="{HEIGHT}" viewBox="0 0 1000 {HEIGHT}" preserveAspectRatio="none">'
        f"{stretched}</svg>{_dots(axis)}{_totals(axis)}{_marks(axis)}{_dates(axis)}</svg></div>"
    )


def _names() -> str:
    words = ((MOOD[0] + 4, "Mood 10"), (MOOD[1] + 3, "1"), (sum(LEVEL) / 2 + 4, "Level"),
             (MEASURES[0] + 4, "Highest"), (MEASURES[1] + 3, "0"))  # fmt: skip
    return "".join(f'<text x="58" y="{_n(y)}" text-anchor="end">{word}</text>' for y, word in words)


def _grid() -> str:
    ys = (*MOOD, sum(MOOD) / 2, *MEASURES, sum(MEASURES) / 2)
    return "".join(f'<line class="axis" x1="0" x2="100%" y1="{_n(y)}" y2="{_n(y)}"/>' for y in ys)


def _mood(value: float) -> float:
    return Scale(1, 10, MOOD[1], MOOD[0])(value)


def _mood_line(axis: Axis) -> str:
    points = [
        (axis.x(day), None if mean is None else _mood(mean))
        for day, mean in zip(axis.each(), means(axis), strict=True)
    ]
    return f'<path class="ln tj-mean" d="{line(points)}"/>'


def _dots(axis: Axis) -> str:
    return "".join(
        f'<circle class="tj-day" cx="{_n(axis.x(day) / 10)}%" cy="{_n(_mood(mood))}" r="2"/>'
        for day, mood in axis.moods.items()
    )


def _level_area(axis: Axis) -> str:
    found = []
    for number, (day, level) in enumerate(axis.levels):
        start = max(axis.x(day) - 500 / axis.days, 0.0)
        end = (
            axis.x(axis.levels[number + 1][0]) - 500 / axis.days if number + 1 < len(axis.levels) else 1000.0
        )
        rank = RANKS.get(level, 0)
        if end <= 0 or end <= start or not rank:
            continue
        tall = (LEVEL[1] - LEVEL[0]) * rank / 4
        found.append(
            f'<rect class="{STEPS[rank]}" x="{_n(start)}" y="{_n(LEVEL[1] - tall)}" '
            f'width="{_n(end - start)}" height="{_n(tall)}"/>'
        )
    return "".join(found)


def _measure_lines(axis: Axis) -> str:
    found = ""
    for number, (title, highest, points) in enumerate(axis.measures, 1):
        path: list[tuple[float, float | None]] = []
        for day, total in points:
            if day in axis.gaps.get(title, ()):
                path.append((axis.x(day), None))
            path.append((axis.x(day), _share(total, highest)))
        found += f'<path class="ln s{number}{" dash" if number > 1 else ""}" d="{line(path)}"/>'
    return found


def _share(total: int, highest: int) -> float:
    return Scale(0, highest, MEASURES[1], MEASURES[0])(total)


def _totals(axis: Axis) -> str:
    found = ""
    for number, (_, highest, points) in enumerate(axis.measures, 1):
        for index, (day, total) in enumerate(points):
            x, y = _n(axis.x(day) / 10), _share(total, highest)
            found += f'<circle class="{DOTS[number]}" cx="{x}%" cy="{_n(y)}" r="3.2"/>'
            if index == len(points) - 1:
                up = -7 if number == 1 else 14
                found += f'<text class="t-b" x="{x}%" y="{_n(y + up)}" text-anchor="middle">{total}</text>'
    return found


def _marks(axis: Axis) -> str:
    found = ""
    for day, mark in axis.marks:
        x = f"{_n(axis.x(day) / 10)}%"
        if mark.kind == "alert":
            found += (
                f'<line class="tj-rule" x1="{x}" x2="{x}" y1="{MOOD[0]}" y2="{MARKS - 6}"/>'
                f'<circle class="tj-alert" cx="{x}" cy="{MARKS}" r="5"/>'
            )
        elif mark.kind == "session":
            found += f'<circle class="tj-session" cx="{x}" cy="{MARKS}" r="2.4"/>'
        else:
            found += (
                f'<line class="tj-rule" x1="{x}" x2="{x}" y1="{MOOD[0]}" y2="{MARKS - 6}"/>'
                f'<circle class="tj-change" cx="{x}" cy="{MARKS}" r="4.5"/>'
            )
    return found


def _dates(axis: Axis) -> str:
    middle = axis.first + timedelta(days=axis.days // 2)
    words = ((axis.first, 0, "start"), (middle, 50, "middle"), (axis.last, 100, "end"))
    return "".join(
        f'<text x="{at}%" y="{DATES}" text-anchor="{anchor}">{day:%-d %b %Y}</text>'
        for day, at, anchor in words
    )


def table(axis: Axis) -> SafeString:
    """Return the rows of a table of all that is drawn: days on which something was, the newest first."""
    held = _level_by_day(axis)
    totals: dict[date, dict[str, int]] = {}
    for title, _, points in axis.measures:
        for day, total in points:
            totals.setdefault(day, {})[title] = total
    words: dict[date, list[str]] = {}
    for day, mark in axis.marks:
        words.setdefault(day, []).append(mark.words)
    days = {*axis.moods, *totals, *words, *(day for day, _ in axis.levels if day >= axis.first)}
    titles = [title for title, _, _ in axis.measures]
    rows = []
    for day in sorted(days, reverse=True):
        measured = totals.get(day, {})
        cells = (
            axis.moods.get(day, ""),
            held.get(day, ""),
            *(measured.get(title, "") for title in titles),
            ", ".join(words.get(day, ())),
        )
        rows.append(table_row(f"{day:%-d %b %Y}", cells, axis.x(day) / 10))
    return mark_safe("".join(rows))  # noqa: S308


def _level_by_day(axis: Axis) -> dict[date, str]:
    found: dict[date, str] = {}
    level, changes = "", list(axis.levels)
    for day in axis.each():
        while changes and changes[0][0] <= day:
            level = changes.pop(0)[1]
        found[day] = level
    return found


def days_of(points: Sequence[tuple[datetime, int]], zone: object) -> list[tuple[date, int]]:
    """Return totals by the person's own day; the last of a day stands for it."""
    by_day = {at.astimezone(zone).date(): total for at, total in points}  # type: ignore[arg-type]
    return sorted(by_day.items())
