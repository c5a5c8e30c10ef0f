"""Charts as SVG text: no script, no style attribute; colours and themes come from CSS classes.

The outer picture keeps its height and takes the width that it gets, so text and dots keep their size; lines
lie in an inner picture that is stretched. Every chart has a title, a description and a table of its own data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from clinical.assessments.definitions import Definition
from clinical.assessments.expected import expected_total
from clinical.assessments.queries import Course, Point
from clinical.assessments.scoring import days_between

HEIGHT, TOP, BOTTOM = 176, 12, 146
LEFT, WIDTH = 3.0, 94.0
SPARK = 30
# How near an upright may come to a figure, in percent of the picture at its narrowest, before it gives way;
# and how far above and below its foot the figure reaches, in pixels.
NEAR, FIGURE_UP, FIGURE_DOWN = 4.0, 12, 4
# The tints of the bands, from the best to the worst.
TINTS = ("sev0", "sev1", "sev2", "sev3", "sev4")


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from data to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value lies."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def table_row(head: str, cells: Iterable[object], x: float) -> str:
    """Return a row of a table behind a chart, quicker than a template: cells are escaped, `head` is not.

    `x` is where it lies in the picture, in percent: arrow keys read a chart by its rows.
    """
    told = "".join(f"<td>{escape(str(cell))}</td>" for cell in cells)
    return f'<tr data-x="{_n(x)}"><th scope="row" class="nowrap">{head}</th>{told}</tr>'


def _dot(is_last: bool) -> str:
    return "2.8" if is_last else "1.6"


def line(points: Sequence[tuple[float, float | None]]) -> str:
    """Return the path through points; a missing one is a gap."""
    found, drawing = [], False
    for x, y in points:
        if y is None:
            drawing = False
            continue
        found.append(f"{'L' if drawing else 'M'}{_n(x)} {_n(y)}")
        drawing = True
    return "".join(found)


def spark(values: Sequence[int | None], label: str, *, low: int = 1, high: int = 10) -> SafeString:
    """Draw a row of days, oldest first, with gaps where nothing was said; "" without a single value."""
    known = [(number, value) for number, value in enumerate(values) if value is not None]
    if not known:
        return SafeString("")
    y = Scale(low, high, SPARK - 3, 3)
    step = 1000 / max(len(values) - 1, 1)
    path = line([(number * step, None if value is None else y(value)) for number, value in enumerate(values)])
    # A day between two gaps has no line: it is a dot.
    alone = [
        (number, value)
        for number, value in known
        if (number == 0 or values[number - 1] is None)
        and (number + 1 == len(values) or values[number + 1] is None)
    ]
    last = known[-1]
    dots = "".join(
        f'<circle cx="{_n(number * step / 10)}%" cy="{_n(y(value))}" r="{_dot(number == last[0])}"/>'
        for number, value in {*alone, last}
    )
    return mark_safe(  # noqa: S308
        f'<svg class="spark" role="img" aria-label="{escape(label)}"><svg width="100%" height="{SPARK}" '
        f'viewBox="0 0 1000 {SPARK}" preserveAspectRatio="none"><path class="ln" d="{path}"/></svg>'
        f"{dots}</svg>"
    )


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened beside the totals: an alert, or (`is_plan`) a change of plan."""

    at: datetime
    words: str
    is_plan: bool = False

    @property
    def look(self) -> str:
        """The classes that it is drawn with."""
        return "tick tick-plan" if self.is_plan else "tick"


def place_of(at: datetime, points: Sequence[Point], now: datetime) -> float:
    """Return where a time lies between the first of these points and now, in percent of the picture."""
    first = points[0].at
    span = days_between(first, _end(points, now))
    if span < 1 and len(points) == 1:
        return 50.0
    return LEFT + days_between(first, at) / max(span, 1.0) * WIDTH


def _end(points: Sequence[Point], now: datetime) -> datetime:
    """Return where the axis ends: now, for what came after the last answer has its place too."""
    return max(points[-1].at, now)


def measure(
    course: Course, name: str, description: str, marks: Sequence[Mark] = (), *, now: datetime
) -> SafeString:
    """Draw the totals over bands and cut-off, true to date up to now, with the course that was expected.

    The line is broken where visits are missing; `marks` since the first total are ticks with a title.
    """
    definition, points = course.definition, course.points
    first, last = points[0].at, _end(points, now)
    y = Scale(0, definition.highest, BOTTOM, TOP)

    def x(at: datetime) -> float:
        return place_of(at, points, now)

    figures = [(x(one.at), _foot(y(one.total), _rings(one))) for one in points]
    bands, words = _bands(definition, y)
    wanted = _expected(course, last, x, y)
    gaps = course.gaps()
    path = line([
        pair for one in points
        for pair in ([(x(one.at) * 10, None)] if one.at in gaps else []) + [(x(one.at) * 10, y(one.total))]
    ])  # fmt: skip
    inner = (
        f'<svg width="100%" height="{HEIGHT}" viewBox="0 0 1000 {HEIGHT}" preserveAspectRatio="none">'
        f'{wanted}<path class="ln s1" d="{path}"/></svg>'
    )
    dots = "".join(_mark(x(one.at), y(one.total), one.total, _rings(one)) for one in points)
    numbers = "".join(
        f'<text x="20" y="{_n(y(value) + 4)}" text-anchor="end">{value}</text>'
        for value in [band.least for band in definition.bands] + [definition.highest]
    )
    ids = f"{name}-t {name}-d"
    return mark_safe(  # noqa: S308
        f'<div class="cx"><svg width="26" height="{HEIGHT}" aria-hidden="true">{numbers}</svg>'
        f'<svg width="100%" height="{HEIGHT}" role="img" aria-labelledby="{ids}">'
        f'<title id="{name}-t">{escape(definition.title)} totals</title>'
        f'<desc id="{name}-d">{escape(description)}</desc>{bands}'
        f'<line class="axis" x1="0" x2="100%" y1="{BOTTOM}" y2="{BOTTOM}"/>'
        f"{_cutoff(course.cutoff, y)}{_ticks(marks, first, last, x, figures)}{inner}{dots}"
        f"{_dates(first, last)}</svg>"
        f'<svg width="100" height="{HEIGHT}" aria-hidden="true">{words}</svg></div>'
    )


