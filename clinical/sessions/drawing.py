"""Pictures of a session as SVG text: emotions along time, and a voice beside what is usual; no query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

from clinical.assessments.drawing import Scale, line

HEIGHT, TOP, BOTTOM = 190, 12, 152
LEFT, WIDTH = 2.0, 96.0
# Below this a reading is shown but counts for nothing (domain K28), so no line goes through it.
COUNTS = 0.40
# A pause longer than this share of the session, and than five minutes, is a gap in the line.
GAP_SHARE, GAP_SECONDS = 1 / 6, 300.0
# The line's and the dot's class of each source.
SERIES = {
    "voice": ("s1", "f1"),
    "text": ("s2", "f2"),
    "self_report": ("s3", "f3"),
    "clinician": ("s3", "f3"),
}
MOST_Z = 4.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One emotion: seconds after the session's start, valence -1 to 1, confidence 0 to 1."""

    seconds: float
    valence: float
    confidence: float
    source: str
    words: str
    flagged: bool = False


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def emotions(readings: Sequence[Reading], description: str) -> SafeString:
    """Draw valence along time, a bar through each reading as long as it is uncertain; "" without one."""
    if not readings:
        return SafeString("")
    first, last = readings[0].seconds, readings[-1].seconds
    span = max(last - first, 1.0)
    y = Scale(-1, 1, BOTTOM, TOP)

    def x(seconds: float) -> float:
        return LEFT + (seconds - first) / span * WIDTH if len(readings) > 1 else 50.0

    paths = "".join(
        f'<path class="ln {stroke}" d="{line(_points(readings, source, span, x, y))}"/>'
        for source, (stroke, _) in SERIES.items()
    )
    marks = "".join(_mark(one, x(one.seconds), y) for one in readings)
    grid = "".join(
        f'<line class="{css}" x1="0" x2="100%" y1="{_n(y(value))}" y2="{_n(y(value))}"/>'
        for value, css in ((1, "grid"), (0, "axis"), (-1, "grid"))
    )
    words = "".join(
        f'<text x="66" y="{_n(y(value) + 4)}" text-anchor="end">{word}</text>'
        for value, word in ((0.93, "pleasant"), (0, "neutral"), (-0.93, "distress"))
    )
    return mark_safe(  # noqa: S308
        f'<div class="cx emo"><svg width="72" height="{HEIGHT}" aria-hidden="true">{words}</svg>'
        f'<svg width="100%" height="{HEIGHT}" role="img" aria-labelledby="emo-t emo-d">'
        f'<title id="emo-t">Emotions along the session</title><desc id="emo-d">{escape(description)}</desc>'
        f'{grid}<svg width="100%" height="{HEIGHT}" viewBox="0 0 1000 {HEIGHT}" preserveAspectRatio="none">'
        f"{paths}</svg>{marks}{_times(first, last, len(readings))}</svg></div>"
    )


def _points(
    readings: Sequence[Reading], source: str, span: float, x: object, y: Scale
) -> list[tuple[float, float | None]]:
    found: list[tuple[float, float | None]] = []
    before: float | None = None
    for one in readings:
        if one.source != source or one.confidence < COUNTS:
            continue
        if before is not None and one.seconds - before > max(GAP_SECONDS, span * GAP_SHARE):
            found.append((0.0, None))
        found.append((x(one.seconds) * 10, y(one.valence)))  # type: ignore[operator]
        before = one.seconds
    return found


def _mark(one: Reading, x: float, y: Scale) -> str:
    stroke, fill = SERIES.get(one.source, ("s3", "f3"))
    spread = 1 - one.confidence
    high, low = y(min(1.0, one.valence + spread)), y(max(-1.0, one.valence - spread))
    middle = y(one.valence)
    bar = f'<line class="bar {stroke}" x1="{_n(x)}%" x2="{_n(x)}%" y1="{_n(high)}" y2="{_n(low)}"/>'
    kind = fill if one.confidence >= COUNTS else f"hollow {stroke}"
    ring = f'<circle class="ring-flag" cx="{_n(x)}%" cy="{_n(middle)}" r="7.5"/>' if one.flagged else ""
    return (
        f"<g><title>{escape(one.words)}</title>{bar}{ring}"
        f'<circle class="{kind}" cx="{_n(x)}%" cy="{_n(middle)}" r="4"/></g>'
    )


def _times(first: float, last: float, count: int) -> str:
    if count == 1:
        return f'<text x="50%" y="176" text-anchor="middle">{_clock(first)}</text>'
    return (
        f'<text x="{_n(LEFT)}%" y="176">{_clock(first)}</text>'
        f'<text x="{_n(LEFT + WIDTH)}%" y="176" text-anchor="end">{_clock(last)}</text>'
    )


def _clock(seconds: float) -> str:
    whole = abs(int(seconds))
    return f"{'-' if int(seconds) < 0 else ''}{whole // 60}:{whole % 60:02d} min"


def strip(z: float) -> SafeString:
    """Draw one value beside what is usual: a band of two scales; the mark outside of it is a diamond."""

    def x(value: float) -> float:
        return 50 + max(-MOST_Z, min(MOST_Z, value)) / MOST_Z * 46

    at = x(z)
    if abs(z) >= 2:
        mark = f'<svg class="far" x="{_n(at)}%" overflow="visible"><path d="M0 5L6 11L0 17L-6 11z"/></svg>'
    else:
        mark = f'<circle class="f1" cx="{_n(at)}%" cy="11" r="4.5"/>'
    return mark_safe(  # noqa: S308
        '<svg class="zs" aria-hidden="true"><line class="axis" x1="4%" x2="96%" y1="11" y2="11"/>'
        f'<rect class="usual" x="{_n(x(-2))}%" width="{_n(x(2) - x(-2))}%" y="3" height="16"/>'
        f'<line class="mid" x1="50%" x2="50%" y1="3" y2="19"/>{mark}</svg>'
    )