def legend(course: Course, marks: Sequence[Mark] = (), *, now: datetime) -> list[str]:
    """Return what stands for what in the picture of a course, as far as it is drawn there."""
    points = course.points
    if not points:
        return []
    drawn = [one for one in marks if points[0].at <= one.at <= _end(points, now)]
    said = (
        ("dashed: the course that we expect, our policy and no norm", _is_expected(course)),
        (f"dotted: cut-off {course.cutoff}", course.cutoff is not None),
        ("ring: item 9 above not at all", any(map(_rings, points))),
        ("broken line: visits are missing", bool(course.gaps())),
        ("dashed upright: alert", any(not one.is_plan for one in drawn)),
        ("upright: change of plan", any(one.is_plan for one in drawn)),
    )
    return [words for words, holds in said if holds]


def _cutoff(cutoff: int | None, y: Scale) -> str:
    if cutoff is None:
        return ""
    height = _n(y(cutoff))
    return f'<line class="cut" x1="0" x2="100%" y1="{height}" y2="{height}"/>'


def _ticks(
    marks: Sequence[Mark], first: datetime, last: datetime, x: Callable[[datetime], float],
    figures: Sequence[tuple[float, float]],
) -> str:  # fmt: skip
    return "".join(
        f'<g class="{one.look}"><title>{escape(f"{localtime(one.at):%-d %b %Y}: {one.words}")}</title>'
        f"{_upright(x(one.at), figures)}</g>"
        for one in marks
        if first <= one.at <= last
    )


def _upright(x: float, figures: Sequence[tuple[float, float]]) -> str:
    """Return the lines of an upright, which leaves out the figures (place, foot) that it would strike."""
    struck = sorted(foot for place, foot in figures if abs(place - x) < NEAR)
    tops = [float(TOP), *(foot + FIGURE_DOWN for foot in struck)]
    ends = [*(foot - FIGURE_UP for foot in struck), float(BOTTOM)]
    return "".join(
        f'<line x1="{_n(x)}%" x2="{_n(x)}%" y1="{_n(top)}" y2="{_n(end)}"/>'
        for top, end in zip(tops, ends, strict=True)
        if top < end
    )


def _bands(definition: Definition, y: Scale) -> tuple[str, str]:
    shapes, words = "", ""
    ranked = list(definition.bands)
    if definition.higher_is_better:
        ranked.reverse()
    for number, band in enumerate(ranked):
        top, foot = y(min(band.most + 1, definition.highest)), y(band.least)
        shapes += (
            f'<rect class="{TINTS[number]}" x="0" width="100%" y="{_n(top)}" height="{_n(foot - top)}"/>'
        )
        words += f'<text x="6" y="{_n((top + foot) / 2 + 4)}">{escape(band.label)}</text>'
    return shapes, words


def _is_expected(course: Course) -> bool:
    definition = course.definition
    falls = definition.change.remission_below is not None and not definition.higher_is_better
    return falls and course.baseline is not None and len(course.points) > 1


def _expected(course: Course, last: datetime, x: Callable[[datetime], float], y: Scale) -> str:
    definition, baseline = course.definition, course.baseline
    if baseline is None or not _is_expected(course):
        return ""
    step = (last - baseline.at) / 12
    steps = [(baseline.at + part * step, days_between(baseline.at, last) * part / 12) for part in range(13)]
    path = line([(x(at) * 10, y(expected_total(definition, baseline.total, day))) for at, day in steps])
    return f'<path class="ln sm dash" d="{path}"/>'


def _rings(one: Point) -> bool:
    return "item9_endorsed" in one.flags


def _foot(y: float, rings: bool) -> float:
    """Return the foot of the figure above a point."""
    return max(y - (13 if rings else 10), 10)


def _mark(x: float, y: float, total: int, rings: bool) -> str:
    ring = f'<circle class="hollow s2" cx="{_n(x)}%" cy="{_n(y)}" r="6.5"/>' if rings else ""
    return (
        f'{ring}<circle class="f1" cx="{_n(x)}%" cy="{_n(y)}" r="3.6"/>'
        f'<text class="t-b" x="{_n(x)}%" y="{_n(_foot(y, rings))}" text-anchor="middle">{total}</text>'
    )


def _dates(first: datetime, last: datetime) -> str:
    is_one = days_between(first, last) < 1
    first, last = localtime(first), localtime(last)  # the days of the table below
    if is_one:
        return f'<text x="50%" y="164" text-anchor="middle">{first:%-d %b %Y}</text>'
    return (
        f'<text x="{_n(LEFT)}%" y="164" text-anchor="start">{first:%-d %b %Y}</text>'
        f'<text x="{_n(LEFT + WIDTH)}%" y="164" text-anchor="end">{last:%-d %b %Y}</text>'
    )
